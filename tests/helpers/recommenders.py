"""Small recommenders, and pairs of users and items for them to learn."""

import numpy as np
import pytest

from skrbm import BernoulliRBM, RBMRecommender, SoftmaxRBM

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
                new = rng.normal(0, 1, array.shape).astype(array.dtype)
                setattr(machine, name, new)
    return estimator
