"""The machine of real-valued units against enumeration: a mixture of 2^M normals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as np_arrays
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from skrbm._machine import threads
from skrbm._machine.gaussian import GaussianLayer

from ..helpers.calls import (
    hidden_mean,
    machine_of,
    recorded_calls,
    sample_hidden,
    sample_visible,
    weighted_gradient,
)
from ..helpers.gaussian_machines import VARIANCE
from ..oracles.common import finite_differences
from ..oracles.gaussian import EnumeratedGaussianRBM

EXACT = {"rtol": 1e-12, "atol": 1e-12}


N_CHAINS = 20_000


def machine(W, b, c, variance, learned=False, dtype=float):
    """The same variance, fixed or as reference and ratio."""
    W, b, c, variance = (np.array(a, dtype) for a in (W, b, c, variance))
    ratio = np.linspace(-1, 1, len(b), dtype=dtype)
    layer = (variance / np.exp(ratio), ratio) if learned else (variance,)
    return machine_of(GaussianLayer(b, *layer), W, c)


@pytest.fixture(name="model", params=[False, True], ids=["fixed", "learned"])
def either_model(gaussian_arrays, request):
    return machine(*gaussian_arrays, learned=request.param)


def test_free_energy_is_that_of_the_mixture(model, mixture, rng):
    """-F - log Z is the log density, by two roads."""
    V = np.vstack([mixture.draw(rng, 20), 10 * rng.normal(size=(5, 4))])
    density = [mixture.log_density(v) for v in V]
    assert_allclose(-model.free_energy(V) - mixture.log_z, density, **EXACT)


def test_samples_follow_the_conditionals(model, mixture):
    h, v = mixture.h_states[5], np.array([0.3, -1.0, 2.0, 0.0])
    draws = sample_visible(model, np.tile(h, (N_CHAINS, 1)), (np.uint64(1), 0, 0))
    for i in range(4):
        law = stats.norm(mixture.visible_mean(h)[i], np.sqrt(VARIANCE[i]))
        assert stats.kstest(draws[:, i], law.cdf).pvalue > 1e-3
    draws = sample_hidden(model, np.tile(v, (N_CHAINS, 1)), (np.uint64(1), 0, 1))
    p = mixture.hidden_mean(v)
    assert (np.abs(draws.mean(axis=0) - p) < 4 * np.sqrt(p * (1 - p) / N_CHAINS)).all()


def test_pseudo_likelihood(model, mixture, rng):
    V = mixture.draw(rng, 20)
    expected = [mixture.pseudo_likelihood_of_mixture(v) for v in V]
    assert_allclose(model.pseudo_likelihood(V), expected, **EXACT)
    by_quadrature = [mixture.pseudo_likelihood(v) for v in V[:3]]
    assert_allclose(by_quadrature, expected[:3], rtol=1e-10)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [1e11, 1e19, 1e30, np.inf, np.nan])
def test_pseudo_likelihood_of_weights_that_are_too_large(gaussian_arrays, value, dtype):
    """No time and no memory in proportion to the weights, but a sentence."""
    W, *others = gaussian_arrays
    W[2, 1] = value
    model = machine(W, *others, dtype=dtype)
    with pytest.raises(ValueError, match=r"feature 2 in components_ add up to .* learning_rate"):
        model.visible.pseudo_likelihood(np.zeros((3, 4), dtype), np.zeros((3, 3), dtype), W)


@pytest.mark.parametrize("value", [1e6, 1e9, -2e9])
def test_pseudo_likelihood_of_very_large_weights(gaussian_arrays, value, rng):
    W, *others = gaussian_arrays
    W[2, 1] = value
    scores = machine(W, *others).pseudo_likelihood(rng.normal(size=(100, 4)))
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("v", [0.0, np.nan, np.inf])
def test_pseudo_likelihood_that_is_not_a_number(model, v):
    """Rows, or inputs of hidden units that overflow to both sides: kernels count nodes by them."""
    t = np.array([[0.0, np.nan if v == 0 else 0.0, 0.0]])
    with pytest.raises(ValueError, match="would not be a number: X, or a parameter"):
        model.visible.pseudo_likelihood(np.full((1, 4), v), t, model.weights)


def test_pseudo_likelihood_in_parts_of_rows_and_units(model, mixture, rng, monkeypatch):
    """As for machines of many units."""
    V = mixture.draw(rng, 50)
    whole = model.pseudo_likelihood(V)
    monkeypatch.setattr(threads, "LONGEST_CALL", 64 * 64 * 6)
    calls = recorded_calls(monkeypatch, "gaussian")
    assert_allclose(model.pseudo_likelihood(V), whole, **EXACT)
    assert {k for k, *_ in calls} == {0, 1}


finite = st.floats(-3, 3, width=32)


@settings(max_examples=30, deadline=None)
@given(
    W=np_arrays(float, (3, 2), elements=finite),
    b=np_arrays(float, 3, elements=finite),
    c=np_arrays(float, 2, elements=finite),
    log_variance=np_arrays(float, 3, elements=finite),
    v=np_arrays(float, 3, elements=st.floats(-30, 30, width=32)),
)
def test_any_small_machine(W, b, c, log_variance, v):
    variance = np.exp(log_variance)
    mixture, model = EnumeratedGaussianRBM(W, b, c, variance), machine(W, b, c, variance)
    V = v[np.newaxis]
    # energies of up to 30^2 / (2 exp(-3)) nats carry 1e-12 of rounding
    assert_allclose(model.free_energy(V), [mixture.free_energy(v)], rtol=1e-11, atol=1e-11)
    expected = mixture.pseudo_likelihood_of_mixture(v)
    assert_allclose(model.pseudo_likelihood(V), [expected], rtol=1e-9, atol=1e-9)


def test_units_of_another_scale(gaussian_arrays, rng):
    """Feature i in other units, with b_i and s_i in these, is the same feature."""
    W, b, c, variance = gaussian_arrays
    unit = np.array([1e-6, 1.0, 1e3, 7.0])
    here, there = machine(*gaussian_arrays), machine(W, b * unit, c, variance * unit**2)
    V = rng.normal(size=(10, 4))
    assert_allclose(hidden_mean(there, V * unit), hidden_mean(here, V), **EXACT)
    density = there.pseudo_likelihood(V * unit) + np.log(unit).sum()
    assert_allclose(density, here.pseudo_likelihood(V), **EXACT)


def test_vectors_that_do_not_fit_are_refused():
    for shapes in [(3, 2), (3, (3, 1)), ((3, 1), 3), (3, 3, 2)]:
        with pytest.raises(ValueError, match="flat and of one length"):
            GaussianLayer(*(np.ones(shape) for shape in shapes))


# --- gradient ---


def exact_gradient(model, mixture, V):
    """The package's gradient with both phases exact: data, and sigma points of each component."""
    v, h, p = mixture.sigma_points()
    return weighted_gradient(
        model,
        np.vstack([V, v]),
        np.vstack([hidden_mean(model, V), h]),
        np.concatenate([np.full(len(V), 1 / len(V)), -p]),
    )


def slopes(blocks, V):
    """Finite differences of the exact mean log-likelihood in (W, c, b, log variance)."""

    def log_likelihood(W, c, b, log_variance):
        mixture = EnumeratedGaussianRBM(W, b, c, np.exp(log_variance))
        return np.mean([mixture.log_density(v) for v in V])

    return finite_differences(log_likelihood, blocks)


def test_gradient_is_the_derivative_of_the_log_likelihood(model, gaussian_arrays, mixture, rng):
    """For every parameter block, the logarithm of the variance too where it is learned."""
    V = mixture.draw(rng, 6) + 0.5
    W, b, c, variance = gaussian_arrays
    gradient = exact_gradient(model, mixture, V)
    assert len(gradient) == len(model.parameters)
    exact = mixture.gradient(V)
    for block, slope in zip(exact, slopes([W, c, b, np.log(variance)], V), strict=True):
        assert_allclose(block, slope, atol=1e-8)
    for ours, block in zip(gradient, exact[: len(gradient)], strict=True):
        assert_allclose(ours, block, **EXACT)


def test_gradient_vanishes_at_the_model(model, mixture):
    """Data that are the model: every block is 0."""
    v, h, p = mixture.sigma_points()
    gradient = weighted_gradient(
        model, np.vstack([v, v]), np.vstack([h, h]), np.concatenate([p, -p])
    )
    for block in gradient:
        assert_allclose(block, 0, atol=1e-13)


# --- bounds of a step ---


def direction_of(variance, log_ratio, *gradient, n_rows=1):
    """The direction of a step along the gradient of this number of rows."""
    layer = GaussianLayer(np.zeros(len(variance)), variance, log_ratio)
    return [s / n_rows for s in layer.precondition([n_rows * g for g in gradient], n_rows)]


@pytest.mark.parametrize("n_rows", [1, 64])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_short_steps_are_left_alone_but_for_the_units_of_the_bias(dtype, n_rows, rng):
    weights = rng.normal(size=(4, 3)).astype(dtype)
    weights *= dtype(1.999) / np.linalg.norm(weights, axis=0)  # sqrt(4) is the bound
    hidden, bias = rng.normal(0, 1e6, 3).astype(dtype), rng.normal(0, 1e6, 4).astype(dtype)
    log_ratio = rng.uniform(-1, 1, 4).astype(dtype)
    variance = VARIANCE.astype(dtype)
    gradient = (weights, hidden, bias, log_ratio)
    result = direction_of(variance, np.zeros(4, dtype), *gradient, n_rows=n_rows)
    for actual, same in zip(result, (weights, hidden, bias * variance, log_ratio), strict=True):
        assert_array_equal(actual, same, strict=True)
    assert len(direction_of(variance, None, *gradient[:3])) == 3


@pytest.mark.parametrize("n_rows", [1, 64])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_long_steps_are_shortened_to_their_bounds(dtype, n_rows, rng):
    """Each hidden unit alone; the direction stays."""
    weights = rng.normal(size=(4, 3)).astype(dtype)
    weights *= np.array([0.5, 20, 1e6], dtype) / np.linalg.norm(weights, axis=0)
    log_ratio = np.array([-5, -1, 0.3, 1e30], dtype)
    nothing = np.zeros(3, dtype), np.zeros(4, dtype)
    gradient = weights, *nothing, log_ratio
    variance, ratio = VARIANCE.astype(dtype), np.zeros(4, dtype)
    result = direction_of(variance, ratio, *gradient, n_rows=n_rows)
    scale = np.array([1, 2 / 20, 2 / 1e6])
    assert_allclose(result[0], weights * scale, rtol=4 * np.finfo(dtype).eps)
    assert_array_equal(result[3], np.array([-1, -1, 0.3, 1], dtype), strict=True)
    assert {block.dtype for block in result} == {np.dtype(dtype)}
