"""What a user hands to a recommender, pairs and ratings, as columns, a scale and a table."""

from collections.abc import Mapping, Sequence, Set
from contextlib import suppress

import narwhals as nw
import numpy as np
from scipy import sparse
from sklearn.utils import column_or_1d
from sklearn.utils.validation import validate_data

from .._input.tables import refuse_dask, unmasked
from .ids import flat, shown

MOST_RATINGS = 100  # distinct ones: each is a category with weights of its own
_CLOSE = 1e-6  # ratings that differ by less, of the largest one: 32-bit floats hardly tell
_SMALLEST, _LARGEST = 1e-30, 1e30  # well within 32-bit floats
_ROUNDING = {4: _CLOSE, 8: 1e-12}  # ratings of so many bytes that differ by less are one


# --- pairs ------------------------------------------------------------------------------------


def read_pairs(estimator, X, *, reset=False):
    """The column of users and the column of items, as flat arrays.

    Parameters
    ----------
    estimator : estimator instance
    X : {array-like, data frame} of shape (n_pairs, 2)
    reset : bool, default=False
        Whether to learn the names of the columns, or to check them.
    """
    refuse_dask(X, "X")
    if sparse.issparse(X):
        raise TypeError(
            "X is a sparse matrix, but must hold pairs, one column of users and one of items: "
            "coo = X.tocoo(), X = np.column_stack([coo.row, coo.col]), y = coo.data."
        )
    columns = _columns(X)
    if len(columns) != 2:
        raise ValueError(
            f"X must have two columns, ids of users and of items. Got {len(columns)} columns. "
            "Ratings are the argument y."
        )
    if len(columns[0]) == 0:
        raise ValueError("X holds no pair of user and item: there must be at least one row.")
    validate_data(estimator, X, reset=reset, skip_check_array=True)
    return columns


def read_column(values, name):
    """Ids as a flat array, of objects unless they come in an array or a series of numbers."""
    refuse_dask(values, name)
    values = _without_mask(values)
    if isinstance(values, np.ndarray) and values.ndim == 1:
        return values
    series = nw.from_native(values, series_only=True, pass_through=True)
    if isinstance(series, nw.Series):
        return series.to_numpy()
    unordered = isinstance(values, str | bytes | Mapping | Set) or not hasattr(values, "__len__")
    if unordered or len(getattr(values, "shape", (0,))) != 1:
        raise TypeError(
            f"{name} must be a list or a flat array of ids. Got {str(values)[:60]!r}, a "
            f"{type(values).__name__}: use brackets for a single id."
        )
    return flat(list(values))


def _columns(X):
    """The columns of a frame, an array or a list of rows."""
    try:
        frame = nw.from_native(X, eager_only=True, pass_through=True)
        if isinstance(frame, nw.DataFrame):
            return [frame[name].to_numpy() for name in frame.columns]
    except nw.exceptions.DuplicateError:
        raise ValueError(
            f"X has several columns of one name: {list(X.columns)}. Rename them, for example to "
            "'user' and 'item'."
        ) from None
    if isinstance(X, Sequence) and not isinstance(X, str | bytes):
        return _columns_of_rows(X)
    X = _without_mask(X)
    if np.ndim(X) != 2:
        given = f"an array of shape {np.shape(X)}" if np.ndim(X) else f"a {type(X).__name__}"
        raise ValueError(
            f"X must be a table of two columns, ids of users and of items. Got {given}. Pass a "
            "frame of both columns, an array of shape (n_pairs, 2) or a list of pairs."
        )
    return list(np.asarray(X).T)


def _columns_of_rows(rows):
    """The columns of a list of rows; NumPy would make texts of the numbers in ("ann", 3)."""
    kinds = {kind: _is_row(kind) for kind in set(map(type, rows))}
    if not all(kinds.values()):
        wrong = next(row for row in rows if not kinds[type(row)])
        raise ValueError(
            "X must be a table of two columns or a list of pairs, each a user and an item. Got "
            f"{str(wrong)[:60]!r}, a {type(wrong).__name__}, in the place of a pair."
        )
    lengths = sorted(set(map(len, rows)))
    if len(lengths) > 1:
        raise ValueError(
            "X must have two columns, ids of users and of items. Got a list of rows with "
            f"{lengths[0]} to {lengths[-1]} entries."
        )
    return [flat([row[j] for row in rows]) for j in range(lengths[0] if lengths else 2)]


def _is_row(kind):
    return issubclass(kind, Sequence | np.ndarray) and not issubclass(kind, str | bytes)


def _without_mask(X):
    """Of a masked array, one with None for what it masks; whole numbers stay such."""
    masked = isinstance(X, np.ma.MaskedArray)
    return np.where(np.ma.getmaskarray(X), None, X.data) if masked else X


def frame(columns, as_frame):
    """A data frame of named columns, of pandas or polars."""
    backend = as_frame if isinstance(as_frame, str) else "pandas"
    columns = {name: values.tolist() for name, values in columns.items()}
    try:
        return nw.from_dict(columns, backend=backend).to_native()
    except TypeError as error:
        raise TypeError(
            f"ids of several kinds do not fit a column of {backend}. Pass as_frame='pandas'. "
            f"({str(error).partition(chr(10))[0]})"
        ) from error


# --- ratings ----------------------------------------------------------------------------------


def read_ratings(y, users):
    """Ratings as a flat array of finite floats, as many as there are pairs."""
    refuse_dask(y, "y")
    if isinstance(y, np.ma.MaskedArray):
        y = unmasked(y)
    y = column_or_1d(y, warn=True)
    if len(y) != len(users):
        raise ValueError(
            f"X holds {len(users)} pairs, but y holds {len(y)} ratings: each pair needs one."
        )
    if y.dtype.kind == "O" and not any(isinstance(v, str | bytes) for v in y):
        with suppress(TypeError, ValueError):
            y = y.astype(np.float64)
    if y.dtype.kind not in "biuf":
        raise ValueError(
            f"y must hold ratings, which are numbers. Got {y[:1].tolist()[0]!r}. Convert them, "
            "for example by y.astype(float)."
        )
    wrong = ~np.isfinite(y)
    if wrong.any():
        raise ValueError(
            f"y holds {y[np.argmax(wrong)]} in row {np.argmax(wrong)}, and {wrong.sum()} ratings "
            "that are NaN or infinite in all. A pair without a rating says nothing: leave its row "
            "out of X and y, or fit with y=None if all pairs count alike."
        )
    return y.astype(np.float32 if y.dtype.str[1:] == "f4" else np.float64, copy=False)


def scale_of(y):
    """The distinct ratings, ascending: what only rounding tells apart (0.3, 0.1 * 3) is one.

    Returns the ratings, of each group of equal ones the most frequent, and the place there of
    each entry of y.
    """
    values, place, counts = np.unique(y, return_inverse=True, return_counts=True)
    gaps, largest = np.diff(values), np.abs(values).max()
    rounding = _ROUNDING[y.itemsize] * largest
    group = np.concatenate([[0], np.cumsum(gaps > rounding)])
    order = np.lexsort((-counts, group))
    first = np.flatnonzero(np.diff(group, prepend=-1))
    scale = values[order[first]]
    if len(scale) > MOST_RATINGS:
        raise ValueError(
            f"y holds {len(scale)} distinct ratings, from {scale[0]:g} to {scale[-1]:g}, and each "
            f"is a category of its own. Round them to a scale of at most {MOST_RATINGS} values, "
            "for example to half stars by np.round(2 * y) / 2."
        )
    spread = np.maximum.reduceat(values, first) - values[first]  # small steps may add up
    close = (gaps > rounding) & (gaps <= _CLOSE * largest)
    close |= spread[group[1:]] > 2 * rounding
    if close.any():
        one, other = values[np.argmax(close) + np.arange(2)].tolist()
        raise ValueError(
            f"y holds {one!r} and {other!r}, which are too close to be told apart beside ratings "
            f"as large as {largest:g}. Round the ratings, or subtract their mean."
        )
    if largest and not _SMALLEST < largest < _LARGEST:
        raise ValueError(
            f"y holds ratings up to {largest:g} in size, which 32-bit floats cannot hold. Divide "
            f"them by a number, so that the largest is between {_SMALLEST:g} and {_LARGEST:g}."
        )
    return scale, group[place]


# --- the table --------------------------------------------------------------------------------


def table_of(users, items, values, user_ids, item_ids):
    """A CSR array of users by items; refuses a pair with two values.

    Parameters
    ----------
    users, items : ndarray of shape (n_pairs,)
        Codes.
    values : ndarray of shape (n_pairs,)
    user_ids, item_ids : ndarray
        What the codes stand for.
    """
    shape = len(user_ids), len(item_ids)
    cell = users.astype(np.int64) * shape[1] + items
    order = np.argsort(cell, kind="stable")
    again = np.flatnonzero(np.diff(cell[order]) == 0)
    unlike = values[order[again]] != values[order[again + 1]]
    if unlike.any():
        one, other = order[again[np.argmax(unlike)] + np.arange(2)]
        raise ValueError(
            f"rows {one} and {other} of X are one pair, user {shown(user_ids, users[one])} and "
            f"item {shown(item_ids, items[one])}, but y holds {values[one]:g} and "
            f"{values[other]:g}. Keep one of them, for example the last: X[kept] and y[kept] with "
            "kept = ~pandas.DataFrame(X).duplicated(keep='last')."
        )
    order = np.delete(order, again)
    if max(shape) < 2**31:  # the index that the kernels of rows are compiled for
        users, items = users.astype(np.int32), items.astype(np.int32)
    table = sparse.coo_array((values[order], (users[order], items[order])), shape=shape)
    return table.tocsr()


def taken(table, rows, n_columns):
    """Rows of a table, of which only the first columns; row -1 is empty."""
    known = rows >= 0
    part = table[rows[known]][:, :n_columns]
    indptr = np.zeros(len(rows) + 1, part.indptr.dtype)
    indptr[1:][known] = np.diff(part.indptr)
    np.cumsum(indptr, out=indptr)
    return sparse.csr_array((part.data, part.indices, indptr), shape=(len(rows), n_columns))


def cells(table, n_items):
    """The stored pairs of a table, as cells of one with so many columns."""
    table = table.tocoo()
    return table.row.astype(np.int64) * n_items + table.col


def overlaid(old, new):
    """A table with the entries of another, larger one laid over it."""
    kept = ~np.isin(cells(old, new.shape[1]), cells(new, new.shape[1]))
    old, new = old.tocoo(), new.tocoo()
    users = np.concatenate([old.row[kept], new.row])
    items = np.concatenate([old.col[kept], new.col])
    values = np.concatenate([old.data[kept], new.data])
    return sparse.coo_array((values, (users, items)), shape=new.shape).tocsr()


def on_scale(y, scale):
    """Ratings as members of a scale; refuses a rating that is none."""
    place = np.searchsorted((scale[1:] + scale[:-1]) / 2, y)  # the nearest
    off = np.abs(y - scale[place]) > _CLOSE * np.abs(scale).max()
    if off.any():
        raise ValueError(
            f"y holds the rating {y[np.argmax(off)]:g}, which none of the ratings in fit was: "
            f"{np.array2string(scale, threshold=12, separator=', ')}. Fit again with all ratings."
        )
    return scale[place]
