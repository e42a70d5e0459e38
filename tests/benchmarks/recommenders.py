"""Recommenders behind one interface: skrbm's, baselines, myFM, Surprise and implicit.

A model has ``fit(user, item, rating)`` and, of these two, what it can: ``predict(user, item)``,
expected ratings; and ``top(users, k)``, the k best items of each user that the user has not seen.
Users and items are numbers from 0. A model is made for a ``shape``, the numbers of items and of
users.
"""

import warnings
from contextlib import redirect_stderr
from copy import deepcopy
from functools import partial
from importlib.util import find_spec
from io import StringIO

import numpy as np
from movielens import best_unseen
from scipy import sparse
from threadpoolctl import threadpool_limits

from skrbm import RBMRecommender, SoftmaxRBM


def table_of(user, item, values, shape):
    """A sparse table with users as rows."""
    return sparse.csr_array((values, (user, item)), shape=shape[::-1])


class Ranker:
    """Base of models that give each item a score: they define ``score(users)``."""

    def __init__(self, shape):
        self.shape = shape

    def fit(self, user, item, rating):
        """Remember what users have seen, then learn."""
        self.seen = table_of(user, item, np.ones(len(user)), self.shape)
        self.learn(user, item, rating)
        return self

    def top(self, users, k):
        """The k best unseen items of each user."""
        return best_unseen(self.score, users, self.seen, k)


# --- baselines --------------------------------------------------------------------------------


def _bias(ids, rest, shrinkage):
    """Shrunken mean of the rest for each id."""
    return np.bincount(ids, rest) / (shrinkage + np.bincount(ids))


def _look_up(biases, ids):
    """Biases, zero for what was not trained on."""
    known = ids < len(biases)
    return np.where(known, biases[np.where(known, ids, 0)], 0)


class BiasBaseline:
    """Mean plus a bias of the user and of the item, by alternating least squares.

    The defaults are those of Surprise's BaselineOnly.
    """

    def __init__(self, user_shrinkage=15, item_shrinkage=10, n_iter=10):
        self.user_shrinkage, self.item_shrinkage = user_shrinkage, item_shrinkage
        self.n_iter = n_iter

    def fit(self, user, item, rating):
        """Learn the mean and the biases."""
        self.mean = np.mean(rating, dtype=float)
        self.range = rating.min(), rating.max()
        rest = rating - self.mean
        self.of_user = np.zeros(user.max() + 1)
        for _ in range(self.n_iter):
            self.of_item = _bias(item, rest - self.of_user[user], self.item_shrinkage)
            self.of_user = _bias(user, rest - self.of_item[item], self.user_shrinkage)
        return self

    def predict(self, user, item):
        """Expected ratings."""
        biases = _look_up(self.of_user, user) + _look_up(self.of_item, item)
        return np.clip(self.mean + biases, *self.range)


class Popularity(Ranker):
    """Items with the most ratings, for everybody."""

    def learn(self, user, item, rating):
        """Count."""
        self.counts = np.bincount(item, minlength=self.shape[0])

    def score(self, users):
        """Numbers of ratings."""
        return np.tile(self.counts, (len(users), 1))


# --- skrbm ------------------------------------------------------------------------------------


class ItemRBM:
    """SoftmaxRBMs over items as rows, one per seed.

    What is predicted is the mean of their predictions. An item without training ratings is an
    empty row, a user without any is a column that nothing was learned of: both get a prior.
    """

    def __init__(self, n_items, n_users, seeds=(0,), **settings):
        self.shape = n_items, n_users
        self.machines = [SoftmaxRBM(random_state=seed, **settings) for seed in seeds]

    def fit(self, user, item, rating):
        """Learn from the ratings, which predictions are then given as well."""
        ratings = np.asarray(rating, np.float32), (item, user)
        self.X = sparse.coo_array(ratings, shape=self.shape).tocsr()
        for machine in self.machines:
            machine.set_params(categories=np.unique(rating).tolist()).fit(self.X)
        return self

    def predict(self, user, item):
        """Expected ratings."""
        each = [rbm.predict_ratings(self.X, item, user) for rbm in self.machines]
        return np.mean(each, axis=0)


class Recommender:
    """RBMRecommenders, one per seed: the mean of the predictions, the ranking of the first."""

    def __init__(self, seeds=(0,), **settings):
        self.machines = [
            RBMRecommender(random_state=seed).set_params(**deepcopy(settings)) for seed in seeds
        ]

    def fit(self, user, item, rating):
        """Learn from pairs and ratings."""
        for machine in self.machines:
            machine.fit(np.column_stack([user, item]), rating)
        return self

    def predict(self, user, item):
        """Expected ratings."""
        pairs = np.column_stack([user, item])
        return np.mean([machine.predict(pairs) for machine in self.machines], axis=0)

    def top(self, users, k):
        """The k best unseen items of each user."""
        items, scores = self.machines[0].recommend(users, k)
        return np.where(np.isneginf(scores), -1, items).astype(np.int64)


def warm_up(n=40):
    """Compile what the machines need, so that no split pays for it."""
    rng = np.random.default_rng(0)
    user, item = np.divmod(rng.choice(n * n, size=n * n // 4, replace=False), n)
    rating = 1 + rng.integers(5, size=len(user))
    for options in ({}, {"conditional": True}, {"ordinal": True}):
        machine = ItemRBM(n, n, n_iter=1, **options)
        machine.fit(user, item, rating).predict(user, item)
    recommender = Recommender().fit(user, item, rating)
    recommender.predict(user, item)
    recommender.top(np.unique(user), 1)


# --- other packages ---------------------------------------------------------------------------


class SurpriseModel:
    """An algorithm of Surprise."""

    def __init__(self, algorithm):
        self.algorithm = algorithm

    def fit(self, user, item, rating):
        """Learn from the ratings."""
        from surprise import Dataset, Reader

        columns = user.tolist(), item.tolist(), rating.tolist(), [None] * len(rating)
        ratings = list(zip(*columns, strict=True))
        reader = Reader(rating_scale=(rating.min(), rating.max()))
        self.algorithm.fit(Dataset(reader).construct_trainset(ratings))
        return self

    def predict(self, user, item):
        """Expected ratings."""
        pairs = zip(user.tolist(), item.tolist(), strict=True)
        return np.array([self.algorithm.predict(u, i).est for u, i in pairs])


class MyFM:
    """Bayesian factorisation machine of myFM: ids alone, users and items as groups."""

    def __init__(self, shape, rank=8, n_iter=300, seed=0):
        self.shape, self.rank, self.n_iter, self.seed = shape, rank, n_iter, seed

    def fit(self, user, item, rating):
        """Learn from the ratings."""
        from myfm import MyFMRegressor

        n_items, n_users = self.shape
        self.range = rating.min(), rating.max()
        self.model = MyFMRegressor(rank=self.rank, random_seed=self.seed)
        with redirect_stderr(StringIO()):  # a bar of progress
            self.model.fit(
                self._rows(user, item),
                rating.astype(float),
                n_iter=self.n_iter,
                n_kept_samples=self.n_iter - 10,
                grouping=[0] * n_users + [1] * n_items,
            )
        return self

    def predict(self, user, item):
        """Expected ratings."""
        return np.clip(self.model.predict(self._rows(user, item)), *self.range)

    def _rows(self, user, item):
        """One-hot rows of users and items."""
        n_items, n_users = self.shape
        columns = np.column_stack([user, n_users + item]).ravel()
        indptr = np.arange(0, len(columns) + 1, 2)
        ones = np.ones(len(columns))
        return sparse.csr_matrix((ones, columns, indptr), shape=(len(user), n_users + n_items))


class ImplicitModel(Ranker):
    """A model of implicit on which items users have rated, or rated ``liked_from`` or more.

    Parameters
    ----------
    shape : tuple
    makes : list of callables
        Each makes a model of implicit; their scores are added.
    liked_from : float or None, default=None
    """

    def __init__(self, shape, makes, liked_from=None):
        super().__init__(shape)
        self.makes, self.liked_from = makes, liked_from

    def learn(self, user, item, rating):
        """Fit the models."""
        kept = np.ones(len(user), bool) if self.liked_from is None else rating >= self.liked_from
        ones = np.ones(kept.sum(), np.float32)
        self.rows = sparse.csr_matrix(table_of(user[kept], item[kept], ones, self.shape))
        # implicit's own threads are the faster ones, and some of its classes warn of themselves.
        with threadpool_limits(1, "blas"), warnings.catch_warnings(action="ignore"):
            self.models = [make() for make in self.makes]
            for model in self.models:
                model.fit(self.rows, show_progress=False)

    def score(self, users):
        """Products of factors, or sums of similarities with the items seen."""
        if hasattr(self.models[0], "similarity"):
            return (self.rows[users] @ self.models[0].similarity).toarray()
        return sum(model.user_factors[users] @ model.item_factors.T for model in self.models)


def als(shape, liked_from=None, seeds=(0,), **settings):
    """Alternating least squares of implicit, one model per seed."""
    from implicit.als import AlternatingLeastSquares

    makes = [partial(AlternatingLeastSquares, random_state=seed, **settings) for seed in seeds]
    return ImplicitModel(shape, makes, liked_from)


def item_knn(shape, kind, **settings):
    """Nearest neighbours of implicit: ``kind`` is "Cosine", "TFIDF" or "BM25"."""
    from implicit import nearest_neighbours

    make = partial(getattr(nearest_neighbours, f"{kind}Recommender"), **settings)
    return ImplicitModel(shape, [make])


def surprise(algorithm, seed=0):
    """SVD or SVDpp of Surprise with its defaults."""
    import surprise as package

    return SurpriseModel(getattr(package, algorithm)(random_state=seed))


def installed(packages):
    """Which packages are here, of a dict of names on PyPI by names to import; others are told."""
    found = {module for module in packages if find_spec(module)}
    for module in packages.keys() - found:
        print(f"{module} is left out: it is not installed (pip install {packages[module]})")
    return found
