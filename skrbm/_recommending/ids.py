"""Ids of users and items, of any hashable kind, as numbers from 0.

Ids that are numbers for Python (17, 17.0, True) are one kind and equal by value; all others are
objects and equal as keys of a dict. The distinct ids are an array, the code of an id is its place
there, and -1 stands for an id that the array does not hold.
"""

from contextlib import suppress

import numpy as np

_WHOLE = np.iinfo(np.int64)


def distinct(column, name):
    """The distinct ids of a column, ascending where they have an order, and the codes of all.

    Parameters
    ----------
    column : ndarray of shape (n,)
    name : str
        What messages call the ids, as in "user".
    """
    column = _canonical(column, name)
    if column.dtype != object:
        return np.unique(column, return_inverse=True)
    ids = list(dict.fromkeys(column.tolist()))
    with suppress(TypeError):  # ids of several kinds stay in the order of their first appearance
        ids.sort()
    return _objects(ids), _look_up_objects(ids, column)


def look_up(ids, column, name):
    """The codes of a column among known ids.

    Parameters
    ----------
    ids : ndarray of shape (n_ids,)
        As ``distinct`` returns them.
    column : ndarray of shape (n,)
    name : str
        What messages call the ids.
    """
    column = _canonical(column, name)
    _check_kind(ids, column, name)
    if ids.dtype == object or column.dtype == object:
        return _look_up_objects(ids.tolist(), column)
    place = np.searchsorted(ids, column).clip(max=max(len(ids) - 1, 0))
    return np.where(ids[place] == column, place, -1) if len(ids) else np.full(len(column), -1)


def joined(ids, column, name):
    """Known ids, then the new ones of a column; and the codes of the column among them."""
    codes = look_up(ids, column, name)
    new = codes < 0
    if not new.any():
        return ids, codes
    more, codes_of_new = distinct(column[new], name)
    codes[new] = len(ids) + codes_of_new
    if ids.dtype != more.dtype:
        return _objects(ids.tolist() + more.tolist()), codes
    return np.concatenate([ids, more]), codes


def _canonical(column, name):
    """A column as int64 or float64 if all its ids are such numbers, else as objects; no NaN."""
    if column.dtype.kind not in "biufO":
        column = column.astype(object) if column.dtype.kind != "M" else _objects(column.tolist())
    if column.dtype == object:
        column = _of_objects(column, name)
    if column.dtype.kind == "f" and np.isnan(column).any():
        _refuse(np.isnan(column), name)
    if column.dtype.kind == "f":
        return column.astype(np.float64)
    if column.dtype.kind == "u" and len(column) and column.max() > _WHOLE.max:
        return column.astype(object)
    return column if column.dtype == object else column.astype(np.int64)


def _of_objects(column, name):
    """A column of objects, as an array of numbers if all are numbers that fit one."""
    missing = np.fromiter((v is None or _is_unequal(v) for v in column), bool, len(column))
    if missing.any():
        _refuse(missing, name)
    kinds = set(map(type, column))
    if all(issubclass(kind, bool | int | np.bool_ | np.integer) for kind in kinds) and all(
        _WHOLE.min <= v <= _WHOLE.max for v in column
    ):
        return column.astype(np.int64)
    if all(issubclass(kind, float | np.floating) for kind in kinds):
        return column.astype(np.float64)
    try:
        for v in column:
            hash(v)
    except TypeError as error:
        raise TypeError(
            f"the {name} id {str(v)[:60]!r} is a {type(v).__name__}, which cannot be a key. Use a "
            "string, a number or a tuple."
        ) from error
    return column


def _is_unequal(value):
    """Whether a value is not itself, as NaN and NaT are, or cannot say so, as pandas.NA."""
    try:
        return bool(value != value)
    except (TypeError, ValueError):
        return type(value).__name__ == "NAType"


def _refuse(missing, name):
    raise ValueError(
        f"the {name} id in row {np.argmax(missing)} of X is missing (None or NaN), as are "
        f"{missing.sum() - 1} others. Leave such rows out, or give them an id of their own."
    )


def _objects(ids):
    """A list of objects as a flat array, even if they are tuples."""
    out = np.empty(len(ids), object)
    out[:] = ids
    return out


def _look_up_objects(ids, column):
    places = {key: place for place, key in enumerate(ids)}
    return np.fromiter((places.get(key, -1) for key in column.tolist()), np.int64, len(column))


def _check_kind(ids, column, name):
    """Refuse numbers where texts were learned, and the other way round: no id would be known."""
    kinds = [_kind(array) for array in (ids, column)]
    if None not in kinds and kinds[0] != kinds[1]:
        raise ValueError(
            f"the {name} ids were {kinds[0]} in fit, such as {ids[0]!r}, but are {kinds[1]} now, "
            f"such as {column[0]!r}. Pass ids of one kind, for example by X.astype."
        )


def _kind(array):
    """What all ids of an array are, if that can be said; of a long array the first thousand."""
    if array.dtype != object:
        return "numbers" if len(array) else None
    return "texts" if len(array) and all(isinstance(v, str) for v in array[:1000]) else None
