"""Arrays at lines of the cache, and memory that serves again."""

import ctypes
import gc
import threading
import weakref

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skrbm._machine import memory

from ..helpers.alignment import at_an_odd_place

#: Of an array whose memory is kept.
LARGE = (3, memory.LARGE)

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


@pytest.mark.parametrize("shape", [(), (7,), (3, 5), (0, 5), (300, 400)])
def test_scratch_is_an_array_of_its_own(shape):
    with memory.recycling():
        arrays = [memory.scratch(shape, np.dtype(np.float32)) for _ in range(5)]
        for k, array in enumerate(arrays):
            assert array.shape == shape
            assert array.dtype == np.float32
            assert array.nbytes < memory.LARGE or is_at_a_line(array)
            array[...] = k
        for k, array in enumerate(arrays):
            assert_array_equal(array, np.full(shape, k, np.float32), strict=True)


@pytest.mark.parametrize("n_rows", [0, 3, 400])
def test_arrays_are_joined(n_rows, rng):
    arrays = rng.normal(size=(n_rows, 50)), rng.normal(size=(5, 50))
    assert_array_equal(memory.joined(*arrays), np.concatenate(arrays), strict=True)


@pytest.mark.parametrize("shape", [(9,), (9, 4), (9, 2000)])
def test_rows_are_taken(shape, rng):
    array, indices = rng.normal(size=shape).astype(np.float32), rng.integers(0, 9, 20)
    assert_array_equal(memory.taken(array, indices), array[indices], strict=True)


# --- memory that serves again ---


def address(array):
    return array.__array_interface__["data"][0]


def test_the_memory_of_an_array_that_is_gone_serves_again():
    with memory.recycling():
        array = memory.empty(LARGE, np.uint8)
        first = address(array)
        del array
        smaller = memory.empty((2, memory.LARGE), np.uint8)
        assert address(smaller) == first
        assert is_at_a_line(memory.empty(LARGE, np.uint8))
        assert address(memory.empty(LARGE, np.uint8)) != first


def test_memory_of_the_next_size_serves():
    with memory.recycling():
        small, large = (memory.empty((n, memory.LARGE), np.uint8) for n in (3, 4))
        places = address(small), address(large)
        del small, large
        again = [memory.empty((3, memory.LARGE), np.uint8) for _ in range(2)]
        assert [address(array) for array in again] == list(places)


def test_at_most_half_of_the_memory_is_left_unused():
    with memory.recycling():
        large, small = memory.empty((6, memory.LARGE), np.uint8), (2, memory.LARGE)
        first = address(large)
        del large
        assert not 0 <= address(memory.empty(small, np.uint8)) - first < 6 * memory.LARGE


@pytest.mark.parametrize("shape", SHAPES)
def test_small_arrays_are_not_worth_it(shape):
    with memory.recycling():
        assert type(memory.empty(shape, np.float64).base) is np.ndarray


VIEWS = {
    "ravel": lambda a: a.ravel(),
    "slice": lambda a: a[1:],
    "slice of a slice": lambda a: a[1:][:, 5:],
    "row": lambda a: a[0],
    "transpose": lambda a: a.T,
    "ravel of a transpose": lambda a: a.T.ravel(order="K"),
    "reshape": lambda a: a.reshape(-1, 2),
    "another dtype": lambda a: a.view(np.uint16),
    "another class": lambda a: a.view(np.ma.MaskedArray),
    "new axis": lambda a: a[np.newaxis],
    "broadcast": lambda a: np.broadcast_to(a, (2, *a.shape)),
    "strides": lambda a: np.lib.stride_tricks.as_strided(a, (3,), (8,)),
    "memoryview": memoryview,
    "array of a memoryview": lambda a: np.asarray(memoryview(a)),
    "array on a buffer": lambda a: np.ndarray((5,), np.float32, a),
    "ctypes": lambda a: a.ctypes,
    "pointer": lambda a: a.ctypes.data_as(ctypes.c_void_p),
    "flat": lambda a: a.flat,
    "iterator": np.nditer,
    "required": lambda a: np.require(a[1:], requirements="A"),
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_memory_serves_until_the_last_view_is_gone(view):
    with memory.recycling():
        array = memory.empty(LARGE, np.uint8)
        first, seen = address(array), view(array)
        del array
        assert address(memory.empty(LARGE, np.uint8)) != first
        del seen
        gc.collect()
        both = [memory.empty(LARGE, np.uint8) for _ in range(2)]
        assert first in map(address, both)


def test_arrays_outlive_the_pool():
    with memory.recycling():
        array = memory.empty(LARGE, np.uint8)
        array[...] = 7
    others = [memory.empty(LARGE, np.uint8) for _ in range(5)]
    with memory.recycling():
        others += [memory.empty(LARGE, np.uint8) for _ in range(5)]
        for other in others:
            other[...] = 0
    assert (array == 7).all()
    kept = weakref.ref(array.base)
    del array
    assert kept() is None


@pytest.mark.parametrize("error", [None, ValueError("an error within")])
def test_what_is_free_is_let_go_at_the_end(error):
    try:
        with memory.recycling():
            kept = [weakref.ref(memory.empty(LARGE, np.uint8).base) for _ in range(3)]
            assert kept[0]() is not None
            if error:
                raise error
    except ValueError:
        pass
    assert [reference() for reference in kept] == [None] * 3
    assert type(memory.empty(LARGE, np.uint8).base) is np.ndarray


def test_what_nobody_asks_for_is_let_go():
    with memory.recycling():
        arrays = [memory.empty((8 + k, memory.LARGE), np.uint8) for k in range(5)]
        kept = [weakref.ref(array.base) for array in arrays]
        del arrays
        for k in range(memory.PATIENCE + 2):
            assert all(reference() is not None for reference in kept) or k > memory.PATIENCE
            memory.empty((1, memory.LARGE), np.uint8)
        assert all(reference() is None for reference in kept)


def test_pools_within_pools_share_nothing():
    with memory.recycling():
        array = memory.empty(LARGE, np.uint8)
        first = address(array)
        with memory.recycling():
            del array
            assert address(memory.empty(LARGE, np.uint8)) != first
        assert address(memory.empty(LARGE, np.uint8)) == first


def test_each_thread_has_a_pool_of_its_own():
    found = []

    def other():
        found.append(memory.empty(LARGE, np.uint8))
        with memory.recycling():
            found.append(memory.empty(LARGE, np.uint8))

    with memory.recycling():
        array = memory.empty(LARGE, np.uint8)
        first = address(array)
        del array
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert first not in map(address, found)
        assert type(found[0].base) is np.ndarray
        assert type(found[1].base) is not np.ndarray


def test_another_thread_may_be_the_last_to_let_go():
    with memory.recycling():
        arrays = [memory.empty(LARGE, np.uint8)]
        first = address(arrays[0])
        thread = threading.Thread(target=arrays.clear)
        thread.start()
        thread.join()
        assert address(memory.empty(LARGE, np.uint8)) == first


def test_a_copy_has_memory_of_its_own():
    """Parameters, which stay, hold no more than they need."""
    with memory.recycling():
        array = memory.empty(LARGE, np.uint8)
        array[...] = 3
        copy = memory.copy(array)
        assert type(copy.base) is np.ndarray
        assert_array_equal(copy, array, strict=True)


# --- aligned arrays ---


def test_an_array_that_is_aligned_stays_as_it_is(rng):
    for array in (rng.normal(size=(3, 4)), rng.normal(size=(3, 4)).T[::2], np.empty(0)):
        assert memory.aligned(array) is array


@pytest.mark.parametrize("order", ["C", "F"])
def test_an_array_at_an_odd_place_is_copied(order, rng):
    array = at_an_odd_place(rng.normal(size=(3, 4)))
    array = array if order == "C" else array.T
    assert not array.flags.aligned
    copy = memory.aligned(array)
    assert copy.flags.aligned
    assert copy.flags.f_contiguous == (order == "F")
    assert_array_equal(copy, array, strict=True)
