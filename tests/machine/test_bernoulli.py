"""The machine of binary units against enumeration."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as np_arrays
from numpy.testing import assert_allclose

from skrbm._machine import threads
from skrbm._machine.bernoulli import BernoulliLayer

from ..helpers.calls import (
    hidden_mean,
    machine_of,
    recorded_calls,
    sample_hidden,
    sample_visible,
    visible_mean,
    weighted_gradient,
)
from ..oracles import bernoulli, common
from ..oracles.bernoulli import EnumeratedRBM
from ..oracles.common import finite_differences

EXACT = {"rtol": 1e-12, "atol": 1e-12}


def test_free_energy_does_not_overflow():
    model = machine_of(BernoulliLayer(np.zeros(1)), np.array([[2000.0]]), np.zeros(1))
    assert_allclose(model.free_energy(np.array([[1.0], [0.0]])), [-2000, -np.log(2)])


def test_samples_follow_the_conditionals(model, oracle):
    n = 20_000
    h = np.tile(oracle.h_states[5], (n, 1))
    v = np.tile(oracle.v_states[9], (n, 1))
    for draws, p in [
        (sample_visible(model, h, (np.uint64(1), 0, 0)), oracle.visible_mean(h[0])),
        (sample_hidden(model, v, (np.uint64(1), 0, 1)), oracle.hidden_mean(v[0])),
    ]:
        assert set(np.unique(draws)) <= {0.0, 1.0}
        assert (np.abs(draws.mean(axis=0) - p) < 4 * np.sqrt(p * (1 - p) / n)).all()


@pytest.mark.parametrize("scale", [30.0, 300.0, 900.0])
def test_pseudo_likelihood_with_large_weights(scale, rng):
    """Nothing cancels or overflows: log-odds by differences of softplus in NumPy agree."""
    W, b = scale * rng.uniform(-1, 1, (4, 3)), rng.normal(size=4)
    model = machine_of(BernoulliLayer(b), W, np.array([5.0, -7.0, 0.3]))
    V = common.states(4)
    expected = np.zeros(len(V))
    for i in range(4):
        on, off = V.copy(), V.copy()
        on[:, i], off[:, i] = 1, 0
        # free_energy uses logaddexp, exact at any size of the weights
        log_odds = model.free_energy(off) - model.free_energy(on)
        expected -= np.logaddexp(0, np.where(V[:, i] == 1, -log_odds, log_odds))
    # free energies of a few thousand nats carry 1e-12 of rounding
    assert_allclose(model.pseudo_likelihood(V), expected, rtol=1e-9, atol=1e-9)


def test_pseudo_likelihood_of_independent_units():
    """With W = 0 it is the log-likelihood."""
    b = np.array([-1.0, 0.0, 2.0])
    model = machine_of(BernoulliLayer(b), np.zeros((3, 2)), np.ones(2))
    V = common.states(3)
    expected = V @ b - np.logaddexp(0, b).sum()
    assert_allclose(model.pseudo_likelihood(V), expected, **EXACT)


def test_gradient_is_the_derivative_of_the_log_likelihood(model, oracle, rng):
    """Finite differences of the exact log-likelihood, for every parameter block."""
    V = rng.integers(0, 2, (6, 4)).astype(float)
    # Exact phases: the rows of data, and all states weighted by the model's probabilities.
    v = np.vstack([V, oracle.v_states])
    row_weights = np.concatenate([np.full(6, 1 / 6), -oracle.p_v])
    gradient = weighted_gradient(model, v, hidden_mean(model, v), row_weights)
    for ours, exact in zip(gradient, oracle.gradient(V), strict=True):
        assert_allclose(ours, exact, **EXACT)

    def log_likelihood(W, c, b):
        return EnumeratedRBM(W, b, c).log_likelihood(V) / 6

    blocks = [oracle.W, oracle.c, oracle.b]
    for block, slope in zip(gradient, finite_differences(log_likelihood, blocks), strict=True):
        assert_allclose(block, slope, atol=1e-8)


def test_oracle_sums_out_the_same_hidden_units(oracle):
    V = oracle.v_states[:5]
    summed = bernoulli.log_likelihood(oracle.W, oracle.b, oracle.c, V)
    assert_allclose(summed, oracle.log_likelihood(V), **EXACT)


finite = st.floats(-3, 3, width=32)


@settings(max_examples=30, deadline=None)
@given(
    W=np_arrays(float, (3, 2), elements=finite),
    b=np_arrays(float, 3, elements=finite),
    c=np_arrays(float, 2, elements=finite),
)
def test_pseudo_likelihood_of_any_small_machine(W, b, c):
    oracle = EnumeratedRBM(W, b, c)
    model = machine_of(BernoulliLayer(b), W, c)
    V = oracle.v_states
    expected = [oracle.pseudo_likelihood(v) for v in V]
    assert_allclose(model.pseudo_likelihood(V), expected, rtol=1e-9, atol=1e-9)
    assert_allclose(model.free_energy(V), [oracle.free_energy(v) for v in V], **EXACT)


def test_pseudo_likelihood_outside_the_unit_interval_stays_finite(rng):
    """A scaled test fold may step over the edge: expectations with weights outside [0, 1]."""
    W, b, c = rng.normal(0, 1, (4, 3)), rng.normal(size=4), rng.normal(size=3)
    oracle = EnumeratedRBM(W, b, c)
    model = machine_of(BernoulliLayer(b), W, c)
    V = rng.uniform(-0.5, 1.5, (20, 4))
    expected = [oracle.pseudo_likelihood(v) for v in V]
    assert_allclose(model.pseudo_likelihood(V), expected, **EXACT)
    wide = machine_of(BernoulliLayer(np.zeros(64)), rng.normal(0, 1, (64, 300)), np.zeros(300))
    assert np.isfinite(wide.pseudo_likelihood(rng.uniform(0, 16, (5, 64)))).all()


def test_infinite_biases_are_certainties():
    model = machine_of(
        BernoulliLayer(np.array([np.inf, -np.inf, 0.0])), np.zeros((3, 2)), np.ones(2)
    )
    assert_allclose(visible_mean(model, np.zeros((1, 2))), [[1, 0, 0.5]])
    V = np.array([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    assert_allclose(model.pseudo_likelihood(V), [-np.log(2), -np.inf])


def test_energies_with_infinite_biases():
    """A unit that is off adds nothing, whatever its bias."""
    b, c = np.array([np.inf, -np.inf, 0.5]), np.array([np.inf, -np.inf])
    W = np.arange(6.0).reshape(3, 2)
    V, H = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]), np.array([[0.0, 0.0], [0.0, 0.0]])
    model = machine_of(BernoulliLayer(b), W, np.zeros(2))
    assert_allclose(model.energy(V, H), [-0.5, -np.inf])
    assert_allclose(model.free_energy(V), [-0.5 - np.logaddexp(0, W[2]).sum(), -np.inf])
    model = machine_of(BernoulliLayer(np.zeros(3)), 1e6 * W, c)
    assert_allclose(model.energy(V, H), [0, 0])
    # The first hidden unit is on for certain, so that the visible biases are its weights.
    on, weights = np.array([[1.0, 1.0, 1.0]]), 1e6 * W[:, 0]
    assert_allclose(model.pseudo_likelihood(on), -np.logaddexp(0, -weights).sum())


def test_weights_next_to_nothing(model):
    tiny = machine_of(model.visible, model.weights * 1e-320, model.hidden.bias)
    V = common.states(4)
    b = model.visible.bias
    assert_allclose(tiny.pseudo_likelihood(V), V @ b - np.logaddexp(0, b).sum(), **EXACT)


def test_a_machine_seen_from_its_other_side(model, oracle, rng):
    """Energies, conditionals and log Z are those of the mirror image."""
    mirrored = model.mirrored()
    v, h = rng.integers(0, 2, (7, 4)) * 1.0, rng.integers(0, 2, (7, 3)) * 1.0
    assert_allclose(mirrored.energy(h, v), model.energy(v, h), **EXACT)
    assert_allclose(hidden_mean(mirrored, h), visible_mean(model, h), **EXACT)
    assert_allclose(visible_mean(mirrored, v), hidden_mean(model, v), **EXACT)
    log_z = np.logaddexp.reduce(-mirrored.free_energy(oracle.h_states))
    assert_allclose(log_z, oracle.log_z, **EXACT)


@pytest.mark.parametrize(("factor", "scale", "parts"), [(1, 1, 2), (0.5, 1, 4), (1, 1000, 4)])
def test_pseudo_likelihood_in_parts_of_rows_and_units(
    factor, scale, parts, model, rng, monkeypatch
):
    """As for machines of many units, so that Ctrl-C is heard. Grey or steep: more of them."""
    model = replace(model, weights=scale * model.weights)
    V = factor * rng.integers(0, 2, (50, 4)).astype(float)
    whole, t = model.pseudo_likelihood(V), model.hidden_input(V) + model.hidden.bias
    rows, units = np.indices(V.shape).reshape(2, -1)
    arguments = rows, units, V.ravel(), t, model.weights
    odds = model.visible.log_odds(V, t, model.weights)
    assert_allclose(model.visible.log_odds_of(*arguments), odds.ravel(), rtol=1e-12)
    monkeypatch.setattr(threads, "LONGEST_CALL", 32 * 3 * 2)
    calls = recorded_calls(monkeypatch, "bernoulli")
    assert_allclose(model.pseudo_likelihood(V), whole, rtol=1e-13)
    assert {k for k, *_ in calls} == set(range(parts))
    assert_allclose(model.visible.log_odds(V, t, model.weights), odds, rtol=1e-13)
    calls.clear()
    assert_allclose(model.visible.log_odds_of(*arguments), odds.ravel(), rtol=1e-12)
    assert len(calls) > 1
