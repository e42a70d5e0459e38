"""Data of a cluster beside data of this process: what their attributes say."""

from itertools import pairwise

import dask
import numpy as np
import pytest
from dask.utils import key_split
from distributed.protocol import pickle

from skrbm._estimator.data import LocalData
from skrbm._estimator.learning import learner_of
from skrbm._training.measures import measure
from skrbm.dask._cluster import near
from skrbm.dask._data import DistributedData

from ..helpers.comparison import assert_same_bits
from ..helpers.models import BERNOULLI, GAUSSIAN, SOFTMAX, models


def prepared(client, model, blocks, weights=None, sync_every=2, warm_up=3, **parameters):
    """Data of partitions, ready to learn from, and who learns."""
    data, learner = (
        DistributedData(client, sync_every, warm_up, 0.0),
        learner_of(model.machine(**parameters)),
    )
    if weights is not None:
        weights = list(map(dask.delayed, weights))
    data.read(learner, list(map(dask.delayed, blocks)), weights, reset=True)
    data.prepare(learner, learner._settings(shuffle=True), np.uint64(5))
    return data, learner


@models
def test_the_description_is_that_of_the_rows(client, model):
    """Of the rows that count, of some partitions."""
    X, weights = model.rows(), np.arange(47) % 4 * 2.5
    cuts = [0, 20, 20, 31, 47]
    pairs = [(X[a:b], weights[a:b]) for a, b in pairwise(cuts)]
    data, learner = prepared(client, model, *zip(*pairs, strict=True))
    counted = weights > 0
    rows = learner._form(X[counted])
    rows.weights = weights[counted]
    expected = rows.describe()
    for name in ("n_rows", "n_features", "n_unknown", "dtype", "given_dtype", "extremes"):
        assert_same_bits(getattr(data.rows, name), getattr(expected, name), name)
    np.testing.assert_allclose(data.rows.mean_weight, expected.mean_weight, rtol=1e-13)
    np.testing.assert_allclose(data.rows.summary.means, expected.summary.means, rtol=1e-12)
    assert data.n_parts == 3


@pytest.mark.parametrize(("sizes", "n_updates"), [([47], 10), ([25, 7, 15], 6 + 3), ([1, 46], 13)])
def test_updates_are_counted_as_the_largest_partition_makes_them(client, sizes, n_updates):
    blocks = np.split(BERNOULLI.rows(), np.cumsum(sizes)[:-1])
    data, learner = prepared(client, BERNOULLI, blocks)
    settings = learner._settings(shuffle=True)
    assert data.n_updates(settings, 2, 0) == n_updates
    assert data.n_updates(settings, 2, 7) == n_updates - (3 if len(sizes) > 1 else 0)  # is warm


@models
def test_measures_are_sums_over_the_rows(client, model):
    """Of as few rows as are looked at all; each part is as if it were alone."""
    X = model.rows()
    rbm = model.machine(algorithm="cd", n_iter=1).fit(X)
    data, _ = prepared(client, model, [X[:20], X[20:]], algorithm="cd")
    rows, _ = rbm._read(X)
    state = rbm._state(rows).copy()
    expected, sums = measure(state, rows), data.measure(state)
    assert sums.keys() == expected.keys()
    for name, values in sums.items():
        np.testing.assert_allclose(values, expected[name], rtol=1e-12)


def test_a_reader_travels_light(client):
    """No partition is told the arrays of the machine."""
    X = SOFTMAX.rows()
    rbm = SOFTMAX.machine(n_components=500, n_iter=1).fit(X)
    data = DistributedData(client, 1, 0, 0.0)
    learner = learner_of(rbm)
    seen, compute = [], data._cluster.compute
    data._cluster.compute = lambda values, **options: (
        seen.append(values) or compute(values, **options)
    )
    data.read(learner, [dask.delayed(X)], None, reset=False)
    graph = dict(seen[0][0].dask)
    assert len(pickle.dumps(graph)) < rbm.components_.nbytes / 4


def test_it_is_what_learning_asks_of_data_in_this_process(client):
    data, _ = prepared(client, GAUSSIAN, [GAUSSIAN.rows()])
    local = LocalData(None)
    for name in ("rows", "n_parts", "interruptions", "prepare", "n_updates", "learn", "measure"):
        assert hasattr(data, name)
        assert hasattr(local, name)
    assert set(local.interruptions) <= set(data.interruptions)


def test_only_tasks_with_dependencies_are_near_workers(client, monkeypatch):
    """Others wait for lost workers for ever, if no worker is left when they are to begin."""
    data, learner = prepared(client, BERNOULLI, np.split(BERNOULLI.rows()[:40], 2))
    learner.fit(BERNOULLI.rows())
    state = learner._state(data.rows, 1).copy()
    graphs, compute = [], data._cluster.compute

    def seen(values, **options):
        graphs.extend(value.dask for value in values.values())
        return compute(values, **options)

    monkeypatch.setattr(data._cluster, "compute", seen)
    data.learn(state, learner._settings(shuffle=True))
    data.measure(state)
    layers = [pair for graph in graphs for pair in graph.layers.items()]
    annotated = {key_split(name) for name, layer in layers if layer.annotations}
    assert annotated == {"order_of", "learn", "getitem", "take_measures"}
    with near(["tcp://192.0.2.1:1"]):
        assert dask.delayed(1).dask.layers.popitem()[1].annotations  # what Dask does by itself
