"""What layers of numbers share: phases in one array, clamping, estimates of entries."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skrbm._input.numbers import NumberRows
from skrbm._machine.bernoulli import BernoulliLayer
from skrbm._machine.gaussian import GaussianLayer

LAYERS = {"binary": BernoulliLayer(np.zeros(4)), "real": GaussianLayer(np.zeros(4), np.ones(4))}
layers = pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)


@layers
@pytest.mark.parametrize("n_neg", [None, 1, 9])
@pytest.mark.parametrize("which", [slice(2, 5), np.array([7, 0, 3])], ids=["slice", "array"])
def test_phases_lie_in_one_array(layer, n_neg, which, rng):
    X = rng.random((8, 4))
    phases = layer.phases(NumberRows(X), which, n_neg)
    assert phases.n_pos == 3
    assert_array_equal(phases.positive, X[which])
    assert len(phases.negative) == (n_neg or 3)
    phases.negative[...] = 5  # as a sampler writes
    assert_array_equal(phases.both, np.vstack([X[which], np.full((n_neg or 3, 4), 5)]))
    phases.replace_negative(np.full((n_neg or 3, 4), 6))
    assert_array_equal(phases.both[3:], 6)
    assert_array_equal(phases.positive, X[which])


@layers
def test_known_entries_are_clamped_and_no_others(layer, rng):
    v, given, known = rng.random((5, 4)), rng.random((5, 4)), rng.random((5, 4)) < 0.5
    before = v.copy()
    layer.clamp(v, given, known)
    assert_array_equal(v, np.where(known, given, before))


@layers
def test_a_number_stands_for_its_mean(layer, rng):
    mean = rng.random((3, 4))
    assert_array_equal(layer.point_estimate(mean), mean)
    assert layer.values(mean) is mean
    assert_array_equal(layer.feature_mean(mean), layer.mean(mean))
