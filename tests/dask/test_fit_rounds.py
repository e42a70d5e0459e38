"""Rounds: one step along the mean gradient, warm-up, schedules; the same bits on any cluster."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import dask
import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone

import skrbm.dask
from skrbm import BernoulliRBM
from skrbm.dask import _data

from ..helpers.callbacks import Hook, needs_callbacks
from ..helpers.clusters import in_this_process
from ..helpers.comparison import assert_same_model
from ..helpers.models import VARIANTS
from ..oracles.common import bernoulli

# --- beside plain loops -----------------------------------------------------------------------

#: 5, 2 and 4 mini-batches of 5.
SIZES, BATCH = (25, 7, 16), 5


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def seeds_of(seed, n):
    """The first partition has the streams of one computer."""
    others = [np.random.SeedSequence((seed, p)).generate_state(1, np.uint64)[0] for p in range(n)]
    return [seed, *map(int, others[1:])]


class Plain:
    """Synchronous gradient ascent in plain NumPy."""

    def __init__(self, W, b, c, parts, weights, seeds, algorithm):
        self.W, self.b, self.c, self.t = W.copy(), b.copy(), c.copy(), 0
        self.parts, self.weights, self.seeds = parts, weights, seeds
        self.chains = None if algorithm == "cd" else [np.zeros((BATCH, len(c))) for _ in parts]
        self.velocity = [0, 0, 0]

    def sums(self, p, rows):
        """Sums of the gradients of some rows of a partition, by their weights."""
        v, w = self.parts[p][rows], self.weights[p][rows, np.newaxis]
        h_pos = sigmoid(v @ self.W + self.c)
        cd = self.chains is None
        h = bernoulli(h_pos, self.seeds[p], self.t, 0) if cd else self.chains[p]
        v_neg = bernoulli(sigmoid(h @ self.W.T + self.b), self.seeds[p], self.t, 1)
        h_neg = sigmoid(v_neg @ self.W + self.c)
        w_neg = w
        if not cd:
            self.chains[p] = bernoulli(h_neg, self.seeds[p], self.t, 2)
            w_neg = np.full((BATCH, 1), len(v) / BATCH)
        phases = (v, h_pos, w), (v_neg, h_neg, -w_neg)
        return [
            sum(block(v, h, w) for v, h, w in phases)
            for block in (
                lambda v, h, w: v.T @ (w * h),
                lambda v, h, w: (w * v).sum(axis=0),
                lambda v, h, w: (w * h).sum(axis=0),
            )
        ]

    def step(self, rate, batches, momentum=0):
        """One step along the mean gradient of the union of mini-batches, a dict by partition."""
        sums = [self.sums(p, rows) for p, rows in batches.items()]
        n = sum(len(self.parts[p][rows]) for p, rows in batches.items())
        for k, (array, *blocks) in enumerate(zip((self.W, self.b, self.c), *sums, strict=True)):
            self.velocity[k] = momentum * self.velocity[k] + rate * sum(blocks) / n
            array += self.velocity[k]
        self.t += 1


def batches_of(p):
    return [slice(k, k + BATCH) for k in range(0, SIZES[p], BATCH)]


@pytest.mark.parametrize(("algorithm", "weighted"), [("cd", True), ("pcd", False)])
@pytest.mark.parametrize(
    ("warm_up", "schedule", "momentum"), [(0, "constant", 0), (7, "linear", 0), (7, "linear", 0.6)]
)
def test_a_round_of_one_update_is_a_step_along_the_mean_gradient(
    client, algorithm, weighted, warm_up, schedule, momentum, rng
):
    """So a partition of few mini-batches takes no part in the last rounds of an epoch.

    Outer momentum is then momentum. It begins at rest in each epoch, and ends where a partition
    is left alone.
    """
    X = (rng.random((sum(SIZES), 6)) < 0.4).astype(float)
    weights = rng.integers(1, 5, len(X)) * 0.5 if weighted else np.ones(len(X))
    cuts = np.cumsum(SIZES)[:-1]
    parts, own = np.split(X, cuts), np.split(weights, cuts)
    rbm = BernoulliRBM(
        3,
        n_iter=2,
        batch_size=BATCH,
        n_chains=BATCH,
        learning_rate=0.5,
        learning_rate_schedule=schedule,
        algorithm=algorithm,
        centering=False,
        average=False,
        shuffle=False,
        random_state=0,
    )
    options = {"sample_weight": list(map(dask.delayed, own))} if weighted else {}
    start = clone(rbm).set_params(learning_rate=1e-300, n_iter=1)
    start.fit(X, sample_weight=weights if weighted else None)
    skrbm.dask.fit(
        rbm,
        list(map(dask.delayed, parts)),
        sync_every=1,
        warm_up=warm_up,
        outer_momentum=momentum,
        **options,
    )
    plain = Plain(
        start.components_.T,
        start.intercept_visible_,
        start.intercept_hidden_,
        parts,
        [w / weights.mean() for w in own],
        seeds_of(int(start._seed), len(SIZES)),
        algorithm,
    )
    n_updates = warm_up + 2 * 5  # of the partition of most mini-batches

    def rate():
        return 0.5 * (1 - plain.t / n_updates if schedule == "linear" else 1)

    for batch in itertools.islice(itertools.cycle(batches_of(0)), warm_up):
        plain.step(rate(), {0: batch})
    for _ in range(2):
        plain.velocity = [0, 0, 0]
        for turns in itertools.zip_longest(*map(batches_of, range(3))):
            batches = {p: rows for p, rows in enumerate(turns) if rows is not None}
            plain.step(rate(), batches, momentum if len(batches) > 1 else 0)
    assert rbm._n_updates == plain.t == n_updates
    assert_allclose(rbm.components_, plain.W.T, rtol=1e-9, atol=1e-12)
    assert_allclose(rbm.intercept_visible_, plain.b, rtol=1e-9, atol=1e-12)
    assert_allclose(rbm.intercept_hidden_, plain.c, rtol=1e-9, atol=1e-12)
    if algorithm == "pcd":
        np.testing.assert_array_equal(rbm.h_samples_, np.concatenate(plain.chains))


@pytest.mark.parametrize(
    ("batch_size", "n_chains"),
    [(4, 12), (40, 100), pytest.param(150, 150, marks=pytest.mark.cluster)],
)
def test_each_partition_has_the_chains_of_all_batches_up_to_a_hundred(
    client, batch_size, n_chains
):
    parts = [dask.delayed(np.eye)(4) for _ in range(3)]
    rbm = BernoulliRBM(2, batch_size=batch_size, n_iter=1, random_state=0)
    assert skrbm.dask.fit(rbm, parts).h_samples_.shape == (3 * n_chains, 2)
    assert skrbm.dask.fit(rbm, parts[:1]).h_samples_.shape == (batch_size, 2)
    rbm.set_params(n_chains=7)
    assert skrbm.dask.fit(rbm, parts).h_samples_.shape == (21, 2)


def test_the_first_partition_does_not_learn_its_rows_by_heart(client):
    rbm = BernoulliRBM(2, batch_size=2, n_iter=2, learning_rate_schedule="linear", random_state=0)
    skrbm.dask.fit(rbm, [dask.delayed(np.ones)((n, 3)) for n in (4, 7, 5)])
    assert rbm._n_updates == 5 * 2 + 2 * 4  # five passes, then two epochs of the largest one
    assert rbm.history_["learning_rate"][1] == pytest.approx(0.7 * 4 / 18)


# --- the same bits ----------------------------------------------------------------------------

#: Chains or none, velocities, averages, centring, tempering.
NAMES = ["bits, pcd, centred", "categories, ordinal, pt"]
#: More partitions than one task adds up, and of unequal size.
N_PARTS = 10


def fitted(name, client, callback=None):
    """A fit of partitions that the cluster can make again."""
    variant = VARIANTS[name]
    X = variant.rows(n_rows=70)
    parts = [*np.array_split(X[:63], N_PARTS - 1), X[63:]]
    rbm = variant.machine(n_iter=2, batch_size=4)
    if callback is not None:
        rbm.set_callbacks(callback)
    return skrbm.dask.fit(
        rbm,
        list(map(dask.delayed, parts)),
        client=client,
        sync_every=1,
        warm_up=3,
        outer_momentum=0.5,
    )


@pytest.fixture(scope="module")
def references(client):
    return {name: fitted(name, client) for name in NAMES}


@pytest.mark.parametrize(
    ("n_workers", "n_threads"), [(1, 1), pytest.param(1, 4, marks=pytest.mark.cluster), (4, 1)]
)
def test_any_number_of_workers_and_threads(references, n_workers, n_threads):
    with in_this_process(n_workers, n_threads) as client:
        for name, expected in references.items():
            assert_same_model(fitted(name, client), expected)


def test_any_number_of_rounds_in_a_graph(client, references, monkeypatch):
    monkeypatch.setattr(_data, "_MOST_TASKS", 1)
    assert_same_model(fitted(NAMES[0], client), references[NAMES[0]])
    monkeypatch.setattr(_data, "_MOST_TASKS", 1000)
    monkeypatch.setattr(_data, "_SECONDS", 0)
    assert_same_model(fitted(NAMES[1], client), references[NAMES[1]])


def test_two_fits_at_once(client, references):
    names = [NAMES[0], NAMES[0], NAMES[1]]
    with ThreadPoolExecutor(3) as pool:
        for name, rbm in zip(names, pool.map(partial(fitted, client=client), names), strict=True):
            assert_same_model(rbm, references[name])


@pytest.mark.cluster
def test_an_adaptive_cluster(references):
    """It grows for each graph, and shrinks after it, also by workers that hold partitions."""
    with in_this_process(1) as client:
        adaptive = client.cluster.adapt(
            minimum=1, maximum=3, interval="10ms", wait_count=1, target_duration="10ms"
        )
        for name in NAMES:
            assert_same_model(fitted(name, client), references[name])
        assert {"up", "down"} <= {change["status"] for _, change in adaptive.log}


@pytest.mark.cluster
@needs_callbacks
def test_workers_come_and_go(references):
    """After the first epoch a worker comes, and one that holds partitions goes."""
    with in_this_process(2) as client:
        first = next(iter(client.scheduler_info()["workers"]))

        def change(epoch, X, y, fitted):
            if epoch == 1:
                client.cluster.scale(3)
                client.wait_for_workers(3)
                client.retire_workers([first])

        again = fitted(NAMES[0], client, Hook(change))
        assert first not in client.scheduler_info()["workers"]
    assert_same_model(again, references[NAMES[0]])
