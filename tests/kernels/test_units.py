"""Draws of binary and real-valued units, against plain twins and by their statistics."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit

from skrbm._kernels import units

from ..helpers.numbers import DTYPES, SEED, rounding
from ..oracles import common


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        (
            "00000000 00000000 00000000 00000000",
            "00000000 00000000",
            "6627e8d5 e169c58d bc57ac4c 9b00dbd8",
        ),
        (
            "ffffffff ffffffff ffffffff ffffffff",
            "ffffffff ffffffff",
            "408f276d 41c83b0e a20bc7c6 6d5451fd",
        ),
        (
            "243f6a88 85a308d3 13198a2e 03707344",
            "a4093822 299f31d0",
            "d16cfe09 94fdcceb 5001e420 24126ea1",
        ),
    ],
)
def test_philox_has_the_published_answers(counter, key, expected):
    counter, key, expected = ([int(w, 16) for w in t.split()] for t in (counter, key, expected))
    assert list(common.philox4x32(counter, key)) == expected
    # The kernel counts blocks from 0 in word 0, so it reaches the first answer directly; the
    # others test the plain twin, with which the kernel agrees below.
    if counter[0] == 0:
        words = np.empty(4, np.uint32)
        seed = np.uint64(key[0] | key[1] << 32)
        units.philox(seed, counter[2], counter[3], counter[1], words)
        assert words.tolist() == expected


@given(
    seed=st.integers(0, 2**64 - 1),
    update=st.integers(0, 2**32 - 1),
    purpose=st.integers(0, 2**32 - 1),
    row=st.integers(0, 2**32 - 1),
    n_blocks=st.integers(1, 9),
)
def test_philox_kernel_equals_its_twin(seed, update, purpose, row, n_blocks):
    words = np.empty(4 * n_blocks, np.uint32)
    units.philox(np.uint64(seed), update, purpose, row, words)
    assert words.tolist() == common.random_words(seed, update, purpose, row, 4 * n_blocks)


@pytest.mark.parametrize("dtype", DTYPES)
def test_sigmoid(dtype, rng):
    limit = 80 if dtype == np.float32 else 700
    x = rng.uniform(-limit, limit, (5, 33)).astype(dtype)
    x[0] = np.linspace(-4, 4, 33)
    bias = rng.normal(size=33).astype(dtype)
    out = np.empty_like(x)
    units.sigmoid(x, bias, out)
    total = x + bias  # rounded as in the kernel
    plain = np.vectorize(common.sigmoid)(total.astype(float))
    # exp carries the rounding of its argument: |x| eps in its value.
    assert_allclose(out, plain, rtol=rounding(dtype, 8))


@pytest.mark.parametrize("dtype", DTYPES)
def test_sigmoid_at_infinity_and_nan(dtype):
    x = np.array([[np.inf, -np.inf, np.nan, 1000, -1000, 0]], dtype)
    out = np.empty_like(x)
    units.sigmoid(x, np.zeros(6, dtype), out)
    assert_array_equal(out, np.array([[1, 0, np.nan, 1, 0, 0.5]], dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n_units", [1, 3, 4, 5, 32, 37])
def test_bernoulli_draws_what_its_twin_draws(dtype, n_units, rng):
    p = rng.uniform(size=(7, n_units)).astype(dtype)
    out = np.full_like(p, np.nan)
    units.bernoulli(p, SEED, 3, 5, out)
    assert_array_equal(out, common.bernoulli(p, SEED, 3, 5))


@pytest.mark.parametrize("dtype", DTYPES)
def test_bernoulli_at_certainty(dtype):
    p = np.tile(np.array([0, 1], dtype), (500, 50))
    out = np.empty_like(p)
    for update in range(20):
        units.bernoulli(p, SEED, update, 0, out)
        assert_array_equal(out, p)


@pytest.mark.parametrize("dtype", DTYPES)
def test_bernoulli_sigmoid_is_sigmoid_then_bernoulli(dtype, rng):
    x, bias = rng.normal(0, 3, (9, 21)).astype(dtype), rng.normal(size=21).astype(dtype)
    p, two, one = np.empty_like(x), np.empty_like(x), np.empty_like(x)
    units.sigmoid(x, bias, p)
    units.bernoulli(p, SEED, 2, 1, two)
    units.bernoulli_sigmoid(x, bias, SEED, 2, 1, one)
    assert_array_equal(one, two)


def test_draws_are_uniform_and_independent():
    """Frequencies, and correlations between neighbours in unit, row, update and purpose."""
    n_rows, n_units, p0 = 400, 250, 0.3
    p = np.full((n_rows, n_units), p0)
    draws = {}
    for update in (0, 1):
        for purpose in (0, 1):
            draws[update, purpose] = np.empty_like(p)
            units.bernoulli(p, SEED, update, purpose, draws[update, purpose])
    n = p.size
    z0 = (draws[0, 0] - p0) / np.sqrt(p0 * (1 - p0))
    assert abs(z0.sum()) < 4 * np.sqrt(n)
    others = [np.roll(z0, 1, axis=0), np.roll(z0, 1, axis=1)]
    others += [(draws[k] - p0) / np.sqrt(p0 * (1 - p0)) for k in [(0, 1), (1, 0), (1, 1)]]
    for z1 in others:
        assert abs((z0 * z1).sum()) < 4 * np.sqrt(n)


def test_float32_draws_follow_float64_draws(rng):
    """The same words: a draw differs only where p lies within 2^-22 of the number."""
    p = rng.uniform(size=(50, 40)).astype(np.float32)
    out32, out64 = np.empty_like(p), np.empty(p.shape)
    units.bernoulli(p, SEED, 0, 0, out32)
    units.bernoulli(p.astype(float), SEED, 0, 0, out64)
    assert_array_equal(out32, out64)


def test_expit_is_the_oracle_of_the_oracle(rng):
    x = rng.normal(0, 20, 100)
    assert_allclose(np.vectorize(common.sigmoid)(x), expit(x), rtol=1e-14)
