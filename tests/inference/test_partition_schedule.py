"""Where annealing spends its steps: half of them evenly, half where log-weights come to differ."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skrbm import BernoulliRBM
from skrbm._inference import partition
from skrbm._inference.starts import base_rate_rows

from ..helpers.partition_machines import (
    SEED,
    bernoulli_machine,
    directions,
    models,
    softmax_machine,
    without_weights,
)


def chosen(machine, n_chains, n_betas, seed=0):
    bias = machine.estimator._base_rate_bias
    random_state = np.random.RandomState(seed)
    return partition.schedule(machine.rbm, bias, n_chains, n_betas, random_state)


# --- against plain loops ----------------------------------------------------------------------


def plain(table, n_betas, n_parts=20):
    """The temperatures of a table of increments (n_steps, n_chains), one number at a time."""
    n_steps, n_chains = table.shape
    totals = [sum(table[k, r] for k in range(n_steps)) for r in range(n_chains)]
    mean = sum(totals) / n_chains
    gained = [0.0] * n_parts
    for k in range(n_steps):
        own = sum(table[k]) / n_chains
        part = int(k / n_steps * n_parts)
        gained[part] += sum((table[k, r] - own) * (totals[r] - mean) for r in range(n_chains))
    gained = [max(g, 0) for g in gained]
    density = [0.5 + 0.5 * g / (sum(gained) / n_parts) for g in gained]
    betas, beta, part = [], 0.0, 0
    for k in range(n_betas):  # walk until so much of the density lies behind
        goal = k / (n_betas - 1)
        while part < n_parts and sum(density[: part + 1]) / n_parts < goal - 1e-12:
            part += 1
        behind = sum(density[:part]) / n_parts
        part_now = min(part, n_parts - 1)
        beta = part_now / n_parts + (goal - behind) / density[part_now]
        betas.append(beta)
    return betas


@pytest.mark.parametrize("correlated", [False, True])
def test_temperatures_are_those_of_plain_loops(correlated, rng, monkeypatch):
    """Of increments that are made up."""
    machine, n_betas, n_chains = bernoulli_machine(), 2005, 15
    table = rng.normal(size=(199, n_chains)) * np.linspace(0, 1, 199)[:, np.newaxis] ** 3
    if correlated:
        table += 0.3 * rng.normal(size=n_chains)
        table[60:90] -= 0.2 * table.sum(axis=0)  # which take variance away
    monkeypatch.setattr(partition, "increments", lambda *_: iter(table))
    betas = chosen(machine, n_chains, n_betas)
    assert_allclose(betas, plain(table, n_betas), atol=1e-9)


def test_more_steps_are_where_log_weights_come_to_differ(rng, monkeypatch):
    """All variance is gained in the fourth of twenty parts: that part has half of the steps."""
    table = np.zeros((199, 50))
    table[30:39] = rng.normal(size=(9, 50))
    monkeypatch.setattr(partition, "increments", lambda *_: iter(table))
    counts, _ = np.histogram(chosen(bernoulli_machine(), 50, 2000), np.linspace(0, 1, 21))
    assert_allclose(counts[3] / 2000, 0.5 + 0.5 / 20, atol=0.002)
    assert_allclose(np.delete(counts, 3) / 2000, 0.5 / 20, atol=0.002)


def test_temperatures_end_at_1_exactly(monkeypatch):
    """Whatever the rounding of the sums that place the temperatures."""
    monkeypatch.setattr(partition, "_LEAST_PILOT", 2)
    machine, rng = bernoulli_machine(), np.random.default_rng(0)
    for _ in range(1000):
        table = rng.normal(size=(20, 5))
        monkeypatch.setattr(partition, "increments", lambda *_, table=table: iter(table))
        betas = chosen(machine, 5, 210)
        assert (betas[0], betas[-1]) == (0, 1)
        assert (np.diff(betas) > 0).all()


# --- machines ---------------------------------------------------------------------------------


@models
def test_all_parts_of_the_path_have_half_of_what_even_steps_would_be(make):
    betas = chosen(make(), 20, 2500)
    assert (len(betas), betas[0], betas[-1]) == (2500, 0, 1)
    assert (np.diff(betas) > 0).all()
    assert np.diff(betas).max() <= 2 / 2499 * (1 + 1e-9)
    assert np.ptp(np.diff(betas)) > 0.1 / 2499


def test_few_temperatures_are_equidistant(monkeypatch):
    monkeypatch.setattr(partition, "increments", None)  # nothing runs before
    machine = bernoulli_machine()
    assert_array_equal(chosen(machine, 20, 1999), np.linspace(0, 1, 1999))


def test_so_are_those_of_a_machine_that_is_its_base_rates():
    estimator = without_weights(BernoulliRBM, 5, 2)
    arguments = estimator._machine(float), estimator._base_rate_bias, 10, 2000
    betas = partition.schedule(*arguments, np.random.RandomState(0))
    assert_array_equal(betas, np.linspace(0, 1, 2000))


def spread(estimator, betas, reverse, n=300):
    """Variance of the log-weights of a machine without weights, from exact draws."""
    bias = estimator.intercept_visible_ if reverse else estimator._base_rate_bias
    model = estimator._machine(float)
    v = base_rate_rows(model.visible, bias, n, SEED)
    tempered = partition.TemperedRBM(model, estimator._base_rate_bias)
    betas = betas[::-1] if reverse else betas
    return partition.log_importance(tempered, v, betas, SEED).var()


@directions
def test_log_weights_vary_less(reverse, monkeypatch):
    """Of many units that turn rare: their log-weights differ near the base rates alone."""
    monkeypatch.setattr(partition, "_LEAST_PILOT", 20)
    estimator = without_weights(BernoulliRBM, 300, 2)
    estimator.intercept_visible_ = estimator._base_rate_bias - 10
    arguments = estimator._machine(float), estimator._base_rate_bias, 100, 200
    betas = partition.schedule(*arguments, np.random.RandomState(0))
    even = spread(estimator, np.linspace(0, 1, 200), reverse)
    assert spread(estimator, betas, reverse) < 0.75 * even


@models
@directions
def test_weights_stay_unbiased(make, reverse, monkeypatch):
    """As for any temperatures that were fixed before: the mean weight is a ratio of Z."""
    monkeypatch.setattr(partition, "_LEAST_PILOT", 2)
    monkeypatch.setattr(partition, "N_GIBBS_STEPS", 30)  # enough for so few units
    machine, n_chains = make(), 5000
    betas = chosen(machine, n_chains, 30)
    assert np.ptp(np.diff(betas)) > 0.1 / 29
    method = "reverse_ais" if reverse else "ais"
    result = machine.estimator.log_partition(method, n_chains=n_chains, n_betas=30, random_state=0)
    assert abs(result.value - machine.log_z) < 4 * result.stderr < 0.1


@directions
def test_chains_that_choose_are_others_than_those_that_count(reverse, monkeypatch):
    """In their rows and in their random numbers; and the count of steps is kept."""
    runs, increments = [], partition.increments

    def record(tempered, v, betas, seed, purposes=partition.FORWARD):
        runs.append((v.copy(), betas, (int(seed), purposes)))
        return increments(tempered, v, betas, seed, purposes)

    monkeypatch.setattr(partition, "increments", record)
    monkeypatch.setattr(partition, "N_GIBBS_STEPS", 2)
    machine = bernoulli_machine()
    method = "reverse_ais" if reverse else "ais"
    options = {"n_chains": 40, "n_betas": 2000, "random_state": 0}
    first = machine.estimator.log_partition(method, **options)
    assert first == machine.estimator.log_partition(method, **options)
    pilot, run = runs[:2]
    assert (len(pilot[1]), len(run[1])) == (200, 2000)
    assert_array_equal(pilot[1], np.linspace(0, 1, 200))
    assert (run[1][0], run[1][-1]) == ((1, 0) if reverse else (0, 1))
    assert (pilot[0] != run[0]).any()
    assert len({pilot[2], run[2]}) == 2
    assert pilot[2][0] != run[2][0]


@pytest.mark.parametrize("make", [bernoulli_machine, softmax_machine])
def test_log_weights_are_the_sums_of_increments(make):
    machine = make()
    v = machine.rows(machine.exact_draws(np.random.default_rng(0), 30))
    betas = np.array([0, 0.1, 0.5, 0.6, 1])
    arguments = machine.tempered, v, betas, SEED
    steps = [
        step.copy() for step in partition.increments(machine.tempered, v.copy(), *arguments[2:])
    ]
    assert len(steps) == 4
    assert_allclose(partition.log_importance(*arguments), np.sum(steps, axis=0), rtol=1e-12)
