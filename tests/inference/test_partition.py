"""The partition function against enumeration: exact, and annealed in either direction."""

import threading

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from skrbm import BernoulliRBM, GaussianBernoulliRBM, SoftmaxRBM
from skrbm._inference import partition
from skrbm._inference.sampler import Sampler
from skrbm._inference.starts import Start
from skrbm._machine import crew, threads

from ..helpers.numbers import DTYPES
from ..helpers.partition_machines import (
    VARIANCE,
    bernoulli_machine,
    directions,
    machines,
    models,
    without_weights,
)
from ..oracles import partition as plain

EXACT = {"rtol": 1e-12, "atol": 1e-12}


# --- enumeration ------------------------------------------------------------------------------


def annealed(estimator, n_chains, n_betas, reverse):
    """An estimate by a float64 machine, in either direction."""
    arguments = estimator._machine(float), estimator._base_rate_bias, n_chains, n_betas
    random_state = np.random.RandomState(0)
    if reverse:
        return partition.reverse_ais(*arguments, random_state, Start())
    return partition.ais(*arguments, random_state, Start())


@machines
def test_exact_value(make):
    """Against a sum over the visible states, or their integral by quadrature."""
    machine = make()
    result = machine.estimator.log_partition("exact")
    assert_allclose(result.value, machine.log_z, **EXACT)
    assert result == machine.estimator.log_partition()  # "auto"
    assert result.method == "exact"
    assert (result.stderr, result.interval) == (0.0, (result.value, result.value))
    assert result.effective_sample_size == np.inf


@machines
def test_exact_value_of_float32_machines(make):
    single, double = make(np.float32).estimator, make().estimator
    assert single.components_.dtype == np.float32
    # Computed in float64, from arrays that have been rounded to float32.
    value = single.log_partition().value
    assert_allclose(value, double.log_partition().value, rtol=1e-6)


@pytest.mark.parametrize("shape", [(12, 9), (9, 12), (1, 12), (12, 1), (1, 1), (10, 10)])
@pytest.mark.parametrize("table", [1, 50, 2**18], ids=["no table", "small table", "one table"])
def test_either_layer_is_enumerated(shape, table, rng, monkeypatch):
    """Fewer visible or fewer hidden units, all states of the layer in the table or not."""
    monkeypatch.setattr(partition, "_TABLE", table)
    n_visible, n_hidden = shape
    W, b, c = rng.normal(size=shape), rng.normal(size=n_visible), rng.normal(size=n_hidden)
    estimator = without_weights(BernoulliRBM, *shape)
    estimator.components_, estimator.intercept_visible_ = W.T, b
    estimator.intercept_hidden_ = c
    value = estimator.log_partition("exact").value
    assert_allclose(value, plain.log_z_over_visible_states(W, b, c), **EXACT)


@machines
def test_exact_value_if_the_table_is_small(make, monkeypatch):
    machine = make()
    for table in (1, 10, 20):
        monkeypatch.setattr(partition, "_TABLE", table)
        assert_allclose(machine.estimator.log_partition("exact").value, machine.log_z, **EXACT)


@machines
def test_exact_value_has_the_same_bits_with_any_number_of_threads(make, monkeypatch):
    monkeypatch.setattr(partition, "_TABLE", 1)
    monkeypatch.setattr(threads, "WORTH_A_THREAD", 1)
    estimator, values = make().estimator, set()
    for n_threads in (1, 2, 3, 40):
        for module in (crew, threads):
            monkeypatch.setattr(module, "get_num_threads", lambda n=n_threads: n)
        values.add(estimator.log_partition("exact").value)
    assert len(values) == 1


@pytest.mark.parametrize("n_hidden", [1, 5])
def test_known_values_without_weights(n_hidden):
    """log Z = M log 2 + the log-normaliser of the visible units."""
    c = np.linspace(-1, 3, n_hidden)
    real = without_weights(GaussianBernoulliRBM, 2, n_hidden, noise_variance=VARIANCE)
    softmax = without_weights(SoftmaxRBM, 3, n_hidden)
    binary = without_weights(BernoulliRBM, 7, n_hidden)
    b = softmax.intercept_visible_.reshape(3, 2)
    for estimator, visible in [
        (binary, np.logaddexp(0, binary.intercept_visible_).sum()),
        (real, 0.5 * np.log(2 * np.pi * VARIANCE).sum()),
        (softmax, np.logaddexp(*b.T).sum()),
    ]:
        expected = n_hidden * np.log(2) + visible
        assert_allclose(estimator.log_partition("exact").value, expected, **EXACT)
        estimator.intercept_hidden_ = c
        expected = np.logaddexp(0, c).sum() + visible
        assert_allclose(estimator.log_partition("exact").value, expected, **EXACT)


def test_one_unit_of_each_layer():
    estimator = without_weights(BernoulliRBM, 1, 1)
    estimator.components_ = np.array([[2.0]])
    estimator.intercept_visible_, estimator.intercept_hidden_ = np.array([-0.5]), np.array([0.3])
    expected = np.log(1 + np.exp(-0.5) + np.exp(0.3) + np.exp(2 - 0.5 + 0.3))
    assert_allclose(estimator.log_partition().value, expected, **EXACT)


@pytest.mark.parametrize("scale", [300.0, -300.0])
def test_exact_value_of_large_weights(scale):
    """exp(log Z) is beyond the range: the states of most weight are all that counts."""
    estimator = without_weights(BernoulliRBM, 4, 5)
    estimator.components_ += scale
    estimator.intercept_visible_ *= 0
    # All units on; or all of the one layer off, and the other free.
    expected = 20 * scale if scale > 0 else np.log(2**4 + 2**5 - 1)
    assert_allclose(estimator.log_partition().value, expected, **EXACT)


def test_auto_enumerates_20_units():
    """Of binary layers the smaller one counts, of others only the hidden one."""
    ais = {"n_betas": 2, "n_chains": 2, "random_state": 0}
    for model, shape, method in [
        (GaussianBernoulliRBM, (1, 20), "exact"),
        (GaussianBernoulliRBM, (1, 21), "ais"),
        (SoftmaxRBM, (1, 21), "ais"),
        (BernoulliRBM, (2, 26), "exact"),
        (BernoulliRBM, (26, 2), "exact"),
        (BernoulliRBM, (21, 21), "ais"),
    ]:
        assert without_weights(model, *shape).log_partition(**ais).method == method


def test_auto_counts_the_other_layer_too():
    """States times features, or categories of all features: 2^30 at most."""
    for model, shape, quick in [
        (BernoulliRBM, (1024, 20), True),
        (BernoulliRBM, (1025, 20), False),
        (BernoulliRBM, (20, 1025), False),  # the visible units would be enumerated
        (BernoulliRBM, (2048, 19), True),
        (GaussianBernoulliRBM, (1025, 20), False),
        (SoftmaxRBM, (512, 20), True),  # two categories each
        (SoftmaxRBM, (513, 20), False),
    ]:
        estimator = without_weights(model, *shape)
        assert partition.is_quick(estimator._machine(float)) == quick
    ais = {"n_betas": 2, "n_chains": 2, "random_state": 0}
    assert estimator.log_partition(**ais).method == "ais"


def test_an_interrupt_stops_the_enumeration_in_all_threads(monkeypatch):
    monkeypatch.setattr(partition, "_TABLE", 1)
    monkeypatch.setattr(threads, "WORTH_A_THREAD", 1)
    monkeypatch.setattr(threads, "LONGEST_CALL", 1000)
    for module in (crew, threads):
        monkeypatch.setattr(module, "get_num_threads", lambda: 2)
    machine = without_weights(BernoulliRBM, 20, 14)._machine(float)
    begun = []

    def log_normaliser(self, x, shift=0.0):
        begun.append(shift)
        if threading.current_thread() is threading.main_thread():
            raise KeyboardInterrupt
        return np.zeros(len(x))

    monkeypatch.setattr(type(machine.visible), "log_normaliser", log_normaliser)
    with pytest.raises(KeyboardInterrupt):
        partition.exact(machine)
    assert len(begun) < 2**14


@pytest.mark.parametrize("model", [BernoulliRBM, GaussianBernoulliRBM, SoftmaxRBM])
def test_too_many_units_to_enumerate(model):
    estimator = without_weights(model, 27, 26)
    with pytest.raises(ValueError, match=r"2\*\*26 states of 26 units.*25 units.*method='ais'"):
        estimator.log_partition("exact")


# --- annealing: estimates and their intervals -------------------------------------------------


def estimates(machine, log_weights, reverse, monkeypatch):
    """One estimate from each row of a table of log-weights."""
    results = []
    # No chains: the table has all weights.
    monkeypatch.setattr(Sampler, "draw", lambda *_: (None, None))
    for row in log_weights:
        monkeypatch.setattr(partition, "log_importance", lambda *_, row=row: row)
        results.append(annealed(machine.estimator, len(row), 2, reverse))
    return results


@models
@directions
def test_intervals_cover_the_exact_value(make, reverse, monkeypatch):
    """At their rate, within 4 standard deviations, of 300 estimates by 50 chains each.

    The spread of log-weights is about 0.4. Means of weights so skewed cost up to 0.015 of
    the coverage at 50 chains (measured); half the standard error costs 0.3.
    """
    machine, n, n_chains = make(), 300, 50
    log_weights = machine.log_weights(n * n_chains, 25, reverse).reshape(n, n_chains)
    assert 0.15 < log_weights.std() < 0.6
    results = estimates(machine, log_weights, reverse, monkeypatch)
    low, high = np.array([result.interval for result in results]).T
    tolerance = 4 * np.sqrt(0.95 * 0.05 / n)
    assert abs(((low < machine.log_z) & (machine.log_z < high)).mean() - 0.95) < tolerance
    narrow = 0.25 * (high - low)
    covered = (low + narrow < machine.log_z) & (machine.log_z < high - narrow)
    assert covered.mean() < 0.95 - tolerance  # the test can fail


@models
@directions
def test_either_direction_bounds_the_exact_value(make, reverse, monkeypatch):
    """On average: from below or, in reverse, from above. Of few chains, to see the bias."""
    machine, n, n_chains = make(), 500, 2
    log_weights = machine.log_weights(n * n_chains, 3, reverse).reshape(n, n_chains)
    results = estimates(machine, log_weights, reverse, monkeypatch)
    gaps = np.array([result.value for result in results]) - machine.log_z
    error = gaps.std() / np.sqrt(n)
    assert gaps.mean() > 4 * error if reverse else gaps.mean() < -4 * error


@models
@pytest.mark.parametrize("dtype", DTYPES)
def test_ais_finds_the_exact_value(make, dtype):
    machine = make(dtype)
    results = [machine.estimator.log_partition("ais", n_betas=200, random_state=0)]
    results.append(machine.estimator.log_partition("ais", n_betas=1000, random_state=0))
    for result in results:
        assert abs(result.value - machine.log_z) < 4 * result.stderr < 0.1
    # With more temperatures, weights vary less.
    assert results[1].stderr < results[0].stderr
    assert results[1].effective_sample_size > results[0].effective_sample_size


@models
def test_reverse_ais_finds_the_exact_value(make):
    machine = make()
    options = {"n_betas": 200, "n_chains": 50, "random_state": 0}
    result = machine.estimator.log_partition("reverse_ais", **options)
    assert abs(result.value - machine.log_z) < 4 * result.stderr < 0.2


@machines
@directions
@pytest.mark.parametrize("n_chains", [2, 3, 10, 100])
def test_without_anything_learned_annealing_is_exact(make, reverse, n_chains, monkeypatch):
    """All weights are equal: no error, and every chain counts."""
    monkeypatch.setattr(partition, "N_GIBBS_STEPS", 5)  # the base rates are the model already
    estimator = make().estimator
    estimator.components_ *= 0
    estimator.intercept_visible_ = estimator._base_rate_bias.copy()
    estimator.intercept_hidden_ *= 0
    result = annealed(estimator, n_chains, 5, reverse)
    exact = estimator.log_partition("exact").value
    assert_allclose(result.value, exact, **EXACT)
    assert_allclose(result.effective_sample_size, n_chains, **EXACT)
    assert result.effective_sample_size <= n_chains
    # The square root of a difference of 1e-16.
    assert 0 <= result.stderr < 1e-7
    assert_allclose(result.interval, exact, atol=1e-6)


@directions
@pytest.mark.parametrize("n_chains", [2, 5, 50])
def test_intervals_are_those_of_students_t(reverse, n_chains, rng, monkeypatch):
    """Of few chains the variance is not known well: 12.7 standard errors of two."""
    (result,) = estimates(
        bernoulli_machine(), rng.normal(size=(1, n_chains)), reverse, monkeypatch
    )
    low, high = result.interval
    reach = stats.t.ppf(0.975, n_chains - 1) * result.stderr
    assert_allclose([result.value - low, high - result.value], reach, rtol=1e-9)


@pytest.mark.parametrize("log_weights", [[0, -1000], [5000, 0, 0], [-5000, -9000, -9000]])
def test_a_single_chain_that_counts(log_weights, monkeypatch):
    """Nothing overflows: the effective sample size is 1, and the standard error 1 nat."""
    machine, row = bernoulli_machine(), np.array(log_weights, float)
    (result,) = estimates(machine, [row], False, monkeypatch)
    assert_allclose([result.effective_sample_size, result.stderr], 1)
    log_mean = row.max() - np.log(len(row))
    log_base = partition._log_base_rates(machine.rbm, machine.tempered)
    assert_allclose(result.value, log_base + log_mean)
