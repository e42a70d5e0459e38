"""How training reads rows of numbers."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from skrbm._input.numbers import NumberRows


@pytest.mark.parametrize("dtype", [bool, np.int8, np.float32, np.float64])
def test_duplicate_entries_of_a_sparse_matrix_add_up_everywhere(dtype):
    """SciPy's own sums of bool and int8 would be True and, of 100 + 100, -56."""
    data = np.array([100, 100, 1], dtype)
    X = sparse.csr_array((data, [0, 0, 1], [0, 2, 3]), shape=(2, 2))
    dense = np.array([[2.0, 0], [0, 1]]) if dtype is bool else np.array([[200.0, 0], [0, 1]])
    rows = NumberRows(X)
    out = np.empty((2, 2), rows.dtype)
    rows.read(slice(0, 2), out=out)
    assert_array_equal(out, dense)
    assert_array_equal(rows.read(slice(0, 2)), dense)
    assert_array_equal(rows.summary.sums, dense.sum(axis=0))
    assert (rows.summary.lowest, rows.summary.highest) == (0, dense.max())


@pytest.mark.parametrize("n_rows", [1, 9, 10, 11, 95, 1003])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_blocks_are_spread_evenly_over_the_rows(n_rows, container):
    X = np.arange(1.0, n_rows + 1)[:, np.newaxis]
    watched = np.concatenate(list(NumberRows(container(X)).spread(10, block_size=4)))[:, 0]
    assert min(n_rows, 5) <= len(watched) <= 10
    assert watched[0] == 1
    assert len(set(np.diff(watched))) <= 1  # one stride throughout
    assert n_rows - watched[-1] < max(n_rows / 5, 1)


@pytest.mark.parametrize("container", [sparse.csr_array, sparse.csr_matrix, sparse.coo_array])
@pytest.mark.parametrize("bias", [0.3, np.inf])
def test_sparse_rows_are_read_as_dense_rows(estimator, container, bias, rng):
    """Also where a unit is off whose bias is infinite: it adds nothing to an energy."""
    X, H = rng.integers(0, 2, (300, 4)) * 1.0, rng.random((300, 3))  # more rows than a block
    estimator.intercept_visible_[1], X[:, 1] = bias, 0
    for method in ("transform", "free_energy", "reconstruct", "score_samples", "gibbs"):
        arguments = {"random_state": 0} if method == "gibbs" else {}
        dense, same = (getattr(estimator, method)(V, **arguments) for V in (X, container(X)))
        assert_allclose(same, dense, rtol=1e-12, atol=1e-12)
    assert_allclose(estimator.energy(container(X), H), estimator.energy(X, H), rtol=1e-12)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("dtype", [np.int8, np.float32, np.float64])
def test_rows_know_whether_all_values_were_whole_numbers(container, dtype, rng):
    X = rng.integers(-3, 4, (2500, 3)).astype(dtype)
    rows = NumberRows(container(X), clip=True)
    assert rows.all_whole
    assert rows.given_dtype == dtype
    if np.issubdtype(dtype, np.floating):
        X[2400, 1] = 0.5  # beyond the first block
        assert not NumberRows(container(X)).all_whole
