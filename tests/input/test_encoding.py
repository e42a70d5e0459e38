"""How rows of ratings become rows of categories: what is stored, precisions, blocks."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from ..helpers.comparison import assert_same_bits, assert_same_model
from ..helpers.ratings import (
    HALF_STARS,
    N_FEATURES,
    N_ROWS,
    assert_same,
    machine,
    ratings,
    stored,
)


@pytest.fixture(name="X")
def half_stars():
    return ratings()


@pytest.mark.parametrize("form", ["bsr", "dia"])
@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csr_matrix])
def test_formats_of_blocks_and_diagonals_store_zeros_too(form, kind):
    """Whatever the block holds is stored: with no entry missing all formats agree."""
    X = ratings(missing=0)
    assert (X == 0).any()
    if form == "bsr":
        rows = np.arange(N_ROWS * N_FEATURES).reshape(N_ROWS, N_FEATURES) // N_FEATURES
        full = kind((X.ravel(), (rows.ravel(), np.tile(np.arange(N_FEATURES), N_ROWS))), X.shape)
        data = full.tobsr((1, 3))
    else:
        offsets = np.arange(-N_ROWS + 1, N_FEATURES)
        diagonals = np.zeros((len(offsets), N_FEATURES))
        for d, k in enumerate(offsets):
            for j in range(N_FEATURES):
                if 0 <= j - k < N_ROWS:
                    diagonals[d, j] = X[j - k, j]
        data = sparse.dia_array((diagonals, offsets), shape=X.shape)
        data = data if kind is sparse.csr_array else sparse.dia_matrix(data)
    assert data.format == form
    assert_same_model(machine().fit(data), machine().fit(X))


def test_a_band_of_diagonals_misses_the_rest():
    X = np.full((5, 6), np.nan)
    i = np.arange(5)
    X[i, i], X[i, i + 1] = i % 3, (i + 1) % 3
    band = sparse.dia_array((np.array([[0, 1, 2, 0, 1, 0], [0, 1, 2, 0, 1, 2]]), [0, 1]), (5, 6))
    assert np.array_equal(band.toarray(), np.nan_to_num(X))
    assert_same(machine(categories=[0, 1, 2]).fit(band), machine(categories=[0, 1, 2]).fit(X))


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


@pytest.mark.parametrize("form", ["coo", "csr", "csc"])
@pytest.mark.parametrize("values", [(1.0, 2.0), (1.0, 1.0), (1.0, 0.0)])
def test_two_entries_at_one_place_are_refused(X, form, values):
    rbm = machine().fit(X)
    rows, columns = [0, 2, 5, 2, 7], [1, 3, 0, 3, 5]
    ones = [1.0, values[0], 3.0, values[1], 4.0]
    if form == "coo":
        data = sparse.coo_array((ones, (rows, columns)), shape=X.shape)
    else:
        order = np.argsort(rows if form == "csr" else columns, kind="stable")
        major, minor = (rows, columns) if form == "csr" else (columns, rows)
        size = X.shape[0] if form == "csr" else X.shape[1]
        indptr = np.concatenate(([0], np.cumsum(np.bincount(major, minlength=size))))
        kind = sparse.csr_array if form == "csr" else sparse.csc_array
        parts = np.array(ones)[order], np.array(minor)[order], indptr
        data = kind(parts, shape=X.shape)
    assert data.nnz == 5
    for method in (rbm.fit, rbm.partial_fit, rbm.transform, rbm.predict_ratings):
        with pytest.raises(ValueError, match="2 entries at row 2, column 3"):
            method(data)


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


def test_a_stale_flag_of_sorted_indices_is_not_believed(X):
    rbm = machine().fit(X)
    rows, columns = np.nonzero(~np.isnan(X))
    order = np.lexsort((-columns, rows))
    entries = (X[rows, columns][order], (rows[order], columns[order]))
    unsorted = sparse.csr_array(
        (entries[0], columns[order], np.searchsorted(rows, np.arange(len(X) + 1))), shape=X.shape
    )
    unsorted.has_sorted_indices = True
    kept = unsorted.indices.copy()
    assert_array_equal(rbm.predict_ratings(unsorted), rbm.predict_ratings(X))
    assert_array_equal(unsorted.indices, kept)


def test_sparse_arrays_of_one_dimension_are_refused():
    X = sparse.coo_array(np.array([1.0, 2.0]))
    if X.ndim == 2:
        pytest.skip("before SciPy 1.13 every sparse array has two dimensions")
    with pytest.raises(ValueError, match="1 dimension"):
        machine().fit(X)


@pytest.mark.parametrize("categories", [[2**53, 2**53 + 1], ["a", "b"], [[1, 2], [1, [2, 3]]]])
def test_categories_that_are_no_numbers_apart_are_refused(categories):
    with pytest.raises(ValueError, match=r"'categories' parameter .* OrdinalEncoder"):
        machine(categories=categories).fit([[1, 2], [2, 1]])


def test_masked_integers_are_float64():
    X = np.ma.masked_equal(np.array([[1, 2], [9, 1]], np.int16), 9)
    rbm = machine().fit(X)
    assert rbm.components_.dtype == np.float64
    assert_same_model(rbm, machine().fit([[1, 2], [np.nan, 1]]))
