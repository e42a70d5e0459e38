"""Ids of any kind as numbers from 0."""

import uuid
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skrbm._recommending.ids import distinct, joined, look_up

BIG = 2**53


def column(values):
    """A flat array of objects, as ids are read from lists."""
    out = np.empty(len(values), object)
    out[:] = values
    return out


KINDS = {
    "texts": ["b", "a", "c"],
    "integers": [7, -3, 5],
    "floats": [0.5, -1.5, 2.0],
    "infinite": [np.inf, 1.0, -np.inf],
    "booleans": [True, False],
    "large integers": [BIG + 1, BIG, 2**62],
    "huge integers": [2**70 + 1, 2**70, 3],
    "integers and floats": [BIG + 1, float(BIG), 1],
    "tuples": [(2, "x"), (1, "y"), (1, "x")],
    "bytes": [b"b", b"a"],
    "dates": [date(2020, 2, 1), date(2020, 1, 1)],
    "times": [datetime(2020, 2, 1, 3), datetime(2020, 1, 1)],
    "decimals": [Decimal("0.3"), Decimal("0.1")],
    "texts that end with NUL": ["a\0", "a"],
    "UUIDs": [uuid.UUID(int=2), uuid.UUID(int=1)],
}


@pytest.mark.parametrize("values", KINDS.values(), ids=KINDS)
def test_ids_are_numbered_in_their_order(values):
    given = column([values[0], *values, values[-1]])
    ids, codes = distinct(given, "user")
    assert ids.tolist() == sorted(values)
    assert [ids[code] for code in codes] == given.tolist()
    assert_array_equal(look_up(ids, given, "user"), codes)


MIXED = {
    "numbers and texts": [3, "b", 1.5, "a", (1, 2), date(2020, 1, 1)],
    "texts and tuples": ["b", ("a", 1), "a", ("a", 0)],
}


@pytest.mark.parametrize("values", MIXED.values(), ids=MIXED)
def test_the_order_of_rows_does_not_matter(rng, values):
    ids, _ = distinct(column(values), "user")
    for _ in range(5):
        again, codes = distinct(column([values[i] for i in rng.permutation(len(values))]), "user")
        assert again.tolist() == ids.tolist()
        assert sorted(codes) == list(range(len(values)))


@pytest.mark.parametrize(
    "values", [[2j, 1j, 3j], [0, 2, 1, 1j], [(2,), (3,), (1,), ("a",)]], ids=str
)
def test_ids_without_an_order_stay_as_they_appear(values):
    """Also where some of them have one."""
    assert distinct(column(values), "user")[0].tolist() == values


@pytest.mark.parametrize(
    "dtype", ["i1", "u1", "i4", ">i4", "u4", "i8", "u8", "f2", "f4", ">f4", "f8", object]
)
def test_numbers_of_every_dtype_are_the_same_ids(dtype):
    given = np.array([5, 3, 5, 9]).astype(dtype)
    ids, codes = distinct(given, "user")
    assert_array_equal(ids, [3, 5, 9])
    assert_array_equal(codes, [1, 0, 1, 2])
    for other in (np.array([9, 4, 3]), np.array([9.0, 4, 3]), column([9, 4, 3.0])):
        assert_array_equal(look_up(ids, other, "user"), [2, -1, 0])


def test_what_equals_by_value_is_one_id():
    one = [1, 1.0, True, np.int64(1), np.float32(1), np.bool_(True), Fraction(1), Decimal(1)]
    ids, codes = distinct(column([*one, 2]), "user")
    assert len(ids) == 2
    assert_array_equal(codes[:-1], codes[0])
    ids, _ = distinct(np.array([1, 2]), "user")
    assert_array_equal(look_up(ids, column(one), "user"), 0)
    assert_array_equal(look_up(ids, np.array([True]), "user"), 0)


def test_minus_zero_is_zero():
    ids, codes = distinct(np.array([-0.0, 0.0, 1]), "user")
    assert_array_equal(codes, [0, 0, 1])
    assert_array_equal(look_up(ids, np.array([0, 1]), "user"), [0, 1])


@pytest.mark.parametrize("container", [np.array, column])
def test_large_numbers_are_not_rounded(container):
    ids, _ = distinct(np.array([1.0, BIG]), "user")
    assert_array_equal(look_up(ids, container([BIG + 1, BIG, 1]), "user"), [-1, 1, 0])
    ids, _ = distinct(np.array([BIG + 1, BIG]), "user")
    assert_array_equal(look_up(ids, np.array([float(BIG), 0.5]), "user"), [0, -1])
    top = np.array([2**64 - 1, 2**63, 5], np.uint64)
    ids, codes = distinct(top, "user")
    assert ids.tolist() == [5, 2**63, 2**64 - 1]
    assert_array_equal(codes, [2, 1, 0])
    assert_array_equal(look_up(ids, np.array([5, -1]), "user"), [0, -1])
    assert_array_equal(look_up(ids, top, "user"), codes)


@pytest.mark.parametrize("unit", ["D", "s", "ms", "us", "ns"])
def test_arrays_of_dates_are_dates_of_python(unit):
    days = np.array(["2020-02-01", "2020-01-01"], f"M8[{unit}]")
    ids, codes = distinct(days, "user")
    kind = date if unit == "D" else datetime
    assert ids.tolist() == [kind(2020, 1, 1), kind(2020, 2, 1)]
    assert_array_equal(codes, [1, 0])
    assert_array_equal(look_up(ids, column([kind(2020, 2, 1)]), "user"), [1])
    spans = (days - days.min()).astype(f"m8[{unit}]")
    assert distinct(spans, "user")[0][1].days == 31


@pytest.mark.parametrize(
    "given", [np.array([0, 1], "M8[ns]"), np.array([0, 20_000], "M8[Y]")], ids=["ns", "year"]
)
def test_dates_that_python_does_not_have(given):
    with pytest.raises(ValueError, match=r"the item id .*no whole number of microseconds.*texts"):
        distinct(given, "item")


MISSING = [None, np.nan, float("nan"), np.float32("nan"), np.datetime64("NaT"), Decimal("nan")]


@pytest.mark.parametrize("value", MISSING, ids=repr)
def test_missing_ids_are_refused(value):
    with pytest.raises(
        ValueError, match=r"the user id in row 1 is missing \(None or NaN\)\. Leave"
    ):
        distinct(column(["a", value]), "user")
    with pytest.raises(ValueError, match=r"the user id in row 0 is .* and 1 others are\. Leave"):
        look_up(np.array([1, 2]), column([value, 1, value]), "user")


@pytest.mark.parametrize(
    "given", [np.array([1, np.nan]), np.array([0, "NaT"], "M8[ns]"), np.array([1, "NaT"], "m8[s]")]
)
def test_missing_ids_of_arrays_are_refused(given):
    with pytest.raises(ValueError, match=r"the user id in row 1 is missing"):
        distinct(given, "user")


def test_pandas_missing_value_is_refused():
    pd = pytest.importorskip("pandas")
    for value in (pd.NA, pd.NaT):
        with pytest.raises(ValueError, match=r"the user id in row 0 is missing"):
            distinct(column([value, "a"]), "user")


@pytest.mark.parametrize("value", [[1], {"a": 1}, {1}, np.array([1, 2]), ([1],)], ids=str)
def test_what_is_no_key_is_refused(value):
    name = type(value).__name__
    with pytest.raises(
        TypeError, match=rf"the item id .* is a {name}, which cannot be a key\. Use"
    ):
        distinct(column(["a", value]), "item")


# --- look_up and joined -----------------------------------------------------------------------


@pytest.mark.parametrize("values", KINDS.values(), ids=KINDS)
def test_ids_are_found_in_any_order(rng, values):
    ids = column(values)
    if all(type(v) is int and v < 2**63 for v in values) or type(values[0]) is float:
        ids = np.array(values)
    asked = [values[i] for i in rng.integers(0, len(values), 20)]
    codes = look_up(ids, column(asked), "user")
    assert [values[code] for code in codes] == asked


@pytest.mark.parametrize("known", [np.array([2, 4]), np.array([2.0, 4]), column([2, 4])])
def test_unknown_ids_have_no_code(known):
    assert_array_equal(look_up(known, np.array([1, 2, 3, 4, 5]), "user"), [-1, 0, -1, 1, -1])
    assert_array_equal(look_up(known, column([(1,), 4]), "user"), [-1, 1])
    assert look_up(known, column([]), "user").shape == (0,)


def test_new_ids_come_after_the_known():
    ids, codes = joined(np.array([3, 5]), np.array([9, 5, 1, 9]), "user")
    assert ids.tolist() == [3, 5, 1, 9]
    assert ids.dtype == np.int64
    assert_array_equal(codes, [3, 1, 2, 3])
    again, codes = joined(ids, np.array([1, 0, 3]), "user")  # ids ascend no longer
    assert again.tolist() == [3, 5, 1, 9, 0]
    assert_array_equal(codes, [2, 4, 0])


def test_known_ids_alone_change_nothing():
    known = np.array([3, 5])
    ids, codes = joined(known, np.array([5.0, 3]), "user")
    assert ids is known
    assert_array_equal(codes, [1, 0])


def test_ids_of_another_dtype_join_exactly():
    ids, codes = joined(np.array([1.0, BIG]), np.array([BIG + 1, 1]), "user")
    assert ids.tolist() == [1.0, BIG, BIG + 1]
    assert_array_equal(codes, [2, 0])
    ids, codes = joined(np.array([1, 2]), column([("a", 1), 2]), "user")
    assert ids.tolist() == [1, 2, ("a", 1)]
    assert_array_equal(codes, [2, 1])


OTHER_KINDS = {
    "numbers, texts": ([1, 2], ["1"], "numbers in fit, such as 1, but are texts now, such as '1'"),
    "texts, numbers": (["a"], [2.5], "texts in fit, such as 'a', but are numbers now"),
    "bytes, texts": ([b"a"], ["a"], "bytes in fit, such as b'a', but are texts now"),
    "dates, numbers": ([date(2020, 1, 1)], [1], "dates in fit, .* but are numbers now"),
}


@pytest.mark.parametrize(("known", "given", "message"), OTHER_KINDS.values(), ids=OTHER_KINDS)
def test_ids_of_another_kind_are_refused(known, given, message):
    ids, _ = distinct(column(known), "user")
    for function in (look_up, joined):
        with pytest.raises(ValueError, match=f"the user ids were {message}"):
            function(ids, column(given), "user")


def test_twins_of_dicts(rng):
    """Random columns of a few mixed ids, looked up as a dict would."""
    pool = [0, 1, 2.5, "0", "a", (0,), (0, 1), b"a", True, -0.0, BIG, BIG + 1, float(BIG)]
    for _ in range(200):
        known, asked = (
            column([pool[i] for i in rng.integers(0, len(pool), rng.integers(1, 8))])
            for _ in range(2)
        )
        ids, codes = distinct(known, "user")
        assert set(ids.tolist()) == set(known.tolist())
        assert [ids.tolist()[code] for code in codes] == known.tolist()
        places = {key: place for place, key in enumerate(ids.tolist())}
        kinds = [
            "numbers" if all(isinstance(v, int | float) for v in a) else {*map(type, a)}
            for a in (known, asked)
        ]
        if kinds[0] == kinds[1] or not all(k in ("numbers", {str}, {bytes}) for k in kinds):
            assert look_up(ids, asked, "user").tolist() == [places.get(v, -1) for v in asked]
