"""Optimisers: steps against plain formulas, and what is remembered of them."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skrbm._training.optimizers import Momentum

from ..helpers.numbers import dtypes

RATES = {"learning_rate": 0.3, "momentum": 0.9, "weight_decay": 0.05, "l1_penalty": 0.02}


@pytest.fixture(name="parameters")
def weights_and_biases(rng):
    return rng.normal(size=(4, 3)), rng.normal(size=3), rng.normal(size=4)


@dtypes
def test_steps_follow_the_formula(parameters, dtype, rng):
    """Three steps: velocity = momentum velocity + rate (sums / n - penalties of weights)."""
    parameters = [a.astype(dtype) for a in parameters]
    plain = [a.astype(float) for a in parameters]
    velocity = [np.zeros(a.shape) for a in parameters]
    optimizer = Momentum()
    optimizer.remember(parameters)
    for n_rows in (5, 1, 12):
        sums = [rng.normal(size=a.shape).astype(dtype) for a in parameters]
        optimizer.update(parameters, [s.copy() for s in sums], n_rows, **RATES)
        for k, s in enumerate(sums):
            penalty = 0.05 * plain[k] + 0.02 * np.sign(plain[k]) if plain[k].ndim == 2 else 0
            velocity[k] = 0.9 * velocity[k] + 0.3 * (s / n_rows - penalty)
            plain[k] = plain[k] + velocity[k]
    tolerance = 50 * np.finfo(dtype).eps
    for k, parameter in enumerate(parameters):
        assert parameter.dtype == optimizer.velocity[k].dtype == dtype
        assert_allclose(parameter, plain[k], rtol=0, atol=10 * tolerance)
        assert_allclose(optimizer.velocity[k], velocity[k], rtol=0, atol=10 * tolerance)


def test_without_momentum_nothing_is_remembered(parameters, rng):
    sums = [rng.normal(size=a.shape) for a in parameters]
    expected = [
        a + 0.3 * (s / 4 - (0.05 * a + 0.02 * np.sign(a)) * (a.ndim == 2))
        for a, s in zip(parameters, sums, strict=True)
    ]
    optimizer = Momentum()
    optimizer.update(parameters, sums, 4, **RATES)
    assert optimizer.velocity == ()
    for actual, desired in zip(parameters, expected, strict=True):
        assert_allclose(actual, desired, rtol=1e-14)


def test_a_velocity_that_is_there_stays(parameters):
    velocity = tuple(np.ones_like(a) for a in parameters)
    optimizer = Momentum(velocity)
    optimizer.remember(parameters)
    assert optimizer.velocity is velocity
    optimizer.update(
        parameters,
        [np.zeros_like(a) for a in parameters],
        1,
        learning_rate=0.1,
        momentum=0.5,
        weight_decay=0,
    )
    for array in velocity:
        assert_array_equal(array, 0.5)
