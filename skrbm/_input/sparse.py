"""Sparse matrices as CSR that kernels can read: kernels do not check bounds."""

from numbers import Integral

import numpy as np

from .._machine.memory import aligned

# Of each format: the names of its arrays, and their numbers of dimensions.
_VALUES = {"csr": 1, "csc": 1, "bsr": 3, "coo": 1, "dia": 2}
_INDICES = {
    "csr": ("indices", "indptr"),
    "csc": ("indices", "indptr"),
    "bsr": ("indices", "indptr"),
    "coo": ("row", "col"),
    "dia": ("offsets",),
}
_BLOCK = 2**20  # entries that are looked at at a time
_INDEX_DTYPES = {np.dtype(np.int32), np.dtype(np.int64)}  # SciPy knows no others


def sound_csr(X):
    """A sparse matrix as CSR of what it stores, and nothing behind that.

    A CSR matrix keeps its arrays, or shorter views of them, if they are aligned.
    """
    if X.ndim != 2:
        raise ValueError(f"X must be a table, but is a sparse array of {X.ndim} dimension(s).")
    _check_arrays(X)  # SciPy's conversions do not check bounds either
    try:
        csr = X.tocsr()
    except (IndexError, TypeError, ValueError) as error:
        raise _not_valid(X, str(error)) from error
    if csr is not X:
        _check_arrays(csr)
    n = int(csr.indptr[-1])
    arrays = csr.data, csr.indices, csr.indptr
    if len(csr.data) == len(csr.indices) == n and all(a.flags.aligned for a in arrays):
        return csr
    arrays = csr.data[:n], csr.indices[:n], csr.indptr
    return type(csr)(tuple(map(aligned, arrays)), shape=csr.shape)


def stored_entries(X):
    """A sparse matrix of ratings as sound CSR with sorted indices: zeros are ratings too.

    Refused are two ratings at one place, which SciPy would add up, and zeros that fill up blocks
    or diagonals, which nobody has rated.
    """
    csr = sound_csr(X)
    if X.format in ("bsr", "dia") and _stores_zeros(X):
        raise ValueError(
            f"X is a sparse {X.format.upper()} matrix that stores zeros: a rating of 0 cannot be "
            "told from the zeros that fill up a block or a diagonal. If 0 is no rating, call "
            "X = X.tocsr() and X.eliminate_zeros(); if it is one, build X of the ratings alone: "
            "coo_array((ratings, (rows, columns)))."
        )
    if not ascends(csr):
        csr = csr.copy()
        csr.has_sorted_indices = False  # whatever X has said of itself
        csr.sort_indices()
    if (X.format == "coo" and csr.nnz < X.nnz) or not ascends(csr):
        coo = X.tocoo()
        places, counts = np.unique(np.stack((coo.row, coo.col)), axis=1, return_counts=True)
        row, column = places[:, np.argmax(counts > 1)]
        raise ValueError(
            f"X stores {counts.max()} entries at row {row}, column {column}: a sample has one "
            "category per feature. Keep one of them."
        )
    return csr


def ascends(X):
    """Whether the column indices of each row of a sound CSR matrix do, each once."""
    indices, row_ends = X.indices, X.indptr[1:-1]
    for first in range(0, len(indices) - 1, _BLOCK):
        part = indices[first : first + _BLOCK + 1]
        ascending = part[1:] > part[:-1]
        # Between the last entry of a row and the first of the next.
        start, stop = np.searchsorted(row_ends, (first + 1, first + len(part)))
        ascending[row_ends[start:stop] - first - 1] = True
        if not ascending.all():
            return False
    return True


def summed(X, dtype):
    """A sound CSR matrix with one entry at a place: entries there add up, as floats do."""
    if ascends(X):
        return X
    X = X.astype(dtype)  # a copy
    X.has_canonical_format = False  # whatever X has said of itself
    X.sum_duplicates()
    return X


def _stores_zeros(X):
    """Whether a BSR or DIA matrix stores zeros within its shape."""
    if X.format == "bsr":
        return (X.data[: X.indptr[-1]] == 0).any()
    columns = np.arange(X.data.shape[1])
    rows = columns - X.offsets[:, np.newaxis].astype(np.int64)
    inside = (rows >= 0) & (rows < X.shape[0]) & (columns < X.shape[1])
    return ((X.data == 0) & inside).any()


def _check_arrays(X):
    """Refuse a sparse matrix whose arrays do not fit together, or point outside it."""
    if X.format == "lil" and not _lil_fits(X):
        raise _not_valid(X, "X.rows and X.data are not lists of integers and as many values")
    if X.format not in _VALUES:
        return  # lists and dictionaries: SciPy's Python code checks the rest
    indices = _INDICES[X.format]
    for name, n_dimensions in {"data": _VALUES[X.format], **dict.fromkeys(indices, 1)}.items():
        array = getattr(X, name)
        if not isinstance(array, np.ndarray) or isinstance(array, np.ma.MaskedArray):
            raise _not_valid(X, f"X.{name} is a {type(array).__name__}, not a plain array")
        if array.ndim != n_dimensions:
            raise _not_valid(X, f"X.{name} has {array.ndim} dimensions, not {n_dimensions}")
        if name in indices and array.dtype not in _INDEX_DTYPES:
            raise _not_valid(
                X, f"X.{name} holds {array.dtype}, not int32 or int64 in native byte order"
            )
    if not {"coo": _coo_fits, "dia": _dia_fits}.get(X.format, _compressed_fits)(X):
        names = " and ".join(f"X.{name}" for name in ("data", *indices))
        raise _not_valid(X, f"{names} do not fit together, or point outside it")


def _lil_fits(X):
    parts = [*X.rows, *X.data]
    return (
        all(isinstance(part, list) for part in parts)
        and list(map(len, X.rows)) == list(map(len, X.data))
        and all(issubclass(kind, Integral) for kind in {type(i) for row in X.rows for i in row})
    )


def _coo_fits(X):
    sizes = len(X.data) == len(X.row) == len(X.col)
    return sizes and _within(X.row, X.shape[0]) and _within(X.col, X.shape[1])


def _dia_fits(X):
    return len(X.offsets) == len(X.data) == len(np.unique(X.offsets))


def _compressed_fits(X):
    (n_rows, n_columns), indptr = X.shape, X.indptr
    if X.format == "csc":
        n_rows, n_columns = n_columns, n_rows
    if X.format == "bsr":
        height, width = X.data.shape[1:]
        if 0 in (height, width) or n_rows % height or n_columns % width:
            return False
        n_rows, n_columns = n_rows // height, n_columns // width
    return (
        len(indptr) == n_rows + 1
        and indptr[0] == 0
        and (indptr[1:] >= indptr[:-1]).all()
        and indptr[-1] <= min(len(X.indices), len(X.data))
        and _within(X.indices[: indptr[-1]], n_columns)
    )


def _within(indices, n):
    return len(indices) == 0 or 0 <= indices.min() <= indices.max() < n


def _not_valid(X, fault):
    """The error that says what is wrong with a sparse matrix."""
    return ValueError(
        f"X is not a valid {X.format.upper()} matrix of shape {X.shape}: {fault}. Build X anew, "
        "for example coo_array((values, (rows, columns)), shape=X.shape)."
    )
