"""Queries: which entries of X a user asks for."""

import numpy as np

from .._input.tables import refuse_dask


def check_queries(rows, columns, data):
    """Queries as two arrays of numbers within range.

    Query q asks for entry (``rows[q]``, ``columns[q]``) of ``data``, which has ``n_rows`` and
    ``n_features``.
    """
    if rows is None or columns is None:
        raise ValueError("rows and columns go together: give both, or neither for all entries.")
    numbers = {"rows": (rows, data.n_rows), "columns": (columns, data.n_features)}
    rows, columns = (check_numbers(name, *given) for name, given in numbers.items())
    if rows.shape != columns.shape:
        raise ValueError(
            "rows and columns must be of one length, an entry of each per query. Got "
            f"{len(rows)} rows and {len(columns)} columns."
        )
    return rows, columns


def check_numbers(name, given, n):
    """Numbers of rows or columns, below n, as a flat array."""
    refuse_dask(given, name)
    if np.ma.is_masked(given):
        raise ValueError(f"{name} must not mask entries.")
    numbers = np.asarray(given)
    if numbers.ndim != 1:
        raise ValueError(f"{name} must be flat, one entry per query. Got shape {numbers.shape}.")
    if len(numbers) and numbers.dtype.kind not in "iu":
        raise ValueError(f"{name} must hold integers. Got an array of {numbers.dtype}.")
    wrong = np.flatnonzero((numbers < 0) | (numbers >= n)) if len(numbers) else []
    if len(wrong):
        raise ValueError(
            f"{name}[{wrong[0]}] is {numbers[wrong[0]]}, but must be at least 0 and below {n}."
        )
    return numbers.astype(np.int64)


def by_rows(rows, most_rows, most):
    """Yield numbers of queries, those of the first rows first: of few rows, and few at a time."""
    order = np.argsort(rows, kind="stable")
    first = 0
    while first < len(rows):
        stop = np.searchsorted(rows, rows[order[first]] + most_rows, sorter=order)
        asked = order[first : min(stop, first + most)]
        first += len(asked)
        yield asked
