"""Speed of what skrbm.BernoulliRBM does as a distribution, as plain tables.

    python tests/benchmarks/bench_likelihood.py [--quick] [--rounds N] [--only SECTION,...]

Annealed importance sampling beside its bare matrix products, exact log Z, parallel tempering
beside Gibbs chains, imputation. Seconds are medians over rounds in which all competitors take
turns, after a warm-up call of each, with the minimum in brackets; what takes minutes is called
once. ``--quick`` only shows that the script works.
"""

import time
from functools import cache, partial

import numpy as np
from competitors import binary_rows
from plain import PLAIN_BERNOULLI
from timing import (
    PAUSE,
    figure,
    ratio,
    resident_peak,
    run_sections,
    table,
    take_turns,
    verdict,
    with_minimum,
)

from skrbm import BernoulliRBM

N_FEATURES = 784
N_TEMPERATURES = 10
#: AIS / its bare products, and seconds of exact log Z with 25 hidden units, at most.
MOST_AIS, MOST_SECONDS = 2.5, 120


@cache
def machine(n_components, dtype, quick):
    """A machine after two epochs on random bits."""
    X = binary_rows(1000 if quick else 20000, N_FEATURES, dtype)
    settings = PLAIN_BERNOULLI | {"batch_size": 100, "n_iter": 2}
    return BernoulliRBM(n_components, random_state=0, **settings).fit(X)


def n_hidden(options):
    """Number of hidden units of the large machine."""
    return 64 if options.quick else 500


def once(function):
    """Seconds of one call, and the bytes by which it raises the resident memory."""
    seconds = []

    def call():
        begin = time.perf_counter()
        result = function()
        seconds.append(time.perf_counter() - begin)
        return result

    time.sleep(PAUSE)
    peak = resident_peak(call)
    return seconds[0], peak


def megabytes(n_bytes):
    """Bytes as a cell of a table."""
    return figure(None if n_bytes is None else n_bytes / 1e6)


# --- annealed importance sampling -------------------------------------------------------------


def bare_annealing(weights, n_chains, n_betas):
    """A function that makes the two plain products per temperature and nothing else.

    They are v W and h W^T, into arrays made beforehand; W is (n_features, n_components).
    """
    rng = np.random.default_rng(0)
    v, h = ((rng.random((n_chains, n)) < 0.5).astype(weights.dtype) for n in weights.shape)
    v_out, h_out = np.empty_like(v), np.empty_like(h)

    def anneal():
        for _ in range(n_betas - 1):
            np.dot(v, weights, out=h_out)
            np.dot(h, weights.T, out=v_out)

    return anneal


def bench_ais(options):
    """Seconds of annealed importance sampling beside its bare matrix products."""
    n_chains, (few, many) = 100, ((20, 50) if options.quick else (500, 10000))
    rows = []
    for dtype in ("float32", "float64"):
        rbm = machine(n_hidden(options), dtype, options.quick)
        for n_betas in (few, many):
            calls = {
                "ais": partial(
                    rbm.log_partition, "ais", n_chains=n_chains, n_betas=n_betas, random_state=0
                ),
                "bare": bare_annealing(rbm.components_.T, n_chains, n_betas),
            }
            if n_betas == few:
                seconds = take_turns(calls, options.rounds)
            else:
                seconds = {name: [once(call)[0]] for name, call in calls.items()}
            times = ratio(seconds["ais"], seconds["bare"])
            columns = [*map(with_minimum, seconds.values()), figure(times)]
            met = verdict(times, at_most=MOST_AIS)
            rows.append([dtype, n_betas, len(seconds["ais"]), *columns, MOST_AIS, met])
    title = f"AIS, {n_chains} chains, {N_FEATURES} x {n_hidden(options)}"
    header = ["", "temperatures", "rounds", "log_partition", "bare", "times", "limit", "met"]
    note = (
        "Bare: v W and h W^T per temperature, by NumPy. "
        f"{few} temperatures in rounds; {many} once, one after the other."
    )
    print(table(f"{title}: seconds, median (minimum)", header, rows, note), flush=True)


# --- exact log Z ------------------------------------------------------------------------------


def bench_exact(options):
    """Seconds and memory of log Z by enumeration."""
    machine(8, "float32", options.quick).log_partition("exact")
    rows = []
    for n_components in (10, 12) if options.quick else (20, 23, 25):
        rbm = machine(n_components, "float32", options.quick)
        seconds, peak = once(partial(rbm.log_partition, "exact"))
        limit = MOST_SECONDS if n_components == 25 else None
        per_state = f"{seconds / 2**n_components * 1e6:.3g}"
        met = verdict(seconds, at_most=limit)
        rows.append(
            [n_components, figure(seconds), per_state, megabytes(peak), figure(limit), met]
        )
    header = ["hidden units", "seconds", "us a state", "resident, MB", "limit", "met"]
    title = f"Exact log Z, {N_FEATURES} visible units, one call each"
    note = "Resident: by how much the call raises the memory of the process at its highest."
    print(table(title, header, rows, note), flush=True)


# --- parallel tempering -----------------------------------------------------------------------


def bench_tempering(options):
    """Seconds of tempered chains beside those of Gibbs chains, in draws and in training."""
    n_steps, rows = (5 if options.quick else 100), []
    for dtype in ("float32", "float64"):
        rbm = machine(n_hidden(options), dtype, options.quick)
        for n_rows in (10, 100, 1000):
            draw = partial(rbm.sample, n_rows, n_gibbs_steps=n_steps, random_state=0)
            calls = {
                "gibbs": draw,
                "tempering": partial(draw, method="tempering", n_temperatures=N_TEMPERATURES),
            }
            seconds = take_turns(calls, options.rounds)
            each = [f"{np.median(s) / (n_rows * n_steps) * 1e6:.3g}" for s in seconds.values()]
            times = ratio(seconds["tempering"], seconds["gibbs"])
            columns = [*map(with_minimum, seconds.values()), *each, figure(times)]
            rows.append([dtype, n_rows, *columns, figure(times / N_TEMPERATURES)])
    title = f"sample, {N_FEATURES} x {n_hidden(options)}, {n_steps} steps"
    header = ["", "rows", "gibbs", "tempering", "gibbs, us", "tempering, us", "times", "each"]
    note = (
        "us: microseconds per row and step. Times: tempering / gibbs. Each: that, divided by "
        f"{N_TEMPERATURES} temperatures."
    )
    print(table(f"{title}: seconds, median (minimum)", header, rows, note), flush=True)


def bench_training(options):
    """Seconds of an epoch with algorithm="pt" beside "pcd"."""
    n_rows, batch_size, rows = (500 if options.quick else 10000), 100, []
    for dtype in ("float32", "float64"):
        X = binary_rows(n_rows, N_FEATURES, dtype)
        common = {"batch_size": batch_size, "n_iter": 1}
        settings = {
            "pcd": {"algorithm": "pcd"},
            "many": {"algorithm": "pcd", "n_chains": N_TEMPERATURES * batch_size},
            "pt": {"algorithm": "pt", "n_temperatures": N_TEMPERATURES},
        }
        fits = {
            name: partial(
                BernoulliRBM(
                    n_hidden(options), random_state=0, **PLAIN_BERNOULLI | common | changes
                ).fit,
                X,
            )
            for name, changes in settings.items()
        }
        seconds = take_turns(fits, options.rounds)
        times = [figure(ratio(seconds["pt"], seconds[name])) for name in ("pcd", "many")]
        rows.append([dtype, *map(with_minimum, seconds.values()), *times])
    many = f"pcd, {N_TEMPERATURES * batch_size} chains"
    header = ["", "pcd", many, "pt", "pt/pcd", f"pt/{many}"]
    title = f"One epoch of {n_rows} x {N_FEATURES} bits, {n_hidden(options)} hidden units"
    note = (
        f"Batch {batch_size}, {batch_size} chains, with pt at each of {N_TEMPERATURES} "
        "temperatures. The negative phase should cost as much as\nwith so many chains of pcd, "
        "less their share in the gradient; the positive phase is the same."
    )
    print(table(f"{title}: seconds, median (minimum)", header, rows, note), flush=True)


# --- imputation -------------------------------------------------------------------------------


def bench_impute(options):
    """Seconds and memory of imputation beside free chains of the same number and length."""
    n_rows, n_chains, n_steps = (20, 2, 10) if options.quick else (1000, 10, 100)
    rows = []
    for dtype in ("float32", "float64"):
        rbm = machine(n_hidden(options), dtype, options.quick)
        X = binary_rows(n_rows, N_FEATURES, dtype)
        X[np.random.default_rng(1).random(X.shape) < 0.5] = np.nan
        starts = binary_rows(n_rows * n_chains, N_FEATURES, dtype)
        impute = partial(rbm.impute, n_gibbs_steps=n_steps, n_chains=n_chains, random_state=0)
        free = partial(rbm.gibbs, n_steps=n_steps, random_state=0)
        impute(X[:10])
        free(starts[:10])
        (seconds, peak), (of_free, _) = once(partial(impute, X)), once(partial(free, starts))
        per_row = f"{seconds / n_rows * 1e3:.3g}"
        figures = [figure(seconds), per_row, megabytes(peak), figure(of_free)]
        rows.append([dtype, *figures, figure(seconds / of_free)])
    header = ["", "impute", "ms a row", "resident, MB", "gibbs", "impute/gibbs"]
    title = (
        f"Imputation of {n_rows} x {N_FEATURES} bits, half unknown, {n_hidden(options)} hidden "
        f"units: seconds, one call each"
    )
    note = f"{n_chains} chains a row, {n_steps} steps. Gibbs: as many chains, nothing known."
    print(table(title, header, rows, note), flush=True)


SECTIONS = {
    "ais": bench_ais,
    "exact": bench_exact,
    "tempering": bench_tempering,
    "training": bench_training,
    "impute": bench_impute,
}


if __name__ == "__main__":
    run_sections(SECTIONS, __doc__.partition("\n")[0])
