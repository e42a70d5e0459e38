"""Training data that stay on a cluster: the methods of LocalData, by tasks."""

from dataclasses import replace
from itertools import chain, islice
from operator import getitem
from time import perf_counter
from types import SimpleNamespace

import numpy as np
from dask import delayed
from dask.delayed import Delayed, DelayedLeaf

from .._estimator.parts import (
    Plan,
    bare_copy,
    check_description,
    described_features,
    equal_features,
    learn_form,
)
from .._input.checks import check_total_weight, working_dtype
from .._training.epoch import n_batches_of
from .._training.replicas import packed, shared_of, unpacked, with_shared
from . import _tasks as tasks
from ._cluster import Cluster, near
from ._rounds import mean_tree, rounds, tree, warm_up_rounds

#: Tasks of a graph, at most, unless a round has more.
_MOST_TASKS = 1000
#: Passes of the first partition through its rows, at most, before the others join in: a machine
#: that has learned few rows by heart is a poor start.
_MOST_PASSES = 5
#: Seconds that a graph should take, so that who interrupts a fit loses little.
_SECONDS = 20


class DistributedData:
    """Partitions to learn from; see :class:`~skrbm._estimator.data.LocalData`.

    Parameters
    ----------
    client : distributed.Client
    sync_every : int
        Updates of each partition between two means.
    warm_up : int
        Updates, at most, that the first partition makes alone, in the first epoch.
    momentum : float
        Outer momentum, from round to round of an epoch.
    """

    #: Errors after which the estimator keeps the last finished epoch: it may have taken hours.
    interruptions = (KeyboardInterrupt, Exception)

    def __init__(self, client, sync_every, warm_up, momentum):
        self._cluster, self._momentum = Cluster(client), momentum
        self._sync_every, self._warm_up = sync_every, warm_up
        self._job = self._shared = None
        self._n_rounds = 1  # of the next graph

    def release(self):
        """Free the memory that the partitions take on the cluster."""
        self._cluster.release()

    # --- reading ---

    def read(self, learner, parts, weights, reset):
        """Read the partitions, and let the learner learn their features.

        Parameters
        ----------
        learner : estimator instance
        parts : list of Delayed or Future
        weights : list of Delayed or Future, or None
            Weights of the rows of each.
        reset : bool
            Whether to learn the features, or to check them.
        """
        reader, read = _whole(bare_copy(learner)), delayed(tasks.read, pure=False)
        weights = [None] * len(parts) if weights is None else weights
        parts, weights = (dict(enumerate(map(_anywhere, vs))) for vs in (parts, weights))
        tables = self._near_each(parts, lambda p, part: read(reader, p, part, weights[p], reset))
        tables = self._cluster.compute(tables, of_user=True)
        self._cluster.wait(tables)
        facts = self._cluster.gather(self._places(tables, 2))
        facts = {p: part for p, part in facts.items() if part.n_rows}
        if not facts:
            raise ValueError(
                f"X has no rows that count: all its {len(parts)} partitions are empty, or the "
                "weights of all rows are 0."
            )
        _check_alike(facts)
        self._facts, self._parts = facts, {p: tables[p] for p in facts}
        self._reset, self.n_parts = reset, len(facts)
        if reset:
            found = self._merged(tasks.merge_found, self._places(self._parts, 1))
            learn_form(learner, found, list(facts.values()))
        self.rows = SimpleNamespace(n_features=learner.n_features_in_)

    def prepare(self, learner, settings, seed):
        """Make rows of the partitions, and check what they say together."""
        facts = self._facts.values()
        self._seeds = {p: _seed_of(seed, p) for p in self._parts} | {min(self._parts): seed}
        plan = Plan(
            dtype=working_dtype(np.result_type(*(part.dtype for part in facts))),
            mean_weight=_mean_weight(facts),
            settings=settings,
            alone=self.n_parts == 1,
        )
        reader, form = _whole(bare_copy(learner)), delayed(tasks.form, pure=False)
        data = self._near_each(
            self._parts, lambda p, part: form(reader, p, part, plan, self._seeds[p])
        )
        self._parts = self._cluster.compute(data)  # the workers need not hold tables any more
        self._cluster.wait(self._parts)
        self.rows = self._merged(tasks.merge_descriptions, self._places(self._parts, 1))
        self._sizes = self._cluster.gather(self._places(self._parts, 2))
        check_description(learner, self.rows, self._reset)
        self._settings = settings

    def _places(self, futures, place):
        """Futures of one place of each of the tuples that futures hold."""
        place_of = delayed(getitem, pure=False)
        return self._cluster.compute(
            self._near_each(futures, lambda p, future: place_of(future, place))
        )

    def _near_each(self, futures, make):
        """What a function makes of each partition and its future, to be computed near the latter.

        ``futures`` and the result are dicts by partition.
        """
        holders, values = self._cluster.holders(futures), {}
        for p, future in futures.items():
            with near(holders[p]):
                values[p] = make(p, future)
        return values

    def _merged(self, function, futures):
        """The result of a function of the results of a dict of futures, some at a time."""
        values = [delayed(future) for future in futures.values()]
        return self._cluster.value(tree(delayed(function, pure=False), values))

    # --- training ---

    def n_updates(self, settings, n_epochs, n_before):
        """Number of updates in so many epochs: of the partition that makes the most."""
        n_updates = n_batches_of(max(self._sizes.values()), settings) * n_epochs
        return n_updates + self._n_warm_up(settings, n_before)

    def _n_warm_up(self, settings, n_before):
        """Number of updates of the first partition alone, after so many updates before."""
        if self.n_parts == 1 or n_before > 0:
            return 0
        n_batches = n_batches_of(self._sizes[min(self._sizes)], settings)
        return min(self._warm_up, _MOST_PASSES * n_batches)

    def learn(self, state, settings):
        """All updates of an epoch; changes ``state``, but for its number of epochs."""
        if self._job is None:
            self._job = self._new_job(state, settings)
            self._chains = self._divided(state, settings)
        n_warm_up = self._n_warm_up(settings, state.n_updates)
        todo = chain(
            warm_up_rounds(self._sizes, self._sync_every, n_warm_up),
            rounds(self._sizes, settings, self._sync_every),
        )
        shared = shared_of(state)
        while window := list(islice(todo, self._n_rounds)):
            begin = perf_counter()
            shared = self._make(window, shared)
            self._adapt(perf_counter() - begin)
        vars(state).update(vars(with_shared(state, shared)))
        if settings.algorithm != "cd":
            parts = [unpacked(*own, state.model.dtype) for own in self._chains.values()]
            state.chains = np.concatenate(parts, axis=-2)

    def measure(self, state):
        """Sums over the rows of all partitions."""
        job = self._job or self._new_job(state, self._settings)
        shared = _whole(shared_of(state)) if self._shared is None else self._shared
        measures, misfit = delayed(tasks.take_measures, pure=False), state.base_rate_misfit
        sums = self._near_each(self._parts, lambda p, part: measures(job, p, part, shared, misfit))
        add = delayed(tasks.add_measures, pure=False)
        return self._cluster.value(tree(add, list(sums.values())))

    def _new_job(self, state, settings):
        n_rows = self.rows.n_rows
        job = tasks.Job(
            settings=settings,
            # Chains of CD have no memory, and others travel; nobody asks for records.
            state=replace(state, chains=state.chains[..., :0, :], records=[], n_records=0),
            seeds=self._seeds,
            shares={p: n / n_rows for p, n in self._sizes.items()},
            mean_weight=self.rows.mean_weight,
        )
        return self._cluster.compute({"job": _whole(job)})["job"]

    def _divided(self, state, settings):
        """The chains of each partition, packed; None with CD."""
        if settings.algorithm == "cd":
            return dict.fromkeys(self._parts)
        n_chains, n_parts = state.chains.shape[-2], self.n_parts
        if state.n_epochs == 0:  # all partitions start alike
            return dict.fromkeys(self._parts, packed(state.chains))
        if n_chains % n_parts:
            raise ValueError(
                f"the fitted machine has {n_chains} chains, which {n_parts} partitions cannot "
                "share equally: go on with as many partitions as before, or call fit with "
                "warm_start=False and resume=False to start again."
            )
        parts = np.split(state.chains, n_parts, axis=-2)
        return dict(zip(self._parts, map(packed, parts), strict=True))

    def _make(self, window, shared):
        """Make some rounds as one graph; returns what is common then."""
        learn, mean, order_of, push = (
            delayed(task, pure=False)
            for task in (tasks.learn, tasks.mean, tasks.order_of, tasks.push)
        )
        chains = {p: _whole((None, own)) for p, own in self._chains.items()}
        common, last = _whole((shared, None)), dict(chains)
        holders, orders = self._cluster.holders(self._parts), {}
        for turns in window:
            for p, batches, _ in turns:
                with near(holders[p]):
                    if p not in orders:
                        orders[p] = order_of(self._job, p, self._parts[p], shared.n_epochs)
                    last[p] = learn(
                        self._job, p, self._parts[p], orders[p], common, last[p], batches
                    )
            after = mean_tree(mean, turns, [last[turn.p] for turn in turns])
            if self._momentum and len(turns) > 1:  # a replica alone is no mean
                after = push(self._job, common, after, self._momentum)
            common = after
        place_of = delayed(getitem, pure=False)
        results = {None: place_of(common, 0)}
        for p, pair in last.items():
            if pair is not chains[p] and self._chains[p] is not None:
                with near(holders[p]):
                    results[p] = place_of(pair, 1)
        results = self._cluster.compute(results)
        self._shared = results[None]
        self._chains |= self._cluster.gather(results)
        return self._chains.pop(None)

    def _adapt(self, seconds):
        """Make graphs longer or shorter, as long as they do not have too many tasks."""
        most = max(1, _MOST_TASKS // (self.n_parts + 1))
        if seconds < _SECONDS / 2:
            self._n_rounds = min(2 * self._n_rounds, most)
        elif seconds > _SECONDS:
            self._n_rounds = max(1, self._n_rounds // 2)


def _check_alike(facts):
    """Refuse partitions of other features than the first one has."""
    (first, expected), *others = facts.items()
    for p, part in others:
        if not equal_features(part.features, expected.features):
            raise ValueError(
                f"partition {p} of X has {described_features(part.features)}, but partition "
                f"{first} has {described_features(expected.features)}: all partitions must have "
                "the same features, in the same order."
            )


def _whole(value):
    """One object of a graph, which nobody looks into."""
    return _anywhere(delayed(value, pure=False, traverse=False))


def _anywhere(value):
    """A Delayed object whose graph is there, and not to be made ``near`` where it is used.

    A task of no others that has to be near lost workers waits for them, if no worker is left.
    """
    return Delayed(value.key, value.dask) if isinstance(value, DelayedLeaf) else value


def _seed_of(seed, p):
    """The seed of a partition."""
    return np.random.SeedSequence((int(seed), p)).generate_state(1, np.uint64)[0]


def _mean_weight(facts):
    """Mean of the weights of all rows that count; None: there are none."""
    weights = [part.weight for part in facts]
    if None in weights:
        return None
    total = sum(weights)
    check_total_weight(total)
    return total / sum(part.n_rows for part in facts)
