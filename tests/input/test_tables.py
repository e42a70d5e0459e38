"""Tables of any kind: numbers of all sorts are read, and the rest is refused by name."""

from datetime import date, time
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from ..helpers.comparison import assert_same_model
from ..helpers.models import BERNOULLI, GAUSSIAN, SOFTMAX, models
from ..helpers.ratings import assert_same, machine, ratings

METHODS = ["fit", "partial_fit", "transform", "score_samples", "free_energy", "gibbs"]


def same(model, actual, expected):
    if model is SOFTMAX:
        assert_same(actual, expected)
    else:
        assert_same_model(actual, expected, but=["feature_names_in_"])


def frame_of(kind):
    def convert(X):
        return kind(pytest.importorskip("pandas"), X)

    return convert


def polars_of(kind):
    def convert(X):
        polars = pytest.importorskip("polars")
        return kind(polars, polars.DataFrame(X, schema=list("abcdef")))

    return convert


def arrow(pd, X, name):
    pytest.importorskip("pyarrow")
    return pd.DataFrame(X, columns=list("abcdef")).astype(name)


def sparse_columns(pd, X, fill, dtype=float, first=0):
    frame = pd.DataFrame(X, columns=list("abcdef"))
    for name in frame.columns[first:]:
        frame[name] = pd.arrays.SparseArray(
            X[:, "abcdef".index(name)].astype(dtype), fill_value=fill
        )
    return frame


# Tables of zeros and ones.
NUMBERS = {
    "decimals": lambda X: np.vectorize(Decimal)(X.astype(object)),
    "fractions": lambda X: np.vectorize(Fraction)(X.astype(int)),
    "list of lists of booleans": lambda X: X.astype(bool).tolist(),
    "objects and booleans": lambda X: np.where(X == 1, True, X.astype(object)),
    "categories": frame_of(lambda pd, X: pd.DataFrame(X).astype("category")),
    "categories of integers": frame_of(
        lambda pd, X: pd.DataFrame(X.astype(int)).astype("category")
    ),
    "Int64": frame_of(lambda pd, X: pd.DataFrame(X).astype("Int64")),
    "boolean": frame_of(lambda pd, X: pd.DataFrame(X.astype(bool)).astype("boolean")),
    "Int64 and objects": frame_of(
        lambda pd, X: pd.DataFrame(X).astype({0: "Int64", 1: object, 2: bool})
    ),
    "arrow integers": frame_of(lambda pd, X: arrow(pd, X, "int64[pyarrow]")),
    "arrow floats": frame_of(lambda pd, X: arrow(pd, X, "double[pyarrow]")),
    "arrow booleans": frame_of(lambda pd, X: arrow(pd, X.astype(bool), "bool[pyarrow]")),
    "sparse": frame_of(lambda pd, X: sparse_columns(pd, X, 0)),
    "sparse ones": frame_of(lambda pd, X: sparse_columns(pd, X, 1)),
    "sparse, filled with NaN": frame_of(lambda pd, X: sparse_columns(pd, X, np.nan)),
    "sparse integers": frame_of(lambda pd, X: sparse_columns(pd, X, 0, int)),
    "sparse booleans": frame_of(lambda pd, X: sparse_columns(pd, X, False, bool)),
    "some sparse": frame_of(lambda pd, X: sparse_columns(pd, X, 0, first=2)),
    "polars": polars_of(lambda pl, X: X),
    "polars integers": polars_of(lambda pl, X: X.cast(pl.Int8)),
    "polars booleans": polars_of(lambda pl, X: X.cast(pl.Boolean)),
    "polars decimals": polars_of(lambda pl, X: X.cast(pl.Decimal(10, 2))),
    "polars, mixed": polars_of(lambda pl, X: X.cast({"a": pl.Boolean, "b": pl.Decimal(10, 2)})),
}


@models
@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_of_every_kind_are_read(model, name):
    """Zeros of sparse columns are values: in a table only NaN is missing."""
    X = BERNOULLI.rows()
    table = NUMBERS[name](X)
    rbm, expected = model.machine().fit(table), model.machine().fit(X)
    # Matrix products of sparse rows, or of columns side by side, differ in the last bit.
    for method in ("transform", "reconstruct", "free_energy", "score_samples", *model.predictors):
        actual, desired = getattr(rbm, method)(table), getattr(expected, method)(X)
        np.testing.assert_allclose(actual, desired, rtol=1e-11, atol=1e-13)
    drawn = rbm.gibbs(table, random_state=0)
    np.testing.assert_allclose(drawn, expected.gibbs(X, random_state=0), rtol=1e-11)
    assert drawn.dtype == np.float64
    same(model, rbm, expected)


MISSING = {
    "None": lambda X: np.where(np.isnan(X), None, X.astype(object)),
    "Int64": frame_of(lambda pd, X: pd.DataFrame(X).astype("Int64")),
    "pandas.NA among objects": frame_of(
        lambda pd, X: pd.DataFrame(np.where(np.isnan(X), pd.NA, X.astype(object)))
    ),
    "Int64 and objects": frame_of(
        lambda pd, X: pd.DataFrame(X).astype({0: "Int64", 1: object, 2: "category"})
    ),
    "categories": frame_of(lambda pd, X: pd.DataFrame(X).astype("category")),
    "arrow": frame_of(lambda pd, X: arrow(pd, X, "int64[pyarrow]")),
    "sparse": frame_of(lambda pd, X: sparse_columns(pd, X, np.nan)),
    "zeros not stored": frame_of(lambda pd, X: sparse_columns(pd, X, 0)),
    "polars": polars_of(lambda pl, X: X.fill_nan(None)),
    "polars decimals": polars_of(lambda pl, X: X.fill_nan(None).cast(pl.Decimal(10, 2))),
    "masked": lambda X: np.ma.masked_invalid(X),
}


@pytest.mark.parametrize("name", MISSING)
def test_what_is_missing_is_missing_in_every_table(name):
    X = ratings(categories=np.arange(4.0))
    rbm, expected = machine().fit(MISSING[name](X)), machine().fit(X)
    assert_same(rbm, expected)
    assert_array_equal(rbm.predict_ratings(MISSING[name](X)), expected.predict_ratings(X))


@pytest.mark.parametrize("model", [BERNOULLI, GAUSSIAN], ids=["Bernoulli", "Gaussian"])
@pytest.mark.parametrize("name", [name for name in MISSING if name != "masked"])
def test_what_is_missing_is_refused_by_models_of_numbers(model, name):
    X = BERNOULLI.rows()
    X[2, 3] = np.nan
    with pytest.raises(ValueError, match=r"X contains NaN in feature (3|'d'): .*impute.*Softmax"):
        model.machine().fit(MISSING[name](X))


NO_NUMBERS = {
    "strings": (lambda X: X.astype(str), "0 of X holds '1.0', which is no number"),
    "bytes": (lambda X: X.astype(bytes), "0 of X holds .*, which is no number"),
    "records": (lambda X: X.astype([("a", float)]), "0 of X holds .*, which is no number"),
    "objects": (lambda X: np.where(X == 1, "one", X.astype(object)), "0 of X holds 'one'"),
    "list": (lambda X: [[1.0, "2"], [0.0, 1.0]], "0 of X holds '1.0', which is no number"),
    "dates": (lambda X: X.astype("M8[s]"), "0 of X holds dates or times"),
    "durations": (lambda X: X.astype("m8[s]"), "0 of X holds dates or times"),
    "date objects": (
        lambda X: np.where(X == 1, date(2020, 1, 1), X.astype(object)),
        "0 of X holds dates or times",
    ),
    "time objects": (lambda X: np.full((3, 2), time(1)), "0 of X holds dates or times"),
    "lists": (lambda X: np.frompyfunc(lambda v: [v, 2], 1, 1)(X), "0 of X holds .*no number"),
    "large": (lambda X: [[1, 0], [1, 10**400]], "1 of X holds a number beyond float64"),
    "date column": (
        frame_of(lambda pd, X: pd.DataFrame({"n": X[:, 0], "d": pd.to_datetime(X[:, 1])})),
        "'d' of X holds dates or times",
    ),
    "time zones": (
        frame_of(lambda pd, X: pd.DataFrame({"d": pd.to_datetime(X[:, 1], utc=True)})),
        "'d' of X holds dates or times",
    ),
    "string column": (
        frame_of(lambda pd, X: pd.DataFrame({"n": X[:, 0], "s": X[:, 1].astype(str)})),
        "'s' of X holds '.*', which is no number",
    ),
    "categories of strings": (
        frame_of(lambda pd, X: pd.DataFrame(X.astype(str)).astype("category")),
        "0 of X holds '1.0'",
    ),
    "arrow dates": (
        frame_of(lambda pd, X: arrow(pd, X.astype("M8[s]"), "timestamp[s][pyarrow]")),
        "'a' of X holds dates or times",
    ),
    "polars categories": (
        polars_of(lambda pl, X: X.cast(pl.String).cast(pl.Categorical)),
        # scikit-learn 1.6 does not find the names of every frame of polars.
        "('a'|0) of X holds '.*OrdinalEncoder",
    ),
    "polars dates": (
        polars_of(lambda pl, X: X.cast(pl.Int64).cast(pl.Datetime)),
        "'a' of X holds dates or times",
    ),
    "polars date column": (
        polars_of(lambda pl, X: X.with_columns(b=pl.col("b").cast(pl.Int64).cast(pl.Date))),
        "'b' of X holds dates or times",
    ),
}


@models
@pytest.mark.parametrize("name", NO_NUMBERS)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_what_is_no_number_is_refused_with_its_feature(model, name, method):
    convert, message = NO_NUMBERS[name]
    X = BERNOULLI.rows()
    X[0] = 1
    table = convert(X)
    with pytest.raises(ValueError, match=f"feature {message}"):
        getattr(model.machine(), method)(table)


@models
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["objects", "dates"])
def test_methods_that_read_refuse_what_is_no_number(model, method, name):
    convert, message = NO_NUMBERS[name]
    X = BERNOULLI.rows()
    X[0] = 1
    with pytest.raises(ValueError, match=f"feature {message}"):
        getattr(model.machine().fit(X), method)(convert(X))


@models
def test_an_object_of_another_kind_is_a_wrong_type(model):
    X = BERNOULLI.rows().astype(object)
    X[1, 2] = {"a": 1}
    with pytest.raises(TypeError, match=r"feature 2 of X holds \{'a': 1\}, which is no number: "):
        model.machine().fit(X)


NO_TABLES = {
    "0-D": (np.array(5.0), "scalar array"),
    "number": (5.0, "scalar array"),
    "string": ("ratings", "scalar array"),
    "1-D": (np.ones(6), "1D array"),
    "list": ([1.0, 2.0], "1D array"),
    "empty list": ([], "1D array"),
    "3-D": (np.ones((2, 3, 2)), "dim 3"),
    "no rows": (np.ones((0, 6)), "0 sample"),
    "no columns": (np.ones((3, 0)), r"0 feature\(s\)"),
    "ragged": ([[1, 0], [1]], "X is no table, its rows differ in length"),
    "complex": (np.ones((3, 6), complex), "Complex data"),
}


@models
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", NO_TABLES)
def test_what_is_no_table_is_refused(model, method, name):
    X, message = NO_TABLES[name]
    rbm = model.machine()
    rbm = rbm if "fit" in method else rbm.fit(BERNOULLI.rows())
    with pytest.raises(ValueError, match=message):
        getattr(rbm, method)(X)


def test_python_integers_that_floats_cannot_tell_apart_are_refused():
    X = np.array([[1, 2], [3, 2**53 + 1]], object)
    with pytest.raises(ValueError, match=r"2\*\*53"):
        machine().fit(X)


def test_python_integers_beyond_64_bits_are_floats():
    X = np.where(GAUSSIAN.rows() > 0, 2**70, np.zeros((), object))
    expected = GAUSSIAN.machine(n_iter=0).fit(X[:20].astype(float))
    assert_same_model(GAUSSIAN.machine(n_iter=0).fit(X[:20]), expected)


@models
def test_long_doubles_beyond_float64_are_infinite(model):
    X = BERNOULLI.rows().astype(np.longdouble)
    X[1, 2] = np.longdouble("1e400")
    if np.isinf(X[1, 2]):  # pragma: no cover - a platform without longer floats
        pytest.skip("long doubles are no longer than doubles")
    with pytest.raises(ValueError, match="infinity"):
        model.machine().fit(X)


@models
def test_columns_of_one_name_are_refused(model):
    pd = pytest.importorskip("pandas")
    X = model.complete()
    rbm = model.machine().fit(X)
    frame = pd.DataFrame(X, columns=list("abcdeb"))
    for method in (rbm.fit, rbm.transform):
        with pytest.raises(ValueError, match=r"^X has 2 columns of the name 'b'"):
            method(frame)
    hidden = pd.DataFrame(rbm.transform(X), columns=["h", "h", "h"])
    with pytest.raises(ValueError, match=r"^h has 3 columns of the name 'h'"):
        rbm.energy(X, hidden)


MASKED = {
    "complex": (np.ones((3, 6), complex), "[Cc]omplex"),
    "strings": (np.full((3, 6), "a"), "feature 0 of X holds 'a'"),
    "dates": (np.zeros((3, 6), "M8[s]"), "feature 0 of X holds dates"),
}


@pytest.mark.parametrize(("values", "message"), MASKED.values(), ids=MASKED)
def test_what_is_no_number_is_refused_behind_a_mask(values, message):
    """Nothing is said of a cast, which would lose imaginary parts."""
    X = np.ma.masked_array(values, np.eye(3, 6, 1))
    with pytest.raises(ValueError, match=message):
        SOFTMAX.machine().fit(X)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("a", "feature 1 of X holds 'a', which is no number"),
        (None, "NaN"),
        (10**400, "feature 1 of X holds a number beyond float64"),
        (1j, "feature 1 of X holds 1j, which is no number"),
        (date(2020, 1, 1), "feature 1 of X holds dates"),
    ],
)
def test_hidden_rows_are_read_as_visible_rows_are(entry, message):
    rbm = BERNOULLI.machine().fit(BERNOULLI.rows())
    H = rbm.transform(BERNOULLI.rows())
    expected = rbm.inverse_transform(H)
    assert_array_equal(rbm.inverse_transform(H.astype(object)), expected)
    assert_array_equal(rbm.inverse_transform(np.ma.masked_array(H)), expected)
    H = H.astype(object)
    H[0, 1] = entry
    with pytest.raises((TypeError, ValueError), match=message):
        rbm.inverse_transform(H)


def test_masked_hidden_rows_are_unknown():
    rbm = BERNOULLI.machine().fit(BERNOULLI.rows())
    with pytest.raises(ValueError, match="NaN"):
        rbm.inverse_transform(np.ma.masked_array(np.ones((1, 3)), [[True, False, False]]))
