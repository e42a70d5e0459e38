"""How good are machines that replicas learn, and which options matter: one machine beside them.

    python tests/benchmarks/study_replicas.py [--mnist FILE] [--movielens NAME] [--seeds N]
        [--only SECTION,...] [--match WORD] [--quick]

All learn for the same number of epochs. Replicas run in one process, one after the other
(``replicas.py``), and give the bits of ``skrbm.dask.fit``. Sections:

mnist     256 hidden units and CD, once with plain settings and once with the defaults, of MNIST's
          images as bits (of scikit-learn's digits without ``--mnist``, which are too few): mean
          exact log pseudo-likelihood of held-out rows.
chains    The same with PCD and the defaults: as many chains as rows of a batch, and more.
ratings   RMSE of held-out ratings by SoftmaxRBM's defaults, 60 hidden units, users as rows;
          made-up ratings unless ``--movielens`` names some (see ``movielens.py``).
momentum  Outer momentum, and a larger rate in its place, with 16 partitions and 64: all tables.

A variant changes one thing of the rule: rows at random, the batch of one machine divided by the
number of partitions, 1,000 updates of the first partition alone, then a mean every 100 updates.
``--match`` takes variants whose name contains a word.
"""

import argparse

import numpy as np
from likelihoods import matching
from movielens import load, random_split, shape
from plain import PLAIN_BERNOULLI
from replicas import cut, fit_replicas
from scipy import sparse
from sklearn.model_selection import train_test_split
from study_data import digits, grey, load_mnist
from timing import parsed, table

from skrbm import BernoulliRBM, SoftmaxRBM
from skrbm.datasets import make_ratings

RULE = {"sync_every": 100, "warm_up": 1000}
#: What a variant changes. ``batch``: the one of one machine is divided by so many; None: by the
#: number of partitions. ``order``: of rows. ``rate``: times the learning rate.
VARIANTS = {
    "the rule": {},
    "sorted": {"order": "sorted"},
    "no warm-up": {"warm_up": 0},
    "sorted, no warm-up": {"order": "sorted", "warm_up": 0},
    "batch not divided": {"batch": 1},
    "sync_every=10": {"sync_every": 10},
    "sync_every=1000": {"sync_every": 1000},
}
MOMENTUM = {
    "the rule": {},
    "momentum 0.5": {"outer_momentum": 0.5},
    "momentum 0.8": {"outer_momentum": 0.8},
    "rate x 2": {"rate": 2},
    "momentum 0.5, no warm-up": {"outer_momentum": 0.5, "warm_up": 0},
    "sync_every=20": {"sync_every": 20},
    "sync_every=20, momentum 0.5": {"sync_every": 20, "outer_momentum": 0.5},
    "sync_every=20, momentum 0.8": {"sync_every": 20, "outer_momentum": 0.8},
    "sync_every=20, momentum 0.9": {"sync_every": 20, "outer_momentum": 0.9},
}
CHAINS = {
    "the rule": {},
    "50 chains": {"n_chains": 50},
    "160 chains": {"n_chains": 160},
    "160 chains, no warm-up": {"n_chains": 160, "warm_up": 0},
}


class Images:
    """Bits, and the mean exact log pseudo-likelihood of those held out."""

    def __init__(self, options, settings, batch_size, n_iter):
        if options.mnist is None:
            X, y = digits()
            parts = train_test_split(X, y, test_size=0.2, random_state=0)
            self.X, self.X_test, self.y, _ = ((a > 0.5) * 1.0 if a.ndim > 1 else a for a in parts)
        else:
            (X, y), (X_test, _) = load_mnist(options.mnist, options.quick)
            self.X, self.X_test, self.y = grey(X), grey(X_test), y
        self.X, self.X_test = ((a > 0.5).astype(np.float32) for a in (self.X, self.X_test))
        self.sorted = np.argsort(self.y, kind="stable")
        self.batch_size, settings = batch_size, settings | {"n_iter": n_iter} | options.limits
        self.rbm = BernoulliRBM(**{"n_components": 256} | settings)

    def score(self, rbm):
        return rbm.score(self.X_test)


class Ratings:
    """Ratings of users in rows, and the RMSE of those held out."""

    def __init__(self, options, batch_size, n_iter):
        if options.movielens is None:
            size = (2000, 300, 60_000) if options.quick else (12_000, 600, 600_000)
            made = make_ratings(*size, skew="netflix", random_state=0)
            (users, items), values = made.data.T, made.target
        else:
            data = load(options.movielens)
            users, items, values = (data[name] for name in ("user", "item", "rating"))
            size = shape(data)[::-1]
        train, test = random_split(np.arange(len(values)), seed=0)
        part = values[train].astype(np.float32), (users[train], items[train])
        self.X = sparse.csr_array(part, shape=size[:2])
        self.queries, self.truth = (users[test], items[test]), values[test]
        self.sorted = np.argsort(np.diff(self.X.indptr), kind="stable")
        self.batch_size = batch_size
        self.rbm = SoftmaxRBM(**{"n_components": 60, "n_iter": n_iter} | options.limits)

    def score(self, rbm):
        error = rbm.predict_ratings(self.X, *self.queries) - self.truth
        return float(np.sqrt(np.mean(error.astype(float) ** 2)))


def learned(task, n_parts, changes, seed):
    """The score of a machine, fitted by replicas if there are several parts."""
    changes = {"batch": n_parts, "rate": 1, "order": None, "n_chains": None} | RULE | changes
    rbm, batch = task.rbm, task.batch_size / changes.pop("batch")
    rate = changes.pop("rate") * rbm.learning_rate
    rbm = type(rbm)(**rbm.get_params())
    rbm.set_params(batch_size=max(1, round(batch)), learning_rate=rate, random_state=seed)
    rbm.set_params(n_chains=changes.pop("n_chains"))
    order = np.random.default_rng(seed).permutation(task.X.shape[0])
    order = order if changes.pop("order") is None else task.sorted
    return task.score(fit_replicas(rbm, cut(task.X, n_parts, order), **changes))


def compare(title, task, variants, numbers, options):
    """Print the scores of one machine, and of variants for some numbers of partitions."""
    seeds, rows = range(options.seeds), []
    alone = [learned(task, 1, {}, seed) for seed in seeds]
    rows.append(["one machine", "", *(f"{score:.3f}" for score in alone), f"{mean(alone):.3f}"])
    print(rows[-1], flush=True)
    for n_parts in numbers:
        for name, changes in variants.items():
            scores = [learned(task, n_parts, changes, seed) for seed in seeds]
            cells = *(f"{score:.3f}" for score in scores), f"{mean(scores):.3f}"
            rows.append([name, n_parts, *cells])
            print(rows[-1], flush=True)
    header = ["", "partitions", *(f"seed {seed}" for seed in seeds), "mean"]
    batch = f"Batch {task.batch_size} of one machine, {task.rbm.n_iter} epochs, "
    print(table(title, header, rows, batch + f"{task.X.shape[0]} rows."), flush=True)


def mean(scores):
    return float(np.mean(scores))


def images(options):
    """Tasks of images by title: CD."""
    cd, n_iter = {"algorithm": "cd"}, 5 if options.mnist else 50
    return {
        f"{images_name(options)}, plain": Images(options, PLAIN_BERNOULLI | cd, 100, n_iter),
        f"{images_name(options)}, defaults with CD": Images(options, cd, 160, n_iter),
    }


def images_of_chains(options):
    """The task of images by title: PCD."""
    n_iter = 5 if options.mnist else 50
    return {f"{images_name(options)}, defaults (PCD)": Images(options, {}, 160, n_iter)}


def images_name(options):
    return f"{'digits' if options.mnist is None else 'MNIST'}, log pseudo-likelihood of a row"


def ratings(options):
    """The task of ratings by title."""
    name = "Made-up ratings" if options.movielens is None else "MovieLens"
    return {f"{name}, RMSE of held-out ratings, defaults": Ratings(options, 64, 10)}


def main():
    """Run the sections asked for."""
    sections = {
        "mnist": (images, VARIANTS, (4, 16)),
        "chains": (images_of_chains, CHAINS, (4, 16)),
        "ratings": (ratings, VARIANTS, (4, 16)),
        "momentum": (lambda options: images(options) | ratings(options), MOMENTUM, (16, 64)),
    }
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--mnist", help="file with x_train, y_train and the test's")
    parser.add_argument("--movielens", help="100k, 1m, 10m, latest-small, or an npz")
    parser.add_argument("--seeds", type=int, default=3, help="fits of each variant")
    parser.add_argument("--only", default=",".join(sections), help="sections, comma-separated")
    parser.add_argument("--tables", help="only tables whose title contains this")
    parser.add_argument("--match", help="only variants whose name contains this")
    parser.add_argument("--partitions", type=int, help="only so many partitions")
    parser.add_argument("--quick", action="store_true", help="few units, epochs and rows")
    options = parsed(parser, list(sections))
    for name in options.names:
        tasks, variants, numbers = sections[name]
        variants = matching(variants, options.match)
        numbers = (options.partitions,) if options.partitions else numbers
        for title, task in tasks(options).items():
            if (options.tables or "") in title:
                compare(title, task, variants, numbers, options)


if __name__ == "__main__":
    main()
