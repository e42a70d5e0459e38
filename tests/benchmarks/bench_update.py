"""Where does the time of an update go? Kernel by kernel, beside the floor, as plain tables.

    python tests/benchmarks/bench_update.py [--quick] [--only SECTION,...]

An epoch of 20,000 x 784 entries with 256 hidden units and plain learning: binary rows with 19 % or
70 % ones, and real-valued rows. A kernel's share are the medians of its calls, summed over an
update. "Python" is what remains: of the shortest of the rounds, less what a fit takes without an
epoch.
"""

import time
from collections import defaultdict
from functools import partial

import numpy as np
from competitors import bare_products, binary_rows
from plain import PLAIN, PLAIN_BERNOULLI
from timing import run_sections, seconds_of, table

from skrbm import BernoulliRBM, GaussianBernoulliRBM
from skrbm._kernels import blas, products, rows, units, updates
from skrbm._kernels.crew import Divisible

BATCHES = (10, 100, 500)
N_HIDDEN = 256


def watch():
    """Time all calls of kernels from now on: a dict of lists of seconds, by kernel and size."""
    seconds = defaultdict(list)

    def timed(function, name):
        def call(*arguments):
            begin = time.perf_counter()
            result = function(*arguments)
            last = [a for a in arguments if isinstance(a, np.ndarray)][-1]
            seconds[name, last.size].append(time.perf_counter() - begin)
            return result

        return call

    for module in (blas, products, rows, units, updates):
        for name, kernel in vars(module).items():
            if isinstance(kernel, Divisible):
                kernel.part, kernel.lead = (timed(f, name) for f in (kernel.part, kernel.lead))
    return seconds


def shortest(function, rounds):
    """Seconds of the shortest of some calls."""
    return min(seconds_of(function) for _ in range(rounds))


def bench(estimator, X, title, options):
    """Print microseconds of an update by kernel, one column per batch size."""
    columns = []
    for batch_size in BATCHES:
        n_updates = -(-len(X) // batch_size)

        def fit(n_iter, batch_size=batch_size):
            estimator.set_params(batch_size=batch_size, n_iter=n_iter, random_state=0).fit(X)

        floor = shortest(bare_products(X, N_HIDDEN, batch_size, True), options.rounds)
        fit(1)
        none, one = (shortest(partial(fit, n_iter), options.rounds) for n_iter in (0, 1))
        SECONDS.clear()
        fit(1)
        column = defaultdict(float)
        for (name, _), values in SECONDS.items():
            # Calls that come less often belong to the figures at the end of the epoch.
            column[name] += 1e6 * np.median(values) * (len(values) >= n_updates)
        whole = 1e6 * (one - none) / n_updates
        column["Python"] = max(0, whole - sum(column.values()))
        column["an update"] = whole
        column["five bare products"] = 1e6 * floor / n_updates
        columns.append(column)
    most = {name: max(column[name] for column in columns) for name in set().union(*columns)}
    last = ["Python", "an update", "five bare products"]
    names = [name for name in sorted(most, key=most.get, reverse=True) if name not in last]
    names = [name for name in names if most[name]] + last
    lines = [[name, *(f"{column[name]:.0f}" for column in columns)] for name in names]
    print(table(f"{title}: microseconds of an update", ["batch", *BATCHES], lines))


def binary(dtype, density):
    """A section on binary rows."""

    def section(options):
        X = binary_rows(1000 if options.quick else 20000, 784, dtype, density)
        estimator = BernoulliRBM(N_HIDDEN, **PLAIN_BERNOULLI)
        bench(estimator, X, f"Binary rows, {density:.0%} ones, {dtype}", options)

    return section


def gaussian(options):
    """Real-valued rows."""
    size = 1000 if options.quick else 20000, 784
    X = np.random.default_rng(0).normal(size=size).astype(np.float32)
    more = {"algorithm": "pcd", "learning_rate": 0.01}
    bench(GaussianBernoulliRBM(N_HIDDEN, **PLAIN | more), X, "Real-valued, float32", options)


SECTIONS = {
    "float32": binary("float32", 0.19),
    "float64": binary("float64", 0.19),
    "dense": binary("float32", 0.7),
    "gaussian": gaussian,
}

if __name__ == "__main__":
    SECONDS = watch()
    run_sections(SECTIONS, __doc__.partition("\n")[0])
