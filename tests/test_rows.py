"""How training reads rows: in which order, which ones are watched, and from what."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from skrbm import BernoulliRBM
from skrbm._input.numbers import Rows
from skrbm._training.epoch import ERROR_ROWS, row_order
from skrbm._training.state import State


def order(seed, n_epochs, n_rows=1000):
    state = State(model=None, seed=np.uint64(seed), base_bias=None, chains=None, n_epochs=n_epochs)
    return row_order(state, n_rows)


def test_row_order_is_a_permutation_that_depends_on_seed_and_epoch():
    first = order(1, 0)
    assert_array_equal(np.sort(first), np.arange(1000))
    assert_array_equal(first, order(1, 0))
    # Two random permutations agree in one place on average, seldom in ten.
    for other in (np.arange(1000), order(1, 1), order(2, 0)):
        assert (first == other).sum() < 10


def test_shuffling_changes_the_fit(rng):
    X = rng.integers(0, 2, (47, 6)).astype(float)
    shuffled, given = (
        BernoulliRBM(3, n_iter=1, shuffle=shuffle, random_state=0).fit(X).components_
        for shuffle in (True, False)
    )
    assert np.abs(shuffled - given).max() > 1e-4


@pytest.mark.parametrize("n_rows", [1, 9, 10, 11, 95, 1003])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_monitor_watches_rows_spread_evenly(n_rows, container):
    X = np.arange(1.0, n_rows + 1)[:, np.newaxis]
    watched = np.concatenate(list(Rows(container(X)).monitor(10, block_size=4)))[:, 0]
    assert min(n_rows, 5) <= len(watched) <= 10
    assert watched[0] == 1
    assert len(set(np.diff(watched))) <= 1  # one stride throughout
    assert n_rows - watched[-1] < max(n_rows / 5, 1)


def test_an_epoch_is_measured_on_at_most_250_rows(rng):
    assert ERROR_ROWS == 250
    X = rng.integers(0, 2, (1000, 5)).astype(float)
    rbm = BernoulliRBM(3, n_iter=1, random_state=0).fit(X)
    watched = X[::4]
    expected = np.square(rbm.reconstruct(watched) - watched).mean()
    assert rbm.history_["reconstruction_error"][0] == pytest.approx(expected, rel=1e-12)


def test_the_score_printed_is_that_of_at_most_1000_rows(rng, capsys):
    X = rng.integers(0, 2, (2500, 5)).astype(float)
    rbm = BernoulliRBM(3, n_iter=1, verbose=1, random_state=0).fit(X)
    assert f"pseudo-likelihood = {rbm.score(X[::3]):.2f}, " in capsys.readouterr().out


@pytest.mark.parametrize("dtype", [bool, np.int8, np.float32, np.float64])
def test_duplicate_entries_of_a_sparse_matrix_add_up_everywhere(dtype):
    """SciPy's own sums of bool and int8 would be True and, of 100 + 100, -56."""
    data = np.array([100, 100, 1], dtype)
    X = sparse.csr_array((data, [0, 0, 1], [0, 2, 3]), shape=(2, 2))
    dense = np.array([[2.0, 0], [0, 1]]) if dtype is bool else np.array([[200.0, 0], [0, 1]])
    rows = Rows(X)
    out = np.empty((2, 2), rows.dtype)
    rows.read(slice(0, 2), out)
    assert_array_equal(out, dense)
    assert_array_equal(rows.dense(slice(0, 2)), dense)
    assert_array_equal(rows.column_sums, dense.sum(axis=0))
    assert rows.range == (0, dense.max())


MALFORMED = {
    "column too large": ("indices", [0, 9, 1]),
    "column negative": ("indices", [0, -1, 1]),
    "decreasing": ("indptr", [0, 2, 1, 3]),
    "not from 0": ("indptr", [1, 1, 2, 3]),
    "beyond the data": ("indptr", [0, 1, 2, 10**7]),
    "big-endian": ("indices", np.array([0, 2, 1], ">i4")),
}


@pytest.mark.parametrize("method", ["fit", "transform", "score_samples", "free_energy", "gibbs"])
@pytest.mark.parametrize(("name", "values"), MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_csr_matrix_is_refused(name, values, method):
    rbm = BernoulliRBM(2, n_iter=1, random_state=0).fit(np.eye(3))
    X = sparse.csr_array((np.ones(3), [0, 1, 2], [0, 1, 2, 3]), shape=(3, 3))
    setattr(X, name, np.asarray(values))
    with pytest.raises(ValueError):
        getattr(rbm, method)(X)


@pytest.mark.parametrize("method", ["transform", "score_samples", "gibbs"])
@pytest.mark.parametrize("kind", [">f4", ">f8"])
def test_byte_order_does_not_matter(kind, method, rng):
    pd = pytest.importorskip("pandas")
    X = rng.integers(0, 2, (12, 4)).astype(kind)
    native = X.astype(X.dtype.newbyteorder("="))
    rbm = BernoulliRBM(2, n_iter=1, random_state=0)
    arguments = {"random_state": 0} if method == "gibbs" else {}
    expected = getattr(rbm.fit(native), method)(native, **arguments)
    actual = getattr(rbm.fit(X), method)(X, **arguments)
    assert actual.dtype == expected.dtype == native.dtype
    assert_array_equal(actual, expected)
    frame = pd.DataFrame(X, columns=list("abcd"))
    actual = getattr(rbm.fit(frame), method)(frame, **arguments)
    np.testing.assert_allclose(actual, expected, rtol=1e-6)


def test_a_batch_larger_than_the_data_takes_no_memory(rng):
    X = rng.integers(0, 2, (7, 3)).astype(float)
    huge, whole = (
        BernoulliRBM(2, batch_size=b, n_iter=2, algorithm="cd", random_state=0).fit(X)
        for b in (10**12, 7)
    )
    assert_array_equal(huge.components_, whole.components_)
    assert huge.h_samples_.shape == (7, 2)
