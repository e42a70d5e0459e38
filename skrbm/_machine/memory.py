"""Arrays that begin at a line of the cache.

NumPy's begin anywhere. A vector register then reads two lines in place of one, which costs kernels
that wait for memory a quarter of their time.
"""

from math import prod

import numpy as np

_LINE = 64  # bytes


def empty(shape, dtype):
    """``np.empty``, at the beginning of a line."""
    dtype = np.dtype(dtype)
    memory = np.empty(prod(shape) * dtype.itemsize + _LINE, np.uint8)
    return np.ndarray(shape, dtype, memory, -memory.__array_interface__["data"][0] % _LINE)


def copy(array, dtype=None):
    """A copy in C order, at the beginning of a line."""
    out = empty(array.shape, array.dtype if dtype is None else dtype)
    out[...] = array
    return out
