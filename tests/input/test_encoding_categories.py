"""Which categories there are: found or given, unknown values, and what is no number."""

import pickle

import numpy as np
import pytest
from scipy import sparse
from sklearn.preprocessing import OneHotEncoder
from sklearn.utils._param_validation import InvalidParameterError

from ..helpers.comparison import assert_same_bits, assert_same_model
from ..helpers.containers import as_frame
from ..helpers.ratings import HALF_STARS, assert_same, machine, ratings, stored


@pytest.fixture(name="X")
def half_stars():
    return ratings()


# --- categories ---


@pytest.mark.filterwarnings("ignore:there is one category only")
@pytest.mark.parametrize("codes", [[-7, 0, 3, 1000], [-0.25, 1e-3, 2.5, 1e9], [0], [-5, 2**53]])
def test_codes_may_be_any_numbers(codes):
    X = ratings(categories=np.array(codes, float))
    rbm = machine().fit(X)
    for found in rbm.categories_:
        np.testing.assert_array_equal(found, codes)
    drawn = rbm.gibbs(X, random_state=0)
    np.testing.assert_array_equal(np.isnan(drawn), np.isnan(X))
    assert set(drawn[~np.isnan(drawn)]) <= set(map(float, codes))
    # Codes are names: other codes in the same order make the same machine.
    ranks = np.where(np.isnan(X), np.nan, np.searchsorted(codes, X).astype(float))
    same = machine().fit(ranks)
    assert_same_bits(rbm.components_, same.components_)
    assert_same_bits(rbm.transform(X), same.transform(ranks))


def test_shared_categories_are_the_sorted_union_of_the_columns():
    X = np.array([[5.0, 1.0, np.nan], [np.nan, 2.5, 4.0], [5.0, 1.0, -2.0]])
    rbm = machine(categories="shared").fit(X)
    assert_same_bits(rbm.categories_, [np.array([-2.0, 1.0, 2.5, 4.0, 5.0])] * 3)
    assert rbm.components_.shape == (3, 15)


def test_auto_categories_are_those_of_the_one_hot_encoder():
    rng = np.random.default_rng(0)
    X = np.stack([rng.choice(k, 40) * 1.5 - k for k in (1, 2, 5, 9)], axis=1)
    encoder = OneHotEncoder().fit(X)
    for data in (X, sparse.csr_array(X + 100), X.astype(int), X.astype(np.float32)):
        expected = encoder.fit(data.toarray() if sparse.issparse(data) else data).categories_
        assert_same_bits(machine(categories="auto").fit(data).categories_, expected)


def test_auto_categories_skip_what_is_missing(X):
    rbm = machine(categories="auto").fit(X)
    for found, column in zip(rbm.categories_, X.T, strict=True):
        np.testing.assert_array_equal(found, np.unique(column[~np.isnan(column)]))


def test_given_categories_are_those_found():
    X = ratings(missing=0.1)
    expected = machine().fit(X)
    listed = list(HALF_STARS)
    for given in (
        HALF_STARS,
        listed,
        tuple(listed),
        [HALF_STARS] * 6,
        np.tile(HALF_STARS, (6, 1)),
    ):
        assert_same_model(machine(categories=given).fit(X), expected)
    own = machine(categories="auto").fit(X)
    assert_same_model(machine(categories=own.categories_).fit(X), own)


def test_booleans_may_be_given_as_categories():
    X = np.random.default_rng(0).integers(0, 2, (20, 3)).astype(bool)
    expected = machine(categories=[0, 1]).fit(X)
    for given in ([False, True], np.array([False, True]), [np.array([False, True])] * 3):
        assert_same(machine(categories=given).fit(X), expected)


def test_features_may_have_other_numbers_of_categories():
    X = np.array([[0.0, 7.0, 1.0], [0.0, 8.0, 2.0], [0.0, np.nan, 3.0]])
    rbm = machine(categories=[[0], [7, 8], [1, 2, 3, 4]]).fit(X)
    assert [len(found) for found in rbm.categories_] == [1, 2, 4]
    assert rbm.components_.shape == (3, 7)
    proba = rbm.conditional_proba(X)
    assert proba.shape == (3, 3, 4)
    assert (proba[:, 0, 1:] == 0).all()
    assert (proba[:, 1, 2:] == 0).all()
    np.testing.assert_allclose(proba.sum(axis=2), 1)


def test_given_categories_are_left_alone():
    given = [np.array([1.0, 2.0]), np.array([3.0, 4.0, 5.0])]
    rbm = machine(categories=given).fit([[1, 3], [2, 5]])
    assert rbm.categories is given
    assert_same_bits(given, [np.array([1.0, 2.0]), np.array([3.0, 4.0, 5.0])])


BAD_CATEGORIES = {
    "unsorted": [2, 1, 3],
    "twice": [1, 2, 2],
    "NaN": [1.0, np.nan],
    "NaN first": [np.nan, 1.0],
    "infinite": [1.0, np.inf],
    "none": [],
    "empty array": np.array([]),
    "no array": np.array(3),
    "string": "onehot",
    "strings": ["a", "b"],
    "number": 5,
    "none for a feature": [[1, 2], []],
    "unsorted for a feature": [[1, 2], [2, 1]],
    "NaN for a feature": [[1, 2], [1.0, np.nan]],
    "a number for a feature": [[1, 2], 3],
    "strings for a feature": [[1, 2], ["a", "b"]],
    "three features": [[1, 2]] * 3,
    "one feature": [[1, 2]],
    "3-D": np.ones((2, 1, 1)),
    "None": None,
}


@pytest.mark.parametrize("given", BAD_CATEGORIES.values(), ids=BAD_CATEGORIES.keys())
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_what_cannot_be_categories_is_refused_by_name(given, method):
    rbm = machine(categories=given)
    before = set(vars(rbm))
    with pytest.raises(InvalidParameterError, match="'categories' parameter of SoftmaxRBM"):
        getattr(rbm, method)([[1, 1], [2, 2]])
    assert set(vars(rbm)) == before


def test_the_message_on_categories_names_the_feature():
    pd = pytest.importorskip("pandas")
    with pytest.raises(InvalidParameterError, match="of feature 1"):
        machine(categories=[[1, 2], [2, 1]]).fit([[1, 1]])
    with pytest.raises(InvalidParameterError, match="of feature 'film'"):
        machine(categories=[[1, 2], [2, 1]]).fit(pd.DataFrame({"year": [1], "film": [2]}))


# --- unknown values ---


@pytest.mark.parametrize("container", [np.asarray, stored, lambda X: stored(X).tocoo()])
@pytest.mark.parametrize("value", [7.0, -1.0, 0.25, 4.999999])
def test_an_unknown_value_is_named_with_its_feature(X, container, value):
    rbm = machine().fit(X)
    bad = X.copy()
    bad[9, 3] = value
    before = pickle.dumps(vars(rbm))
    for name in ("partial_fit", "transform", "score_samples", "free_energy", "predict_ratings"):
        with pytest.raises(ValueError, match=rf"{value} in feature 3\b"):
            getattr(rbm, name)(container(bad))
    assert pickle.dumps(vars(rbm)) == before
    with pytest.raises(ValueError, match=rf"{value} in feature 3\b.*handle_unknown='ignore'"):
        machine(categories=HALF_STARS).fit(container(bad))


def test_an_unknown_value_in_a_frame_is_named_with_the_name_of_the_feature(X):
    frame = as_frame(X, None)
    rbm = machine().fit(frame)
    frame.loc[2, "e"] = 9
    with pytest.raises(ValueError, match=r"9\.0 in feature 'e'.* none of its categories"):
        rbm.transform(frame)


def test_a_value_of_another_feature_is_unknown():
    X = np.array([[1.0, 5.0], [2.0, 6.0]])
    with pytest.raises(ValueError, match=r"5\.0 in feature 0"):
        machine(categories="auto").fit(X).transform(X[:, ::-1])


@pytest.mark.parametrize("container", [np.asarray, stored, lambda X: stored(X).tocsc()])
@pytest.mark.parametrize("value", [7.0, -1.0, 0.25])
def test_an_ignored_unknown_value_counts_as_missing(X, container, value):
    bad, missing = X.copy(), X.copy()
    bad[9, 3], missing[9, 3] = value, np.nan
    bad[:, 5], missing[:, 5] = value, np.nan
    options = {"handle_unknown": "ignore", "categories": HALF_STARS}
    rbm, expected = machine(**options).fit(container(bad)), machine(**options).fit(missing)
    assert_same_model(rbm, expected)
    assert_same_model(rbm.partial_fit(container(bad)), expected.partial_fit(missing))
    for name in ("transform", "score_samples", "predict_ratings"):
        assert_same_bits(getattr(rbm, name)(container(bad)), getattr(rbm, name)(missing))
    assert_same_bits(rbm.recommend(container(bad), 4), rbm.recommend(missing, 4))
    drawn = rbm.gibbs(container(bad), random_state=0)
    expected = rbm.gibbs(container(missing), random_state=0)
    if sparse.issparse(drawn):
        drawn, expected = drawn.toarray(), expected.toarray()
    assert_same_bits(drawn, expected)


@pytest.mark.parametrize("handle_unknown", ["error", "ignore"])
def test_infinity_is_not_to_be_ignored(X, handle_unknown):
    X[9, 3] = np.inf
    with pytest.raises(ValueError, match="feature 3 of X contains infinity"):
        machine(handle_unknown=handle_unknown, categories=HALF_STARS).fit(X)


# --- values that are no numbers, or none at all ---


def string_data():
    pd = pytest.importorskip("pandas")
    return {
        "str array": np.array([["a", "b"], ["c", "d"]]),
        "bytes array": np.array([[b"a", b"b"], [b"c", b"d"]]),
        "object": np.array([[1, "b"], [2, "d"]], dtype=object),
        "object with NaN": np.array([[1, np.nan], [2, "d"]], dtype=object),
        "list": [["1", "b"], ["2", "d"]],
        "mixed list": [[1, "b"], [2, "d"]],
        "digits": np.array([["1", "2"], ["3", "4"]]),
        "frame": pd.DataFrame({"n": [1, 2], "s": ["b", "d"]}),
        "string frame": pd.DataFrame({"n": [1, 2], "s": pd.array(["b", pd.NA], dtype="string")}),
        "frame of categories": pd.DataFrame({"n": [1, 2], "s": pd.Categorical(["b", "d"])}),
    }


@pytest.mark.filterwarnings("ignore:X has feature names, but SoftmaxRBM was fitted without")
@pytest.mark.parametrize("name", string_data())
def test_strings_are_refused_and_the_ordinal_encoder_named(name):
    X = string_data()[name]
    fitted = machine().fit([[1, 2], [3, 4]])
    for method in (machine().fit, machine().partial_fit, fitted.transform):
        with pytest.raises(ValueError, match=r"feature (0|1|'s') of X holds .*OrdinalEncoder"):
            method(X)


@pytest.mark.parametrize("dtype", ["M8[D]", "m8[D]", complex])
def test_what_is_no_number_is_refused(dtype):
    X = np.array([[1, 2], [3, 4]]).astype(dtype)
    with pytest.raises((TypeError, ValueError)):
        machine().fit(X)


@pytest.mark.parametrize("categories", ["shared", "auto"])
@pytest.mark.parametrize("container", [np.asarray, stored])
@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinity_is_no_category(X, categories, container, value):
    X[3, 2] = value
    with pytest.raises(ValueError, match="infinity"):
        machine(categories=categories).fit(container(X))


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("number", [2**53 + 1, -(2**53) - 1, 2**62])
def test_integers_that_floats_cannot_tell_apart_are_refused(container, number):
    X = np.array([[1, 2], [3, number]])
    with pytest.raises(ValueError, match=r"2\*\*53.*OrdinalEncoder"):
        machine().fit(container(X))
    X[1, 1] = np.sign(number) * 2**53
    machine().fit(container(X))


@pytest.mark.parametrize("container", [np.asarray, stored])
def test_a_column_without_entries_has_no_categories_of_its_own(X, container):
    X[:, 2] = np.nan
    with pytest.raises(ValueError, match="feature 2 of X has no observed entry"):
        machine(categories="auto").fit(container(X))
    assert len(machine(categories="shared").fit(container(X)).categories_[2]) == len(HALF_STARS)


@pytest.mark.parametrize("empty", [np.full((3, 2), np.nan), sparse.csr_array((3, 2))])
@pytest.mark.parametrize("categories", ["shared", "auto"])
def test_data_without_entries_have_no_categories(empty, categories):
    with pytest.raises(ValueError, match="no observed entry to learn categories from"):
        machine(categories=categories).fit(empty)


@pytest.mark.parametrize("empty", [np.full((3, 2), np.nan), sparse.csr_array((3, 2))])
def test_data_without_entries_teach_nothing(empty):
    with pytest.raises(ValueError, match="no observed entry: there is nothing to learn from"):
        machine(categories=[1, 2]).fit(empty)


def test_rows_without_entries_are_rows(X):
    rbm = machine().fit(X)
    H = rbm.transform(X)
    # The exponentials of NumPy and of kernels differ by roundings.
    np.testing.assert_allclose(H[4], 1 / (1 + np.exp(-rbm.intercept_hidden_)), rtol=1e-15)
    assert rbm.score_samples(X)[4] == 0


def test_masked_entries_are_missing_or_refused(X):
    """Read as if the mask were not there, they would be ratings of 99."""
    masked = np.ma.MaskedArray(np.where(np.isnan(X), 99, X), np.isnan(X))
    try:
        rbm = machine().fit(masked)
    except (TypeError, ValueError):
        return
    assert 99 not in rbm.categories_[0]


def test_very_many_categories_give_a_warning(rng):
    X = rng.normal(size=(501, 2))
    with pytest.warns(UserWarning, match="1002 different values.*GaussianBernoulliRBM"):
        machine(n_iter=0).fit(X)
    machine(n_iter=0).fit(X[:500])  # a thousand may be meant


def test_ragged_lists_are_refused():
    with pytest.raises(ValueError, match="inhomogeneous"):
        machine().fit([[1, 2], [1]])


def test_categories_beyond_the_dtype_of_results_are_refused():
    X = np.array([[1.0, 2], [1e300, 2]])
    rbm = machine().fit(X)
    H = rbm.transform(X)
    assert np.isfinite(rbm.inverse_transform(H)).all()
    message = r"category 1e\+300 is beyond float32"
    for call in (
        lambda: rbm.transform(X[:1].astype("f4")),
        lambda: rbm.inverse_transform(np.float32(H)),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    rbm.components_ = rbm.components_.astype(np.float32)
    with pytest.raises(ValueError, match=message):
        rbm.sample(2, n_gibbs_steps=1)
