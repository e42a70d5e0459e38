"""Learning of categorical units: the plain twin, expectations, and what is learned."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import softmax

from skrbm import SoftmaxRBM
from skrbm._input.categories import CategoricalData
from skrbm._training.epoch import row_order, train_epoch
from skrbm._training.phases import contrast
from skrbm._training.state import State

from . import reference_softmax
from .comparison import assert_same_model
from .reference_softmax import compressed, pattern_of
from .softmax_machines import (
    MACHINES,
    Machine,
    draw_rows,
    machines,
    one_hot,
    oracle_of,
    random_machine,
)
from .test_training import assert_expected, settings

SEED = 11


def data_of(machine, rows):
    return CategoricalData(one_hot(rows), machine.categories, np.dtype(float))


def state_of(machine, n_chains=1):
    chains = np.zeros((n_chains, len(machine.c)))
    return State(model=machine.model(), seed=np.uint64(SEED), base_bias=None, chains=chains)


def some_rows(machine, n_rows=11, seed=0):
    """Rows with all, some and no entries; the fourth one is empty."""
    rows = machine.all_rows
    picked = np.random.default_rng(seed).integers(1, len(rows), n_rows)
    return [() if k == 3 else rows[r] for k, r in enumerate(picked)]


# --- the plain twin ---


@machines
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"n_gibbs_steps": 2},
        {"n_gibbs_steps": 3, "momentum": 0.8, "weight_decay": 0.1},
        {"mean_negative_visibles": True},
        {"mean_negative_visibles": True, "n_gibbs_steps": 2, "momentum": 0.5},
        {"batch_size": 50, "shuffle": True},
        {"batch_size": 1, "weight_decay": 0.5},
        {"shuffle": True},
    ],
    ids=str,
)
def test_an_epoch_equals_the_plain_loops_draw_for_draw(machine, changes):
    """Batches of four of 11 rows: the last is short; alone, the empty row is a batch."""
    rows = some_rows(machine)
    options = settings(persistent=False, **changes)
    state = state_of(machine)
    order = row_order(state, 11) if options.shuffle else np.arange(11)
    for _ in range(2):
        train_epoch(state, options, data_of(machine, rows))
        if options.shuffle:
            break  # another order
    W, c, b, *U = machine.arrays
    parameters, steps = [W, c, b, *U], None
    epochs = 1 if options.shuffle else 2
    firsts = [first for _ in range(epochs) for first in range(0, 11, options.batch_size)]
    for update, first in enumerate(firsts):
        batch = [rows[r] for r in order[first : first + options.batch_size]]
        parameters, steps = reference_softmax.cd_update(
            *compressed(batch),
            machine.oracle.offsets,
            *parameters,
            seed=SEED,
            update=update,
            learning_rate=options.learning_rate,
            n_steps=options.n_gibbs_steps,
            momentum=options.momentum,
            weight_decay=options.weight_decay,
            means=options.mean_negative_visibles,
            steps=steps,
        )
    assert state.n_updates == len(firsts)
    assert len(state.model.parameters) == len(parameters)
    for ours, plain in zip(state.model.parameters, parameters, strict=True):
        assert_allclose(ours, plain, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("conditional", [False, True])
def test_an_epoch_of_many_rows_equals_the_plain_loops(conditional):
    """Blocks of more than 32 entries of a feature, and rows of up to nine."""
    sizes = (3, 1, 5, 2, 2, 4, 3, 2, 5)
    machine = random_machine(sizes, 4, conditional, scale=0.5)
    rng = np.random.default_rng(2)
    offsets = machine.oracle.offsets
    rows = [
        tuple(offsets[i] + rng.integers(n) for i, n in enumerate(sizes) if rng.random() < 0.6)
        for _ in range(130)
    ]
    state = state_of(machine)
    options = settings(persistent=False, batch_size=90, n_gibbs_steps=2)
    train_epoch(state, options, data_of(machine, rows))
    parameters, steps = machine.arrays, None
    for update, batch in enumerate((rows[:90], rows[90:])):
        parameters, steps = reference_softmax.cd_update(
            *compressed(batch),
            offsets,
            *parameters,
            seed=SEED,
            update=update,
            learning_rate=0.1,
            n_steps=2,
            steps=steps,
        )
    for ours, plain in zip(state.model.parameters, parameters, strict=True):
        assert_allclose(ours, plain, rtol=1e-11, atol=1e-12)


def test_float32_learns_nearly_what_float64_learns():
    machine = random_machine((3, 2, 4), 3, conditional=True, scale=0.3)
    X = machine.dense(draw_rows(machine.oracle, (0, 1, 2), 60, np.random.default_rng(0)))
    X[::7, 1] = np.nan
    parameters = {"conditional": True, "categories": "auto", "learning_rate": 0.5, "n_iter": 5}
    double, single = (
        SoftmaxRBM(3, **parameters, random_state=0).fit(Z) for Z in (X, X.astype(np.float32))
    )
    assert np.abs(double.components_).max() > 0.1
    for name in (
        "components_",
        "intercept_visible_",
        "intercept_hidden_",
        "conditional_components_",
    ):
        assert getattr(single, name).dtype == np.float32
        # A draw that rounding decides would change entries by 0.5 / 60.
        assert_allclose(getattr(single, name), getattr(double, name), rtol=0, atol=2e-5)


# --- expectations ---


def expected_contrast(oracle, rows, n_steps):
    """Data statistics minus those of the data carried so many exact Gibbs steps on."""
    blocks = None
    for row in rows:
        pattern = pattern_of(row, oracle.offsets)
        table, _ = oracle.table(pattern)
        posterior = np.array([oracle.hidden_posterior(v) for v in table])  # (rows, h)
        log_p = np.array([[-oracle.energy(v, h) for v in table] for h in oracle.h_states])
        step = posterior @ softmax(log_p, axis=1)
        p = -np.linalg.matrix_power(step, n_steps)[table.index(row)]
        p[table.index(row)] += 1  # data minus model
        h = posterior @ oracle.h_states
        share = p / len(rows)
        W, b = reference_softmax.accumulate(*compressed(table), None, h, share, len(oracle.b))
        parts = [W, share @ h, b]
        if oracle.U is not None:
            parts.append(
                reference_softmax.accumulate_conditional(
                    *compressed(table), oracle.offsets, h, share
                )
            )
        blocks = parts if blocks is None else [s + a for s, a in zip(blocks, parts, strict=True)]
    return blocks


def mean_contrast(machine, options, rows, n_repeats, n_copies=50):
    """Mean and standard error of the gradient estimate over independent random numbers."""
    state, data, draws = state_of(machine), data_of(machine, rows * n_copies), []
    for repeat in range(n_repeats):
        state.n_updates = repeat
        v = data.batch(slice(0, data.n_rows), np.dtype(float))
        estimate = contrast(state, options, v, data.n_rows, options.n_gibbs_steps)
        draws.append(estimate)
    blocks = [np.array(block) for block in zip(*draws, strict=True)]
    return [(a.mean(axis=0), a.std(axis=0) / np.sqrt(n_repeats)) for a in blocks]


@machines
@pytest.mark.parametrize("n_steps", [1, 2])
def test_cd_estimates_its_expected_gradient(machine, n_steps):
    rows = some_rows(machine, 7, seed=1)
    expected = expected_contrast(machine.oracle, rows, n_steps)
    options = settings(persistent=False, n_gibbs_steps=n_steps)
    assert_expected(mean_contrast(machine, options, rows, 150), expected)


@machines
def test_cd_of_long_chains_estimates_the_gradient_of_the_likelihood(machine):
    rows = some_rows(machine, 7, seed=1)
    exact = machine.oracle.gradient(rows)
    for block, limit in zip(exact, expected_contrast(machine.oracle, rows, 40), strict=True):
        assert_allclose(block, limit, atol=1e-5)  # chains have forgotten their start
    options = settings(persistent=False, n_gibbs_steps=40)
    assert_expected(mean_contrast(machine, options, rows, 60), exact)


# --- where learning starts, and how it goes on ---


def test_visible_biases_start_at_log_frequencies():
    """With half an entry added to each category; centred, as a constant changes nothing."""
    X = np.array([[1, 5], [2, np.nan], [2, np.nan], [2, 5], [np.nan, 5]])
    rbm = SoftmaxRBM(2, n_iter=0, categories=[[1, 2, 3], [4, 5]], random_state=0).fit(X)
    first, second = np.split(rbm.intercept_visible_, [3])
    assert_allclose(softmax(first), np.array([1.5, 3.5, 0.5]) / 5.5, rtol=1e-14)
    assert_allclose(softmax(second), np.array([0.5, 3.5]) / 4, rtol=1e-14)
    assert_allclose([first.sum(), second.sum()], 0, atol=1e-14)
    rbm.components_ = 0 * rbm.components_
    empty = np.full((1, 2), np.nan)
    expected = [[(1.5 + 7 + 1.5) / 5.5, (2 + 17.5) / 4]]
    assert_allclose(rbm.predict_ratings(empty), expected, rtol=1e-14)


def incomplete(rng, n_rows=47):
    X = rng.integers(1, 6, (n_rows, 6)).astype(float)
    X[rng.random(X.shape) < 0.4] = np.nan
    X[3] = np.nan
    return X


@pytest.mark.parametrize("conditional", [False, True])
def test_fit_is_partial_fit_over_the_same_rows(rng, conditional):
    X = incomplete(rng)
    parameters = {
        "n_components": 3,
        "conditional": conditional,
        "batch_size": 10,
        "n_gibbs_steps": (1, 2),
        "shuffle": False,
        "random_state": 0,
    }
    fitted = SoftmaxRBM(n_iter=3, **parameters).fit(X)
    chunks = SoftmaxRBM(**parameters)
    for _ in range(3):
        chunks.partial_fit(X)
    assert_same_model(chunks, fitted)


def test_a_chunk_is_cut_into_batches(rng):
    """So that chunks of whole batches learn what the rows learn at once."""
    X = incomplete(rng)
    whole, parts = (
        SoftmaxRBM(3, batch_size=10, random_state=0).partial_fit(X[:20]) for _ in range(2)
    )
    whole.partial_fit(X)
    for chunk in (X[:10], X[10:40], X[40:]):
        parts.partial_fit(chunk)
    assert whole._n_updates == parts._n_updates == 2 + 5
    for name in ("components_", "intercept_visible_", "intercept_hidden_"):
        assert_array_equal(getattr(parts, name), getattr(whole, name))
    larger = SoftmaxRBM(3, batch_size=20, random_state=0).partial_fit(X[:20]).partial_fit(X)
    assert larger._n_updates == 1 + 3


def test_reconstruction_error_is_that_of_the_observed_entries(rng):
    X = incomplete(rng)
    rbm = SoftmaxRBM(3, n_iter=1, random_state=0).fit(X)
    expected = np.nanmean((rbm.reconstruct(X) - X) ** 2)
    assert_allclose(rbm.history_["reconstruction_error"], expected, rtol=1e-12)


def test_rows_without_entries_teach_nothing_but_decay():
    """No gradient of any block; not even of the hidden bias."""
    for machine in MACHINES.values():
        state = state_of(machine)
        train_epoch(state, settings(persistent=False), data_of(machine, [()] * 5))
        for ours, before in zip(state.model.parameters, machine.arrays, strict=True):
            assert_array_equal(ours, before)


# --- what is learned ---

PLANTED = Machine(
    (3, 2, 3),
    np.array([[3, 0, -3, 2, -2, -2, 0, 2.0]]).T,
    np.array([-1.5, 0, 1.5, -1, 1, 1, 0.5, -1]),
    np.array([-0.5]),
)


def per_row(oracle, rows):
    return oracle.log_likelihood(rows) / len(rows)


@pytest.mark.parametrize(
    "parameters",
    [{"algorithm": "pcd", "n_chains": 200}, {"n_gibbs_steps": 5}],
    ids=["pcd", "cd-5"],
)
def test_learning_reaches_the_likelihood_of_the_planted_machine(parameters):
    rng = np.random.default_rng(0)
    rows = draw_rows(PLANTED.oracle, (0, 1, 2), 2000, rng)
    X = PLANTED.dense(rows)
    rbm = SoftmaxRBM(
        1,
        categories="auto",
        learning_rate=tuple(np.geomspace(0.3, 0.01, 60)),
        batch_size=100,
        momentum=0.5,
        weight_decay=0.0,
        n_iter=0,
        random_state=0,
        **parameters,
    )
    start = per_row(oracle_of(rbm.fit(X)), rows)
    rbm.set_params(n_iter=60).fit(X)
    counts = np.unique(rows, axis=0, return_counts=True)[1] / len(rows)
    bound = counts @ np.log(counts)  # of any model at all
    planted, learned = per_row(PLANTED.oracle, rows), per_row(oracle_of(rbm), rows)
    assert start < planted - 0.15
    assert planted - 0.01 < learned < bound


def test_pcd_refuses_missing_entries():
    X = PLANTED.dense(PLANTED.complete_rows)
    X[3, 1] = np.nan
    rbm = SoftmaxRBM(2, algorithm="pcd", random_state=0)
    with pytest.raises(ValueError, match=r"complete rows, but 1 entries of X are missing"):
        rbm.fit(X)
    assert not hasattr(rbm, "components_")
    with pytest.raises(ValueError, match="algorithm='cd'"):
        rbm.partial_fit(X)


def masked(rng, n_rows):
    """Which features each row observes: at random, regardless of their values."""
    return [tuple(np.flatnonzero(rng.random(3) < 0.6)) for _ in range(n_rows)]


@pytest.mark.parametrize("conditional", [False, True])
def test_learning_from_rows_with_missing_entries(conditional):
    """Each row is drawn from the machine of its own pattern: the likelihood has its maximum."""
    rng = np.random.default_rng(1)
    U = np.array([[1.0], [-1.0], [2.0]]) if conditional else None
    machine = Machine(PLANTED.sizes, PLANTED.W, PLANTED.b, PLANTED.c, U)
    rows = [draw_rows(machine.oracle, pattern, 1, rng)[0] for pattern in masked(rng, 3000)]
    rbm = SoftmaxRBM(
        1,
        categories=machine.categories.by_feature,
        conditional=conditional,
        learning_rate=tuple(np.geomspace(0.3, 0.01, 60)),
        batch_size=100,
        n_gibbs_steps=5,
        momentum=0.5,
        weight_decay=0.0,
        n_iter=0,
        random_state=0,
    )
    X = machine.dense(rows)
    start = per_row(oracle_of(rbm.fit(X)), rows)
    rbm.set_params(n_iter=60).fit(X)
    planted, learned = per_row(machine.oracle, rows), per_row(oracle_of(rbm), rows)
    assert start < planted - 0.05
    # The planted machine is not the best for these rows, only about as good.
    assert planted - 0.01 < learned < planted + 0.01


def test_marginals_of_what_is_missing_at_random(rng):
    """Independent features: those observed tell the frequencies of all."""
    p = [np.array([0.1, 0.2, 0.7]), np.array([0.8, 0.2]), np.array([0.3, 0.3, 0.4])]
    offsets = [0, 3, 5]
    rows = [
        tuple(offsets[i] + rng.choice(len(p[i]), p=p[i]) for i in pattern)
        for pattern in masked(rng, 4000)
    ]
    rbm = SoftmaxRBM(
        2,
        categories=PLANTED.categories.by_feature,
        learning_rate=tuple(np.geomspace(0.1, 0.003, 30)),
        n_gibbs_steps=3,
        n_iter=30,
        random_state=0,
    ).fit(PLANTED.dense(rows))
    table, joint = oracle_of(rbm).table()
    marginals = np.zeros(8)
    for row, probability in zip(table, joint.sum(axis=1), strict=True):
        marginals[list(row)] += probability
    # 2,400 entries of a feature: a frequency is off by 0.01; noise of learning adds as much.
    assert_allclose(marginals, np.concatenate(p), rtol=0, atol=4 * np.hypot(0.01, 0.01))
