"""Numba functions of one-hot rows: their codes, their order by feature, their random words.

Notation as in ``onehot``. The house rules stand in ``inlined``.
"""

import numpy as np

from .cache import kernel
from .crew import divisible, of_equal_work, per_number
from .inlined import OPTIONS, random_row

__all__ = ["count", "encode", "random_words", "sort_by_feature", "take_rows"]

# Entries that say where features are cut for parts of nearly equal work.
_SAMPLE = 512


@kernel(**OPTIONS)
def encode(values, features, offsets, categories, codes):
    """The code of each value of a feature; -1 for NaN, -2 for a value that is no category.

    Parameters
    ----------
    values : ndarray of shape (n,), float64                                               IN
    features : ndarray of shape (n,), int                                                 IN
    offsets : ndarray of shape (D + 1,), int64                                            IN
    categories : ndarray of shape (C,), float64                                           IN
        The category of each code, ascending within a feature.
    codes : ndarray of shape (n,), int                                                    OUT
    """
    for k in range(values.shape[0]):
        i, value = features[k], values[k]
        low, high = offsets[i], offsets[i + 1]
        while low < high:  # bisection for the first category that is not smaller
            middle = (low + high) // 2
            if categories[middle] < value:
                low = middle + 1
            else:
                high = middle
        if value != value:
            codes[k] = -1
        elif low < offsets[i + 1] and categories[low] == value:
            codes[k] = low
        else:
            codes[k] = -2


def _rows_of_output(indptr, codes, rows, *outputs):
    return rows.size


def _bounds_of_output(n_parts, *arguments):
    return of_equal_work(n_parts, arguments[3])


@divisible(per_number(4), _rows_of_output, _bounds_of_output, **OPTIONS)
def take_rows(indptr, codes, rows, out_indptr, out_codes, first, stop):
    """The codes of some rows, one row after the other.

    Parameters
    ----------
    indptr, codes : ndarray                                                               IN
    rows : ndarray of shape (n,), int                                                     IN
    out_indptr : ndarray of shape (n + 1,)                                                IN
        Where the rows are to stand.
    out_codes : ndarray                                                                   OUT
    first, stop : int                                                                     IN
        The rows to do.
    """
    for r in range(first, stop):
        source = codes[indptr[rows[r]] : indptr[rows[r] + 1]]
        target = out_codes[out_indptr[r] : out_indptr[r + 1]]
        for k in range(source.shape[0]):
            target[k] = source[k]


@kernel(**OPTIONS)
def count(indptr, codes, group_of, counts):
    """How many entries of some rows are in each group.

    Parameters
    ----------
    indptr, codes : ndarray                                                               IN
    group_of : ndarray of shape (C,), int                                                 IN
        The group, such as the feature, that a code is in.
    counts : ndarray of shape (n_groups,), int64                                          OUT
    """
    counts[:] = 0
    for k in range(indptr[0], indptr[-1]):
        counts[group_of[codes[k]]] += 1


@kernel(**OPTIONS)
def _first_code(codes, low, high, code):
    """Where the codes of a row, from low to high and ascending, reach a code."""
    while low < high:
        middle = (low + high) // 2
        if codes[middle] < code:
            low = middle + 1
        else:
            high = middle
    return low


def _n_features(indptr, codes, feature_of, offsets, *outputs):
    return offsets.size - 1


def _bounds_of_features(n_parts, indptr, codes, feature_of, offsets, *outputs):
    """By the codes of some entries."""
    step = 1 + (indptr[-1] - indptr[0]) // _SAMPLE
    some = np.sort(codes[indptr[0] : indptr[-1] : step])
    bounds = np.empty(n_parts + 1, np.int64)
    bounds[0], bounds[-1] = 0, offsets.size - 1
    bounds[1:-1] = feature_of[some[np.arange(1, n_parts) * len(some) // n_parts]]
    return bounds


@divisible(per_number(30), _n_features, _bounds_of_features, **OPTIONS)
def sort_by_feature(indptr, codes, feature_of, offsets, start, entry, row, first, stop):
    """Sort entries by feature and, within a feature, by row: a counting sort.

    Parameters
    ----------
    indptr, codes : ndarray                                                               IN
    feature_of : ndarray of shape (C,), int                                               IN
        The feature that owns a code.
    offsets : ndarray of shape (D + 1,)                                                   IN
    start, entry, row : ndarray                                                           OUT
        Of an ``Order``. Entries are counted from ``indptr[0]``. ``start[0]``, which is 0, stays.
    first, stop : int                                                                     IN
        The features to do.
    """
    place = 0
    for i in range(first, stop):
        start[i + 1] = 0
    for r in range(indptr.shape[0] - 1):
        begin = _first_code(codes, indptr[r], indptr[r + 1], offsets[first])
        place += begin - indptr[r]
        for k in range(begin, indptr[r + 1]):
            i = feature_of[codes[k]]
            if i >= stop:
                break
            start[i + 1] += 1
    # Until all entries of a feature have their places, ``start`` of the next is the next place.
    for i in range(first, stop):
        n_entries = start[i + 1]
        start[i + 1] = place
        place += n_entries
    for r in range(indptr.shape[0] - 1):
        for k in range(
            _first_code(codes, indptr[r], indptr[r + 1], offsets[first]), indptr[r + 1]
        ):
            i = feature_of[codes[k]]
            if i >= stop:
                break
            entry[start[i + 1]] = k - indptr[0]
            row[start[i + 1]] = r
            start[i + 1] += 1


def _n_rows(indptr, *others):
    return indptr.size - 1


def _bounds_of_rows(n_parts, indptr, *others):
    return of_equal_work(n_parts, indptr)


@divisible(per_number(15), _n_rows, _bounds_of_rows, **OPTIONS)
def random_words(indptr, seed, update, purpose, words, first, stop):
    """One random word for each entry: entry k of row r takes the word of unit k of row r.

    Parameters
    ----------
    indptr : ndarray of shape (n + 1,)                                                    IN
    seed : uint64                                                                         IN
    update, purpose : int                                                                 IN
    words : ndarray of shape (n_entries,), uint32                                         OUT
    first, stop : int                                                                     IN
        The rows to do.
    """
    most = 0
    for r in range(first, stop):
        most = max(most, indptr[r + 1] - indptr[r])
    room = np.empty(4 * ((most + 3) // 4), np.uint32)
    for r in range(first, stop):
        n = indptr[r + 1] - indptr[r]
        random_row(seed, update, purpose, r, room[: 4 * ((n + 3) // 4)])
        target = words[indptr[r] - indptr[0] : indptr[r + 1] - indptr[0]]
        for k in range(n):
            target[k] = room[k]
