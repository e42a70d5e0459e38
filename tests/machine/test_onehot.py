"""Rows of categories: how they are sorted, taken, copied, stacked, cut and encoded."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skrbm._machine.onehot import Categories, OneHotRows

from ..helpers.softmax_layers import CATEGORIES, OFFSETS, SIZES, rows_of_codes
from ..helpers.softmax_machines import one_hot
from ..oracles.softmax import feature_of, listed


@pytest.fixture(name="listed_rows")
def some_rows():
    return rows_of_codes()


@pytest.fixture(name="rows")
def compressed_rows(listed_rows):
    return one_hot(listed_rows)


@pytest.mark.parametrize("first", [0, 40])
def test_sorting_by_feature(rows, first):
    """A stable sort, of a view as well, whose entries count from its own first."""
    part = rows[first:]
    start, entry, row = part.by_feature(CATEGORIES)
    features = [feature_of(code, OFFSETS) for code in part.entries]
    order = np.argsort(features, kind="stable")
    assert_array_equal(entry, order)
    assert_array_equal(row, np.repeat(np.arange(part.shape[0]), np.diff(part.indptr))[order])
    counts = np.bincount(features, minlength=len(SIZES))
    assert counts[0] > 32
    assert counts[-1] == 0
    assert_array_equal(start, np.concatenate(([0], np.cumsum(counts))))


def test_a_copy_shares_the_order_by_feature(rows):
    """Once it is known: sampling changes categories, and leaves the features as they are."""
    part = rows[5:90]
    order, copy = part.by_feature(CATEGORIES), part.copy()
    assert copy.by_feature(CATEGORIES) is order
    fresh = OneHotRows(copy.indptr, copy.codes).by_feature(CATEGORIES)
    for ours, plain in zip(order, fresh, strict=True):
        assert_array_equal(ours, plain)
    copy.entries[:] = 0
    assert (part.entries != 0).any()
    # Rows of other features have an order of their own.
    for other in (part[3:40], part[np.array([4, 2])]):
        fresh = OneHotRows(other.indptr, other.codes).by_feature(CATEGORIES)
        for ours, plain in zip(other.by_feature(CATEGORIES), fresh, strict=True):
            assert_array_equal(ours, plain)


def test_rows_above_rows(rows, listed_rows):
    """Rows of ones above rows of ones, or above probabilities."""
    both = rows[5:9].above(rows[90:])
    assert listed(both.indptr, both.codes) == listed_rows[5:9] + listed_rows[90:]
    assert both.weights is None
    p = np.linspace(0, 1, rows.n_entries)
    below = OneHotRows(rows.indptr, rows.codes, p)[90:]
    both = rows[5:9].above(below)
    n = rows[5:9].n_entries
    assert_array_equal(both.weights[:n], 1)
    assert_array_equal(both.weights[n:], p[rows.indptr[90] :])
    assert_array_equal(below.weights_of_entries(float), p[rows.indptr[90] :])


def test_taking_rows(rows, listed_rows):
    numbers = np.array([3, 0, 3, 109, 1])
    taken = rows[numbers]
    assert listed(taken.indptr, taken.codes) == [listed_rows[k] for k in numbers]
    assert rows[numbers[:0]].shape == (0,)
    part = rows[20:60]
    assert listed(part[numbers[:3]].indptr, part[numbers[:3]].codes) == [
        listed_rows[20 + k] for k in numbers[:3]
    ]
    stepped = rows[7:90:9]
    assert listed(stepped.indptr, stepped.codes) == listed_rows[7:90:9]


@pytest.mark.parametrize("n_codes", [None, OFFSETS[-1]])
def test_rows_meet_only_machines_of_their_categories(rows, n_codes):
    """Kernels do not check bounds."""
    rows.n_codes = n_codes
    fewer, more = (
        Categories([np.arange(n) for n in sizes]) for sizes in ((5, 1, 2, 3, 3), (*SIZES, 4))
    )
    parts = [rows, rows[3:], rows[np.arange(4)], rows.copy(), rows[:4].above(rows[9:])]
    for part in parts:
        part.check_codes(OFFSETS[-1])
        with pytest.raises(ValueError, match="met a machine of 14"):
            part[np.arange(len(part.indptr) - 1)].by_feature(fewer)
        if n_codes is not None:
            with pytest.raises(ValueError, match=f"rows of {n_codes} categories met"):
                part.by_feature(more)
    rows.by_feature(CATEGORIES)
    with pytest.raises(ValueError, match="rows of 7 features met 8"):
        rows.by_feature(Categories([np.arange(n) for n in (2, 3, *SIZES[1:])]))


def test_rows_are_not_counted_from_the_end(rows):
    with pytest.raises(IndexError, match="row -1"):
        rows[np.array([0, -1])]


def test_encoding():
    by_feature = [np.array([-2.5, 0.0, 1.0]), np.array([7.0]), np.array([0.5, 1e300])]
    categories = Categories(by_feature)
    values = [-np.inf, -3, -2.5, -1, -0.0, 0.0, 0.5, 1, 2, 7, 8, 1e300, np.inf, np.nan]
    for i, known in enumerate(by_feature):
        codes = categories.encode(np.array(values), np.full(len(values), i))
        expected = [
            -1
            if math.isnan(value)
            else categories.offsets[i] + known.tolist().index(value)
            if value in known
            else -2
            for value in values
        ]
        assert codes.tolist() == expected


@pytest.mark.parametrize("first", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("second", [np.float16, np.float32, np.float64])
def test_fractions_are_compared_in_the_shorter_dtype(first, second):
    categories = Categories([np.array([0.1, 0.25, 3], first), np.array([0.1, 0.2], first)])
    values = np.array([0.1, 0.25, 3, 0.2, 0.1], second)
    features = np.array([0, 0, 0, 1, 1])
    assert categories.encode(values, features).tolist() == [0, 1, 2, 4, 3]


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_whole_numbers_are_categories_only_if_they_are_equal(dtype):
    """A neighbour that the dtype cannot tell apart is another category, or none."""
    limit = 2 ** (np.finfo(dtype).nmant + 1)
    ids = limit + np.arange(-3.0, 6.0)
    for by_feature in ([ids], [ids.astype(np.int64)]):
        values = np.array([limit - 1, limit, limit + 2, limit + 4], dtype)
        codes = Categories(by_feature).encode(values, np.zeros(4, int))
        assert codes.tolist() == [2, 3, 5, 7]
    odd = Categories([np.array([limit - 1.0, limit + 1, limit + 3])])
    assert odd.encode(np.array([limit, limit + 4], dtype), np.zeros(2, int)).tolist() == [-2, -2]


def test_a_fraction_that_may_be_two_categories_is_none():
    close = Categories([np.array([0.1, 0.1 + 1e-12, 0.2]), np.array([0.1])])
    values = np.array([0.1, 0.2, 0.1], np.float32)
    assert close.encode(values, np.array([0, 0, 1])).tolist() == [-2, 2, 3]
    exact = np.array([0.1, 0.1 + 1e-12])
    assert close.encode(exact, np.zeros(2, int)).tolist() == [0, 1]


@pytest.mark.parametrize(
    "by_feature",
    [
        [],
        [[1, 2]],
        [None],
        [np.array([1, 2], object)],
        [np.array(["a"])],
        [np.array(1.0)],
        [np.array([[1.0]])],
        [np.array([])],
        [np.array([2.0, 1.0])],
        [np.array([1.0, 1.0])],
        [np.array([np.nan])],
        [np.array([1, np.inf])],
        [np.array([1.0]), np.array([])],
    ],
    ids=str,
)
def test_what_cannot_be_categories_is_refused(by_feature):
    with pytest.raises(ValueError, match="categories_ must be a list of one flat array"):
        Categories(by_feature)


# --- rows ---


def test_scaled_values_go_from_minus_one_to_one():
    """Also where a difference of two of them is beyond float64; a single one is in the middle."""
    largest, smallest = np.finfo(float).max, np.nextafter(0, 1)
    features = [[7], [1, 2, 3, 4, 5], [-1, 2.5], [0, 1, 10], [-largest, 0, largest], [0, smallest]]
    scaled = Categories([np.array(values, float) for values in features]).scaled
    expected = [0, -1, -0.5, 0, 0.5, 1, -1, 1, -1, -0.8, 1, -1, 0, 1]
    assert_allclose(scaled[:-2], expected, rtol=0, atol=1e-15)
    assert np.isfinite(scaled).all()  # half of the smallest number is 0


def test_blocks_of_rows_bound_the_work():
    lengths = np.array([0, 5, 1, 0, 9, 2, 2, 2, 0])
    rows = OneHotRows(np.concatenate(([0], np.cumsum(lengths))), np.zeros(21, np.int32))
    blocks = list(rows.blocks(1, 2, 12))
    assert [block.start for block in blocks] == [0, *[block.stop for block in blocks[:-1]]]
    assert blocks[-1].stop == 9
    for block in blocks:
        work = (1 + 2 * lengths[block]).sum()
        assert work <= 12 or block.stop - block.start == 1
        following = slice(block.start, block.stop + 1)
        assert block.stop == 9 or (1 + 2 * lengths[following]).sum() > 12


def test_categories_beyond_a_shorter_dtype_are_none_of_its_values():
    categories = Categories([np.array([0.1, 1e300, 2e300])])
    codes = categories.encode(np.array([0.1, 0.5], np.float32), np.zeros(2, np.int32))
    assert_array_equal(codes, [0, -2])
