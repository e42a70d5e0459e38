"""Numba functions of linear algebra: reading rows, and products that skip zeros.

Notation: ``v`` visible rows (n, D), ``h`` hidden rows (n, M), ``W`` weights (D, M). The house
rules stand in ``inlined``.
"""

import numpy as np
from llvmlite import ir
from numba import float32, int64, uint64
from numba.extending import intrinsic, overload

from .cache import kernel
from .crew import divisible, per_number
from .inlined import INLINED, OPTIONS, REORDERED, bits_of_float32, bits_of_float64

__all__ = ["product", "product_transposed", "read_csr", "take_rows"]


# --- Reading rows -----------------------------------------------------------------------------


@kernel(**OPTIONS)
def read_csr(indptr, indices, data, rows, out):
    """Rows of a CSR matrix, dense; several entries at one place add up.

    Parameters
    ----------
    indptr, indices, data : ndarray                                                       IN
        The arrays of the matrix.
    rows : ndarray of shape (n,), int                                                     IN
    out : ndarray of shape (n, D)                                                         OUT
    """
    out[:] = 0
    for r in range(rows.shape[0]):
        for k in range(indptr[rows[r]], indptr[rows[r] + 1]):
            out[r, indices[k]] += data[k]


@divisible(per_number(5), **OPTIONS)
def take_rows(X, which, out, first, stop):
    """``out[r] = X[which[r]]``.

    Parameters
    ----------
    X : ndarray of shape (n_rows, D)                                                      IN
    which : ndarray of shape (n,), int                                                    IN
    out : ndarray of shape (n, D)                                                         OUT
    first, stop : int                                                                     IN
        The rows of out to do.
    """
    for r in range(first, stop):
        row = X[which[r]]
        for i in range(row.shape[0]):
            out[r, i] = row[i]


# --- Products that skip zeros -----------------------------------------------------------------
#
# A set of non-zeros is a word of 64 bits: it takes one comparison an entry, without a branch that
# could be mispredicted, and sorts what lies along a column. The loops take four terms at a time:
# the target is then read and written a quarter as often. (Measured: design_notes.rst.)

_SET = 64
_NONE, _ONE = np.uint64(0), np.uint64(1)


def _bits(x):  # pragma: no cover - typed by the overload below
    raise TypeError("compiled code only")


@overload(_bits, jit_options=INLINED)
def _overload_bits(x):
    """The bits of a float: comparing them with 0 is cheaper, and -0.0 may count as non-zero."""
    bits = bits_of_float32 if x == float32 else bits_of_float64
    return lambda x: bits(x)


@intrinsic
def _smallest(typingctx, numbers):
    """The smallest number of a set that is not empty."""

    def codegen(context, builder, signature, values):
        return builder.cttz(values[0], ir.IntType(1)(1))

    return int64(uint64), codegen


@kernel(**REORDERED)
def _add_rows(which, weights, rows, out):
    """``out += sum_k weights[k] rows[k]`` over the k of a set."""
    n_columns = out.shape[0]
    while which != _NONE:
        k0 = _smallest(which)
        which &= which - _ONE
        w0, r0 = weights[k0], rows[k0]
        if which == _NONE:
            for j in range(n_columns):
                out[j] += w0 * r0[j]
            return
        k1 = _smallest(which)
        which &= which - _ONE
        w1, r1 = weights[k1], rows[k1]
        if which == _NONE:
            for j in range(n_columns):
                out[j] += w0 * r0[j] + w1 * r1[j]
            return
        k2 = _smallest(which)
        which &= which - _ONE
        w2, r2 = weights[k2], rows[k2]
        if which == _NONE:
            for j in range(n_columns):
                out[j] += (w0 * r0[j] + w1 * r1[j]) + w2 * r2[j]
            return
        k3 = _smallest(which)
        which &= which - _ONE
        w3, r3 = weights[k3], rows[k3]
        for j in range(n_columns):
            out[j] += (w0 * r0[j] + w1 * r1[j]) + (w2 * r2[j] + w3 * r3[j])


def _quarter(v, h, out):
    """The work of ``product_transposed`` if a quarter of ``v`` is not zero."""
    return v.size * h.shape[1] // 4


def _rows_or_blocks(v, W, out):
    return out.shape[1] if out.shape[0] == 1 else out.shape[0]


@divisible(_quarter, _rows_or_blocks, **REORDERED)
def product(v, W, out, first, stop):
    """``v W = out.sum(axis=0)``, skipping the zeros of v.

    Parameters
    ----------
    v : ndarray of shape (n, D)                                                           IN
    W : ndarray of shape (D, M)                                                           IN
    out : ndarray of shape (n_blocks, n, M)                                               OUT
        The sums over the columns of each block. So who updates some rows of W reads them alone.
    first, stop : int                                                                     IN
        The blocks to do or, if there is but one, the rows.
    """
    n_columns, n_blocks = v.shape[1], out.shape[0]
    first_row, stop_row = 0, v.shape[0]
    if n_blocks == 1:
        first_row, stop_row, first, stop = first, stop, 0, 1
    for block in range(first, stop):
        sums = out[block]
        sums[first_row:stop_row] = 0
        end = n_columns * (block + 1) // n_blocks
        for i in range(n_columns * block // n_blocks, end, _SET):
            rows = W[i : min(i + _SET, end)]
            for r in range(first_row, stop_row):
                values = v[r, i : min(i + _SET, end)]
                which = _NONE
                for k in range(values.shape[0]):
                    which |= np.uint64(_bits(values[k]) != 0) << np.uint64(k)
                _add_rows(which, values, rows, sums[r])


@divisible(_quarter, **REORDERED)
def product_transposed(v, h, out, first, stop):
    """``out = v^T h``, skipping the zeros of v.

    Parameters
    ----------
    v : ndarray of shape (n, D)                                                           IN
    h : ndarray of shape (n, M)                                                           IN
    out : ndarray of shape (D, M)                                                         OUT
    first, stop : int                                                                     IN
        The columns of v to do.
    """
    n_rows, out = v.shape[0], out[first:stop]
    out[:] = 0
    which = np.empty(stop - first, np.uint64)  # of the rows, for each column
    for begin in range(0, n_rows, _SET):
        end = min(begin + _SET, n_rows)
        which[:] = _NONE
        for r in range(begin, end):
            values, k = v[r, first:stop], np.uint64(r - begin)
            for i in range(values.shape[0]):
                which[i] |= np.uint64(_bits(values[i]) != 0) << k
        for i in range(which.shape[0]):
            _add_rows(which[i], v[begin:end, first + i], h[begin:end], out[i])
