"""The table that decides default values: skrbm's, those before, candidates, scikit-learn's.

    python tests/benchmarks/study_defaults.py [--mnist FILE] [--dna FILE] [--mushrooms FILE]
        [--images FILE] [--protein FILE] [--movielens NAME] [--only MODEL,...] [--match WORD]
        [--seeds N] [--candidates] [--quick]

A table for each data set, of estimators with nothing set but ``random_state``:

* scikit-learn's BernoulliRBM, for binary units;
* ours with the defaults of ``BEFORE``, written out;
* ours with its present defaults;
* with ``--candidates``, ours with each of ``CANDIDATES``.

"score" is the exact pseudo-likelihood of held-out rows, by skrbm for all, in nats; of ratings it
is the RMSE of held-out ratings, below 0, so that more is better everywhere. "C = 1" and "C by CV"
are accuracies, in held-out rows, of LogisticRegression on features that are not scaled, as raw
data are in the last row. All are means over seeds of the machine; the split is the same. Fits take
turns, and seconds are medians. Data sets whose file is not given are left out; ``--match`` takes
only data sets whose name contains the word. The last table of a model holds the gains over
scikit-learn's estimator or, where it has none, over the defaults before.

digits        scikit-learn's, grey and at a threshold; standardised for real-valued units. Split
              by ``train_test_split(test_size=0.25, random_state=0)``.
MNIST         the first 10,000 training rows, and the last 5,000 as held-out rows; 256 units.
DNA, mushrooms  training and validation rows of the splits of ``study_uci.py``.
patches       whitened, as in the example ``plot_natural_image_patches.py``: of scikit-learn's
              photographs, and of those in the file ``--images``.
protein       a fifth of the family of ``study_protein.py`` held out.
MovieLens     100k or an npz of it; films as rows, inner splits of folds 1 and 3 of
              ``study_movielens.py``.
"""

import argparse
import time

import numpy as np
from defaults_data import tasks
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import BernoulliRBM as SklearnRBM
from timing import PAUSE, figure, median, parsed, table, turn_order

from skrbm import BernoulliRBM, GaussianBernoulliRBM, SoftmaxRBM

SKLEARN, OLD, PRESENT, RAW = "scikit-learn", "ours, before", "ours, present", "raw data"
MODELS = {"bernoulli": BernoulliRBM, "gaussian": GaussianBernoulliRBM, "softmax": SoftmaxRBM}

_OFF = {
    "learning_rate_schedule": "constant",
    "n_gibbs_steps": 1,
    "n_chains": None,
    "centering": False,
    "average": False,
    "l1_penalty": 0.0,
    "negative_visibles": "sample",
    "early_stopping": False,
}
#: The defaults before centring, averages and falling rates.
BEFORE = {
    "bernoulli": _OFF
    | {
        "n_components": 256,
        "learning_rate": 0.1,
        "batch_size": 10,
        "n_iter": 10,
        "algorithm": "pcd",
        "momentum": 0.0,
        "weight_decay": 0.0,
        "positive_visibles": "mean",
    },
    "gaussian": _OFF
    | {
        "n_components": 256,
        "noise_variance": 1.0,
        "learning_rate": 0.01,
        "batch_size": 100,
        "n_iter": 10,
        "algorithm": "cd",
        "momentum": 0.0,
        "weight_decay": 0.0,
    },
    "softmax": _OFF
    | {
        "n_components": 100,
        "learning_rate": 0.02,
        "batch_size": 50,
        "n_iter": 40,
        "algorithm": "cd",
        "momentum": 0.9,
        "weight_decay": 0.002,
    },
}
#: What --candidates changes of the present defaults, one thing at a time.
_CHANGES = {
    "not centred": {"centering": False},
    "not averaged": {"average": False},
    "constant rate": {"learning_rate_schedule": "constant"},
    "linear": {"learning_rate_schedule": "linear"},
}
CANDIDATES = {
    "bernoulli": _CHANGES
    | {
        "rate 0.3": {"learning_rate": 0.3},
        "rate 1": {"learning_rate": 1.0},
        "grey values as they are": {"positive_visibles": "mean"},
        "batch 20": {"batch_size": 20},
        "CD": {"algorithm": "cd"},
    },
    "gaussian": _CHANGES
    | {
        "rate 0.01": {"learning_rate": 0.01},
        "rate 0.1": {"learning_rate": 0.1},
        "PCD": {"algorithm": "pcd"},
    },
    "softmax": _CHANGES
    | {"rate 0.02": {"learning_rate": 0.02}, "rate 0.04": {"learning_rate": 0.04}},
}
#: C that cross-validation chooses from, and steps of the classifier's solver.
STRENGTHS, MOST_STEPS = [0.1, 1.0, 10.0, 100.0], 5000
#: Seconds over those of the first, up to which an estimator counts as no slower: clocks are noisy.
MOST_TIME = 1.05
#: Rows above which C is chosen for the first seed only.
MOST_ROWS = 5000

# --- one data set -----------------------------------------------------------------------------


def estimators(model, options):
    """Classes and parameters by name."""
    found = {SKLEARN: (SklearnRBM, {})} if model == "bernoulli" else {}
    found |= {OLD: (MODELS[model], BEFORE[model]), PRESENT: (MODELS[model], {})}
    if options.candidates:
        changes = CANDIDATES[model]
        found |= {f"+ {name}": (MODELS[model], changes[name]) for name in changes}
    return {name: (kind, given | options.limits) for name, (kind, given) in found.items()}


def accuracies(H, H_test, task, choose):
    """Of LogisticRegression with C = 1 and, if asked to choose, with C by cross-validation."""
    classifiers = [LogisticRegression(max_iter=MOST_STEPS)]
    if choose:
        classifiers.append(GridSearchCV(classifiers[0], {"C": STRENGTHS}, cv=3, n_jobs=2))
    found = [c.fit(H, task.y).score(H_test, task.y_test) for c in classifiers]
    return found if choose else [*found, np.nan]


def run(task, contenders, seeds):
    """Score, accuracies and seconds of each fit, (seeds, 4) by name; NaN for what there is not."""
    for kind, parameters in contenders.values():  # warm kernels
        task.fit(kind, parameters | {"n_iter": 1}, 0)
    found = {name: [] for name in contenders}
    for seed in range(seeds):
        for name in turn_order(contenders, seed):
            time.sleep(PAUSE)
            begin = time.perf_counter()
            rbm = task.fit(*contenders[name], seed)
            seconds = time.perf_counter() - begin
            shares = [np.nan, np.nan]
            if task.y is not None:
                H, H_test = rbm.transform(task.X), rbm.transform(task.X_test)
                shares = accuracies(H, H_test, task, seed == 0 or len(H) <= MOST_ROWS)
            found[name].append([task.score(rbm), *shares, seconds])
    return {name: np.array(runs) for name, runs in found.items()}


def summary(runs):
    """Means of score and accuracies, and the median of the seconds; None for what is missing."""
    columns = [column[~np.isnan(column)].tolist() for column in runs.T]
    return [*(np.mean(c) if c else None for c in columns[:3]), median(columns[3])]


def print_task(name, task, results, seeds):
    """A table of all estimators on one data set."""
    rows = []
    for estimator, runs in results.items():
        score, one, chosen, seconds = summary(runs)
        form = ".4f" if abs(score) < 2 else ".2f"
        deviation = runs[:, 0].std(ddof=1) if seeds > 1 else None
        cells = [figure(score, form), figure(deviation, form), figure(one, ".4f")]
        rows.append([estimator, *cells, figure(chosen, ".4f"), figure(seconds, ".2f")])
    if task.y is not None:
        raw = [f"{share:.4f}" for share in accuracies(task.X, task.X_test, task, True)]
        rows.append([RAW, "-", "-", *raw, "-"])
    header = ["", "score", "sd", "C = 1", "C by CV", "fit, s"]
    note = f"{seeds} seeds."
    if hasattr(task, "X"):
        n_features = task.X.shape[1]
        note = f"{len(task.X)} rows x {n_features}, {len(task.X_test)} held out, {seeds} seeds."
    if task.y is not None and len(task.X) > MOST_ROWS:
        note += " C by CV: of the first seed."
    print(table(name, header, rows, note), flush=True)


def print_gains(found):
    """Every estimator of ours against the first: what it gains on each data set."""
    rows, failures = [], {}
    for name, results in found.items():
        (first, of_first), *others = ((key, summary(runs)) for key, runs in results.items())
        for estimator, ours in others:
            gains = [
                None if a is None or b is None else a - b
                for a, b in zip(ours[:3], of_first[:3], strict=True)
            ]
            time_ratio = ours[3] / of_first[3]
            worse = any(gain is not None and gain < 0 for gain in gains) or time_ratio > MOST_TIME
            failures.setdefault(estimator, []).append(worse)
            form = "+.4f" if abs(ours[0]) < 2 else "+.2f"
            cells = [figure(gains[0], form), *(figure(gain, "+.4f") for gain in gains[1:])]
            rows.append(
                [f"{name}: {estimator}", *cells, f"{time_ratio:.2f}", "NO" if worse else "yes"]
            )
    header = ["", "score", "C = 1", "C by CV", "time, ratio", "nothing worse"]
    counts = [f"{key}: {len(f) - sum(f)} of {len(f)}" for key, f in failures.items()]
    note = "\n".join(["Nothing worse, data sets:", *counts])
    print(table(f"Gains over {first}", header, rows, note), flush=True)


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name in ("mnist", "dna", "mushrooms", "images", "protein", "movielens"):
        parser.add_argument(f"--{name}", help="a file of data")
    parser.add_argument("--only", default=",".join(MODELS), help="models, comma-separated")
    parser.add_argument("--match", default="", help="only data sets whose name contains this")
    parser.add_argument("--seeds", type=int, help="fits of each estimator (default 5)")
    parser.add_argument("--candidates", action="store_true", help="candidates as well")
    parser.add_argument("--quick", action="store_true", help="few units, epochs, rows and seeds")
    options = parsed(parser, MODELS)
    options.seeds = options.seeds or (2 if options.quick else 5)
    data_sets = tasks(options)
    for model in options.names:
        found, contenders = {}, estimators(model, options)
        for name, make in data_sets[model].items():
            if options.match in name:
                task = make()
                found[name] = run(task, contenders, options.seeds)
                print_task(name, task, found[name], options.seeds)
        if found:
            print_gains(found)


if __name__ == "__main__":
    main()
