"""The curves of parameters.rst, from the figures that study_parameters.py has measured."""

import csv
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.ticker import NullLocator

#: Sphinx runs this file in its folder, and without ``__file__``.
MEASURED = Path("..") / "measured"
NAMES = {
    "score": "log pseudo-likelihood, nats",
    "train_score": "training rows",
    "log_likelihood": "log-likelihood, nats",
    "accuracy": "accuracy of the features",
    "seconds": "seconds of a fit",
}
#: What a case is called in the title of a diagram.
TITLES = {
    "digits": "digits, 64 units",
    "small": "digits, 16 units",
    "mnist": "MNIST, 256 units",
    "gaussian": "standardised digits",
    "white": "whitened digits",
    "softmax": "digits in four levels",
}


def rows_of(name):
    """Rows of a file of figures."""
    with (MEASURED / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def lines_of(case, parameter, figure):
    """Values and figures of each line of a diagram, by the name of the line."""
    lines = {}
    for row in rows_of("parameters.csv"):
        if (row["data"], row["parameter"]) == (case, parameter):
            line = lines.setdefault(row["line"], ([], []))
            line[0].append(float(row["value"]))
            line[1].append(float(row[figure]))
    return lines


def draw(ax, case, parameter, figure, *, lines="", default=None, lowest=None, title=None):
    """One diagram: lines whose names contain a text, and the default value as a dotted line."""
    found = lines_of(case, parameter, figure)
    for name, (values, figures) in found.items():
        if lines in name:
            ax.plot(values, figures, marker="o", markersize=3, label=name or None)
    values = sorted({value for values, _ in found.values() for value in values})
    if values[0] == 0:
        ax.set_xscale("symlog", linthresh=values[1])
    else:
        ax.set_xscale("log")
    every = -(-len(values) // 5)  # five labels find room
    ax.set_xticks(values[::every], [f"{value:g}" for value in values[::every]])
    ax.xaxis.set_minor_locator(NullLocator())
    if default is not None:
        ax.axvline(default, color="grey", linestyle=":", linewidth=1)
    ax.set(xlabel=parameter, ylabel=NAMES[figure], title=title or TITLES[case])
    if lowest is not None:
        ax.set_ylim(bottom=lowest)


def diagrams(n, height=3.1):
    """A figure of n diagrams side by side."""
    figure, axes = plt.subplots(1, n, figsize=(3.5 * n, height), layout="constrained")
    return figure, axes


def units():
    """Number of hidden units."""
    _, axes = diagrams(3)
    draw(axes[0], "digits", "n_components", "score", title="digits")
    draw(axes[1], "digits", "n_components", "accuracy", title="digits")
    draw(axes[2], "mnist", "n_components", "score", title="MNIST, 20 epochs")
    axes[0].legend()


def epochs():
    """Number of epochs: held-out rows and training rows."""
    _, axes = diagrams(3)
    for ax, case, default in zip(axes, ("digits", "small", "mnist"), (20, 20, 20), strict=True):
        draw(ax, case, "n_iter", "score", default=default)
        ax.set_prop_cycle(None)
        for values, figures in lines_of(case, "n_iter", "train_score").values():
            ax.plot(values, figures, linestyle="--", linewidth=1)
    axes[0].legend(title="solid: held-out rows\ndashed: training rows")


def rate():
    """Learning rate by schedule."""
    _, axes = diagrams(3)
    draw(axes[0], "digits", "learning_rate", "score", default=0.7, lowest=-20)
    draw(axes[1], "small", "learning_rate", "log_likelihood", default=0.7, lowest=-22)
    draw(axes[2], "mnist", "learning_rate", "score", default=0.7)
    axes[0].legend()


def batch():
    """Rows of a mini-batch at several rates."""
    _, axes = diagrams(3)
    draw(axes[0], "digits", "batch_size", "score", default=50, lowest=-20)
    draw(axes[1], "digits", "batch_size", "seconds", default=50)
    draw(axes[2], "mnist", "batch_size", "score", default=50)
    axes[0].legend()
    axes[2].legend()


def chains():
    """Persistent chains, and Gibbs steps."""
    _, axes = diagrams(4)
    draw(axes[0], "digits", "n_chains", "score", default=50)
    draw(axes[1], "mnist", "n_chains", "score", default=50, lowest=-90)
    draw(axes[2], "small", "n_gibbs_steps", "log_likelihood", default=1)
    draw(axes[3], "mnist", "n_gibbs_steps", "score", default=1)
    axes[3].legend()


def decay():
    """Penalties on weights."""
    _, axes = diagrams(3)
    draw(axes[0], "digits", "weight_decay", "score", lines="weight_decay", default=0)
    draw(axes[1], "digits", "weight_decay", "score", lines="l1_penalty", default=0, lowest=-18)
    draw(axes[2], "mnist", "weight_decay", "score", default=0, lowest=-80)
    axes[1].set(xlabel="l1_penalty")
    axes[2].set(xlabel="penalty")
    for ax in axes:
        ax.legend()


def centring():
    """Centred gradients and plain ones, by the learning rate."""
    _, axes = diagrams(3)
    cases = {"digits": ("score", -20), "small": ("log_likelihood", -22), "mnist": ("score", -120)}
    for ax, (case, (figure, lowest)) in zip(axes, cases.items(), strict=True):
        draw(ax, case, "centering", figure, lowest=lowest, default=0.7)
        ax.set(xlabel="learning_rate")
    axes[0].legend()


def average():
    """Shares of the updates that averages are over."""
    _, axes = diagrams(2)
    draw(axes[0], "digits", "average", "score", default=0.3, lowest=-17)
    draw(axes[1], "small", "average", "log_likelihood", default=0.3, lowest=-22)
    for ax in axes:
        ax.set(xlabel="average (0: False)")
    axes[1].legend()


def real_values():
    """Rates and hidden units of GaussianBernoulliRBM."""
    _, axes = diagrams(4)
    draw(axes[0], "white", "learning_rate", "score", default=0.03)
    draw(axes[1], "white", "n_components", "score", title="whitened digits, rate 0.03")
    draw(axes[2], "gaussian", "learning_rate", "score", default=0.03)
    draw(axes[3], "gaussian", "learning_rate", "accuracy", default=0.03)
    axes[1].legend()


def categories():
    """Rates, penalty and steps of SoftmaxRBM."""
    _, axes = diagrams(3)
    draw(axes[0], "softmax", "learning_rate", "score", default=0.03)
    draw(axes[1], "softmax", "weight_decay", "score", default=0.002)
    draw(axes[2], "softmax", "n_components", "score", default=100)
    axes[0].legend()


def histories():
    """What history_ holds of good fits and of bad ones."""
    fits = {}
    for row in rows_of("histories.csv"):
        fits.setdefault(row["fit"], []).append(row)
    figure, axes = diagrams(3, height=3.6)
    columns = {
        "validation_score": (-45, -12),
        "free_energy_gap": (-3, 4),
        "reconstruction_error": (0, 0.25),
    }
    for ax, (column, limits) in zip(axes, columns.items(), strict=True):
        for name, rows in fits.items():
            ax.plot([float(row[column]) for row in rows], label=name, linewidth=1.2)
        ax.set(title=column, xlabel="epoch", ylim=limits)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
