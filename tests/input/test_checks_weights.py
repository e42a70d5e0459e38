"""Weights of rows are one finite number per row, none negative; other things are refused."""

import numpy as np
import pytest
from scipy import sparse

from skrbm._input.checks import check_weights

from ..helpers.models import models

X = np.zeros((4, 3))

NO_NUMBERS = {
    "a set": {1, 2, 3, 4},
    "a dictionary": {"a": 1},
    "a text": "abcd",
    "bytes": b"2",
    "texts": ["1", "2", "3", "4"],
    "a text among numbers": np.array([1, 1, 1, "a"], dtype=object),
    "a complex number": 1j,
    "complex numbers": [1, 1, 1j, 1],
    "a date": np.datetime64("2020-01-01"),
    "dates": np.array(["2020-01-01"] * 4, "M8[s]"),
    "an iterator": iter([1, 2, 3, 4]),
    "a slice": slice(2),
    "a ragged list": [[1], 2, 3, 4],
    "a sparse column": sparse.csr_array(np.ones((4, 1))),
    "a number beyond floats": [10**400, 1, 1, 1],
}
no_numbers = pytest.mark.parametrize("weights", NO_NUMBERS.values(), ids=NO_NUMBERS)


@no_numbers
def test_what_holds_no_numbers_is_refused(weights):
    with pytest.raises(ValueError, match=r"^sample_weight must hold one number for each row of X"):
        check_weights(weights, X)


@pytest.mark.parametrize("shape", [(3,), (5,), (0,), (4, 1), (1, 4), (1,)])
def test_another_number_of_weights_is_refused(shape):
    with pytest.raises(ValueError, match=rf"each of the 4 rows of X\. Got .* \({shape[0]},"):
        check_weights(np.ones(shape), X)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -1, -1e-300, None], ids=repr)
def test_weights_that_are_no_counts_are_refused_by_their_row(value):
    with pytest.raises(ValueError, match=r"at least 0\. Got (nan|-?inf|-1.*) for row 2"):
        check_weights([1, 2, value, value], X)


def test_a_masked_weight_is_none():
    with pytest.raises(ValueError, match=r"at least 0\. Got nan for row 1"):
        check_weights(np.ma.array([1, 2, 3, 4], mask=[0, 1, 1, 0]), X)


@pytest.mark.parametrize("value", [np.nan, -1, np.ma.masked], ids=repr)
def test_one_number_for_all_rows_is_checked_as_well(value):
    with pytest.raises(ValueError, match=r"at least 0\. Got (nan|-1.0) for row 0"):
        check_weights(value, X)


@pytest.mark.parametrize("weights", [0, [0, 0, 0, 0], np.zeros(4, bool)], ids=str)
def test_some_row_must_count(weights):
    with pytest.raises(ValueError, match="sample_weight is zero for all rows"):
        check_weights(weights, X)


def test_weights_that_overflow_their_sum_are_refused():
    weights, _ = check_weights([1e307] * 4, X)
    assert weights.sum() == pytest.approx(4e307)
    with pytest.raises(ValueError, match=r"adds up to more than a float can hold.*largest one"):
        check_weights([1e308] * 4, X)


@pytest.mark.parametrize(
    "weights",
    [
        [1, 0, 2, 3],
        (1, 0, 2, 3),
        np.array([1, 0, 2, 3], np.int8),
        np.array([1, 0, 2, 3], ">f4"),
        np.array([1, 0, 2, 3], object),
        np.array([1, 0, 2, 3], np.longdouble),
        np.array([3, 2, 0, 1])[::-1],
        np.ma.array([1, 0, 2, 3]),
    ],
    ids=lambda w: f"{type(w).__name__} {getattr(w, 'dtype', '')}",
)
def test_numbers_of_any_kind_are_weights(weights):
    found, counted = check_weights(weights, X)
    assert found.dtype == np.float64
    assert found.tolist() == [1, 2, 3]
    assert counted.tolist() == [True, False, True, True]


def test_a_column_of_a_frame_is_weights():
    pd = pytest.importorskip("pandas")
    for dtype in ("int64", "Int64", "Float32", "boolean"):
        column = pd.Series([1, 0, 1, 1], dtype=dtype, index=[7, 8, 9, 10])
        weights, counted = check_weights(column, X)
        assert weights.tolist() == [1, 1, 1]
        assert counted.tolist() == [True, False, True, True]
    with pytest.raises(ValueError, match="Got nan for row 3"):
        check_weights(pd.Series([1, 0, 1, None], dtype="Int64"), X)


def test_one_number_stands_for_equal_weights():
    weights, counted = check_weights(2, X)
    assert weights.tolist() == [2] * 4
    assert counted is None


@models
@pytest.mark.parametrize("method", ["fit", "partial_fit", "score"])
def test_every_method_refuses_them(model, method):
    rows = model.rows()
    rbm = model.machine()
    if method == "score":
        rbm.fit(rows)
    for weights in ({}, np.ones(46), [-1.0] * 47, np.zeros(47), np.nan):
        with pytest.raises(ValueError, match=r"^sample_weight (must|is)"):
            getattr(rbm, method)(rows, sample_weight=weights)
