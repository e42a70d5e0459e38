"""How long a new process takes to import an estimator and to fit it once, as a plain table.

    python tests/benchmarks/bench_start.py [--quick] [--rounds N]

Seconds are those of whole processes, medians over rounds in which all take turns, after one
process of each, with the minimum in brackets. Warm: compiled kernels are on disk, in a folder of
their own. Cold: the folder is empty, so that all kernels are compiled; at most three rounds.
"""

import os
import subprocess
import sys
import tempfile
from functools import partial

from standstill import without_pauses
from timing import (
    figure,
    median,
    run_sections,
    seconds_of,
    table,
    take_turns,
    verdict,
    with_minimum,
)

IMPORT = "import numpy as np; from {} import {}"
BITS = "X = (np.random.default_rng(0).random((200, 64)) < 0.2).astype(np.float64)"
NUMBERS = "X = np.random.default_rng(0).normal(size=(200, 64))"
RATINGS = "X = np.random.default_rng(0).integers(1, 6, (200, 64)).astype(np.float64)"
FIT = "rbm = {}(n_iter=1, random_state=0).fit(X)"

#: Name: import, and what comes after.
PROCESSES = {
    "scikit-learn": (IMPORT.format("sklearn.neural_network", "BernoulliRBM"), BITS, FIT),
    "BernoulliRBM": (IMPORT.format("skrbm", "BernoulliRBM"), BITS, FIT),
    "GaussianBernoulliRBM": (IMPORT.format("skrbm", "GaussianBernoulliRBM"), NUMBERS, FIT),
    "SoftmaxRBM": (IMPORT.format("skrbm", "SoftmaxRBM"), RATINGS, FIT),
    "SoftmaxRBM, predict_ratings": (
        IMPORT.format("skrbm", "SoftmaxRBM"),
        RATINGS,
        FIT + "; rbm.predict_ratings(X)",
    ),
}
#: Seconds that a warm fit takes more than scikit-learn's, and a cold process as a whole, at most.
MOST_ADDED = {"BernoulliRBM": 0.7, "GaussianBernoulliRBM": 0.7, "SoftmaxRBM": 0.7}
MOST_COLD = {"BernoulliRBM": 6, "GaussianBernoulliRBM": 6, "SoftmaxRBM, predict_ratings": 8}


def code_of(name, import_only=False):
    """The code of a process of the table."""
    lines = PROCESSES[name][: 1 if import_only else None]
    return "\n".join(lines).format(name.partition(",")[0].replace("scikit-learn", "BernoulliRBM"))


def run_process(code, cache):
    """Run code in a new Python process whose compiled kernels are kept in a folder."""
    environment = os.environ | {"NUMBA_CACHE_DIR": cache}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)


def cold_seconds(name, rounds):
    """Seconds of processes that compile all kernels."""
    seconds = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as cache:
            call = partial(run_process, code_of(name), cache)
            seconds.append(without_pauses(partial(seconds_of, call)))
    return seconds


def bench_start(options):
    """Seconds of a whole process that imports and fits once."""
    with tempfile.TemporaryDirectory() as cache:
        calls = {name: partial(run_process, code_of(name), cache) for name in PROCESSES}
        for name in ("scikit-learn", "BernoulliRBM"):
            code = code_of(name, import_only=True)
            calls[f"{name}, import only"] = partial(run_process, code, cache)
        warm = take_turns(calls, options.rounds)
    base = median(warm["scikit-learn"])
    rows = []
    for name, seconds in warm.items():
        adds, most = median(seconds) - base, MOST_ADDED.get(name)
        met = verdict(adds, at_most=most)
        rows.append([name, "warm", with_minimum(seconds), figure(adds), figure(most), "-", met])
    for name, most in MOST_COLD.items():
        seconds = cold_seconds(name, min(3, options.rounds))
        adds, met = median(seconds) - base, verdict(median(seconds), at_most=most)
        rows.append([name, "cold", with_minimum(seconds), figure(adds), "-", figure(most), met])
    title = (
        "Import and first fit of 200 x 64, float64, in a new process: seconds, median (minimum)"
    )
    header = ["", "kernels", "whole process", "adds", "adds at most", "whole at most"]
    note = "Adds: to scikit-learn's fit, medians."
    print(table(title, [*header, "met"], rows, note))


SECTIONS = {"start": bench_start}


if __name__ == "__main__":
    run_sections(SECTIONS, __doc__.partition("\n")[0])
