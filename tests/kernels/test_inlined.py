"""Functions that are inlined into kernels, against NumPy's."""

import math

import numpy as np
import pytest
from numba import njit
from numpy.testing import assert_allclose, assert_array_equal

from skrbm._kernels.inlined import log, reached

from ..helpers.numbers import DTYPES, rounding


@njit
def every_log(u, out):
    for i in range(u.shape[0]):
        out[i] = log(u[i])


@pytest.mark.parametrize("dtype", DTYPES)
def test_logarithm(dtype, rng):
    tiny, eps = np.finfo(dtype).smallest_normal, np.finfo(dtype).eps
    edges = [tiny, 2.0**-32, 0.5, math.sqrt(0.5), 1 - eps / 2, 1.0, 1 + eps, math.sqrt(2), 2.0]
    near = 1 + np.arange(-50, 50) * eps
    u = np.concatenate([edges, near, rng.random(5000), 2.0 ** rng.uniform(-100, 100, 5000)])
    u = u.astype(dtype)
    out = np.empty_like(u)
    every_log(u, out)
    assert_allclose(out, np.log(u.astype(float)), rtol=rounding(dtype, 6), atol=0)
    assert_array_equal(out[u == 1], 0)


@njit
def all_reached(start, items, out):
    for k in range(items.shape[0]):
        out[k] = reached(start, items[k])


@pytest.mark.parametrize("start", [[0], [5], [0, 3, 3, 7, 7], [4, 4, 5, 9]])
def test_parts_begin_at_the_first_item_that_is_reached(start):
    """The parts from 0 to the whole have each item once, but for empty ones at the end."""
    start = np.array(start)
    items = np.arange(start[-1] - start[0] + 1)
    out = np.empty_like(items)
    all_reached(start, items, out)
    assert_array_equal(out, np.searchsorted(start - start[0], items))
