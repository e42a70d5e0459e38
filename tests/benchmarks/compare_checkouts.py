"""Two checkouts of the package side by side: the same bits, and the same speed?

    python tests/benchmarks/compare_checkouts.py BEFORE AFTER [--only SECTIONS] [--rounds N]

BEFORE and AFTER are folders that hold a ``skrbm`` package, such as two git worktrees. Section
``bits`` fits all models with both, and compares every fitted array and every result of a method.
Sections ``epochs`` and ``scores`` time both in turns, each checkout in a process of its own: an
epoch, and the pseudo-likelihood of real-valued rows in one thread.
"""

import argparse
import os
import pickle
import subprocess
import sys
import tempfile
import time
from itertools import product
from pathlib import Path

import numpy as np
from timing import describe_machine, figure, median, table, with_minimum

DTYPES = ("float32", "float64")
SCHEDULES = {"learning_rate": (0.1, 0.02), "n_gibbs_steps": (1, 2), "momentum": (0.0, 0.5)}

#: Settings that every model is fitted with, for each algorithm.
SETTINGS = {
    "plain": {},
    "means": {"negative_visibles": "mean", "n_gibbs_steps": 2},
    "schedules": {**SCHEDULES, "weight_decay": 0.01, "shuffle": False},
    "chains": {"n_chains": 7, "batch_size": 50},
}


# --- in the process of one checkout -----------------------------------------------------------


def numbers(model, form, dtype):
    """Training rows in a form: dense, sparse, with missing entries, or of integers."""
    from scipy import sparse

    rng = np.random.default_rng(0)
    if model == "GaussianBernoulliRBM":
        X = rng.normal(size=(103, 12)) @ rng.normal(size=(12, 12)) / 4
        return X.astype(dtype)
    if model == "BernoulliRBM":
        X = (rng.random((103, 30)) < np.linspace(0.05, 0.6, 30)).astype(dtype)
        if form == "grey":
            return X * rng.random(X.shape).astype(dtype)
        return sparse.csr_array(X) if form == "sparse" else X
    X = rng.integers(1, 5, (103, 9)).astype(dtype)
    X[:, 3] = np.minimum(X[:, 3], 2)
    if form == "complete":
        return X
    X[rng.random(X.shape) < 0.3] = np.nan
    if form == "sparse":
        row, column = np.nonzero(~np.isnan(X))
        return sparse.coo_array((X[row, column], (row, column)), shape=X.shape).tocsr()
    return X


def cases():
    """Yield a name, a class, parameters and training rows."""
    import skrbm

    for dtype, algorithm, settings in product(
        ("float32", "float64"), ("cd", "pcd", "pt"), SETTINGS
    ):
        common = {"n_components": 5, "n_iter": 3, "random_state": 0, "algorithm": algorithm}
        common |= SETTINGS[settings]
        common |= {"n_temperatures": 4} if algorithm == "pt" else {}
        for form in ("dense", "sparse", "grey"):
            X = numbers("BernoulliRBM", form, dtype)
            yield (
                f"Bernoulli {dtype} {algorithm} {settings} {form}",
                skrbm.BernoulliRBM,
                common,
                X,
            )
        for noise in (1.0, 0.5, "learned"):
            if noise == "learned" and settings == "means":
                continue
            X = numbers("GaussianBernoulliRBM", "dense", dtype)
            given = common | {"noise_variance": noise}
            if settings == "schedules":
                given |= {"learning_rate": (0.01, 0.002)}
            name = f"Gaussian {dtype} {algorithm} {settings} {noise}"
            yield name, skrbm.GaussianBernoulliRBM, given, X
        forms = ("missing", "sparse", "complete") if algorithm == "cd" else ("complete",)
        for form, conditional in product(forms, (False, True)):
            X = numbers("SoftmaxRBM", form, dtype)
            given = common | {"conditional": conditional, "categories": "auto"}
            name = f"Softmax {dtype} {algorithm} {settings} {form} {conditional}"
            yield name, skrbm.SoftmaxRBM, given, X


def results(rbm, X):
    """Yield the name and the result of each method that a fitted estimator has for rows."""
    from scipy import sparse

    dense = X
    if sparse.issparse(X):
        dense = np.full(X.shape, np.nan if hasattr(rbm, "categories_") else 0, X.dtype)
        coo = X.tocoo()
        dense[coo.row, coo.col] = coo.data
    H = rbm.transform(X)
    yield "transform", H
    yield "inverse_transform", rbm.inverse_transform(H)
    yield "reconstruct", rbm.reconstruct(X)
    yield "free_energy", rbm.free_energy(X)
    yield "energy", rbm.energy(X, np.round(H))
    yield "score_samples", rbm.score_samples(X)
    yield "gibbs", rbm.gibbs(X, 2, random_state=1)
    yield "sample", rbm.sample(4, n_gibbs_steps=5, random_state=1)
    yield "sample from rows", rbm.sample(4, n_gibbs_steps=5, init=X, random_state=1)
    options = {"n_gibbs_steps": 5, "method": "tempering", "n_temperatures": 3, "random_state": 1}
    yield "tempering", rbm.sample(4, **options)
    holes = dense.copy()
    holes[::2, 1::2] = np.nan
    yield "draws of unknown entries", rbm.sample(4, init=holes, n_gibbs_steps=5, random_state=1)
    yield "tempered draws of unknown entries", rbm.sample(4, init=holes, **options)
    yield "impute", rbm.impute(holes, n_gibbs_steps=6, n_chains=3, random_state=1)
    if getattr(rbm, "conditional_components_", None) is None:
        yield "exact", np.array(rbm.log_partition("exact").value)
        for method in ("ais", "reverse_ais"):
            options = {"n_betas": 20, "n_chains": 9, "random_state": 1}
            estimate = rbm.log_partition(method, **options)
            yield method, np.array([estimate.value, estimate.stderr, *estimate.interval])
        binary = np.isin(dense, (0, 1)).all()
        if (type(rbm).__name__ != "BernoulliRBM" or binary) and not np.isnan(dense).any():
            yield "log_likelihood", rbm.log_likelihood(X)
    if hasattr(rbm, "predict_ratings"):
        for method in ("exact", "mean_field"):
            yield f"predict_ratings, {method}", rbm.predict_ratings(X, method=method)
            asked = [3, 1, 3, 90], [2, 0, 2, 8]
            yield f"queries, {method}", rbm.predict_ratings(X, *asked, method=method)
            yield f"proba, {method}", rbm.conditional_proba(X, method=method)
            yield f"proba of queries, {method}", rbm.conditional_proba(X, *asked, method=method)
        yield "recommend", rbm.recommend(X, 3)[1]
        yield "top_features", rbm.top_features(1, 4)[1]


def arrays_of(value):
    """A result as a list of plain arrays."""
    if isinstance(value, (list, tuple)):
        return [a for part in value for a in arrays_of(part)]
    if hasattr(value, "tocsr"):
        return [value.data, value.indices, value.indptr]
    return [] if value is None else [np.asarray(value)]


def record_bits(path):
    """Write all fitted arrays and results of all cases to a file."""
    found = {}
    for name, estimator, parameters, X in cases():
        rbm = estimator(**parameters).fit(X)
        for attribute, value in vars(rbm).items():
            if attribute.endswith("_") and attribute != "history_":
                found[f"{name}: {attribute}"] = arrays_of(value)
        history = {k: v for k, v in rbm.history_.items() if k != "seconds"}
        found[f"{name}: history_"] = [np.array(v, float) for v in history.values()]
        for method, value in results(rbm, X):
            found[f"{name}: {method}"] = arrays_of(value)
        more = rbm.partial_fit(X).partial_fit(X[:33])
        found[f"{name}: partial_fit"] = [more.components_, more.h_samples_]
    Path(path).write_bytes(pickle.dumps(found))


#: Model, rows, features, hidden units, batch and dtype of the epochs that are timed.
EPOCHS = [
    *(
        ("BernoulliRBM", 20000, 784, 256, b, t)
        for t in ("float32", "float64")
        for b in (10, 100, 500)
    ),
    ("BernoulliRBM, cd", 20000, 784, 256, 100, "float32"),
    ("BernoulliRBM, sparse", 10000, 5000, 100, 100, "float32"),
    ("BernoulliRBM, pt", 4000, 784, 256, 100, "float32"),
    ("GaussianBernoulliRBM", 20000, 784, 256, 100, "float32"),
    ("GaussianBernoulliRBM, learned", 20000, 784, 256, 100, "float64"),
    ("SoftmaxRBM", 4000, 2000, 100, 1000, "float32"),
    ("SoftmaxRBM", 4000, 2000, 100, 50, "float32"),
    ("SoftmaxRBM, pcd", 4000, 100, 100, 50, "float32"),
]


def epoch_of(name, n_rows, n_features, n_components, batch_size, dtype):
    """A function that fits one epoch."""
    from scipy import sparse

    import skrbm

    rng = np.random.default_rng(0)
    model, _, variant = name.partition(", ")
    options = {"n_iter": 1, "batch_size": batch_size, "random_state": 0}
    options |= {"algorithm": variant} if variant in ("cd", "pcd", "pt") else {}
    if model == "GaussianBernoulliRBM":
        X = rng.normal(size=(n_rows, n_features)).astype(dtype)
        options |= {"noise_variance": "learned"} if variant == "learned" else {}
    elif variant == "sparse":
        X = sparse.random_array((n_rows, n_features), density=0.01, rng=rng, dtype=dtype)
        X = (X > 0).astype(dtype).tocsr()
    elif model == "SoftmaxRBM" and variant != "pcd":
        X = sparse.random_array((n_rows, n_features), density=0.05, rng=rng, dtype=dtype)
        X.data = np.ceil(5 * X.data)
        X = X.tocsr()
    elif model == "SoftmaxRBM":
        X = rng.integers(1, 6, (n_rows, n_features)).astype(dtype)
    else:
        X = (rng.random((n_rows, n_features)) < 0.19).astype(dtype)
    return lambda: getattr(skrbm, model)(n_components, **options).fit(X)


#: Features, hidden units, standard deviation of the weights (None: a fit) and dtype.
SCORES = [
    *((784, 256, scale, t) for scale in (None, 0.01, 0.03, 0.1, 0.3) for t in DTYPES),
    *((64, 256, scale, "float64") for scale in (None, 0.01, 0.1, 0.3)),
]


def score_of(n_features, n_components, scale, dtype, n_rows=96):
    """A function that scores rows: digits with noise, or rows that a random machine may draw."""
    from sklearn.datasets import load_digits

    import skrbm

    rng = np.random.default_rng(0)
    digits = np.tile(load_digits().data, 13)[:, :n_features] / 6
    X = (digits + rng.normal(size=digits.shape)).astype(dtype)
    rbm = skrbm.GaussianBernoulliRBM(n_components, n_iter=0 if scale else 10, random_state=0)
    rbm.fit(X - X.mean(axis=0))
    if scale is None:
        return lambda: rbm.score_samples(X[:n_rows] - X.mean(axis=0))
    W = scale * rng.normal(size=(n_components, n_features))
    rbm.components_ = W.astype(dtype)
    # About as many hidden units are on as off.
    rbm.intercept_hidden_ = (-0.5 * W @ W.sum(axis=0)).astype(dtype)
    X = rng.integers(0, 2, (n_rows, n_components)) @ W + rng.normal(size=(n_rows, n_features))
    return lambda: rbm.score_samples(X.astype(dtype))


def serve(section):
    """Answer numbers of cases on standard input by lines: seconds, and scores if there are any."""
    make, arguments, clock = {
        "epochs": (epoch_of, EPOCHS, time.perf_counter),
        "scores": (score_of, SCORES, time.process_time),  # one thread, which others may stop
    }[section]
    functions = {}
    for line in sys.stdin:
        k = int(line)
        if k not in functions:
            functions.clear()  # the data of one case at a time
            functions[k] = make(*arguments[k])
            functions[k]()
        begin = clock()
        result = functions[k]()
        seconds = clock() - begin
        print(seconds, *(result.tolist() if section == "scores" else ()), flush=True)


# --- beside both ------------------------------------------------------------------------------


def start(checkout, *arguments, variables=(), **streams):
    """This script in a process that imports the package of a checkout."""
    environment = os.environ | {"PYTHONPATH": str(Path(checkout).resolve())} | dict(variables)
    command = [sys.executable, str(Path(__file__).resolve()), *arguments]
    return subprocess.Popen(command, env=environment, text=True, cwd=checkout, **streams)


def compare_bits(options):
    """Print how many results differ, and how much."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("before", "after")]
        for checkout, path in zip((options.before, options.after), paths, strict=True):
            if start(checkout, "--record", str(path)).wait() != 0:
                raise SystemExit(f"the cases do not run in {checkout}")
        before, after = (pickle.loads(path.read_bytes()) for path in paths)
    differing = {}
    for name in before.keys() | after.keys():
        pair = [found.get(name, []) for found in (before, after)]
        same = [
            len(pair[0]) == len(pair[1]),
            *(
                a.dtype == b.dtype and np.array_equal(a, b, equal_nan=True)
                for a, b in zip(*pair, strict=False)
            ),
        ]
        if not all(same):
            differing[name] = max(map(difference, *pair), default=np.inf)
    print(f"\n{len(before)} results before, {len(after)} after; other bits in {len(differing)}.")
    by_method = {}
    for name, size in differing.items():
        key = name.split()[0] + name.partition(":")[2]
        by_method.setdefault(key, []).append(size)
    rows = [[key, len(sizes), figure(max(sizes))] for key, sizes in sorted(by_method.items())]
    if rows:
        print(table("Where bits differ", ["", "cases", "largest difference"], rows))
    for name in sorted(differing)[: options.show]:
        print(f"{differing[name]:.3g}  {name}")


def difference(a, b):
    """The largest difference between two arrays, relative to the largest number of the first."""
    if a.shape != b.shape:
        return np.inf
    a, b = a.astype(float), b.astype(float)
    if not np.array_equal(np.isnan(a), np.isnan(b)):
        return np.inf
    with np.errstate(invalid="ignore"):  # equal infinities
        distance = np.where(a == b, 0, np.abs(a - b))
    return float(np.nanmax(distance, initial=0) / max(np.nanmax(np.abs(a), initial=0), 1e-300))


def in_turns(options, section, n_cases, **variables):
    """For each case and checkout: seconds of all rounds, and the scores of the last."""
    more = {"variables": variables, "stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    servers = [start(p, "--serve", section, **more) for p in (options.before, options.after)]
    for k in range(n_cases):
        seconds, scores = [[], []], [None, None]
        for r in range(options.rounds + 1):
            for which in (0, 1) if r % 2 else (1, 0):
                server = servers[which]
                server.stdin.write(f"{k}\n")
                server.stdin.flush()
                first, *rest = map(float, server.stdout.readline().split())
                seconds[which].append(first)
                scores[which] = np.array(rest)
                time.sleep(0.1)
        yield [s[1:] for s in seconds], scores
    for server in servers:
        server.stdin.close()
        server.wait()


def compare_scores(options):
    """Print the milliseconds that a row's pseudo-likelihood takes, and how far results differ."""
    one = {"NUMBA_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    rows, turns = [], in_turns(options, "scores", len(SCORES), **one)
    for case, (seconds, scores) in zip(SCORES, turns, strict=True):
        n_features, n_components, scale, dtype = case
        before, after = ([1e3 * s / len(scores[0]) for s in column] for column in seconds)
        cells = [with_minimum(before), with_minimum(after), figure(median(before) / median(after))]
        cells += [f"{np.abs(scores[0]).max():.0f}", f"{np.abs(scores[1] - scores[0]).max():.1e}"]
        rows.append([f"{n_features} x {n_components}", scale or "fitted", dtype, *cells])
    header = ["features x hidden", "weights", "", "before", "after", "before/after"]
    header += ["largest", "difference"]
    note = "Largest: of scores, absolutely. Difference: at most. Fitted: to digits with noise."
    title = "Pseudo-likelihood, one thread: ms of processor time a row, median (minimum)"
    print(table(title, header, rows, note))


def compare_epochs(options):
    """Print the seconds of an epoch of both, in turns."""
    rows, turns = [], in_turns(options, "epochs", len(EPOCHS))
    for (name, *sizes), ((before, after), _) in zip(EPOCHS, turns, strict=True):
        ratio = median(after) / median(before)
        least = min(after) / min(before)
        cells = [with_minimum(before), with_minimum(after), figure(ratio), figure(least)]
        rows.append([f"{name} {sizes[0]} x {sizes[1]} x {sizes[2]}", *sizes[3:], *cells])
    header = ["", "batch", "dtype", "before, s", "after, s", "after/before", "of minima"]
    print(table("A fit of one epoch: median (minimum)", header, rows))


SECTIONS = {"bits": compare_bits, "epochs": compare_epochs, "scores": compare_scores}


def main():
    """Run the sections asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before", nargs="?")
    parser.add_argument("after", nargs="?")
    parser.add_argument("--only", default=",".join(SECTIONS), help="sections, comma-separated")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--show", type=int, default=10, help="names of differing results to show")
    parser.add_argument("--record", help=argparse.SUPPRESS)
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.record:
        record_bits(options.record)
    elif options.serve:
        serve(options.serve)
    elif options.after is None:
        parser.error("name two checkouts")
    else:
        print(describe_machine())
        for name in options.only.split(","):
            SECTIONS[name](options)


if __name__ == "__main__":
    main()
