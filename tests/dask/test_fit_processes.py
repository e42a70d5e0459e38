"""A cluster of processes: the same bits, what travels, and a task that kills each worker."""

import os
import signal
import warnings

import dask
import dask.array as da
import numpy as np
import pytest
from dask.sizeof import sizeof
from sklearn.base import clone

import skrbm.dask
from skrbm import BernoulliRBM
from skrbm.dask import _data
from skrbm.dask._partitions import find_client

from ..helpers.comparison import assert_same_model
from ..helpers.models import BERNOULLI, VARIANTS


# The first test: the client of the module is not there yet.
def test_the_client_that_is_given_is_the_one_that_is_asked(processes):
    with pytest.raises(ValueError, match="no Dask client"):
        find_client()
    rbm = BERNOULLI.machine(n_iter=1)
    assert skrbm.dask.fit(rbm, [dask.delayed(np.eye)(6)] * 2, client=processes).n_iter_ == 1


@pytest.mark.parametrize(
    "name",
    [
        "bits, pt, centred",
        pytest.param("categories, conditional, centred", marks=pytest.mark.cluster),
    ],
)
def test_processes_give_the_bits_of_threads(client, processes, name):
    variant = VARIANTS[name]
    X = variant.rows()
    rbm = variant.machine(n_iter=2)
    for n_parts in (1, 3):
        parts = list(map(dask.delayed, np.array_split(X, n_parts)))
        one, two = (
            skrbm.dask.fit(clone(rbm), parts, client=each, sync_every=2, warm_up=3)
            for each in (client, processes)
        )
        assert_same_model(two, one)
    assert_same_model(
        skrbm.dask.fit(clone(rbm), parts[:1], client=processes), rbm.fit(parts[0].compute())
    )


def incoming(dask_worker):
    """What a worker has received from others: a list of keys and numbers of bytes."""
    logs = dask_worker.transfer_incoming_log
    return [(str(key), n) for log in logs for key, n in log["keys"].items()]


# A scheduler under load moves a task that makes rows, and with it the rows: that is by hand.
@pytest.mark.parametrize("kind", ["scattered", pytest.param("made", marks=pytest.mark.cluster)])
def test_only_parameters_travel(processes, monkeypatch, kind):
    """Rows stay where they are, in whatever form; little comes to the client."""
    results, gather = [], _data.Cluster.gather

    def recorded(cluster, futures):
        results.append(gather(cluster, futures))
        return results[-1]

    monkeypatch.setattr(_data.Cluster, "gather", recorded)
    before = {address: len(log) for address, log in processes.run(incoming).items()}
    if kind == "scattered":
        workers = sorted(before)
        X = np.random.default_rng(0).integers(0, 2, (4000, 50)).astype(float)
        parts = [
            processes.scatter(block, workers=[workers[p % 2]], hash=False)
            for p, block in enumerate(np.split(X, 4))
        ]
    else:
        parts = da.random.default_rng(0).integers(0, 2, (4000, 50), chunks=(1000, -1))
    rbm = BernoulliRBM(n_components=4, n_iter=2, random_state=0)
    skrbm.dask.fit(rbm, parts, client=processes, sync_every=5, warm_up=5)
    moved = [
        each for address, log in processes.run(incoming).items() for each in log[before[address] :]
    ]
    n_largest = 16 * rbm.components_.nbytes  # parameters, their average, velocities; of the job
    assert moved
    assert max(n for _, n in moved) < n_largest < 1000 * 50
    assert max(map(sizeof, results)) < 4 * n_largest  # of four partitions
    if kind == "scattered":
        assert all(len(holders) == 1 for holders in processes.who_has(parts).values())


@pytest.mark.cluster
def test_large_parameters_are_not_warned_of_and_large_data_are(processes):
    rbm = BernoulliRBM(n_components=1000, n_iter=1, batch_size=2, random_state=0)
    parts = [dask.delayed(np.eye)(2, 1400) for _ in range(2)]
    skrbm.dask.fit(rbm, parts, client=processes, warm_up=1)
    assert rbm.components_.nbytes > 10e6
    assert dask.config.get("distributed.admin.large-graph-warning-threshold") == "10MB"
    large = da.from_array(np.zeros((1000, 1400)), chunks=(500, -1))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        skrbm.dask.fit(BERNOULLI.machine(n_iter=0), large, client=processes)
    assert ["Sending large graph" in str(warning.message) for warning in caught] == [True]


@dask.delayed
def deadly():
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_task_that_kills_each_worker(processes, monkeypatch):
    monkeypatch.setattr(processes.cluster.scheduler, "allowed_failures", 0)
    rbm = BERNOULLI.machine()
    before = dict(vars(rbm))
    with pytest.raises(RuntimeError, match=r"workers died .* 'deadly.*cut X into more.*No epoch"):
        skrbm.dask.fit(rbm, [deadly()], client=processes)
    assert vars(rbm) == before
