"""Arrays at lines of the cache."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skrbm._machine import memory

SHAPES = [(), (1,), (7,), (3, 5), (2, 3, 4), (0,), (0, 5), (5, 0)]


def is_at_a_line(array):
    return array.__array_interface__["data"][0] % 64 == 0


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, "f4", np.int64, np.uint8])
def test_an_array_begins_at_a_line(shape, dtype):
    arrays = [memory.empty(shape, dtype) for _ in range(20)]
    for k, array in enumerate(arrays):
        assert array.shape == shape
        assert array.dtype == np.dtype(dtype)
        assert array.size == 0 or is_at_a_line(array)
        assert array.flags.c_contiguous
        assert array.flags.writeable
        array[...] = k
    for k, array in enumerate(arrays):  # no two share memory
        assert_array_equal(array, np.full(shape, k, dtype), strict=True)


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [None, np.float32])
def test_a_copy_is_in_c_order(shape, order, dtype, rng):
    array = np.array(rng.normal(size=shape), order=order)[::-1]
    before = array.copy()
    copy = memory.copy(array, dtype)
    assert_array_equal(copy, array.astype(dtype or np.float64), strict=True)
    assert copy.size == 0 or is_at_a_line(copy)
    assert copy.flags.c_contiguous
    copy += 1
    assert_array_equal(array, before)
