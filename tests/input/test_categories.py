"""Rows of categories: codes, blocks of bounded work, and the form that users get back."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skrbm import SoftmaxRBM
from skrbm._input.categories import CategoryRows


@pytest.fixture(name="X")
def ratings_with_holes(rng):
    X = rng.integers(1, 5, (30, 6)).astype(float)
    X[rng.random(X.shape) < 0.4] = np.nan
    X[3] = np.nan
    return X


def test_codes_count_categories_through_all_features(X):
    rows = SoftmaxRBM(2, categories=[1, 2, 3, 4], n_iter=0).fit(X)._rows(X)
    for r, x in enumerate(X):
        codes = [4 * i + int(value) - 1 for i, value in enumerate(x) if not np.isnan(value)]
        assert rows.read(slice(r, r + 1)).entries.tolist() == codes


@pytest.mark.parametrize("numbers", [1, 40, 10**6])
def test_the_work_on_a_block_is_bounded(X, numbers, monkeypatch):
    """An entry has as many units as its feature has categories."""
    monkeypatch.setattr("skrbm._input.categories._BLOCK_NUMBERS", numbers)
    rows = SoftmaxRBM(2, categories=[1, 2, 3, 4], n_iter=0).fit(X)._rows(X)
    for block in rows.blocks(per_row=3):
        work = 3 * (block.stop - block.start) + 4 * rows.read(block).n_entries
        assert work <= numbers or block.stop - block.start == 1


def test_the_first_category_fills_what_is_unknown(X):
    rows = SoftmaxRBM(2, categories=[1, 2, 3, 4], n_iter=0).fit(X)._rows(X)
    v, known = rows.complete(np.arange(30))
    assert_array_equal(rows.categories.decode(v, float), np.where(known, X, 1))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_may_be_codes_alone(X, dtype):
    """Of rows that nobody asks back as they were given; their machine says the dtype."""
    rows = SoftmaxRBM(2, categories=[1, 2, 3, 4], n_iter=0).fit(X)._rows(X.astype(dtype))
    codes = CategoryRows(None, rows.onehot, rows.categories, rows.dtype)
    for ours, theirs in ((codes, rows), (codes.part(np.arange(3, 9)), rows.part(np.arange(3, 9)))):
        assert ours.X is None
        assert ours.dtype == dtype
        assert (ours.n_rows, ours.n_features) == (theirs.n_rows, theirs.n_features)
        assert ours.n_unknown == theirs.n_unknown
        for a, b in ((ours, theirs), (ours.distinct(), theirs.distinct())):
            everything = slice(0, a.n_rows)
            assert_array_equal(a.read(everything).entries, b.read(everything).entries)
            assert_array_equal(a.read(everything).indptr, b.read(everything).indptr)
