"""MovieLens-100K for the studies: the canonical folds, a baseline of biases, Surprise.

    python tests/benchmarks/movielens.py DATA.npz [--fold K] [--surprise]

prints what they reach. The data may not be redistributed: DATA.npz holds the arrays ``user``,
``item`` (counted from 0), ``rating`` and ``timestamp`` in the order of the file ``u.data``, whose
rows 20000 (k - 1) to 20000 k are the test rows of fold k, ``u{k}.test``.
"""

import argparse
import time

import numpy as np
from timing import figure, parse, table

N_FOLDS = 5
VALUES = (1, 5)


def load(path):
    """The arrays by name."""
    with np.load(path) as arrays:
        return {name: arrays[name] for name in ("user", "item", "rating", "timestamp")}


def folds(data):
    """Rows of training and of test data in each canonical fold."""
    rows = np.arange(len(data["rating"]))
    for test in np.split(rows, N_FOLDS):
        yield np.setdiff1d(rows, test, assume_unique=True), test


def errors(rating, predicted):
    """Root of the mean squared error, mean absolute error."""
    difference = np.asarray(predicted, float) - rating
    return np.sqrt(np.mean(difference**2)), np.mean(np.abs(difference))


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
        rest = rating - self.mean
        self.of_user = np.zeros(user.max() + 1)
        for _ in range(self.n_iter):
            self.of_item = _bias(item, rest - self.of_user[user], self.item_shrinkage)
            self.of_user = _bias(user, rest - self.of_item[item], self.user_shrinkage)
        return self

    def predict(self, user, item):
        """Expected ratings."""
        biases = _look_up(self.of_user, user) + _look_up(self.of_item, item)
        return np.clip(self.mean + biases, *VALUES)


class SurpriseModel:
    """An algorithm of Surprise behind the same methods."""

    def __init__(self, algorithm):
        self.algorithm = algorithm

    def fit(self, user, item, rating):
        """Learn from the ratings."""
        from surprise import Dataset, Reader

        columns = user.tolist(), item.tolist(), rating.tolist(), [None] * len(rating)
        ratings = list(zip(*columns, strict=True))
        data = Dataset(Reader(rating_scale=VALUES)).construct_trainset(ratings)
        self.algorithm.fit(data)
        return self

    def predict(self, user, item):
        """Expected ratings."""
        pairs = zip(user.tolist(), item.tolist(), strict=True)
        return np.array([self.algorithm.predict(u, i).est for u, i in pairs])


def surprise_models(seed=0):
    """New models by name, with Surprise's defaults; None where it is not installed."""
    try:
        from surprise import SVD, SVDpp
    except ImportError as error:
        print(f"Surprise's models are left out: {error} (pip install scikit-surprise)")
        return None
    algorithms = {"SVD": SVD, "SVD++": SVDpp}
    return {
        name: SurpriseModel(algorithm(random_state=seed)) for name, algorithm in algorithms.items()
    }


def evaluate(model, data, train, test):
    """RMSE, MAE, seconds of fit and of predict."""
    user, item, rating = data["user"], data["item"], data["rating"]
    begin = time.perf_counter()
    model.fit(user[train], item[train], rating[train])
    fitted = time.perf_counter()
    predicted = model.predict(user[test], item[test])
    end = time.perf_counter()
    return *errors(rating[test], predicted), fitted - begin, end - fitted


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", help="the npz file")
    parser.add_argument("--fold", type=int, choices=range(1, N_FOLDS + 1), help="only this one")
    parser.add_argument("--surprise", action="store_true", help="SVD and SVD++ as well")
    options = parse(parser)
    data, results = load(options.data), {}
    for k, (train, test) in enumerate(folds(data), 1):
        if options.fold in (None, k):
            models = {"user + item bias": BiasBaseline()}
            if options.surprise:
                models |= surprise_models() or {}
            for name, model in models.items():
                results.setdefault(name, []).append(evaluate(model, data, train, test))
    rows = [
        [name, *(figure(value, ".4f") for value in np.mean(runs, axis=0))]
        for name, runs in results.items()
    ]
    which = f"fold {options.fold}" if options.fold else "mean of the folds"
    header = ["", "RMSE", "MAE", "fit, s", "predict, s"]
    print(table(f"MovieLens-100K, {which}", header, rows))


if __name__ == "__main__":
    main()
