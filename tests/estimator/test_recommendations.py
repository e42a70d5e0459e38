"""Recommendations: of features to rows, and of rows to columns."""

import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from skrbm import BernoulliRBM, SoftmaxRBM
from skrbm._estimator import recommendations

from ..helpers.ratings import BOTH, CATEGORIES, fitted, machine, mixed_rows, stored


@pytest.fixture(name="X")
def rows(rng):
    return mixed_rows(rng)


def bits_machine(rng, dtype=float):
    """A machine of large weights, and rows of which the last have nothing and everything."""
    X = (rng.random((23, 9)) < 0.3).astype(dtype)
    X[-2], X[-1] = 0, 1
    rbm = BernoulliRBM(4, n_iter=1, random_state=0).fit(X)
    rbm.components_ = rng.normal(0, 1, rbm.components_.shape).astype(dtype)
    return rbm, X


# --- features for each row: expectations ---


def best(expectation, held, n):
    """Features in the order of expectations, one after the other."""
    left = [(-score, i) for i, score in enumerate(expectation) if not held[i]]
    left = sorted(left)[:n]
    n_missing = n - len(left)
    ids = [i for _, i in left] + [-1] * n_missing
    return ids, [-score for score, _ in left] + [-np.inf] * n_missing


@BOTH
@pytest.mark.parametrize("exclude", [True, False])
@pytest.mark.parametrize("n_items", [1, 3, 6])
@pytest.mark.parametrize("container", [np.asarray, stored])
def test_the_best_features_come_first(X, conditional, exclude, n_items, container):
    rbm = fitted(X, conditional)
    ids, scores = rbm.recommend(container(X), n_items, exclude_observed=exclude)
    assert ids.shape == scores.shape == (12, n_items)
    assert ids.dtype == np.int64
    expectation = rbm.predict_ratings(X)
    for row in range(12):
        held = ~np.isnan(X[row]) & exclude
        expected_ids, expected_scores = best(expectation[row], held, n_items)
        assert ids[row].tolist() == expected_ids
        assert_allclose(scores[row], expected_scores, rtol=1e-12)


def test_a_full_row_has_nothing_left(X):
    ids, scores = fitted(X).recommend(X[[5]], 2)
    assert_array_equal(ids, [[-1, -1]])
    assert_array_equal(scores, [[-np.inf, -np.inf]])


def test_what_the_fit_held_is_not_hidden(X):
    rbm = fitted(X)
    given = np.full((12, 6), np.nan)
    given[:, 0] = 1
    ids, _ = rbm.recommend(given, 5)
    assert (np.sort(ids, axis=1) == [1, 2, 3, 4, 5]).all()


@pytest.mark.parametrize("n_items", [1, 3, 10, 59])
def test_of_equal_features_the_first_comes_first(n_items):
    rbm = machine(n_iter=0, categories=[0, 1]).fit(np.zeros((2, 60)))
    rbm.components_ = np.zeros_like(rbm.components_)
    high = np.random.default_rng(0).random(60) < 0.1
    rbm.intercept_visible_ = np.where(np.arange(120) % 2 & np.repeat(high, 2), 1.0, 0.0)
    ids, scores = rbm.recommend(np.full((4, 60), np.nan), n_items)
    expected = [*np.flatnonzero(high), *np.flatnonzero(~high)][:n_items]
    assert ids.tolist() == [expected] * 4
    assert (np.diff(scores) <= 0).all()


def test_ten_items_are_the_default():
    X = np.tile([[0.0], [1.0]], (1, 12))
    assert machine(n_iter=0).fit(X).recommend(np.full((2, 12), np.nan))[0].shape == (2, 10)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"n_items": 0}, ValueError),
        ({"n_items": -1}, ValueError),
        ({"n_items": 2.0}, TypeError),
        ({"n_items": True}, TypeError),
        ({"exclude_observed": "no"}, TypeError),
        ({"exclude_observed": None}, TypeError),
        ({"as_names": 1}, TypeError),
        ({"columns": 0}, ValueError),
        ({"columns": [6]}, ValueError),
        ({"columns": [-1]}, ValueError),
        ({"columns": [1.0]}, ValueError),
        ({"columns": [[1]]}, ValueError),
        ({"columns": ["u1"]}, ValueError),
    ],
    ids=str,
)
def test_arguments_out_of_range_are_refused(X, arguments, error):
    with pytest.raises(error, match=next(iter(arguments))):
        fitted(X).recommend(X, **arguments)


@pytest.mark.parametrize("n_items", [6, 9, 10**12, np.uint8(255)])
def test_there_are_no_more_items_than_features(X, n_items):
    ids, scores = fitted(X).recommend(X, n_items, exclude_observed=np.False_)
    assert ids.shape == scores.shape == (len(X), 6)
    assert (np.sort(ids, axis=1) == np.arange(6)).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_best_come_first_and_of_equals_the_first(dtype):
    scores = np.array([[1, 3, 3, 2], [0, -np.inf, 0, -1], [-np.inf] * 4], dtype)
    for n in (0, 1, 3, 4):
        places, highest = recommendations.best(scores, n)
        assert_array_equal(places, np.array([[1, 2, 3, 0], [0, 2, 3, -1], [-1] * 4])[:, :n])
        assert_array_equal(highest, np.sort(scores, axis=1)[:, ::-1][:, :n], strict=True)


def test_scores_without_an_order_are_refused(X):
    rbm = fitted(X)
    rbm.intercept_visible_[:] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        rbm.recommend(X, 3, exclude_observed=False)


# --- features for each row: probabilities of bits ---


@pytest.mark.parametrize("exclude", [True, False])
@pytest.mark.parametrize("n_items", [1, 4, 9])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array, sparse.coo_matrix])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_most_probable_bits_come_first(exclude, n_items, container, dtype, rng):
    rbm, X = bits_machine(rng, dtype)
    X[3, :4] = 0.5  # above 0: known
    ids, scores = rbm.recommend(container(X), n_items, exclude_observed=exclude)
    assert ids.shape == scores.shape == (23, n_items)
    assert scores.dtype == dtype
    proba = rbm.conditional_proba(X)
    for row in range(23):
        expected_ids, expected_scores = best(proba[row], (X[row] > 0) & exclude, n_items)
        assert ids[row].tolist() == expected_ids
        assert_allclose(scores[row], expected_scores, rtol=1e-6 if dtype == np.float32 else 1e-12)


def test_a_probability_of_nothing_is_no_gap(rng):
    """An infinite bias makes a bit impossible; it is still a recommendation, the last one."""
    rbm, X = bits_machine(rng)
    rbm.intercept_visible_[2] = -np.inf
    ids, scores = rbm.recommend(X[[-2]], 9)
    assert (ids[0, -1], scores[0, -1]) == (2, 0)
    assert (ids >= 0).all()


# --- rows for chosen columns ---


def of_columns(expectation, known, columns, n_items):
    parts = [best(expectation[:, column], known[:, column], n_items) for column in columns]
    return tuple(np.array(part) for part in zip(*parts, strict=True))


@BOTH
@pytest.mark.parametrize("exclude", [True, False])
@pytest.mark.parametrize("n_items", [1, 5, 12, 40])
@pytest.mark.parametrize("container", [np.asarray, stored])
@pytest.mark.parametrize("columns", [[2], [5, 0, 5], range(6), np.array([], int)], ids=str)
def test_the_best_rows_for_columns(X, conditional, exclude, n_items, container, columns):
    rbm = fitted(X, conditional)
    ids, scores = rbm.recommend(container(X), n_items, columns=columns, exclude_observed=exclude)
    assert ids.shape == scores.shape == (len(columns), min(n_items, 12))
    assert ids.dtype == np.int64
    if len(columns):
        known = ~np.isnan(X) & exclude
        expected = of_columns(rbm.predict_ratings(X), known, columns, min(n_items, 12))
        assert_array_equal(ids, expected[0])
        assert_allclose(scores, expected[1], rtol=1e-12)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_the_most_probable_rows_for_columns(container, rng):
    rbm, X = bits_machine(rng)
    ids, scores = rbm.recommend(container(X), 30, columns=[7, 1])
    expected = of_columns(rbm.conditional_proba(X), X > 0, [7, 1], 23)
    assert_array_equal(ids, expected[0])
    assert_allclose(scores, expected[1], rtol=1e-12)


def test_columns_are_the_transpose_of_rows_where_entries_are_independent(X):
    """Without weights it does not matter which side a row is."""
    stars = np.where(np.isnan(X), np.nan, np.arange(12)[:, np.newaxis] % 3)
    users, films = (machine(n_iter=0, categories=[0, 1, 2]).fit(Z) for Z in (stars, stars.T))
    for rbm in (users, films):
        rbm.components_ = 0 * rbm.components_
        rbm.intercept_visible_ = np.zeros_like(rbm.intercept_visible_)
    for given, expected in zip(
        films.recommend(stars.T, 4, columns=range(12)), users.recommend(stars, 4), strict=True
    ):
        assert_array_equal(given, expected)


@pytest.mark.parametrize("size", [1, 7, 50])
def test_the_size_of_blocks_changes_no_recommendation(X, size, monkeypatch, rng):
    softmax, (bernoulli, bits) = fitted(X), bits_machine(rng)

    def answers():
        for rbm, data in ((softmax, X), (bernoulli, bits)):
            for columns in (None, [3, 1, 4]):
                yield from rbm.recommend(data, 4, columns=columns)

    expected = list(answers())
    for name in ("_estimator.recommendations._NUMBERS", "_input.numbers._BLOCK_NUMBERS"):
        monkeypatch.setattr(f"skrbm.{name}", size)
    monkeypatch.setattr("skrbm._input.categories._BLOCK_NUMBERS", size)
    for actual, desired in zip(answers(), expected, strict=True):
        assert_allclose(actual, desired, rtol=1e-12)


@pytest.mark.parametrize("model", [SoftmaxRBM, BernoulliRBM])
def test_columns_that_nobody_asks_for_are_not_computed(model, monkeypatch):
    """4,000 of them, and 3,000 rows: 96 MB if they were."""
    X = sparse.csr_array(sparse.eye(3000, 4000))
    kwargs = {"categories": [0, 1]} if model is SoftmaxRBM else {}
    rbm = model(2, n_iter=0, **kwargs).fit(X[:5])
    rbm.recommend(X[:5], 1, columns=[0])  # compile first
    tracemalloc.start()
    try:
        rbm.recommend(X, 3, columns=[8, 9])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 32e6


# --- names ---


def test_features_are_named_as_in_the_fit(X):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=list("abcdef"))
    rbm = machine(categories=CATEGORIES, n_iter=0).fit(frame)
    ids, scores = rbm.recommend(frame, 4)
    names, same = rbm.recommend(frame, 4, as_names=True)
    assert_array_equal(same, scores)
    assert names.dtype == object
    assert (ids == -1).any()
    assert_array_equal(names, np.array([*"abcdef", None])[ids])


def test_rows_are_named_by_the_index_of_the_frame(X):
    pd = pytest.importorskip("pandas")
    titles = [f"film {i}" for i in range(12)]
    frame = pd.DataFrame(X, titles)
    rbm = fitted(X)
    ids, _ = rbm.recommend(X, 12, columns=[1, 3])
    names, _ = rbm.recommend(frame, 12, columns=[1, 3], as_names=True)
    assert_array_equal(names, np.array([*titles, None])[ids])


def test_names_that_nobody_knows_are_refused(X, rng):
    rbm, bits = bits_machine(rng)
    for estimator, data in ((fitted(X), X), (rbm, bits)):
        with pytest.raises(
            ValueError, match=r"needs names of features, but .* was fitted without"
        ):
            estimator.recommend(data, as_names=True)
        for given in (data, stored(data)):
            with pytest.raises(ValueError, match="takes names from the index of X"):
                estimator.recommend(given, columns=[0], as_names=True)
