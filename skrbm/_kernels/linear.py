"""Numba functions of linear algebra: reading CSR rows, and products of few rows.

Notation: ``v`` visible rows (n, D), ``h`` hidden rows (n, M), ``W`` weights (D, M). The house
rules stand in ``inlined``.
"""

import numpy as np
from numba import float32, njit
from numba.extending import overload

from .cache import kernel
from .crew import divisible, per_number
from .inlined import INLINED, OPTIONS, REORDERED, bits_of_float32, bits_of_float64

__all__ = ["product", "product_transposed", "product_with_transpose", "read_csr", "take_rows"]


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


# --- Products of few rows ---------------------------------------------------------------------
#
# For a handful of rows a library's matrix product spends its time on packing the weights and
# on waking its threads. One thread is faster, which skips the zeros of v (design_notes.rst). The
# loops take four terms at a time: the target is then read and written a quarter as often.


def _bits(x):  # pragma: no cover - typed by the overload below
    raise TypeError("compiled code only")


@overload(_bits, jit_options=INLINED)
def _overload_bits(x):
    """The bits of a float: comparing them with 0 is cheaper, and -0.0 may count as non-zero."""
    bits = bits_of_float32 if x == float32 else bits_of_float64
    return lambda x: bits(x)


@njit(inline="always")
def _nonzero(row, where):
    """Write the indices of the non-zeros to ``where`` (size + 1, OUT); returns their number."""
    n = 0
    n_eights = row.shape[0] // 8 * 8
    for i in range(0, n_eights, 8):
        left = _bits(row[i]) | _bits(row[i + 1]) | _bits(row[i + 2]) | _bits(row[i + 3])
        right = _bits(row[i + 4]) | _bits(row[i + 5]) | _bits(row[i + 6]) | _bits(row[i + 7])
        if left | right != 0:
            for k in range(i, i + 8):
                where[n] = k  # overwritten by the next if the entry is 0: no branch to mispredict
                n += _bits(row[k]) != 0
    for i in range(n_eights, row.shape[0]):
        where[n] = i
        n += _bits(row[i]) != 0
    return n


def _quarter(v, h, out):
    """The work of products whose zeros are skipped, for a matrix of which a quarter are none."""
    return out.size * (v.size // min(out.shape)) // 4


@divisible(_quarter, **REORDERED)
def product(v, W, out, first, stop):
    """``out = v W``, skipping the zeros of v.

    Parameters
    ----------
    v : ndarray of shape (n, D)                                                           IN
    W : ndarray of shape (D, M)                                                           IN
    out : ndarray of shape (n, M)                                                         OUT
    first, stop : int                                                                     IN
        The rows to do.
    """
    nonzero = np.empty(v.shape[1] + 1, np.int32)
    for r in range(first, stop):
        n = _nonzero(v[r], nonzero)
        _weighted_rows(v[r], W, nonzero[:n], out[r])


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
    n_rows, n_columns = v.shape[0], stop - first
    # Find the non-zeros along rows, as memory lies, then sort them by column (count, cumulate,
    # fill): the rows of column i end up in nonzero_rows[end[i - 1] : end[i]].
    nonzero = np.empty(n_rows * n_columns + 1, np.int32)
    row_end = np.empty(n_rows, np.int64)
    total = 0
    for r in range(n_rows):
        total += _nonzero(v[r, first:stop], nonzero[total:])
        row_end[r] = total
    end = np.zeros(n_columns, np.int64)
    for i in nonzero[:total]:
        end[i] += 1
    begin = 0
    for i in range(n_columns):
        count = end[i]
        end[i] = begin
        begin += count
    nonzero_rows = np.empty(total, np.int32)
    begin = 0
    for r in range(n_rows):
        for i in nonzero[begin : row_end[r]]:
            nonzero_rows[end[i]] = r
            end[i] += 1
        begin = row_end[r]
    begin = 0
    for i in range(n_columns):
        _weighted_rows(v[:, first + i], h, nonzero_rows[begin : end[i]], out[first + i])
        begin = end[i]


@kernel(**REORDERED)
def _weighted_rows(weights, rows, which, out):
    """``out = sum_k weights[k] rows[k]`` over the k in ``which``."""
    out[:] = 0
    n_columns = out.shape[0]
    n_fours = which.shape[0] // 4 * 4
    for k in range(0, n_fours, 4):
        k0, k1, k2, k3 = which[k], which[k + 1], which[k + 2], which[k + 3]
        w0, w1, w2, w3 = weights[k0], weights[k1], weights[k2], weights[k3]
        r0, r1, r2, r3 = rows[k0], rows[k1], rows[k2], rows[k3]
        for j in range(n_columns):
            out[j] += (w0 * r0[j] + w1 * r1[j]) + (w2 * r2[j] + w3 * r3[j])
    for k in which[n_fours:]:
        w0, r0 = weights[k], rows[k]
        for j in range(n_columns):
            out[j] += w0 * r0[j]


@divisible(
    work=lambda h, W, out: h.size * W.shape[0], items=lambda h, W, out: W.shape[0], **REORDERED
)
def product_with_transpose(h, W, out, first, stop):
    """``out = h W^T``.

    Parameters
    ----------
    h : ndarray of shape (n, M)                                                           IN
    W : ndarray of shape (D, M)                                                           IN
    out : ndarray of shape (n, D)                                                         OUT
    first, stop : int                                                                     IN
        The rows of W to do.
    """
    n_rows, n_hidden = h.shape
    n_fours = n_rows // 4 * 4
    zero = h.dtype.type(0)
    for i in range(first, stop):
        w = W[i]
        for r in range(0, n_fours, 4):
            h0, h1, h2, h3 = h[r], h[r + 1], h[r + 2], h[r + 3]
            s0 = s1 = s2 = s3 = zero
            for j in range(n_hidden):
                s0 += h0[j] * w[j]
                s1 += h1[j] * w[j]
                s2 += h2[j] * w[j]
                s3 += h3[j] * w[j]
            out[r, i], out[r + 1, i], out[r + 2, i], out[r + 3, i] = s0, s1, s2, s3
        for r in range(n_fours, n_rows):
            h0 = h[r]
            s0 = zero
            for j in range(n_hidden):
                s0 += h0[j] * w[j]
            out[r, i] = s0
