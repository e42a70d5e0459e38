"""What a careless or unlucky user does to SoftmaxRBM: no crash, no wrong number, a sentence."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.callback import ScoringMonitor

from skrbm import SoftmaxRBM
from skrbm._machine import threads
from skrbm._machine.onehot import OneHotRows

from .comparison import assert_same_model


@pytest.fixture(name="X")
def ratings(rng):
    X = rng.integers(1, 6, (60, 8)).astype(float)
    X[rng.random(X.shape) < 0.4] = np.nan
    return X


def machine(**parameters):
    return SoftmaxRBM(**{"n_components": 3, "n_iter": 2, "random_state": 0} | parameters)


# --- fitted arrays that a user has replaced: kernels do not check bounds ---


@pytest.mark.parametrize(
    "edit",
    [
        lambda categories: categories[:-1],
        lambda categories: categories[:1],
        lambda categories: [np.arange(1.0, 41)],
        lambda categories: [*categories[:-2], np.arange(1.0, 11), np.array([])],
        lambda categories: [*categories[:-1], categories[0][::-1]],
        lambda categories: [*categories[:-1], np.full(5, np.nan)],
        lambda categories: [*categories[:-1], np.arange(1.0, 5)],
    ],
)
def test_categories_that_do_not_fit_are_refused(X, edit):
    rbm = machine().fit(X)
    rbm.categories_ = edit(rbm.categories_)
    for call in (rbm.transform, rbm.predict_ratings, rbm.partial_fit, rbm.gibbs):
        with pytest.raises(ValueError, match="categories"):
            call(X)
    with pytest.raises(ValueError, match="categories"):
        rbm.sample()


def test_the_fit_does_not_share_the_parameter(X):
    categories = np.arange(1.0, 6)
    rbm = machine(categories=categories).fit(X)
    expected = rbm.predict_ratings(X)
    categories[:] = 9
    assert_array_equal(rbm.predict_ratings(X), expected)


def test_a_machine_cut_to_fewer_hidden_units_samples(X):
    rbm = machine(n_components=5, conditional=True).fit(X)
    for name in ("components_", "conditional_components_", "intercept_hidden_"):
        setattr(rbm, name, getattr(rbm, name)[:3])
    assert rbm.transform(X).shape == (60, 3)
    assert rbm.sample(4, n_gibbs_steps=2, random_state=0).shape == (4, 8)


# --- refits ---


@pytest.mark.parametrize("n_components", [3, 5])
def test_callbacks_of_a_refit_see_the_new_machine(X, n_components):
    def scores(rbm):
        values = []

        def score(rbm, X, y):
            values.append(rbm.score(X))
            return values[-1]

        monitor = ScoringMonitor(scoring={"score": score})
        rbm.set_callbacks(monitor)
        rbm.fit(X)
        return values

    refitted = machine(conditional=True, learning_rate=1.0).fit(X)
    refitted.set_params(conditional=False, n_components=n_components)
    fresh = machine(learning_rate=1.0, n_components=n_components)
    assert scores(refitted) == scores(fresh)
    assert_same_model(refitted, fresh)


# --- threads ---


def test_without_new_threads_the_work_is_done_all_the_same(X, monkeypatch):
    expected = machine().fit(X)

    def refuse(self, *args):
        raise RuntimeError("cannot schedule new futures after interpreter shutdown")

    monkeypatch.setattr(threads, "WORTH_A_THREAD", 1)
    monkeypatch.setattr(threads, "get_num_threads", lambda: 3)
    monkeypatch.setattr(threads.ThreadPoolExecutor, "submit", refuse)
    assert_same_model(machine().fit(X), expected)


# --- extreme numbers ---


@pytest.mark.parametrize(("weight", "bias"), [(79, -87.4), (75, -87.4), (-79.5, 87.5), (61, -80)])
def test_products_near_the_limit_of_float32(weight, bias):
    n_hidden = 100
    X = np.array([[0, 1], [1, np.nan]])
    results = {}
    for dtype in (np.float32, np.float64):
        rbm = machine(n_components=n_hidden, n_iter=0).fit(X.astype(dtype))
        rbm.components_ = np.tile([0, weight, 0, 0], (n_hidden, 1)).astype(dtype)
        rbm.intercept_hidden_ = np.full(n_hidden, bias, dtype)
        rbm.intercept_visible_ = np.zeros(4, dtype)
        results[dtype] = rbm.conditional_proba(np.full((1, 2), np.nan, dtype))
    assert_allclose(results[np.float32], results[np.float64], atol=1e-4)


def test_an_infinite_bias_is_a_certainty(X):
    rbm = machine().fit(X)
    rbm.intercept_visible_[1], rbm.intercept_visible_[5] = np.inf, -np.inf
    p = rbm.conditional_proba(X)
    assert_array_equal(p[:, 0], np.tile([0, 1, 0, 0, 0], (60, 1)))
    assert not p[:, 1, 0].any()
    assert_allclose(p.sum(axis=2), 1)
    V = rbm.sample(50, n_gibbs_steps=2, random_state=0)
    assert (V[:, 0] == 2).all()
    assert (V[:, 1] > 1).all()
    assert_array_equal(rbm.score_samples([[2, *[np.nan] * 7]]), [0])
    assert rbm.recommend(X, 2, exclude_observed=False)[0].min() >= 0


# --- input ---


def test_a_stale_flag_of_sorted_indices_is_not_believed(X):
    rbm = machine().fit(X)
    rows, columns = np.nonzero(~np.isnan(X))
    order = np.lexsort((-columns, rows))
    entries = (X[rows, columns][order], (rows[order], columns[order]))
    unsorted = sparse.csr_array(
        (entries[0], columns[order], np.searchsorted(rows, np.arange(61))), shape=X.shape
    )
    unsorted.has_sorted_indices = True
    kept = unsorted.indices.copy()
    assert_array_equal(rbm.predict_ratings(unsorted), rbm.predict_ratings(X))
    assert_array_equal(unsorted.indices, kept)


def test_sparse_arrays_of_one_dimension_are_refused():
    with pytest.raises(ValueError, match="1 dimension"):
        machine().fit(sparse.coo_array(np.array([1.0, 2.0])))


@pytest.mark.parametrize("categories", [[2**53, 2**53 + 1], ["a", "b"], [[1, 2], [1, [2, 3]]]])
def test_categories_that_are_no_numbers_apart_are_refused(categories):
    with pytest.raises(ValueError, match=r"'categories' parameter .* OrdinalEncoder"):
        machine(categories=categories).fit([[1, 2], [2, 1]])


def test_masked_integers_are_float64():
    X = np.ma.masked_equal(np.array([[1, 2], [9, 1]], np.int16), 9)
    rbm = machine().fit(X)
    assert rbm.components_.dtype == np.float64
    assert_same_model(rbm, machine().fit([[1, 2], [np.nan, 1]]))


# --- rows ---


def test_blocks_of_rows_bound_the_work():
    lengths = np.array([0, 5, 1, 0, 9, 2, 2, 2, 0])
    rows = OneHotRows(np.concatenate(([0], np.cumsum(lengths))), np.zeros(21, np.int32))
    blocks = list(rows.blocks(1, 2, 12))
    assert [block.start for block in blocks] == [0, *[block.stop for block in blocks[:-1]]]
    assert blocks[-1].stop == 9
    for block in blocks:
        work = (1 + 2 * lengths[block]).sum()
        assert work <= 12 or block.stop - block.start == 1
        following = slice(block.start, block.stop + 1)
        assert block.stop == 9 or (1 + 2 * lengths[following]).sum() > 12
