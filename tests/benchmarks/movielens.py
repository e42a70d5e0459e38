"""MovieLens for the studies: the ratings, the splits, the errors of predictions and of rankings.

``load`` takes the name of a MovieLens, "100k", "1m", "10m" or "latest-small", which
``skrbm.datasets.fetch_movielens`` downloads once; or an ``npz`` with arrays ``user``, ``item``,
``rating``, in the order of the archive. None of them may be redistributed.

Rows 20000 (k - 1) to 20000 k of MovieLens-100K are the test rows of fold k, ``u{k}.test``: so the
script ``mku.sh`` of the archive makes them of ``u.data``.
"""

import time

import numpy as np

from skrbm.datasets import fetch_movielens

N_FOLDS = 5
INNER_SHARE = 0.1
RELEVANT_FROM = 4
N_BEST = 10
#: Which MovieLens it is, by its number of ratings.
NAMES = {100_000: "100K", 1_000_209: "1M", 10_000_054: "10M"}
_BLOCK = 1000  # users whose items are ranked at once


# --- ratings ----------------------------------------------------------------------------------


def load(source):
    """Arrays ``user`` and ``item``, counted from 0, and ``rating``."""
    if str(source).endswith(".npz"):
        with np.load(source) as arrays:
            user, item, rating = (arrays[name] for name in ("user", "item", "rating"))
    else:
        pairs, rating = fetch_movielens(source, as_frame=False, return_X_y=True)
        user, item = pairs.T
    (_, user), (_, item) = (np.unique(ids, return_inverse=True) for ids in (user, item))
    return {"user": user, "item": item, "rating": rating.astype(np.float32)}


def shape(data):
    """Numbers of items and of users."""
    return int(data["item"].max()) + 1, int(data["user"].max()) + 1


# --- splits -----------------------------------------------------------------------------------


def folds(data):
    """Rows of training and of test data in each canonical fold."""
    rows = np.arange(len(data["rating"]))
    for test in np.split(rows, N_FOLDS):
        yield np.setdiff1d(rows, test, assume_unique=True), test


def random_split(rows, seed, share=INNER_SHARE):
    """The rows in random order, cut into those to train on and those held out."""
    order = np.random.default_rng(seed).permutation(rows)
    n_held_out = round(share * len(order))
    return order[n_held_out:], order[:n_held_out]


def inner_split(train, fold, share=INNER_SHARE):
    """The training rows of a fold, cut into those to train on and those to choose by."""
    return random_split(train, fold, share)


# --- errors -----------------------------------------------------------------------------------


def errors(rating, predicted):
    """Root of the mean squared error, mean absolute error."""
    difference = np.asarray(predicted, float) - rating
    return np.sqrt(np.mean(difference**2)), np.mean(np.abs(difference))


def best_unseen(score, users, seen, k=N_BEST):
    """The k best items (n_users, k) of each user, none of which the user has seen.

    Parameters
    ----------
    score : callable
        Scores (n, n_items) of n users.
    users : ndarray of shape (n_users,)
    seen : csr_array of shape (all users, n_items)
    k : int
    """
    best = []
    for first in range(0, len(users), _BLOCK):
        block = users[first : first + _BLOCK]
        scores = np.array(score(block), float)
        scores[seen[block].toarray() > 0] = -np.inf
        best.append(np.argsort(-scores, axis=1, kind="stable")[:, :k])
    return np.concatenate(best)


def relevant_pairs(data, test):
    """Users and items of the test rows that are rated 4 or more."""
    liked = test[data["rating"][test] >= RELEVANT_FROM]
    return data["user"][liked], data["item"][liked]


def ranking_measures(users, ranked, relevant):
    """NDCG@k and recall@k, means over the users.

    NDCG has gain 1 for a relevant item and discount 1 / log2(place + 1), and is a share of the
    largest sum that is possible. Recall is the share of the user's relevant items that are ranked.

    Parameters
    ----------
    users : ndarray of shape (n_users,)
        Each has a relevant item.
    ranked : ndarray of shape (n_users, k)
        Items, the best first; -1 where there is none.
    relevant : tuple of ndarray
        Users and items of relevant pairs, each pair once.
    """
    n_items = max(relevant[1].max(), ranked.max()) + 1
    keys = users[:, np.newaxis] * n_items + ranked
    hits = np.isin(keys, relevant[0] * n_items + relevant[1]) & (ranked >= 0)
    n_relevant = np.bincount(relevant[0], minlength=users.max() + 1)[users]
    discounts = 1 / np.log2(np.arange(2, ranked.shape[1] + 2))
    ideal = np.cumsum(discounts)[np.minimum(n_relevant, ranked.shape[1]) - 1]
    return np.mean(hits @ discounts / ideal), np.mean(hits.sum(axis=1) / n_relevant)


def evaluate(model, data, train, test):
    """Figures by name: what the model can of RMSE, MAE, NDCG and recall; and seconds.

    A model has ``fit(user, item, rating)``, and ``predict(user, item)`` or ``top(users, k)``, the
    k best unseen items of each user, or both.
    """
    user, item, rating = data["user"], data["item"], data["rating"]
    clock = [time.perf_counter()]

    def lap():
        clock.append(time.perf_counter())
        return clock[-1] - clock[-2]

    model.fit(user[train], item[train], rating[train])
    found = {"fit": lap()}
    if hasattr(model, "predict"):
        predicted = model.predict(user[test], item[test])
        found["predict"] = lap()
        found["RMSE"], found["MAE"] = errors(rating[test], predicted)
    if hasattr(model, "top"):
        relevant = relevant_pairs(data, test)
        users = np.unique(relevant[0])
        lap()
        ranked = model.top(users, N_BEST)
        found["rank"] = lap()
        found["NDCG"], found["recall"] = ranking_measures(users, ranked, relevant)
    return found
