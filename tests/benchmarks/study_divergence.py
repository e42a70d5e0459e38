"""Fits that learn and fits that do not: what tells them apart?

    python tests/benchmarks/study_divergence.py [--quick]

Each model is fitted to scikit-learn's digits with good and with bad settings. *Distance* is the
misfit of reconstructions over that of the base rates, *variance* is what the weights can make
over the same, and *score* is the exact pseudo-likelihood of 100 rows per feature, in nats. The
package warns above the lines that ``skrbm/_training/divergence.py`` names.
"""

import argparse
import warnings

import numpy as np
from plain import PLAIN, PLAIN_BERNOULLI
from sklearn.datasets import load_digits
from sklearn.preprocessing import StandardScaler
from timing import describe_machine, parse, table

from skrbm import BernoulliRBM, GaussianBernoulliRBM, SoftmaxRBM
from skrbm._training.divergence import check_reconstructions

#: What the settings change.
SETTINGS = {
    "real values": PLAIN | {"learning_rate": 0.01, "batch_size": 100, "n_iter": 10},
    "grey pixels": PLAIN_BERNOULLI,
    "categories": PLAIN
    | {
        "learning_rate": 0.02,
        "batch_size": 50,
        "n_iter": 40,
        "momentum": 0.9,
        "weight_decay": 0.002,
    },
}
GOOD_AND_BAD = {
    "real values": [
        {},
        {"learning_rate": 0.1},
        {"learning_rate": 0.3},
        {"learning_rate": 0.1, "algorithm": "pcd"},
        {"learning_rate": 0.1, "batch_size": 10},
        {"learning_rate": 0.05, "momentum": 0.9},
        {"noise_variance": 0.02},
        {"noise_variance": "learned", "learning_rate": 0.1},
        {"learning_rate": 1.0},
        {"learning_rate": 2.0},
        {"learning_rate": 0.1, "batch_size": 10, "momentum": 0.9, "n_iter": 2},
        {"learning_rate": 0.1, "batch_size": 10, "momentum": 0.9},
    ],
    "grey pixels": [
        {},
        {"algorithm": "cd", "learning_rate": 1.0},
        {"learning_rate": 1.0},
        {"momentum": 0.99},
        {"learning_rate": 10.0},
        {"learning_rate": 100.0},
    ],
    "categories": [
        {},
        {"learning_rate": 0.2},
        {"learning_rate": 2.0},
        {"learning_rate": 20.0},
        {"learning_rate": 200.0},
    ],
}


def case(name, settings, n_rows):
    """An estimator and the rows for it."""
    pixels, settings = load_digits().data[:n_rows], SETTINGS[name] | settings
    if name == "real values":
        return GaussianBernoulliRBM(random_state=0, **settings), StandardScaler().fit_transform(
            pixels
        )
    if name == "grey pixels":
        return BernoulliRBM(64, random_state=0, **settings), pixels / 16
    return SoftmaxRBM(20, random_state=0, **settings), np.floor(pixels / 4)


def row(name, settings, n_rows):
    """A row of the table."""
    shown = ", ".join(f"{key}={value}" for key, value in settings.items()) or "plain"
    estimator, X = case(name, settings, n_rows)
    try:
        estimator.fit(X)
    except ValueError:
        return [shown, name, "an error", "", ""]
    rows = estimator._rows(X)
    state = estimator._state(rows)
    check_reconstructions(state, 0, lambda: rows.spread(250))
    distance = state.misfit / state.base_rate_misfit
    variance = state.model.visible.variance_of(state.model.weights) / state.base_rate_misfit
    score = estimator.score(X[:100]) / X.shape[1]
    return [shown, name, f"{distance:.2f}", f"{variance:.2f}", f"{score:.2f}"]


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few rows: shows that it works")
    n_rows = 200 if parse(parser).quick else None
    warnings.simplefilter("ignore")
    print(describe_machine())
    lines = [row(name, s, n_rows) for name, settings in GOOD_AND_BAD.items() for s in settings]
    header = ["settings", "data", "distance", "variance", "score"]
    print(table("Fits that learn and fits that do not", header, lines))


if __name__ == "__main__":
    main()
