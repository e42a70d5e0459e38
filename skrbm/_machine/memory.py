"""Arrays that begin at a line of the cache, and memory that updates use again.

NumPy's begin anywhere. A vector register then reads two lines in place of one, which costs kernels
that wait for memory a quarter of their time.

An update makes the arrays of the last one anew. Where ``malloc`` gives the memory of large arrays
back to the system at once, the system clears each page of them again in each update. (``malloc``
does so above 32 MB and, if MALLOC_TRIM_THRESHOLD_ is set as Dask sets it, above 128 KB.)
"""

import threading
import weakref
from contextlib import contextmanager
from math import prod

import numpy as np

_LINE = 64  # bytes
#: Bytes of an array whose memory is worth keeping. A smaller one is made faster than it is found.
LARGE = 2**16
#: Memory that so many requests of a thread have not asked for is let go.
PATIENCE = 100


class _Memory(np.ndarray):
    """Bytes to lend; of a class of their own, as then an array on them lives until its views go.

    (NumPy lets a view of a view refer to the memory itself if all three are of one class.)
    """

    def __new__(cls, size):
        memory = super().__new__(cls, size, np.uint8)
        memory.line = -memory.__array_interface__["data"][0] % _LINE
        return memory


class _Loan(weakref.ref):
    """An array on memory that comes back when the array, and the last view of it, are gone."""

    __slots__ = ("memory",)


class _Pool:
    """Memory that one thread uses again.

    Only this thread takes memory. Any thread may return it: by ``list.append``, in which no other
    thread and no signal handler interferes. When the pool is gone, arrays keep what they have.
    """

    def __init__(self):
        self._loans, self._returned = {}, []
        self._free, self._n_requests = [], 0  # pairs of the last request before and memory

    def empty(self, shape, dtype, size):
        memory = self._take(size)
        array = np.ndarray(shape, dtype, memory, memory.line)
        loan = _Loan(array, self._returned.append)
        loan.memory = memory
        self._loans[id(loan)] = loan
        return array

    def _take(self, size):
        """Memory of at least so many bytes, and of at most twice as many."""
        self._n_requests += 1
        while self._returned:
            loan = self._returned.pop()
            del self._loans[id(loan)]
            self._free.append((self._n_requests, loan.memory))
        while self._free and self._free[0][0] < self._n_requests - PATIENCE:
            del self._free[0]
        sizes = [(memory.size, k) for k, (_, memory) in enumerate(self._free)]
        _, k = min((pair for pair in sizes if size <= pair[0] <= 2 * size), default=(0, None))
        if k is None:  # the next mini-batch may have some entries more
            return _Memory(size + size // 8)
        return self._free.pop(k)[1]


class _Here(threading.local):
    """What this thread has."""

    pool = None


_here = _Here()


@contextmanager
def recycling():
    """Within it, the memory of large arrays of ``empty`` serves again once they are gone."""
    before, _here.pool = _here.pool, _Pool()
    try:
        yield
    finally:
        _here.pool = before


def empty(shape, dtype):
    """``np.empty``, at the beginning of a line."""
    dtype = np.dtype(dtype)
    size = prod(shape) * dtype.itemsize + _LINE
    if size < LARGE or _here.pool is None:
        return _fresh(shape, dtype, size)
    return _here.pool.empty(shape, dtype, size)


def _fresh(shape, dtype, size):
    memory = np.empty(size, np.uint8)
    return np.ndarray(shape, dtype, memory, -memory.__array_interface__["data"][0] % _LINE)


def scratch(shape, dtype):
    """For what is soon gone: ``empty`` if it is large, else ``np.empty``, which takes no time."""
    if prod(shape) * 4 < LARGE:  # as if of float32: to ask the dtype would take time
        return np.empty(shape, dtype)
    return empty(shape, dtype)


def joined(*arrays):
    """Arrays of one dtype, one above the other, as ``scratch``."""
    shape = sum(map(len, arrays)), *arrays[0].shape[1:]
    return np.concatenate(arrays, out=scratch(shape, arrays[0].dtype))


def taken(array, indices):
    """``array[indices]``, as ``scratch``; the indices are known to be within it."""
    out = scratch((*indices.shape, *array.shape[1:]), array.dtype)
    return np.take(array, indices, axis=0, out=out, mode="clip")  # other modes copy once more


def copy(array, dtype=None):
    """A copy in C order, at the beginning of a line, in memory of its own."""
    dtype = np.dtype(array.dtype if dtype is None else dtype)
    out = _fresh(array.shape, dtype, array.size * dtype.itemsize + _LINE)
    out[...] = array
    return out


def aligned(array):
    """The array, or a copy of one whose numbers lie across the places that processors read.

    Kernels take for granted that numbers lie where they should.
    """
    return np.require(array, requirements="A")


class Travelling:
    """Mixin of objects that hold arrays, and that go from one process to another."""

    def __sizeof__(self):
        """With the arrays, so that whoever is short of memory knows what an object takes."""
        sizes = {(a.__array_interface__["data"][0], a.nbytes) for a in _arrays(vars(self))}
        return object.__sizeof__(self) + sum(nbytes for _, nbytes in sizes)

    def __setstate__(self, state):
        """Buffers that a pickle was sent apart from lie anywhere."""
        vars(self).update(received(state))


def _arrays(value):
    """Yield the arrays that an object holds; one that it holds twice maybe twice."""
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, list | tuple):
        for item in {id(item): item for item in value}.values():
            yield from _arrays(item)
    elif isinstance(value, dict) or hasattr(value, "__dict__"):
        yield from _arrays(list((value if isinstance(value, dict) else vars(value)).values()))


def received(value):
    """A value just unpickled as kernels read it: arrays are aligned, and can be written to.

    (To kernels an array that is read-only is one of another type, for which they are compiled
    anew.) Arrays in lists stay as they are. Objects within the value change in place.
    """
    if isinstance(value, np.ndarray):
        return np.require(value, requirements="AW")
    if isinstance(value, dict):
        return {name: received(item) for name, item in value.items()}
    if hasattr(value, "_make"):  # a named tuple
        return value._make(map(received, value))
    if hasattr(value, "__dict__"):
        vars(value).update(received(vars(value)))
    return value
