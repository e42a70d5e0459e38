"""Speed and memory of skrbm.BernoulliRBM beside scikit-learn's, as plain tables.

    python tests/benchmarks/bench_bernoulli.py [--quick] [--only SECTION,...] [--mnist FILE.npz]

Seconds are medians over rounds in which all competitors take turns, after a warm-up call of
each, with the minimum in brackets. ``--quick`` only shows that the script works.
"""

import time
from functools import partial

import numpy as np
from competitors import (
    ESTIMATORS,
    bare_products,
    binary_rows,
    fit_epoch,
    sparse_rows,
    torch,
    torch_epoch,
)
from plain import PLAIN_BERNOULLI
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import BernoulliRBM as SklearnRBM
from timing import (
    PAUSE,
    figure,
    in_fresh_process,
    ratio,
    resident_peak,
    run_sections,
    table,
    take_turns,
    traced_peak,
    turn_order,
    verdict,
    with_minimum,
)

from skrbm import BernoulliRBM

# --- epoch: dense data of MNIST's shape -------------------------------------------------------

#: (dtype, batch): scikit-learn / ours at least, ours / bare products of our layout at most.
EPOCH_TARGETS = {
    ("float32", 10): (7, 1.0),
    ("float32", 100): (3.5, 1.5),
    ("float32", 500): (3, 1.3),
    ("float64", 10): (6, None),
    ("float64", 100): (3, None),
    ("float64", 500): (2, None),
}
#: scikit-learn / ours at least, on sparse rows.
SPARSE_TARGETS = {"float32": 3, "float64": 3.5}


def bench_epoch(options):
    """Seconds of one epoch, beside scikit-learn, bare matrix products and PyTorch."""
    shape, n_components = ((1000, 784) if options.quick else (20000, 784)), 256
    times, ratios = [], []
    for (dtype, batch_size), (least, most) in EPOCH_TARGETS.items():
        X = binary_rows(*shape, dtype)
        arguments = (X, n_components, batch_size)
        competitors = {name: partial(fit_epoch, name, *arguments) for name in ESTIMATORS}
        competitors["features"] = bare_products(*arguments, features_first=True)
        competitors["components"] = bare_products(*arguments, features_first=False)
        if torch is not None:
            competitors["torch"] = partial(torch_epoch, *arguments)
        seconds = take_turns(competitors, options.rounds)
        ours = seconds["skrbm"]
        speedup = ratio(seconds["scikit-learn"], ours)
        bare = ratio(ours, seconds["features"])
        columns = ("scikit-learn", "skrbm", "features", "components", "torch")
        times.append([dtype, batch_size, *(with_minimum(seconds.get(k)) for k in columns)])
        met = verdict(speedup, at_least=least), verdict(bare, at_most=most)
        ratios.append([dtype, batch_size, figure(speedup), least, met[0]])
        ratios[-1] += [figure(bare), figure(most), met[1]]
        ratios[-1].append(figure(ratio(seconds.get("torch"), ours)))
    title = f"One epoch of {shape[0]} x {shape[1]} bits, 19 % ones, {n_components} hidden units"
    header = ["", "batch", "scikit-learn", "skrbm", "bare, W (D, M)", "bare, W (M, D)", "PyTorch"]
    note = "Bare: the five plain matrix products. D features, M components; skrbm stores (D, M)."
    print(table(f"{title}: seconds, median (minimum)", header, times, note))
    header = ["", "batch", "sk/skrbm", "target", "met"]
    header += ["skrbm/bare (D, M)", "target", "met", "torch/skrbm"]
    print(table("The same: ratios of medians", header, ratios))


# --- sparse -----------------------------------------------------------------------------------


def bench_sparse(options):
    """Seconds of one epoch on sparse rows, like those of a bag of words."""
    shape, n_components = ((500, 5000) if options.quick else (10000, 5000)), 100
    rows = []
    for dtype in ("float32", "float64"):
        X = sparse_rows(*shape, dtype)
        fits = {name: partial(fit_epoch, name, X, n_components, 100) for name in ESTIMATORS}
        seconds = take_turns(fits, options.rounds)
        speedup = ratio(seconds["scikit-learn"], seconds["skrbm"])
        columns = [with_minimum(seconds[name]) for name in ESTIMATORS]
        least = SPARSE_TARGETS[dtype]
        rows.append([dtype, *columns, figure(speedup), least, verdict(speedup, at_least=least)])
    title = (
        f"One epoch of {shape[0]} x {shape[1]} bits, 1 % ones, CSR, {n_components} hidden units"
    )
    header = ["", *ESTIMATORS, "sk/skrbm", "target", "met"]
    note = "Batch 100. Both keep float32."
    print(table(f"{title}: seconds, median (minimum)", header, rows, note))


# --- score and transform ----------------------------------------------------------------------


def with_parameters(estimator, components, intercept_hidden, intercept_visible):
    """A fitted estimator that holds the given parameters."""
    estimator.set_params(n_components=components.shape[0], n_iter=1)
    estimator.fit(np.eye(2, components.shape[1], dtype=components.dtype))
    estimator.components_ = components
    estimator.intercept_hidden_ = intercept_hidden
    estimator.intercept_visible_ = intercept_visible
    return estimator


def pair_of_models(n_features, n_components, dtype, scale):
    """Both estimators with the same random weights of the given standard deviation."""
    weights = np.random.default_rng(0).normal(0, scale, (n_features, n_components)).astype(dtype)
    biases = np.zeros(n_components, dtype), np.full(n_features, -1.5, dtype)
    return {
        name: with_parameters(estimator(random_state=0), weights.T, *biases)
        for name, estimator in ESTIMATORS.items()
    }


def bench_score(options):
    """Seconds of the exact score beside a one-site estimate, and of transform."""
    n_rows, n_features, n_components = (500 if options.quick else 10000), 784, 256
    score_rows, transform_rows = [], []
    header = ["", "weights' std", *ESTIMATORS, "skrbm/sk", "target", "met"]
    for dtype in ("float32", "float64"):
        X = binary_rows(n_rows, n_features, dtype)
        for scale in (0.01, 1.0):
            models = pair_of_models(n_features, n_components, dtype, scale)
            for rows, method, most in (
                (score_rows, "score_samples", 10),
                (transform_rows, "transform", 1),
            ):
                calls = {name: partial(getattr(models[name], method), X) for name in models}
                seconds = take_turns(calls, options.rounds)
                times = ratio(seconds["skrbm"], seconds["scikit-learn"])
                columns = [with_minimum(seconds[name]) for name in ESTIMATORS]
                met = verdict(times, at_most=most)
                rows.append([dtype, scale, *columns, figure(times), most, met])
    what = f"of {n_rows} x {n_features} bits, {n_components} hidden units"
    note = "skrbm: exact, all sites of a row. scikit-learn: an estimate from one random site."
    print(table(f"score_samples {what}: seconds, median (minimum)", header, score_rows, note))
    print(table(f"transform {what}: seconds, median (minimum)", header, transform_rows))


# --- curve: quality against seconds -----------------------------------------------------------

DEFAULTS, OURS, TUNED = "scikit-learn, defaults", "skrbm, defaults", "skrbm, tuned"


def curve_data(options):
    """Name, training rows, held-out rows, number of hidden units."""
    if options.mnist:
        with np.load(options.mnist) as arrays:
            train, test = (
                (arrays[k] > 127).reshape(len(arrays[k]), -1) for k in ("x_train", "x_test")
            )
        if options.quick:
            train, test = train[:1000], test[:200]
        return "MNIST, binarised", train.astype(np.float32), test.astype(np.float32), 256
    X = (load_digits().data > 7.5).astype(np.float32)
    return ("digits, binarised", *train_test_split(X, test_size=0.25, random_state=0), 64)


def curve_estimator(name, n_components, n_iter, seed):
    """An unfitted estimator of the given name, to be trained for so many epochs."""
    if name == DEFAULTS:
        return SklearnRBM(n_components, n_iter=n_iter, random_state=seed)
    if name == OURS:
        return BernoulliRBM(n_components, n_iter=n_iter, random_state=seed)
    rates = np.linspace(0.2, 0.0, n_iter, endpoint=False)
    tuned = {"learning_rate": rates, "n_iter": n_iter, "algorithm": "cd"}
    return BernoulliRBM(n_components, random_state=seed, **PLAIN_BERNOULLI | tuned)


def exact_score(estimator, X):
    """Mean exact log pseudo-likelihood of rows, by skrbm for either estimator."""
    parameters = estimator.components_, estimator.intercept_hidden_, estimator.intercept_visible_
    return with_parameters(BernoulliRBM(), *parameters).score(X)


def bench_curve(options):
    """Pseudo-likelihood of held-out rows against the seconds of the training that led there."""
    data, X, X_test, n_components = curve_data(options)
    n_iters = [2**k for k in range(2 if options.quick else 4 if options.mnist else 8)]
    points = {name: [] for name in (DEFAULTS, OURS, TUNED)}  # (epochs, seconds, score)
    for name in points:
        curve_estimator(name, n_components, 1, 0).fit(X[:100])
    for n_iter in n_iters:
        results = {name: [] for name in points}
        for seed in range(options.rounds):
            for name in turn_order(points, seed):
                estimator = curve_estimator(name, n_components, n_iter, seed)
                time.sleep(PAUSE)
                begin = time.perf_counter()
                estimator.fit(X)
                seconds = time.perf_counter() - begin
                results[name].append((seconds, exact_score(estimator, X_test)))
        for name, runs in results.items():
            points[name].append((n_iter, *np.median(runs, axis=0)))
    print_curve(data, X, X_test, n_components, points, options.rounds)
    save_curve(data, points)


def print_curve(data, X, X_test, n_components, points, rounds):
    """The curve as a table, and how long each takes to scikit-learn's best score."""
    rows = [
        [n_iter, *(f"{points[name][i][1]:.3f} s: {points[name][i][2]:.2f}" for name in points)]
        for i, (n_iter, *_) in enumerate(points[DEFAULTS])
    ]
    _, slowest, best = max(points[DEFAULTS], key=lambda point: point[2])
    notes = [f"scikit-learn's best, {best:.2f}, takes it {slowest:.3g} s."]
    for name in (OURS, TUNED):
        reached = [seconds for _, seconds, score in points[name] if score >= best]
        notes.append(
            f"{name}: as good after {min(reached):.3g} s, {slowest / min(reached):.3g}x as fast."
            if reached
            else f"{name}: never as good."
        )
    notes.append("Tuned: CD-1, the learning rate falling from 0.2 to 0 over the epochs of a fit.")
    title = (
        f"Seconds of training and the exact log pseudo-likelihood of a held-out row, medians\n"
        f"({data}: {X.shape[0]} rows x {X.shape[1]}, {X_test.shape[0]} held out, float32; "
        f"{n_components} hidden units; a fit from scratch per number of epochs; {rounds} seeds)"
    )
    print(table(title, ["epochs", *points], rows, "\n".join(notes)))


def save_curve(data, points):
    """The curve as a picture, if matplotlib is there."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return
    axes = (picture := Figure(layout="constrained")).subplots()
    for name, curve in points.items():
        _, seconds, scores = zip(*curve, strict=True)
        axes.semilogx(seconds, scores, "o-", label=name)
    axes.set(title=data, xlabel="seconds of training", ylabel="held-out log pseudo-likelihood")
    axes.legend()
    picture.savefig("bench_bernoulli_curve.png")


# --- memory -----------------------------------------------------------------------------------


def fit_memory(name, form, shape, n_components, batch_size):
    """Peak bytes of a fit beyond its data: resident, and allocated by NumPy.

    A fit of a few rows comes first: it loads code and makes BLAS's work space, which are the
    process's and not the fit's.
    """
    make = sparse_rows if form == "CSR" else binary_rows
    X = make(*shape, np.float32)
    fit_epoch(name, X[: 2 * max(batch_size, 100)], n_components, batch_size)
    fit = partial(fit_epoch, name, X, n_components, batch_size)
    return resident_peak(fit), traced_peak(fit)


def bench_memory(options):
    """Peak memory of a fit, in new processes, in units of parameters plus a mini-batch."""
    dense, text = ((1000, 784), (500, 5000)) if options.quick else ((20000, 784), (10000, 5000))
    rows = []
    for form, shape, n_components, batch_size in (
        ("dense", dense, 256, 10),
        ("dense", dense, 256, 100),
        ("dense", dense, 8, 10),
        ("dense", (20000, 10), 4, 10),
        ("CSR", text, 100, 100),
    ):
        unit = 4 * ((shape[1] + 1) * (n_components + 1) - 1 + batch_size * shape[1])
        for name in ESTIMATORS:
            case = form, shape, n_components, batch_size
            peaks = in_fresh_process(fit_memory, name, *case)
            units = [peak / unit if peak is not None else None for peak in peaks]
            met = verdict(max(u for u in units if u is not None), at_most=8)
            figures = [figure(b / 1e6 if b is not None else None) for b in (unit, *peaks)]
            label = f"{form} {shape[0]} x {shape[1]}, {n_components} hidden"
            rows.append([label, batch_size, name, *figures, *map(figure, units), 8, met])
    header = ["float32", "batch", "", "unit, MB", "resident, MB", "traced, MB"]
    header += ["resident/unit", "traced/unit", "limit", "met"]
    note = "Unit: parameters plus one mini-batch. Resident: high-water mark. Traced: tracemalloc."
    print(table("Peak memory of a fit of one epoch beyond X", header, rows, note))


SECTIONS = {
    "epoch": bench_epoch,
    "sparse": bench_sparse,
    "score": bench_score,
    "curve": bench_curve,
    "memory": bench_memory,
}


def add_arguments(parser):
    """What only this benchmark asks."""
    parser.add_argument("--mnist", help="file with x_train and x_test for the curve")


if __name__ == "__main__":
    run_sections(SECTIONS, __doc__.partition("\n")[0], add_arguments)
