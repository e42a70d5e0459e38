"""Products of few rows, and of rows with zeros, against plain twins."""

import numpy as np
import pytest
from numba.core.errors import TypingError
from numpy.testing import assert_allclose, assert_array_equal

from skrbm._kernels import products

from ..helpers.numbers import dtypes, rounding
from ..oracles import common

# --- few rows ---------------------------------------------------------------------------------

#: Rows of the left, columns between, columns of the right: about the sizes of tiles and vectors.
SIZES = [
    (1, 1, 1),
    (3, 5, 2),
    (4, 8, 16),
    (5, 7, 31),
    (8, 3, 32),
    (9, 7, 33),
    (2, 65, 15),
    (32, 4, 63),
    (33, 9, 64),
    (65, 2, 70),
]


def matrices(rng, dtype, sizes):
    n, k, m = sizes
    return rng.normal(size=(n, k)).astype(dtype), rng.normal(size=(k, m)).astype(dtype)


@dtypes
@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("n_blocks", [1, 2, 3, 4])
def test_product_of_few_rows(dtype, sizes, n_blocks, rng):
    left, rows = matrices(rng, dtype, sizes)
    out = np.full((n_blocks, sizes[0], sizes[2]), np.nan, dtype)
    products.few(left, rows, out)
    tolerance = {"rtol": 0, "atol": rounding(dtype, 8 * sizes[1])}
    cuts = [sizes[1] * block // n_blocks for block in range(n_blocks + 1)]
    for sums, begin, end in zip(out, cuts[:-1], cuts[1:], strict=True):
        assert_allclose(sums, common.matmul(left[:, begin:end], rows[begin:end]), **tolerance)
    assert_allclose(out.sum(axis=0), common.matmul(left, rows), **tolerance)


@dtypes
@pytest.mark.parametrize("sizes", SIZES)
def test_product_of_a_left_of_any_order(dtype, sizes, rng):
    """A transpose, and columns of more, backwards."""
    left, rows = matrices(rng, dtype, sizes)
    expected = common.matmul(left, rows)
    for order in (
        left.T.copy().T,
        np.repeat(left, 2, axis=1)[:, ::2],
        left[:, ::-1].copy()[:, ::-1],
    ):
        out = np.full((1, sizes[0], sizes[2]), np.nan, dtype)
        products.few(order, rows, out)
        assert_allclose(out[0], expected, rtol=0, atol=rounding(dtype, 8 * sizes[1]))


@pytest.mark.parametrize("order", [np.asfortranarray, lambda a: a[:, ::-1], lambda a: a[:, ::2]])
def test_a_product_of_rows_in_another_order_is_refused(order):
    """Vectors would be read from beside their rows, and the product would be garbage."""
    rows = order(np.ones((3, 40)))
    for right, out in ((rows, np.empty((1, 2, rows.shape[1]))), (np.ones((3, 40)), rows[None])):
        with pytest.raises(TypingError, match="must be C-contiguous"):
            products.few(np.ones((2, 3)), right, out)


@dtypes
@pytest.mark.parametrize("sizes", SIZES)
def test_product_with_transpose(dtype, sizes, rng):
    h, W = matrices(rng, dtype, sizes)
    W = W.T.copy()
    out = np.full((sizes[0], sizes[2]), np.nan, dtype)
    products.product_with_transpose(h, W, out)
    assert_allclose(out, common.matmul(h, W.T), rtol=0, atol=rounding(dtype, 8 * sizes[1]))


@pytest.mark.parametrize("value", [-1.0, 5e-324, np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("n_columns", [1, 16, 21])
def test_products_count_every_number(value, n_columns):
    """In every row, and in every column of a tile and beside tiles."""
    for i in range(9):
        left, rows = np.zeros((9, 2)), np.ones((2, n_columns))
        left[i, 1] = value
        expected = np.zeros((9, n_columns))
        expected[i] = value
        out = np.full((1, 9, n_columns), np.nan)
        products.few(left, rows, out)
        assert_array_equal(out[0], expected)
        out = np.full((9, n_columns), np.nan)
        products.product_with_transpose(left, np.ones((n_columns, 2)), out)
        assert_array_equal(out, expected)


def test_a_product_of_nothing_is_nothing():
    out = np.full((2, 3, 5), np.nan)
    products.few(np.empty((3, 0)), np.empty((0, 5)), out)
    assert_array_equal(out, 0)
    products.few(np.empty((0, 4)), np.empty((4, 5)), np.empty((1, 0, 5)))
    out = np.full((3, 5), np.nan)
    products.product_with_transpose(np.empty((3, 0)), np.empty((5, 0)), out)
    assert_array_equal(out, 0)


# --- rows with zeros --------------------------------------------------------------------------

#: Rows, visible units, hidden units: about the sizes of sets.
SHAPES = [(1, 1, 1), (3, 5, 2), (4, 8, 8), (9, 63, 6), (5, 64, 3), (33, 65, 7), (63, 3, 2)]
SHAPES += [(64, 4, 16), (65, 2, 17), (2, 130, 5), (130, 5, 4)]


@dtypes
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
        products.skipping(v, W, out)
        assert_allclose(out.sum(axis=0), common.matmul(v, W), **tolerance)
        cuts = [n_visible * block // n_blocks for block in range(n_blocks + 1)]
        for sums, begin, end in zip(out, cuts[:-1], cuts[1:], strict=True):
            assert_allclose(sums, common.matmul(v[:, begin:end], W[begin:end]), **tolerance)
    out = np.full((n_visible, n_hidden), np.nan, dtype)
    products.skipping_transposed(v, h, out)
    assert_allclose(out, common.matmul(v.T, h), **tolerance)


@dtypes
def test_products_count_every_non_zero(dtype):
    """Infinities, NaN, subnormal and negative numbers, at every place of two sets and a bit."""
    for i in range(130):
        for value in (-1.0, np.finfo(dtype).smallest_subnormal, np.inf, -np.inf, np.nan):
            v = np.zeros((1, 130), dtype)
            v[0, i] = value
            out = np.full((1, 1, 1), np.nan, dtype)
            products.skipping(v, np.ones((130, 1), dtype), out)
            assert_array_equal(out, [[[v[0, i]]]])
            out = np.full((130, 1), np.nan, dtype)
            products.skipping_transposed(v, np.ones((1, 1), dtype), out)
            assert_array_equal(out, v.T)
            out = np.full((1, 1), np.nan, dtype)
            products.skipping_transposed(v.T.copy(), np.ones((130, 1), dtype), out)
            assert_array_equal(out, [[v[0, i]]])


@dtypes
def test_zeros_hide_numbers_that_are_not_finite(dtype):
    """Their rows are not read."""
    v, W = np.zeros((2, 70), dtype), np.full((70, 3), np.inf, dtype)
    v[1, [3, 66]], W[[3, 66]] = 1, 2
    out = np.full((1, 2, 3), np.nan, dtype)
    products.skipping(v, W, out)
    assert_array_equal(out[0], [[0] * 3, [4] * 3])
