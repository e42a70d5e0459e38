"""What hidden units speak for."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skrbm import SoftmaxRBM

from ..helpers.ratings import CATEGORIES, fitted, machine, mixed_rows


@pytest.fixture(name="X")
def rows(rng):
    return mixed_rows(rng)


def strength(rbm, component, feature, category):
    """What a hidden unit says for a category, or for high values, of one feature."""
    first = sum(map(len, CATEGORIES[:feature]))
    values = np.array(CATEGORIES[feature], float)
    w = rbm.components_[component, first : first + len(values)]
    if category is not None:
        return w[list(values).index(category)] - w.mean()
    return 0.0 if len(values) == 1 else np.polyfit(values, w, 1)[0]


@pytest.mark.parametrize("category", [None, 0, 2, 3, -1, 0.5, np.float32(0.5)])
@pytest.mark.parametrize("component", [0, 2])
@pytest.mark.parametrize("n", [1, 3, 20])
def test_the_strongest_features_come_first(X, category, component, n):
    rbm = fitted(X)
    which = [i for i, values in enumerate(CATEGORIES) if category is None or category in values]
    expected = sorted((-strength(rbm, component, i, category), i) for i in which)[:n]
    ids, scores = rbm.top_features(component, n, category)
    assert_array_equal(ids, [i for _, i in expected])
    assert_allclose(scores, [-score for score, _ in expected], rtol=1e-10, atol=1e-14)


def test_strength_does_not_depend_on_a_constant_per_feature(X):
    """Such a constant in a row of weights says nothing of one category against another."""
    rbm = fitted(X)
    before = [rbm.top_features(1, category=category) for category in (None, 2)]
    sizes = list(map(len, CATEGORIES))
    rbm.components_ = rbm.components_ + np.repeat(np.arange(6) * 3.0, sizes)
    after = [rbm.top_features(1, category=category) for category in (None, 2)]
    for (ids, scores), (other_ids, other_scores) in zip(after, before, strict=True):
        assert_array_equal(ids, other_ids)
        assert_allclose(scores, other_scores, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("category", [0.1, np.float32(0.1), np.float64(0.1)], ids=repr)
def test_a_tenth_is_a_category_in_every_precision(dtype, category):
    rbm = machine().fit(np.array([[0.1, 0.3], [0.3, 0.1]], dtype))
    assert sorted(rbm.top_features(0, category=category)[0]) == [0, 1]


def test_a_boolean_is_the_category_zero_or_one(X):
    rbm = fitted(X)
    for category in (True, np.True_):
        assert_array_equal(rbm.top_features(0, category=category), rbm.top_features(0, category=1))


def test_a_category_is_compared_exactly():
    """2051 and 2052 are one number in float16."""
    X = np.array([[2051.0, 2052], [2052, 2053]])
    rbm = machine(categories="auto").fit(X)
    assert rbm.top_features(0, category=np.float16(2052))[0].tolist() in ([0, 1], [1, 0])
    assert rbm.top_features(0, category=2051)[0].tolist() == [0]
    assert rbm.top_features(0, category=2053)[0].tolist() == [1]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"component": 3}, ValueError, "component"),
        ({"component": -1}, ValueError, "component"),
        ({"component": 1.0}, TypeError, "component"),
        ({"component": 0, "n": 0}, ValueError, "n must be at least 1"),
        ({"component": True}, TypeError, "component must be an integer"),
        ({"component": 0, "n": True}, TypeError, "n must be an integer"),
        ({"component": 0, "n": 2.5}, TypeError, "n must be"),
        ({"component": 0, "category": 9}, ValueError, "category=9 is none of the categories"),
        ({"component": 0, "category": np.nan}, ValueError, "none of the categories"),
        ({"component": 0, "category": "2"}, TypeError, "category"),
    ],
    ids=str,
)
def test_what_no_hidden_unit_can_say_is_refused(X, arguments, error, message):
    with pytest.raises(error, match=message):
        fitted(X).top_features(**arguments)


def test_a_planted_genre_is_found():
    """One hidden unit is on for the rows that like the first three films."""
    rng = np.random.default_rng(0)
    likes = rng.random(300) < 0.5
    X = np.where(likes[:, None] == (np.arange(8) < 3), 5.0, 1.0)
    X[rng.random(X.shape) < 0.3] = np.nan
    rbm = SoftmaxRBM(1, n_iter=30, learning_rate=0.1, random_state=0).fit(X)
    ids, scores = rbm.top_features(0, 8)
    ends = {tuple(sorted(ids[:3])), tuple(sorted(ids[5:]))}
    assert (0, 1, 2) in ends
    assert scores[0] > 0 > scores[-1]
    given = np.full((1, 8), np.nan)
    given[0, 0] = 5
    predicted = rbm.predict_ratings(given)[0]
    assert (predicted[1:3] > 3).all()
    assert (predicted[3:] < 3).all()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_has_no_order_is_refused(X, value):
    rbm = fitted(X)
    rbm.components_[1, 2] = value
    with pytest.raises(
        ValueError, match=r"components_\[1\] holds weights that are infinite or NaN"
    ):
        rbm.top_features(1)
    assert np.isfinite(rbm.top_features(0)[1]).all()
