"""The integral over a real-valued unit, against enumeration, quadrature and exact fractions."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from skrbm._kernels import quadrature
from skrbm._machine.gaussian import GaussianLayer

from ..oracles import gaussian


def scored(W, b, c, variance, V):
    """By the kernel, through the layer that lays out the nodes."""
    layer = GaussianLayer(b, variance)
    return layer.pseudo_likelihood(V, (V / np.sqrt(variance)) @ W + c, W)


def machine(rng, scale=1.0, n_visible=3, n_hidden=3):
    W = scale * rng.uniform(-1, 1, (n_visible, n_hidden))
    b, c = rng.normal(size=n_visible), rng.normal(size=n_hidden)
    return W, b, c, rng.uniform(0.3, 3, n_visible)


def test_kernel_equals_quadrature_and_mixture(rng):
    """More rows than a tile."""
    arrays = machine(rng)
    oracle = gaussian.EnumeratedGaussianRBM(*arrays)
    V = oracle.draw(rng, quadrature.TILE + 5)
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


# --- where the nodes are ------------------------------------------------------------------------


def deviations(rng, W, n_rows):
    """Rows drawn around means of a machine, and hidden biases with which many states compete."""
    n_visible, n_hidden = W.shape
    c = rng.normal(size=n_hidden) - 0.5 * np.square(W).sum(axis=0)
    d = rng.integers(0, 2, (n_rows, n_hidden)) @ W.T + rng.normal(size=(n_rows, n_visible))
    return d, c


def of_units(d, x, W, first=0, stop=None):
    out = np.zeros(len(d))
    stop = len(W) if stop is None else stop
    quadrature.gaussian_pseudo_likelihood(d, x, W, first, stop, out)
    return out


@pytest.mark.parametrize("scale", [0.01, 0.3, 3.0, 40.0, 300.0])
@pytest.mark.parametrize("n_hidden", [1, 9])
def test_kernel_equals_its_twin(scale, n_hidden, rng):
    """One peak, several peaks, tables or none: as all nodes of the mixture, none left out."""
    W = scale * rng.uniform(-1, 1, (4, n_hidden))
    n_rows, some = quadrature.TILE + 5, slice(3, None, 3)  # more than a tile
    d, c = deviations(rng, W, n_rows)
    d[3] += 5 * scale + 20  # beyond all means
    x = d @ W + c
    for i in range(4):
        expected = [gaussian.trapezoid_conditional(W, x[r], d[r], i) for r in range(n_rows)[some]]
        # Terms of up to (sum |W|)^2 nats are rounded.
        atol = 1e-13 + 2e-15 * max(np.abs(W[i]).sum(), np.abs(d[:, i]).max()) ** 2
        assert_allclose(of_units(d, x, W, i, i + 1)[some], expected, rtol=1e-13, atol=atol)


@pytest.mark.parametrize("scale", [1.0, 10.0, 1e3, 1e5, 1e8, 1e9])
@pytest.mark.parametrize("equal", [False, True])
def test_kernel_equals_exact_fractions(scale, equal, rng):
    """However far apart the normal densities of the mixture are."""
    W = np.full((2, 4), scale) if equal else scale * rng.uniform(-1, 1, (2, 4))
    d, c = deviations(rng, W, 20)
    x = d @ W + c
    for i in range(2):
        expected = np.array([gaussian.exact_conditional(W, c, row, i) for row in d])
        atol = 1e-13 + 2e-15 * np.abs(W[i]).sum() ** 2
        assert_allclose(of_units(d, x, W, i, i + 1), expected, rtol=1e-12, atol=atol)


@pytest.mark.parametrize("scale", [1e2, 1e5, 1e8])
def test_rows_at_a_mean_are_exact_however_large_the_weights(scale, rng):
    """Sums near a row are no differences of large numbers, though a log-density may be 1e17."""
    W = scale * (1 + rng.random((3, 4)))
    h = np.array([[1, 1, 1, 1], [0, 0, 0, 0], [1, 0, 1, 1]])
    c = np.array([1, -1, 1, 1]) * 8.0 * scale**2
    d = h @ W.T + rng.normal(size=(3, 3))
    d[1] = rng.normal(size=3) + W[:, [0, 2, 3]].sum(axis=1)
    d[2] = d[1] + 1e-3
    x = d @ W + c
    # The states of hidden units are certain: each unit is normal about its mean.
    means = W[:, [0, 2, 3]].sum(axis=1)
    x[:, 1] = -np.inf
    expected = stats.norm.logpdf(d[1:] - means).sum(axis=1)
    assert_allclose(of_units(d, x, W)[1:], expected, rtol=1e-14 * max(scale, 100), atol=1e-12)


def test_as_many_peaks_as_states_of_equal_height():
    """Units that take turns to switch on: each of 5 means, far apart, has a fifth of the mass."""
    w = np.array([[30.0, 40.0, 50.0, 60.0]])
    means = np.concatenate(([0.0], np.cumsum(w[0])))
    # Unit j is indifferent half-way between the means without and with it.
    inputs = -w[0] * (means[1:] + means[:-1]) / 2
    d = means[:, np.newaxis] + np.array([[0.0], [0.3], [-0.5], [1.0], [2.0]])
    expected = stats.norm.logpdf(d[:, 0] - means) - np.log(5)
    assert_allclose(of_units(d, d @ w + inputs, w), expected, rtol=1e-11)


def test_units_add_up_in_parts(rng):
    W = rng.normal(size=(7, 5))
    d, c = deviations(rng, W, 10)
    x = d @ W + c
    parts = sum(of_units(d, x, W, first, stop) for first, stop in [(0, 3), (3, 4), (4, 7)])
    assert_allclose(parts, of_units(d, x, W), rtol=1e-14)


@pytest.mark.parametrize("scale", [0.03, 0.1, 0.15, 1.0, 5.0, 60.0, 1e3])
@pytest.mark.parametrize("n_hidden", [3, 200])
def test_a_row_has_the_same_bits_whatever_rows_are_beside_it(scale, n_hidden, rng):
    """Rows share tables of exponentials, and threads decide which."""
    W, _, c, _ = machine(rng, scale, n_visible=5, n_hidden=n_hidden)
    d = rng.normal(size=(130, 5)) * rng.choice([0.1, 1, 10, 100], (130, 1))
    x = d @ W + c
    together, alone = np.zeros(130), np.zeros(130)
    quadrature.gaussian_pseudo_likelihood(d, x, W, 0, 5, together)
    for r in range(130):
        quadrature.gaussian_pseudo_likelihood(d[r : r + 1], x[r : r + 1], W, 0, 5, alone[r:][:1])
    assert_array_equal(alone, together)


# --- rules of Gauss and Hermite -----------------------------------------------------------------


@pytest.mark.parametrize(("n_nodes", "variance", "spread"), quadrature.RULES)
def test_a_rule_is_as_exact_as_it_says(n_nodes, variance, spread):
    assert gaussian.rule_error(n_nodes, variance, spread, quadrature.MOST_SLOPE) < 2e-14
    # The limit is no lower than it need be, and the bound not too weak to notice.
    assert gaussian.rule_error(n_nodes, variance, spread + 0.02, quadrature.MOST_SLOPE) > 2e-14


def test_the_spread_of_a_hidden_unit():
    """It bounds moments of a binary number (Kearns & Saul, 1998) and is no steeper than said."""
    y = np.linspace(0.01, 60, 6000)
    spread = np.tanh(y / 2) / (2 * y)
    p = 1 / (1 + np.exp(-y))
    for a in [-20, -3, -0.5, 0.5, 3, 20]:
        assert (np.log1p(p * np.expm1(a)) - a * p <= a * a * spread / 2 + 1e-12).all()
    slope = np.gradient(np.log(spread), y)
    assert quadrature.STEEPER - 0.001 < -slope.min() < quadrature.STEEPER


@pytest.mark.parametrize("n_hidden", [1, 40])
@pytest.mark.parametrize("spread", [0.0, 0.05, 0.2, 0.4, 0.6])
@pytest.mark.parametrize("flat", [False, True])
def test_one_peak_equals_the_twin(n_hidden, spread, flat, rng):
    """Each rule, and what is beside and beyond them, at hidden units that are in doubt or sure."""
    W = np.ones((1, n_hidden)) if flat else rng.normal(size=(1, n_hidden))
    W *= np.sqrt(4 * spread / np.square(W).sum())
    x = rng.normal(size=(60, n_hidden)) * rng.choice([0.0, 1.0, 5.0], (60, 1))
    slopes = rng.choice([0.3, 1, 3, 12], 60) * rng.normal(size=60)
    d = ((1 / (1 + np.exp(-x))) @ W[0] - slopes)[:, np.newaxis]
    expected = [gaussian.trapezoid_conditional(W, x[r], d[r], 0) for r in range(60)]
    assert_allclose(of_units(d, x, W), expected, rtol=2e-14, atol=4e-14)
