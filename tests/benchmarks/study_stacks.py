"""Stacks of BernoulliRBM on digits with few labels, and networks that start from them.

    python tests/benchmarks/study_stacks.py [--only SECTION,...] [--rounds SEEDS] [--quick]

labels  scikit-learn's digits, a quarter held out. One RBM learns from all training rows, without
        labels; a second one learns from its features. Then a few of the rows get labels. Compared
        are LogisticRegression on pixels, on features of one layer, of two, and of both side by
        side; and MLPClassifier with logistic units and the same layers, from its own random
        weights, or from the weights of the machines and of the regression on their features.
        Figures are accuracies of the held-out rows, means over seeds.
"""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits
from timing import run_sections, table

from skrbm import BernoulliRBM

N_LABELS = (50, 100, 300, None)  # None: all rows have labels
RBM = {"n_components": 100, "n_iter": 100, "negative_visibles": "mean"}
REGRESSION = {"C": 10, "max_iter": 2000}
NETWORK = {"activation": "logistic", "max_iter": 1000, "tol": 1e-3}


def network(machines, X, y, seed, classifier=None):
    """A network of the layers of the machines; with ``classifier``, one that starts from all."""
    layers = [len(rbm.components_) for rbm in machines]
    mlp = MLPClassifier(layers, random_state=seed, **NETWORK)
    if classifier is None:
        return mlp.fit(X, y)
    mlp.partial_fit(X, y, classes=np.unique(y))  # makes the arrays
    for k, rbm in enumerate(machines):
        mlp.coefs_[k], mlp.intercepts_[k] = rbm.components_.T.copy(), rbm.intercept_hidden_.copy()
    mlp.coefs_[-1], mlp.intercepts_[-1] = classifier.coef_.T.copy(), classifier.intercept_.copy()
    return mlp.set_params(warm_start=True).fit(X, y)


def accuracies(parts, first, second, labelled, seed):
    """Accuracy of each competitor on the held-out rows."""
    X, test, y, y_test = parts
    X, y = X[labelled], y[labelled]

    def two_layers(X):
        return second.transform(first.transform(X))

    features = {
        "pixels": lambda X: X,
        "one layer": first.transform,
        "two layers": two_layers,
        "both layers": lambda X: np.hstack([first.transform(X), two_layers(X)]),
    }
    out, fitted = {}, {}
    for name, of in features.items():
        fitted[name] = LogisticRegression(**REGRESSION).fit(of(X), y)
        out[f"regression on {name}"] = fitted[name].score(of(test), y_test)
    for name, machines in (("one layer", [first]), ("two layers", [first, second])):
        for start, classifier in (("random", None), ("machines", fitted[name])):
            mlp = network(machines, X, y, seed, classifier)
            out[f"network of {name}, {start}"] = mlp.score(test, y_test)
    return out


def labels(options):
    """A line per competitor, a column per number of labels."""
    X, y = load_digits(return_X_y=True)
    threadpool_limits(1, user_api="blas")  # the matrices are small
    settings = RBM | ({"n_components": 20, "n_iter": 2} if options.quick else {})
    runs = {}
    for seed in range(options.rounds):
        parts = train_test_split(X / 16, y, random_state=seed, stratify=y)
        first = BernoulliRBM(random_state=seed, **settings).fit(parts[0])
        second = BernoulliRBM(random_state=seed, **settings).fit(first.transform(parts[0]))
        rows = np.arange(len(parts[0]))
        for n in N_LABELS:
            labelled = rows
            if n is not None:
                labelled, _ = train_test_split(
                    rows, train_size=n, stratify=parts[2], random_state=seed
                )
            for name, accuracy in accuracies(parts, first, second, labelled, seed).items():
                runs.setdefault(name, {}).setdefault(n, []).append(accuracy)
    cells = [[name, *(f"{np.mean(a):.3f}" for a in by_n.values())] for name, by_n in runs.items()]
    header = ["labels", *(str(n or len(rows)) for n in N_LABELS)]
    note = f"Means over {options.rounds} seeds; {len(rows)} rows without labels, {RBM}."
    print(table("Accuracy of held-out digits", header, cells, note))


if __name__ == "__main__":
    run_sections({"labels": labels}, __doc__.splitlines()[0])
