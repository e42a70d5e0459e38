"""Products by BLAS that the crew shares, while BLAS itself has one thread."""

import ctypes
import os
import threading
from functools import cache
from pathlib import Path

import numpy as np
import threadpoolctl

from .._kernels import blas
from .crew import together
from .memory import scratch


@cache
def libraries():
    """The BLAS that SciPy brings or, if it brings none of its own, all there are.

    Of each, two functions: one says its number of threads, the other sets it.
    """
    found = threadpoolctl.ThreadpoolController().select(user_api="blas").lib_controllers
    found = [blas for blas in found if _is_of_scipy(blas.filepath)] or found
    return [(blas.get_num_threads, _setter(blas)) for blas in found]


def _is_of_scipy(path):
    """Whether a file is where wheels of SciPy keep libraries: on macOS, and elsewhere."""
    folders = Path(path).parts
    return folders[-3:-1] == ("scipy", ".dylibs") or "scipy.libs" in folders


def _setter(library):
    """OpenBLAS's own function: threadpoolctl obeys only the first Python thread that sets it."""
    functions = ctypes.CDLL(library.filepath) if library.internal_api == "openblas" else None
    for prefix in ("", "scipy_"):
        for suffix in ("", "64_", "_64"):
            name = f"{prefix}openblas_set_num_threads{suffix}"
            if hasattr(functions, name):
                return getattr(functions, name)
    return library.set_num_threads


class OneThread:
    """Limits BLAS to one thread as long as any thread is within any of these.

    The limit belongs to the whole process. So it is set for single products, and the number of
    threads that a user has chosen is put back after each, unless somebody has changed it.
    """

    # A signal handler may multiply while its thread has the lock, or is within a product.
    _lock, _within, _before = threading.RLock(), set(), []

    @classmethod
    def _forget(cls):
        """Nobody is within a product in a forked process, which has but one thread."""
        cls._lock, cls._within = threading.RLock(), set()
        cls._put_back()

    @classmethod
    def _put_back(cls):
        for n_threads, get, put in cls._before:
            if get() == 1:
                put(n_threads)
        cls._before = []

    def __enter__(self):
        with self._lock:
            is_first = not self._within
            self._within.add(self)
            if is_first:
                before = [(get(), get, put) for get, put in libraries()]
                OneThread._before = [blas for blas in before if blas[0] != 1]
                for _, _, put in self._before:
                    put(1)

    def leave(self):
        """May be called twice: after Ctrl-C it is not known whether it has been."""
        with self._lock:
            self._within.discard(self)
            if not self._within:
                self._put_back()

    def __exit__(self, *error):
        self.leave()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=OneThread._forget)


def multiply(left, right, left_t=False, right_t=False):
    """``left right``, either of them transposed if it is said; arrays of one dtype."""
    n, k = left.shape[::-1] if left_t else left.shape
    m = right.shape[0] if right_t else right.shape[1]
    out = scratch((n, m), left.dtype)
    if k == 0 or out.size == 0:
        out[...] = 0
        return out
    address = blas.ADDRESSES[out.dtype.char]
    left, right = np.ascontiguousarray(left), np.ascontiguousarray(right)
    one_thread = OneThread()
    try:
        with one_thread:
            together(blas.multiply, address, left, left_t, right, right_t, out)
    except BaseException:  # Ctrl-C may have come before the limit was lifted
        one_thread.leave()
        raise
    return out
