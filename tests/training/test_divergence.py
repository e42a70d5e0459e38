"""Divergence: what is measured, and where the lines are."""

import re

import numpy as np
import pytest
from scipy.special import expit, softmax

from skrbm._input.numbers import NumberRows
from skrbm._machine.bernoulli import BernoulliLayer
from skrbm._machine.gaussian import GaussianLayer
from skrbm._training.divergence import (
    DIVERGED,
    OVERGROWN,
    SUSPICIOUS,
    check_reconstructions,
    suspicion,
)
from skrbm._training.measures import measure

from ..helpers.calls import machine_of
from ..helpers.models import SOFTMAX
from ..helpers.training import state_at_rest

VARIANCE, RATIO = np.array([0.5, 2.0, 1.0, 4.0]), np.array([0.1, -0.5, 0.0, 0.7])


def binary(arrays):
    W, b, c = arrays
    return machine_of(BernoulliLayer(b.copy()), W.copy(), c.copy())


def real(arrays):
    W, b, c = arrays
    return machine_of(GaussianLayer(b.copy(), VARIANCE, RATIO), W.copy(), c.copy())


def measured(state, v):
    error = check_reconstructions(state, 0.1, measure(state, NumberRows(v)))
    return error, state.misfit, state.base_rate_misfit


def test_errors_of_binary_units(arrays, rng):
    W, b, c = arrays
    v = rng.integers(0, 2, (30, 4)).astype(float)
    reconstruction = expit(b + expit(c + v @ W) @ W.T)
    error = np.mean((v - reconstruction) ** 2)
    expected = error, error + 1e-3, np.mean((v - expit(b)) ** 2) + 1e-3
    np.testing.assert_allclose(measured(state_at_rest(binary(arrays), 3, 0), v), expected)


def test_errors_of_real_units_are_in_units_of_the_initial_noise(arrays, rng):
    W, b, c = arrays
    v, scale = rng.normal(0, 3, (30, 4)), np.sqrt(VARIANCE * np.exp(RATIO))
    squares = (v - b - scale * (expit(c + (v / scale) @ W) @ W.T)) ** 2
    expected = (
        np.mean(squares),
        1 + np.mean(squares / VARIANCE),
        1 + np.mean((v - b) ** 2 / VARIANCE),
    )
    state = state_at_rest(real(arrays), 3, 0)
    np.testing.assert_allclose(measured(state, v), expected)
    # Of hidden units that are on half the time, v_i has this variance beside its noise.
    h = rng.integers(0, 2, (100_000, 3))
    variance = np.mean((scale * (h @ W.T)).var(axis=0) / VARIANCE)
    assert state.model.visible.variance_of(W) == pytest.approx(variance, rel=0.03)


@pytest.mark.parametrize("conditional", [False, True])
def test_errors_of_categories_are_in_units_of_their_range(conditional):
    X = SOFTMAX.rows()
    rbm = SOFTMAX.machine(conditional=conditional).fit(X)
    rows, model = rbm._read(X)
    state = rbm._state(rows)
    error = check_reconstructions(state, 0.1, measure(state, rows))
    known = ~np.isnan(X)
    assert error == pytest.approx(np.mean((rbm.reconstruct(X) - X)[known] ** 2))
    assert state.misfit == pytest.approx(error / 5**2 + 1e-3)  # half stars, from 0 to 5
    stars = rbm.categories_[0]
    means = softmax(rbm._base_rate_bias.reshape(6, 11), axis=1) @ stars
    base = np.mean((means - X)[known] ** 2) / 5**2 + 1e-3
    assert state.base_rate_misfit == pytest.approx(base)
    assert model.visible.variance_of(model.weights) == 0


def test_rows_without_entries_have_no_error():
    rbm = SOFTMAX.machine().fit(SOFTMAX.rows())
    rows, _ = rbm._read(np.full((3, 6), np.nan))
    state = rbm._state(rows)
    assert check_reconstructions(state, 0.1, measure(state, rows)) == 0
    assert (state.misfit, state.base_rate_misfit) == (0, 0)


def test_the_base_rates_are_measured_once(arrays, rng):
    """The data of a fit are the same in every epoch."""
    state = state_at_rest(binary(arrays), 3, 0)
    v = rng.integers(0, 2, (30, 4)).astype(float)
    _, _, first = measured(state, v)
    assert measured(state, 1 - v)[2] == first


@pytest.mark.parametrize(
    ("misfit", "scale", "told"),
    [
        (0.99 * SUSPICIOUS, 0.99, None),
        (1.01 * SUSPICIOUS, 0.99, r"1\.52 times as far from X"),
        (0.99 * SUSPICIOUS, 1.01, r"the weights can make 10\.2 times the variance"),
    ],
)
def test_both_signs_have_a_line(arrays, misfit, scale, told):
    state = state_at_rest(real(arrays), 3, 0)
    assert suspicion(state) is None  # before the first epoch
    variance = state.model.visible.variance_of(state.model.weights)
    state.base_rate_misfit = 2.0
    state.misfit = 2 * misfit
    state.model.weights[...] *= scale * np.sqrt(2 * OVERGROWN / variance)
    if told is None:
        assert suspicion(state) is None
    else:
        assert re.search(told, suspicion(state))


@pytest.mark.parametrize("factor", [0.99, 1.01])
def test_far_reconstructions_are_an_error(arrays, factor):
    state = state_at_rest(real(arrays), 3, 0)
    v = np.zeros((5, 4))
    _, misfit, _ = measured(state, v)
    state.base_rate_misfit = misfit / DIVERGED / factor
    if factor < 1:
        measured(state, v)
    else:
        with pytest.raises(ValueError, match=r"diverged in epoch 0 .* 100 times as far from X"):
            measured(state, v)
