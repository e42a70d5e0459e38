"""Test log-likelihoods of skrbm.BernoulliRBM, exact or estimated, beside published ones.

    python tests/benchmarks/study_likelihood.py [--dna dna.npz] [--mnist mnist.npz]
        [--only SECTION,...] [--seeds N] [--tune] [--n-betas N] [--save FILE] [--load FILE]
        [--quick]

Sections; those of real data if their file is given:

modes  A machine that has learned 3 x 3 bars-and-stripes, its parameters times 3: modes far apart.
       How often plain and tempered chains visit them, beside their exact probabilities.
dna    23 hidden units, exact. The recipe was chosen by hand on the last 600 of the 2000 training
       rows; ``--tune`` makes such a comparison.
small  MNIST at a threshold, 16 hidden units, exact: the settings of PyDeep's documentation, and
       settings that each run chooses on the last 10,000 training rows.
large  MNIST, 500 hidden units, trained on grey values, one Bernoulli draw of the test images;
       log Z by annealed importance sampling in both directions. ``--save`` keeps the machine,
       so that ``--load`` repeats the estimates without training.

Test rows are only reported on. Figures of the literature are from Germain et al. (ICML 2015),
Larochelle & Murray (AISTATS 2011), PyDeep's documentation, Salakhutdinov & Murray (ICML 2008),
Carlson et al. (AISTATS 2015) and Grosse & Salakhutdinov (ICML 2015).
"""

import argparse
import time
from itertools import product

import joblib
import numpy as np
from threadpoolctl import threadpool_limits
from timing import describe_machine, figure, median, table

from skrbm import BernoulliRBM


def falling(rate, epochs):
    """A learning rate per epoch, linear from ``rate`` to 0."""
    return rate * (1 - np.arange(epochs) / epochs)


def slowing(rate, gamma, epochs):
    """``rate sqrt(gamma / (gamma + epoch))``, and in the last fifth linear to 0 besides."""
    epoch = np.arange(epochs)
    return rate * np.sqrt(gamma / (gamma + epoch)) * np.minimum(1, 5 * (1 - epoch / epochs))


DNA = {
    "n_components": 23,
    "learning_rate": falling(0.1, 500),
    "n_iter": 500,
    "batch_size": 20,
    "n_chains": 500,
    "weight_decay": 0.008,
}
DNA_VARIANTS = {
    "recipe: rate 0.1 to 0 in 500 epochs, batch 20, 500 chains, decay 0.008": {},
    **{f"decay {decay}": {"weight_decay": decay} for decay in (0.004, 0.006, 0.01, 0.02)},
    "200 epochs": {"learning_rate": falling(0.1, 200), "n_iter": 200},
    "1000 epochs": {"learning_rate": falling(0.1, 1000), "n_iter": 1000},
    "rate 0.2 to 0": {"learning_rate": falling(0.2, 500)},
    "rate 0.02 throughout": {"learning_rate": 0.02},
    "batch 100, rate 0.2 to 0": {"batch_size": 100, "learning_rate": falling(0.2, 500)},
    "1500 chains": {"n_chains": 1500},
    "CD-25": {"algorithm": "cd", "n_gibbs_steps": 25},
}
DNA_LITERATURE = {  # name: training rows, test rows
    "RBM, in MADE's table": (None, -96.74),
    "RBM, in NADE's table (+-0.48)": (None, -96.90),
    "mixture of Bernoullis": (None, -98.19),
}

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

LARGE = {
    "n_components": 500,
    "learning_rate": slowing(0.05, 20, 200),
    "n_iter": 200,
    "batch_size": 200,
    "n_chains": 200,
}
LARGE_LITERATURE = {
    "PCD, 2000 chains (Grosse & Salakhutdinov 2015)": -84.6,
    "spectral descent, a penalty (Carlson et al. 2015)": -85.65,
    "CD-25 (Salakhutdinov & Murray 2008)": -86.34,
    "spectral descent (Carlson et al. 2015)": -86.77,
    "CD-3 (Salakhutdinov & Murray 2008)": -105.5,
    "CD-1 (Salakhutdinov & Murray 2008)": -125.5,
}
AGREE = 1.0  # nats between the directions of annealing, at most, for both to be trusted

# --- machines ---------------------------------------------------------------------------------


def train(X, settings, seed, options):
    """A fitted machine."""
    rbm = BernoulliRBM(random_state=seed, **settings | options.limits)
    # The matrices of small machines are tiny: more threads would only get in each other's way.
    n_threads = 1 if rbm.n_components < 100 else None
    with threadpool_limits(n_threads, user_api="blas"):
        return rbm.fit(X)


def duration(rbm):
    """Seconds of training, as the machine remembers them."""
    return sum(rbm.history_["seconds"])


def exact_means(rbm, *parts):
    """Exact mean log-likelihood of each part, and the standard error of the last mean."""
    log_z = rbm.log_partition("exact")
    values = [rbm.log_likelihood(X, log_z).astype(float) for X in parts]
    stderr = values[-1].std(ddof=1) / np.sqrt(len(values[-1]))
    return [float(v.mean()) for v in values], float(stderr)


def over_seeds(name, settings, X, held_out, options):
    """Cells of a table: exact log-likelihoods and seconds over seeds; the held-out median."""
    machines = [train(X, settings, seed, options) for seed in range(options.seeds)]
    means, stderrs = zip(*(exact_means(rbm, X, held_out) for rbm in machines), strict=True)
    fitted, others = np.transpose(means).tolist()
    cells = [median(fitted), median(others), median(stderrs)]
    reach = f"{min(others):.2f} to {max(others):.2f}"
    seconds = figure(median([duration(rbm) for rbm in machines]), ".1f")
    return [name, *(f"{c:.2f}" for c in cells), reach, seconds], median(others)


def best_variant(title, settings, variants, X, held_out, options):
    """Print exact log-likelihoods of variants of the settings; the best of these."""
    rows, scores = [], {}
    for name, changes in variants.items():
        rbm = train(X, settings | changes, 0, options)
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


def comparison(ours, theirs):
    """How a log-likelihood compares with a published one, in words."""
    side = "above" if ours > theirs else "below"
    return f"{ours:.2f} is {abs(ours - theirs):.2f} nats {side} {theirs:.2f}"


# --- sections ---------------------------------------------------------------------------------


def study_modes(options):
    """Samples of a machine of few, far-apart modes, against enumeration."""
    lines = np.array(list(product([0.0, 1.0], repeat=3)))
    bars = np.repeat(lines, 3, axis=1)
    X = np.concatenate((bars, bars.reshape(-1, 3, 3).transpose(0, 2, 1).reshape(-1, 9)))
    rate = np.geomspace(0.1, 0.01, 3000)
    settings = {"n_components": 9, "learning_rate": rate, "n_iter": 3000, "batch_size": 16}
    rbm = train(X, settings | {"n_chains": 100}, 0, options)
    learned = rbm.log_likelihood(X).sum()
    for name in ("components_", "intercept_hidden_", "intercept_visible_"):
        setattr(rbm, name, 3 * getattr(rbm, name))
    states = np.array(list(product([0.0, 1.0], repeat=9)))
    p = np.exp(rbm.log_likelihood(states))

    n_samples = 4000
    rows = [["exact", f"{p[-1]:.3f}", f"{p[0]:.3f}", "0", "-"]]
    for method, n_steps in (("gibbs", 1000), ("gibbs", 10000), ("tempering", 1000)):
        begin = time.perf_counter()
        v = rbm.sample(n_samples, method=method, n_gibbs_steps=n_steps, random_state=0)
        seconds = figure(time.perf_counter() - begin, ".1f")
        codes = (v @ 2.0 ** np.arange(8, -1, -1)).astype(int)
        q = np.bincount(codes, minlength=len(p)) / n_samples
        distance = f"{np.abs(p - q).sum() / 2:.3f}"
        cells = [f"{q[-1]:.3f}", f"{q[0]:.3f}", distance, seconds]
        rows.append([f"{method}, {n_steps} steps", *cells])
    chance = np.sqrt(p * (1 - p) / (2 * np.pi * n_samples)).sum()
    note = (
        f"{n_samples} chains from base rates; 10 temperatures. Total variation: of independent "
        f"draws it would be {chance:.3f}.\nThe machine has learned its 16 rows to {learned:.1f} "
        "nats in all (bound: -41.6) before its parameters were multiplied."
    )
    header = ["", "all on", "all off", "total variation", "seconds"]
    print(table("Bars-and-stripes 3 x 3, parameters times 3: probabilities", header, rows, note))


def study_dna(options):
    """DNA: 180 bits, 23 hidden units."""
    with np.load(options.dna) as arrays:
        X = arrays["x"].astype(np.float32)
    X, X_test = X[:2000], X[2000:]
    fitted, valid = X[:1400], X[1400:]
    if options.tune:
        title = "DNA: exact log-likelihood, one setting changed at a time"
        best_variant(title, DNA, DNA_VARIANTS, fitted, valid, options)
    validated, _ = over_seeds("ours, 1400 rows: validation", DNA, fitted, valid, options)
    tested, score = over_seeds("ours, 1400 rows: test", DNA, fitted, X_test, options)
    more, _ = over_seeds("ours, 2000 rows: test", DNA, X, X_test, options)
    print_exact("DNA, 23 hidden units", [validated, tested, more], DNA_LITERATURE)
    _, best = max(DNA_LITERATURE.values(), key=lambda values: values[1])
    print(f"Verdict: from 1400 rows, a test log-likelihood of {comparison(score, best)}.")


def load_mnist(options):
    """Training and test images as rows of 0 to 255."""
    with np.load(options.mnist) as arrays:
        train_rows, test_rows = (arrays[k].reshape(-1, 784) for k in ("x_train", "x_test"))
    return (train_rows[:1200], test_rows[:200]) if options.quick else (train_rows, test_rows)


def study_small(options):
    """MNIST at a threshold, 16 hidden units."""
    X, X_test = ((rows > 127).astype(np.float32) for rows in load_mnist(options))
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


def study_large(options):
    """MNIST, 500 hidden units, log Z estimated."""
    X, X_test = (rows.astype(np.float32) / 255 for rows in load_mnist(options))
    rng = np.random.default_rng(0)
    bits_test, bits = (
        (rng.random(rows.shape, np.float32) < rows).astype(np.float32)
        for rows in (X_test, X[:10000])
    )
    rbm = joblib.load(options.load) if options.load else train(X, LARGE, 0, options)
    if options.save:
        joblib.dump(rbm, options.save)
    shape = f"{rbm.n_features_in_} x {rbm.n_components}"
    print(f"\n{shape} machine: {rbm.n_iter_} epochs of training in {duration(rbm):.0f} s")

    estimates = {
        "AIS": {"method": "ais"},
        "reverse AIS, from training rows": {"method": "reverse_ais", "init": bits},
        "reverse AIS, from base rates": {"method": "reverse_ais"},
    }
    if rbm.n_components <= 20:  # with --quick: the truth is known
        estimates = {"exact": {"method": "exact"}} | estimates
    rows, scores, sizes = [], {}, {"n_chains": options.n_chains, "n_betas": options.n_betas}
    least = np.inf
    zero_sum = [rbm.log_likelihood(V, 0.0).mean(dtype=float) for V in (bits, bits_test)]
    for name, arguments in estimates.items():
        begin = time.perf_counter()
        log_z = rbm.log_partition(random_state=0, **sizes, **arguments)
        seconds = figure(time.perf_counter() - begin, ".0f")
        least = min(least, log_z.effective_sample_size)
        fitted, scores[name] = (value - log_z.value for value in zero_sum)
        low, high = (zero_sum[1] - bound for bound in log_z.interval[::-1])
        cells = [log_z.value, log_z.stderr, log_z.effective_sample_size, fitted, scores[name]]
        interval = f"{low:.2f} to {high:.2f}"
        rows.append([name, *(f"{c:.2f}" for c in cells), interval, seconds])
    for name, score in LARGE_LITERATURE.items():
        rows.append([name, "-", "-", "-", "-", score, "-", "-"])
    header = ["", "log Z", "s.e.", "eff. chains", "training", "test", "95 % interval", "seconds"]
    note = (
        f"{options.n_chains} chains, {options.n_betas} temperatures. Test: one Bernoulli draw of "
        f"{len(X_test)} images; training: of {len(bits)}.\nThe interval is that of log Z, not of "
        "the choice of rows. Seconds: of log Z, reverse AIS with the draws where it starts."
    )
    title = f"MNIST, {rbm.n_components} hidden units: log-likelihood of a row, in nats"
    print(table(title, header, rows, note))
    gap = max(scores.values()) - min(scores.values())
    trust = "so they agree" if gap < AGREE else "so they are not to be trusted"
    narrow = ", and intervals are too narrow" if least < options.n_chains / 3 else ""
    words = comparison(min(scores.values()), max(LARGE_LITERATURE.values()))
    print(
        f"Verdict: the estimates differ by {gap:.2f} nats, {trust} (limit: {AGREE:g}), with as "
        f"few as {least:.0f} effective chains{narrow}. By the least of them {words}."
    )


SECTIONS = {"modes": study_modes, "dna": study_dna, "small": study_small, "large": study_large}


def main():
    """Run the sections whose files are given."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--dna", help="file with x: 2000 training rows, then test rows")
    parser.add_argument("--mnist", help="file with x_train and x_test")
    parser.add_argument("--only", default=",".join(SECTIONS), help="sections, comma-separated")
    parser.add_argument("--seeds", type=int, help="fits of an exact figure (default 3)")
    parser.add_argument("--tune", action="store_true", help="how DNA's recipe was chosen")
    parser.add_argument("--n-betas", type=int, help="temperatures of AIS (default 10,000)")
    parser.add_argument("--save", help="file to keep the machine of section large in")
    parser.add_argument("--load", help="file of such a machine, instead of training")
    parser.add_argument("--quick", action="store_true", help="few units, epochs and rows")
    options = parser.parse_args()
    names = options.only.split(",")
    if unknown := set(names) - set(SECTIONS):
        parser.error(f"no such section: {', '.join(unknown)}")
    options.seeds = options.seeds or (2 if options.quick else 3)
    options.n_betas = options.n_betas or (200 if options.quick else 10000)
    options.n_chains = 20 if options.quick else 100
    options.limits = {"n_components": 8, "n_iter": 2} if options.quick else {}
    print(describe_machine())
    if options.quick:
        print("\nQuick: 8 hidden units, 2 epochs, few rows; not a measurement.")
    given = {"modes": True, "dna": options.dna, "small": options.mnist, "large": options.mnist}
    for name in names:
        if given[name]:
            SECTIONS[name](options)


if __name__ == "__main__":
    main()
