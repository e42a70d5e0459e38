"""Summaries: the same whatever the parts of the data that they are merged of."""

from functools import reduce

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from skrbm import SoftmaxRBM
from skrbm._input.numbers import NumberRows
from skrbm._input.summary import NumberSummary

from ..helpers.ratings import machine


class TestSummary:
    """What initial biases are made of: the same whatever the parts that a summary is merged of."""

    @pytest.mark.parametrize("cuts", [[], [1], [10, 11, 40], [25]])
    def test_parts_of_numbers_merge(self, cuts, rng):
        X = rng.normal([0, 1e6, -3], [1, 0.01, 5], (50, 3))
        X[:, 2] = 7.5
        parts = [NumberRows(part, squares=True).summary for part in np.split(X, cuts)]
        merged = reduce(NumberSummary.merged, parts)
        assert merged.n_rows == 50
        assert_allclose(merged.means, X.mean(axis=0), rtol=1e-14)
        # the second column loses 8 digits to its mean
        assert_allclose(merged.variances, X.var(axis=0), rtol=1e-6, atol=1e-20)
        assert_array_equal(merged.lowest, X.min(axis=0))
        assert_array_equal(merged.highest, X.max(axis=0))
        assert_array_equal(merged.constant, [False, False, True])

    def test_a_part_that_is_constant_at_another_value_is_not_constant(self):
        parts = [NumberRows(np.full((3, 1), value), squares=True).summary for value in (1.0, 2.0)]
        assert not parts[0].merged(parts[1]).constant
        assert_allclose(parts[0].merged(parts[1]).variances, 0.25)

    def test_without_squares_the_range_is_that_of_all_values(self, rng):
        X = rng.random((30, 4))
        merged = NumberRows(X[:7]).summary.merged(NumberRows(sparse.csr_array(X[7:])).summary)
        assert merged.squares is None
        assert (merged.lowest, merged.highest) == (X.min(), X.max())
        assert_allclose(merged.sums, X.sum(axis=0), rtol=1e-14)

    def test_counts_of_categories_add_up(self, rng):
        X = rng.integers(1, 4, (40, 3)).astype(float)
        X[rng.random(X.shape) < 0.3] = np.nan
        rbm = SoftmaxRBM(2, categories=[1, 2, 3], n_iter=0).fit(X)
        whole, *parts = (rbm._rows(part).summary for part in (X, X[:13], X[13:]))
        merged = parts[0].merged(parts[1])
        assert merged.n_rows == whole.n_rows == 40
        assert_array_equal(merged.counts, whole.counts)
        counts = [(column == value).sum() for column in X.T for value in (1, 2, 3)]
        assert_array_equal(whole.counts, counts)


@pytest.mark.parametrize("dtype", [np.float32, np.int16])
def test_many_blocks_of_a_narrow_column_keep_its_variance(dtype, rng):
    """The mean of a block must not carry the rounding of a float32 sum."""
    X = rng.normal(1000, 1 if dtype == np.int16 else 0.01, (20_000, 2)).astype(dtype)
    summary = NumberRows(X, squares=True).summary
    assert_allclose(summary.variances, X.var(axis=0, dtype=np.float64), rtol=1e-9)
    assert_allclose(summary.means, X.mean(axis=0, dtype=np.float64), rtol=1e-13)


# --- weights ---


def weighted_cases(rng):
    """Rows of each form, a summary of repeated rows, and whole numbers as weights."""
    X = rng.normal([0, 1e3, -3], [1, 0.01, 5], (2500, 3))  # more than a block
    bits = rng.integers(-1, 3, (2500, 3)).astype(float)
    stars = rng.choice([1, 2, 3, np.nan], (2500, 3))
    stars[7] = np.nan
    rbm = SoftmaxRBM(2, categories=[1, 2, 3], n_iter=0).fit(stars)
    return {
        "squares": (X, lambda X: NumberRows(X, squares=True)),
        "float32": (X.astype(np.float32), lambda X: NumberRows(X, squares=True)),
        "integers": (bits.astype(np.int8), NumberRows),
        "clipped": (bits, lambda X: NumberRows(X, clip=True)),
        "sparse": (bits, lambda X: NumberRows(sparse.csr_array(X))),
        "sparse, clipped": (bits, lambda X: NumberRows(sparse.csr_array(X), clip=True)),
        "categories": (stars, rbm._rows),
    }


@pytest.mark.parametrize("name", weighted_cases(np.random.default_rng(0)))
def test_a_weighted_summary_is_that_of_repeated_rows(name, rng):
    X, rows_of = weighted_cases(rng)[name]
    counts = rng.integers(1, 4, len(X))
    weighted = rows_of(X)
    weighted.weights = counts.astype(float)
    actual, expected = weighted.summary, rows_of(np.repeat(X, counts, axis=0)).summary
    assert actual.n_rows == expected.n_rows == counts.sum()
    rtol = 1e-6 if X.dtype == np.float32 else 1e-11
    assert_allclose(actual.means, expected.means, rtol=rtol, atol=1e-14)
    if name == "categories":
        assert_array_equal(actual.counts, expected.counts)
        return
    assert_array_equal(actual.lowest, expected.lowest)
    assert_array_equal(actual.highest, expected.highest)
    if expected.squares is not None:
        assert_allclose(actual.variances, expected.variances, rtol=max(rtol, 1e-9))


@pytest.mark.parametrize("name", weighted_cases(np.random.default_rng(0)))
def test_weighted_summaries_merge(name, rng):
    X, rows_of = weighted_cases(rng)[name]
    rows = rows_of(X)
    rows.weights = rng.uniform(0.01, 3, len(X))
    parts = [rows.part(which).summary for which in np.split(np.arange(len(X)), [3, 1100])]
    merged, whole = parts[0].merged(parts[1]).merged(parts[2]), rows.summary
    assert_allclose(merged.n_rows, whole.n_rows)
    rtol = 1e-6 if X.dtype == np.float32 else 1e-9
    assert_allclose(merged.means, whole.means, rtol=rtol)
    if getattr(whole, "squares", None) is not None:
        assert_allclose(merged.variances, whole.variances, rtol=max(rtol, 1e-8))


# --- categories of features that are alike ---


def category_summary(X, by_feature, weights=None):
    rows = machine(categories=by_feature, n_iter=0).fit(X)._rows(X)
    rows.weights = weights
    return rows.summary


@pytest.mark.parametrize("weighted", [False, True])
def test_typical_shares_are_those_of_other_features_of_the_same_categories(weighted, rng):
    by_feature = [[0, 1], [1, 2, 3], [0, 1], [5], [1, 2, 3], [-0.0, 1], [0, 2], [0, 1]]
    X = np.stack([rng.choice(values, 40) for values in by_feature], axis=1).astype(float)
    X[rng.random(X.shape) < 0.3] = np.nan
    X[:, [4, 7]] = np.nan
    weights = rng.uniform(0.1, 3, 40) if weighted else np.ones(40)
    shares = category_summary(X, by_feature, weights if weighted else None).typical_shares
    expected = []
    for i, values in enumerate(by_feature):
        terms = [np.full(len(values), 1 / len(values))]
        for k, other in enumerate(by_feature):
            if k != i and other == values and not np.isnan(X[:, k]).all():
                counts = np.array([weights @ (X[:, k] == value) for value in values])
                terms.append(counts / counts.sum())
        expected += list(np.mean(terms, axis=0))
    assert_allclose(shares, expected, rtol=1e-12)
