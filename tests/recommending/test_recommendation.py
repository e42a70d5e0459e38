"""Recommendations, similar items and scores of rankings, against plain loops."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skrbm._recommending import prediction, recommendation

from ..helpers.recommenders import (
    ITEMS,
    UNKNOWN_USER,
    USERS,
    Direct,
    pairs,
    recommender,
    strong,
)
from ..oracles.recommending import mean_measures, ranked

ASKED = [*USERS.tolist(), UNKNOWN_USER]


@pytest.fixture(name="data", scope="module")
def pairs_and_ratings():
    return pairs()


@pytest.fixture(name="fitted", scope="module")
def strong_recommender(data):
    return strong(recommender().fit(*data))


@pytest.fixture(name="direct", scope="module")
def machines_asked_directly(data, fitted):
    X, y = data
    return Direct(fitted, dict(zip(map(tuple, X.tolist()), y.tolist(), strict=True)))


def scores_of(direct, user, rank_by, candidates=ITEMS):
    """Of candidates, by item."""
    return {item: direct.score(user, item, rank_by) for item in np.asarray(candidates).tolist()}


def without_seen(scores, direct, user):
    return {item: score for item, score in scores.items() if (user, item) not in direct.ratings}


# --- recommend ---


@pytest.mark.parametrize("rank_by", ["liking", "interest", "rating"])
@pytest.mark.parametrize("exclude_seen", [True, False])
@pytest.mark.parametrize("n_items", [1, 3, len(ITEMS), 50])
def test_the_best_items_come_first(fitted, direct, rank_by, exclude_seen, n_items):
    items, scores = fitted.recommend(ASKED, n_items, exclude_seen=exclude_seen, rank_by=rank_by)
    assert items.shape == scores.shape == (len(ASKED), min(n_items, len(ITEMS)))
    assert scores.dtype == np.float64
    for user, own_items, own_scores in zip(ASKED, items.tolist(), scores, strict=True):
        expected = scores_of(direct, user, rank_by)
        if exclude_seen:
            expected = without_seen(expected, direct, user)
        ranking = ranked(expected, n_items)
        n_missing = items.shape[1] - len(ranking)
        assert own_items == ranking + [None] * n_missing
        expected = [expected[item] for item in ranking] + [-np.inf] * n_missing
        assert_allclose(own_scores, expected, rtol=1e-4)


def test_liking_is_the_default(data, fitted):
    assert fitted.liked_from_ == np.median(data[1])
    expected = fitted.recommend(ASKED, 3, rank_by="liking")
    for a, b in zip(fitted.recommend(ASKED, 3), expected, strict=True):
        assert_array_equal(a, b)
    held_out = [(UNKNOWN_USER, 10), (1, 98)]
    assert fitted.ranking_scores(held_out) == fitted.ranking_scores(held_out, rank_by="liking")


def test_ids_are_as_fit_met_them(fitted):
    items, _ = fitted.recommend(ASKED, 2, exclude_seen=False)
    assert items.dtype == np.int64
    items, scores = fitted.recommend(ASKED, len(ITEMS))
    assert items.dtype == object
    assert {type(item) for item in items.ravel()} == {int, type(None)}
    assert_array_equal(np.isneginf(scores), np.equal(items, None))


@pytest.mark.parametrize("rank_by", ["liking", "interest", "rating"])
def test_candidates_are_the_only_items(fitted, direct, rank_by):
    """In any order, and twice: of equal ones the first in item_ids_ comes first."""
    candidates = [30, 11, 17, 11]
    items, _ = fitted.recommend(ASKED, 5, rank_by=rank_by, items=candidates)
    assert items.shape == (len(ASKED), 3)
    for user, own in zip(ASKED, items.tolist(), strict=True):
        expected = without_seen(
            scores_of(direct, user, rank_by, sorted(set(candidates))), direct, user
        )
        assert [item for item in own if item is not None] == ranked(expected, 5)


@pytest.mark.parametrize("rank_by", ["liking", "interest", "rating"])
def test_of_equal_items_the_first_comes_first(data, rank_by):
    fitted = recommender().fit(*data)
    for rbm in (fitted.item_rbm_, fitted.user_rbm_, fitted.interest_rbm_):
        rbm.components_ = np.zeros_like(rbm.components_)
        rbm.intercept_visible_ = np.zeros_like(rbm.intercept_visible_)
    items, scores = fitted.recommend(ASKED, 9, exclude_seen=False, rank_by=rank_by)
    assert_array_equal(items, np.tile(ITEMS, (len(ASKED), 1)))
    assert (scores == scores[0, 0]).all()


@pytest.mark.parametrize("rank_by", ["liking", "interest", "rating"])
@pytest.mark.parametrize("block", [1, len(ITEMS) * 4])
def test_blocks_of_users_change_nothing(fitted, monkeypatch, rank_by, block):
    expected = fitted.recommend(ASKED, 4, rank_by=rank_by)
    monkeypatch.setattr(prediction, "_BLOCK", block)
    items, scores = fitted.recommend(ASKED, 4, rank_by=rank_by)
    assert_array_equal(items, expected[0])
    assert_allclose(scores, expected[1], rtol=1e-5)


def test_blocks_hold_few_probabilities_of_ratings(fitted, monkeypatch):
    """However many ratings there are."""
    held, ask = [], type(fitted)._distributions

    def distributions(*arguments):
        held.append(ask(*arguments))
        return held[-1]

    monkeypatch.setattr(type(fitted), "_distributions", distributions)
    monkeypatch.setattr(prediction, "_BLOCK", 100)
    fitted.recommend(ASKED, 4)
    assert [p.size for p in held] == [2 * len(ITEMS) * 5] * 4 + [len(ITEMS) * 5]


def test_users_may_come_in_any_order_and_twice(fitted):
    items, scores = fitted.recommend(ASKED, 3)
    order = [3, 0, 8, 3]
    again, same = fitted.recommend([ASKED[k] for k in order], 3)
    assert_array_equal(again, items[order])
    assert_allclose(same, scores[order], rtol=1e-6)


@pytest.mark.parametrize("empty", [{"users": []}, {"users": [1, 2], "items": []}], ids=str)
def test_nobody_and_nothing(fitted, empty):
    items, scores = fitted.recommend(**empty, n_items=3)
    n_users = len(empty["users"])
    assert items.shape == scores.shape == (n_users, 0 if n_users else 3)


def test_without_ratings_interest_is_the_same(data, fitted):
    X, y = data
    unary = recommender().fit(X)
    with pytest.warns(UserWarning, match="all ratings in y are 2"):
        equal = recommender().fit(X, np.full(len(X), 2))
    rated = recommender().fit(X, y)
    for estimator in (unary, equal):
        expected = rated.recommend(ASKED, 4, rank_by="interest")
        for rank_by in ("interest", "liking"):
            for a, b in zip(estimator.recommend(ASKED, 4, rank_by=rank_by), expected, strict=True):
                assert_array_equal(a, b)
        assert (estimator.liked_from_ is None) == (estimator is unary)


def test_ranking_by_ratings_needs_ratings(data):
    X, _ = data
    unary = recommender().fit(X)
    with pytest.warns(UserWarning, match="all ratings in y are 2"):
        equal = recommender().fit(X, np.full(len(X), 2))
    for estimator, given in ((unary, r"no ratings \(y=None\)"), (equal, "equal ratings alone")):
        for method in (estimator.recommend, estimator.ranking_scores):
            with pytest.raises(
                ValueError, match=f"rank_by='rating' cannot .* {given}.*'interest'"
            ):
                method([(1, 10)], rank_by="rating")


# --- frames ---


@pytest.mark.parametrize("as_frame", [True, np.True_, "pandas", "polars"])
def test_frames_hold_a_recommendation_in_each_row(fitted, as_frame):
    library = pytest.importorskip(as_frame if isinstance(as_frame, str) else "pandas")
    items, scores = fitted.recommend(ASKED, len(ITEMS))
    titles = {11: "Brazil", 12: "Alien"}
    table = fitted.recommend(ASKED, len(ITEMS), as_frame=as_frame, titles=titles)
    assert isinstance(table, library.DataFrame)
    assert list(table.columns) == ["user", "rank", "item", "title", "score"]
    rows, places = np.nonzero(np.isfinite(scores))
    assert table["user"].to_list() == [ASKED[row] for row in rows]
    assert table["rank"].to_list() == (places + 1).tolist()
    assert table["item"].to_list() == items[rows, places].tolist()
    assert table["score"].to_list() == scores[rows, places].tolist()
    for item, title in zip(table["item"].to_list(), table["title"].to_list(), strict=True):
        assert title == titles[item] if item in titles else title is None or title != title
    assert "title" not in fitted.recommend(ASKED, 2, as_frame=as_frame).columns


def test_frames_of_texts_and_of_nothing(data):
    pd = pytest.importorskip("pandas")
    X, y = data
    texts = pd.DataFrame({"user": [f"u{u}" for u in X[:, 0]], "item": [f"i{i}" for i in X[:, 1]]})
    estimator = recommender().fit(texts, y)
    table = estimator.recommend(["u5", "new"], 2, as_frame=True)
    assert table["user"].tolist() == ["u5", "u5", "new", "new"]
    assert set(table["item"]) <= {f"i{i}" for i in ITEMS}
    titles = pd.Series({f"i{i}": f"title {i}" for i in ITEMS})
    table = estimator.recommend(["u5"], 2, as_frame=True, titles=titles)
    assert table["title"].tolist() == [f"title {item[1:]}" for item in table["item"]]
    assert len(estimator.recommend([], as_frame=True)) == 0


# --- similar items ---


@pytest.mark.parametrize("n_items", [1, 3, 50])
def test_similar_items_have_like_weights(fitted, n_items):
    W = fitted.interest_rbm_.components_.astype(float)
    asked = [17, 10, 17]
    items, similarities = fitted.similar_items(asked, n_items)
    assert items.shape == similarities.shape == (3, min(n_items, len(ITEMS) - 1))
    for own, own_similarities, item in zip(items.tolist(), similarities, asked, strict=True):
        a = W[:, ITEMS.tolist().index(item)]
        cosines = {
            other: a @ b / np.sqrt((a @ a) * (b @ b))
            for other, b in zip(ITEMS.tolist(), W.T, strict=True)
            if other != item
        }
        assert own == ranked(cosines, n_items)
        assert_allclose(own_similarities, [cosines[other] for other in own], atol=1e-6)


def test_blocks_of_items_change_nothing(fitted, monkeypatch):
    expected = fitted.similar_items(ITEMS, 4)
    held, find = [], recommendation.best
    monkeypatch.setattr(prediction, "_BLOCK", 3 * len(ITEMS))
    monkeypatch.setattr(
        recommendation, "best", lambda scores, n: held.append(len(scores)) or find(scores, n)
    )
    items, similarities = fitted.similar_items(ITEMS, 4)
    assert held == [3, 3, 1]
    assert_array_equal(items, expected[0])
    assert_allclose(similarities, expected[1], rtol=1e-6)


def test_an_item_without_weights_is_like_none(data):
    fitted = recommender().fit(*data)
    fitted.interest_rbm_.components_[:, 2] = 0
    items, similarities = fitted.similar_items([ITEMS[2]], 9)
    assert items.tolist() == [[item for item in ITEMS if item != ITEMS[2]]]
    assert not similarities.any()


def test_similar_items_must_be_known(data):
    fitted = recommender().fit(*data)
    fitted.add([(1, 77)], [3])
    for item in (76, 77):
        with pytest.raises(
            ValueError, match=rf"nothing was learned of the item {item}: no pair in"
        ):
            fitted.similar_items([10, item])


# --- scores of rankings ---


@pytest.fixture(name="held_out", scope="module")
def further_pairs():
    """Of known and unknown users and items, some of them in the training data."""
    rng = np.random.default_rng(8)
    users, items = [*ASKED, 77], [*ITEMS.tolist(), 98, 97]
    X = [(u, i) for u in users for i in items if rng.random() < 0.5]
    return X, rng.integers(1, 6, len(X)).astype(float)


@pytest.mark.parametrize("rank_by", ["liking", "interest", "rating"])
@pytest.mark.parametrize("relevant_from", [None, 4, 2.5])
@pytest.mark.parametrize("k", [1, 3, 20])
def test_rankings_are_scored_as_by_brute_force(
    fitted, direct, held_out, rank_by, relevant_from, k
):
    X, y = held_out
    relevant = {}
    for (user, item), rating in zip(X, y, strict=True):
        wanted = relevant_from is None or rating >= relevant_from
        if wanted and (user, item) not in direct.ratings:
            relevant.setdefault(user, set()).add(item)
    counts = {item: sum(i == item for _, i in direct.ratings) for item in ITEMS.tolist()}
    rankings = {
        "model": lambda user: scores_of(direct, user, rank_by),
        "popularity": lambda user: counts,
    }
    got = fitted.ranking_scores(X, y, k, relevant_from=relevant_from, rank_by=rank_by)
    assert got.keys() == rankings.keys()
    for name, scores in rankings.items():
        lists = {user: ranked(without_seen(scores(user), direct, user), k) for user in relevant}
        assert got[name] == pytest.approx(mean_measures(lists, relevant, k))
        assert all(type(score) is float for score in got[name].values())


def test_pairs_that_occur_twice_are_relevant_once(fitted, held_out):
    X, y = held_out
    assert fitted.ranking_scores(X + X, k=3) == fitted.ranking_scores(X, k=3)
    # Ratings alone decide nothing, and without ratings all pairs are relevant.
    assert fitted.ranking_scores(X, y, k=3) == fitted.ranking_scores(X, k=3)


def test_nothing_to_find(data, fitted):
    X, y = data
    for arguments in ((X,), (X, y)):
        with pytest.raises(
            ValueError, match="X holds no relevant pair that is not in the training"
        ):
            fitted.ranking_scores(*arguments)
    with pytest.raises(ValueError, match=r"X holds no relevant pair.*a lower relevant_from"):
        fitted.ranking_scores([(UNKNOWN_USER, 10)], [3], relevant_from=4)


# --- arguments ---

NO_RECOMMENDATIONS = [
    ({"users": "ann"}, TypeError, "users must be a list.*'ann', a str: use brackets"),
    ({"users": 3}, TypeError, "users must be a list"),
    ({"users": ["ann"]}, ValueError, "user ids were numbers in fit, such as 1, but are texts now"),
    ({"users": [None]}, ValueError, "the user id in row 0 is missing"),
    ({"n_items": 0}, ValueError, "n_items must be at least 1. Got 0"),
    ({"n_items": 2.0}, TypeError, "n_items must be an integer. Got 2.0"),
    ({"exclude_seen": 1}, TypeError, "exclude_seen must be True or False. Got 1"),
    ({"rank_by": "popularity"}, ValueError, "rank_by must be 'liking', 'interest' or 'rating'"),
    ({"items": [10, 98]}, ValueError, "items holds 98, which no pair in fit or add has.*Leave it"),
    ({"items": "10"}, TypeError, "items must be a list"),
    ({"items": ["10"]}, ValueError, "item ids were numbers in fit, such as 10, but are texts"),
    ({"as_frame": None}, ValueError, "as_frame must be a bool, 'pandas' or 'polars'. Got None"),
    ({"as_frame": 1}, ValueError, "as_frame must be a bool, 'pandas' or 'polars'. Got 1"),
    ({"as_frame": "arrow"}, ValueError, "as_frame must be .* Got 'arrow'"),
    ({"titles": {10: "Dune"}}, ValueError, "titles are a column of the frame: pass as_frame=True"),
    ({"titles": ["Dune"], "as_frame": True}, TypeError, "titles must be a dict.*Got a list"),
]


@pytest.mark.parametrize(("arguments", "error", "message"), NO_RECOMMENDATIONS, ids=str)
def test_arguments_of_recommend_are_checked(fitted, arguments, error, message):
    with pytest.raises(error, match=message):
        fitted.recommend(**{"users": [1], **arguments})


NO_SCORES = [
    ({"k": 0}, ValueError, "k must be at least 1. Got 0"),
    ({"k": 2.5}, TypeError, "k must be an integer. Got 2.5"),
    ({"rank_by": "x"}, ValueError, "rank_by must be 'liking', 'interest' or 'rating'"),
    ({"relevant_from": 4}, ValueError, "relevant_from is the lowest .* Got 4 and no y"),
    ({"relevant_from": "4", "y": [3]}, ValueError, "relevant_from is .* Got '4' and some y"),
    ({"y": [3, 4]}, ValueError, "X holds 1 pairs, but y holds 2 ratings"),
    ({"y": [np.nan]}, ValueError, "y holds nan in row 0"),
]


@pytest.mark.parametrize(("arguments", "error", "message"), NO_SCORES, ids=str)
def test_arguments_of_ranking_scores_are_checked(fitted, arguments, error, message):
    with pytest.raises(error, match=message):
        fitted.ranking_scores(**{"X": [(UNKNOWN_USER, 10)], **arguments})
