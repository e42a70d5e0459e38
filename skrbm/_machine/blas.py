"""Products by BLAS that the crew shares, while BLAS itself has one thread."""

import threading
from functools import cache

import numpy as np
import threadpoolctl

from .._kernels import blas
from .crew import together


@cache
def _libraries():
    """The BLAS that SciPy brings or, if it brings none of its own, all there are."""
    found = threadpoolctl.ThreadpoolController().select(user_api="blas").lib_controllers
    return [blas for blas in found if "scipy.libs" in blas.filepath] or found


class _OneThread:
    """Limits BLAS to one thread as long as any thread is inside.

    The limit belongs to the whole process. So it is set for single products, and the number of
    threads that a user has chosen is put back after each, unless somebody has changed it.
    """

    def __init__(self):
        self._lock, self._n_inside, self._before = threading.Lock(), 0, ()

    def __enter__(self):
        with self._lock:
            self._n_inside += 1
            if self._n_inside == 1:
                self._before = [(blas, blas.get_num_threads()) for blas in _libraries()]
                for blas, n_threads in self._before:
                    if n_threads != 1:
                        blas.set_num_threads(1)

    def __exit__(self, *error):
        with self._lock:
            self._n_inside -= 1
            if self._n_inside == 0:
                for blas, n_threads in self._before:
                    if n_threads != 1 and blas.get_num_threads() == 1:
                        blas.set_num_threads(n_threads)


ONE_THREAD = _OneThread()


def multiply(left, right, left_t=False, right_t=False):
    """``left right``, either of them transposed if it is said; arrays of one dtype."""
    n, k = left.shape[::-1] if left_t else left.shape
    m = right.shape[0] if right_t else right.shape[1]
    out = np.empty((n, m), left.dtype)
    if k == 0 or out.size == 0:
        out[...] = 0
        return out
    address = blas.ADDRESSES[out.dtype.char]
    left, right = np.ascontiguousarray(left), np.ascontiguousarray(right)
    with ONE_THREAD:
        together(blas.multiply, address, left, left_t, right, right_t, out)
    return out
