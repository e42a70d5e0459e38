"""Small recommenders, and pairs of users and items for them to learn."""

from functools import cached_property

import numpy as np
import pytest

from skrbm import BernoulliRBM, RBMRecommender, SoftmaxRBM

from ..oracles.bernoulli import EnumeratedRBM
from ..oracles.recommending import product, shrunk_frequencies

USERS = np.array([1, 2, 3, 5, 8, 13, 21, 34])  # counted from one, with gaps
ITEMS = np.array([10, 11, 12, 14, 17, 20, 30])
UNKNOWN_USER, UNKNOWN_ITEM = 99, 98

each_by = pytest.mark.parametrize("by", ["both", "items", "users"])


def machines(n_iter=2):
    """Tiny ones, as parameters of a recommender."""
    small = {"n_components": 3, "n_iter": n_iter, "batch_size": 5}
    return {
        "rating_rbm": SoftmaxRBM(conditional=True, **small),
        "user_rbm": SoftmaxRBM(learning_rate=0.05, **small),
        "interest_rbm": BernoulliRBM(learning_rate=0.1, **small),
    }


def recommender(by="both", **parameters):
    return RBMRecommender(by, **{**machines(), "random_state": 0, **parameters})


def pairs(seed=0, share=0.55):
    """An array of pairs, of which each user and item has some, and ratings from 1 to 5."""
    rng = np.random.default_rng(seed)
    seen = rng.random((len(USERS), len(ITEMS))) < share
    seen[np.arange(len(USERS)), np.arange(len(USERS)) % len(ITEMS)] = True
    users, items = np.nonzero(seen)
    order = rng.permutation(len(users))
    X = np.column_stack([USERS[users], ITEMS[items]])[order]
    return X, rng.integers(1, 6, len(X)).astype(float)


def all_pairs(unknown=True):
    """Every user with every item, an unknown one of both kinds among them."""
    users = [*USERS.tolist(), *([UNKNOWN_USER] if unknown else [])]
    items = [*ITEMS.tolist(), *([UNKNOWN_ITEM] if unknown else [])]
    return [(user, item) for user in users for item in items]


def strong(estimator, seed=5):
    """A fitted recommender whose machines have large weights: each entry depends on all others."""
    rng = np.random.default_rng(seed)
    for machine in (estimator.item_rbm_, estimator.user_rbm_, estimator.interest_rbm_):
        for name in vars(machine) if machine is not None else ():
            if name.endswith("components_") or name.startswith("intercept_"):
                array = getattr(machine, name)
                if array is not None:
                    setattr(machine, name, rng.normal(0, 1, array.shape).astype(array.dtype))
    return estimator


# --- what the machines say when they are asked directly -----------------------------------------


class Direct:
    """Machines of a fitted recommender, asked one entry at a time about dense rows.

    Parameters
    ----------
    estimator : RBMRecommender
    ratings : dict
        From pairs to all ratings that predictions are given.
    users, items : sequence
        Ids that the machines have learned, in the order of their features.
    """

    def __init__(self, estimator, ratings, users=USERS, items=ITEMS):
        self.estimator, self.ratings = estimator, ratings
        self.liked_from = np.median(list(ratings.values()))
        self.users, self.items = np.asarray(users).tolist(), np.asarray(items).tolist()

    def distribution(self, user, item):
        """Of the rating of a pair."""
        item_rbm, user_rbm = self.estimator.item_rbm_, self.estimator.user_rbm_
        of_item = {u: r for (u, i), r in self.ratings.items() if i == item}
        of_user = {i: r for (u, i), r in self.ratings.items() if u == user}
        answers = []
        if item_rbm is not None:
            answers.append(self._answer(item_rbm, of_item, self.users, user))
        if user_rbm is not None:
            answers.append(self._answer(user_rbm, of_user, self.items, item))
        if len(answers) == 1:
            return answers[0][0]
        (p, by_machine), (q, by_other) = answers
        if by_machine != by_other:
            return p if by_machine else q
        return product(p, q, self.estimator.item_weight_)

    def interest(self, user, item):
        """Probability that the user sees the item, by enumeration; None for a new item."""
        if item not in self.items:
            return None
        row = np.array([float((user, i) in self.ratings) for i in self.items])
        on, off = row.copy(), row.copy()
        on[self.items.index(item)], off[self.items.index(item)] = 1, 0
        return 1 / (1 + np.exp(self._bits.free_energy(on) - self._bits.free_energy(off)))

    def score(self, user, item, rank_by):
        """By which the item is ranked for the user; None where it is not."""
        if rank_by == "interest":
            return self.interest(user, item)
        p, scale = self.distribution(user, item), self.estimator.rating_scale_
        if rank_by == "rating":
            return p @ scale
        interest = self.interest(user, item)
        liked = [q for q, rating in zip(p, scale, strict=True) if rating >= self.liked_from]
        return None if interest is None else interest * sum(liked)

    @cached_property
    def _bits(self):
        rbm = self.estimator.interest_rbm_
        return EnumeratedRBM(rbm.components_.T, rbm.intercept_visible_, rbm.intercept_hidden_)

    def _answer(self, rbm, own, columns, column):
        """A distribution, and whether a machine gives it."""
        scale = self.estimator.rating_scale_.tolist()
        if column not in columns:
            everything = list(self.ratings.values())
            return shrunk_frequencies(list(own.values()), everything, scale, 10), False
        row = np.array([[own.get(key, np.nan) for key in columns]], np.float32)
        return rbm.conditional_proba(row, [0], [columns.index(column)])[0].astype(float), True
