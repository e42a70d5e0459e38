"""Expected ratings, their distributions and their errors, against machines asked directly."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skrbm._recommending import prediction

from ..helpers.recommenders import (
    ITEMS,
    UNKNOWN_ITEM,
    UNKNOWN_USER,
    USERS,
    Direct,
    all_pairs,
    each_by,
    pairs,
    recommender,
    strong,
)
from ..oracles.recommending import biases


def table(X, y):
    return dict(zip(map(tuple, X.tolist()), np.asarray(y).tolist(), strict=True))


@pytest.fixture(name="data")
def pairs_and_ratings():
    return pairs()


@each_by
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_pair_is_predicted_as_the_machines_say(data, by, dtype):
    X, y = data
    estimator = strong(recommender(by).fit(X, y.astype(dtype)))
    direct = Direct(estimator, table(X, y))
    expected = np.array([direct.distribution(*pair) for pair in all_pairs()])
    assert np.ptp(expected[:, 0]) > 0.3
    p = estimator.predict_distribution(all_pairs())
    assert p.dtype == dtype
    assert p.shape == (len(all_pairs()), 5)
    assert_allclose(p, expected, atol=2e-5)
    assert_allclose(p.sum(axis=1), 1, atol=1e-6)
    ratings = estimator.predict(all_pairs())
    assert ratings.dtype == dtype
    assert_allclose(ratings, p @ estimator.rating_scale_, rtol=1e-6)


@each_by
def test_the_prior_of_what_is_unknown(data, by):
    """Where no machine knows anything, frequencies of what is known, shrunk by ten ratings."""
    X, y = data
    estimator = strong(recommender(by).fit(X, y))
    pooled = np.array([(y == k).mean() for k in range(1, 6)])

    def prior(own):
        return np.array(
            [(np.sum(own == k) + 10 * pooled[k - 1]) / (len(own) + 10) for k in range(1, 6)]
        )

    nothing = estimator.predict_distribution([(UNKNOWN_USER, UNKNOWN_ITEM)])[0]
    assert_allclose(nothing, pooled, atol=1e-6)
    new_user = estimator.predict_distribution([(UNKNOWN_USER, ITEMS[2])])[0]
    new_item = estimator.predict_distribution([(USERS[3], UNKNOWN_ITEM)])[0]
    empty_items, empty_users = np.full((1, len(ITEMS)), np.nan), np.full((1, len(USERS)), np.nan)
    if by == "items":
        expected = prior(y[X[:, 1] == ITEMS[2]])
    else:
        expected = estimator.user_rbm_.conditional_proba(empty_items, [0], [2])[0]
    assert_allclose(new_user, expected, atol=1e-6)
    if by == "users":
        expected = prior(y[X[:, 0] == USERS[3]])
    else:
        expected = estimator.item_rbm_.conditional_proba(empty_users, [0], [3])[0]
    assert_allclose(new_item, expected, atol=1e-6)


@each_by
def test_a_prediction_is_not_given_its_own_rating(data, by):
    X, y = data
    estimator = strong(recommender(by).fit(X, y))
    before = estimator.predict(X)
    estimator.add(X[:1], [1 if y[0] > 2 else 5])
    after = estimator.predict(X)
    assert after[0] == pytest.approx(before[0], rel=1e-6)  # its own part is taken off again
    sharing = np.equal(X, X[0]).any(axis=1)
    sharing[0] = False
    assert (np.abs(after[sharing] - before[sharing]) > 1e-4).any()


@each_by
def test_pairs_are_predicted_a_block_at_a_time(data, by, monkeypatch):
    estimator, held = strong(recommender(by).fit(*data)), []
    expected, ask = estimator.predict(all_pairs()), type(estimator)._distributions

    def distributions(*arguments):
        held.append(ask(*arguments))
        return held[-1]

    monkeypatch.setattr(type(estimator), "_distributions", distributions)
    monkeypatch.setattr(prediction, "_BLOCK", 52)
    assert_allclose(estimator.predict(all_pairs()), expected, rtol=1e-5)
    assert {len(p) for p in held[:-1]} == {10}  # of five ratings


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_one_rating_is_predicted_for_all(data, dtype):
    X, _ = data
    with pytest.warns(
        UserWarning, match="all ratings in y are 4: they do not tell what users like"
    ):
        estimator = recommender().fit(X, np.full(len(X), 4, dtype))
    assert_array_equal(
        estimator.predict(all_pairs()), np.full(len(all_pairs()), 4, dtype), strict=True
    )
    assert_array_equal(estimator.predict_distribution(X), np.ones((len(X), 1), dtype), strict=True)


def test_without_ratings_interest_is_predicted(data):
    X, _ = data
    estimator = strong(recommender().fit(X))
    direct = Direct(estimator, dict.fromkeys(map(tuple, X.tolist()), 1))
    density = len(X) / (len(USERS) * len(ITEMS))
    expected = [direct.interest(*pair) for pair in all_pairs()]
    assert_allclose(
        estimator.predict(all_pairs()), [density if p is None else p for p in expected], atol=1e-5
    )


def test_without_ratings_there_is_no_distribution(data):
    X, y = data
    estimator = recommender().fit(X)
    with pytest.raises(ValueError, match=r"no distribution of ratings.*\(y=None\)\. Use predict"):
        estimator.predict_distribution(X)
    with pytest.raises(ValueError, match=r"no error of ratings.*\(y=None\)"):
        estimator.rating_scores(X, y)


@each_by
def test_errors_are_those_of_plain_loops(data, by):
    X, y = data
    estimator = strong(recommender(by).fit(X, y))
    asked, ratings = all_pairs(), np.random.default_rng(2).choice([0.5, 1, 3, 5], len(all_pairs()))
    scores = estimator.rating_scores(asked, ratings)
    mean, of_user, of_item = biases(table(X, y), 15, 10, 10)
    of_biases = np.array([mean + of_user.get(u, 0) + of_item.get(i, 0) for u, i in asked])
    assert scores.keys() == {"model", "biases"}
    for name, predicted in (
        ("model", estimator.predict(asked)),
        ("biases", np.clip(of_biases, 1, 5)),
    ):
        error = ratings - predicted
        expected = {"rmse": np.sqrt(np.mean(error**2)), "mae": np.mean(np.abs(error))}
        assert scores[name] == pytest.approx(expected, rel=1e-6)
        assert all(type(score) is float for score in scores[name].values())


def test_biases_stay_within_the_scale():
    """A user and an item with high ratings alone would have more than the highest."""
    X = [(u, i) for u in range(40) for i in range(40) if u != i]
    y = [5 if u == 0 or i == 0 else 1 + 3 * (u % 2) for u, i in X]
    estimator = recommender("items").fit(X, y)
    scores = estimator.rating_scores([(0, 0)], [5])
    assert scores["biases"] == {"rmse": 0, "mae": 0}
