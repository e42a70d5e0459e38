"""Reading rows, against plain twins."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from skrbm._kernels import rows as kernels

from ..helpers.numbers import DTYPES


@pytest.mark.parametrize("dtype", DTYPES)
def test_take_rows(dtype, rng):
    X, which = rng.normal(size=(9, 5)).astype(dtype), np.array([8, 0, 0, 3, 7, 8])
    out = np.full((6, 5), np.nan, dtype)
    kernels.take_rows(X, which, out)
    assert_array_equal(out, X[which])


@pytest.mark.parametrize("index", [np.int32, np.int64])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int8, bool])
def test_read_csr(dtype, index, rng):
    dense = rng.integers(0, 2, (6, 9)).astype(dtype)
    X = sparse.csr_array(dense)
    rows = np.array([4, 0, 0, 5], index)
    out = np.full((4, 9), np.nan)
    kernels.read_csr(X.indptr.astype(index), X.indices.astype(index), X.data, rows, out)
    assert_array_equal(out, dense[rows])
