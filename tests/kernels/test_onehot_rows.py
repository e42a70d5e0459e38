"""Kernels of one-hot rows as such, against plain twins."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skrbm._kernels import onehot_rows

from ..helpers.numbers import SEED
from ..helpers.softmax_layers import CATEGORIES, OFFSETS, SIZES, rows_of_codes
from ..helpers.softmax_machines import one_hot
from ..oracles import common
from ..oracles.softmax import feature_of


@pytest.fixture(name="rows")
def some_rows():
    return one_hot(rows_of_codes())


@pytest.fixture(params=[(0, 110), (10, 31), (7, 7)], name="part")
def some_of_the_rows(request, rows):
    first, stop = request.param
    return rows[first:stop]


def test_counting_entries(part):
    counts = np.full(len(SIZES), -7)
    onehot_rows.count(part.indptr, part.codes, CATEGORIES.feature_of, counts)
    features = [feature_of(code, OFFSETS) for code in part.entries]
    assert_array_equal(counts, np.bincount(np.array(features, int), minlength=len(SIZES)))


def test_sorting_by_feature(part):
    """In parts of some features; the last feature has no entries."""
    entry, row = np.full((2, part.n_entries), -7)
    start = np.zeros(len(SIZES) + 1, np.int64)
    outputs = start, entry, row
    arguments = part.indptr, part.codes, CATEGORIES.feature_of, OFFSETS, *outputs
    for first, stop in ((5, 7), (0, 1), (3, 3), (1, 5)):
        onehot_rows.sort_by_feature.part(*arguments, first, stop)
    features = np.array([feature_of(code, OFFSETS) for code in part.entries], int)
    assert_array_equal(entry, np.argsort(features, kind="stable"))
    assert_array_equal(row, part.row_of_entry[entry])
    assert_array_equal(start, np.searchsorted(features[entry], range(len(SIZES) + 1)))


def test_taking_rows(rows):
    which = np.array([7, 3, 3, 100, 0])
    indptr = np.append(0, np.diff(rows.indptr)[which].cumsum())
    codes = np.full(indptr[-1], -7, np.int32)
    arguments = rows.indptr, rows.codes, which, indptr, codes
    onehot_rows.take_rows.part(*arguments, 1, 3)
    expected = np.concatenate([rows.codes[rows.indptr[r] : rows.indptr[r + 1]] for r in which])
    inside = (np.arange(len(codes)) >= indptr[1]) & (np.arange(len(codes)) < indptr[3])
    assert_array_equal(codes, np.where(inside, expected, -7))
    onehot_rows.take_rows(*arguments)
    assert_array_equal(codes, expected)


def test_random_words(rows):
    """Those of as many units as the row has entries; rows are counted from the first given."""
    part = rows[30:]
    words = np.zeros(part.n_entries, np.uint32)
    onehot_rows.random_words(part.indptr, SEED, 3, 2**31 + 5, words)
    lengths = np.diff(part.indptr).tolist()
    assert set(lengths) >= {2, 3, 4, 5}
    expected = [
        word
        for r, n in enumerate(lengths)
        for word in common.random_words(SEED, 3, 2**31 + 5, r, n)
    ]
    assert words.tolist() == expected
