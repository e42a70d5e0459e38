"""Arrays at odd places, across those that processors read, and kernels called with them."""

import numpy as np
from numba.core.dispatcher import Dispatcher
from scipy.sparse import issparse

from skrbm._kernels import (
    blas,
    onehot,
    onehot_rows,
    products,
    pseudo_likelihood,
    quadrature,
    rows,
    sums,
    units,
    updates,
)
from skrbm._kernels.crew import Divisible

#: The modules of kernels that other wings call.
MODULES = (
    blas,
    onehot,
    onehot_rows,
    products,
    pseudo_likelihood,
    quadrature,
    rows,
    sums,
    units,
    updates,
)


def at_an_odd_place(array):
    """The array, or a CSR matrix, in memory that begins at an odd byte."""
    if issparse(array):
        array = array.copy()
        for name in ("data", "indices", "indptr"):
            setattr(array, name, at_an_odd_place(getattr(array, name)))
        return array
    room = np.empty(array.nbytes + 1, np.uint8)
    out = np.ndarray(array.shape, array.dtype, room, 1)
    out[...] = array
    assert array.itemsize == 1 or not out.flags.aligned
    return out


def recorded_odd_places(monkeypatch):
    """A list that grows by the name of each kernel called with an array at an odd place."""
    found = []

    def recording(name, kernel):
        def call(*arguments):
            arrays = list(arguments)
            for array in arrays:  # which grows
                if isinstance(array, tuple):
                    arrays.extend(array)
                elif isinstance(array, np.ndarray) and not array.flags.aligned:
                    found.append(name)
            return kernel(*arguments)

        return call

    for module in MODULES:
        for name in module.__all__:
            kernel = getattr(module, name)
            if isinstance(kernel, Divisible):
                monkeypatch.setattr(kernel, "part", recording(name, kernel.part))
            elif isinstance(kernel, Dispatcher):
                monkeypatch.setattr(module, name, recording(name, kernel))
    return found
