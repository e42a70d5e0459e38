"""Products that skip zeros, and rows of sparse matrices, against plain twins."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from skrbm._kernels import linear

from ..helpers.numbers import DTYPES, rounding
from ..oracles import common


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 5, 2), (4, 8, 8), (9, 7, 6)])
@pytest.mark.parametrize("density", [0.0, 0.4, 1.0])
def test_products_of_few_rows(dtype, shape, density, rng):
    n, n_visible, n_hidden = shape
    v = (rng.random((n, n_visible)) * (rng.random((n, n_visible)) < density)).astype(dtype)
    h = rng.normal(size=(n, n_hidden)).astype(dtype)
    W = rng.normal(size=(n_visible, n_hidden)).astype(dtype)
    tolerance = {"rtol": 0, "atol": rounding(dtype, 40)}  # sums of at most nine terms of size 3
    out = np.full((n, n_hidden), np.nan, dtype)
    linear.product(v, W, out)
    assert_allclose(out, common.matmul(v, W), **tolerance)
    out = np.full((n_visible, n_hidden), np.nan, dtype)
    linear.product_transposed(v, h, out)
    assert_allclose(out, common.matmul(v.T, h), **tolerance)
    out = np.full((n, n_visible), np.nan, dtype)
    linear.product_with_transpose(h, W, out)
    assert_allclose(out, common.matmul(h, W.T), **tolerance)


def test_products_count_every_non_zero(rng):
    """Infinities, NaN, subnormal and negative numbers, at every place of a long row."""
    values = [-1.0, 5e-324, np.inf, np.nan]
    for i in range(21):
        for value in values:
            v = np.zeros((1, 21))
            v[0, i] = value
            out = np.empty((1, 1))
            linear.product(v, np.ones((21, 1)), out)
            assert_array_equal(out, [[value]])
            out = np.empty((21, 1))
            linear.product_transposed(v, np.ones((1, 1)), out)
            assert_array_equal(out, v.T)


@pytest.mark.parametrize("index", [np.int32, np.int64])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int8, bool])
def test_read_csr(dtype, index, rng):
    dense = rng.integers(0, 2, (6, 9)).astype(dtype)
    X = sparse.csr_array(dense)
    rows = np.array([4, 0, 0, 5], index)
    out = np.full((4, 9), np.nan)
    linear.read_csr(X.indptr.astype(index), X.indices.astype(index), X.data, rows, out)
    assert_array_equal(out, dense[rows])
