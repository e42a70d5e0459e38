"""Training options that did, and did not, come in: what each is worth.

    python tests/benchmarks/study_options.py [--data FILE.npz] [--mnist FILE] [--seeds N]
        [--only SECTIONS] [--quick]

Sections, each on digits (grey and at a threshold), on a data set of the NADE tables and on MNIST
(8,000 training and 2,000 held-out rows, 256 units), as far as files are given:

solver    Steps with momentum, and Adam (Kingma & Ba, 2015), each at several learning rates.
sparsity  A target for the mean of hidden units (Lee, Ekanadham & Ng, 2008; Hinton's guide,
          section 11), at several costs.
l1        The L1 penalty beside weight decay.
average   Averages of one mean age: with polynomial weights, over a tail, with exponential decay.
grey      Grey values as they are, and as bits drawn anew in each epoch.

Figures: exact pseudo-likelihood of held-out rows (nats a row; of MNIST's grey images one draw of
bits), and the accuracy of LogisticRegression(C=1) on the features. Adam and sparsity live here
and not in the package.
"""

import argparse
from functools import partial

import numpy as np
import study_data
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits
from timing import parsed, table

from skrbm import BernoulliRBM

RECIPE = {
    "learning_rate": 0.7,
    "learning_rate_schedule": "inverse_sqrt",
    "batch_size": 50,
    "n_iter": 20,
    "centering": True,
    "average": 0.3,
    "positive_visibles": "sample",
}

# --- options that are not in the package ------------------------------------------------------


class Adam:
    """Steps along means of gradients over roots of means of their squares."""

    velocity = ()

    def __init__(self, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
        self.betas, self.epsilon, self.moments, self.n_steps = (beta_1, beta_2), epsilon, None, 0

    def copy(self):
        """The fit asks for it, and does not look at it."""
        return self

    def remember(self, parameters):
        """Nothing to do before the first step."""

    def update(self, parameters, sums, n_rows, *, learning_rate, weight_decay, **options):
        """One step of all parameters, in place."""
        if self.moments is None:
            self.moments = [(np.zeros_like(p), np.zeros_like(p)) for p in parameters]
        self.n_steps += 1
        first, second = (1 - beta**self.n_steps for beta in self.betas)
        for parameter, total, (mean, square) in zip(parameters, sums, self.moments, strict=True):
            slope = total / n_rows - (weight_decay * parameter if parameter.ndim == 2 else 0)
            mean += (1 - self.betas[0]) * (slope - mean)
            square += (1 - self.betas[1]) * (np.square(slope) - square)
            parameter += learning_rate * mean / first / (np.sqrt(square / second) + self.epsilon)


class Sparse:
    """The package's optimiser, with a pull of hidden means towards a target."""

    def __init__(self, state, target, cost):
        self.state, self.optimizer, self.target, self.cost = state, state.optimizer, target, cost

    velocity = ()

    def copy(self):
        """The fit asks for it, and does not look at it."""
        return self

    def remember(self, parameters):
        """As the package's."""
        self.optimizer.remember(parameters)

    def update(self, parameters, sums, n_rows, **rates):
        """A step along the gradient and the pull on weights and hidden biases."""
        pull = n_rows * self.cost * (self.target - self.state.centring.hidden_mean)
        sums[0][:] += np.outer(self.state.centring.data_mean, pull)
        sums[1][:] += pull
        self.optimizer.update(parameters, sums, n_rows, **rates)


class Window:
    """An average of parameters by the weight of each update: over a tail, or decaying."""

    def __init__(self, model, weight):
        self.model, self.weight, self.n_updates = model.copy(), weight, 0

    @property
    def n_added(self):
        """All updates count: what the fitted estimator remembers."""
        return self.n_updates

    def copy(self):
        """The fit asks for it, and does not look at it."""
        return self

    def add(self, model, share):
        """Add the parameters after an update."""
        self.n_updates += 1
        weight = model.dtype.type(self.weight(self.n_updates))
        for average, parameter in zip(self.model.parameters, model.parameters, strict=True):
            average += weight * (parameter - average)


class Changed(BernoulliRBM):
    """An estimator that begins with a changed state."""

    def fit(self, X, change):
        """A fit whose initial state has been changed."""
        self._change = change
        return super().fit(X)

    def _initial_state(self, *arguments):
        state = super()._initial_state(*arguments)
        self._change(state)
        return state


def tail(share, n_planned, t):
    """The weight of update t in a mean over the last ``share`` of them."""
    return 1 / max(1, t - (1 - share) * n_planned)


def decaying(age, t):
    """The weight of update t in an average of this mean age."""
    return max(1 / t, 1 / (1 + age))


# --- data and figures -------------------------------------------------------------------------


def digits(threshold):
    """Digits in [0, 1], or bits."""
    X, y = load_digits(return_X_y=True)
    X = X / 16
    return train_test_split(X > 0.5 if threshold else X, y, test_size=0.25, random_state=0)


def mnist(file):
    """Grey images to train on, and bits to judge by."""
    (images, y), _ = study_data.load_mnist(file)
    X, y = study_data.grey(images[:10000]), y[:10000]
    held_out = X[8000:]
    bits = (np.random.default_rng(0).random(held_out.shape) < held_out).astype(np.float32)
    return X[:8000], bits, y[:8000], y[8000:]


def nade(file):
    """Bits of the training and the validation rows of a file, and no labels."""
    rows = study_data.load_nade(file)
    return rows["train"], rows["valid"], None, None


def figures(data, parameters, seeds, change=None):
    """Held-out nats, and accuracy if there are labels: means over seeds, as texts."""
    X, X_test, y, y_test = data
    found = []
    for seed in range(seeds):
        rbm = Changed(random_state=seed, **RECIPE | parameters).fit(X, change or (lambda s: None))
        accuracy = np.nan
        if y is not None:
            classifier = LogisticRegression(max_iter=1000).fit(rbm.transform(X), y)
            accuracy = classifier.score(rbm.transform(X_test), y_test)
        found.append((rbm.score(X_test), accuracy))
    nats, accuracy = np.mean(found, axis=0)
    return f"{nats:.2f}", "" if np.isnan(accuracy) else f"{accuracy:.3f}"


# --- sections ---------------------------------------------------------------------------------


def with_adam(state):
    state.optimizer = Adam()


def with_sparsity(target, cost, state):
    state.optimizer = Sparse(state, target, cost)


def solver(data):
    yield from ((f"momentum 0, rate {r}", {"learning_rate": r}, None) for r in (0.3, 0.7, 1.0))
    for momentum in (0.5, 0.9):
        rate = 0.7 * (1 - momentum)
        options = {"momentum": momentum, "learning_rate": rate}
        yield f"momentum {momentum}, rate {rate:.2f}", options, None
    for rate in (0.001, 0.003, 0.01, 0.03):
        yield f"Adam, rate {rate}", {"learning_rate": rate}, with_adam


def sparsity(data):
    yield "none", {}, None
    for target in (0.05, 0.1, 0.2):
        for cost in (0.01, 0.1):
            yield f"target {target}, cost {cost}", {}, partial(with_sparsity, target, cost)


def l1(data):
    yield "none", {}, None
    for penalty in (1e-4, 3e-4, 1e-3):
        yield f"L1 {penalty}", {"l1_penalty": penalty}, None
    for decay in (3e-4, 1e-3, 3e-3):
        yield f"weight decay {decay}", {"weight_decay": decay}, None


def average(data):
    n_planned = -(-len(data[0]) // RECIPE["batch_size"]) * RECIPE["n_iter"]
    yield "none", {"average": False}, None
    for share in (0.1, 0.3, 0.5):
        age = share * n_planned / 2
        weights = {"tail": partial(tail, share, n_planned), "decaying": partial(decaying, age)}
        yield f"share {share}, polynomial", {"average": share}, None
        for name, weight in weights.items():

            def change(state, weight=weight):
                state.average = Window(state.model, weight)

            yield f"share {share}, {name}", {"average": share}, change


def grey(data):
    for name in ("mean", "sample"):
        yield f"positive_visibles={name!r}", {"positive_visibles": name}, None


SECTIONS = {f.__name__: f for f in (solver, sparsity, l1, average, grey)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", help="a .npz file of the NADE tables")
    parser.add_argument("--mnist", help="mnist.npz")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", default=",".join(SECTIONS))
    parser.add_argument("--quick", action="store_true", help="one seed, few units and epochs")
    options = parsed(parser, SECTIONS)
    if options.quick:
        RECIPE.update(options.limits)
        options.seeds = 1
    sets = {"digits, grey": digits(False), "digits, bits": digits(True)}
    if options.data:
        sets[options.data.rpartition("/")[2]] = nade(options.data)
    if options.mnist:
        sets["MNIST"] = mnist(options.mnist)
    for section in options.names:
        rows = {}
        for data in sets.values():
            for label, parameters, change in SECTIONS[section](data):
                with threadpool_limits(1, user_api="blas"):
                    rows.setdefault(label, []).extend(
                        figures(data, parameters, options.seeds, change)
                    )
        header = ["", *(text for name in sets for text in (name, "accuracy"))]
        print(table(section, header, [[label, *texts] for label, texts in rows.items()]))


if __name__ == "__main__":
    main()
