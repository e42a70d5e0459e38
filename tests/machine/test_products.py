"""Matrix products, by kernels or by BLAS: the same numbers either way."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skrbm._machine import products

from ..helpers.numbers import dtypes, rounding
from ..oracles import common


@dtypes
@pytest.mark.parametrize("n_rows", [1, products.FEW_ROWS, products.FEW_ROWS + 1, 100])
@pytest.mark.parametrize("density", [0.05, 0.4, 1.0])
def test_products_are_those_of_plain_loops(dtype, n_rows, density, rng):
    """On either side of the limits that decide who is faster."""
    v = (rng.normal(size=(n_rows, 9)) * (rng.random((n_rows, 9)) < density)).astype(dtype)
    h, W = (rng.normal(size=shape).astype(dtype) for shape in ((n_rows, 4), (9, 4)))
    tolerance = {"rtol": 0, "atol": rounding(dtype, 40 * n_rows)}
    assert_allclose(products.product(v, W), common.matmul(v, W), **tolerance)
    assert_allclose(products.product_transposed(v, h), common.matmul(v.T, h), **tolerance)
    assert_allclose(products.product_with_transpose(h, W), common.matmul(h, W.T), **tolerance)


def test_rows_that_do_not_fit_are_refused():
    """The kernels do not check bounds; their callers do."""
    with pytest.raises(ValueError, match="5 features given to a machine of 4"):
        products.product(np.zeros((2, 5)), np.zeros((4, 3)))
