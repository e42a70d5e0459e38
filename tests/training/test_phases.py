"""Both phases of the gradient against exact expectations."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import softmax

from skrbm._input.numbers import NumberRows
from skrbm._training.phases import contrast

from ..helpers.calls import hidden_mean, phases_of, recorded_parities
from ..helpers.gaussian_machines import VARIANCE
from ..helpers.machines import Categorical, some_cases
from ..helpers.models import BERNOULLI, bits
from ..helpers.softmax_machines import machines
from ..helpers.training import (
    assert_expected,
    binary_state,
    data_of,
    gaussian_state,
    gradient_estimate,
    mean_contrast,
    settings,
    softmax_state,
    some_rows,
    tempered_state,
)
from ..oracles.gaussian import EnumeratedGaussianRBM
from ..oracles.softmax import accumulate, accumulate_conditional, compressed, pattern_of


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
    options = settings(algorithm="cd", n_gibbs_steps=k, mean_negative_visibles=means)
    estimates = mean_contrast(binary_state(*arrays), options, V, 8000)
    assert_expected(estimates, expected)


def test_pcd_estimates_its_expected_gradient(arrays, oracle, rng):
    """PCD: the negative phase starts at the chains, whatever the data; 5 rows, 3 chains."""
    V = rng.random((5, 4))
    state = binary_state(*arrays)
    state.chains = oracle.h_states[[1, 4, 6]]
    p = np.mean([oracle.visible_given_hidden(h) for h in state.chains], axis=0)
    expected = [
        d - m for d, m in zip(oracle.data_statistics(V), oracle.statistics(p), strict=True)
    ]
    assert_expected(mean_contrast(state, settings(), V, 8000), expected)


def test_pcd_chains_move_by_the_model(arrays, oracle):
    """After an update the chains hold draws of p(h' | h), once through the visible units."""
    state = binary_state(*arrays)
    n = 20_000
    state.chains = np.tile(oracle.h_states[3], (n, 1))
    options = settings(n_chains=n)
    gradient_estimate(state, options, NumberRows(np.zeros((1, 4))))
    p_v = oracle.visible_given_hidden(oracle.h_states[3])
    p = p_v @ np.array([oracle.hidden_mean(u) for u in oracle.v_states])
    assert (np.abs(state.chains.mean(axis=0) - p) < 4 * np.sqrt(p * (1 - p) / n)).all()


# --- expectations ---


@pytest.fixture
def small():
    """Few enough units that v given h can be integrated over on a grid of nodes."""
    rng = np.random.default_rng(3)
    return rng.normal(size=(2, 2)), rng.normal(size=2), rng.normal(size=2), VARIANCE[[0, 2]]


def nodes(oracle, h):
    """Gauss-Hermite nodes and weights of p(v | h)."""
    t, weight = np.polynomial.hermite_e.hermegauss(32)
    t, weight = np.array(np.meshgrid(t, t)).reshape(2, -1), np.outer(weight, weight).ravel()
    return oracle.visible_mean(h) + oracle.s * t.T, weight / weight.sum()


def expected_derivatives(oracle, v, weight):
    """Mean of the derivatives of -E by (W, c, b, log variance), hidden units summed out."""
    logits = (v / oracle.s) @ oracle.W + oracle.c
    rows = zip(v, 1 / (1 + np.exp(-logits)), weight, strict=True)
    parts = [[p * d for d in oracle.derivatives(u, h)] for u, h, p in rows]
    return [np.sum(block, axis=0) for block in zip(*parts, strict=True)]


@pytest.mark.parametrize("algorithm", ["cd", "pcd"])
def test_the_gradient_has_its_expectation(small, algorithm):
    """CD-1 starts at h given each row, PCD-1 at the chains, whatever the data."""
    oracle = EnumeratedGaussianRBM(*small)
    V = oracle.draw(np.random.default_rng(4), 3)
    state = gaussian_state(*small, learned=True)
    state.chains = oracle.h_states[[1, 2, 3]]
    p_h = np.mean([oracle.hidden_posterior(v) for v in V], axis=0)
    if algorithm == "pcd":
        p_h = np.array([0, 1, 1, 1]) / 3
    model_side = [
        [p * d for d in expected_derivatives(oracle, *nodes(oracle, h))]
        for h, p in zip(oracle.h_states, p_h, strict=True)
    ]
    data_side = expected_derivatives(oracle, V, np.full(3, 1 / 3))
    expected = [
        d - np.sum(m, axis=0)
        for d, m in zip(data_side, zip(*model_side, strict=True), strict=True)
    ]
    options = settings(algorithm=algorithm)
    assert_expected(mean_contrast(state, options, V, 8000), expected)


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
        W, b = accumulate(*compressed(table), None, h, share, len(oracle.b))
        parts = [W, share @ h, b]
        if oracle.U is not None:
            parts.append(accumulate_conditional(*compressed(table), oracle.offsets, h, share))
        blocks = parts if blocks is None else [s + a for s, a in zip(blocks, parts, strict=True)]
    return blocks


def mean_softmax_contrast(machine, options, rows, n_repeats, n_copies=50):
    """Mean and standard error of the gradient estimate over independent random numbers."""
    state, data, estimates = softmax_state(machine), data_of(machine, rows * n_copies), []
    for repeat in range(n_repeats):
        state.n_updates = repeat
        estimates.append(gradient_estimate(state, options, data))
    blocks = [np.array(block) for block in zip(*estimates, strict=True)]
    return [(a.mean(axis=0), a.std(axis=0) / np.sqrt(n_repeats)) for a in blocks]


@machines
@pytest.mark.parametrize("n_steps", [1, 2])
def test_cd_of_categories_estimates_its_expected_gradient(machine, n_steps):
    rows = some_rows(machine, 7, seed=1)
    expected = expected_contrast(machine.oracle, rows, n_steps)
    options = settings(algorithm="cd", n_gibbs_steps=n_steps)
    assert_expected(mean_softmax_contrast(machine, options, rows, 150), expected)


@machines
def test_cd_of_long_chains_estimates_the_gradient_of_the_likelihood(machine):
    rows = some_rows(machine, 7, seed=1)
    exact = machine.oracle.gradient(rows)
    for block, limit in zip(exact, expected_contrast(machine.oracle, rows, 40), strict=True):
        assert_allclose(block, limit, atol=1e-5)  # chains have forgotten their start
    options = settings(algorithm="cd", n_gibbs_steps=40)
    assert_expected(mean_softmax_contrast(machine, options, rows, 60), exact)


CASES = some_cases(scale=1)


cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def draw_hidden(case, beta, n, rng):
    """Exact draws of the hidden units at a temperature."""
    oracle = case.at(beta)
    p_h = oracle.table()[1].sum(axis=0) if isinstance(case, Categorical) else oracle.p_h
    return oracle.h_states[rng.choice(len(p_h), n, p=p_h)]


def data_and_gradient(case, rng):
    """Five rows of data, and the exact gradient of their mean log-likelihood."""
    rows = case.draw(0.5, 5, rng)
    data = data_of(case.machine, rows) if isinstance(case, Categorical) else NumberRows(rows)
    return data, case.at(1).gradient(rows)


@cases
@pytest.mark.parametrize("n_steps", [1, 2])
def test_chains_at_equilibrium_estimate_the_gradient_of_the_likelihood(case, n_steps, rng):
    """At all temperatures, hidden states from the table: the negative phase is the model's."""
    betas, n_chains = np.linspace(1, 0, 3), 300
    data, exact = data_and_gradient(case, rng)
    state = tempered_state(case, None)
    state.seed = np.uint64(1)
    options = settings(algorithm="pt", n_chains=n_chains, batch_size=data.n_rows)
    draws = []
    for repeat in range(40):
        state.n_updates = repeat
        state.chains = np.array([draw_hidden(case, beta, n_chains, rng) for beta in betas])
        phases = state.model.visible.phases(data, slice(0, data.n_rows), n_chains)
        sums, n_rows, *_ = contrast(state, options, phases, n_steps)
        draws.append([block / n_rows for block in sums])
    blocks = [np.array(block) for block in zip(*draws, strict=True)]
    estimates = [(a.mean(axis=0), a.std(axis=0) / np.sqrt(len(a))) for a in blocks]
    assert_expected(estimates, exact[: len(estimates)])


def test_chains_stay_in_the_distributions_of_their_temperatures(rng):
    """Hidden units after an update have the means that they had before it."""
    case, betas, n = CASES["Bernoulli"], np.linspace(1, 0, 4), 10_000
    chains = np.array([draw_hidden(case, beta, n, rng) for beta in betas])
    state = tempered_state(case, chains)
    phases = phases_of(np.zeros((1, 4)), np.empty((n, 4)))
    contrast(state, settings(algorithm="pt"), phases, 3)
    assert state.chains is not chains
    assert state.chains.shape == chains.shape
    for h, beta in zip(state.chains, betas, strict=True):
        oracle = case.at(beta)
        p = oracle.p_h @ oracle.h_states
        assert (np.abs(h.mean(axis=0) - p) < 4.5 * np.sqrt(p * (1 - p) / n)).all()


@pytest.mark.parametrize("n_gibbs_steps", [1, 2, 3])
def test_exchanges_take_turns_between_the_pairs_from_update_to_update(n_gibbs_steps, monkeypatch):
    """Else, with two steps, some pairs would have only the first of them."""
    parities = recorded_parities(monkeypatch)
    options = {"algorithm": "pt", "n_temperatures": 4, "n_gibbs_steps": n_gibbs_steps}
    BERNOULLI.machine(n_iter=1, **options).fit(bits()).partial_fit(bits())
    assert parities == [step % 2 for step in range(10 * n_gibbs_steps)]


@pytest.mark.parametrize("algorithm", ["cd", "pcd", "pt"])
@pytest.mark.parametrize("n_chains", [4, 7])
def test_sums_are_those_of_both_phases(arrays, oracle, rng, algorithm, n_chains):
    """Term by term: the rows of the model weigh n_pos / n_neg, so that both phases count alike."""
    state = binary_state(*arrays, n_chains)
    if algorithm == "pt":
        state.chains, state.base_rate_bias = np.zeros((3, n_chains, 3)), np.zeros(4)
    n_neg = None if algorithm == "cd" else n_chains
    rows = NumberRows(rng.random((4, 4)))
    phases = state.model.visible.phases(rows, np.array([2, 0, 3, 1]), n_neg)
    assert_allclose(phases.positive, rows.X[[2, 0, 3, 1]])
    estimate = contrast(state, settings(algorithm=algorithm), phases, 2)
    data, model = (oracle.data_statistics(v) for v in (phases.positive, phases.negative))
    assert estimate.n_rows == 4
    assert len(phases.negative) == (4 if algorithm == "cd" else n_chains)
    for block, d, m in zip(estimate.sums, data, model, strict=True):
        assert_allclose(block, 4 * d - 4 * m, rtol=1e-11, atol=1e-12)


def test_sums_and_counts_of_parts_of_a_batch_add_up(arrays, oracle, rng):
    """Two workers with equal shares of rows and of chains say what one machine says."""
    model = binary_state(*arrays).model
    v_pos, v_neg = rng.random((10, 4)), oracle.v_states[rng.integers(0, 16, 5)]
    parts = (slice(0, 10), slice(0, 5)), (slice(0, 4), slice(0, 2)), (slice(4, 10), slice(2, 5))
    sums = []
    for pos, neg in parts:
        phases = phases_of(v_pos[pos], v_neg[neg])
        sums.append(model.gradient_sums(phases, hidden_mean(model, phases.both)))
    for whole, first, second in zip(*sums, strict=True):
        assert_allclose(first + second, whole, rtol=1e-12, atol=1e-12)
