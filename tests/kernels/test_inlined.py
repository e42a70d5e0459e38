"""Functions that are inlined into kernels, against NumPy's."""

import math

import numpy as np
import pytest
from numba import njit
from numpy.testing import assert_allclose, assert_array_equal

from skrbm._kernels.inlined import log

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
