"""A protein family as skrbm.SoftmaxRBM learns it: frequencies, correlations, held-out rows.

    python tests/benchmarks/study_protein.py --data pf00071.npz [--search] [--quick]
        [--picture FILE.png]

The data are an alignment, array ``x`` of sequences x sites with codes 0 to 20 (a gap and 20 amino
acids). Equal rows count once, then a fifth are held out. Many of these still have a near relative
among the training rows, so those without one are scored by themselves as well.

PCD and CD have the same settings. They were chosen by hand on an inner split of the training
rows, by pseudo-likelihood and by the samples, since pseudo-likelihood alone prefers machines
whose samples are poor; ``--search`` makes such a comparison. Held-out rows are only reported on.

The family has branches between which Gibbs chains seldom pass: chains of two lengths agree long
before chains from different starts do. So samples are compared from two starts, single sites
drawn independently and training rows.
"""

import argparse
import time

import numpy as np
from plain import PLAIN
from study_data import split
from timing import describe_machine, figure, parse, table

from skrbm import SoftmaxRBM

N_LETTERS = 21
FAR = 0.6  # identity with the nearest training row below which a row has no near relative
N_HIDDEN = 100
EPOCHS = 60
SETTINGS = PLAIN | {
    "learning_rate": (0.1, 0.002),  # first and last epoch; geometric between
    "n_gibbs_steps": 10,
    "n_chains": 100,
    "weight_decay": 0.002,
    "batch_size": 50,
    "momentum": 0.5,
}
VARIANTS = {
    "as below: PCD-10, rate 0.1 to 0.002, decay 0.002": {},
    "PCD-1, 500 chains": {"n_gibbs_steps": 1, "n_chains": 500},
    "PCD-1, three times the epochs, rate from 0.05": {
        "n_gibbs_steps": 1,
        "learning_rate": (0.05, 0.002),
        "times_epochs": 3,
    },
    "rate 0.05 to 0.002": {"learning_rate": (0.05, 0.002)},
    "decay 0.01": {"weight_decay": 0.01},
    "50 hidden units": {"n_components": 50},
}


def nearest_identity(X, others):
    """Share of the sites in which each row equals its nearest other row."""
    return np.array([(others == row).mean(axis=1).max() for row in X])


def train(X, epochs, algorithm="pcd", **settings):
    """A fitted machine and the seconds it took."""
    settings = SETTINGS | {"n_components": N_HIDDEN} | settings
    epochs = round(epochs * settings.pop("times_epochs", 1))
    settings["learning_rate"] = np.geomspace(*settings["learning_rate"], epochs)
    if algorithm == "cd":
        settings["n_chains"] = None  # as many as the batch has rows
    rbm = SoftmaxRBM(
        categories=np.arange(N_LETTERS),
        algorithm=algorithm,
        n_iter=epochs,
        random_state=0,
        **settings,
    )
    begin = time.perf_counter()
    rbm.fit(X)
    return rbm, time.perf_counter() - begin


def independent(X, count):
    """Log-probabilities (sites, letters), ``count`` rows of the mean letter added to each site."""
    counts = np.array([(letter == X).sum(axis=0) for letter in range(N_LETTERS)], float).T
    background = counts.sum(axis=0) + 1
    counts += count * background / background.sum()
    return np.log(counts / counts.sum(axis=1, keepdims=True))


def independent_scores(log_p, X):
    """Log-likelihood of each row, which is its pseudo-likelihood too."""
    return log_p[np.arange(X.shape[1]), X.astype(int)].sum(axis=1)


def moments(X):
    """Frequencies (sites x letters,) and covariances of letters at different sites."""
    n, n_sites = X.shape
    one_hot = np.zeros((n, n_sites * N_LETTERS), np.float32)
    one_hot[np.arange(n)[:, np.newaxis], np.arange(n_sites) * N_LETTERS + X.astype(int)] = 1
    f = one_hot.mean(axis=0)
    c = (one_hot.T @ one_hot) / n - np.outer(f, f)
    c = c.reshape(n_sites, N_LETTERS, n_sites, N_LETTERS).transpose(0, 2, 1, 3)
    return f, c[np.triu_indices(n_sites, 1)].ravel()


def compare(moments_a, moments_b):
    """Correlation and RMS difference of the frequencies, then of the covariances."""
    cells = []
    for a, b in zip(moments_a, moments_b, strict=True):
        cells += [
            figure(np.corrcoef(a, b)[0, 1], ".3f"),
            figure(np.sqrt(np.mean((a - b) ** 2)), ".4f"),
        ]
    return cells


# --- tables -----------------------------------------------------------------------------------

MOMENTS = ["frequencies: corr.", "RMS diff.", "covariances: corr.", "RMS diff."]


def print_search(X, options):
    """Variants on an inner split of the training rows."""
    fitted, inner = split(X, 0.2, np.random.default_rng(1))
    of_fitted = moments(fitted)
    rows = []
    for name, settings in VARIANTS.items():
        rbm, seconds = train(fitted, options.epochs, **settings)
        samples = rbm.sample(options.chains // 4, n_gibbs_steps=options.steps, random_state=0)
        scores = [figure(rbm.score(part), ".1f") for part in (fitted, inner)]
        rows.append([name, *scores, *compare(moments(samples), of_fitted), f"{seconds:.0f}"])
    yardstick = compare(moments(inner), of_fitted)
    rows.append(["(inner held-out rows)", "-", "-", *yardstick, "-"])
    header = ["PCD", "PL fitted", "PL inner", *MOMENTS, "seconds"]
    title = f"Inner split: {len(fitted)} rows to fit, {len(inner)} to choose by"
    print(table(title, header, rows, "PL: pseudo-likelihood of a row, in nats."), flush=True)


def print_scores(machines, X_train, X_test):
    """Pseudo-likelihoods beside the independent model's."""
    fitted, inner = split(X_train, 0.2, np.random.default_rng(1))
    counts = [0.3, 1, 3, 10, 30, 100]
    best = max(counts, key=lambda n: independent_scores(independent(fitted, n), inner).mean())
    log_p = independent(X_train, best)
    far = nearest_identity(X_test, X_train) < FAR
    scorers = {"independent sites": lambda X: independent_scores(log_p, X)}
    scorers |= {name: rbm.score_samples for name, (rbm, _) in machines.items()}
    rows = []
    for name, scorer in scorers.items():
        test = scorer(X_test)
        figures = [scorer(X_train).mean(), test.mean(), test[far].mean()]
        seconds = figure(machines[name][1] if name in machines else None, ".0f")
        per_site = test.mean() / X_test.shape[1]
        rows.append([name, *(f"{f:.1f}" for f in figures), f"{per_site:.3f}", seconds])
    header = ["", "training rows", "held-out", "without relative", "held-out, a site", "seconds"]
    note = (
        f"Without relative: the {far.sum()} held-out rows that share less than {FAR:.0%} of their "
        f"sites with any training row.\nIndependent sites: {best} rows of the mean composition "
        "added to each site, chosen on the inner split. Seconds: training."
    )
    print(table("Pseudo-likelihood of a row, in nats", header, rows, note), flush=True)


def print_samples(machines, X_train, X_test, options):
    """Moments of samples; returns those of the longest chains by machine."""
    of_train, rng = moments(X_train), np.random.default_rng(2)
    identity = _identity(X_test, X_train)
    rows = [["held-out rows", *compare(moments(X_test), of_train), identity, "-"]]
    bootstrap = X_train[rng.integers(len(X_train), size=options.chains)]
    rows.append(["training rows, redrawn", *compare(moments(bootstrap), of_train), "-", "-"])
    result = {}
    for name, (rbm, _) in machines.items():
        begin = time.perf_counter()
        samples = rbm.sample(options.chains, n_gibbs_steps=options.steps, random_state=0)
        seconds = time.perf_counter() - begin
        half = moments(samples)
        identity, duration = _identity(samples, X_train), figure(seconds, ".0f")
        rows.append(
            [f"{name}, {options.steps} steps", *compare(half, of_train), identity, duration]
        )
        samples = rbm.gibbs(samples, n_steps=options.steps, random_state=1)
        result[name] = moments(samples)
        identity = _identity(samples, X_train)
        name_long = f"{name}, {2 * options.steps} steps"
        rows.append([name_long, *compare(result[name], of_train), identity, "-"])
        name_both = f"{name}, one length against the other"
        rows.append([name_both, *compare(half, result[name]), "-", "-"])
        start = X_train[rng.permutation(len(X_train))]
        from_data = rbm.sample(
            options.chains, n_gibbs_steps=options.steps, init=start, random_state=2
        )
        cells = compare(moments(from_data), of_train)
        rows.append([f"{name}, from training rows", *cells, _identity(from_data, X_train), "-"])
    header = ["against the training rows", *MOMENTS, "identity", "seconds"]
    note = (
        f"{options.chains} independent chains, from draws of single sites; the same chains at two "
        "lengths.\nFrom training rows: chains of the shorter length that start there; where "
        "they end elsewhere, chains do not mix.\nIdentity: median of the share of sites that a "
        "row has in common with the nearest training row. Seconds: of the shorter length."
    )
    print(table("Frequencies of letters, covariances between sites", header, rows, note))
    return of_train, result


def _identity(X, X_train):
    """Median share of sites in common with the nearest training row, as a cell."""
    return figure(np.median(nearest_identity(X[:200], X_train)), ".2f")


def draw(of_train, of_samples, of_test, path):
    """Frequencies above, covariances below, one column per source, against the training rows."""
    try:
        import matplotlib

        matplotlib.use("Agg")
        import matplotlib.pyplot as plt
    except ImportError:
        print('\nNo picture without matplotlib: pip install "skrbm[plot]"')
        return
    columns = {f"Samples, {name}": m for name, m in of_samples.items()}
    columns["Held-out rows"] = of_test
    figure_, axes = plt.subplots(2, len(columns), figsize=(11, 7.2), layout="constrained")
    limits = [(0, 1), (-0.18, 0.18)]
    kinds = ["frequency", "covariance"]
    for column, (title, values) in enumerate(columns.items()):
        for ax, kind, limit, x, y in zip(
            axes[:, column], kinds, limits, of_train, values, strict=True
        ):
            bins = ax.hexbin(x, y, gridsize=60, bins="log", extent=limit * 2, cmap="viridis")
            ax.plot(limit, limit, color="crimson", lw=0.8)
            r = np.corrcoef(x, y)[0, 1]
            ax.text(0.04, 0.95, f"correlation {r:.3f}", transform=ax.transAxes, va="top")
            ax.set(xlim=limit, ylim=limit, aspect="equal", xlabel=f"{kind}, training rows")
            if column == 0:
                ax.set_ylabel(kind)
        axes[0, column].set_title(title)
    figure_.colorbar(bins, ax=axes[1], label="pairs of letters")
    figure_.savefig(path, dpi=150)
    print(f"\nPicture: {path}")


def main():
    """Print the tables and draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", required=True, help="the alignment, an .npz file")
    parser.add_argument("--search", action="store_true", help="how the settings were chosen")
    parser.add_argument("--chains", type=int, default=2000, help="samples (default 2000)")
    parser.add_argument("--steps", type=int, default=500, help="Gibbs steps (default 500)")
    parser.add_argument("--quick", action="store_true", help="few epochs, chains and steps")
    parser.add_argument("--picture", default="study_protein.png", help="file to write")
    options = parse(parser)
    options.epochs = EPOCHS
    if options.quick:
        options.epochs, options.chains, options.steps = 3, 200, 20
    with np.load(options.data) as arrays:
        X = np.unique(arrays["x"], axis=0).astype(np.float32)
    X_train, X_test = split(X, 0.2, np.random.default_rng(0))
    print(describe_machine())
    print(
        f"\n{len(X)} different sequences of {X.shape[1]} sites: {len(X_train)} training rows, "
        f"{len(X_test)} held out{'; quick, not a measurement' if options.quick else ''}"
    )
    if options.search:
        print_search(X_train, options)
    machines = {a.upper(): train(X_train, options.epochs, a) for a in ("pcd", "cd")}
    print_scores(machines, X_train, X_test)
    of_train, of_samples = print_samples(machines, X_train, X_test, options)
    draw(of_train, of_samples, moments(X_test), options.picture)


if __name__ == "__main__":
    main()
