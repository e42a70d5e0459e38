"""Products by SciPy's BLAS, against plain loops."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skrbm._kernels import blas

from ..helpers.numbers import dtypes, rounding
from ..oracles import common

transpositions = pytest.mark.parametrize(
    ("left_t", "right_t"), [*itertools.product([False, True], repeat=2)]
)


def matrices(rng, dtype, sizes, left_t, right_t):
    """Left, right, and where the product goes."""
    n, k, m = sizes
    left = rng.normal(size=(k, n) if left_t else (n, k)).astype(dtype)
    right = rng.normal(size=(m, k) if right_t else (k, m)).astype(dtype)
    return left, right, np.full((n, m), np.nan, dtype)


def plain(left, left_t, right, right_t):
    return common.matmul(left.T if left_t else left, right.T if right_t else right)


@dtypes
@transpositions
def test_products_are_those_of_plain_loops(dtype, left_t, right_t, rng):
    """Of all sizes about those of blocks, the longer side of either kind."""
    address, some = blas.ADDRESSES[np.dtype(dtype).char], (1, 2, 15, 16, 17, 33)
    sizes = [(n, int(k), m) for n in some for m in some for k in rng.integers(1, 10, 1)]
    for n, k, m in [*sizes, (3, 70, 2), (70, 3, 5), (4, 2, 70)]:
        left, right, out = matrices(rng, dtype, (n, k, m), left_t, right_t)
        blas.multiply(address, left, left_t, right, right_t, out)
        expected = plain(left, left_t, right, right_t)
        assert_allclose(out, expected, rtol=0, atol=rounding(dtype, 8 * k))


@dtypes
@transpositions
@pytest.mark.parametrize("sizes", [(50, 7, 9), (9, 7, 50), (40, 7, 40)])
def test_a_part_is_some_blocks_of_the_longer_side(dtype, left_t, right_t, sizes, rng):
    """Nothing else is written."""
    address = blas.ADDRESSES[np.dtype(dtype).char]
    left, right, out = matrices(rng, dtype, sizes, left_t, right_t)
    arguments = address, left, left_t, right, right_t, out
    n_blocks = blas.multiply.items(*arguments)
    assert n_blocks == -(-max(out.shape) // 16)
    expected = plain(left, left_t, right, right_t)
    for first, stop in ((0, 1), (1, n_blocks - 1), (n_blocks - 1, n_blocks), (2, 2)):
        out[...] = np.nan
        blas.multiply.part(*arguments, first, stop)
        side = slice(16 * first, 16 * stop)
        done = (side, slice(None)) if out.shape[0] >= out.shape[1] else (slice(None), side)
        assert_allclose(out[done], expected[done], rtol=0, atol=rounding(dtype, 60))
        out[done] = np.nan
        assert np.isnan(out).all()


def test_work_is_the_multiplications():
    a, b, out = np.zeros((3, 5)), np.zeros((5, 7)), np.zeros((3, 7))
    assert blas.multiply.work(0, a, False, b, False, out) == 105
    assert blas.multiply.work(0, a.T.copy(), True, b, False, out) == 105
