"""Speed of ``skrbm.dask.fit`` on a cluster of this computer, beside ``fit`` in one process.

    python tests/benchmarks/bench_dask.py [--mnist FILE] [--tenth] [--quick] [--only SECTION,...]

Clusters have 1 and 2 processes of one thread each, and ``fit`` has one thread. Partitions are made
on the workers and stay there. All take turns, and figures are medians over rounds. Sections:

dense    784 features, 500 hidden units, 10,000 rows: MNIST's, or made-up ones.
ratings  SoftmaxRBM of all films of Netflix and a hundredth of its users: 17,770 features of 5
         categories, 100 hidden units, 4,800 users with a million ratings. With ``--tenth``
         ten times as many users and ratings; ``--rounds 1`` takes some ten minutes then.

Columns: seconds of an epoch; rounds a second; seconds of processor time of an epoch, of all
workers and of the process of client and scheduler; bytes that workers sent to one another in an
epoch, of parameters (with chains) and of anything else, by ``transfer_incoming_log``. For each
number of updates between two means there is a line: their difference is what a round costs.
"""

import logging
import time
from functools import partial

import dask
import numba
import numpy as np
import psutil
from dask.utils import key_split
from distributed import Client, LocalCluster, wait
from scipy import sparse
from study_data import grey, load_mnist
from threadpoolctl import threadpool_limits
from timing import PAUSE, figure, median, ratio, run_sections, table, turn_order

import skrbm.dask
from skrbm import BernoulliRBM, SoftmaxRBM
from skrbm.datasets import make_ratings

N_PARTS = 4
SYNC_EVERY = (100, 10)
#: Tasks whose results are parameters of the machine, with chains.
PARAMETERS = {"learn", "mean", "getitem", "tuple", "Shared"}


class Epochs:
    """A callback of scikit-learn that looks at a clock, and at others, after each epoch."""

    def __init__(self, *clocks):
        self.clocks, self.seen = clocks, []

    def setup(self, estimator, context):
        """Nothing to do."""

    def teardown(self, estimator, context):
        """Nothing to do."""

    def on_fit_task_begin(self, estimator, context):
        """Look for the first time."""
        if not self.seen:
            self.look()

    def on_fit_task_end(self, estimator, context):
        """Look after an epoch."""
        if context.task_name == "epoch":
            self.look()

    def look(self):
        self.seen.append([time.perf_counter(), *(clock() for clock in self.clocks)])

    def last(self):
        """What the last epoch took, of each clock."""
        return np.subtract(self.seen[-1], self.seen[-2])


def processor_seconds():
    """Seconds of processor time that this process has had."""
    times = psutil.Process().cpu_times()
    return times.user + times.system


def traffic(dask_worker):
    """Bytes that came from other workers, by kind of task."""
    found = {}
    for message in dask_worker.transfer_incoming_log:
        for key, n_bytes in message["keys"].items():
            found[key_split(key)] = found.get(key_split(key), 0) + n_bytes
    dask_worker.transfer_incoming_log.clear()
    return found


class Clustered:
    """A cluster of some processes, with partitions on its workers."""

    def __init__(self, n_processes, make, n_epochs):
        self.cluster = LocalCluster(
            n_workers=n_processes, threads_per_worker=1, dashboard_address=":0", silence_logs=False
        )
        self.client, self.n_epochs = Client(self.cluster), n_epochs
        make = dask.delayed(make, pure=False)
        self.parts = self.client.persist([make(p) for p in range(N_PARTS)])
        wait(self.parts)
        self.client.run(processor_seconds)

    def workers_seconds(self):
        return sum(self.client.run(processor_seconds).values())

    def fit(self, rbm, sync_every):
        """Seconds, processor seconds and bytes of an epoch."""
        self.client.run(traffic)
        epochs = Epochs(self.workers_seconds, processor_seconds)
        rbm.set_params(n_iter=self.n_epochs).set_callbacks(epochs)
        skrbm.dask.fit(rbm, self.parts, client=self.client, sync_every=sync_every, warm_up=0)
        rbm.set_callbacks()
        sent = {}
        for found in self.client.run(traffic).values():
            for kind, n_bytes in found.items():
                sent[kind] = sent.get(kind, 0) + n_bytes / self.n_epochs
        parameters = sum(n for kind, n in sent.items() if kind in PARAMETERS)
        return *epochs.last(), parameters, sum(sent.values()) - parameters

    def close(self):
        self.client.close()
        self.cluster.close()


def alone(rbm, X, n_epochs):
    """The same of ``fit`` in this process, with one thread."""
    numba.set_num_threads(1)
    epochs = Epochs(processor_seconds)
    with threadpool_limits(1):
        rbm.set_params(n_iter=n_epochs).set_callbacks(epochs).fit(X)
    rbm.set_callbacks()
    return *epochs.last(), 0.0, 0.0, 0.0


def compare(title, rbm, X, make, options):
    """Print one table: ``fit``, and clusters for each number of updates between means."""
    n_epochs = 2
    clusters = {n: Clustered(n, make, n_epochs) for n in (1, 2)}
    n_updates = -(-X.shape[0] // N_PARTS // rbm.batch_size)
    calls = {("fit, one thread", None): partial(alone, rbm, X, n_epochs)}
    for n, cluster in clusters.items():
        for sync_every in SYNC_EVERY:
            name = f"{n} process{'es' if n > 1 else ''}"
            calls[name, sync_every] = partial(cluster.fit, rbm, sync_every)
    found = {name: [] for name in calls}
    for call in calls.values():
        call()
    for r in range(options.rounds):
        for name in turn_order(calls, r):
            time.sleep(PAUSE)
            found[name].append(calls[name]())
    for cluster in clusters.values():
        cluster.close()
    rows = []
    first = [row[1] for row in found["fit, one thread", None]]
    for (name, sync_every), figures in found.items():
        seconds, workers, client, parameters, rest = map(list, zip(*figures, strict=True))
        n_rounds = None if sync_every is None else -(-n_updates // sync_every)
        row = [name, sync_every or "-", f"{median(seconds):.2f} ({min(seconds):.2f})"]
        row += [figure(n_rounds and n_rounds / median(seconds)), f"{median(workers):.2f}"]
        row += [figure(ratio(workers, first), ".2f"), f"{median(client):.2f}"]
        row += [figure(median(n) / 1e6, ".1f") for n in (parameters, rest)]
        rows.append(row)
    header = ["", "sync_every", "epoch, s", "rounds / s", "CPU, s", "/ fit", "client, s"]
    header += ["parameters, MB", "rest, MB"]
    sizes = rbm.components_.nbytes / 1e6
    note = (
        f"{N_PARTS} partitions of {n_updates} updates an epoch, batch {rbm.batch_size}; "
        f"weights {sizes:.1f} MB."
    )
    print(table(title, header, rows, note), flush=True)


def image_rows(path, n_rows, p):
    """Rows of a partition: of a file, or made up; None: of all."""
    if path is None:
        X = np.random.default_rng(0).random((n_rows, 784), np.float32) < 0.19
    else:
        X = grey(load_mnist(path)[0][0][:n_rows]) > 0.5
    X = X.astype(np.float32)
    return X if p is None else np.array_split(X, N_PARTS)[p]


def bench_dense(options):
    """Dense rows."""
    n_rows, n_units = (4000, 50) if options.quick else (10_000, 500)
    make = partial(image_rows, options.mnist, n_rows)
    rbm = BernoulliRBM(n_units, batch_size=25, n_chains=25, random_state=0)
    name = "made-up bits" if options.mnist is None else "MNIST"
    title = f"{n_rows} x 784 ({name}), {n_units} hidden units"
    compare(title, rbm, make(None), make, options)


def rating_rows(shape, p):
    """Ratings of the users of a partition."""
    n_users, n_items, n_ratings = shape
    sizes = n_users // N_PARTS, n_items, n_ratings // N_PARTS
    return sparse.csr_matrix(
        make_ratings(*sizes, skew="netflix", sparse=True, random_state=p).data
    )


def bench_ratings(options):
    """Ratings."""
    shape = (48_000, 17_770, 10_000_000) if options.tenth else (4800, 17_770, 1_000_000)
    if options.quick:
        shape = 4000, 1777, 80_000
    make = partial(rating_rows, shape)
    X = sparse.vstack([make(p) for p in range(N_PARTS)], format="csr")
    rbm = SoftmaxRBM(20 if options.quick else 100, batch_size=50, random_state=0)
    title = f"{shape[0]} x {shape[1]}, {X.nnz} ratings, {rbm.n_components} hidden units"
    compare(title, rbm, X, make, options)


def add_arguments(parser):
    """Arguments of this script alone."""
    parser.add_argument("--mnist", help="file with x_train and the rest")
    parser.add_argument("--tenth", action="store_true", help="a tenth of Netflix's users")


SECTIONS = {"dense": bench_dense, "ratings": bench_ratings}


if __name__ == "__main__":
    logging.getLogger("distributed").setLevel(logging.ERROR)
    dask.config.set(
        {"distributed.admin.low-level-log-length": None, "logging.distributed": "error"}
    )
    run_sections(SECTIONS, __doc__.partition("\n")[0], add_arguments)
