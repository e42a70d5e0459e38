"""The data sets of ``study_defaults.py``: rows to learn from, held-out rows, how both are used."""

from dataclasses import dataclass

import numpy as np
from movielens import errors, folds, inner_split, load, shape
from recommenders import ItemRBM, warm_up
from sklearn.model_selection import train_test_split
from sklearn.neural_network import BernoulliRBM as SklearnRBM
from sklearn.preprocessing import StandardScaler
from study_data import digits, grey, load_mnist, load_nade, photographs, split, whitened_patches

from skrbm import BernoulliRBM


@dataclass
class Task:
    """Rows to learn from and held-out ones, with labels if there are any."""

    X: np.ndarray
    X_test: np.ndarray
    y: np.ndarray | None = None
    y_test: np.ndarray | None = None
    given: tuple = ()  # parameters that the data ask for

    def fit(self, estimator, parameters, seed):
        """A fitted estimator of a class."""
        return estimator(random_state=seed, **dict(self.given) | parameters).fit(self.X)

    def score(self, rbm):
        """Mean exact pseudo-likelihood of held-out rows."""
        if isinstance(rbm, SklearnRBM):
            rbm = BernoulliRBM.from_sklearn(rbm)
        return rbm.score(self.X_test)


class RatingsTask:
    """Inner splits of MovieLens, films as rows."""

    y = None

    def __init__(self, path, chosen=(1, 3)):
        warm_up()
        self.data = load(path)
        parts = enumerate(folds(self.data), 1)
        self.splits = [inner_split(train, k) for k, (train, _) in parts if k in chosen]

    def fit(self, _, parameters, seed):
        """A fitted machine for each split."""
        machines = []
        for rows, _ in self.splits:
            machine = ItemRBM(*shape(self.data), seeds=(seed,), **parameters)
            machines.append(machine.fit(*self._ratings(rows)))
        return machines

    def score(self, machines):
        """RMSE of held-out ratings, mean of the splits, below 0: the more the better."""
        found = []
        for machine, (_, rows) in zip(machines, self.splits, strict=True):
            user, item, rating = self._ratings(rows)
            found.append(errors(rating, machine.predict(user, item))[0])
        return -np.mean(found)

    def _ratings(self, rows):
        return [self.data[name][rows] for name in ("user", "item", "rating")]


def digits_task(change):
    """Digits, prepared by a function of training rows and rows."""
    X, y = digits()
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.25, random_state=0)
    return Task(change(X, X), change(X, X_test), y, y_test)


def standardised(X, rows):
    """Rows with the mean and the variance of X taken out."""
    return StandardScaler().fit(X).transform(rows)


def as_they_are(_, rows):
    """Rows unchanged."""
    return rows


def at_threshold(_, rows):
    """Bits of grey values."""
    return (rows > 0.5).astype(np.float32)


def mnist_task(options, change):
    """A part of MNIST's training rows."""
    (images, y), _ = load_mnist(options.mnist, options.quick)
    n_train, n_test = (1000, 200) if options.quick else (10000, 5000)
    X, X_test = grey(images[:n_train]), grey(images[-n_test:])
    return Task(change(X, X), change(X, X_test), y[:n_train], y[-n_test:])


def nade_task(path):
    """Training and validation rows of the literature's splits."""
    rows = load_nade(path)
    return Task(rows["train"], rows["valid"])


def patches_task(path, options):
    """Whitened patches of photographs."""
    sizes = (2000, 200) if options.quick else (80000, 600)
    X, X_test = whitened_patches(photographs(path), *sizes)
    return Task(X.astype(np.float32), X_test.astype(np.float32))


def protein_task(path):
    """A protein family."""
    with np.load(path) as arrays:
        X = np.unique(arrays["x"], axis=0).astype(np.float32)
    X, X_test = split(X, 0.2, np.random.default_rng(0))
    return Task(X, X_test, given=(("categories", np.arange(21)),))


def tasks(options):
    """Functions that make the data sets whose files are given, by model and by name."""
    found = {
        "bernoulli": {
            "digits, grey": lambda: digits_task(as_they_are),
            "digits, binary": lambda: digits_task(at_threshold),
        },
        "gaussian": {
            "digits, standardised": lambda: digits_task(standardised),
            "patches": lambda: patches_task(None, options),
        },
        "softmax": {},
    }
    if options.mnist:
        found["bernoulli"]["MNIST, grey"] = lambda: mnist_task(options, as_they_are)
        found["bernoulli"]["MNIST, binary"] = lambda: mnist_task(options, at_threshold)
    if options.dna:
        found["bernoulli"]["DNA"] = lambda: nade_task(options.dna)
    if options.mushrooms:
        found["bernoulli"]["mushrooms"] = lambda: nade_task(options.mushrooms)
    if options.images:
        found["gaussian"]["patches of the file"] = lambda: patches_task(options.images, options)
    if options.protein:
        found["softmax"]["protein"] = lambda: protein_task(options.protein)
    if options.movielens:
        found["softmax"]["MovieLens, -RMSE"] = lambda: RatingsTask(options.movielens)
    return found
