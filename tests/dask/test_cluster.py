"""What is said when a cluster cannot give a result, and where tasks go."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import dask
import pytest
from dask import config
from distributed import Future, KilledWorker, get_client, worker_client
from distributed.client import FutureCancelledError
from distributed.comm import CommClosedError

from skrbm.dask._cluster import Cluster, ClusterError, near, waiting

from ..helpers.clusters import in_this_process

LIMIT = "distributed.admin.large-graph-warning-threshold"


class Failing:
    """A client that cannot give anything."""

    def __init__(self, error):
        self.error = error

    def gather(self, futures):
        raise self.error


LOST = [FutureCancelledError("x-1", "lost"), CommClosedError("gone"), TimeoutError("late")]


@pytest.mark.parametrize("error", LOST, ids=lambda error: type(error).__name__)
def test_lost_data_and_lost_schedulers(error):
    with pytest.raises(ClusterError, match=r"lost rows of X.*scheduler is gone.*Error") as caught:
        Cluster(Failing(error)).gather({})
    assert caught.value.__cause__ is error


def test_killed_workers():
    error = KilledWorker("learn-7", None, 4)
    with pytest.raises(ClusterError, match=r"at the same task, 'learn-7', .* cut X into more"):
        Cluster(Failing(error)).gather({})


def test_other_errors_stay_as_they_are():
    error = LookupError("mine")
    with pytest.raises(LookupError) as caught:
        Cluster(Failing(error)).gather({})
    assert caught.value is error


@pytest.mark.parametrize("leaves", [False, True])
def test_a_task_that_fits_leaves_its_thread_to_others(leaves):
    """Else they would wait for each other. A task may have left before, as by worker_client."""

    def task():
        with worker_client() if leaves else nullcontext(), waiting():
            return get_client().submit(abs, -1, pure=False).result(timeout=60)

    with in_this_process(1) as client:
        assert client.submit(task, pure=False).result(timeout=120) == 1


def test_results_have_the_names_of_their_tasks(client):
    cluster = Cluster(client)
    futures = cluster.compute({name: dask.delayed(len)(name) for name in ("a", "bb")})
    assert all(isinstance(future, Future) for future in futures.values())
    assert cluster.gather(futures) == {"a": 1, "bb": 2}
    assert cluster.value(dask.delayed(len)("abc")) == 3
    holders = cluster.holders(futures | {"none": dask.delayed(1)})
    assert [len(workers) for workers in holders.values()] == [1, 1, 0]
    assert cluster.holders({}) == {}


def test_tasks_go_to_the_workers_that_they_are_near(client):
    cluster = Cluster(client)
    for worker in client.scheduler_info()["workers"]:
        with near([worker]):
            value = dask.delayed(abs, pure=False)(-1)
        assert cluster.holders(cluster.compute({0: value}))[0] in ([], [worker])
    with near([]):
        assert not dask.get_annotations()
    with near(["tcp://192.0.2.1:1"]):  # a worker that is lost
        value = dask.delayed(abs, pure=False)(-1)
    assert cluster.value(value) == 1


def test_an_error_of_a_partition_is_raised_with_its_number(client):
    fails = dask.delayed(int, pure=False)
    cluster = Cluster(client)
    cluster.wait(cluster.compute({0: fails("1")}))
    with pytest.raises(ValueError, match=r"(?s)invalid literal.*the graph of partition 4 of X"):
        cluster.wait(cluster.compute({3: fails("1"), 4: fails("text"), 5: fails("2")}))


def test_the_limit_of_graphs_is_that_of_the_user_again(client):
    """Also where two fits go on at once."""
    before, seen = config.get(LIMIT), []
    cluster, compute = Cluster(client), client.compute

    class Watched:
        def compute(self, *args, **options):
            seen.append(config.get(LIMIT))
            return compute(*args, **options)

    cluster = Cluster(Watched())
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(cluster.compute, [{0: dask.delayed(k)} for k in range(40)]))
    assert config.get(LIMIT) == before
    assert min(seen) > 2**60
    seen.clear()
    cluster.compute({0: dask.delayed(1)}, of_user=True)
    assert seen == [before]
