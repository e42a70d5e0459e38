"""Normal draws, against a plain twin and by their statistics."""

import math

import numpy as np
import pytest
from numba import njit
from numpy.testing import assert_allclose
from scipy import stats

from skrbm._kernels import units

from ..helpers.numbers import DTYPES, SEED, rounding
from ..oracles import gaussian

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
    z = gaussian.normal(7, n_units, SEED, 3, 5, dtype)
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
    expected = np.array([gaussian.normal_pair(*pair, dtype) for pair in pairs])
    assert_allclose(np.stack([z0, z1], axis=1), expected, rtol=0, atol=rounding(dtype, 16))
    largest = math.sqrt(2 * math.log(2**32))
    assert 6.65 < largest < 6.67
    assert_allclose(radius.max(), largest, rtol=rounding(dtype, 4))
    assert max(np.abs(z0).max(), np.abs(z1).max()) <= radius.max()


@njit
def every_cosine_sine(a, c, s):
    for i in range(a.shape[0]):
        c[i], s[i] = units._cosine_sine(a[i])


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
