"""Numba functions that read rows.

The house rules stand in ``inlined``.
"""

from .cache import kernel
from .crew import divisible, per_number
from .inlined import OPTIONS

__all__ = ["read_csr", "take_rows"]


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


@divisible(per_number(15), **OPTIONS)
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
