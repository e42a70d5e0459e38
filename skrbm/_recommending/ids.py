"""Ids of users and items, of any hashable kind, as numbers from 0.

Ids that are numbers for Python (17, 17.0, True) are one kind and equal by value; all others are
objects and equal as keys of a dict. The distinct ids are an array, the code of an id is its place
there, and -1 stands for an id that the array does not hold.
"""

from contextlib import suppress
from datetime import date
from numbers import Number

import numpy as np

_WHOLE = np.iinfo(np.int64)
_SELF_EQUAL = {bool, bytes, int, str, tuple}  # kinds among which none is missing
#: What messages call ids that are all of a kind.
_KINDS = {"texts": str, "bytes": bytes, "dates": date}


def distinct(column, name):
    """The distinct ids of a column, ascending where they have an order, and the codes of all.

    Ids of several kinds are sorted by kind. Those without an order stay as they first appear.

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
    with suppress(TypeError):
        ids = sorted(ids, key=_order)  # a sort in place would leave them half sorted
    return flat(ids), _look_up_objects(ids, column)


def look_up(ids, column, name):
    """The codes of a column among known ids.

    Parameters
    ----------
    ids : ndarray of shape (n_ids,)
        As ``distinct`` and ``joined`` return them, in any order.
    column : ndarray of shape (n,)
    name : str
        What messages call the ids.
    """
    column = _canonical(column, name)
    _check_kind(ids, column, name)
    # NumPy would round large whole numbers to compare them with floats; Python does not.
    if ids.dtype == object or column.dtype != ids.dtype:
        return _look_up_objects(ids.tolist(), column)
    order = np.argsort(ids)
    place = order[np.searchsorted(ids, column, sorter=order).clip(max=len(ids) - 1)]
    return np.where(ids[place] == column, place, -1)


def joined(ids, column, name):
    """Known ids, then the new ones of a column; and the codes of the column among them."""
    codes = look_up(ids, column, name)
    new = codes < 0
    if not new.any():
        return ids, codes
    more, codes_of_new = distinct(column[new], name)
    codes[new] = len(ids) + codes_of_new
    if ids.dtype != more.dtype:
        return flat(ids.tolist() + more.tolist()), codes
    return np.concatenate([ids, more]), codes


def _canonical(column, name):
    """A column as int64 or float64 if all its ids are such numbers, else as objects; no NaN."""
    if column.dtype.kind in "mM":
        column = _times(column, name)
    elif column.dtype.kind not in "biufO":
        column = column.astype(object)
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
    kinds = set(map(type, column))
    if kinds - _SELF_EQUAL:
        missing = np.fromiter((v is None or _is_unequal(v) for v in column), bool, len(column))
        if missing.any():
            _refuse(missing, name)
    if all(issubclass(kind, bool | int | np.bool_ | np.integer) for kind in kinds):
        with suppress(OverflowError):  # larger ones stay objects
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


def _times(column, name):
    """Dates or spans of time as objects of Python, which count microseconds."""
    fine = np.datetime_data(column.dtype)[0] in ("ns", "ps", "fs", "as")
    rounded = column.astype(f"{column.dtype.kind}8[us]") if fine else column
    objects = rounded.astype(object)
    inexact = (rounded != column) & ~np.isnat(column)
    inexact |= np.fromiter((isinstance(v, int) for v in objects), bool, len(objects))
    if inexact.any():
        raise ValueError(
            f"the {name} id {column[np.argmax(inexact)]} is no whole number of microseconds, or "
            "not in the years 1 to 9999. Pass such ids as texts, for example by astype(str)."
        )
    return objects


def _order(value):
    """What ids are sorted by: first their kind, then themselves."""
    kind = "" if isinstance(value, Number) else "str" if isinstance(value, str) else None
    return type(value).__name__ if kind is None else kind, value


def _is_unequal(value):
    """Whether a value is not itself, as NaN and NaT are, or cannot say so, as pandas.NA."""
    try:
        return bool(value != value)
    except (TypeError, ValueError):
        return type(value).__name__ == "NAType"


def _refuse(missing, name):
    others = f", and {missing.sum() - 1} others are" if missing.sum() > 1 else ""
    raise ValueError(
        f"the {name} id in row {np.argmax(missing)} is missing (None or NaN){others}. Leave such "
        "rows out, or give them an id of their own."
    )


def flat(values):
    """A list of objects as a flat array of objects, even if they are tuples."""
    out = np.empty(len(values), object)
    out[:] = values
    return out


def shown(ids, place):
    """An id, as messages show it: without the type of a number of NumPy."""
    return repr(ids[[place]].tolist()[0])


def _look_up_objects(ids, column):
    places = {key: place for place, key in enumerate(ids)}
    return np.fromiter((places.get(key, -1) for key in column.tolist()), np.int64, len(column))


def _check_kind(ids, column, name):
    """Refuse numbers where texts were learned, and the other way round: no id would be known."""
    kinds = [_kind(array) for array in (ids, column)]
    if None not in kinds and kinds[0] != kinds[1]:
        raise ValueError(
            f"the {name} ids were {kinds[0]} in fit, such as {shown(ids, 0)}, but are "
            f"{kinds[1]} now, such as {shown(column, 0)}. Pass ids of one kind, for "
            "example by astype."
        )


def _kind(array):
    """What all ids of an array are, if that can be said; of a long array the first thousand."""
    if array.dtype != object:
        return "numbers" if len(array) else None
    for name, kind in _KINDS.items():
        if len(array) and all(isinstance(v, kind) for v in array[:1000]):
            return name
    return None
