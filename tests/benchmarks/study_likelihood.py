"""Exact log-likelihoods and samples of small machines of skrbm.BernoulliRBM.

    python tests/benchmarks/study_likelihood.py [--mnist mnist.npz] [--only SECTION,...]
        [--seeds N] [--quick]

Sections; that of real data if its file is given:

modes  A machine that has learned 3 x 3 bars-and-stripes, its parameters times 3: modes far apart.
       How often plain and tempered chains visit them, beside their exact probabilities.
small  MNIST at a threshold, 16 hidden units, exact: the settings of PyDeep's documentation, and
       settings that each run chooses on the last 10,000 training rows.

Test rows are only reported on. Figures of the literature are from PyDeep's documentation. Larger
machines, and other data, are in ``study_mnist500.py`` and ``study_uci.py``.
"""

import argparse
import time
from itertools import product

import numpy as np
from likelihoods import comparison, duration, means, train
from study_data import load_mnist
from timing import figure, median, parsed, table


def falling(rate, epochs):
    """A learning rate per epoch, linear from ``rate`` to 0."""
    return rate * (1 - np.arange(epochs) / epochs)


SMALL = {"n_components": 16, "learning_rate": 0.01, "n_iter": 50, "batch_size": 100}
SMALL_VARIANTS = {
    "PyDeep's: PCD-1, rate 0.01, 100 chains": {},
    "rate 0.05 to 0": {"learning_rate": falling(0.05, 50)},
    "rate 0.1 to 0": {"learning_rate": falling(0.1, 50)},
    "rate 0.2 to 0": {"learning_rate": falling(0.2, 50)},
    "rate 0.1 to 0, 500 chains": {"learning_rate": falling(0.1, 50), "n_chains": 500},
    "rate 0.2 to 0, 500 chains": {"learning_rate": falling(0.2, 50), "n_chains": 500},
}
SMALL_LITERATURE = {
    "PyDeep, normal": (-149.61, -149.05),
    "PyDeep, centred": (-143.15, -142.56),
}

# --- machines ---------------------------------------------------------------------------------


def exact_means(rbm, *parts):
    """Exact mean log-likelihood of each part, and the standard error of the last mean."""
    log_z = rbm.log_partition("exact")
    values = rbm.log_likelihood(parts[-1], log_z).astype(float)
    return means(rbm, log_z, parts), float(values.std(ddof=1) / np.sqrt(len(values)))


def over_seeds(name, settings, X, held_out, options):
    """Cells of a table: exact log-likelihoods and seconds over seeds; the held-out median."""
    machines = [train(X, settings | options.limits, seed) for seed in range(options.seeds)]
    scores, stderrs = zip(*(exact_means(rbm, X, held_out) for rbm in machines), strict=True)
    fitted, others = np.transpose(scores).tolist()
    cells = [median(fitted), median(others), median(stderrs)]
    reach = f"{min(others):.2f} to {max(others):.2f}"
    seconds = figure(median([duration(rbm) for rbm in machines]), ".1f")
    return [name, *(f"{c:.2f}" for c in cells), reach, seconds], median(others)


def best_variant(title, settings, variants, X, held_out, options):
    """Print exact log-likelihoods of variants of the settings; the best of these."""
    rows, scores = [], {}
    for name, changes in variants.items():
        rbm = train(X, settings | changes | options.limits, 0)
        (fitted, scores[name]), _ = exact_means(rbm, X, held_out)
        rows.append([name, f"{fitted:.2f}", f"{scores[name]:.2f}", figure(duration(rbm), ".1f")])
    best = max(scores, key=scores.get)
    header = ["", "rows to fit", "rows to choose by", "seconds"]
    print(table(title, header, rows, f"One seed. Best: {best}."), flush=True)
    return best


def print_exact(title, rows, literature):
    """A table of exact log-likelihoods, the literature's below ours."""
    for name, values in literature.items():
        rows.append([name, *(figure(v, ".2f") for v in values), "-", "-", "-"])
    header = ["", "training rows", "held-out rows", "s.e. of rows", "over seeds", "seconds"]
    note = (
        "Medians over seeds; range over seeds of the held-out mean. S.e.: for the choice of "
        "held-out rows. Seconds: training."
    )
    print(table(f"{title}: exact log-likelihood of a row, in nats", header, rows, note))


# --- sections ---------------------------------------------------------------------------------


def study_modes(options):
    """Samples of a machine of few, far-apart modes, against enumeration."""
    lines = np.array(list(product([0.0, 1.0], repeat=3)))
    bars = np.repeat(lines, 3, axis=1)
    X = np.concatenate((bars, bars.reshape(-1, 3, 3).transpose(0, 2, 1).reshape(-1, 9)))
    rate = np.geomspace(0.1, 0.01, 3000)
    settings = {"n_components": 9, "learning_rate": rate, "n_iter": 3000, "batch_size": 16}
    settings |= {"n_chains": 100}
    rbm = train(X, settings | options.limits, 0)
    learned = rbm.log_likelihood(X).sum()
    for name in ("components_", "intercept_hidden_", "intercept_visible_"):
        setattr(rbm, name, 3 * getattr(rbm, name))
    states = np.array(list(product([0.0, 1.0], repeat=9)))
    p = np.exp(rbm.log_likelihood(states))

    n_samples = 4000
    rows = [["exact", f"{p[-1]:.3f}", f"{p[0]:.3f}", "0", "-"]]
    variants = {
        "gibbs, 1000 steps": {},
        "gibbs, 10000 steps": {"n_gibbs_steps": 10000},
        "tempering, 1000 steps, 10 temperatures": {"method": "tempering", "n_temperatures": 10},
        "tempering, 1000 steps, chosen temperatures": {"method": "tempering"},
    }
    for name, arguments in variants.items():
        begin = time.perf_counter()
        v = rbm.sample(n_samples, random_state=0, **arguments)
        seconds = figure(time.perf_counter() - begin, ".1f")
        codes = (v @ 2.0 ** np.arange(8, -1, -1)).astype(int)
        q = np.bincount(codes, minlength=len(p)) / n_samples
        distance = f"{np.abs(p - q).sum() / 2:.3f}"
        cells = [f"{q[-1]:.3f}", f"{q[0]:.3f}", distance, seconds]
        rows.append([name, *cells])
    chance = np.sqrt(p * (1 - p) / (2 * np.pi * n_samples)).sum()
    note = (
        f"{n_samples} chains from base rates. Total variation: of independent draws "
        f"it would be {chance:.3f}.\nThe machine has learned its 16 rows to {learned:.1f} "
        "nats in all (bound: -41.6) before its parameters were multiplied."
    )
    header = ["", "all on", "all off", "total variation", "seconds"]
    print(table("Bars-and-stripes 3 x 3, parameters times 3: probabilities", header, rows, note))


def study_small(options):
    """MNIST at a threshold, 16 hidden units."""
    X, X_test = (
        (rows > 127).astype(np.float32) for rows, _ in load_mnist(options.mnist, options.quick)
    )
    cut = len(X) * 5 // 6
    title = "MNIST at a threshold, 16 hidden units: exact log-likelihood by settings"
    best = best_variant(title, SMALL, SMALL_VARIANTS, X[:cut], X[cut:], options)
    first = next(iter(SMALL_VARIANTS))
    rows, scores = [], []
    for name in dict.fromkeys([first, best]):
        label = name if name == first else f"ours: {name}"
        row, score = over_seeds(label, SMALL | SMALL_VARIANTS[name], X, X_test, options)
        rows.append(row)
        scores.append(score)
    print_exact("MNIST at a threshold, 16 hidden units", rows, SMALL_LITERATURE)
    normal, centred = (test for _, test in SMALL_LITERATURE.values())
    print(
        f"Verdict: with PyDeep's settings {comparison(scores[0], normal)} (normal); with the "
        f"best of ours {comparison(scores[-1], centred)} (centred)."
    )


SECTIONS = {"modes": study_modes, "small": study_small}


def main():
    """Run the sections, that of real data if its file is given."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--mnist", help="file with x_train and x_test")
    parser.add_argument("--only", default=",".join(SECTIONS), help="sections, comma-separated")
    parser.add_argument("--seeds", type=int, help="fits of an exact figure (default 3)")
    parser.add_argument("--quick", action="store_true", help="few units, epochs and rows")
    options = parsed(parser, SECTIONS)
    options.seeds = options.seeds or (2 if options.quick else 3)
    for name in options.names:
        if name == "modes" or options.mnist:
            SECTIONS[name](options)


if __name__ == "__main__":
    main()
