"""Kernels that sum units out, against plain twins and at their limits."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skrbm._kernels.sums import logsumexp_sums, softplus_sums

from ..helpers.numbers import dtypes
from ..oracles import partition as plain


@dtypes
@pytest.mark.parametrize("n_units", [0, 1, 5, 511, 512, 513, 1500])
def test_softplus_sums_equal_their_twin(dtype, n_units, rng):
    """Columns beyond those of the bias are not read."""
    x = rng.normal(0, 5, (4, n_units + 2)).astype(dtype)
    bias, out = rng.normal(size=n_units).astype(dtype), np.full(4, np.nan)
    softplus_sums(x, bias, out)
    t = x[:, :n_units].astype(float) + bias
    # In float64 whatever the dtype of x; a factor 1 + e of the product is rounded to 1e-16.
    expected = [plain.softplus_sum(row) for row in t]
    assert_allclose(out, expected, rtol=1e-14, atol=1e-16 * n_units)


@dtypes
@pytest.mark.parametrize("sizes", [(), (1,), (3,), (2, 4, 1, 3), (10,) * 400, (1500, 2)])
def test_logsumexp_sums_equal_their_twin(dtype, sizes, rng):
    """400 features of 10 categories: the product of their sums is beyond the range."""
    offsets = np.cumsum([0, *sizes])
    x = rng.normal(0, 5, (4, offsets[-1])).astype(dtype)
    x[0] = 0
    bias, out = rng.normal(size=offsets[-1]).astype(dtype), np.full(4, np.nan)
    logsumexp_sums(x, bias, offsets, out)
    expected = [plain.logsumexp_sum(row, offsets) for row in x.astype(float) + bias]
    # Of either sign: terms of size 10 may cancel.
    assert_allclose(out, expected, rtol=1e-14, atol=1e-14 * 10 * max(1, len(sizes)))


EXTREME = [0, 30, -30, 750, -750, 1e30, -1e30, np.inf, -np.inf]


@dtypes
def test_softplus_sums_of_huge_and_infinite_inputs(dtype):
    x, out = np.array(EXTREME, dtype)[:, np.newaxis], np.empty(len(EXTREME))
    softplus_sums(x, np.zeros(1, dtype), out)
    assert_allclose(out, [plain.softplus_sum([float(t)]) for (t,) in x], rtol=1e-15, atol=1e-16)
    both = np.array([[np.inf, 1], [-np.inf, 1]], dtype)
    softplus_sums(both, np.zeros(2, dtype), out[:2])
    assert_allclose(out[:2], [np.inf, np.logaddexp(0, 1)])
    softplus_sums(both[:1, ::-1].copy(), np.array([0, np.inf], dtype), out[:1])
    assert out[0] == np.inf


@dtypes
def test_logsumexp_sums_of_huge_and_infinite_inputs(dtype):
    """Every pair of extremes, in a feature of 2 beside one of 1 category."""
    x = np.array([(s, t, 0.5) for s in EXTREME for t in EXTREME], dtype)
    out = np.empty(len(x))
    logsumexp_sums(x, np.zeros(3, dtype), np.array([0, 2, 3]), out)
    expected = [plain.logsumexp_sum(row, [0, 2, 3]) for row in x.astype(float)]
    assert_allclose(out, expected, rtol=1e-14, atol=1e-14)


@dtypes
def test_nothing_is_hidden_that_is_not_a_number(dtype):
    x, out = np.array([[np.nan, 1], [1, np.nan], [1, 2]], dtype), np.empty(3)
    softplus_sums(x, np.zeros(2, dtype), out)
    assert_array_equal(np.isnan(out), [True, True, False])
    logsumexp_sums(x, np.zeros(2, dtype), np.array([0, 2]), out)
    assert_array_equal(np.isnan(out), [True, True, False])
