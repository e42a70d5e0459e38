"""Matrix products, by kernels or by BLAS: the same numbers either way."""

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from numpy.testing import assert_allclose, assert_array_equal

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


ORDERS = {
    "every second column": lambda a: np.repeat(a, 2, axis=1)[:, ::2],
    "some columns of more": lambda a: np.hstack((a, a))[:, : a.shape[1]],
    "columns backwards": lambda a: a[:, ::-1].copy()[:, ::-1],
    "rows backwards": lambda a: a[::-1].copy()[::-1],
}


@dtypes
@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_products_do_not_depend_on_the_order_of_memory(dtype, order, rng):
    """NumPy before 2.3 hands few orders to BLAS. (Products of Fortran's order round otherwise.)"""
    v, h, W = (rng.normal(size=s).astype(dtype) for s in ((100, 30), (100, 20), (30, 20)))
    assert_array_equal(order(v), v)
    assert_array_equal(products.product(order(v), W), products.product(v, W))
    expected = products.product_with_transpose(h, W)
    assert_array_equal(products.product_with_transpose(order(h), W), expected)


def test_rows_that_overlap_in_memory_can_be_multiplied(rng):
    v, W = sliding_window_view(rng.normal(size=129), 30), rng.normal(size=(30, 20))
    assert_array_equal(products.product(v, W), products.product(v.copy(), W))


def test_rows_that_do_not_fit_are_refused():
    """The kernels do not check bounds; their callers do."""
    with pytest.raises(ValueError, match="5 features given to a machine of 4"):
        products.product(np.zeros((2, 5)), np.zeros((4, 3)))
