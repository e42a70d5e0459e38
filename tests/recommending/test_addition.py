"""RBMRecommender.add: further pairs without a new fit."""

import copy

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from ..helpers.comparison import assert_same_model
from ..helpers.recommenders import (
    ITEMS,
    UNKNOWN_ITEM,
    UNKNOWN_USER,
    USERS,
    Direct,
    each_by,
    pairs,
    recommender,
    strong,
)
from ..oracles.recommending import ranked

#: A new pair and a new rating of an old user, new users, new items, and both at once. Their ids
#: are below and above the known ones.
NEW_USERS, NEW_ITEMS = [50, 0], [77, 4]


def table(X, y):
    return dict(zip(map(tuple, np.asarray(X).tolist()), np.asarray(y).tolist(), strict=True))


@pytest.fixture(name="data")
def pairs_and_ratings():
    return pairs()


@pytest.fixture(name="new")
def further_pairs(data):
    X, y = data
    unseen = next(
        (u, i) for u in USERS.tolist() for i in ITEMS.tolist() if (u, i) not in table(X, y)
    )
    replaced = tuple(X[0].tolist())
    new = [
        unseen,
        replaced,
        (50, 10),
        (50, 30),
        (0, 11),
        (5, 77),
        (8, 77),
        (13, 4),
        (50, 4),
        (0, 77),
    ]
    return new, [5.0, 1.0 if y[0] > 2 else 5.0, 5, 1, 2, 4, 4, 1, 3, 5]


def everybody():
    users = [*USERS.tolist(), *NEW_USERS, UNKNOWN_USER]
    items = [*ITEMS.tolist(), *NEW_ITEMS, UNKNOWN_ITEM]
    return [(u, i) for u in users for i in items]


@each_by
@pytest.mark.parametrize("at_once", [True, False])
def test_predictions_are_what_the_machines_say_of_the_larger_table(data, new, by, at_once):
    estimator = strong(recommender(by).fit(*data))
    direct = Direct(estimator, table(*data) | table(*new))
    if at_once:
        assert estimator.add(*new) is estimator
    else:
        for pair, rating in zip(*new, strict=True):
            estimator.add([pair], [rating])
    p = estimator.predict_distribution(everybody())
    assert_allclose(p, [direct.distribution(*pair) for pair in everybody()], atol=2e-5)
    stored = estimator.ratings_.tocoo()
    ids = (estimator.user_ids_[stored.row], estimator.item_ids_[stored.col])
    assert table(np.column_stack(ids), stored.data) == direct.ratings


@pytest.mark.parametrize("rank_by", ["liking", "interest", "rating"])
def test_recommendations_are_given_the_new_pairs(data, new, rank_by):
    estimator = strong(recommender().fit(*data))
    direct = Direct(estimator, table(*data) | table(*new))
    direct.liked_from = np.median(data[1])  # of fit
    estimator.add(*new)
    users = [5, 50, 0, UNKNOWN_USER]
    items, scores = estimator.recommend(users, 20, rank_by=rank_by)
    for user, own, own_scores in zip(users, items.tolist(), scores, strict=True):
        expected = {
            item: direct.score(user, item, rank_by)
            for item in [*ITEMS.tolist(), *sorted(NEW_ITEMS)]
            if (user, item) not in direct.ratings
        }
        expected = {item: score for item, score in expected.items() if score is not None}
        ranking = ranked(expected, 20)
        assert own == ranking + [None] * (len(own) - len(ranking))
        assert_allclose(own_scores[: len(ranking)], [expected[i] for i in ranking], rtol=1e-4)


def test_interest_without_ratings(data, new):
    estimator = strong(recommender().fit(data[0]))
    ratings = dict.fromkeys([*table(*data), *new[0]], 1)
    direct = Direct(estimator, ratings)
    assert estimator.add(new[0]) is estimator
    assert (estimator.ratings_.data == 1).all()
    density = len(ratings) / np.prod(estimator.ratings_.shape)
    expected = [direct.interest(*pair) for pair in everybody()]
    assert_allclose(
        estimator.predict(everybody()), [density if p is None else p for p in expected], atol=1e-5
    )


def test_new_ids_come_after_those_of_fit(data, new):
    estimator = recommender().fit(*data).add(*new)
    assert_array_equal(estimator.user_ids_, [*USERS, *sorted(NEW_USERS)])
    assert_array_equal(estimator.item_ids_, [*ITEMS, *sorted(NEW_ITEMS)])


def test_no_parameter_is_learned(data, new):
    estimator = recommender().fit(*data)
    before = copy.deepcopy(estimator)
    estimator.add(*new)
    for name in ("item_rbm_", "user_rbm_", "interest_rbm_"):
        assert_same_model(getattr(estimator, name), getattr(before, name))
    changed = {"user_ids_", "item_ids_", "ratings_"}
    assert vars(estimator).keys() == vars(before).keys()
    for name in vars(before).keys() - changed - {"item_rbm_", "user_rbm_", "interest_rbm_"}:
        assert repr(getattr(estimator, name)) == repr(getattr(before, name))
    # What was known before is in its old place.
    untouched = before.ratings_.toarray()
    after = estimator.ratings_.toarray()[: len(USERS), : len(ITEMS)]
    assert (after != untouched).sum() == 2


def test_a_fit_forgets_what_was_added(data, new):
    estimator = recommender().fit(*data).add(*new).fit(*data)
    assert_same_model(estimator.item_rbm_, recommender().fit(*data).item_rbm_)
    assert_array_equal(estimator.user_ids_, USERS)


def test_ids_may_be_texts(data):
    X, y = data
    texts = [(f"u{u}", f"i{i}") for u, i in X.tolist()]
    by_text, by_number = strong(recommender().fit(texts, y)), strong(recommender().fit(X, y))
    assert sorted(by_text.user_ids_) != [f"u{u}" for u in USERS]  # "u13" comes before "u2"
    by_text.add([("u0", "i10"), ("u0", "i77")], [5, 1])
    assert by_text.user_ids_[-1] == "u0"
    assert by_text.recommend(["u0"], 3)[0].shape == (1, 3)
    assert by_number.add([(0, 10)], [5]).recommend([0], 3)[0].shape == (1, 3)


WRONG = {
    "off the scale": (
        [(1, 10)],
        [2.5],
        "y holds the rating 2.5, which none of the ratings in fit",
    ),
    "without ratings": ([(1, 10)], None, "fit was given ratings y: add pairs with their ratings"),
    "NaN": ([(1, 10)], [np.nan], "y holds nan in row 0"),
    "too few": ([(1, 10), (1, 11)], [1], "X holds 2 pairs, but y holds 1 ratings"),
    "two ratings": (
        [(50, 10), (50, 10)],
        [1, 2],
        "rows 0 and 1 of X are one pair, user 50 and it",
    ),
    "texts": ([("ann", 10)], [1], "user ids were numbers in fit, such as 1, but are texts now"),
    "missing": ([(1, None)], [1], "the item id in row 0 is missing"),
    "triples": ([(1, 10, 5)], [1], "3 columns"),
    "nothing": ([], [], "no pair of user and item"),
}


@pytest.mark.parametrize(("X", "y", "message"), WRONG.values(), ids=WRONG)
def test_what_is_refused_changes_nothing(data, X, y, message):
    estimator = recommender().fit(*data)
    before = copy.deepcopy(vars(estimator))
    with pytest.raises(ValueError, match=message):
        estimator.add(X, y)
    for name in ("user_ids_", "item_ids_"):
        assert_array_equal(getattr(estimator, name), before[name])
    assert (estimator.ratings_ != before["ratings_"]).nnz == 0
    assert vars(estimator).keys() == before.keys()


def test_ratings_for_pairs_without_are_refused(data):
    estimator = recommender().fit(data[0])
    with pytest.raises(
        ValueError, match=r"fit was given no ratings \(y=None\): add pairs without y"
    ):
        estimator.add([(1, 10)], [5])


def test_the_one_rating_may_be_added(data):
    X, _ = data
    with pytest.warns(UserWarning, match="all ratings in y are 4"):
        estimator = recommender().fit(X, np.full(len(X), 4))
    estimator.add([(50, 10)], [4])
    assert estimator.predict([(50, 11)]) == 4
    with pytest.raises(ValueError, match=r"y holds the rating 3, .*: \[4\.\]\. Fit again"):
        estimator.add([(50, 10)], [3])


def test_added_ratings_take_the_dtype_and_the_values_of_the_scale(data):
    X, y = data
    estimator = recommender().fit(X, (y / 10).astype(np.float32))
    estimator.add([(50, 10)], [0.1 * 3])
    assert estimator.ratings_.dtype == np.float32
    assert estimator.ratings_[len(USERS), 0] == np.float32(0.3)
    assert estimator.predict([(50, 10)]).dtype == np.float32
