"""Epochs against plain loops, draw for draw, and the order in which rows are read."""

import math
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skrbm import BernoulliRBM
from skrbm._estimator.data import LocalData
from skrbm._input.numbers import NumberRows
from skrbm._training.epoch import row_order, train_epoch

from ..helpers.gaussian_machines import VARIANCE
from ..helpers.machines import some_cases
from ..helpers.softmax_machines import MACHINES, machines, random_machine
from ..helpers.training import (
    SEED,
    binary_state,
    data_of,
    gaussian_state,
    settings,
    softmax_state,
    some_rows,
    tempered_state,
    tempered_twin,
)
from ..oracles.bernoulli import BinaryUnits
from ..oracles.common import states
from ..oracles.gaussian import GaussianUnits
from ..oracles.softmax import cd_update, compressed
from ..oracles.tempering import train_tempered
from ..oracles.training import train

# --- the plain twins ---


def order_of(options, state, n_rows=11):
    """The order of rows in the next epoch."""
    order = row_order(options, state.seed, state.n_epochs, n_rows)
    return np.arange(n_rows) if order is None else order


def binary(b):
    return {"state": binary_state, "units": BinaryUnits(b), "exact": (1e-11, 1e-13)}


def real(b, learned=False):
    """Normal draws agree to 1e-14; a few updates and rows of size 30 make it 1e-11."""
    return {
        "state": partial(gaussian_state, variance=VARIANCE, learned=learned),
        "units": GaussianUnits(b, VARIANCE, np.zeros(4) if learned else None),
        "exact": (1e-10, 1e-11),
    }


KINDS = {"binary": binary, "real": real, "real, learned": partial(real, learned=True)}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("algorithm", ["pcd", "cd"])
@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"n_gibbs_steps": 3},
        {"momentum": 0.8, "weight_decay": 0.1},
        {"momentum": 0.5, "learning_rate": 0.02},
        {"mean_negative_visibles": True},
        {"batch_size": 50},
        {"batch_size": 1, "n_chains": 40},
    ],
    ids=str,
)
def test_an_epoch_equals_the_plain_loops_draw_for_draw(
    arrays, rng, kind, algorithm, shuffle, changes
):
    W, b, c = arrays
    twin, V = KINDS[kind](b), rng.random((11, 4))  # the last batch of four is short
    if kind != "binary":
        spread = 30 if "learning_rate" in changes else 1  # 30: steps reach their bounds
        V = spread * rng.normal(0.3, 1, (11, 4))
    options = settings(algorithm=algorithm, shuffle=shuffle, **changes)
    state = twin["state"](W, b, c, n_chains=options.n_chains)
    order = order_of(options, state)
    train_epoch(state, options, LocalData(NumberRows(V)))
    plain_W, plain_c, plain_chains = train(
        V,
        W,
        c,
        twin["units"],
        seed=11,
        order=order,
        batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        n_steps=options.n_gibbs_steps,
        n_chains=options.n_chains if algorithm == "pcd" else None,
        momentum=options.momentum,
        weight_decay=options.weight_decay,
        means=options.mean_negative_visibles,
    )
    rtol, atol = twin["exact"]
    expected = (plain_W, plain_c, *twin["units"].parameters)
    for ours, plain in zip(state.model.parameters, expected, strict=True):
        assert_allclose(ours, plain, rtol=rtol, atol=atol)
    if algorithm == "pcd":
        assert_allclose(state.chains, plain_chains)


def test_the_bound_holds_after_every_step(arrays):
    _, b, _ = arrays
    state = gaussian_state(np.zeros((4, 3)), b, np.full(3, -50.0), VARIANCE, learned=True)
    V = np.tile(b, (400, 1))  # no spread at all: the variance falls as fast as it can
    options = settings(learning_rate=0.9, batch_size=200, n_chains=200)
    for _ in range(20):
        train_epoch(state, options, LocalData(NumberRows(V)))
        assert (state.model.visible.noise_variance >= 0.000999999 * VARIANCE).all()
    assert state.model.visible.log_ratio.min() == math.log(0.001)


# --- the plain twin ---


@machines
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"n_gibbs_steps": 2},
        {"n_gibbs_steps": 3, "momentum": 0.8, "weight_decay": 0.1},
        {"mean_negative_visibles": True},
        {"mean_negative_visibles": True, "n_gibbs_steps": 2, "momentum": 0.5},
        {"batch_size": 50, "shuffle": True},
        {"batch_size": 1, "weight_decay": 0.5},
        {"shuffle": True},
    ],
    ids=str,
)
def test_an_epoch_of_categories_equals_the_plain_loops_draw_for_draw(machine, changes):
    """Batches of four of 11 rows: the last is short; alone, the empty row is a batch."""
    rows = some_rows(machine)
    options = settings(algorithm="cd", **changes)
    state = softmax_state(machine)
    order = order_of(options, state)
    for _ in range(2):
        train_epoch(state, options, LocalData(data_of(machine, rows)))
        if options.shuffle:
            break  # another order
    W, c, b, *U = machine.arrays
    parameters, steps = [W, c, b, *U], None
    epochs = 1 if options.shuffle else 2
    firsts = [first for _ in range(epochs) for first in range(0, 11, options.batch_size)]
    for update, first in enumerate(firsts):
        batch = [rows[r] for r in order[first : first + options.batch_size]]
        parameters, steps = cd_update(
            *compressed(batch),
            machine.oracle.offsets,
            *parameters,
            seed=SEED,
            update=update,
            learning_rate=options.learning_rate,
            n_steps=options.n_gibbs_steps,
            momentum=options.momentum,
            weight_decay=options.weight_decay,
            means=options.mean_negative_visibles,
            steps=steps,
        )
    assert state.n_updates == len(firsts)
    assert len(state.model.parameters) == len(parameters)
    for ours, plain in zip(state.model.parameters, parameters, strict=True):
        assert_allclose(ours, plain, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("conditional", [False, True])
def test_an_epoch_of_many_rows_equals_the_plain_loops(conditional):
    """Blocks of more than 32 entries of a feature, and rows of up to nine."""
    sizes = (3, 1, 5, 2, 2, 4, 3, 2, 5)
    machine = random_machine(sizes, 4, conditional, scale=0.5)
    rng = np.random.default_rng(2)
    offsets = machine.oracle.offsets
    rows = [
        tuple(offsets[i] + rng.integers(n) for i, n in enumerate(sizes) if rng.random() < 0.6)
        for _ in range(130)
    ]
    state = softmax_state(machine)
    options = settings(algorithm="cd", batch_size=90, n_gibbs_steps=2)
    train_epoch(state, options, LocalData(data_of(machine, rows)))
    parameters, steps = machine.arrays, None
    for update, batch in enumerate((rows[:90], rows[90:])):
        parameters, steps = cd_update(
            *compressed(batch),
            offsets,
            *parameters,
            seed=SEED,
            update=update,
            learning_rate=0.1,
            n_steps=2,
            steps=steps,
        )
    for ours, plain in zip(state.model.parameters, parameters, strict=True):
        assert_allclose(ours, plain, rtol=1e-11, atol=1e-12)


def test_rows_without_entries_teach_nothing_but_decay():
    """No gradient of any block; not even of the hidden bias."""
    for machine in MACHINES.values():
        state = softmax_state(machine)
        train_epoch(state, settings(algorithm="cd"), LocalData(data_of(machine, [()] * 5)))
        for ours, before in zip(state.model.parameters, machine.arrays, strict=True):
            assert_array_equal(ours, before)


CASES = some_cases(scale=1)


cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


@cases
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"n_gibbs_steps": 2},
        {"n_gibbs_steps": 3, "momentum": 0.8, "weight_decay": 0.1},
        {"mean_negative_visibles": True},
        {"mean_negative_visibles": True, "n_gibbs_steps": 3, "batch_size": 50},
        {"n_chains": 5, "batch_size": 3, "n_temperatures": 2},
        {"n_chains": 1, "batch_size": 6, "n_temperatures": 5},
    ],
    ids=str,
)
def test_an_epoch_of_tempering_equals_the_plain_loops_draw_for_draw(case, changes, rng):
    """Batches of four of 11 rows: the last one is short."""
    changes = dict(changes)
    n_temperatures = changes.pop("n_temperatures", 4)
    options = settings(algorithm="pt", **changes)
    data, V, W, units = tempered_twin(case, rng)
    chains = np.zeros((n_temperatures, options.n_chains, len(case.c)))
    state = tempered_state(case, chains)
    train_epoch(state, options, LocalData(data))
    plain_W, plain_c, plain_chains = train_tempered(
        V,
        W,
        case.c,
        units,
        base=case.base,
        seed=SEED,
        n_temperatures=n_temperatures,
        n_chains=options.n_chains,
        batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        n_steps=options.n_gibbs_steps,
        momentum=options.momentum,
        weight_decay=options.weight_decay,
        means=options.mean_negative_visibles,
    )
    ours = list(state.model.parameters)
    if case.conditional:
        ours[0] = np.vstack([ours[0], ours.pop()])
    for actual, plain in zip(ours, (plain_W, plain_c, *units.parameters), strict=True):
        assert_allclose(actual, plain, rtol=1e-10, atol=1e-11)
    assert_array_equal(state.chains, plain_chains)


def order(seed, n_epochs, n_rows=1000):
    return row_order(settings(shuffle=True), np.uint64(seed), n_epochs, n_rows)


def test_row_order_is_a_permutation_that_depends_on_seed_and_epoch():
    first = order(1, 0)
    assert_array_equal(np.sort(first), np.arange(1000))
    assert_array_equal(first, order(1, 0))
    # Two random permutations agree in one place on average, seldom in ten.
    for other in (np.arange(1000), order(1, 1), order(2, 0)):
        assert (first == other).sum() < 10


def test_without_shuffling_rows_are_in_their_own_order():
    assert row_order(settings(shuffle=False), np.uint64(1), 0, 1000) is None


def test_a_batch_larger_than_the_data_takes_no_memory():
    X = states(3)[:7]
    huge, whole = (
        BernoulliRBM(2, batch_size=b, n_iter=2, algorithm="cd", random_state=0).fit(X)
        for b in (10**12, 7)
    )
    assert_array_equal(huge.components_, whole.components_)
    assert huge.h_samples_.shape == (7, 2)
