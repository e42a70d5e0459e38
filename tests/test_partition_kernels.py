"""What log Z is made of: kernels that sum units out, machines between base rates and model."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from skrbm._inference import partition
from skrbm._kernels.sums import logsumexp_sums, softplus_sums
from skrbm._machine.tempered import TemperedRBM

from . import reference_partition as plain
from .partition_machines import (
    MACHINES,
    directions,
    gaussian_machine,
    learned_machine,
    machines,
)
from .test_kernels import DTYPES, SEED

dtypes = pytest.mark.parametrize("dtype", DTYPES)
N_CHAINS = 20_000

# --- kernels ----------------------------------------------------------------------------------


@dtypes
@pytest.mark.parametrize("n_units", [0, 1, 5, 511, 512, 513, 1500])
def test_softplus_sums_equal_their_twin(dtype, n_units, rng):
    """Columns beyond those of the bias are not read."""
    x = rng.normal(0, 5, (4, n_units + 2)).astype(dtype)
    bias, out = rng.normal(size=n_units).astype(dtype), np.full(4, np.nan)
    softplus_sums(x, bias, out)
    t = x[:, :n_units].astype(float) + bias
    # In float64 whatever the dtype of x; a factor 1 + e of the product is rounded to 1e-16.
    expected = [plain.softplus_sum(row) for row in t]
    assert_allclose(out, expected, rtol=1e-14, atol=1e-16 * n_units)


@dtypes
@pytest.mark.parametrize("sizes", [(), (1,), (3,), (2, 4, 1, 3), (10,) * 400, (1500, 2)])
def test_logsumexp_sums_equal_their_twin(dtype, sizes, rng):
    """400 features of 10 categories: the product of their sums is beyond the range."""
    offsets = np.cumsum([0, *sizes])
    x = rng.normal(0, 5, (4, offsets[-1])).astype(dtype)
    x[0] = 0
    bias, out = rng.normal(size=offsets[-1]).astype(dtype), np.full(4, np.nan)
    logsumexp_sums(x, bias, offsets, out)
    expected = [plain.logsumexp_sum(row, offsets) for row in x.astype(float) + bias]
    # Of either sign: terms of size 10 may cancel.
    assert_allclose(out, expected, rtol=1e-14, atol=1e-14 * 10 * max(1, len(sizes)))


EXTREME = [0, 30, -30, 750, -750, 1e30, -1e30, np.inf, -np.inf]


@dtypes
def test_softplus_sums_of_huge_and_infinite_inputs(dtype):
    x, out = np.array(EXTREME, dtype)[:, np.newaxis], np.empty(len(EXTREME))
    softplus_sums(x, np.zeros(1, dtype), out)
    assert_allclose(out, [plain.softplus_sum([float(t)]) for (t,) in x], rtol=1e-15, atol=1e-16)
    both = np.array([[np.inf, 1], [-np.inf, 1]], dtype)
    softplus_sums(both, np.zeros(2, dtype), out[:2])
    assert_allclose(out[:2], [np.inf, np.logaddexp(0, 1)])
    softplus_sums(both[:, ::-1].copy(), np.array([0, np.inf], dtype), out[:1])
    assert out[0] == np.inf


@dtypes
def test_logsumexp_sums_of_huge_and_infinite_inputs(dtype):
    """Every pair of extremes, in a feature of 2 beside one of 1 category."""
    x = np.array([(s, t, 0.5) for s in EXTREME for t in EXTREME], dtype)
    out = np.empty(len(x))
    logsumexp_sums(x, np.zeros(3, dtype), np.array([0, 2, 3]), out)
    expected = [plain.logsumexp_sum(row, [0, 2, 3]) for row in x.astype(float)]
    assert_allclose(out, expected, rtol=1e-14, atol=1e-14)


@dtypes
def test_nothing_is_hidden_that_is_not_a_number(dtype):
    x, out = np.array([[np.nan, 1], [1, np.nan], [1, 2]], dtype), np.empty(3)
    softplus_sums(x, np.zeros(2, dtype), out)
    assert_array_equal(np.isnan(out), [True, True, False])
    logsumexp_sums(x, np.zeros(2, dtype), np.array([0, 2]), out)
    assert_array_equal(np.isnan(out), [True, True, False])


# --- log-normalisers --------------------------------------------------------------------------


@machines
def test_log_normaliser_sums_the_visible_units_out(make, rng):
    """Against Z of a machine with one hidden unit, less the half of Z where it is off."""
    machine = make()
    b = machine.oracle.b
    input, shift = rng.normal(size=(3, len(b))), rng.normal(size=len(b))
    values = machine.rbm.visible.log_normaliser(input, shift)
    for t, value in zip(input + shift, values, strict=True):
        one_unit = type(machine.oracle)(t[:, np.newaxis], b, np.zeros(1), *machine.others)
        no_weights = plain.base_of(one_unit, b, *machine.others)
        whole, off = machine.log_z_of(one_unit), machine.log_z_of(no_weights) - np.log(2)
        assert_allclose(np.logaddexp(value, off), whole, rtol=1e-12)


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
    left_out = machine.log_z_of(machine.base) - partition._log_base(machine.rbm, tempered)
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
        values[-1] -= partition._log_base(machine.rbm, machine.tempered)
        assert x.dtype == machine.rbm.weights.dtype
    assert_allclose(*values, rtol=1e-5, atol=1e-5)


def assert_frequencies(counts, p):
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
        h = np.vstack([machine.tempered.draw_hidden(x, beta, (SEED, 0, 0)) for beta in BETAS])
    else:
        beta = np.repeat(BETAS, N_CHAINS)[:, np.newaxis]
        h = machine.tempered.draw_hidden(np.vstack([x, x]), beta, (SEED, 0, 0))
    assert_array_equal(h[:, -1], 1)
    numbers = (h[:, :-1] @ [4, 2, 1]).astype(int).reshape(2, -1)
    for beta, drawn in zip(BETAS, numbers, strict=True):
        p = plain.tempered_hidden(machine.oracle, machine.base, v, beta)
        assert_frequencies(np.bincount(drawn, minlength=8), p)


@machines
def test_visible_units_are_drawn_as_at_their_temperature(make):
    machine, state = make(), 5
    h = np.tile(np.append(machine.oracle.h_states[state], 1), (2 * N_CHAINS, 1))
    beta = np.repeat(BETAS, N_CHAINS)[:, np.newaxis]
    tempered = machine.tempered
    drawn = tempered.visible.cells(tempered.sample_visible(h, beta, (SEED, 0, 1)))
    for beta, cells in zip(BETAS, np.split(drawn, 2), strict=True):
        if machine.real_valued:
            oracle, base = machine.oracle, machine.base
            mean = (1 - beta) * base.b + beta * oracle.visible_mean(oracle.h_states[state])
            for i, column in enumerate(cells.T):
                assert stats.kstest(column, stats.norm(mean[i], oracle.s[i]).cdf).pvalue > 1e-4
        else:
            p = plain.tempered_visible(machine.oracle, machine.base, machine.states, state, beta)
            all_cells = tempered.visible.cells(machine.rows(machine.states))
            same = (cells[:, np.newaxis] == all_cells).all(axis=2)
            assert_frequencies(same.sum(axis=0), p)


# --- weights of annealing -----------------------------------------------------------------------


def deviation(machine, log_weights, reverse):
    """Of the mean weight from Z over that of the base rates, or its inverse; and its error."""
    log_ratio = machine.log_z - partition._log_base(machine.rbm, machine.tempered)
    weights = np.exp(log_weights + log_ratio if reverse else log_weights - log_ratio)
    return abs(weights.mean() - 1), weights.std() / np.sqrt(len(weights))


@machines
@directions
@pytest.mark.parametrize("n_betas", [3, 6])
def test_weights_are_unbiased(make, reverse, n_betas):
    machine = make()
    log_weights = machine.log_weights(N_CHAINS, n_betas, reverse)
    off, error = deviation(machine, log_weights, reverse)
    assert off < 4 * error < 0.2


NAMES = ["components_", "intercept_visible_", "intercept_hidden_"]
PARAMETERS = [(make, name) for make in MACHINES.values() for name in NAMES]
PARAMETERS += [(make, "noise_variance_") for make in (gaussian_machine, learned_machine)]


@directions
@pytest.mark.parametrize(("make", "name"), PARAMETERS)
def test_weights_of_another_machine_are_found_out(make, reverse, name):
    """A single bias, the weights of a single unit or, by half, a noise variance are less."""
    machine = make()
    if name == "noise_variance_":
        machine.estimator.noise_variance_[0] *= 0.5
    else:
        getattr(machine.estimator, name)[0] -= 1
    log_weights = machine.log_weights(N_CHAINS, 6, reverse)
    off, error = deviation(machine, log_weights, reverse)
    assert off > 6 * error


@directions
@pytest.mark.parametrize("name", ["log_density", "draw_hidden", "sample_visible"])
def test_weights_by_a_wrong_temperature_are_found_out(reverse, name, monkeypatch):
    """1 - beta in the place of beta, in one of the steps."""
    machine, method = gaussian_machine(), getattr(TemperedRBM, name)

    def wrong(self, units, beta, *draw, **out):
        return method(self, units, 1 - beta, *draw, **out)

    monkeypatch.setattr(TemperedRBM, name, wrong)
    log_weights = machine.log_weights(N_CHAINS, 6, reverse)
    off, error = deviation(machine, log_weights, reverse)
    assert off > 6 * error


@directions
def test_weights_that_are_wrong_are_found_out(reverse):
    machine = gaussian_machine()
    log_weights = machine.log_weights(N_CHAINS, 6, reverse)
    for wrong in (-log_weights, log_weights + 0.1, 1.1 * log_weights):
        off, error = deviation(machine, wrong, reverse)
        assert off > 6 * error


def test_chains_start_at_base_rates_of_the_noise_that_was_learned():
    """Between two temperatures, every weight is that of a row of the base rates."""
    machine = learned_machine()
    machine.oracle.W *= 0.3
    machine.estimator.components_ *= 0.3
    off, error = deviation(machine, machine.log_weights(N_CHAINS, 2), reverse=False)
    assert off < 4 * error < 0.2
