"""What layers of numbers share: phases in one array, clamping, estimates of entries."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skrbm._input.numbers import NumberRows
from skrbm._machine.bernoulli import BernoulliLayer
from skrbm._machine.gaussian import GaussianLayer
from skrbm._machine.keys import Purpose

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
@pytest.mark.parametrize("shape", [(2, 4), (4, 4), (3, 3), (3, 5), (3, 1)])
def test_samples_go_to_room_of_their_shape_alone(layer, shape, rng):
    """Kernels would write beyond it, or leave a part as it was."""
    x, key = rng.normal(size=(3, 4)), Purpose.VISIBLE.key(np.uint64(5), 0)
    with pytest.raises(ValueError, match=r"rows of shape \(3, 4\) do not fit"):
        layer.sample(x, key, out=np.empty(shape))
    out = np.empty((3, 4))
    assert layer.sample(x, key, out=out) is out
    assert_array_equal(out, layer.sample(x, key))


@layers
def test_a_number_stands_for_its_mean(layer, rng):
    mean = rng.random((3, 4))
    assert_array_equal(layer.point_estimate(mean), mean)
    assert layer.values(mean) is mean
    assert_array_equal(layer.feature_mean(mean), layer.mean(mean))
