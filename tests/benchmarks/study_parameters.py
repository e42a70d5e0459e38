"""How good models are by each parameter of training: the curves of docs/guide/parameters.rst.

    python tests/benchmarks/study_parameters.py [--data mnist.npz] [--only CASES] [--match WORD]
        [--write FOLDER] [--quick]

Cases, each with parameters of its own (``CASES``), from which one thing at a time departs:

digits    scikit-learn's digits at a threshold, 64 hidden units, 50 epochs.
small     The same with 16 hidden units, of which the log-likelihood is exact.
mnist     6,000 images of MNIST at a threshold, 256 hidden units, 20 epochs; needs ``--data``.
gaussian  Standardised digits, without constant columns: many columns are nearly always 0.
white     The first 30 principal components of the digits, whitened.
softmax   Digits cut to four levels; a fifth of the entries is missing.
history   Not curves, but what ``history_`` holds of fits that go well, and of fits that do not.
test      The defaults beside what the curves recommend (``RECOMMENDED``), on rows for testing.

A quarter of the digits is for testing, and only the case "test" reads it. The other 1,347 rows
are split into four inner folds; fit number i learns from three of them with ``random_state=i``,
and is judged by the fourth. Of MNIST 4,000 of the first training rows are to learn from, and the
next 2,000 to judge by, in one fit. Figures are means over the fits: exact log pseudo-likelihood
of held-out rows and of training rows, exact log-likelihood of held-out rows up to 20 hidden
units, accuracy of LogisticRegression(C=10) on the features, and seconds of the fit. ``--write``
puts the figures of the cases that ran into FOLDER, in the place of older ones.
"""

import argparse
import csv
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import study_data
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits
from timing import parsed, table

from skrbm import BernoulliRBM, GaussianBernoulliRBM, SoftmaxRBM

N_FOLDS = 4
#: Hidden units up to which log-likelihoods are exact here.
MOST_EXACT = 20
#: Rows of training at most that are scored beside the held-out ones.
MOST_SCORED = 1000
FIGURES = ("score", "score_sd", "train_score", "log_likelihood", "accuracy", "seconds")
RATES = (0.03, 0.1, 0.2, 0.4, 0.7, 1.0, 2.0, 4.0)
#: Departures from the defaults that the curves of each model recommend, for the case "test".
RECOMMENDED = {
    "digits": {
        "defaults": {},
        "as chosen": {"n_components": 128, "n_iter": 150, "weight_decay": 0.001},
    },
    "white": {
        "defaults": {},
        "as chosen": {"n_components": 128, "n_iter": 100, "learning_rate": 0.2}
        | {"noise_variance": "learned"},
    },
}

# --- data --------------------------------------------------------------------------------------


def digits():
    """Grey digits to learn from and to test by, and what they are."""
    X, y = load_digits(return_X_y=True)
    return train_test_split(X.astype(np.float32), y, test_size=0.25, random_state=0)


def bits(X):
    """Black and white."""
    return (X > 8).astype(np.float32)


def standardised(X, reference):
    """Columns of the reference that are not constant, with its means and deviations."""
    varying = reference.std(axis=0) > 0
    return StandardScaler().fit(reference[:, varying]).transform(X[:, varying])


def whitened(X, reference):
    """The first principal components, by the axes and deviations of the reference."""
    return PCA(30, whiten=True, random_state=0).fit(reference).transform(X)


def levels(X, seed=0):
    """Four levels of grey, of which a fifth is missing."""
    levels = np.digitize(X, [3.5, 7.5, 11.5]).astype(np.float32)
    levels[np.random.default_rng(seed).random(X.shape) < 0.2] = np.nan
    return levels


def folds(prepare):
    """Inner splits of the digits: rows and labels to learn from, and to judge by."""
    X, _, y, _ = digits()
    for train, held_out in StratifiedKFold(N_FOLDS, shuffle=True, random_state=0).split(X, y):
        yield prepare(X[train], X[train]), y[train], prepare(X[held_out], X[train]), y[held_out]


def mnist(path):
    """One split of the first images."""
    (images, y), _ = study_data.load_mnist(path)
    X = (images[:6000] > 127).astype(np.float32)
    yield X[:4000], y[:4000], X[4000:], y[4000:6000]


# --- parameters --------------------------------------------------------------------------------


def one(name, values, lines=None):
    """Settings of one parameter at several values, for each line of a diagram.

    ``lines`` holds what else departs from the base, by the name of the line.
    """
    return [
        (line, value, changes | {name: value})
        for line, changes in (lines or {"": {}}).items()
        for value in values
    ]


def units(values=(4, 8, 16, 32, 64, 128, 256), epochs=(20, 50, 150)):
    """More hidden units, with few epochs and many."""
    return one("n_components", values, {f"{n} epochs": {"n_iter": n} for n in epochs})


def epochs(values=(3, 6, 12, 25, 50, 100, 200)):
    """More epochs, with and without weight decay."""
    lines = {"no decay": {}, "weight_decay=0.001": {"weight_decay": 0.001}}
    return one("n_iter", values, lines)


def rate(values=RATES):
    """Rates that fall, and rates that do not."""
    schedules = ("inverse_sqrt", "linear", "constant")
    lines = {name: {"learning_rate_schedule": name} for name in schedules}
    return one("learning_rate", values, lines)


def batch(values=(10, 20, 50, 100, 200, 500), rates=(0.2, 0.7, 2.0)):
    """Larger batches at several rates."""
    lines = {f"learning_rate={r:g}": {"learning_rate": r} for r in rates}
    return one("batch_size", values, lines)


def chains(values=(1, 5, 20, 50, 200, 500)):
    """More persistent chains."""
    return one("n_chains", values)


def steps(values=(1, 2, 5, 10, 25)):
    """More Gibbs steps."""
    return one("n_gibbs_steps", values, {name: {"algorithm": name} for name in ("cd", "pcd")})


def decay(values=(0.0, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2), epochs=(50, 150)):
    """Both penalties, with few epochs and many."""
    return [
        (f"{name}, {n} epochs", value, {name: value, "n_iter": n})
        for name in ("weight_decay", "l1_penalty")
        for n in epochs
        for value in values
    ]


def centring(values=RATES):
    """Centred gradients and plain ones."""
    lines = {"centred": {}, "not centred": {"centering": False}}
    return one("learning_rate", values, lines)


def average(values=(0.0, 0.03, 0.1, 0.3, 1.0)):
    """Shares of the updates that the average is over."""
    lines = {f"learning_rate={r:g}": {"learning_rate": r} for r in (0.2, 0.7, 2.0)}
    lines["learning_rate=0.7, constant"] = {"learning_rate_schedule": "constant"}
    shares = one("average", values, lines)
    return [
        (line, value, changes | {"average": value or False}) for line, value, changes in shares
    ]


def noise_and_rate():
    """Rates for each noise of real-valued units."""
    lines = {f"noise_variance={n!r}": {"noise_variance": n} for n in (1.0, 0.5, "learned")}
    return one("learning_rate", (0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3), lines)


def noise_and_units():
    """Hidden units for each noise of real-valued units."""
    lines = {f"noise_variance={n!r}": {"noise_variance": n} for n in (1.0, 0.5, "learned")}
    return one("n_components", (8, 16, 32, 64, 128, 256), lines)


def momentum_and_rate():
    """Rates for each momentum."""
    lines = {f"momentum={m}": {"momentum": m} for m in (0.0, 0.9)}
    return one("learning_rate", (0.003, 0.01, 0.03, 0.1, 0.2, 0.5), lines)


BINARY = {
    "n_components": units,
    "n_iter": epochs,
    "learning_rate": rate,
    "batch_size": batch,
    "n_chains": chains,
    "n_gibbs_steps": steps,
    "weight_decay": decay,
    "centering": centring,
    "average": average,
}
MNIST = {
    "n_components": lambda: units((32, 64, 128, 256, 512), (20,)),
    "n_iter": lambda: epochs((5, 10, 20, 40, 80)),
    "learning_rate": lambda: rate((0.1, 0.2, 0.5, 1.0, 2.0)),
    "batch_size": lambda: batch((10, 20, 50, 100, 200), (0.2, 0.7)),
    "n_chains": lambda: chains((5, 20, 50, 200, 500)),
    "n_gibbs_steps": lambda: steps((1, 5, 10)),
    "weight_decay": lambda: decay((0.0, 3e-4, 1e-3, 3e-3, 1e-2), (20,)),
    "centering": lambda: centring((0.03, 0.1, 0.2, 0.5, 1.0)),
}
GAUSSIAN = {"learning_rate": noise_and_rate, "n_components": noise_and_units}
SOFTMAX = {
    "learning_rate": momentum_and_rate,
    "n_components": lambda: one("n_components", (8, 16, 32, 64, 128, 256)),
    "weight_decay": lambda: one("weight_decay", (0.0, 3e-4, 1e-3, 2e-3, 5e-3, 1e-2, 3e-2)),
    "n_gibbs_steps": lambda: one("n_gibbs_steps", (1, 2, 5, 10)),
}
#: Estimator, base, curves.
CASES = {
    "digits": (BernoulliRBM, {"n_components": 64, "n_iter": 50}, BINARY),
    "small": (
        BernoulliRBM,
        {"n_components": 16, "n_iter": 50},
        {name: curve for name, curve in BINARY.items() if name != "n_components"},
    ),
    "mnist": (BernoulliRBM, {"n_components": 256, "n_iter": 20}, MNIST),
    "gaussian": (GaussianBernoulliRBM, {"n_components": 64, "n_iter": 50}, GAUSSIAN),
    "white": (GaussianBernoulliRBM, {"n_components": 64, "n_iter": 50}, GAUSSIAN),
    "softmax": (SoftmaxRBM, {"n_components": 64, "n_iter": 40}, SOFTMAX),
}

# --- figures -----------------------------------------------------------------------------------


def judged(rbm, X, y, held_out, y_held_out):
    """Figures of one fit; NaN for all if training diverged."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            rbm.fit(X)
    except ValueError:
        return dict.fromkeys(FIGURES, np.nan)
    found = {"score": rbm.score(held_out), "train_score": rbm.score(X[:MOST_SCORED])}
    if rbm.n_components <= MOST_EXACT and not np.isnan(X).any():
        log_z = rbm.log_partition("exact")
        found["log_likelihood"] = rbm.log_likelihood(held_out, log_z).mean(dtype=float)
    if y is not None:
        classifier = LogisticRegression(C=10, max_iter=5000).fit(rbm.transform(X), y)
        found["accuracy"] = classifier.score(rbm.transform(held_out), y_held_out)
    return found | {"seconds": sum(rbm.history_["seconds"])}


def mean_figures(estimator, settings, splits):
    """Means over the splits; NaN for what cannot be measured."""
    fits = [
        judged(estimator(random_state=number, **settings), *split)
        for number, split in enumerate(splits)
    ]
    found = {name: np.mean([fit.get(name, np.nan) for fit in fits]) for name in FIGURES}
    scores = [fit["score"] for fit in fits]
    return found | {"score_sd": np.std(scores, ddof=1) if len(scores) > 1 else np.nan}


#: What makes rows of a case of grey digits, given those to learn from.
PREPARED = {
    "digits": lambda X, reference: bits(X),
    "small": lambda X, reference: bits(X),
    "gaussian": standardised,
    "white": whitened,
    "softmax": lambda X, reference: levels(X),
}


def splits_of(case, options):
    """Splits of the data of a case; none if there are no data."""
    if case == "mnist":
        return list(mnist(options.data)) if options.data else []
    return list(folds(PREPARED[case]))


def curves(case, options):
    """Print and keep the figures of all curves of a case."""
    estimator, base, parameters = CASES[case]
    splits = splits_of(case, options)
    for parameter, curve in parameters.items():
        if not splits or options.match not in parameter:
            continue
        rows = []
        for line, value, changes in curve():
            found = mean_figures(estimator, base | changes | options.limits, splits)
            rows.append([line, value, *(found[name] for name in FIGURES)])
        cells = [[*row[:2], *(f"{figure:.3f}" for figure in row[2:])] for row in rows]
        print(table(f"{case}: {parameter}", ["", "value", *FIGURES], cells), flush=True)
        header = ["data", "parameter", "line", "value", *FIGURES]
        write(options, "parameters.csv", header, [[case, parameter, *row] for row in rows], 2)


# --- histories ---------------------------------------------------------------------------------

#: Fits that go well, and fits that do not.
FITS = {
    "well": {"learning_rate_schedule": "linear", "n_iter": 80},
    "over-fitting": {"n_components": 256, "n_iter": 80, "learning_rate": 2.0},
    "rate too small": {"learning_rate": 0.01, "n_iter": 80},
    "rate too large": {"learning_rate": 20.0, "n_iter": 80, "average": False},
    "chains lag behind": {"n_chains": 2, "n_iter": 80, "learning_rate": 2.0, "average": False},
}
COLUMNS = ("reconstruction_error", "validation_score", "free_energy_gap")


def histories(options):
    """Print and keep what ``history_`` holds, with a quarter of the rows held out."""
    X, _, _, _ = digits()
    watched = {"early_stopping": True, "validation_fraction": 0.25, "n_iter_no_change": 10**6}
    rows, cells = [], []
    for name, changes in FITS.items():
        settings = {"n_components": 64} | watched | changes | options.limits
        rbm = BernoulliRBM(random_state=0, **settings)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            history = rbm.fit(bits(X)).history_
        lists = [history[column] for column in COLUMNS]
        rows += [[name, epoch, *row] for epoch, row in enumerate(zip(*lists, strict=True), 1)]
        best = int(np.argmax(history["validation_score"]))
        cells += [
            [name, f"{epoch + 1}", *(f"{values[epoch]:.3f}" for values in lists)]
            for epoch in sorted({0, best, len(lists[0]) - 1})
        ]
    print(table("history: first, best and last epoch", ["", "epoch", *COLUMNS], cells))
    rows = [[*row[:2], *map(np.float64, row[2:])] for row in rows]
    write(options, "histories.csv", ["fit", "epoch", *COLUMNS], rows, 1)


# --- on rows for testing -----------------------------------------------------------------------


def test(options):
    """Print what the defaults and the recommendations give on rows that chose nothing."""
    X, X_test, y, y_test = digits()
    rows = []
    for case, variants in RECOMMENDED.items():
        estimator, prepare = CASES[case][0], PREPARED[case]
        split = prepare(X, X), y, prepare(X_test, X), y_test
        for name, settings in variants.items():
            figures = mean_figures(estimator, settings | options.limits, [split] * N_FOLDS)
            rows.append([f"{case}: {name}", *(f"{figures[key]:.3f}" for key in FIGURES)])
    print(table("test: rows that chose nothing", ["", *FIGURES], rows))


def write(options, name, header, rows, n_keys):
    """Put rows into a file, in the place of older ones that start with the same keys."""
    if not options.write:
        return
    path, kept = options.write / name, []
    if path.exists():
        new = {tuple(map(str, row[:n_keys])) for row in rows}
        with path.open(newline="", encoding="utf-8") as file:
            kept = [row for row in list(csv.reader(file))[1:] if tuple(row[:n_keys]) not in new]
    cells = [[f"{v:.4f}" if isinstance(v, np.floating) else v for v in row] for row in rows]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *kept, *cells])


def main():
    """Print tables, and keep the figures."""
    sections = {case: partial(curves, case) for case in CASES}
    sections |= {"history": histories, "test": test}
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", help="mnist.npz")
    parser.add_argument("--only", default=",".join(sections), help="cases, comma-separated")
    parser.add_argument("--match", default="", help="only parameters with this in their name")
    parser.add_argument("--write", type=Path, help="folder of parameters.csv and histories.csv")
    parser.add_argument("--quick", action="store_true", help="few units and epochs")
    options = parsed(parser, sections)
    with threadpool_limits(1, user_api="blas"):  # the matrices are small
        for name in options.names:
            sections[name](options)


if __name__ == "__main__":
    main()
