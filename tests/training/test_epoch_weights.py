"""Weights of rows in mini-batches: exact in the positive phase, right in expectation elsewhere."""

import copy

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skrbm._input.numbers import NumberRows
from skrbm._training import epoch

from ..helpers.machines import some_cases
from ..helpers.models import models
from ..helpers.softmax_machines import draw_rows
from ..helpers.training import (
    assert_expected,
    binary_state,
    data_of,
    settings,
    softmax_state,
    tempered_state,
)

CASES = some_cases(scale=1)


@pytest.fixture
def estimates(monkeypatch):
    """The gradient that each update follows, from now on."""
    seen, contrast = [], epoch.contrast

    def record(*arguments):
        estimate = contrast(*arguments)
        seen.append([block / estimate.n_rows for block in estimate.sums])
        return estimate

    monkeypatch.setattr(epoch, "contrast", record)
    return seen


def one_update(state, options, rows, which):
    """An update of a copy of the state; the rate is 0."""
    state = state.copy()
    rates = {"learning_rate": 0.0, "momentum": 0.0, "weight_decay": 0.0, "l1_penalty": 0.0}
    epoch.update(state, options, rows, which, options.n_gibbs_steps, rates)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize("algorithm", ["pcd", "pt"])
def test_mini_batches_average_to_the_gradient_of_all_rows(case, algorithm, rng, estimates):
    """Batches that divide the data, from equal chains: no batch has weights of mean 1."""
    if hasattr(case, "machine"):
        rows = data_of(case.machine, draw_rows(case.machine.oracle, None, 12, rng))
    else:
        rows = NumberRows(rng.random((12, 4)))
    rows.weights = rng.uniform(0.1, 5, 12)
    options = settings(algorithm=algorithm, batch_size=3)
    shape = (3, len(case.c)) if algorithm == "pcd" else (4, 3, len(case.c))
    state = tempered_state(case, rng.integers(0, 2, shape).astype(float))
    order = rng.permutation(12)
    one_update(state, options, rows, order)
    whole, batches = estimates.pop(), []
    for first in range(0, 12, 3):
        one_update(state, options, rows, order[first : first + 3])
        batches.append(estimates.pop())
    for block, *parts in zip(whole, *batches, strict=True):
        assert_allclose(np.mean(parts, axis=0), block, rtol=1e-12, atol=1e-13)


def mean_over_orders(state, options, rows, estimates, n_repeats, rng, draw_chains=None):
    """Mean and standard error of the mean gradient of an epoch, over orders and random numbers."""
    means = []
    for repeat in range(n_repeats):
        order = rng.permutation(rows.n_rows)
        estimates.clear()
        for first in range(0, rows.n_rows, options.batch_size):
            state.n_updates = repeat * rows.n_rows + first
            if draw_chains is not None:
                state.chains = draw_chains()
            one_update(state, options, rows, order[first : first + options.batch_size])
        means.append([np.mean(blocks, axis=0) for blocks in zip(*estimates, strict=True)])
    blocks = map(np.array, zip(*means, strict=True))
    return [(a.mean(axis=0), a.std(axis=0) / np.sqrt(n_repeats)) for a in blocks]


@pytest.mark.parametrize("batch_size", [4, 16])
def test_cd_follows_the_weighted_expectation(arrays, oracle, rng, estimates, batch_size):
    """Statistics of the weighted data, less those of the same a Gibbs step on."""
    p = rng.uniform(0.05, 3, 16)
    rows = NumberRows(oracle.v_states)
    rows.weights = p.copy()
    p /= p.sum()
    data, model = oracle.statistics(p), oracle.statistics(p @ oracle.transition())
    expected = [d - m for d, m in zip(data, model, strict=True)]
    options = settings(algorithm="cd", batch_size=batch_size)
    state = binary_state(*arrays)
    assert_expected(mean_over_orders(state, options, rows, estimates, 1000, rng), expected)


@pytest.mark.parametrize("algorithm", ["cd", "pcd"])
@pytest.mark.parametrize("batch_size", [4, 16])
def test_the_maximum_of_the_weighted_likelihood_is_at_rest(
    arrays, oracle, rng, estimates, algorithm, batch_size
):
    """Where all states have their probabilities as weights; chains are drawn from the model."""
    rows = NumberRows(oracle.v_states)
    rows.weights = oracle.p_v * 7

    def chains():
        return oracle.h_states[rng.choice(8, 3, p=oracle.p_h)]

    options = settings(algorithm=algorithm, batch_size=batch_size)
    drawn = None if algorithm == "cd" else chains
    means = mean_over_orders(
        binary_state(*arrays), options, rows, estimates, 1000, rng, draw_chains=drawn
    )
    assert_expected(means, [np.zeros(block.shape) for block, _ in means])


def test_the_maximum_is_at_rest_for_categories_as_well(rng, estimates):
    case = CASES["softmax"]
    table, joint = case.at(1).table()
    rows = data_of(case.machine, table)
    rows.weights = joint.sum(axis=1)
    options = settings(algorithm="cd", batch_size=len(table) // 2)
    means = mean_over_orders(softmax_state(case.machine), options, rows, estimates, 500, rng)
    assert_expected(means, [np.zeros(block.shape) for block, _ in means])


@models
def test_partial_fit_follows_weights_in_expectation(model, rng):
    """CD of a chunk, over seeds: as that of rows that are there as often."""
    X, weights = model.rows()[:8], np.array([1, 3, 1, 1, 5, 1, 2, 1])
    parameters = {"algorithm": "cd", "batch_size": 100, "momentum": 0.0, "learning_rate": 0.1}
    start = model.machine(n_iter=1, **parameters).fit(model.rows())
    found = []
    for rows, sample_weight in ((X, weights), (np.repeat(X, weights, axis=0), None)):
        fits = []
        for seed in range(400):
            rbm = copy.copy(start)
            rbm._seed = np.uint64(seed)
            rbm.partial_fit(rows, sample_weight=sample_weight)
            fits.append(np.concatenate([np.ravel(getattr(rbm, name)) for name in model.arrays]))
        found.append((np.mean(fits, axis=0), np.var(fits, axis=0) / 400))
    (a, a_var), (b, b_var) = found
    assert (np.abs(a - b) < 4.5 * np.sqrt(a_var + b_var) + 1e-12).all()
    assert (np.abs(a - b) > 0).any()
