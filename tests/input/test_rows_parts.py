"""Parts of rows, distinct rows, and summaries of rows with weights."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from skrbm._input.numbers import NumberRows

from ..helpers.softmax_machines import random_machine
from ..helpers.training import data_of

ROWS = np.array([[0.5, -0.0], [1, 0], [0.5, 0.0], [0, 0], [1, 0], [0.5, 0]])
WEIGHTS = np.array([1.0, 2.0, 4.0, 8.0, 16.0, 32.0])


def categories(rows):
    return data_of(random_machine((3, 2, 4), 2), rows)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_equal_rows_are_one_of_their_weights(container):
    """Zero is zero, whatever its sign; the order is that of the entries."""
    rows = NumberRows(container(ROWS))
    rows.weights = WEIGHTS
    for order in (np.arange(6), np.array([3, 5, 0, 2, 4, 1])):
        distinct = rows.part(order).distinct()
        assert_array_equal(distinct.read(slice(0, 3)), [[0, 0], [0.5, 0], [1, 0]])
        assert_array_equal(distinct.weights, [8, 37, 18])
    unweighted = NumberRows(container(ROWS)).distinct()
    assert_array_equal(unweighted.weights, [1, 3, 2])
    assert NumberRows(container(ROWS[[0, 1, 3]])).distinct().weights is None


def test_equal_rows_of_categories_miss_the_same_entries():
    rows = categories([(0, 3, 5), (), (0, 5), (0, 3, 5), (), (1, 5)])
    rows.weights = WEIGHTS
    distinct = rows.distinct()
    found = {
        tuple(distinct.onehot[np.array([r])].entries): w for r, w in enumerate(distinct.weights)
    }
    assert found == {(0, 3, 5): 9, (): 18, (0, 5): 4, (1, 5): 32}


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("squares", [False, True])
def test_a_summary_counts_rows_as_often_as_they_weigh(container, squares, rng, monkeypatch):
    if squares and container is not np.asarray:
        pytest.skip("real values are dense")
    monkeypatch.setattr("skrbm._input.numbers._SUMMARY_ROWS", 5)  # of several blocks
    X, weights = rng.normal(size=(23, 3)), rng.integers(1, 4, 23)
    rows = NumberRows(container(X), squares)
    rows.weights = weights.astype(float)
    summary, expected = rows.summary, NumberRows(np.repeat(X, weights, axis=0), squares).summary
    assert summary.n_rows == expected.n_rows
    assert_allclose(summary.means, expected.means, rtol=1e-12)
    if squares:
        assert_allclose(summary.variances, expected.variances, rtol=1e-12)
        assert_array_equal(summary.lowest, expected.lowest)


def test_a_summary_of_categories_counts_weights():
    """Shares are those of all rows: also of rows that miss the feature."""
    rows = categories([(0, 3, 5), (), (0, 5), (1, 4)])
    rows.weights = np.array([1.0, 2.0, 3.0, 4.0])
    assert_array_equal(rows.summary.counts, [4, 4, 0, 1, 4, 4, 0, 0, 0])
    assert_allclose(rows.summary.means, np.array([4, 4, 0, 1, 4, 4, 0, 0, 0]) / 10)


def test_a_part_has_the_weights_of_its_rows():
    for rows in (NumberRows(ROWS), categories([(0,)] * 6)):
        rows.weights = WEIGHTS
        part = rows.part(np.array([1, 4]))
        assert part.n_rows == 2
        assert_array_equal(part.weights, [2, 16])
        rows.weights = None
        assert rows.part(np.array([1, 4])).weights is None
