"""What studies of MovieLens read and measure: ratings, splits, rankings."""

import importlib.util

import numpy as np
import pytest
from scipy import sparse

from .helpers.project import ROOT

PATH = ROOT / "tests" / "benchmarks" / "movielens.py"
ROWS = [(7, 1193, 5.0), (7, 661, 3.0), (12, 661, 0.5), (9, 1193, 4.0)]


@pytest.fixture(scope="module")
def movielens():
    spec = importlib.util.spec_from_file_location("movielens", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def assert_rows(data):
    assert data["user"].tolist() == [0, 0, 2, 1]
    assert data["item"].tolist() == [1, 0, 0, 1]
    assert data["rating"].tolist() == [5, 3, 0.5, 4]


def test_a_name_is_fetched(movielens, monkeypatch):
    def fetch(name, **parameters):
        assert name == "1m"
        assert parameters == {"as_frame": False, "return_X_y": True}
        rows = np.array(ROWS)
        return rows[:, :2].astype(int), rows[:, 2]

    monkeypatch.setattr(movielens, "fetch_movielens", fetch)
    data = movielens.load("1m")
    assert_rows(data)
    assert movielens.shape(data) == (2, 3)


def test_arrays_are_read(movielens, tmp_path):
    columns = zip(("user", "item", "rating"), np.array(ROWS).T, strict=True)
    np.savez(tmp_path / "ratings.npz", **dict(columns))
    assert_rows(movielens.load(tmp_path / "ratings.npz"))


def test_splits_part_the_rows(movielens):
    rows = np.arange(20)
    pairs = [*movielens.folds({"rating": rows}), movielens.random_split(rows, 0, 0.2)]
    for train, test in pairs:
        assert len(test) == 4
        assert sorted([*train, *test]) == rows.tolist()
    assert np.array_equal(np.concatenate([test for _, test in pairs[:-1]]), rows)


def test_best_unseen_items_are_the_best(movielens, monkeypatch):
    rng = np.random.default_rng(0)
    scores, seen = rng.random((7, 9)), rng.random((7, 9)) < 0.4
    monkeypatch.setattr(movielens, "_BLOCK", 2)
    users = np.array([5, 0, 6])
    best = movielens.best_unseen(scores.__getitem__, users, sparse.csr_array(seen * 1.0), 3)
    for user, items in zip(users, best, strict=True):
        free = sorted(np.flatnonzero(~seen[user]), key=lambda item: -scores[user, item])
        assert items.tolist() == free[:3]


def test_measures_of_rankings_by_hand(movielens):
    """User 4 likes three items, found at place 2; user 2 likes one, found at place 1."""
    relevant = np.array([4, 2, 4, 4]), np.array([8, 1, 3, 0])
    ranked = np.array([[1, 5], [6, 3]])
    ndcg, recall = movielens.ranking_measures(np.array([2, 4]), ranked, relevant)
    second = 1 / np.log2(3)
    assert ndcg == pytest.approx((1 + second / (1 + second)) / 2)
    assert recall == pytest.approx((1 + 1 / 3) / 2)


def test_missing_items_are_no_hits(movielens):
    """-1 stands where there is no item: it is not item 8 of the user before."""
    relevant = np.array([0, 1]), np.array([8, 0])
    ranked = np.array([[3, -1], [-1, -1]])
    assert movielens.ranking_measures(np.array([0, 1]), ranked, relevant) == (0, 0)


def test_a_model_is_evaluated_by_what_it_can(movielens):
    class Both:
        def fit(self, user, item, rating):
            assert rating.tolist() == [2, 4]

        def predict(self, user, item):
            return np.full(len(user), 3.0)

        def top(self, users, k):
            return np.tile([2, 0], (len(users), 1))

    data = {"user": np.array([0, 1, 0, 1]), "item": np.array([0, 1, 2, 2])}
    data["rating"] = np.array([2, 4, 5, 3])
    found = movielens.evaluate(Both(), data, np.array([0, 1]), np.array([2, 3]))
    assert found["RMSE"] == pytest.approx(np.sqrt(2))
    assert found["MAE"] == 1
    assert found["NDCG"] == found["recall"] == 1  # user 1 has no relevant item
    assert found.keys() == {"fit", "predict", "rank", "RMSE", "MAE", "NDCG", "recall"}
