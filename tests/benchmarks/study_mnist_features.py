"""Test error on MNIST of LogisticRegression on the features of skrbm.BernoulliRBM.

    python tests/benchmarks/study_mnist_features.py --mnist FILE [--only SECTION,...]
        [--match WORD] [--quick]

1,024 hidden units learn from grey images without labels; the classifier sees their probabilities,
not scaled. Sections:

choose  Settings and the classifier's C compared on the last 10,000 training rows; both parts are
        fitted to the others. ``--match`` takes only settings whose name contains the word.
test    The best of these (with ``--only test``: ``CHOSEN``), fitted to all 60,000 training rows.
        Test rows are scored once.

The literature's 1.83 % is from the documentation of yell/boltzmann-machines: CD-1, rate 0.05,
batch 10, 120 epochs, 1,024 hidden units, then logistic regression. Raw pixels are beside both.
"""

import argparse
import time

import numpy as np
from likelihoods import duration, matching, train
from sklearn.linear_model import LogisticRegression
from study_data import grey, load_mnist
from timing import figure, parsed, table, verdict

LITERATURE = 1.83  # % of the test rows
BASE = {
    "n_components": 1024,
    "learning_rate": 0.2,
    "learning_rate_schedule": "linear",
    "batch_size": 20,
    "n_iter": 40,
    "centering": True,
    "average": 0.2,
    "positive_visibles": "sample",
}
BASE_NAME = "PCD-1, centred, averaged, bits drawn anew, batch 20, rate 0.2 to 0, 40 epochs"
VARIANTS = {
    BASE_NAME: {},
    "batch 100, rate 0.3 to 0, 20 epochs": {"batch_size": 100, "learning_rate": 0.3, "n_iter": 20},
    "CD-1": {"algorithm": "cd"},
    "CD-1, grey values as they are": {"algorithm": "cd", "positive_visibles": "mean"},
}
#: Inverse strengths of the classifier's penalty that are tried.
STRENGTHS = [0.03, 0.1, 0.3, 1.0]
#: What section test takes if section choose does not run: the name of a variant, and C.
CHOSEN = (BASE_NAME, 0.3)
MOST_STEPS = 2000  # of the classifier's solver


def classify(H, y, strength):
    """A fitted classifier, and the seconds that it took."""
    begin = time.perf_counter()
    classifier = LogisticRegression(C=strength, max_iter=MOST_STEPS).fit(H, y)
    return classifier, time.perf_counter() - begin


def error(classifier, H, y):
    """Per cent of the rows that the classifier takes for another digit."""
    return 100 * (1 - classifier.score(H, y))


def compare_strengths(H, y, H_valid, y_valid):
    """Validation error and seconds of the classifier for each C."""
    found = {}
    for strength in STRENGTHS:
        classifier, seconds = classify(H, y, strength)
        found[strength] = error(classifier, H_valid, y_valid), seconds
    return found


def choose(data, options):
    """Print validation errors of all settings; the best name and C."""
    (X, y), _ = data
    n_train = len(X) * 5 // 6
    (X, X_valid), (y, y_valid) = np.split(X, [n_train]), np.split(y, [n_train])
    rows, errors = [], {}
    raw = {"raw pixels": None}
    for name, changes in (raw | matching(VARIANTS, options.match)).items():
        H, H_valid, seconds = X, X_valid, None
        if changes is not None:
            rbm = train(X, BASE | changes | options.limits, 0)
            H, H_valid, seconds = rbm.transform(X), rbm.transform(X_valid), duration(rbm)
        found = compare_strengths(H, y, H_valid, y_valid)
        if changes is not None:
            errors |= {(name, strength): value for strength, (value, _) in found.items()}
        _, slowest = max(found.values(), key=lambda pair: pair[1])
        cells = [f"{value:.2f}" for value, _ in found.values()]
        rows.append([name, *cells, figure(seconds, ".0f"), f"{slowest:.0f}"])
        print(f"{name}: {', '.join(cells)}", flush=True)
    best = min(errors, key=errors.get)
    header = ["", *(f"C = {strength:g}" for strength in STRENGTHS), "features, s", "classifier, s"]
    note = (
        f"{len(X)} rows to fit, {len(X_valid)} to choose by. Seconds: training of the machine; of "
        f"the classifier with the slowest C.\nBest: {best[0]}, C = {best[1]:g}."
    )
    title = f"MNIST, {BASE['n_components']} hidden units: validation error, %"
    print(table(title, header, rows, note), flush=True)
    return best


def test(data, best, options):
    """Print the test error of the chosen settings beside the literature's."""
    (X, y), (X_test, y_test) = data
    name, strength = best
    rbm = train(X, BASE | VARIANTS[name] | options.limits, 0)
    rows = []
    features = {f"ours: {name}": (rbm.transform(X), rbm.transform(X_test), duration(rbm))}
    features["raw pixels"] = X, X_test, None
    for label, (H, H_test, seconds) in features.items():
        classifier, classifying = classify(H, y, strength)
        value = error(classifier, H_test, y_test)
        met = verdict(value, at_most=LITERATURE)
        rows.append([label, f"{value:.2f}", met, figure(seconds, ".0f"), f"{classifying:.0f}"])
    rows.append(["yell/boltzmann-machines, CD-1, 120 epochs", f"{LITERATURE}", "-", "-", "-"])
    header = ["", "test error, %", f"at most {LITERATURE}", "features, s", "classifier, s"]
    note = f"C = {strength:g}. {len(X)} training rows, {len(X_test)} test rows. Seconds: training."
    title = f"MNIST, {rbm.n_components} hidden units, then LogisticRegression"
    print(table(title, header, rows, note))


def main():
    """Run the sections asked for."""
    sections = ("choose", "test")
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--mnist", required=True, help="file with x_train, y_train and the test's")
    parser.add_argument("--only", default=",".join(sections), help="sections, comma-separated")
    parser.add_argument("--match", help="only settings whose name contains this")
    parser.add_argument("--quick", action="store_true", help="few units, epochs and rows")
    options = parsed(parser, sections, n_units=16)
    data = [(grey(images), y) for images, y in load_mnist(options.mnist, options.quick)]
    best = choose(data, options) if "choose" in options.names else CHOSEN
    if "test" in options.names:
        test(data, best, options)


if __name__ == "__main__":
    main()
