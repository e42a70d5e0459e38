"""Machines between base rates and model: densities, draws and exchanges of temperatures."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from skrbm._inference import partition
from skrbm._machine.tempered import TemperedRBM, ladder

from ..helpers.calls import key
from ..helpers.machines import BASE, LOG_DENSITY, WRONG_EXCHANGES, some_cases
from ..helpers.partition_machines import machines
from ..oracles import partition as plain
from ..oracles.tempering import acceptance, log_density

N_CHAINS = 20_000
SEED = np.uint64(1)


# --- machines between base rates and model ----------------------------------------------------


@machines
@pytest.mark.parametrize("beta", [0.0, 0.3, 1.0])
def test_log_density_is_that_of_the_interpolated_energy(make, beta):
    """Up to a constant, proportional to beta, which the estimate of log Z must put back."""
    machine = make()
    tempered, rows = machine.tempered, machine.rows(machine.states)
    off = machine.oracle.h_states[0]
    base_energies = [machine.base.energy(v, off) for v in machine.states]
    ours = tempered.log_density(tempered.hidden_input(rows), beta) - base_energies
    arrays = machine.oracle, machine.base
    log_p = [plain.tempered_log_density(*arrays, v, beta) for v in machine.states]
    left_out = machine.log_z_of(machine.base) - partition._log_base_rates(machine.rbm, tempered)
    assert_allclose(ours - log_p, np.full(len(log_p), beta * left_out), atol=1e-12)
    if machine.real_valued:
        assert abs(left_out) > 1


@machines
def test_float32_machines_in_between_are_close_to_float64(make):
    single, double = make(np.float32), make()
    values = []
    for machine in (single, double):
        x = machine.tempered.hidden_input(machine.rows(machine.states))
        values.append(machine.tempered.log_density(x, x.dtype.type(0.3)))
        values[-1] -= partition._log_base_rates(machine.rbm, machine.tempered)
        assert x.dtype == machine.rbm.weights.dtype
    assert_allclose(*values, rtol=1e-5, atol=1e-5)


def assert_counts(counts, p):
    """A chi-square test at one in ten thousand."""
    assert p.min() * counts.sum() > 5
    assert stats.chisquare(counts, p * counts.sum()).pvalue > 1e-4


BETAS = (0.3, 1.0)


@machines
@pytest.mark.parametrize("temperatures", ["one", "one per row"])
def test_hidden_units_are_drawn_as_at_their_temperature(make, temperatures):
    machine = make()
    v = machine.states[3]
    x = np.repeat(machine.tempered.hidden_input(machine.rows([v])), N_CHAINS, axis=0)
    if temperatures == "one":
        h = np.vstack([machine.tempered.sample_hidden(x, beta, key(SEED)) for beta in BETAS])
    else:
        beta = np.repeat(BETAS, N_CHAINS)[:, np.newaxis]
        h = machine.tempered.sample_hidden(np.vstack([x, x]), beta, key(SEED))
    assert_array_equal(h[:, -1], 1)
    numbers = (h[:, :-1] @ [4, 2, 1]).astype(int).reshape(2, -1)
    for beta, drawn in zip(BETAS, numbers, strict=True):
        p = plain.tempered_hidden(machine.oracle, machine.base, v, beta)
        assert_counts(np.bincount(drawn, minlength=8), p)


@machines
def test_visible_units_are_drawn_as_at_their_temperature(make):
    machine, state = make(), 5
    h = np.tile(np.append(machine.oracle.h_states[state], 1), (2 * N_CHAINS, 1))
    beta = np.repeat(BETAS, N_CHAINS)[:, np.newaxis]
    tempered = machine.tempered
    drawn = tempered.visible.sample(tempered.visible_input(h, beta), key(SEED, purpose=1))
    drawn = tempered.visible.values(drawn)
    for beta, values in zip(BETAS, np.split(drawn, 2), strict=True):
        if machine.real_valued:
            oracle, base = machine.oracle, machine.base
            mean = (1 - beta) * base.b + beta * oracle.visible_mean(oracle.h_states[state])
            for i, column in enumerate(values.T):
                assert stats.kstest(column, stats.norm(mean[i], oracle.s[i]).cdf).pvalue > 1e-4
        else:
            p = plain.tempered_visible(machine.oracle, machine.base, machine.states, state, beta)
            all_values = tempered.visible.values(machine.rows(machine.states))
            same = (values[:, np.newaxis] == all_values).all(axis=2)
            assert_counts(same.sum(axis=0), p)


CASES = some_cases(scale=2.5)


cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


# --- an exchange by itself --------------------------------------------------------------------


def exchanged(case, rows, betas, parity, n_chains, dtype=float):
    """Where the rows of temperatures, the same in all chains, are after an exchange: (T, n)."""
    tempered = TemperedRBM(case.model(dtype), case.base.astype(dtype))
    x = tempered.hidden_input(case.form([row for row in rows for _ in range(n_chains)]))
    assert x.dtype == dtype
    after = tempered.swapped(x, betas.astype(dtype), parity, key())
    own = x[::n_chains]
    came_from = np.abs(after[:, np.newaxis] - own).sum(axis=2).argmin(axis=1)
    assert_array_equal(after, own[came_from])
    return came_from.reshape(len(betas), n_chains)


def assert_accepted(case, n_temperatures, parity, rng):
    """Every second pair with its probability, independently; all others stay."""
    n, betas, swaps = 2000, ladder(n_temperatures), []
    base, model = case.at(0), case.at(1)
    # Equal rows could change places unseen.
    rows = list(dict.fromkeys(map(tuple, case.draw(0.3, 500, rng))))[:n_temperatures]
    assert len(rows) == n_temperatures
    came_from = exchanged(case, rows, betas, parity, n)
    first = range(parity % 2, n_temperatures - 1, 2)
    for t in set(range(n_temperatures)) - {t + side for t in first for side in (0, 1)}:
        assert (came_from[t] == t).all()
    for t in first:
        swapped = came_from[t] == t + 1
        assert_array_equal(came_from[t], np.where(swapped, t + 1, t))
        assert_array_equal(came_from[t + 1], np.where(swapped, t, t + 1))
        p = acceptance(
            lambda beta, v: log_density(beta, base, model, v), *betas[t : t + 2], *rows[t : t + 2]
        )
        swaps.append((swapped, p))
    swaps += [(one & other, p * q) for (one, p), (other, q) in itertools.pairwise(swaps)]
    for swapped, p in swaps:
        assert abs(swapped.mean() - p) < 4.5 * np.sqrt(p * (1 - p) / n) + 1e-12


@cases
@pytest.mark.parametrize(("n_temperatures", "parity"), [(2, 0), (2, 1), (3, 1), (5, 0), (5, 3)])
def test_exchanges_are_accepted_with_their_probability(case, n_temperatures, parity, rng):
    assert_accepted(case, n_temperatures, parity, rng)


WRONG_DENSITY = {
    name: wrong for name, (method, wrong) in WRONG_EXCHANGES.items() if "density" in method
}
WRONG_DENSITY["biases"] = lambda self, x, beta: LOG_DENSITY(self, x, beta) - 2 * (beta * x)[:, -1]


@cases
@pytest.mark.parametrize("wrong", WRONG_DENSITY.values(), ids=WRONG_DENSITY)
def test_a_wrong_acceptance_is_found_out(case, wrong, monkeypatch, rng):
    monkeypatch.setattr(TemperedRBM, "log_density", wrong)
    with pytest.raises(AssertionError):
        assert_accepted(case, 8, 0, rng)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n_temperatures", "n_chains"), [(2, 1), (3, 7), (6, 50)])
def test_rows_stay_in_their_chain(n_temperatures, n_chains, dtype, rng):
    """Every row, tagged by numbers of its own, is in its chain once, one place off at most."""
    tempered = TemperedRBM(CASES["Bernoulli"].model(dtype), BASE)
    x = rng.normal(size=(n_temperatures * n_chains, 4)).astype(dtype)
    before = x.copy()
    betas, moved = ladder(n_temperatures).astype(dtype), 0
    for parity in range(4):
        after = tempered.swapped(x, betas, parity, key(purpose=parity))
        assert_array_equal(x, before)
        assert after.dtype == dtype
        place = np.array([np.flatnonzero((x == row).all(axis=1)).item() for row in after])
        assert_array_equal(np.sort(place), np.arange(len(x)))
        temperature, chain = np.divmod(place, n_chains)
        assert_array_equal(chain, np.arange(len(x)) % n_chains)
        assert np.abs(temperature - np.arange(len(x)) // n_chains).max() <= 1
        moved += (place != np.arange(len(x))).sum()
    assert moved > 0


@cases
def test_the_oracles_are_those_of_the_interpolated_energies(case, rng):
    base, model = case.at(0), case.at(1)
    for beta in (0, 0.3, 1):
        rows = case.draw(0.5, 5, rng)
        direct = np.array([log_density(beta, base, model, v) for v in rows])
        free_energies = np.array([case.at(beta).free_energy(v) for v in rows])
        assert np.ptp(direct + free_energies) < 1e-12
