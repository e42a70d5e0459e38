"""Pseudo-likelihoods of binary and real-valued units, against enumeration and quadrature."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from skrbm._kernels import pseudo_likelihood
from skrbm._machine.gaussian import GaussianLayer

from ..oracles import gaussian


@pytest.mark.parametrize("max_factors", [0, 1, 2, 100])
@pytest.mark.parametrize("grey", [False, True])
def test_pseudo_likelihood_kernel_equals_its_twin(max_factors, grey, oracle, rng):
    W, b, c = oracle.W, oracle.b, oracle.c
    v = rng.random((37, 4)) if grey else rng.integers(0, 2, (37, 4)).astype(float)
    v[0, 0], v[0, 1] = 0.0, 1.0  # certain units within a grey row
    out = np.empty(37)
    pseudo_likelihood.bernoulli_pseudo_likelihood(
        v, v @ W + c, b, W, np.exp(W), np.exp(-W), max_factors, out
    )
    assert_allclose(out, [oracle.pseudo_likelihood(row) for row in v], rtol=1e-13)


# --- pseudo-likelihood ---


def scored(W, b, c, variance, V):
    """By the kernel, through the layer that lays out the nodes."""
    layer = GaussianLayer(b, variance)
    return layer.pseudo_likelihood(V, (V / np.sqrt(variance)) @ W + c, W)


def machine(rng, scale=1.0, n_visible=3, n_hidden=3):
    W = scale * rng.uniform(-1, 1, (n_visible, n_hidden))
    b, c = rng.normal(size=n_visible), rng.normal(size=n_hidden)
    return W, b, c, rng.uniform(0.3, 3, n_visible)


def test_kernel_equals_quadrature_and_mixture(rng):
    """More rows than a tile of 32."""
    arrays = machine(rng)
    oracle = gaussian.EnumeratedGaussianRBM(*arrays)
    V = oracle.draw(rng, 37)
    scores = scored(*arrays, V)
    assert_allclose(scores, [oracle.pseudo_likelihood_of_mixture(v) for v in V], rtol=1e-12)
    assert_allclose(scores[:5], [oracle.pseudo_likelihood(v) for v in V[:5]], rtol=1e-10)


# 200 is too steep for tables; 20 and 60 are for some of the units and rows.
@pytest.mark.parametrize("scale", [5.0, 20.0, 60.0, 200.0, 1000.0])
def test_steep_weights(scale, rng):
    arrays = machine(rng, scale)
    oracle = gaussian.EnumeratedGaussianRBM(*arrays)
    centres = oracle.means[rng.integers(0, 8, 30)]
    V = np.vstack([oracle.draw(rng, 10), centres + oracle.s * rng.normal(size=centres.shape)])
    expected = [oracle.pseudo_likelihood_of_mixture(v) for v in V]
    # Log densities are differences of energies of up to (3 scale)^2 nats.
    atol = 1e-15 * 40 * max(9 * scale**2, 10)
    assert_allclose(scored(*arrays, V), expected, rtol=1e-12, atol=atol)


def test_both_branches_agree_with_quadrature_at_steep_weights(rng):
    arrays = machine(rng, 40.0, n_visible=2, n_hidden=2)
    oracle = gaussian.EnumeratedGaussianRBM(*arrays)
    V = oracle.draw(rng, 3)
    expected = [oracle.pseudo_likelihood(v) for v in V]
    assert_allclose(scored(*arrays, V), expected, rtol=1e-9)


@pytest.mark.parametrize("distance", [10.0, 100.0, 1e4, 1e6])
def test_rows_far_from_the_model(distance, rng):
    """Outliers, alone and among rows of the same tile that are none."""
    arrays = machine(rng, 2.0)
    oracle = gaussian.EnumeratedGaussianRBM(*arrays)
    V = oracle.draw(rng, 8)
    V[2] = distance
    V[3, 1] = -distance
    V[5] = [distance, 0, -distance]
    expected = [oracle.pseudo_likelihood_of_mixture(v) for v in V]
    scores = scored(*arrays, V)
    # Energies of distance^2 nats are rounded; all other rows are as ever.
    near = [0, 1, 4, 6, 7]
    assert_allclose(scores[near], np.array(expected)[near], rtol=1e-12)
    assert_allclose(scores, expected, rtol=1e-11)


@pytest.mark.parametrize(("n_hidden", "scale"), [(64, 1.0), (200, 1.0), (30, 6.0)])
def test_many_hidden_units(n_hidden, scale, rng):
    """More factors than one product holds; too many hidden units to enumerate."""
    arrays = machine(rng, scale, 2, n_hidden)
    W, b, _, variance = arrays
    V = b + np.sqrt(variance) * (rng.integers(0, 2, (2, n_hidden)) @ W.T)
    expected = [sum(gaussian.conditional_density(*arrays, v, i) for i in range(2)) for v in V]
    assert_allclose(scored(*arrays, V), expected, rtol=1e-9)


def test_independent_units(rng):
    """With W = 0 each unit is normal."""
    _, b, c, variance = machine(rng)
    V = rng.normal(size=(5, 3))
    expected = stats.norm.logpdf(V, b, np.sqrt(variance)).sum(axis=1)
    assert_allclose(scored(np.zeros((3, 3)), b, c, variance, V), expected, rtol=1e-12)


def test_pseudo_likelihood_of_a_hidden_unit_that_is_on_for_certain():
    """It moves the mean of its neighbours and nothing else; far rows take the other branch."""
    W, bias = np.array([[3.0], [-2.0]]), np.zeros(2)
    layer = GaussianLayer(bias, np.ones(2))
    v = np.array([[1.0, 2.0], [900.0, -900.0]])
    scores = layer.pseudo_likelihood(v, np.full((2, 1), np.inf), W)
    assert_allclose(scores, stats.norm.logpdf(v, loc=W[:, 0]).sum(axis=1), rtol=1e-12)
