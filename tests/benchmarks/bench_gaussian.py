"""Speed of skrbm.GaussianBernoulliRBM beside skrbm.BernoulliRBM, as plain tables.

    python tests/benchmarks/bench_gaussian.py [--quick] [--only SECTION,...]

Seconds are medians over rounds in which all competitors take turns, after a warm-up call of
each, with the minimum in brackets. ``--quick`` only shows that the script works.
"""

from functools import partial

import numpy as np
from competitors import binary_rows
from plain import PLAIN
from timing import figure, ratio, run_sections, table, take_turns, verdict, with_minimum

from skrbm import BernoulliRBM, GaussianBernoulliRBM

#: Gaussian / Bernoulli at most, by batch, for the same sizes.
MOST = {10: 1.4, 100: 1.3, 500: 1.3}


def normal_rows(n_rows, n_features, dtype):
    """Independent standard normal numbers."""
    return np.random.default_rng(0).standard_normal((n_rows, n_features), np.float32).astype(dtype)


def bench_epoch(options):
    """Seconds of one epoch, with fixed and with learned noise variance."""
    shape, n_components = ((1000, 784) if options.quick else (20000, 784)), 256
    times, ratios = [], []
    for dtype in ("float32", "float64"):
        bits, normal = binary_rows(*shape, dtype), normal_rows(*shape, dtype)
        for algorithm in ("pcd", "cd"):
            for batch_size, most in MOST.items():
                common = PLAIN | {
                    "batch_size": batch_size,
                    "n_iter": 1,
                    "algorithm": algorithm,
                    "random_state": 0,
                }
                binary = BernoulliRBM(n_components, **common)
                fixed = GaussianBernoulliRBM(n_components, **common)
                learned = GaussianBernoulliRBM(n_components, noise_variance="learned", **common)
                seconds = take_turns(
                    {
                        "binary": partial(binary.fit, bits),
                        "fixed": partial(fixed.fit, normal),
                        "learned": partial(learned.fit, normal),
                    },
                    options.rounds,
                )
                case = [dtype, algorithm, batch_size]
                times.append([*case, *map(with_minimum, seconds.values())])
                times_slower = [ratio(seconds[k], seconds["binary"]) for k in ("fixed", "learned")]
                met = [verdict(value, at_most=most) for value in times_slower]
                ratios.append([*case, *map(figure, times_slower), most, *met])
    title = f"One epoch of {shape[0]} x {shape[1]}, {n_components} hidden units"
    header = ["", "", "batch", "Bernoulli", "Gaussian, fixed", "Gaussian, learned"]
    note = (
        "Bernoulli: bits, 19 % ones. Gaussian: standard normal numbers, variance fixed or learned."
    )
    print(table(f"{title}: seconds, median (minimum)", header, times, note))
    header = ["", "", "batch", "fixed", "learned", "limit", "fixed met", "learned met"]
    print(table("The same: times the seconds of Bernoulli", header, ratios))


def bench_score(options):
    """Seconds of the exact pseudo-likelihood and of transform."""
    rows = []
    shapes = (
        ((100, 64, 64),) if options.quick else ((1000, 64, 64), (1000, 196, 100), (200, 784, 256))
    )
    for n_rows, n_features, n_components in shapes:
        X = normal_rows(max(n_rows, 200), n_features, "float64")
        machine = GaussianBernoulliRBM(
            n_components, learning_rate=0.01, n_iter=20, random_state=0, **PLAIN
        ).fit(X)
        X = X[:n_rows]
        calls = {
            "score": partial(machine.score_samples, X),
            "transform": partial(machine.transform, X),
        }
        seconds = take_turns(calls, options.rounds)
        per_row = np.median(seconds["score"]) / n_rows * 1e3
        shape = f"{n_rows} x {n_features}, {n_components} hidden"
        rows.append([shape, *map(with_minimum, seconds.values()), f"{per_row:.3g}"])
    header = ["float64", "score_samples", "transform", "score, ms a row"]
    print(table("Exact pseudo-likelihood: seconds, median (minimum)", header, rows))


def bench_weights(options):
    """Milliseconds of the exact pseudo-likelihood of a row, by the size of the weights."""
    shapes = {
        (784, 256): (0.01, 0.1, 0.3),
        (64, 256): (0.01, 0.1, 1.0),
        (64, 64): (1.0, 10.0, 1e7),
    }
    shapes = {(64, 64): (0.1, 10.0)} if options.quick else shapes
    rng, rows = np.random.default_rng(0), []
    for (n_features, n_components), scales in shapes.items():
        for scale in scales:
            W = scale * rng.standard_normal((n_features, n_components))
            h = rng.integers(0, 2, (96, n_components))
            X = h @ W.T + rng.standard_normal((96, n_features))
            calls = {}
            for dtype in ("float32", "float64"):
                machine = GaussianBernoulliRBM(n_components, n_iter=0, random_state=0)
                machine.fit(rng.standard_normal((200, n_features)).astype(dtype))
                machine.components_ = np.ascontiguousarray(W.T, dtype)
                # About as many units are on as off.
                machine.intercept_hidden_ = (-0.5 * W.sum(axis=1) @ W).astype(dtype)
                calls[dtype] = partial(machine.score_samples, X.astype(dtype))
            seconds = take_turns(calls, options.rounds)
            per_row = [[1e3 * s / len(X) for s in seconds[dtype]] for dtype in calls]
            rows.append([f"{n_features} x {n_components}", f"{scale:g}"])
            rows[-1] += map(with_minimum, per_row)
    header = ["features x hidden", "weights", *calls]
    note = (
        "Weights: their standard deviation. 96 rows that the machine may draw. Threads share them."
    )
    print(table("Pseudo-likelihood: milliseconds a row, median (minimum)", header, rows, note))


SECTIONS = {"epoch": bench_epoch, "score": bench_score, "weights": bench_weights}


if __name__ == "__main__":
    run_sections(SECTIONS, __doc__.partition("\n")[0])
