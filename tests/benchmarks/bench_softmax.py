"""Speed and memory of skrbm.SoftmaxRBM, as plain tables.

    python tests/benchmarks/bench_softmax.py [--quick] [--only SECTION,...]

``epoch``: CD-1 on ratings of the shape of MovieLens-1M, beside the dense one-hot formulation in
NumPy, with one thread and with two. ``netflix``: the shape of Netflix, in a process of its own
whose peak memory is that of everything, data included. ``predict``: queries and
recommendations. Ratings are drawn at random, as skewed as in real life. Seconds are medians over
rounds in which all take turns; ``--quick`` only shows that the script works.
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numba
import numpy as np
from dense_softmax import DenseSoftmaxRBM
from plain import PLAIN
from timing import (
    PAUSE,
    figure,
    in_fresh_process,
    median,
    process_memory,
    ratio,
    run_sections,
    table,
    take_turns,
    turn_order,
    verdict,
    with_minimum,
)

from skrbm import SoftmaxRBM
from skrbm.datasets import make_ratings

MOVIELENS = (6040, 3706, 1_000_209)
N_COMPONENTS = 100
BATCH_SIZES = (1000, 100)
SETTINGS = PLAIN | {
    "learning_rate": 0.01,
    "momentum": 0.9,
    "weight_decay": 0.001,
    "random_state": 0,
}
# Targets: dense / ours and 1 thread / 2 threads at least, the others at most.
FASTER, THREADS, SLOWER_AT_NETFLIX, GIGABYTES = 10, 1.6, 1.5, 4


def ratings(*shape, skew):
    """A table of made-up ratings, by the numbers of users, items and ratings."""
    return make_ratings(*shape, skew=skew, sparse=True, random_state=0).data


def movielens_1m(quick):
    """Ratings of the shape of MovieLens-1M, or of a tenth of it."""
    shape = (2000, 1200, 100_000) if quick else MOVIELENS
    return ratings(*shape, skew="movielens")


def fit(X, batch_size, n_threads, n_iter=3):
    """A fitted machine; ``history_`` holds the seconds of its epochs."""
    numba.set_num_threads(n_threads)
    machine = SoftmaxRBM(N_COMPONENTS, batch_size=batch_size, n_iter=n_iter, **SETTINGS)
    return machine.fit(X)


@numba.njit(nogil=True, cache=True)
def arithmetic(n):
    """A sum of square roots: no memory, nothing shared."""
    total = 0.0
    for k in range(n):
        total += np.sqrt(k * 1.0001)
    return total


def arithmetic_seconds(n_threads, n=20_000_000):
    """Seconds of as much arithmetic in each of so many threads."""
    with ThreadPoolExecutor(n_threads) as pool:
        begin = time.perf_counter()
        list(pool.map(arithmetic, [n] * n_threads))
        return time.perf_counter() - begin


def bench_epoch(options):
    """Seconds of an epoch: dense, one thread, two threads."""
    X = movielens_1m(options.quick)
    rows, same_bits = [], []
    most_threads = min(2, numba.config.NUMBA_NUM_THREADS)
    for batch_size in BATCH_SIZES:
        dense = DenseSoftmaxRBM(X.shape[1], N_COMPONENTS, batch_size)
        competitors = {
            "dense": partial(dense.epoch, X, learning_rate=0.01),
            "1 thread": partial(fit, X, batch_size, 1),
            "2 threads": partial(fit, X, batch_size, most_threads),
        }
        seconds = {name: [] for name in competitors}
        machine_gives = []
        fit(X, batch_size, most_threads, n_iter=1)
        for r in range(options.rounds):
            weights = {}
            arithmetic_seconds(1)
            machine_gives.append(2 * arithmetic_seconds(1) / arithmetic_seconds(2))
            for name in turn_order(competitors, r):
                time.sleep(PAUSE)
                begin = time.perf_counter()
                result = competitors[name]()
                if name == "dense":
                    seconds[name].append(time.perf_counter() - begin)
                else:
                    seconds[name].append(median(result.history_["seconds"]))
                    weights[name] = result.components_
            same_bits.append(np.array_equal(weights["1 thread"], weights["2 threads"]))
        faster = ratio(seconds["dense"], seconds["2 threads"])
        one = ratio(seconds["dense"], seconds["1 thread"])
        threads = ratio(seconds["1 thread"], seconds["2 threads"])
        rows.append(
            [
                batch_size,
                *map(with_minimum, seconds.values()),
                figure(one),
                figure(faster),
                verdict(faster, at_least=FASTER),
                figure(threads),
                verdict(threads, at_least=THREADS),
                figure(median(machine_gives)),
            ]
        )
    header = ["batch", "dense NumPy, s", "1 thread, s", "2 threads, s"]
    header += ["dense / 1", "dense / 2", f">= {FASTER}", "1 / 2", f">= {THREADS}", "possible"]
    title = f"One epoch of {X.shape[0]} x {X.shape[1]}, {X.nnz} ratings, {N_COMPONENTS} hidden"
    note = (
        f"Identical bits with 1 and 2 threads in every round: {'yes' if all(same_bits) else 'NO'}."
    )
    print(table(title, header, rows, note + " NumPy's BLAS uses all cores."))


def resident_peak_of_process():
    """Bytes of memory this process has had at most; None where the system does not say."""
    if not sys.platform.startswith("linux"):
        return None
    return process_memory("VmHWM")


def netflix_run(quick, batch_size, n_iter):
    """Ratings, seconds of epochs there and of the same on MovieLens-1M, of fit, and the peak."""
    small = movielens_1m(quick)
    shape = (48019, 1777, 1_000_000) if quick else (480_189, 17_770, 100_000_000)
    X = ratings(*shape, skew="netflix")
    n_threads = numba.config.NUMBA_NUM_THREADS
    fit(small, batch_size, n_threads, n_iter=1)
    before = fit(small, batch_size, n_threads, n_iter=10).history_["seconds"]
    begin = time.perf_counter()
    machine = fit(X, batch_size, n_threads, n_iter)
    whole = time.perf_counter() - begin
    after = fit(small, batch_size, n_threads, n_iter=10).history_["seconds"]
    data = X.data.nbytes + X.indices.nbytes + X.indptr.nbytes
    seconds = machine.history_["seconds"]
    return X.nnz, seconds, whole, small.nnz, before + after, data, resident_peak_of_process()


def bench_netflix(options):
    """Time per rating and peak memory at Netflix' shape."""
    batch_size = BATCH_SIZES[0]
    n_iter = 2 if options.quick else options.rounds
    n, seconds, whole, n_small, small_seconds, data, peak = in_fresh_process(
        netflix_run, options.quick, batch_size, n_iter
    )
    each, each_small = median(seconds) / n * 1e9, median(small_seconds) / n_small * 1e9
    gigabytes = None if peak is None else peak / 1e9
    row = [
        batch_size,
        with_minimum(seconds),
        f"{whole - sum(seconds):.1f}",
        figure(each),
        figure(each_small),
        figure(each / each_small),
        verdict(each / each_small, at_most=SLOWER_AT_NETFLIX),
        figure(data / 1e9),
        figure(gigabytes),
        verdict(gigabytes, at_most=GIGABYTES),
    ]
    header = ["batch", "epoch, s", "rest of fit, s", "ns a rating", "at 1M", "ratio"]
    header += [f"<= {SLOWER_AT_NETFLIX}", "X, GB", "peak, GB", f"<= {GIGABYTES}"]
    note = "Peak: of the whole process, with data, libraries and the making of the data."
    print(table(f"Netflix' shape, {n} ratings, {N_COMPONENTS} hidden units", header, [row], note))


def bench_predict(options):
    """Seconds of a million queries, and of recommendations to 10,000 users."""
    n_users = 500 if options.quick else 10_000
    n_items = 1777 if options.quick else 17_770
    X = ratings(n_users, n_items, 208 * n_users, skew="netflix")
    machine = fit(X, 1000, numba.config.NUMBA_NUM_THREADS, n_iter=1)
    rng = np.random.default_rng(0)
    n_queries = 10**4 if options.quick else 10**6
    users, items = rng.integers(n_users, size=n_queries), rng.integers(n_items, size=n_queries)
    calls = {
        f"predict_ratings, {n_queries} queries": partial(machine.predict_ratings, X, users, items),
        "the same, mean_field": partial(
            machine.predict_ratings, X, users, items, method="mean_field"
        ),
        f"recommend, {n_users} users": partial(machine.recommend, X),
        f"score_samples, {X.nnz} ratings": partial(machine.score_samples, X),
    }
    seconds = take_turns(calls, 1 if options.quick else min(3, options.rounds))
    rows = [[name, with_minimum(values)] for name, values in seconds.items()]
    print(table(f"{n_items} features, {N_COMPONENTS} hidden, float32", ["", "seconds"], rows))


SECTIONS = {"epoch": bench_epoch, "netflix": bench_netflix, "predict": bench_predict}


if __name__ == "__main__":
    run_sections(SECTIONS, __doc__.partition("\n")[0])
