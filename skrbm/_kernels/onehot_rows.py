"""Numba functions of one-hot rows: their codes, their order by feature, their random words.

Notation as in ``onehot``. The house rules stand in ``inlined``.
"""

import numpy as np
from numba import njit

from .cache import kernel
from .crew import divisible, per_number
from .inlined import OPTIONS, random_row, reached

__all__ = ["count", "encode", "random_words", "sort_by_feature", "take_rows"]


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


@divisible(per_number(4), **OPTIONS)
def take_rows(indptr, codes, rows, out_indptr, out_codes, first, stop):
    """The codes of some rows, one row after the other.

    Parameters
    ----------
    indptr, codes : ndarray                                                               IN
    rows : ndarray of shape (n,), int                                                     IN
    out_indptr : ndarray of shape (n + 1,)                                                IN
        Where the rows are to stand, from 0 on.
    out_codes : ndarray                                                                   OUT
    first, stop : int                                                                     IN
        The codes to write: all of each row that begins among them.
    """
    for r in range(reached(out_indptr, first), reached(out_indptr, stop)):
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


@njit(inline="always")
def _first_code(codes, low, high, code):
    """Where the codes of a row, ascending, reach a code."""
    while low < high:
        middle = (low + high) // 2
        if codes[middle] < code:
            low = middle + 1
        else:
            high = middle
    return low


@njit(inline="always")
def _feature_at(sample, k, feature_of, n_features):
    """The first feature that is not done by the part of a sample before k."""
    if k == 0:
        return 0
    return feature_of[sample[k]] if k < sample.shape[0] else n_features


def _size_of_sample(*arguments):
    return arguments[4].size


@divisible(per_number(30), _size_of_sample, **OPTIONS)
def sort_by_feature(indptr, codes, feature_of, offsets, sample, start, entry, row, first, stop):
    """Sort entries by feature and, within a feature, by row: a counting sort.

    Parameters
    ----------
    indptr, codes : ndarray                                                               IN
    feature_of : ndarray of shape (C,), int                                               IN
        The feature that owns a code.
    offsets : ndarray of shape (D + 1,)                                                   IN
    sample : ndarray of int                                                               IN
        Some of the codes, ascending: they say where to cut features for parts of equal work.
    start, entry, row : ndarray                                                           OUT
        Of an ``Order``. Entries are counted from ``indptr[0]``.
    first, stop : int                                                                     IN
        The part of the sample whose features to do.
    """
    n_rows, n_features = indptr.shape[0] - 1, offsets.shape[0] - 1
    low = _feature_at(sample, first, feature_of, n_features)
    high = _feature_at(sample, stop, feature_of, n_features)
    begin, end, place = np.empty(n_rows, np.int64), np.empty(n_rows, np.int64), 0
    for r in range(n_rows):
        begin[r] = _first_code(codes, indptr[r], indptr[r + 1], offsets[low])
        end[r] = _first_code(codes, begin[r], indptr[r + 1], offsets[high])
        place += begin[r] - indptr[r]
    free = np.zeros(high - low, np.int64)  # where the next entry of each feature goes
    for r in range(n_rows):
        for k in range(begin[r], end[r]):
            free[feature_of[codes[k]] - low] += 1
    for i in range(low, high):
        start[i] = place
        place += free[i - low]
        free[i - low] = start[i]
    if high == n_features:
        start[high] = place
    for r in range(n_rows):
        for k in range(begin[r], end[r]):
            i = feature_of[codes[k]] - low
            entry[free[i]] = k - indptr[0]
            row[free[i]] = r
            free[i] += 1


@divisible(per_number(15), **OPTIONS)
def random_words(indptr, seed, update, purpose, words, first, stop):
    """One random word for each entry: entry k of row r takes the word of unit k of row r.

    Parameters
    ----------
    indptr : ndarray of shape (n + 1,)                                                    IN
    seed : uint64                                                                         IN
    update, purpose : int                                                                 IN
    words : ndarray of shape (n_entries,), uint32                                         OUT
    first, stop : int                                                                     IN
        The entries to do: all of each row that begins among them.
    """
    begin, end, most = reached(indptr, first), reached(indptr, stop), 0
    for r in range(begin, end):
        most = max(most, indptr[r + 1] - indptr[r])
    room = np.empty(4 * ((most + 3) // 4), np.uint32)
    for r in range(begin, end):
        n = indptr[r + 1] - indptr[r]
        random_row(seed, update, purpose, r, room[: 4 * ((n + 3) // 4)])
        target = words[indptr[r] - indptr[0] : indptr[r + 1] - indptr[0]]
        for k in range(n):
            target[k] = room[k]
