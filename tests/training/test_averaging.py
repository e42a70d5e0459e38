"""Averages of parameters: their weights, their age, and that copies share nothing."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skrbm._training.averaging import Average

from ..helpers.comparison import assert_same_bits
from ..helpers.machines import some_cases
from ..helpers.numbers import dtypes
from ..helpers.training import binary_state

CASES = some_cases(scale=1)

shares = pytest.mark.parametrize("share", [0.1, 0.3, 1.0])


def averaged(model, share, n_updates, values=None):
    """The average, and what parameters were: numbers, or ``values(t)`` after update t."""
    average, seen = Average(model.copy()), []
    rng = np.random.default_rng(0)
    for t in range(1, n_updates + 1):
        for parameter in model.parameters:
            parameter[...] = rng.normal(size=parameter.shape) if values is None else values(t)
        seen.append([parameter.copy() for parameter in model.parameters])
        average.add(model, share)
    return average, seen


def weights_of(ends, share):
    """``t^p - s^p`` of spans from s to t, divided by their sum."""
    powers = np.asarray(ends, float) ** (2 / share - 1)
    return np.diff(powers, prepend=0) / powers[-1]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@shares
def test_the_average_is_a_weighted_mean(case, share):
    """Of every parameter of every kind of machine."""
    average, seen = averaged(case.model(), share, 60)
    weights = weights_of(np.arange(1, 61), share)
    for k, parameter in enumerate(average.model.parameters):
        plain = sum(w * values[k] for w, values in zip(weights, seen, strict=True))
        assert_allclose(parameter, plain, rtol=1e-11, atol=1e-13)


def small_model():
    return binary_state(np.zeros((2, 1)), np.zeros(2), np.zeros(1)).model


@shares
def test_late_updates_stand_for_those_skipped_before(share):
    """One in 2 from update 200 on, one in 3 from 400 on: each with the weight of its span."""
    average, seen = averaged(small_model(), share, 500)
    ends, last = [], 0
    for t in range(1, 501):
        if t - last > t // 200:
            ends.append(t)
            last = t
    assert ends[198:201] == [199, 201, 203]
    assert ends[-1] - ends[-2] == 3
    assert average.n_updates == 500
    assert average.n_added == ends[-1]
    for k, parameter in enumerate(average.model.parameters):
        weights = weights_of(ends, share)
        plain = sum(w * seen[t - 1][k] for w, t in zip(weights, ends, strict=True))
        assert_allclose(parameter, plain, rtol=1e-11, atol=1e-13)


def test_the_whole_share_is_the_plain_mean():
    average, seen = averaged(small_model(), 1.0, 50)
    for k, parameter in enumerate(average.model.parameters):
        assert_allclose(parameter, np.mean([values[k] for values in seen], axis=0), rtol=1e-12)


@shares
@pytest.mark.parametrize("n_updates", [900, 5000])
def test_the_mean_age_is_that_of_the_last_updates(share, n_updates):
    """Of parameters that say when they were: up to one update, and a skipped span."""
    average, _ = averaged(small_model(), share, n_updates, float)
    age = n_updates - average.model.weights
    assert_allclose(age, share * n_updates / 2, rtol=0, atol=1 + n_updates / 1000)


@dtypes
@shares
def test_parameters_that_stay_are_their_own_average(dtype, share):
    """To the last bit, however many updates."""
    model = CASES["Gaussian, learned variance"].model(dtype)
    average = Average(model.copy())
    for _ in range(300):
        average.add(model, share)
    assert_same_bits(average.model.parameters, model.parameters)
    assert average.model.dtype == dtype


@shares
def test_the_first_update_replaces_what_was_before(share):
    """Where learning starts has no weight."""
    average, seen = averaged(small_model(), share, 1)
    assert_same_bits(list(average.model.parameters), seen[0])


def test_copies_share_nothing():
    average, _ = averaged(small_model(), 0.5, 20)
    copy = average.copy()
    before = [parameter.copy() for parameter in average.model.parameters]
    other = small_model()
    other.weights[...] = 7
    copy.add(other, 0.5)
    assert (copy.n_updates, copy.n_added) == (21, 21)
    assert (average.n_updates, average.n_added) == (20, 20)
    assert (copy.model.weights != average.model.weights).all()
    for parameter, last in zip(average.model.parameters, before, strict=True):
        assert_array_equal(parameter, last)
