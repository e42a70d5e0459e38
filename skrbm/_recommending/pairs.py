"""What a user hands to a recommender, pairs and ratings, as columns, a scale and a table."""

from collections.abc import Sequence

import narwhals as nw
import numpy as np
from scipy import sparse
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.validation import validate_data

from .._input.tables import unmasked

MOST_RATINGS = 100  # distinct ones: each is a category with weights of its own
_ROUNDING = 1e-6  # ratings that differ by less, of the largest one, are one


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
    if sparse.issparse(X):
        raise TypeError(
            "X is a sparse matrix, but must hold pairs, one column of users and one of items: "
            "np.column_stack(X.tocoo().coords), with X.tocoo().data as y."
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
    if isinstance(values, np.ndarray) and values.ndim == 1:
        return unmasked(values) if isinstance(values, np.ma.MaskedArray) else values
    series = nw.from_native(values, series_only=True, pass_through=True)
    if isinstance(series, nw.Series):
        return series.to_numpy()
    if isinstance(values, str | bytes) or not hasattr(values, "__len__"):
        raise TypeError(f"{name} must be a list or an array of ids. Got {values!r}: use brackets.")
    return _flat(list(values))


def _columns(X):
    """The columns of a frame, an array or a list of rows."""
    frame = nw.from_native(X, eager_only=True, pass_through=True)
    if isinstance(frame, nw.DataFrame):
        return [frame[name].to_numpy() for name in frame.columns]
    if isinstance(X, np.ma.MaskedArray):
        X = unmasked(X)
    if isinstance(X, Sequence) and not isinstance(X, str | bytes):
        # NumPy would make texts of the numbers in a list of rows such as ("ann", 3).
        lengths = {len(row) if hasattr(row, "__len__") else 0 for row in X}
        if len(lengths) == 1 and lengths != {0}:
            return [_flat([row[j] for row in X]) for j in range(lengths.pop())]
    X = np.asarray(X)
    if X.ndim != 2:
        raise ValueError(
            "X must be a table of two columns, ids of users and of items. Got an array of shape "
            f"{X.shape}. Reshape X, or build a frame of both columns."
        )
    return list(X.T)


def _flat(values):
    """A list of objects, which may be sequences, as a flat array of objects."""
    out = np.empty(len(values), object)
    out[:] = values
    return out


def frame(columns, as_frame):
    """A data frame of named columns, of pandas or polars."""
    backend = "pandas" if as_frame is True else as_frame
    columns = {name: values.tolist() for name, values in columns.items()}
    return nw.from_dict(columns, backend=backend).to_native()


# --- ratings ----------------------------------------------------------------------------------


def read_ratings(y, users):
    """Ratings as a flat array of finite floats, as many as there are pairs."""
    if isinstance(y, np.ma.MaskedArray):
        y = unmasked(y)
    y = column_or_1d(y, warn=True)
    check_consistent_length(users, y)
    if y.dtype.kind not in "biuf":
        try:
            y = y.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError(f"y must hold ratings, which are numbers: {error}") from error
    wrong = ~np.isfinite(y)
    if wrong.any():
        raise ValueError(
            f"y holds {y[np.argmax(wrong)]} in row {np.argmax(wrong)}, and {wrong.sum()} ratings "
            "that are NaN or infinite in all. A pair without a rating says nothing: leave its row "
            "out of X and y, or fit with y=None if all pairs count alike."
        )
    return y if y.dtype == np.float32 else y.astype(np.float64)


def scale_of(y):
    """The distinct ratings, ascending: what only rounding tells apart (0.3, 0.1 * 3) is one.

    Returns the ratings, of each group of equal ones the most frequent, and the place there of
    each entry of y.
    """
    values, place, counts = np.unique(y, return_inverse=True, return_counts=True)
    group = np.cumsum(np.diff(values, prepend=values[0]) > _ROUNDING * np.abs(values).max())
    order = np.lexsort((-counts, group))
    first = np.flatnonzero(np.diff(group, prepend=-1))
    scale = values[order[first]]
    if len(scale) > MOST_RATINGS:
        raise ValueError(
            f"y holds {len(scale)} distinct ratings, from {scale[0]:g} to {scale[-1]:g}, and each "
            f"is a category of its own. Round them to a scale of at most {MOST_RATINGS} values, "
            "for example to half stars by np.round(2 * y) / 2."
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
            f"rows {one} and {other} of X are one pair, user {user_ids[users[one]]!r} and item "
            f"{item_ids[items[one]]!r}, but y holds {values[one]:g} and {values[other]:g}. Keep "
            "one of them, for example the last: X.drop_duplicates(keep='last')."
        )
    order = np.delete(order, again)
    table = sparse.coo_array((values[order], (users[order], items[order])), shape=shape)
    return table.tocsr()


def taken(table, rows, n_columns):
    """Rows of a table, of which only the first columns; row -1 is empty."""
    known = rows >= 0
    part = table[rows[known]][:, :n_columns]
    lengths = np.zeros(len(rows), np.int64)
    lengths[known] = np.diff(part.indptr)
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    return sparse.csr_array((part.data, part.indices, indptr), shape=(len(rows), n_columns))


def cells(table, n_items):
    """The stored pairs of a table, as cells of one with so many columns."""
    users, items = table.tocoo().coords
    return users.astype(np.int64) * n_items + items


def overlaid(old, new):
    """A table with the entries of another, larger one laid over it."""
    kept = ~np.isin(cells(old, new.shape[1]), cells(new, new.shape[1]))
    old, new = old.tocoo(), new.tocoo()
    coords = [np.concatenate([a[kept], b]) for a, b in zip(old.coords, new.coords, strict=True)]
    values = np.concatenate([old.data[kept], new.data])
    return sparse.coo_array((values, tuple(coords)), shape=new.shape).tocsr()


def on_scale(y, scale):
    """Ratings as members of a scale; refuses a rating that is none."""
    place = np.abs(y[:, np.newaxis] - scale).argmin(axis=1)
    off = np.abs(y - scale[place]) > _ROUNDING * np.abs(scale).max()
    if off.any():
        raise ValueError(
            f"y holds the rating {y[np.argmax(off)]:g}, which none of the ratings in fit was: "
            f"{np.array2string(scale, threshold=12, separator=', ')}. Fit again with all ratings."
        )
    return scale[place]
