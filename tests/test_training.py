"""Learning against its plain twin and against exact expectations."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

from skrbm import BernoulliRBM
from skrbm._input.numbers import Rows
from skrbm._machine.bernoulli import BernoulliVisible
from skrbm._machine.rbm import RBM
from skrbm._training.epoch import row_order, train_epoch
from skrbm._training.phases import contrast
from skrbm._training.state import Settings, State, scheduled

from . import reference


def settings(**changes):
    defaults = {
        "persistent": True,
        "batch_size": 4,
        "n_chains": 3,
        "learning_rate": 0.1,
        "n_gibbs_steps": 1,
        "momentum": 0.0,
        "weight_decay": 0.0,
        "mean_negative_visibles": False,
        "shuffle": False,
    }
    return Settings(**defaults | changes)


def state_of(W, b, c, n_chains=3, seed=11):
    model = RBM(BernoulliVisible(b.copy()), W.copy(), c.copy())
    chains = np.zeros((n_chains, len(c)))
    return State(model=model, seed=np.uint64(seed), base_bias=None, chains=chains)


@pytest.mark.parametrize("persistent", [True, False])
@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"n_gibbs_steps": 3},
        {"momentum": 0.8, "weight_decay": 0.1},
        {"mean_negative_visibles": True},
        {"batch_size": 50},
        {"batch_size": 1, "n_chains": 40},
    ],
    ids=str,
)
def test_an_epoch_equals_the_plain_loops_draw_for_draw(arrays, rng, persistent, shuffle, changes):
    W, b, c = arrays
    V = rng.random((11, 4))  # 11 rows: the last batch of four is short
    options = settings(persistent=persistent, shuffle=shuffle, **changes)
    state = state_of(W, b, c, options.n_chains)
    order = row_order(state, 11) if shuffle else np.arange(11)
    train_epoch(state, options, Rows(V))
    units = reference.BinaryUnits(b)
    plain_W, plain_c, plain_chains = reference.train(
        V,
        W,
        c,
        units,
        seed=11,
        order=order,
        batch_size=options.batch_size,
        learning_rate=0.1,
        n_steps=options.n_gibbs_steps,
        n_chains=options.n_chains if persistent else None,
        momentum=options.momentum,
        weight_decay=options.weight_decay,
        means=options.mean_negative_visibles,
    )
    model = state.model
    expected = (plain_W, plain_c, *units.parameters)
    for ours, plain in zip(model.parameters, expected, strict=True):
        assert_allclose(ours, plain, rtol=1e-11, atol=1e-13)
    if persistent:
        assert_allclose(state.chains, plain_chains)


def mean_contrast(state, options, v_pos, n_repeats):
    """Mean and standard error of the gradient estimate over independent random numbers."""
    n_neg = options.n_chains if options.persistent else len(v_pos)
    chains = state.chains
    draws = []
    for repeat in range(n_repeats):
        state.n_updates, state.chains = repeat, chains
        v = np.concatenate([v_pos, np.empty((n_neg, v_pos.shape[1]))])
        draws.append(contrast(state, options, v, len(v_pos), options.n_gibbs_steps))
    blocks = [np.array(block) for block in zip(*draws, strict=True)]
    return [(a.mean(axis=0), a.std(axis=0) / np.sqrt(n_repeats)) for a in blocks]


def assert_expected(estimates, expected):
    for (mean, error), exact in zip(estimates, expected, strict=True):
        assert (np.abs(mean - exact) < 4.5 * error + 1e-12).all()


# With mean visible units and k > 1 the chain has no distribution over states to enumerate.
@pytest.mark.parametrize(("k", "means"), [(1, False), (2, False), (1, True)])
def test_cd_estimates_its_expected_gradient(arrays, oracle, rng, k, means):
    """CD-k: data statistics minus those of the data carried k exact Gibbs steps on."""
    rows = rng.integers(0, len(oracle.v_states), 6)
    V = oracle.v_states[rows]
    p = np.bincount(rows, minlength=len(oracle.v_states)) / len(rows)
    data = oracle.data_statistics(V)
    if means:
        # E over h of statistics at v = E[v | h]
        model_side = [0, 0, 0]
        for v in V:
            p_h = oracle.joint[(oracle.v_states == v).all(axis=1)][0]
            for h, q in zip(oracle.h_states, p_h / p_h.sum(), strict=True):
                statistics = oracle.data_statistics(oracle.visible_mean(h)[np.newaxis])
                model_side = [
                    m + q * s / len(V) for m, s in zip(model_side, statistics, strict=True)
                ]
    else:
        model_side = oracle.statistics(p @ np.linalg.matrix_power(oracle.transition(), k))
    expected = [d - m for d, m in zip(data, model_side, strict=True)]
    options = settings(persistent=False, n_gibbs_steps=k, mean_negative_visibles=means)
    estimates = mean_contrast(state_of(*arrays), options, V, 8000)
    assert_expected(estimates, expected)


def test_pcd_estimates_its_expected_gradient(arrays, oracle, rng):
    """PCD: the negative phase starts at the chains, whatever the data; 5 rows, 3 chains."""
    V = rng.random((5, 4))
    state = state_of(*arrays)
    state.chains = oracle.h_states[[1, 4, 6]]
    p = np.mean([oracle.visible_given_hidden(h) for h in state.chains], axis=0)
    expected = [
        d - m for d, m in zip(oracle.data_statistics(V), oracle.statistics(p), strict=True)
    ]
    assert_expected(mean_contrast(state, settings(), V, 8000), expected)


def test_pcd_chains_move_by_the_model(arrays, oracle):
    """After an update the chains hold draws of p(h' | h), once through the visible units."""
    state = state_of(*arrays)
    n = 20_000
    state.chains = np.tile(oracle.h_states[3], (n, 1))
    options = settings(n_chains=n)
    v = np.concatenate([np.zeros((1, 4)), np.empty((n, 4))])
    contrast(state, options, v, 1, 1)
    p_v = oracle.visible_given_hidden(oracle.h_states[3])
    p = p_v @ np.array([oracle.hidden_mean(u) for u in oracle.v_states])
    assert (np.abs(state.chains.mean(axis=0) - p) < 4 * np.sqrt(p * (1 - p) / n)).all()


@pytest.mark.parametrize("algorithm", ["pcd", "cd"])
@pytest.mark.parametrize(
    ("n_rows", "batch_size", "n_chains"), [(201, 10, None), (7, 10, None), (201, 10, 37)]
)
def test_marginals_of_a_one_unit_machine_equal_the_data(algorithm, n_rows, batch_size, n_chains):
    """Each phase is averaged over its own rows, or the fixed point is wrong.

    One visible unit and one hidden unit: at the optimum the model's marginal is the data's.
    scikit-learn 1.9, which divides both phases by the rows of the batch, ends at 0.65 of it
    (201 rows, batches of 10).
    """
    X = np.zeros((n_rows, 1))
    X[: int(0.7 * n_rows)] = 1
    rates = tuple(0.2 / (1 + epoch / 10) for epoch in range(150 if n_rows > 100 else 3000))
    rbm = BernoulliRBM(
        n_components=1,
        algorithm=algorithm,
        learning_rate=rates,
        batch_size=batch_size,
        n_chains=n_chains,
        n_iter=len(rates),
        random_state=0,
    ).fit(X)
    oracle = reference.EnumeratedRBM(
        rbm.components_.T, rbm.intercept_visible_, rbm.intercept_hidden_
    )
    # the last rates, 0.01 and less, leave a noise of less than a hundredth
    assert_allclose((oracle.p_v @ oracle.v_states)[0], X.mean(), atol=0.03)


def test_bars_and_stripes_come_near_the_bound():
    """Exact log-likelihood of the 16 patterns within 10 % of the bound -41.589."""
    X = reference.bars_and_stripes(3)
    bound = 12 * np.log(1 / 16) + 4 * np.log(2 / 16)
    assert_allclose(bound, -41.589, atol=5e-4)
    n_iter = 3000
    rates = tuple(0.2 * min(1, 2 * (1 - epoch / n_iter)) for epoch in range(n_iter))
    rbm = BernoulliRBM(
        n_components=16,
        learning_rate=rates,
        batch_size=16,
        n_chains=100,
        n_gibbs_steps=5,
        n_iter=n_iter,
        random_state=0,
    ).fit(X)
    log_likelihood = reference.log_likelihood(
        rbm.components_.T, rbm.intercept_visible_, rbm.intercept_hidden_, X
    )
    assert 1.1 * bound < log_likelihood <= bound


@pytest.mark.parametrize("algorithm", ["pcd", "cd"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sparse_data_give_the_same_model_draw_for_draw(algorithm, dtype, rng):
    X = (rng.random((53, 12)) < 0.2).astype(dtype)
    options = {"algorithm": algorithm, "n_components": 5, "n_iter": 3, "random_state": 0}
    dense = BernoulliRBM(**options).fit(X)
    from_sparse = BernoulliRBM(**options).fit(sparse.csr_array(X))
    assert np.array_equal(dense.components_, from_sparse.components_)
    assert np.array_equal(dense.intercept_visible_, from_sparse.intercept_visible_)


def test_float32_training_follows_float64(rng):
    """Same seed, same draws: until rounding tips a draw, the machines stay together."""
    X = (rng.random((100, 6)) < 0.4).astype(float)
    double, single = (
        BernoulliRBM(n_components=4, n_iter=2, random_state=0).fit(X.astype(dtype))
        for dtype in (np.float64, np.float32)
    )
    assert_allclose(single.components_, double.components_, atol=1e-5)


def test_visible_biases_start_at_smoothed_log_odds():
    X = np.array([[0, 1, 1], [0, 1, 0], [0, 1, 0]], dtype=float)
    rbm = BernoulliRBM(n_components=2, n_iter=0, random_state=0).fit(X)
    assert_allclose(rbm.intercept_visible_, np.log([0.5 / 3.5, 3.5 / 0.5, 1.5 / 2.5]))
    assert_allclose(rbm.intercept_hidden_, 0)


def test_weights_start_small_and_normal():
    X = np.zeros((2, 300))
    weights = BernoulliRBM(n_components=200, n_iter=0, random_state=0).fit(X).components_
    n = weights.size
    assert abs(weights.mean()) < 4 * 0.01 / np.sqrt(n)
    assert abs(weights.std() - 0.01) < 4 * 0.01 / np.sqrt(2 * n)


def test_wide_sparse_data_do_not_saturate(rng):
    """1000 rows, 5000 columns, 0.2 % ones: from zero biases every p(h | v) ends at 1."""
    X = sparse.random_array((1000, 5000), density=0.002, rng=rng) > 0
    h = BernoulliRBM(n_components=20, n_iter=1, random_state=0).fit_transform(X.tocsr())
    assert 0.3 < h.mean() < 0.7


def test_weight_decay_spares_the_biases(rng):
    X = (rng.random((200, 5)) < 0.8).astype(float)
    rbm = BernoulliRBM(
        n_components=3, learning_rate=0.05, weight_decay=10.0, n_iter=30, random_state=0
    ).fit(X)
    assert np.abs(rbm.components_).max() < 0.01
    p = 1 / (1 + np.exp(-rbm.intercept_visible_))
    assert_allclose(p, X.mean(axis=0), atol=0.1)


def test_scheduled_values():
    assert [scheduled((1, 3, 5), e) for e in range(5)] == [1, 3, 5, 5, 5]
    assert scheduled(0.5, 7) == 0.5
    assert scheduled(np.array([0.1, 0.2]), 9) == 0.2


def test_as_good_as_scikit_learn_on_digits():
    """Same data, parameters and exact measure: scikit-learn's model is given our score."""
    from sklearn.datasets import load_digits
    from sklearn.neural_network import BernoulliRBM as ScikitRBM

    X = load_digits().data / 16
    parameters = {
        "n_components": 64,
        "learning_rate": 0.1,
        "batch_size": 10,
        "n_iter": 7,
        "random_state": 9,
    }
    ours = BernoulliRBM(**parameters).fit(X)
    theirs = ScikitRBM(**parameters).fit(X)
    judge = BernoulliRBM(**parameters | {"n_iter": 0}).fit(X)
    for name in ("components_", "intercept_visible_", "intercept_hidden_"):
        setattr(judge, name, getattr(theirs, name))
    assert ours.score(X) >= judge.score(X)
