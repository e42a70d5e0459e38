"""Rows unlike the training rows, found by score_samples and by others: areas under ROC curves.

    python tests/benchmarks/study_anomalies.py [--only SECTION,...] [--rounds SEEDS] [--quick]

A model learns from a random half of the normal rows. The other half of the normal rows, and all
anomalous rows, are scored. The figure is the area under the ROC curve: the probability that an
anomalous row has a lower score than a normal one. Nothing is tuned, and no anomaly is seen before.

cancer  scikit-learn's breast cancer data, standardised by the training rows: benign rows are
        normal, malignant rows anomalous. Mean over seeds.
digits  scikit-learn's digits, as grey values and as bits: one digit is left out of the normal rows
        and is the anomaly, ten times for each seed.
        The same machines score rows of two normal halves: the upper half of a held-out normal
        row, the lower half of another.

Competitors: the package with default parameters and with more epochs; IsolationForest and
LocalOutlierFactor of scikit-learn with default parameters; features one at a time, which know no
dependence: normal distributions, or probabilities of bits.
"""

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import LocalOutlierFactor
from sklearn.preprocessing import StandardScaler
from timing import run_sections, table

from skrbm import BernoulliRBM, GaussianBernoulliRBM

FORMS = {"grey": lambda X: X / 16, "bits": lambda X: (X > 7).astype(float)}


def others(seed):
    """The competitors that serve all data."""
    return {
        "IsolationForest": IsolationForest(random_state=seed),
        "LocalOutlierFactor": LocalOutlierFactor(novelty=True),
    }


def of_bits(seed):
    """The competitors on values between 0 and 1."""
    return {
        "BernoulliRBM, defaults": BernoulliRBM(random_state=seed),
        "BernoulliRBM, 100 epochs": BernoulliRBM(n_iter=100, random_state=seed),
        **others(seed),
        "one at a time": BernoulliRBM(1, n_iter=0, random_state=seed),
    }


def of_numbers(seed):
    """The competitors on real values."""
    return {
        "GaussianBernoulliRBM, defaults": GaussianBernoulliRBM(random_state=seed),
        "GaussianBernoulliRBM, 100 epochs": GaussianBernoulliRBM(n_iter=100, random_state=seed),
        **others(seed),
        "one at a time": GaussianMixture(1, covariance_type="diag"),
    }


def halves_of(n_rows, rng):
    """Numbers of rows, dealt out to two halves at random."""
    order = rng.permutation(n_rows)
    return order[: n_rows // 2], order[n_rows // 2 :]


def area(model, normal, anomalous):
    """How often an anomalous row has a lower score than a normal one."""
    anomaly = np.repeat([0, 1], [len(normal), len(anomalous)])
    return roc_auc_score(anomaly, -model.score_samples(np.vstack([normal, anomalous])))


def spread(areas):
    """Mean and standard deviation over seeds, as a cell."""
    deviation = f" ± {np.std(areas, ddof=1):.3f}" if len(areas) > 1 else ""
    return f"{np.mean(areas):.3f}{deviation}"


# --- sections ---------------------------------------------------------------------------------


def cancer(options):
    """Malignant among benign rows."""
    X, y = load_breast_cancer(return_X_y=True)
    benign, malignant = X[y == 1], X[y == 0]
    areas = {}
    for seed in range(options.rounds):
        train, test = halves_of(len(benign), np.random.default_rng(seed))
        scaler = StandardScaler().fit(benign[train])
        rows = [scaler.transform(part) for part in (benign[train], benign[test], malignant)]
        for name, model in of_numbers(seed).items():
            model.fit(rows[0])
            areas.setdefault(name, []).append(area(model, *rows[1:]))
    cells = [[name, spread(runs)] for name, runs in areas.items()]
    note = f"Mean ± standard deviation over {options.rounds} seeds. {len(train)} training rows."
    print(
        table("Malignant among benign rows: area under the ROC curve", ["", "area"], cells, note)
    )


def digit_runs(options):
    """Yield the form, the digit left out, the competitors by name and their rows."""
    X, y = load_digits(return_X_y=True)
    for seed in range(options.rounds):
        for digit in range(1 if options.quick else 10):
            rng = np.random.default_rng(10 * seed + digit)
            train, test = halves_of((y != digit).sum(), rng)
            normal, left_out = X[y != digit], X[y == digit]
            upper, lower = (normal[rng.permutation(test)] for _ in range(2))
            pixels = X.shape[1] // 2
            mixed = np.hstack([upper[:, :pixels], lower[:, pixels:]])
            for form, read in FORMS.items():
                for name, model in of_bits(seed).items():
                    model.fit(read(normal[train]))
                    yield digit, (form, name), model, map(read, (normal[test], left_out, mixed))


def digits(options):
    """A digit that no training row shows; rows of two halves."""
    by_digit, mixtures = {}, {}
    for digit, competitor, model, (normal, left_out, mixed) in digit_runs(options):
        areas = by_digit.setdefault(competitor, {})
        areas.setdefault(digit, []).append(area(model, normal, left_out))
        mixtures.setdefault(competitor, []).append(area(model, normal, mixed))
    n_digits = len(areas)
    cells = []
    for competitor, areas in by_digit.items():
        means = [np.mean(runs) for runs in areas.values()]
        cells.append([*competitor, f"{np.mean(means):.3f}", *(f"{mean:.2f}" for mean in means)])
    header = ["", "", "mean", *map(str, range(n_digits))]
    note = f"Means over {options.rounds} seeds; the columns are the digits left out."
    print(table("One digit left out: area under the ROC curve", header, cells, note))
    cells = [[*competitor, f"{np.mean(runs):.3f}"] for competitor, runs in mixtures.items()]
    note = "Means over the same runs. Both halves of an anomalous row are normal."
    title = "Upper half of one digit, lower half of another: area under the ROC curve"
    print(table(title, ["", "", "area"], cells, note))


if __name__ == "__main__":
    run_sections({"cancer": cancer, "digits": digits}, __doc__.splitlines()[0])
