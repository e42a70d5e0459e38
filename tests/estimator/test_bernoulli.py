"""What a machine of binary units learns."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

from skrbm import BernoulliRBM

from ..oracles import bernoulli
from ..oracles.bernoulli import EnumeratedRBM, bars_and_stripes


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
    oracle = EnumeratedRBM(rbm.components_.T, rbm.intercept_visible_, rbm.intercept_hidden_)
    # the last rates, 0.01 and less, leave a noise of less than a hundredth
    assert_allclose((oracle.p_v @ oracle.v_states)[0], X.mean(), atol=0.03)


def test_bars_and_stripes_come_near_the_bound():
    """Exact log-likelihood of the 16 patterns within 10 % of the bound -41.589."""
    X = bars_and_stripes(3)
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
    log_likelihood = bernoulli.log_likelihood(
        rbm.components_.T, rbm.intercept_visible_, rbm.intercept_hidden_, X
    )
    assert 1.1 * bound < log_likelihood <= bound


@pytest.mark.parametrize("algorithm", ["pcd", "cd", "pt"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sparse_data_give_the_same_model_draw_for_draw(algorithm, dtype, rng):
    X = (rng.random((53, 12)) < 0.2).astype(dtype)
    options = {"algorithm": algorithm, "n_components": 5, "n_iter": 3, "random_state": 0}
    dense = BernoulliRBM(**options).fit(X)
    from_sparse = BernoulliRBM(**options).fit(sparse.csr_array(X))
    assert np.array_equal(dense.components_, from_sparse.components_)
    assert np.array_equal(dense.intercept_visible_, from_sparse.intercept_visible_)


def test_visible_biases_start_at_smoothed_log_odds():
    X = np.array([[0, 1, 1], [0, 1, 0], [0, 1, 0]], dtype=float)
    rbm = BernoulliRBM(n_components=2, n_iter=0, centering=False, random_state=0).fit(X)
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
    X = sparse.csr_array(rng.random((1000, 5000)) < 0.002)
    h = BernoulliRBM(n_components=20, n_iter=1, random_state=0).fit_transform(X)
    assert 0.3 < h.mean() < 0.7


def test_weight_decay_spares_the_biases(rng):
    X = (rng.random((200, 5)) < 0.8).astype(float)
    rbm = BernoulliRBM(
        n_components=3, learning_rate=0.05, weight_decay=10.0, n_iter=30, random_state=0
    ).fit(X)
    assert np.abs(rbm.components_).max() < 0.01
    p = 1 / (1 + np.exp(-rbm.intercept_visible_))
    assert_allclose(p, X.mean(axis=0), atol=0.1)


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


# --- tempered chains ---


# --- what is learned ---


def two_patterns():
    """Twelve bits: four rows of five hold a pattern, the fifth its opposite."""
    pattern = np.tile([1.0, 1.0, 0.0], 4)
    return np.array([pattern] * 80 + [1 - pattern] * 20)


def mean_log_likelihood(algorithm, seed):
    rbm = BernoulliRBM(
        4,
        algorithm=algorithm,
        n_temperatures=5,
        learning_rate=tuple(np.geomspace(0.1, 0.005, 300)),
        batch_size=20,
        n_iter=300,
        random_state=seed,
    ).fit(two_patterns())
    return rbm.log_likelihood(two_patterns()).mean()


def test_two_opposite_patterns_are_learned_in_their_proportions():
    """Near the bound; chains of PCD, which seldom cross, end further away at either seed."""
    bound = 0.8 * np.log(0.8) + 0.2 * np.log(0.2)
    pt, pcd = (
        np.array([mean_log_likelihood(algorithm, seed) for seed in range(2)])
        for algorithm in ("pt", "pcd")
    )
    assert (pt < bound).all()
    assert (pt > bound - 0.8).all()  # seen: 0.6 and 0.5
    assert (pt > pcd).all()  # seen: 2.7 and 6.5 below the bound
