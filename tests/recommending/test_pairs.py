"""Pairs in any container, ratings, and their table."""

from collections import namedtuple
from datetime import date

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.base import BaseEstimator

from skrbm._recommending.pairs import (
    MOST_RATINGS,
    cells,
    frame,
    on_scale,
    overlaid,
    read_column,
    read_pairs,
    read_ratings,
    scale_of,
    table_of,
    taken,
)

PAIRS = [("ann", 3), ("bob", 1), ("ann", 2)]


class Anybody(BaseEstimator):
    """What reads pairs: names of columns are kept here."""


def columns(X):
    return [column.tolist() for column in read_pairs(Anybody(), X, reset=True)]


Pair = namedtuple("Pair", "user item")

LISTS = {
    "tuples": PAIRS,
    "tuple of lists": tuple(map(list, PAIRS)),
    "named tuples": [Pair(*pair) for pair in PAIRS],
    "arrays of objects": [np.array(pair, object) for pair in PAIRS],
    "array of objects": np.array(PAIRS, object),
}


@pytest.mark.parametrize("X", LISTS.values(), ids=LISTS)
def test_lists_keep_numbers_as_numbers(X):
    assert columns(X) == [["ann", "bob", "ann"], [3, 1, 2]]


def test_arrays_of_texts_hold_texts():
    assert columns(np.array(PAIRS)) == [["ann", "bob", "ann"], ["3", "1", "2"]]


@pytest.mark.parametrize("X", [[((1, 2), (3,))], [[(1, 2), (3,)]]])
def test_ids_may_be_tuples(X):
    assert columns(X) == [[(1, 2)], [(3,)]]
    assert columns(X * 2) == [[(1, 2)] * 2, [(3,)] * 2]


@pytest.mark.parametrize("dtype", ["int64", "Int64", "category", "object", "float64"])
def test_frames_of_pandas(dtype):
    pd = pytest.importorskip("pandas")
    X = pd.DataFrame(PAIRS, columns=["user", "item"], index=[7, 7, 7]).astype({"item": dtype})
    for kind in ("object", "category", "string"):
        assert columns(X.astype({"user": kind})) == [["ann", "bob", "ann"], [3, 1, 2]]


def test_frames_of_polars():
    pl = pytest.importorskip("polars")
    X = pl.DataFrame(PAIRS, schema=["user", "item"], orient="row")
    for kind in (pl.String, pl.Categorical, pl.Enum(["ann", "bob"])):
        assert columns(X.with_columns(pl.col("user").cast(kind))) == [
            ["ann", "bob", "ann"],
            [3, 1, 2],
        ]
    days = X.with_columns(pl.col("item").cast(pl.Date))
    assert read_pairs(Anybody(), days, reset=True)[1].dtype.kind == "M"


def test_masked_arrays_lose_no_digit():
    X = np.ma.array([[2**53 + 1, 1], [2, 3]])
    assert columns(X) == [[2**53 + 1, 2], [1, 3]]
    X[0, 1] = np.ma.masked
    assert columns(X) == [[2**53 + 1, 2], [None, 3]]
    assert read_column(X[:, 1], "items").tolist() == [None, 3]


NO_PAIRS = {
    "a number": (3, "two columns.*Got a int"),
    "None": (None, "two columns.*Got a NoneType"),
    "a text": ("ab", "two columns.*Got a str"),
    "a dict": ({"user": [1], "item": [2]}, "two columns.*Got a dict"),
    "a zip": (zip([1], [2], strict=True), "two columns.*Got a zip"),
    "a flat array": (np.arange(3), r"two columns.*Got an array of shape \(3,\)\. Pass a frame"),
    "a cube": (np.ones((2, 2, 2)), r"two columns.*of shape \(2, 2, 2\)"),
    "numbers": ([1, 2], "list of pairs.*Got '1', a int, in the place of a pair"),
    "texts of two letters": (["ab", "cd"], "list of pairs.*Got 'ab', a str"),
    "dicts": ([{"user": 1, "item": 2}], "list of pairs.*a dict"),
    "sets": ([{1, 2}], "list of pairs.*a set"),
    "long rows": ([(1, 2), (1, 2, 3)], "two columns.*rows with 2 to 3 entries"),
    "triples": ([(1, 2, 5.0)], "two columns.*Got 3 columns. Ratings are the argument y"),
    "triples in an array": (np.ones((4, 3)), "two columns.*Got 3 columns"),
    "one column": (np.ones((4, 1)), "two columns.*Got 1 columns"),
    "empty rows": ([(), ()], "two columns.*Got 0 columns"),
    "an empty list": ([], "no pair of user and item"),
    "an empty array": (np.empty((0, 2)), "no pair of user and item"),
}


@pytest.mark.parametrize(("X", "message"), NO_PAIRS.values(), ids=NO_PAIRS)
def test_what_holds_no_pairs_is_refused(X, message):
    with pytest.raises(ValueError, match=message):
        read_pairs(Anybody(), X, reset=True)


def test_sparse_matrices_are_refused():
    X = sparse.csr_array(np.eye(3))
    with pytest.raises(TypeError, match=r"X is a sparse matrix.*np\.column_stack"):
        read_pairs(Anybody(), X, reset=True)


def test_frames_that_are_refused():
    pd = pytest.importorskip("pandas")
    with pytest.raises(ValueError, match=r"several columns of one name: \['id', 'id'\]\. Rename"):
        read_pairs(Anybody(), pd.DataFrame([(1, 2)], columns=["id", "id"]))
    with pytest.raises(ValueError, match="no pair of user and item"):
        read_pairs(Anybody(), pd.DataFrame({"user": [], "item": []}))
    pl = pytest.importorskip("polars")
    with pytest.raises(ValueError, match="Got a LazyFrame"):
        read_pairs(Anybody(), pl.LazyFrame({"user": [1], "item": [2]}))


# --- columns ---


def test_columns_of_ids():
    pd, pl = pytest.importorskip("pandas"), pytest.importorskip("polars")
    containers = [list, tuple, np.array, pd.Series, pd.Index, pd.array, pl.Series]
    for container in containers:
        assert read_column(container([3, 1, 3]), "users").tolist() == [3, 1, 3]
        assert read_column(container(["b", "a"]), "users").tolist() == ["b", "a"]
    assert read_column(pd.Series(["b"]).astype("category"), "users").tolist() == ["b"]
    assert read_column(range(2), "users").tolist() == [0, 1]
    assert read_column([(1, 2), (3, 4)], "users").tolist() == [(1, 2), (3, 4)]
    assert read_column([], "users").tolist() == []


NO_COLUMNS = [3, None, "ann", b"ann", {1, 2}, {1: 2}, np.array(3), np.ones((2, 1)), iter([1])]


@pytest.mark.parametrize("values", NO_COLUMNS, ids=lambda values: type(values).__name__)
def test_what_is_no_column_is_refused(values):
    name = type(values).__name__
    with pytest.raises(
        TypeError, match=rf"users must be a list or a flat array.*a {name}: use br"
    ):
        read_column(values, "users")


def test_a_frame_is_no_column():
    pd = pytest.importorskip("pandas")
    with pytest.raises(TypeError, match="users must be a list or a flat array"):
        read_column(pd.DataFrame({"user": [1, 2]}), "users")


def test_ids_of_several_kinds_do_not_fit_a_frame_of_polars():
    pytest.importorskip("polars")
    with pytest.raises(TypeError, match=r"several kinds do not fit .* polars\. .*'pandas'"):
        frame({"item": np.array([1, "a"], object)}, "polars")


@pytest.mark.parametrize(("as_frame", "library"), [(True, "pandas"), ("polars", "polars")])
def test_frames_of_columns(as_frame, library):
    pytest.importorskip(library)
    table = frame({"user": np.array(["a", "b"], object), "rank": np.array([1, 2])}, as_frame)
    assert type(table).__module__.split(".")[0] == library
    assert list(table.columns) == ["user", "rank"]
    assert table["user"].to_list() == ["a", "b"]
    assert table["rank"].to_list() == [1, 2]


# --- ratings ---


@pytest.mark.parametrize("dtype", ["i1", "u1", "i8", ">i4", "f2", "f4", ">f4", "f8", ">f8", "O"])
def test_ratings_are_floats(dtype):
    y = read_ratings(np.array([1, 2, 5]).astype(dtype), np.arange(3))
    assert y.tolist() == [1, 2, 5]
    assert y.dtype == (np.float32 if dtype in ("f4", ">f4") else np.float64)
    assert y.dtype.isnative
    assert read_ratings([True, False], np.arange(2)).tolist() == [1, 0]


def test_series_of_ratings():
    pd, pl = pytest.importorskip("pandas"), pytest.importorskip("polars")
    for y in (
        pd.Series([1, 2], index=[5, 5]),
        pd.Series([1, 2], dtype="Int64"),
        pl.Series([1, 2]),
    ):
        assert read_ratings(y, np.arange(2)).tolist() == [1, 2]


NO_RATINGS = {
    "NaN": (
        [1, np.nan, 2],
        r"y holds nan in row 1, and 1 ratings .* leave its row out of X and y",
    ),
    "infinite": ([1, 2, -np.inf], "y holds -inf in row 2"),
    "None": ([None, 1, 2], "y holds nan in row 0"),
    "masked": (np.ma.array([1, 2, 3], mask=[0, 1, 0]), "y holds nan in row 1"),
    "texts": (["good", "bad", "5"], r"y must hold ratings, which are numbers\. Got 'good'"),
    "texts of numbers": (
        ["4", "5", "4"],
        r"numbers\. Got '4'\. Convert them, for example by y\.as",
    ),
    "objects": ([1, "5", 2], "y must hold ratings, which are numbers"),
    "no numbers": ([{}, {}, {}], "y must hold ratings, which are numbers"),
    "bytes": ([b"4", b"5", b"4"], "y must hold ratings, which are numbers"),
    "dates": (np.array([1, 2, 3], "M8[D]"), r"numbers\. Got datetime\.date"),
    "spans": (np.array([1, 2, 3], "m8[D]"), r"numbers\. Got datetime\.timedelta"),
    "dates of Python": ([date(2020, 1, 1)] * 3, "y must hold ratings, which are numbers"),
    "too few": ([1, 2], "X holds 3 pairs, but y holds 2 ratings: each pair needs one"),
    "two columns": (np.ones((3, 2)), r"y should be a 1d array, got an array of shape \(3, 2\)"),
    "complex": (np.ones(3, complex), "Complex data not supported"),
}


@pytest.mark.parametrize(("y", "message"), NO_RATINGS.values(), ids=NO_RATINGS)
def test_what_is_no_rating_is_refused(y, message):
    with pytest.raises(ValueError, match=message):
        read_ratings(y, np.arange(3))


def test_a_column_of_ratings_warns():
    with pytest.warns(UserWarning, match="A column-vector y was passed"):
        assert read_ratings([[1], [2]], np.arange(2)).tolist() == [1, 2]


# --- the scale ---


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("values", [[0, 1], [-2, -0.5, 0, 3], np.arange(MOST_RATINGS), [7]])
def test_scales(rng, values, dtype):
    y = np.concatenate([values, rng.choice(values, 300)]).astype(dtype)
    scale, codes = scale_of(y)
    assert_array_equal(scale, np.array(values, dtype), strict=True)
    assert_array_equal(scale[codes], y)


def test_rounding_makes_no_rating():
    y = np.array([0.1 * 3, 0.3, 0.6, 0.3, 0.2 + 0.1, 0.2 * 3])
    assert len(np.unique(y)) == 4
    scale, codes = scale_of(y)
    assert scale.tolist() == [0.3, 0.6]  # the most frequent, and of equally frequent the least
    assert codes.tolist() == [0, 0, 1, 0, 0, 1]
    scale, _ = scale_of(np.float32([0.3, np.float32(0.1) * 3, 1]))
    assert len(scale) == 2


def test_minus_zero_is_zero():
    assert scale_of(np.array([-0.0, 0.0, 1]))[0].tolist() == [0, 1]


@pytest.mark.parametrize("n", [MOST_RATINGS + 1, 1000])
def test_too_many_ratings(n):
    with pytest.raises(
        ValueError, match=rf"y holds {n} distinct ratings, from 0 to {n - 1}, .*Round"
    ):
        scale_of(np.arange(float(n)))


CLOSE = {
    "whole numbers": np.array([2**25 + 1.0, 2**25 + 2]),
    "seconds": np.array([1.7e9, 1.7e9 + 1]),
    "prices": np.array([1e5 + 0.01, 1e5 + 0.02]),
    "many steps": np.linspace(0, 1, 2**21),
    "many steps of float32": np.linspace(0, 1, 2**21, dtype=np.float32),
}


@pytest.mark.parametrize("y", CLOSE.values(), ids=CLOSE)
def test_ratings_that_the_machines_cannot_tell_apart(y):
    """They compute in 32 bits; to take them for one rating would say nothing of it."""
    with pytest.raises(ValueError, match=r"too close to be told apart.*Round|distinct ratings"):
        scale_of(y)


@pytest.mark.parametrize("factor", [1e40, 1e-50])
def test_ratings_beyond_32_bits(factor):
    with pytest.raises(ValueError, match=r"y holds ratings up to 2e.* 32-bit floats.*Divide them"):
        scale_of(np.array([1, 2]) * factor)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_ratings_on_a_scale(rng, dtype):
    scale = np.array([-1, 0.3, 0.6, 4], dtype)
    y = rng.choice([-1, 0.3, 0.1 * 3, 0.6, 0.2 * 3, 4], 50)
    nearest = [min(scale, key=lambda s: abs(s - v)) for v in y]
    assert_array_equal(on_scale(y, scale), np.array(nearest), strict=True)
    assert on_scale(np.float32([0.3]), scale).tolist() == [scale[1]]


@pytest.mark.parametrize("value", [0.31, 0.45, -1.1, 100])
def test_ratings_off_the_scale(value):
    with pytest.raises(ValueError, match=rf"y holds the rating {value}, .*\[-1\. *,.*Fit again"):
        on_scale(np.array([0.3, value]), np.array([-1, 0.3, 0.6]))


# --- the table ---


def test_tables_are_sorted_and_keep_zeros(rng):
    users, items = (codes[rng.permutation(12)] for codes in np.divmod(np.arange(12), 4))
    ratings = rng.integers(0, 2, 12).astype(float)
    with pytest.raises(ValueError, match="are one pair"):  # the permutations differ
        table_of(users, items, np.arange(12.0), np.arange(3), np.arange(4))
    users, items = np.divmod(rng.permutation(12), 4)
    table = table_of(users, items, ratings, np.arange(3), np.arange(4))
    assert table.nnz == 12
    assert table.has_sorted_indices
    assert_array_equal(table.toarray()[users, items], ratings)


def test_equal_pairs_count_once_and_unlike_ones_are_refused():
    users, items = np.array([0, 1, 0, 0]), np.array([1, 0, 1, 1])
    ids = np.array([7, 9]), np.array([("a", 1), ("b", 2)], "O,O").astype(object)
    table = table_of(users, items, np.array([2.0, 3, 2, 2]), *ids)
    assert table.toarray().tolist() == [[0, 2], [3, 0]]
    message = r"rows 0 and 2 of X are one pair, user 7 and item \('b', 2\), but y holds 2 and 2\.5"
    with pytest.raises(ValueError, match=message):
        table_of(users, items, np.array([2.0, 3, 2.5, 2]), *ids)


def test_rows_are_taken(rng):
    dense = rng.integers(0, 3, (5, 6)).astype(np.float32)
    part = taken(sparse.csr_array(dense), np.array([3, -1, 0, 3, -1]), 4)
    assert part.dtype == np.float32
    expected = np.where(np.array([1, 0, 1, 1, 0])[:, np.newaxis], dense[[3, 0, 0, 3, 0], :4], 0)
    assert_array_equal(part.toarray(), expected)
    assert taken(sparse.csr_array(dense), np.array([], int), 4).shape == (0, 4)


def test_tables_lie_over_others(rng):
    old = sparse.csr_array(([0.0, 2, 3], ([0, 0, 1], [0, 1, 1])), shape=(2, 2))
    new = sparse.csr_array(([5.0, 0, 7], ([0, 1, 2], [0, 2, 1])), shape=(3, 3))
    both = overlaid(old, new)
    triples = both.tocoo()
    stored = {(u, i): both[u, i] for u, i in zip(triples.row, triples.col, strict=True)}
    assert stored == {(0, 0): 5, (0, 1): 2, (1, 1): 3, (1, 2): 0, (2, 1): 7}
    assert_array_equal(np.sort(cells(both, 3)), [0, 1, 4, 5, 7])
