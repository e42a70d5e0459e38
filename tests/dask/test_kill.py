"""Workers and schedulers that die in the middle of a fit."""

import logging
import os
import pickle
import signal
import threading
import time

import dask
import numpy as np
import pytest
from distributed import Client, LocalCluster
from scipy import sparse
from sklearn.base import clone

import skrbm.dask
from skrbm import BernoulliRBM, SoftmaxRBM

from ..helpers.callbacks import needs_callbacks
from ..helpers.clusters import in_this_process
from ..helpers.comparison import assert_same_model

pytestmark = needs_callbacks  # which begin the kill

OPTIONS = {"sync_every": 20, "warm_up": 20}


def bits(p):
    return (np.random.default_rng(p).random((600, 100)) < 0.2).astype(np.float32)


def ratings(p):
    rng = np.random.default_rng(p)
    X = sparse.random(300, 150, 0.1, format="csr", rng=rng, dtype=np.float32)
    X.data = rng.integers(1, 6, X.nnz).astype(np.float32)
    return X


def parts_of(rows):
    """Four partitions that the cluster can make again."""
    return [dask.delayed(rows)(p) for p in range(4)]


MACHINES = {
    bits: BernoulliRBM(64, batch_size=10, n_iter=5, momentum=0.5, random_state=0),
    ratings: SoftmaxRBM(20, batch_size=10, n_iter=5, random_state=0),
}


class At:
    """Does something in another thread a moment after an epoch has begun or ended."""

    def __init__(self, moment, action):
        (self.event, self.epoch, self.delay), self.action = moment, action
        self.done = threading.Event()

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        self.look("begin", context)

    def on_fit_task_end(self, estimator, context, *, X, y, fitted_estimator):
        self.look("end", context)

    def look(self, event, context):
        if (event, "epoch", self.epoch) == (self.event, context.task_name, context.task_id):
            threading.Thread(target=self.act, daemon=True).start()

    def act(self):
        time.sleep(self.delay)
        self.action()
        self.done.set()


def kill_of(client, n):
    """What kills so many workers of a client."""
    pids = list(client.run(os.getpid).values())[:n]

    def kill():
        for pid in pids:
            os.kill(pid, signal.SIGKILL)

    return kill


@pytest.fixture(scope="module")
def references(client):
    """Fits that nothing disturbs, on a cluster in this process."""
    return {
        rows: skrbm.dask.fit(clone(machine), parts_of(rows), client=client, **OPTIONS)
        for rows, machine in MACHINES.items()
    }


#: In the first rounds, in the middle of an epoch, and between two epochs.
MOMENTS = {"first": ("begin", 0, 0.05), "middle": ("begin", 2, 0.03), "between": ("end", 3, 0)}
kill = pytest.mark.kill


@pytest.mark.parametrize(
    ("rows", "n_killed", "moment"),
    [
        pytest.param(bits, 1, "first", marks=kill),
        pytest.param(bits, 1, "middle"),
        pytest.param(bits, 1, "between", marks=kill),
        pytest.param(bits, 2, "first", marks=kill),
        pytest.param(bits, 2, "middle", marks=kill),
        pytest.param(bits, 2, "between", marks=kill),
        pytest.param(ratings, 1, "between", marks=kill),
        pytest.param(ratings, 2, "middle", marks=kill),
    ],
)
def test_killed_workers_change_no_bit(processes, references, rows, n_killed, moment):
    """Of two: where both are killed, all that the cluster holds is lost."""
    killer = At(MOMENTS[moment], kill_of(processes, n_killed))
    rbm = clone(MACHINES[rows]).set_callbacks(killer)
    skrbm.dask.fit(rbm, parts_of(rows), client=processes, **OPTIONS)
    assert killer.done.is_set()
    assert_same_model(rbm, references[rows])


@kill
def test_lost_rows_end_the_fit_and_resume_goes_on(processes, references):
    """Rows that were sent to a worker are lost with it."""
    workers = sorted(processes.scheduler_info()["workers"])
    parts = [processes.scatter(bits(p), workers=[workers[p % 2]], hash=False) for p in range(4)]
    rbm = clone(MACHINES[bits]).set_callbacks(At(MOMENTS["middle"], kill_of(processes, 1)))
    with pytest.raises(
        RuntimeError, match=r"lost rows of X .* read from files .* holds epoch 2; fit.*resume=True"
    ):
        skrbm.dask.fit(rbm, parts, client=processes, **OPTIONS)
    assert rbm.n_iter_ == 2
    processes.wait_for_workers(2, timeout=60)
    skrbm.dask.fit(rbm.set_callbacks(), parts_of(bits), client=processes, resume=True, **OPTIONS)
    assert_same_model(rbm, references[bits])


@pytest.mark.kill
def test_a_lost_scheduler_leaves_the_last_epoch(references):
    with LocalCluster(
        processes=True,
        n_workers=1,
        threads_per_worker=1,
        dashboard_address=":0",
        silence_logs=logging.CRITICAL,
    ) as cluster:
        client = Client(cluster, set_as_default=False)
        closer = At(MOMENTS["middle"], lambda: cluster.sync(cluster.scheduler.close))
        rbm = clone(MACHINES[bits]).set_callbacks(closer)
        with pytest.raises(
            RuntimeError, match=r"(?s)scheduler is gone.* holds epoch 2; fit.*resume"
        ):
            skrbm.dask.fit(rbm, parts_of(bits), client=client, **OPTIONS)
        client.close(timeout=1)
    assert rbm.n_iter_ == 2
    again = pickle.loads(pickle.dumps(rbm.set_callbacks()))
    with in_this_process(2) as client:
        skrbm.dask.fit(again, parts_of(bits), client=client, resume=True, **OPTIONS)
    assert_same_model(again, references[bits])
