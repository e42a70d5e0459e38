"""How rows of ratings become rows of categories: what is stored, precisions, blocks."""

import numpy as np
import pytest

from skrbm._input.encoding import fitted_categories, found_values, merged_values

from ..helpers.comparison import assert_same_bits, assert_same_model
from ..helpers.ratings import HALF_STARS, assert_same, machine, ratings, stored


@pytest.fixture(name="X")
def half_stars():
    return ratings()


def test_a_stored_zero_is_a_rating_and_an_absent_entry_is_not(X):
    with_zeros = stored(X)
    without = with_zeros.copy()
    without.eliminate_zeros()
    assert without.nnz < with_zeros.nnz
    rbm = machine().fit(X)
    absent = np.where(X == 0, np.nan, X)
    assert_same_bits(rbm.transform(without), rbm.transform(absent))
    differs = (rbm.transform(without) != rbm.transform(with_zeros)).any(axis=1)
    np.testing.assert_array_equal(differs, (X == 0).any(axis=1))
    np.testing.assert_array_equal(machine().fit(without).categories_[0], HALF_STARS[1:])


def test_neighbours_at_the_end_of_a_row_are_no_duplicates():
    X = np.full((4, 3), np.nan)
    X[0, 2] = X[1, 2] = X[3, 2] = 1
    X[2, 0] = 2
    assert_same(machine().fit(stored(X)), machine().fit(X))


@pytest.mark.parametrize("first", [np.float32, np.float64])
@pytest.mark.parametrize("second", [np.float32, np.float64])
@pytest.mark.parametrize("categories", ["shared", "auto", "given"])
def test_a_tenth_is_a_tenth_in_every_precision(first, second, categories):
    X = np.array([[0.1, 0.7], [0.3, 0.1], [np.nan, 0.3]])
    if categories == "given":
        categories = np.array([0.1, 0.3, 0.7], first)
    rbm = machine(categories=categories).fit(X.astype(first))
    np.testing.assert_allclose(
        rbm.transform(X.astype(second)), rbm.transform(X.astype(first)), rtol=1e-5
    )
    rbm.partial_fit(X.astype(second))
    assert rbm.components_.dtype == first


def test_one_list_may_mix_precisions():
    X = np.array([[1.0, 0.1], [2.0, 0.2]])
    expected = machine(categories=[[1.0, 2.0], [0.1, 0.2]]).fit(X)
    mixed = [np.array([1.0, 2.0]), np.array([0.1, 0.2], np.float32)]
    assert_same_bits(machine(categories=mixed).fit(X).components_, expected.components_)


# --- blocks ---


@pytest.mark.parametrize("container", [np.asarray, stored])
@pytest.mark.parametrize("categories", ["shared", "auto"])
@pytest.mark.parametrize("n_entries", [1, 5, 13])
def test_the_size_of_blocks_changes_no_bit(X, container, categories, n_entries, monkeypatch):
    options = {"categories": categories, "handle_unknown": "ignore"}
    expected = machine(**options).fit(X)
    other = np.where(X == 1.5, 99, X)
    proba = expected.conditional_proba(other)
    monkeypatch.setattr("skrbm._input.encoding._BLOCK_ENTRIES", n_entries)
    rbm = machine(**options).fit(container(X))
    assert_same_model(rbm, expected)
    assert_same_bits(rbm.conditional_proba(container(other)), proba)
    rbm.set_params(handle_unknown="error")
    with pytest.raises(ValueError, match=r"99\.0 in feature"):
        rbm.transform(container(other))


# --- input ---


@pytest.mark.parametrize("categories", [[2**53, 2**53 + 1], ["a", "b"], [[1, 2], [1, [2, 3]]]])
def test_categories_that_are_no_numbers_apart_are_refused(categories):
    with pytest.raises(ValueError, match=r"'categories' parameter .* OrdinalEncoder"):
        machine(categories=categories).fit([[1, 2], [2, 1]])


def test_masked_integers_are_float64():
    X = np.ma.masked_equal(np.array([[1, 2], [9, 1]], np.int16), 9)
    rbm = machine().fit(X)
    assert rbm.components_.dtype == np.float64
    assert_same_model(rbm, machine().fit([[1, 2], [np.nan, 1]]))


@pytest.mark.parametrize("n_features", [2, None, "3", [3], np.array([3, 3])], ids=repr)
def test_categories_that_belong_to_other_features_are_refused(n_features):
    """Whatever somebody has set n_features_in_ to."""
    by_feature = [np.arange(2.0)] * 3
    assert fitted_categories(by_feature, np.int64(3)).n_features == 3
    with pytest.raises(ValueError, match=r"categories of 3 features, but n_features_in_ is"):
        fitted_categories(by_feature, n_features)


@pytest.mark.parametrize("categories", ["shared", "auto", "given"])
@pytest.mark.parametrize("container", [np.asarray, stored])
def test_parts_of_the_rows_find_what_all_rows_have(X, categories, container):
    """Features and their values, in pairs, each once, whatever the parts and their order."""
    rbm = machine(categories=HALF_STARS if categories == "given" else categories)
    found = found_values(rbm, container(X))
    pairs = {(i, x) for row in X for i, x in enumerate(row) if not np.isnan(x)}
    if categories != "auto":
        pairs = {(0, x) for _, x in pairs} if categories == "shared" else set()
    np.testing.assert_array_equal(found, np.reshape(sorted(pairs), (-1, 2)).T)
    parts = [found_values(rbm, container(X[which])) for which in (slice(9, None), slice(0, 9))]
    assert_same_bits(merged_values(parts), found)
    nothing = found_values(rbm, container(np.full((2, X.shape[1]), np.nan)))
    assert_same_bits(merged_values([nothing, found, nothing]), found)
