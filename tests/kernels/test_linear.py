"""Products that skip zeros, and rows of matrices, against plain twins."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from skrbm._kernels import linear

from ..helpers.numbers import DTYPES, rounding
from ..oracles import common


#: Rows, visible units, hidden units: about the sizes of sets.
SHAPES = [(1, 1, 1), (3, 5, 2), (4, 8, 8), (9, 63, 6), (5, 64, 3), (33, 65, 7), (63, 3, 2)]
SHAPES += [(64, 4, 16), (65, 2, 17), (2, 130, 5), (130, 5, 4)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("density", [0.0, 0.05, 0.4, 1.0])
def test_products_that_skip_zeros(dtype, shape, density, rng):
    n, n_visible, n_hidden = shape
    v = (rng.random((n, n_visible)) * (rng.random((n, n_visible)) < density)).astype(dtype)
    h = rng.normal(size=(n, n_hidden)).astype(dtype)
    W = rng.normal(size=(n_visible, n_hidden)).astype(dtype)
    tolerance = {"rtol": 0, "atol": rounding(dtype, 130 * 4)}  # sums of 130 terms of size 3
    for n_blocks in (1, 2, 3, 4):
        out = np.full((n_blocks, n, n_hidden), np.nan, dtype)
        linear.product(v, W, out)
        assert_allclose(out.sum(axis=0), common.matmul(v, W), **tolerance)
        cuts = [n_visible * block // n_blocks for block in range(n_blocks + 1)]
        for sums, begin, end in zip(out, cuts[:-1], cuts[1:], strict=True):
            assert_allclose(sums, common.matmul(v[:, begin:end], W[begin:end]), **tolerance)
    out = np.full((n_visible, n_hidden), np.nan, dtype)
    linear.product_transposed(v, h, out)
    assert_allclose(out, common.matmul(v.T, h), **tolerance)


@pytest.mark.parametrize("dtype", DTYPES)
def test_products_count_every_non_zero(dtype):
    """Infinities, NaN, subnormal and negative numbers, at every place of two sets and a bit."""
    for i in range(130):
        for value in (-1.0, np.finfo(dtype).smallest_subnormal, np.inf, -np.inf, np.nan):
            v = np.zeros((1, 130), dtype)
            v[0, i] = value
            out = np.full((1, 1, 1), np.nan, dtype)
            linear.product(v, np.ones((130, 1), dtype), out)
            assert_array_equal(out, [[[v[0, i]]]])
            out = np.full((130, 1), np.nan, dtype)
            linear.product_transposed(v, np.ones((1, 1), dtype), out)
            assert_array_equal(out, v.T)
            out = np.full((1, 1), np.nan, dtype)
            linear.product_transposed(v.T.copy(), np.ones((130, 1), dtype), out)
            assert_array_equal(out, [[v[0, i]]])


@pytest.mark.parametrize("dtype", DTYPES)
def test_zeros_hide_numbers_that_are_not_finite(dtype):
    """Their rows are not read."""
    v, W = np.zeros((2, 70), dtype), np.full((70, 3), np.inf, dtype)
    v[1, [3, 66]], W[[3, 66]] = 1, 2
    out = np.full((1, 2, 3), np.nan, dtype)
    linear.product(v, W, out)
    assert_array_equal(out[0], [[0] * 3, [4] * 3])


@pytest.mark.parametrize("dtype", DTYPES)
def test_take_rows(dtype, rng):
    X, which = rng.normal(size=(9, 5)).astype(dtype), np.array([8, 0, 0, 3, 7, 8])
    out = np.full((6, 5), np.nan, dtype)
    linear.take_rows(X, which, out)
    assert_array_equal(out, X[which])


@pytest.mark.parametrize("index", [np.int32, np.int64])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int8, bool])
def test_read_csr(dtype, index, rng):
    dense = rng.integers(0, 2, (6, 9)).astype(dtype)
    X = sparse.csr_array(dense)
    rows = np.array([4, 0, 0, 5], index)
    out = np.full((4, 9), np.nan)
    linear.read_csr(X.indptr.astype(index), X.indices.astype(index), X.data, rows, out)
    assert_array_equal(out, dense[rows])
