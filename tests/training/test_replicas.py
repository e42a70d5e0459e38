"""Replicas: what they have in common, means of it, and one round beside one step of all rows."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skrbm._training.epoch import run_updates
from skrbm._training.phases import ALGORITHMS
from skrbm._training.replicas import (
    Shared,
    packed,
    pushed,
    shared_of,
    unpacked,
    weighted_sum,
    with_shared,
)

from ..helpers.comparison import assert_same_bits
from ..helpers.models import VARIANTS, variants
from ..helpers.numbers import dtypes


def learning(variant, dtype=np.float64, **parameters):
    """A state of training with all that learning remembers, settings, and rows."""
    X = variant.rows().astype(dtype)
    rbm = variant.machine(**parameters).fit(X)
    rows, _ = rbm._read(X)
    return rbm._state(rows).copy(), rbm._settings(shuffle=True), rows


def written(state):
    """The arrays that learning writes to in place."""
    average = () if state.average is None else state.average.model.parameters
    return [
        *state.model.parameters,
        *state.optimizer.velocity,
        state.centring.hidden_mean,
        *average,
    ]


def unaligned(array):
    """The same numbers where no array should begin, and nobody may write."""
    memory = np.empty(array.nbytes + 1, np.uint8)[1:]
    out = memory.view(array.dtype).reshape(array.shape)
    out[...] = array
    out.flags.writeable = False
    return out


# --- what replicas have in common ---


@variants
@dtypes
def test_a_state_of_what_is_common_is_the_same_state(variant, dtype):
    state, *_ = learning(variant, dtype)
    shared = shared_of(state)
    assert all(a is b for a, b in zip(shared.arrays, written(state), strict=True))
    again = with_shared(state, shared)
    assert_same_bits(again, state)
    assert all(array.ctypes.data % 64 == 0 for array in written(again))  # for speed


@variants
def test_what_a_replica_learns_reaches_nobody(variant):
    """Neither the state that it is like, nor what is common: it may be in read-only memory."""
    state, settings, rows = learning(variant)
    shared = shared_of(state)
    travelled = shared._replace(arrays=tuple(map(unaligned, shared.arrays)))
    before = [array.copy() for array in written(state)]
    replica, again = with_shared(state, travelled), state.copy()
    for other in (replica, again):
        run_updates(other, settings, rows, range(3))
    assert_same_bits(written(state), before)
    assert_same_bits(travelled.arrays, tuple(before))
    assert replica.n_updates == state.n_updates + 3
    assert_same_bits(replica, again)
    for array in written(replica):
        array += 7
    assert_same_bits(written(state), before)
    assert_same_bits(travelled.arrays, tuple(before))


@variants
def test_a_replica_follows_what_is_common_and_keeps_what_is_its_own(variant):
    state, settings, rows = learning(variant)
    ahead = state.copy()
    run_updates(ahead, settings, rows, range(3))
    ahead.n_epochs += 1
    replica = with_shared(replace(state, seed=np.uint64(5)), shared_of(ahead))
    assert_same_bits(replica, replace(ahead, seed=np.uint64(5), chains=state.chains))


@variants
def test_a_replica_may_have_neither_momentum_nor_average_before(variant):
    """A state of the first round, which has learned nothing yet."""
    state, *_ = learning(variant)
    fresh = replace(state, optimizer=type(state.optimizer)(), average=None)
    assert_same_bits(with_shared(fresh, shared_of(state)), state)
    assert_same_bits(with_shared(state, shared_of(fresh)), fresh)


# --- means ---


def some_shared(rng, n, dtype=np.float64):
    """Of parts that have made different numbers of updates; the third one has made most."""
    shapes = (4, 3), (3,), (4,), (3,)
    return [
        Shared(
            tuple(rng.normal(0, 1, shape).astype(dtype) for shape in shapes),
            10 + (k == 2),
            3,
            (9 + (k == 2), k),
        )
        for k in range(n)
    ]


@dtypes
def test_a_single_part_keeps_every_bit(rng, dtype):
    (part,) = some_shared(rng, 1, dtype)
    part.arrays[0][0] = 0.1, -0.0, np.finfo(dtype).max
    total = weighted_sum([1], [part])
    assert_same_bits(total, part)
    assert_array_equal(np.signbit(total.arrays[0]), np.signbit(part.arrays[0]))
    for array in total.arrays:
        array += 1  # an array of its own
    assert part.arrays[0][0, 0] == dtype(0.1)


@dtypes
def test_parts_are_weighed(rng, dtype):
    parts = some_shared(rng, 4, dtype)
    before = [[array.copy() for array in part.arrays] for part in parts]
    weights = [0.1, 0.3, 0.4, 0.2]
    total = weighted_sum(weights, parts)
    mean = weighted_sum([0.25] * 4, parts)
    tolerance = 8 * np.finfo(dtype).eps
    for array, equal, *own in zip(
        total.arrays, mean.arrays, *(part.arrays for part in parts), strict=True
    ):
        assert array.dtype == dtype
        assert_allclose(array, np.tensordot(weights, own, 1), rtol=0, atol=tolerance)
        assert_allclose(equal, np.mean(own, axis=0), rtol=0, atol=tolerance)
    for part, arrays in zip(parts, before, strict=True):
        assert_same_bits(list(part.arrays), arrays)


def test_counts_are_those_of_the_part_that_is_furthest(rng):
    parts = some_shared(rng, 4)
    for order in ([0, 1, 2, 3], [2, 3, 1, 0], [3, 2]):
        total = weighted_sum([1 / len(order)] * len(order), [parts[k] for k in order])
        assert (total.n_updates, total.n_epochs, total.averaged) == (11, 3, (10, 2))


def test_sums_of_sums_are_those_of_all_parts(rng):
    parts, weights = some_shared(rng, 7), rng.dirichlet(np.ones(7))
    flat = weighted_sum(weights, parts)
    cuts = slice(0, 3), slice(3, 5), slice(5, 7)
    nested = weighted_sum([1] * 3, [weighted_sum(weights[cut], parts[cut]) for cut in cuts])
    for a, b in zip(nested.arrays, flat.arrays, strict=True):
        assert_allclose(a, b, rtol=0, atol=1e-15)
    assert nested[1:] == flat[1:]


# --- a round ---


def mean_field(state, phases, n_steps, means):
    """CD without chance: the means are followed in place of samples."""
    model = state.model
    h = model.hidden.mean(model.hidden_input(phases.positive))
    x = model.visible_input(h)
    phases.replace_negative(model.visible.mean_rows(x, phases.negative))
    h_neg = model.hidden.mean(model.hidden_input(phases.negative))
    return np.concatenate((h, h_neg)), state.chains


PLAIN = {"algorithm": "cd", "centering": False, "average": False, "momentum": 0.0}
ROUNDS = {
    "bits": ("bits, cd", PLAIN),
    "bits, momentum": ("bits, cd", PLAIN | {"momentum": 0.5}),
    "bits, average": ("bits, cd", PLAIN | {"average": 0.4}),
    "bits, penalties": ("bits, cd", PLAIN | {"weight_decay": 0.1, "l1_penalty": 0.05}),
    "real values": ("real values, cd", PLAIN),
    "learned variance": ("learned variance, cd", PLAIN),
    "categories": ("categories", PLAIN),
    "categories, conditional": ("categories, conditional", PLAIN | {"n_gibbs_steps": 1}),
}


@pytest.mark.parametrize(("name", "parameters"), ROUNDS.values(), ids=ROUNDS)
@pytest.mark.parametrize("weighted", [False, True])
def test_rounds_of_one_update_are_steps_along_the_mean_gradient_of_all_rows(
    name, parameters, weighted, rng, monkeypatch
):
    """Of parts of different sizes, none of which has the mean weight of all rows.

    No step here is so long that real-valued units bound it.
    """
    monkeypatch.setitem(ALGORITHMS, "cd", mean_field)
    state, settings, rows = learning(VARIANTS[name], **parameters)
    settings = replace(settings, shuffle=False, batch_size=rows.n_rows)
    cuts = np.split(np.arange(rows.n_rows), [5, 17])
    if weighted:
        rows.weights = np.repeat([0.5, 1.7, 1.0], [len(cut) for cut in cuts])
        rows.weights *= rng.uniform(0.5, 1.5, rows.n_rows)
    parts = [rows.part(cut) for cut in cuts]
    for part in parts if weighted else ():
        part.mean_weight = rows.mean_weight
    weights = [part.n_rows / rows.n_rows for part in parts]
    whole, shared = state.copy(), shared_of(state)
    before = [array.copy() for array in shared.arrays]
    for _ in range(3):
        replicas = [with_shared(state, shared) for _ in parts]
        for replica, part in zip(replicas, parts, strict=True):
            run_updates(replica, settings, part, range(1))
        shared = weighted_sum(weights, [shared_of(replica) for replica in replicas])
        run_updates(whole, settings, rows, range(1))
    expected = shared_of(whole)
    assert shared[1:] == expected[1:]
    for ours, theirs in zip(shared.arrays, expected.arrays, strict=True):
        assert_allclose(ours, theirs, rtol=1e-12, atol=1e-14)
    assert all((a != b).any() for a, b in zip(before[:3], shared.arrays[:3], strict=True))


@dtypes
def test_outer_momentum_moves_parameters_as_rounds_before_have_moved(rng, dtype):
    """``velocity = momentum * velocity + (mean - start)``; other arrays are those of the mean."""
    (shared,) = some_shared(rng, 1, dtype)
    position, velocity = [a.astype(np.float64) for a in shared.arrays[:2]], [0, 0]
    for _ in range(3):
        (after,) = some_shared(rng, 1, dtype)
        before = [array.copy() for array in (*shared.arrays, *after.arrays)]
        moved = pushed(shared, after, 0.7, 2)
        assert_same_bits([*shared.arrays, *after.arrays], before)
        for k in range(2):
            velocity[k] = 0.7 * velocity[k] + after.arrays[k] - position[k]
            position[k] = position[k] + velocity[k]
            assert_allclose(moved.arrays[k], position[k], rtol=1e-5, atol=1e-5)
            assert_allclose(moved.outer[k], velocity[k], rtol=1e-5, atol=1e-5)
        assert_same_bits(moved.arrays[2:], after.arrays[2:])
        assert {array.dtype for array in (*moved.arrays, *moved.outer)} == {np.dtype(dtype)}
        assert moved[1:4] == after[1:4]
        shared = moved


# --- chains ---


@dtypes
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (8, 8), (0, 4), (4, 3, 7), (2, 1, 9)])
def test_chains_of_bits_travel_in_an_eighth_of_a_byte_each(shape, dtype, rng):
    chains = rng.integers(0, 2, shape).astype(dtype)
    for given in (chains, np.asfortranarray(chains), unaligned(chains), chains[::-1]):
        bits, found = packed(given)
        assert bits.nbytes == -(-chains.size // 8)
        again = unpacked(bits, found, dtype)
        assert_same_bits(again, given)
        assert again.flags.writeable
        assert again.flags.c_contiguous


@dtypes
@pytest.mark.parametrize("number", [0.5, 2.0, -1.0, np.nan, np.inf])
def test_chains_that_somebody_has_set_travel_as_they_are(dtype, number, rng):
    chains = rng.integers(0, 2, (4, 3, 7)).astype(dtype)
    chains[1, 2, 3] = number
    kept = chains.copy()
    again = unpacked(*packed(chains), dtype)
    again_too = unpacked(*packed(chains), dtype)
    assert_same_bits(again, kept)
    again[...] = 0
    assert_same_bits(again_too, kept)
    assert_same_bits(chains, kept)
