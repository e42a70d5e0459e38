"""What workers do: pure functions of what is sent to them."""

import pickle
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest

from skrbm._estimator.data import LocalData
from skrbm._training.replicas import packed, shared_of
from skrbm.dask import _tasks as tasks

from ..helpers.comparison import assert_same_bits
from ..helpers.models import BERNOULLI, VARIANTS


def frozen(value):
    """A copy as it comes off the wire: arrays that nobody may write to."""
    buffers = []
    data = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    return pickle.loads(data, buffers=[bytes(buffer.raw()) for buffer in buffers])


def job_and_part(name, weighted=False):
    """A job in the middle of a fit, and a partition."""
    variant = VARIANTS[name]
    X = variant.rows()
    rbm = variant.machine().fit(X)
    rows, _ = rbm._read(X)
    if weighted:
        rows.weights = np.arange(len(X)) % 3 + 0.5
    state = rbm._state(rows).copy()
    job = tasks.Job(
        settings=replace(rbm._settings(shuffle=True), span=(state.n_updates, 99)),
        state=replace(state, records=[], n_records=0),
        seeds={0: state.seed, 4: np.uint64(9)},
        shares={0: 0.5, 4: 0.5},
        mean_weight=1.0 if weighted else None,
    )
    data = LocalData(rows, n_scored=9)
    return job, (data, rows.describe(), rows.n_rows), state


@pytest.mark.parametrize("name", VARIANTS)
def test_learning_is_pure(name):
    """What is sent is never written to, and the same gives the same."""
    job, part, state = job_and_part(name)
    chains = packed(state.chains) if job.settings.algorithm != "cd" else None
    common, own = (shared_of(state), None), (None, chains)
    order = tasks.order_of(job, 4, part, state.n_epochs)
    sent = job, 4, part, order, common, own, range(1, 4)
    before = deepcopy([common, own, order])
    one = tasks.learn(*frozen(sent))
    assert_same_bits(tasks.learn(*sent), one)
    assert_same_bits([common, own, order], before)
    assert one[0].n_updates == state.n_updates + 3
    assert (one[1] is None) == (job.settings.algorithm == "cd")
    assert not np.array_equal(
        tasks.learn(*frozen((job, 0, *sent[2:])))[0].arrays[0], one[0].arrays[0]
    )


@pytest.mark.parametrize("name", ["bits, pcd, centred", "learned variance, cd", "categories, pt"])
def test_two_tasks_are_one_of_their_updates(name):
    job, part, state = job_and_part(name)
    chains = packed(state.chains) if job.settings.algorithm != "cd" else None
    start = (shared_of(state), chains)
    order = tasks.order_of(job, 4, part, state.n_epochs)
    whole = tasks.learn(job, 4, part, order, start, start, range(5))
    half = tasks.learn(job, 4, part, order, start, start, range(2))
    assert_same_bits(tasks.learn(job, 4, part, order, half, half, range(2, 5)), whole)


@pytest.mark.parametrize("name", ["bits, cd", "bits, pcd", "bits, pt"])
def test_a_replica_has_the_chains_that_it_is_given(name):
    """Without any they are those of the beginning."""
    job, _, state = job_and_part(name)
    shared, others = shared_of(state), 1 - state.chains
    assert_same_bits(job.replica(4, shared, None).chains, state.chains)
    assert_same_bits(job.replica(4, shared, packed(others)).chains, others)
    assert job.replica(4, shared, None).seed == 9


def test_measures_of_parts_are_by_their_shares():
    job, part, state = job_and_part("bits, pcd")
    sums = tasks.take_measures(job, 4, part, shared_of(state), 0.25)
    assert sums["pseudo_likelihood"][1] == round(9 * 0.5)
    assert "base_rates" not in sums  # they are known
    assert "base_rates" in tasks.take_measures(job, 4, part, shared_of(state), None)
    twice = tasks.add_measures(sums, sums)
    assert_same_bits(twice, {name: tuple(2 * s for s in part) for name, part in sums.items()})


def test_weights_are_relative_to_those_of_all_partitions():
    """The rows themselves stay as they are: other fits may hold them."""
    job, part, state = job_and_part("bits, pcd", weighted=True)
    own = part[0].rows.mean_weight
    heavier = replace(job, mean_weight=2 * job.mean_weight)
    order, start = None, (shared_of(state), packed(state.chains))
    one, two = (
        tasks.learn(each, 4, part, order, start, start, range(3))[0].arrays[0]
        for each in (job, heavier)
    )
    assert not np.array_equal(one, two)
    assert part[0].rows.mean_weight == own


def test_means_of_replicas():
    _, _, state = job_and_part("bits, pcd, centred")
    shared = shared_of(state)
    doubled = shared._replace(
        arrays=tuple(2 * array for array in shared.arrays), n_updates=shared.n_updates + 1
    )
    total, chains = tasks.mean([0.5, 0.25], (shared, "chains"), (doubled, None))
    assert chains is None
    assert_same_bits(total, doubled._replace(arrays=shared.arrays))


@pytest.mark.parametrize("error", [ValueError("bad"), TypeError("bad"), UnicodeError("bad")])
def test_errors_name_the_partition(error):
    message = r"^partition 7 of X: bad$"
    with pytest.raises((TypeError, ValueError), match=message) as caught, tasks.naming(7):
        raise error
    assert type(caught.value) in (TypeError, ValueError)
    assert caught.value.__cause__ is error
    with pytest.raises(LookupError, match=r"^'mine'$"), tasks.naming(7):
        raise KeyError("mine")


def test_reading_leaves_the_reader_as_it_was():
    reader, X = BERNOULLI.machine(), BERNOULLI.rows()
    before = dict(vars(reader))
    table, found, facts = tasks.read(reader, 3, X, None, True)
    assert vars(reader) == before
    assert found is None
    assert (facts.n_rows, facts.features, facts.weight) == (47, {"n_features_in_": 6}, None)
    assert tasks.merge_found(None, None) is None
    assert table[0] is X
