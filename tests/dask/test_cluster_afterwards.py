"""The cluster afterwards: what stays on it, and whose errors are whose."""

import dask
import numpy as np
import pytest

import skrbm.dask
from skrbm.dask._cluster import Cluster, ClusterError

from ..helpers.models import BERNOULLI

pytestmark = pytest.mark.usefixtures("quiet_workers")

BITS = BERNOULLI.rows()


@dask.delayed(pure=False)
def fails(error):
    raise error


def n_futures(client):
    client.sync(_pause)  # the client's thread lets go what it has been told to
    return len(client.futures)


async def _pause():
    pass


def test_an_error_that_somebody_keeps_leaves_nothing_on_the_cluster(client):
    before = n_futures(client)
    with pytest.raises(KeyError, match="mine") as caught:
        skrbm.dask.fit(BERNOULLI.machine(), [dask.delayed(BITS), fails(KeyError("mine"))])
    assert caught.value.__traceback__ is not None
    assert n_futures(client) == before


def test_a_timeout_of_the_user_is_no_loss_of_rows(client):
    with pytest.raises(TimeoutError, match="no answer") as caught:
        skrbm.dask.fit(BERNOULLI.machine(), [dask.delayed(BITS), fails(TimeoutError("no answer"))])
    assert "partition 1 of X" in caught.value.__notes__[0]


def test_rows_that_are_lost_before_a_graph_is_made(client):
    cluster = Cluster(client)
    futures = cluster.compute({0: dask.delayed(BITS, traverse=False)})
    cluster.wait(futures)
    client.cancel(list(futures.values()))
    with pytest.raises(ClusterError, match="lost rows of X"):
        cluster.holders(futures)


def test_an_error_is_not_its_own_cause(client):
    with pytest.raises(ValueError, match="training diverged") as caught:
        skrbm.dask.fit(BERNOULLI.machine(learning_rate=1e300), [dask.delayed(BITS)])
    assert caught.value.__cause__ is None
    with pytest.raises(KeyError, match="mine") as caught:
        Cluster(client).value(fails(KeyError("mine")))
    assert caught.value.__cause__ is None


def test_weighted_rows_that_are_read_only_are_not_copied_for_each_task(client, monkeypatch):
    X = np.repeat(BITS, 100, axis=0)
    X.flags.writeable = False
    copies, require = [], np.require

    def counted(array, **options):
        out = require(array, **options)
        copies.append(out is not array and array.shape == X.shape)
        return out

    monkeypatch.setattr(np, "require", counted)
    skrbm.dask.fit(
        BERNOULLI.machine(n_iter=3),
        [dask.delayed(X, traverse=False)],
        sample_weight=[dask.delayed(np.ones(len(X)) / 2)],
    )
    assert sum(copies) <= 1
