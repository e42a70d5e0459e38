"""Which training serves a classifier of digits: the table of docs/guide/classifier.rst.

    python tests/benchmarks/study_classifier.py [--only choose,test] [--quick]

Grey digits of scikit-learn, 256 hidden units, then logistic regression on the hidden units, and on
pixels and hidden units together. A quarter of the rows is for testing. Sections:

choose  Settings (``SETTINGS``) compared on four inner folds of the other rows; the machine of fold
        i has ``random_state=i``. Accuracy for each C, in per cent, means over the folds.
test    ``CHOSEN`` and the pixels, fitted to all rows that are not for testing, with the C that the
        inner folds prefer; accuracy on the rows for testing, over four machines.
"""

import argparse

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, train_test_split
from threadpoolctl import threadpool_limits
from timing import parsed, table

from skrbm import BernoulliRBM

N_FOLDS = 4
STRENGTHS = (1, 10, 100)
_MEANS = {"positive_visibles": "mean", "negative_visibles": "mean"}
_PLAIN = {"centering": False, "learning_rate": 0.1}
SETTINGS = {
    "defaults, 20 epochs": {},
    "100 epochs": {"n_iter": 100},
    "100 epochs, negative means": {"n_iter": 100, "negative_visibles": "mean"},
    "100 epochs, both means": {"n_iter": 100} | _MEANS,
    "100 epochs, not centred, rate 0.1": {"n_iter": 100} | _PLAIN,
    "the same, negative means": {"n_iter": 100, "negative_visibles": "mean"} | _PLAIN,
    "the same, both means": {"n_iter": 100} | _PLAIN | _MEANS,
}
#: A setting, and C of the hidden units, of both together, and of the pixels.
CHOSEN = ("100 epochs, negative means", 10, 10, 1)


def digits():
    """Grey digits to learn from and to test by, and what they are."""
    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    return train_test_split(X, y, test_size=0.25, stratify=y, random_state=0)


def accuracies(train, y, held_out, y_held_out, strengths=STRENGTHS):
    """Per cent of held-out rows that are known, for each C."""
    classifiers = [LogisticRegression(C=c, max_iter=10000).fit(train, y) for c in strengths]
    return [100 * classifier.score(held_out, y_held_out) for classifier in classifiers]


def views(settings, seed, X, held_out):
    """What the classifier sees: the hidden units, and pixels and hidden units together."""
    rbm = BernoulliRBM(random_state=seed, **settings).fit(X)
    H, H_held_out = rbm.transform(X), rbm.transform(held_out)
    return (H, H_held_out), (np.hstack([X, H]), np.hstack([held_out, H_held_out]))


def choose(options):
    """Print accuracies on the inner folds."""
    X, _, y, _ = digits()
    folds = list(StratifiedKFold(N_FOLDS, shuffle=True, random_state=0).split(X, y))
    raw = [accuracies(X[a], y[a], X[b], y[b]) for a, b in folds]
    rows = [["pixels", *(f"{value:.2f}" for value in np.mean(raw, axis=0)), "-", "-", "-"]]
    for name, settings in SETTINGS.items():
        found = []
        for seed, (a, b) in enumerate(folds):
            seen = views(settings | options.limits, seed, X[a], X[b])
            found.append(np.concatenate([accuracies(H, y[a], H_b, y[b]) for H, H_b in seen]))
        rows.append([name, *(f"{value:.2f}" for value in np.mean(found, axis=0))])
        print(rows[-1], flush=True)
    header = ["", *(f"C = {c}" for c in STRENGTHS), *(f"with pixels, C = {c}" for c in STRENGTHS)]
    print(table("Digits, inner folds: accuracy, %", header, rows), flush=True)


def test(options):
    """Print accuracies on the rows for testing."""
    X, X_test, y, y_test = digits()
    name, *strengths = CHOSEN
    (raw,) = accuracies(X, y, X_test, y_test, [strengths[-1]])
    found = []
    for seed in range(N_FOLDS):
        seen = views(SETTINGS[name] | options.limits, seed, X, X_test)
        pairs = zip(seen, strengths[:2], strict=True)
        found.append([accuracies(H, y, H_test, y_test, [c])[0] for (H, H_test), c in pairs])
    means, least = np.mean(found, axis=0), np.min(found, axis=0)
    rows = [["pixels", f"{raw:.2f}", "-", strengths[-1]]]
    for i, what in enumerate(("hidden units", "pixels and hidden units")):
        rows.append([what, f"{means[i]:.2f}", f"{least[i]:.2f}", strengths[i]])
    print(table(f"Digits, test: accuracy, % ({name})", ["", "mean", "least", "C"], rows))


def main():
    """Print the tables."""
    sections = {"choose": choose, "test": test}
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default=",".join(sections), help="sections, comma-separated")
    parser.add_argument("--quick", action="store_true", help="few units and epochs")
    options = parsed(parser, sections)
    with threadpool_limits(1, user_api="blas"):  # the matrices are small
        for name in options.names:
            sections[name](options)


if __name__ == "__main__":
    main()
