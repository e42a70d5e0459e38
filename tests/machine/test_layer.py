"""The contract of a layer: every layer keeps it, and adds no method that algorithms could call."""

import inspect
from dataclasses import replace

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
from ..helpers.softmax_machines import MACHINES, one_hot, random_rows
from ..oracles import partition as plain
from ..oracles.softmax import feature_of


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
    """But for what layers of numbers share, and what is asked of one entry given the others."""
    own = {"statistic"} if issubclass(layer, NumberLayer) else set()
    own |= {"log_conditionals", "conditional_means"} if layer is SoftmaxLayer else set()
    own |= {"log_odds", "log_odds_of"} if layer is BernoulliLayer else set()
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


def visible_of(make):
    """A layer and rows of it, 20 at least."""
    machine = make()
    return machine.rbm.visible, machine.rows(machine.states)


def statistics(layer, v):
    """``phi(v)``: what unit weights make of rows."""
    return layer.forward(v, np.eye(layer.n_units))


@machines
def test_an_input_has_the_effect_of_so_much_more_bias(make, rng):
    """Of each unit its own: the means of one hidden unit, on, and of the layer with its bias."""
    layer, _ = visible_of(make)
    x = rng.normal(size=(layer.n_units, 1))
    on, off = np.ones((1, 1)), np.zeros((1, 1))
    biased, _ = layer.with_bias(layer.bias + layer.scale * x[:, 0])
    assert_allclose(
        layer.mean(layer.input(on, x)), biased.mean(biased.input(off, x)), rtol=1e-12, atol=1e-15
    )


@machines
def test_the_energy_falls_by_the_statistic_for_so_much_more_bias(make, rng):
    """Up to what is equal for all rows."""
    layer, v = visible_of(make)
    x = rng.normal(size=layer.n_units)
    biased, _ = layer.with_bias(layer.bias + layer.scale * x)
    rise = layer.energy(v) - biased.energy(v) - statistics(layer, v) @ x
    assert_allclose(rise, rise[0], rtol=0, atol=1e-12)


@machines
def test_the_center_is_the_mean_of_the_statistic(make):
    layer, v = visible_of(make)
    phi = statistics(layer, v)
    means = (phi * layer.scale).mean(axis=0)  # of the values, or shares of categories
    (center,) = layer.centers(means)
    assert_allclose(center, phi.mean(axis=0), rtol=1e-12)


@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES)
def test_centers_of_rows_with_missing_entries_are_shares_of_all_rows(machine):
    """One center for each table of weights: of categories and, if there is U, of features."""
    layer = machine.model().visible
    rows = random_rows(np.random.default_rng(0), 30, machine.sizes)
    table = np.zeros((30, layer.n_units))
    for r, row in enumerate(rows):
        table[r, list(row)] = 1
    centers = layer.centers(table.mean(axis=0))
    assert_allclose(
        centers[0], statistics(replace(layer, conditional=None), one_hot(rows)).mean(axis=0)
    )
    observed = [[feature_of(code, machine.oracle.offsets) for code in row] for row in rows]
    shares = np.bincount(np.concatenate(observed).astype(int)) / 30
    assert len(centers) == len(layer.parameters)
    for center in centers[1:]:
        assert_allclose(center, shares)
