"""The contract of a layer: every layer keeps it, and adds no method that algorithms could call."""

import inspect

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skrbm._machine.bernoulli import BernoulliLayer
from skrbm._machine.gaussian import GaussianLayer
from skrbm._machine.layer import Layer
from skrbm._machine.numbers import NumberLayer
from skrbm._machine.softmax import SoftmaxLayer

from ..helpers.calls import key
from ..helpers.partition_machines import machines
from ..oracles import partition as plain


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


LAYERS = (BernoulliLayer, GaussianLayer, SoftmaxLayer)


@pytest.mark.parametrize("layer", LAYERS)
def test_no_layer_adds_a_method_to_the_contract(layer):
    """But for what layers of numbers share, and what only ratings ask of categories."""
    own = {"statistic"} if issubclass(layer, NumberLayer) else set()
    own |= {"log_conditionals", "conditional_means"} if layer is SoftmaxLayer else set()
    functions = {name for name, value in inspect.getmembers(layer, inspect.isfunction)}
    added = {name for name in functions if not name.startswith("_")} - set(dir(Layer))
    assert added == own
    assert not inspect.isabstract(layer)


@machines
def test_a_sample_and_its_mean_are_those_of_two_calls(make, rng):
    rbm = make().rbm
    t = rng.normal(size=(50, len(rbm.hidden.bias)))
    mean, sample = rbm.hidden.mean_and_sample(t, key())
    np.testing.assert_array_equal(mean, rbm.hidden.mean(t))
    np.testing.assert_array_equal(sample, rbm.hidden.sample(t, key()))
    mean, sample = rbm.hidden.mean_and_sample(t, key(), 13)
    np.testing.assert_array_equal(mean, rbm.hidden.mean(t))
    np.testing.assert_array_equal(sample, rbm.hidden.sample(t[13:], key()))
    if not hasattr(rbm.visible, "categories"):  # whose input is no array
        x = rbm.visible_input(rng.integers(0, 2, (20, t.shape[1])) * 1.0)
        mean, sample = rbm.visible.mean_and_sample(x, key(), 4)
        np.testing.assert_array_equal(mean, rbm.visible.mean(x))
        np.testing.assert_array_equal(sample, rbm.visible.sample(x[4:], key()))
