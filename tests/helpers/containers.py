"""The containers in which rows may come, for each model: functions of an array and a folder."""

import numpy as np
import pytest
from scipy import sparse

from .ratings import stored


def as_frame(X, path=None):
    return pytest.importorskip("pandas").DataFrame(X, columns=list("abcdef"))


def as_nullable_frame(X, path):
    pd = pytest.importorskip("pandas")
    columns = [pd.array(np.nan_to_num(c), dtype="Float64") for c in X.T]
    for column, values in zip(columns, X.T, strict=True):
        column[np.isnan(values)] = pd.NA
    return pd.DataFrame(dict(zip("abcdef", columns, strict=True)))


def as_memmap(X, path):
    file = path / f"{len(list(path.iterdir()))}.npy"
    np.save(file, X)
    return np.load(file, mmap_mode="r")


def as_read_only(X, path):
    X = X.copy()
    X.flags.writeable = False
    return X


def as_strided(X, path):
    larger = np.full((2 * X.shape[0], 3 * X.shape[1]), 77, X.dtype)
    larger[::2, ::3] = X
    return larger[::2, ::3]


DENSE = {
    "list": lambda X, path: X.tolist(),
    "frame": as_frame,
    "memmap": as_memmap,
    "read-only": as_read_only,
    "Fortran": lambda X, path: np.asfortranarray(X),
    "strided": as_strided,
    "reversed": lambda X, path: X[::-1, ::-1].copy()[::-1, ::-1],
    "big-endian": lambda X, path: X.astype(">f8"),
    "object": lambda X, path: X.astype(object),
}


# --- sparse ones: of numbers, and of ratings, of which zeros are stored ---


def as_read_only_csr(X, csr):
    """The way joblib hands large data to its workers."""
    X = csr(X)
    for part in (X.data, X.indices, X.indptr):
        part.flags.writeable = False
    return X


def as_csr_with_long_indices(X, csr):
    X = csr(X)
    X.indices, X.indptr = X.indices.astype(np.int64), X.indptr.astype(np.int64)
    return X


def as_csr_of_duplicates(X, path):
    """Duplicate entries, which add up, and columns in no order."""
    parts = sparse.csr_array(X / 2)
    data = np.concatenate((parts.data, parts.data))
    row_ends = [slice(parts.indptr[r], parts.indptr[r + 1]) for r in range(X.shape[0])]
    indices = [np.concatenate((parts.indices[s][::-1], parts.indices[s])) for s in row_ends]
    data = [np.concatenate((parts.data[s][::-1], parts.data[s])) for s in row_ends]
    return sparse.csr_array(
        (np.concatenate(data), np.concatenate(indices), 2 * parts.indptr), shape=X.shape
    )


def as_unsorted_csr(X, path):
    X = stored(X)
    for first, stop in zip(X.indptr[:-1], X.indptr[1:], strict=True):
        X.indices[first:stop] = X.indices[first:stop][::-1].copy()
        X.data[first:stop] = X.data[first:stop][::-1].copy()
    return sparse.csr_array((X.data, X.indices, X.indptr), shape=X.shape)


def as_csr_with_stored_nan(X, path):
    places = np.nonzero(np.ones(X.shape))
    return sparse.csr_array((X.ravel(), places), shape=X.shape)


def as_csr_with_room(X, path):
    """Arrays longer than what is stored, as scipy leaves behind before ``prune``."""
    X = stored(X)
    X.data = np.append(X.data, np.full(2, 9, X.data.dtype))
    X.indices = np.append(X.indices, np.full(2, 3, X.indices.dtype))
    return X


def shuffled_coo(X, path):
    X = stored(X).tocoo()
    order = np.random.default_rng(0).permutation(X.nnz)
    return sparse.coo_array((X.data[order], (X.row[order], X.col[order])), shape=X.shape)


def in_format(form, kind):
    def convert(X, path):
        csr = stored(X)
        if form == "dok":  # whose constructors drop zeros
            dok = kind(csr.shape, dtype=X.dtype).asformat("dok")
            coo = csr.tocoo()
            dok._dict.update(
                {(int(i), int(j)): v for i, j, v in zip(coo.row, coo.col, coo.data, strict=True)}
            )
            return dok
        return kind(csr).asformat(form)

    return convert


KINDS = (sparse.csr_array, sparse.csr_matrix)
NUMBERS = {
    **DENSE,
    "long double csr": lambda X, path: sparse.csr_array(X.astype(np.longdouble)),
    "read-only csr": lambda X, path: as_read_only_csr(X, sparse.csr_array),
    "long csr": lambda X, path: as_csr_with_long_indices(X, sparse.csr_array),
    "unsorted csr": as_csr_of_duplicates,
    **{
        f"{form}_{kind.__name__[4:]}": lambda X, path, form=form, kind=kind: kind(X).asformat(form)
        for form in ("csr", "csc", "coo", "lil", "dok", "dia", "bsr")
        for kind in KINDS
    },
}
RATINGS = {
    **DENSE,
    "list with None": lambda X, path: np.where(np.isnan(X), None, X.astype(object)).tolist(),
    "nullable frame": as_nullable_frame,
    "object with None": lambda X, path: np.where(np.isnan(X), None, X.astype(object)),
    "float16": lambda X, path: X.astype(np.float16),
    "long double": lambda X, path: X.astype(np.longdouble),
    "read-only csr": lambda X, path: as_read_only_csr(X, stored),
    "long csr": lambda X, path: as_csr_with_long_indices(X, stored),
    "unsorted csr": as_unsorted_csr,
    "csr with NaN": as_csr_with_stored_nan,
    "csr with room": as_csr_with_room,
    "shuffled coo": shuffled_coo,
    **{
        f"{form}_{kind.__name__[4:]}": in_format(form, kind)
        for form in ("csr", "csc", "coo", "lil", "dok")
        for kind in KINDS
    },
}

#: By the name of the model.
CONTAINERS = {"Bernoulli": NUMBERS, "Gaussian": DENSE, "softmax": RATINGS}

#: Those that cannot hold float32, or do not say that they do.
FLOAT64_ONLY = {
    "list",
    "big-endian",
    "object",
    "long double csr",
    "list with None",
    "nullable frame",
    "object with None",
    "float16",
    "long double",
}
