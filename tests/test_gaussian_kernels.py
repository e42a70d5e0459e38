"""Normal draws and the pseudo-likelihood of real-valued units, against plain twins."""

import math

import numpy as np
import pytest
from numba import njit
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from skrbm._kernels import units, updates
from skrbm._kernels.inlined import log
from skrbm._machine.gaussian import GaussianVisible

from . import reference_gaussian
from .test_kernels import DTYPES, SEED, rounding

N_ROWS, N_UNITS = 2000, 1000
N = N_ROWS * N_UNITS


def draw(dtype, n_rows=N_ROWS, n_units=N_UNITS, update=0, purpose=0):
    """Standard normal numbers."""
    zeros, ones = np.zeros(n_units, dtype), np.ones(n_units, dtype)
    out = np.full((n_rows, n_units), np.nan, dtype)
    x = np.zeros_like(out)
    units.gaussian(x, zeros, ones, SEED, update, purpose, out)
    return out


@pytest.fixture(scope="module", params=DTYPES, ids=["float32", "float64"])
def z(request):
    return draw(request.param).astype(float)


# --- one by one ---


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n_units", [1, 3, 4, 5, 37])
def test_gaussian_draws_what_its_twin_draws(dtype, n_units, rng):
    x, (bias, scale) = rng.normal(size=(7, n_units)), rng.uniform(0.5, 2, (2, n_units))
    x, bias, scale = (a.astype(dtype) for a in (x, bias, scale))
    out = np.full_like(x, np.nan)
    units.gaussian(x, bias, scale, SEED, 3, 5, out)
    z = reference_gaussian.normal(7, n_units, SEED, 3, 5, dtype)
    # An angle carries the rounding of its word, a normal number 6.7 times as much at most;
    # the scale doubles it.
    expected = bias + scale * (x.astype(float) + z)
    assert_allclose(out, expected, rtol=0, atol=rounding(dtype, 32))


def test_float32_draws_follow_float64_draws():
    """The same words: differences come from rounding alone, of u near 1 too."""
    single, double = draw(np.float32), draw(np.float64)
    # u = 1 - t is rounded by 2^-25 at most: sqrt(2 t) is then off by sqrt(2^-24).
    assert_allclose(single, double, rtol=0, atol=2.0**-12)
    assert np.median(np.abs(single - double)) < 1e-7


EXTREMES = np.array(
    [0, 1, 2**30 - 1, 2**30, 2**31 - 1, 2**31, 3 * 2**30, 2**32 - 2, 2**32 - 1], np.uint32
)


@pytest.mark.parametrize("dtype", DTYPES)
def test_words_at_the_edges(dtype):
    radius_words, angle_words = (a.ravel() for a in np.meshgrid(EXTREMES, EXTREMES))
    radius, z0, z1 = np.full((3, len(radius_words)), np.nan, dtype)
    units._normal_pairs(radius_words, angle_words, radius, z0, z1)
    pairs = zip(radius_words.tolist(), angle_words.tolist(), strict=True)
    expected = np.array([reference_gaussian.normal_pair(*pair, dtype) for pair in pairs])
    assert_allclose(np.stack([z0, z1], axis=1), expected, rtol=0, atol=rounding(dtype, 16))
    largest = math.sqrt(2 * math.log(2**32))
    assert 6.65 < largest < 6.67
    assert_allclose(radius.max(), largest, rtol=rounding(dtype, 4))
    assert max(np.abs(z0).max(), np.abs(z1).max()) <= radius.max()


@njit
def every_log(u, out):
    for i in range(u.shape[0]):
        out[i] = log(u[i])


@njit
def every_cosine_sine(a, c, s):
    for i in range(a.shape[0]):
        c[i], s[i] = units._cosine_sine(a[i])


@pytest.mark.parametrize("dtype", DTYPES)
def test_logarithm(dtype, rng):
    tiny, eps = np.finfo(dtype).smallest_normal, np.finfo(dtype).eps
    edges = [tiny, 2.0**-32, 0.5, math.sqrt(0.5), 1 - eps / 2, 1.0, 1 + eps, math.sqrt(2), 2.0]
    near = 1 + np.arange(-50, 50) * eps
    u = np.concatenate([edges, near, rng.random(5000), 2.0 ** rng.uniform(-100, 100, 5000)])
    u = u.astype(dtype)
    out = np.empty_like(u)
    every_log(u, out)
    assert_allclose(out, np.log(u.astype(float)), rtol=rounding(dtype, 6), atol=0)
    assert_array_equal(out[u == 1], 0)


@pytest.mark.parametrize("dtype", DTYPES)
def test_cosine_and_sine(dtype):
    a = np.concatenate([np.linspace(-np.pi / 4, np.pi / 4, 5001), [1e-30, -1e-9]]).astype(dtype)
    c, s = np.empty_like(a), np.empty_like(a)
    every_cosine_sine(a, c, s)
    assert_allclose(c, np.cos(a.astype(float)), rtol=rounding(dtype, 3))
    assert_allclose(s, np.sin(a.astype(float)), rtol=rounding(dtype, 3), atol=0)


# --- all together: 2 million draws ---


def test_moments(z):
    # Variance of z^k: E z^2k - (E z^k)^2.
    for k, moment, variance in [(1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)]:
        assert abs((z**k).mean() - moment) < 4 * math.sqrt(variance / N)


def test_distribution_function(z):
    """Kolmogorov and Smirnov's test, of all and of each of the four words of a counter."""
    assert stats.kstest(z.ravel(), "norm").pvalue > 1e-3
    for quarter in np.split(z, 4, axis=1):
        assert stats.kstest(quarter.ravel(), "norm").pvalue > 1e-3


@pytest.mark.parametrize("limit", [1.0, 2.0, 3.0, 4.0])
def test_tails(z, limit):
    p = stats.norm.sf(limit)
    for side in (z > limit, z < -limit):
        assert abs(side.sum() - N * p) < 4 * math.sqrt(N * p)


def test_angles_cover_the_circle(z):
    """Pairs point everywhere alike: 32 sectors, of which the axes and diagonals are edges."""
    quarters = np.split(z, 4, axis=1)
    for first, second in [quarters[:2], quarters[2:]]:
        angle = np.arctan2(second, first).ravel()
        counts = np.histogram(angle, bins=32, range=(-np.pi, np.pi))[0]
        assert stats.chisquare(counts).pvalue > 1e-3


def test_numbers_that_share_words_are_independent(z):
    """Neither z nor z^2 of one number tells of the other's, nor of the other pair's."""
    quarters = np.split(z, 4, axis=1)
    for i in range(4):
        for j in range(i):
            a, b = quarters[i], quarters[j]
            assert abs((a * b).sum()) < 4 * math.sqrt(a.size)
            assert abs(((a**2 - 1) * (b**2 - 1)).sum()) < 4 * math.sqrt(4 * a.size)
            assert abs((a * (b**2 - 1)).sum()) < 4 * math.sqrt(2 * a.size)
            assert abs(((a**2 - 1) * b).sum()) < 4 * math.sqrt(2 * a.size)


def test_neighbours_are_independent():
    """In unit, row, update and purpose."""
    draws = {
        (update, purpose): draw(np.float64, 400, 250, update, purpose)
        for update in (0, 1)
        for purpose in (0, 1)
    }
    z = draws[0, 0]
    pairs = [
        (z[:, :-1], z[:, 1:]),
        (z[:-1], z[1:]),
        (z, draws[1, 0]),
        (z, draws[0, 1]),
        (draws[1, 0], draws[0, 1]),
    ]
    for a, b in pairs:
        assert abs((a * b).sum()) < 4 * math.sqrt(a.size)
        assert abs(((a**2 - 1) * (b**2 - 1)).sum()) < 4 * math.sqrt(4 * a.size)


# --- pseudo-likelihood ---


def scored(W, b, c, variance, V):
    """By the kernel, through the layer that lays out the nodes."""
    layer = GaussianVisible(b, variance)
    return layer.pseudo_likelihood(V, (V / np.sqrt(variance)) @ W + c, W)


def machine(rng, scale=1.0, n_visible=3, n_hidden=3):
    W = scale * rng.uniform(-1, 1, (n_visible, n_hidden))
    b, c = rng.normal(size=n_visible), rng.normal(size=n_hidden)
    return W, b, c, rng.uniform(0.3, 3, n_visible)


def test_kernel_equals_quadrature_and_mixture(rng):
    """More rows than a tile of 32."""
    arrays = machine(rng)
    oracle = reference_gaussian.EnumeratedGaussianRBM(*arrays)
    V = oracle.draw(rng, 37)
    scores = scored(*arrays, V)
    assert_allclose(scores, [oracle.pseudo_likelihood_of_mixture(v) for v in V], rtol=1e-12)
    assert_allclose(scores[:5], [oracle.pseudo_likelihood(v) for v in V[:5]], rtol=1e-10)


# 200 is too steep for tables; 20 and 60 are for some of the units and rows.
@pytest.mark.parametrize("scale", [5.0, 20.0, 60.0, 200.0, 1000.0])
def test_steep_weights(scale, rng):
    arrays = machine(rng, scale)
    oracle = reference_gaussian.EnumeratedGaussianRBM(*arrays)
    centres = oracle.means[rng.integers(0, 8, 30)]
    V = np.vstack([oracle.draw(rng, 10), centres + oracle.s * rng.normal(size=centres.shape)])
    expected = [oracle.pseudo_likelihood_of_mixture(v) for v in V]
    # Log densities are differences of energies of up to (3 scale)^2 nats.
    atol = 1e-15 * 40 * max(9 * scale**2, 10)
    assert_allclose(scored(*arrays, V), expected, rtol=1e-12, atol=atol)


def test_both_branches_agree_with_quadrature_at_steep_weights(rng):
    arrays = machine(rng, 40.0, n_visible=2, n_hidden=2)
    oracle = reference_gaussian.EnumeratedGaussianRBM(*arrays)
    V = oracle.draw(rng, 3)
    expected = [oracle.pseudo_likelihood(v) for v in V]
    assert_allclose(scored(*arrays, V), expected, rtol=1e-9)


@pytest.mark.parametrize("distance", [10.0, 100.0, 1e4, 1e6])
def test_rows_far_from_the_model(distance, rng):
    """Outliers, alone and among rows of the same tile that are none."""
    arrays = machine(rng, 2.0)
    oracle = reference_gaussian.EnumeratedGaussianRBM(*arrays)
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
    expected = [
        sum(reference_gaussian.conditional_density(*arrays, v, i) for i in range(2)) for v in V
    ]
    assert_allclose(scored(*arrays, V), expected, rtol=1e-9)


def test_independent_units(rng):
    """With W = 0 each unit is normal."""
    _, b, c, variance = machine(rng)
    V = rng.normal(size=(5, 3))
    expected = stats.norm.logpdf(V, b, np.sqrt(variance)).sum(axis=1)
    assert_allclose(scored(np.zeros((3, 3)), b, c, variance, V), expected, rtol=1e-12)


@pytest.mark.parametrize("dtype", DTYPES)
def test_sums_of_deviations(dtype, rng):
    rows, weights = rng.normal(size=(6, 5)).astype(dtype), rng.normal(size=6).astype(dtype)
    center = rng.normal(size=5).astype(dtype)
    first, second = np.full((2, 5), np.nan, dtype)
    updates.moments(rows, center, weights, first, second)
    tolerance = {"rtol": 0, "atol": 50 * np.finfo(dtype).eps}  # sums of six terms of size 9
    for i in range(5):
        terms = [(w, row[i] - center[i]) for w, row in zip(weights, rows, strict=True)]
        assert_allclose(first[i], sum(w * d for w, d in terms), **tolerance)
        assert_allclose(second[i], sum(w * d * d for w, d in terms), **tolerance)


@pytest.mark.parametrize("dtype", DTYPES)
def test_row_dots(dtype, rng):
    a, b = rng.normal(size=(2, 6, 37)).astype(dtype)
    out = np.full(6, np.nan, dtype)
    updates.row_dots(a, b, out)
    plain = [
        sum(float(x) * float(y) for x, y in zip(*rows, strict=True))
        for rows in zip(a, b, strict=True)
    ]
    assert_allclose(out, plain, rtol=0, atol=200 * np.finfo(dtype).eps)


def test_pseudo_likelihood_of_a_hidden_unit_that_is_on_for_certain():
    """It moves the mean of its neighbours and nothing else; far rows take the other branch."""
    W, bias = np.array([[3.0], [-2.0]]), np.zeros(2)
    layer = GaussianVisible(bias, np.ones(2))
    v = np.array([[1.0, 2.0], [900.0, -900.0]])
    scores = layer.pseudo_likelihood(v, np.full((2, 1), np.inf), W)
    assert_allclose(scores, stats.norm.logpdf(v, loc=W[:, 0]).sum(axis=1), rtol=1e-12)
