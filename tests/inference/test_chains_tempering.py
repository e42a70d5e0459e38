"""Tempered chains: what starts in the product of all temperatures stays there."""

import numpy as np
import pytest

from skrbm._inference import chains
from skrbm._machine.tempered import TemperedRBM

from ..helpers.calls import recorded_parities
from ..helpers.frequencies import assert_frequencies
from ..helpers.machines import WRONG_EXCHANGES, Categorical, some_cases

SEED = np.uint64(1)


BETAS = np.array([1, 2 / 3, 1 / 3, 0])


N_CHAINS = 10_000


CASES = some_cases(scale=2.5)


cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


# --- what starts in the product of all p_beta stays there -------------------------------------


def tempered_rows(case, rng, n_steps, betas=BETAS, n=N_CHAINS):
    """Rows of all temperatures after so many steps from an exact start, by temperature."""
    parts = [case.draw(beta, n, rng) for beta in betas]
    v = case.form([row for part in parts for row in part])
    tempered = TemperedRBM(case.model(), case.base)
    steps = list(chains.tempering(tempered, v, betas, n_steps, SEED))
    assert [h.shape for _, h in steps] == [(n, len(case.c))] * n_steps
    rows = case.unform(v)
    return [rows[k * n : (k + 1) * n] for k in range(len(betas))]


def assert_stationary(case, rows, betas=BETAS):
    for part, beta in zip(rows, betas, strict=True):
        case.assert_drawn(part, beta)


@cases
@pytest.mark.parametrize(("n_steps", "betas"), [(4, BETAS), (3, BETAS[[0, 1, 3]])])
def test_tempering_is_stationary_at_all_temperatures(case, n_steps, betas, rng):
    assert_stationary(case, tempered_rows(case, rng, n_steps, betas), betas)


@pytest.mark.parametrize("n_steps", [1, 4])
def test_temperatures_stay_independent(n_steps, rng):
    """Pairs of rows of neighbouring temperatures have the product of their probabilities."""
    case = CASES["Bernoulli"]
    parts = [[tuple(v) for v in part] for part in tempered_rows(case, rng, n_steps)]
    oracles = [case.at(beta) for beta in BETAS]
    states = list(map(tuple, oracles[0].v_states))
    for k in range(3):
        pairs = list(zip(parts[k], parts[k + 1], strict=True))
        table = [(v, u) for v in states for u in states]
        assert_frequencies(pairs, table, np.outer(oracles[k].p_v, oracles[k + 1].p_v).ravel())


@pytest.mark.parametrize("name", ["Bernoulli", "Gaussian", "softmax, conditional"])
@pytest.mark.parametrize(("method", "wrong"), WRONG_EXCHANGES.values(), ids=WRONG_EXCHANGES)
def test_a_wrong_exchange_is_found_out(name, method, wrong, monkeypatch, rng):
    monkeypatch.setattr(TemperedRBM, method, wrong)
    with pytest.raises(AssertionError):
        assert_stationary(CASES[name], tempered_rows(CASES[name], rng, 3))


def test_steps_take_turns_between_the_pairs(monkeypatch):
    parities = recorded_parities(monkeypatch)
    options = {"method": "tempering", "n_temperatures": 3}
    CASES["Bernoulli"].estimator().sample(3, n_gibbs_steps=5, **options)
    assert parities == [0, 1, 0, 1, 0]


# --- sample -----------------------------------------------------------------------------------


@cases
@pytest.mark.parametrize("started", [False, True])
def test_sample_reaches_the_model_distribution(case, started, rng):
    """From base rates, or from a row far from typical: without gaps it is a start."""
    init = None
    if started:
        X = case.draw(1, 200, rng)
        X = case.machine.dense(X) if isinstance(case, Categorical) else X
        init = X[[np.argmax(case.estimator().free_energy(X))]]
    v = case.estimator().sample(
        3000, n_gibbs_steps=50, init=init, method="tempering", n_temperatures=3, random_state=3
    )
    case.assert_drawn(case.unform(v))
