"""Predictions of entries given the others of a row, for all entries and for queries."""

import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.special import expit, softmax

from skrbm import SoftmaxRBM

from ..helpers.comparison import assert_same_bits
from ..helpers.ratings import BOTH, CATEGORIES, fitted, machine, mixed_rows, ratings, stored


@pytest.fixture(name="X")
def rows(rng):
    return mixed_rows(rng)


METHODS = pytest.mark.parametrize("method", ["exact", "mean_field"])


def softplus(x):
    return np.logaddexp(0, x)


def by_hand(rbm, X, row, feature, method="exact"):
    """The distribution of one entry given the others of its row, term by term."""
    sizes = [len(values) for values in rbm.categories_]
    first = np.cumsum([0, *sizes])
    x = rbm.intercept_hidden_.astype(float)
    for i, value in enumerate(X[row]):
        if i != feature and not np.isnan(value):
            x = x + rbm.components_[:, first[i] + list(rbm.categories_[i]).index(value)]
            if rbm.conditional_components_ is not None:
                x = x + rbm.conditional_components_[:, i]
    if rbm.conditional_components_ is not None:
        x = x + rbm.conditional_components_[:, feature]
    codes = slice(first[feature], first[feature + 1])
    W, b = rbm.components_[:, codes], rbm.intercept_visible_[codes]
    if method == "mean_field":
        return softmax(b + expit(x) @ W)
    return softmax(b + softplus(x[:, np.newaxis] + W).sum(axis=0))


def all_queries(X):
    return tuple(part.ravel() for part in np.indices(X.shape))


# --- the values ---


@BOTH
@METHODS
def test_every_distribution_is_the_one_worked_out_by_hand(X, conditional, method):
    rbm = fitted(X, conditional)
    proba = rbm.conditional_proba(X, method=method)
    assert proba.shape == (12, 6, 4)
    mean = rbm.predict_ratings(X, method=method)
    for row, feature in np.ndindex(X.shape):
        expected = by_hand(rbm, X, row, feature, method)
        n = len(expected)
        assert_allclose(proba[row, feature, :n], expected, rtol=1e-11)
        assert (proba[row, feature, n:] == 0).all()
        assert_allclose(mean[row, feature], expected @ CATEGORIES[feature], rtol=1e-10)


@BOTH
def test_an_empty_row_gets_the_prior(X, conditional):
    rbm = fitted(X, conditional)
    nothing = np.full((1, 6), np.nan)
    proba = rbm.conditional_proba(nothing)
    first = 0
    for q, values in enumerate(CATEGORIES):
        codes = slice(first, first + len(values))
        first += len(values)
        W = rbm.components_[:, codes] + rbm.intercept_hidden_[:, np.newaxis]
        if conditional:
            W = W + rbm.conditional_components_[:, [q]]
        expected = softmax(rbm.intercept_visible_[codes] + softplus(W).sum(axis=0))
        assert_allclose(proba[0, q, : len(values)], expected, rtol=1e-12)
    assert_allclose(rbm.conditional_proba(sparse.csr_array((1, 6))), proba, rtol=0)
    ids, scores = rbm.recommend(nothing, 6)
    assert_array_equal(ids[0], np.argsort(-rbm.predict_ratings(nothing)[0]))
    assert_allclose(scores[0], np.sort(rbm.predict_ratings(nothing)[0])[::-1], rtol=0)


@METHODS
def test_the_methods_differ_and_exact_is_the_default(X, method):
    rbm = fitted(X)
    default = rbm.predict_ratings(X), rbm.predict_ratings(X, *all_queries(X))
    given = (
        rbm.predict_ratings(X, method=method),
        rbm.predict_ratings(X, *all_queries(X), method=method),
    )
    several = np.array([len(values) > 1 for values in CATEGORIES])
    assert (default[0] != given[0])[:, several].all() == (method == "mean_field")
    assert_allclose(default[1].reshape(X.shape), default[0], rtol=1e-12)
    assert_allclose(given[1].reshape(X.shape), given[0], rtol=1e-12)


def test_weights_too_large_to_multiply_are_summed_as_logarithms(X):
    rbm = fitted(X, conditional=True)
    rbm.components_ *= 400
    proba = rbm.conditional_proba(X)
    for row, feature in np.ndindex(X.shape):
        expected = by_hand(rbm, X, row, feature)
        assert_allclose(proba[row, feature, : len(expected)], expected, rtol=1e-9, atol=1e-300)


def test_a_score_is_the_sum_of_the_logarithms_of_what_was_observed(X):
    rbm = fitted(X, conditional=True)
    scores = np.zeros(len(X))
    for row, feature in zip(*np.nonzero(~np.isnan(X)), strict=True):
        p = by_hand(rbm, X, row, feature)
        scores[row] += np.log(p[CATEGORIES[feature].index(X[row, feature])])
    assert_allclose(rbm.score_samples(X), scores, rtol=1e-11, atol=1e-13)
    assert rbm.score_samples(X)[4] == 0


# --- canaries ---


@BOTH
@METHODS
def test_a_rating_of_zero_is_not_a_missing_rating(X, conditional, method):
    rbm = fitted(X, conditional)
    zero, missing = X.copy(), X.copy()
    zero[:, 0], missing[:, 0] = 0, np.nan
    a, b = (rbm.predict_ratings(data, method=method)[:, 1] for data in (zero, missing))
    assert (np.abs(a - b) > 1e-3).any()
    # The sparse form of each, not of the other.
    assert_same_bits(rbm.predict_ratings(stored(zero), method=method)[:, 1], a)
    assert_same_bits(rbm.predict_ratings(stored(missing), method=method)[:, 1], b)


@BOTH
@METHODS
@pytest.mark.parametrize("container", [np.asarray, stored])
def test_an_entry_does_not_see_its_own_value(X, conditional, method, container):
    rbm = fitted(X, conditional)
    for feature, values in enumerate(CATEGORIES):
        rows = np.arange(12)
        answers = []
        for value in [*values, np.nan]:
            data = X.copy()
            data[:, feature] = value
            data = container(data)
            everything = rbm.conditional_proba(data, method=method)[:, feature]
            asked = rbm.conditional_proba(data, rows, np.full(12, feature), method=method)
            assert_allclose(asked, everything, rtol=1e-10)
            answers.append(everything)
        for answer in answers:
            assert_allclose(answer, answers[0], rtol=1e-10)
    # And the others do see it.
    assert (np.abs(everything - rbm.conditional_proba(X, method=method)[:, 0, :4]) > 1e-6).any()


def test_test_ratings_cannot_leak_into_a_fit():
    """What is masked may be anything: nothing learned, and nothing predicted, knows of it."""
    full = ratings(missing=0)
    hidden = np.random.default_rng(0).random(full.shape) < 0.3
    train = np.where(hidden, np.nan, full)
    other = np.where(hidden, 5 - full, full)
    answers = []
    for truth in (full, other):
        X = np.where(hidden, np.nan, truth)
        rbm = machine(categories=np.arange(0, 5.5, 0.5), n_iter=4).fit(X)
        answers.append(rbm.predict_ratings(X, *np.nonzero(hidden)))
    assert_same_bits(*answers)
    # Given the hidden ratings of the same rows, it would predict something else.
    leaked = rbm.predict_ratings(full, *np.nonzero(hidden))
    assert (leaked != rbm.predict_ratings(train, *np.nonzero(hidden))).any()


def test_predictions_depend_on_the_given_rows_alone(X):
    """Not on the rows beside them, nor on those of the fit."""
    rbm = fitted(X)
    alone = np.concatenate([rbm.predict_ratings(X[[r]]) for r in range(12)])
    assert_allclose(rbm.predict_ratings(X), alone, rtol=1e-12)
    new = np.array([[2.0, 5, np.nan, np.nan, 0, np.nan]])
    expected = by_hand(rbm, new, 0, 2) @ CATEGORIES[2]
    assert_allclose(rbm.predict_ratings(new, [0], [2]), expected, rtol=1e-12)
    twin = fitted(X[:3])
    assert_same_bits(twin.predict_ratings(X), rbm.predict_ratings(X))


@BOTH
@METHODS
def test_permuted_rows_permute_the_results(X, conditional, method, rng):
    rbm, order = fitted(X, conditional), rng.permutation(12)
    for name in ("predict_ratings", "conditional_proba"):
        predict = getattr(rbm, name)
        assert_allclose(predict(X[order], method=method), predict(X, method=method)[order])
    assert_array_equal(rbm.recommend(X[order], 4)[0], rbm.recommend(X, 4)[0][order])
    assert_allclose(rbm.score_samples(X[order]), rbm.score_samples(X)[order])


@BOTH
@METHODS
def test_permuted_columns_permute_the_results(X, conditional, method, rng):
    rbm, order = fitted(X, conditional), rng.permutation(6)
    first = np.cumsum([0, *map(len, CATEGORIES)])
    codes = np.concatenate([np.arange(first[i], first[i + 1]) for i in order])
    other = machine(categories=[CATEGORIES[i] for i in order], conditional=conditional, n_iter=0)
    other.fit(X[:, order])
    other.components_ = rbm.components_[:, codes]
    other.intercept_visible_ = rbm.intercept_visible_[codes]
    other.intercept_hidden_ = rbm.intercept_hidden_
    if conditional:
        other.conditional_components_ = rbm.conditional_components_[:, order]
    for name in ("predict_ratings", "conditional_proba"):
        expected = getattr(rbm, name)(X, method=method)[:, order]
        assert_allclose(getattr(other, name)(X[:, order], method=method), expected, rtol=1e-10)
    ids, scores = other.recommend(X[:, order], 4)
    expected_ids, expected_scores = rbm.recommend(X, 4)
    assert_array_equal(np.where(ids >= 0, order[ids], -1), expected_ids)
    assert_allclose(scores, expected_scores, rtol=1e-10)
    assert_allclose(other.score_samples(X[:, order]), rbm.score_samples(X), rtol=1e-10)
    assert_allclose(other.transform(X[:, order]), rbm.transform(X), rtol=1e-10)
    top, strength = other.top_features(1, 6)
    expected_top, expected_strength = rbm.top_features(1, 6)
    assert_allclose(strength, expected_strength, rtol=1e-10)
    assert_array_equal(order[top][strength != 0], expected_top[expected_strength != 0])


# --- queries ---


@BOTH
@METHODS
@pytest.mark.parametrize("container", [np.asarray, stored])
def test_queries_in_any_order_get_what_all_entries_get(X, conditional, method, container, rng):
    rbm, data = fitted(X, conditional), container(X)
    rows, columns = rng.integers(0, 12, 200), rng.integers(0, 6, 200)  # some of them twice
    mean = rbm.predict_ratings(data, rows, columns, method=method)
    proba = rbm.conditional_proba(data, rows, columns, method=method)
    assert mean.shape == (200,)
    assert proba.shape == (200, 4)
    assert_allclose(mean, rbm.predict_ratings(data, method=method)[rows, columns], rtol=1e-10)
    expected = rbm.conditional_proba(data, method=method)[rows, columns]
    assert_allclose(proba, expected, rtol=1e-10)
    assert ((proba == 0) == (expected == 0)).all()


@pytest.mark.parametrize("kind", [list, tuple, np.int8, np.uint64, "Series"], ids=str)
def test_queries_come_in_any_flat_container_of_integers(X, kind):
    rbm = fitted(X)
    rows, columns = [3, 0, 11], [5, 2, 0]
    expected = rbm.predict_ratings(X)[rows, columns]
    if kind == "Series":
        pd = pytest.importorskip("pandas")
        given = [pd.Series(part, index=[7, 8, 9]) for part in (rows, columns)]
    elif kind in (list, tuple):
        given = kind(rows), kind(columns)
    else:
        given = np.array(rows, kind), np.array(columns, kind)
    assert_allclose(rbm.predict_ratings(X, *given), expected, rtol=1e-12)
    assert_allclose(rbm.predict_ratings(X, rows=given[0], columns=given[1]), expected, rtol=1e-12)


@pytest.mark.parametrize("empty", [[], (), np.empty(0, int), np.empty(0)])
def test_no_query_gets_no_answer(X, empty):
    rbm = fitted(X)
    assert rbm.predict_ratings(X, empty, empty).shape == (0,)
    assert rbm.conditional_proba(X, empty, empty).shape == (0, 4)


@pytest.mark.parametrize("name", ["predict_ratings", "conditional_proba"])
@pytest.mark.parametrize(
    ("rows", "columns", "message"),
    [
        ([0], None, "rows and columns go together"),
        (None, [0], "rows and columns go together"),
        ([0, 1], [0], "of one length"),
        ([0, 1], [[0], [1]], "columns must be flat"),
        (np.ma.masked_array([0, 1], [True, False]), [0, 1], "rows must not mask entries"),
        ([None], [0], "rows must hold integers"),
        (np.array([0], object), [0], "rows must hold integers"),
        (np.array([0], "M8[D]"), [0], "rows must hold integers"),
        ([[0]], [[0]], "must be flat"),
        (0, 0, "must be flat"),
        ([0, 12], [0, 0], r"rows\[1\] is 12, but must be at least 0 and below 12"),
        ([0, -1], [0, 0], r"rows\[1\] is -1"),
        ([0, 0], [0, 6], r"columns\[1\] is 6, but must be at least 0 and below 6"),
        ([0, 0], [-1, 0], r"columns\[0\] is -1"),
        ([0.0], [0], "rows must hold integers"),
        ([0], [np.nan], "columns must hold integers"),
        ([True], [0], "rows must hold integers"),
        (["0"], [0], "rows must hold integers"),
        ([2**64 - 1], [0], r"rows\[0\] is 18446744073709551615"),
    ],
)
def test_queries_outside_the_data_are_refused(X, name, rows, columns, message):
    with pytest.raises(ValueError, match=message):
        getattr(fitted(X), name)(X, rows, columns)


@pytest.mark.parametrize("method", ["Exact", "mode", None, ["exact"], True])
def test_other_methods_are_refused(X, method):
    rbm = fitted(X)
    for name in ("predict_ratings", "conditional_proba"):
        for queries in ((), ([0], [0])):
            with pytest.raises(ValueError, match="method must be 'exact' or 'mean_field'"):
                getattr(rbm, name)(X, *queries, method=method)


@BOTH
@METHODS
@pytest.mark.parametrize("size", [1, 7, 50])
def test_the_size_of_blocks_changes_no_answer(X, conditional, method, size, monkeypatch, rng):
    rbm = fitted(X, conditional)
    queries = rng.integers(0, 12, 100), rng.integers(0, 6, 100)

    def answers():
        return [
            rbm.predict_ratings(X, method=method),
            rbm.conditional_proba(X, method=method),
            rbm.predict_ratings(X, *queries, method=method),
            rbm.conditional_proba(X, *queries, method=method),
            *rbm.recommend(X, 4),
        ]

    expected = answers()
    monkeypatch.setattr("skrbm._estimator.ratings.BLOCK", size)
    monkeypatch.setattr("skrbm._input.categories._BLOCK_NUMBERS", size)
    monkeypatch.setattr("skrbm._estimator.ratings._QUERY_ROWS", size)
    for actual, desired in zip(answers(), expected, strict=True):
        assert_allclose(actual, desired, rtol=1e-12)


def test_queries_never_build_the_full_matrix():
    """10,000 rows of 4,000 features, a row with every thousandth: 320 MB if they did."""
    indptr = np.arange(10_001) * 4
    indices = np.tile([0, 1000, 2000, 3000], 10_000)
    X = sparse.csr_array((np.ones(40_000), indices, indptr), shape=(10_000, 4000))
    rbm = SoftmaxRBM(2, categories=[0, 1], n_iter=0).fit(X[:5])
    rows, columns = np.arange(10_000), np.arange(10_000) % 4000
    rbm.predict_ratings(X[:5], [0], [0])  # compile first
    tracemalloc.start()
    try:
        rbm.predict_ratings(X, rows, columns)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 32e6
