"""Epochs with options of training against plain loops, draw for draw."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skrbm._estimator.data import LocalData
from skrbm._input.numbers import NumberRows
from skrbm._training.centring import Centring
from skrbm._training.epoch import train_epoch

from ..helpers.comparison import assert_same_bits
from ..helpers.gaussian_machines import VARIANCE
from ..helpers.machines import some_cases
from ..helpers.softmax_machines import machines
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
from ..oracles.gaussian import GaussianUnits
from ..oracles.softmax import cd_update, compressed
from ..oracles.tempering import train_tempered
from ..oracles.training import Center, train

#: Of each kind: a state, units for the twin, and whether rows are bits or grey.
KINDS = {
    "binary": (binary_state, BinaryUnits),
    "real": (
        partial(gaussian_state, variance=VARIANCE, learned=False),
        lambda b: GaussianUnits(b, VARIANCE),
    ),
    "real, learned": (
        partial(gaussian_state, variance=VARIANCE, learned=True),
        lambda b: GaussianUnits(b, VARIANCE, np.zeros(4)),
    ),
}

MOMENTUM = {"momentum": 0.8, "weight_decay": 0.1, "l1_penalty": 0.05}
OPTIONS = {
    "L1": {"l1_penalty": 0.3},
    "L1 and momentum": MOMENTUM,
    "centring": {"centering": True},
    "centring, momentum and penalties": {"centering": True, **MOMENTUM},
    "centring, means": {"centering": True, "mean_negative_visibles": True, "n_gibbs_steps": 2},
    "centring, whole data": {"centering": True, "batch_size": 50},
}
options_of_all = pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)


def centre(state, options, rng):
    """A centre for the twin, and the same for the state, if there is to be one; about anything."""
    if not options.get("centering"):
        return None
    model = state.model
    data_mean = rng.uniform(0.1, 0.9, len(model.visible.bias))
    hidden_mean = rng.uniform(0.1, 0.9, len(model.hidden.bias))
    state.centring = Centring(data_mean.copy(), hidden_mean.copy())
    return Center(data_mean, hidden_mean)


def of_twin(options):
    """Settings in the words of the twin."""
    return {
        "batch_size": options.batch_size,
        "n_steps": options.n_gibbs_steps,
        "momentum": options.momentum,
        "weight_decay": options.weight_decay,
        "l1_penalty": options.l1_penalty,
        "means": options.mean_negative_visibles,
    }


def rows_of(kind, rng, spread):
    if kind == "binary":
        return rng.random((11, 4))  # grey; the last batch of four is short
    return spread * rng.normal(0.3, 1, (11, 4))


@pytest.mark.parametrize(
    ("kind", "spread"),
    [("binary", 1), ("real", 1), ("real", 30), ("real, learned", 1), ("real, learned", 30)],
)
@pytest.mark.parametrize("algorithm", ["pcd", "cd"])
@options_of_all
def test_an_epoch_equals_the_plain_loops(arrays, rng, kind, algorithm, options, spread):
    """The plain loops count units from their means; 30: steps of real values reach bounds."""
    W, b, c = arrays
    make, units_of = KINDS[kind]
    rate = 0.1 if spread == 1 else 0.02
    V, units, chosen = (
        rows_of(kind, rng, spread),
        units_of(b),
        settings(algorithm=algorithm, learning_rate=rate, **options),
    )
    state = make(W, b, c, n_chains=chosen.n_chains)
    center = centre(state, options, rng)
    train_epoch(state, chosen, LocalData(NumberRows(V)))
    plain_W, plain_c, chains = train(
        V,
        W,
        c,
        units,
        seed=SEED,
        order=np.arange(11),
        learning_rate=rate,
        n_chains=chosen.n_chains if algorithm == "pcd" else None,
        center=center,
        **of_twin(chosen),
    )
    # Normal draws agree to 1e-14; a few updates and rows of size 30 make it 1e-11.
    rtol, atol = (1e-11, 1e-13) if kind == "binary" else (1e-10, 1e-11)
    expected = plain_W, plain_c, *units.parameters
    for ours, plain in zip(state.model.parameters, expected, strict=True):
        assert_allclose(ours, plain, rtol=rtol, atol=atol)
    if algorithm == "pcd":
        assert_allclose(state.chains, chains)
    if center is not None:
        assert_allclose(state.centring.hidden_mean, center.hidden_mean, rtol=1e-10)
        assert_array_equal(state.centring.data_mean, center.data_mean)


@machines
@options_of_all
@pytest.mark.parametrize("ordinal", [False, True])
def test_an_epoch_of_categories_equals_the_plain_loops(machine, options, ordinal, rng):
    """Entries are missing; two epochs in batches of four of 11 rows."""
    rows, chosen = some_rows(machine), settings(algorithm="cd", **options)
    state = softmax_state(machine)
    state.model = replace(state.model, visible=replace(state.model.visible, ordinal=ordinal))
    slopes = np.concatenate([np.linspace(-1, 1, n) if n > 1 else [0] for n in machine.sizes])
    center = centre(state, options, rng)
    parameters, steps, twin = machine.arrays, None, of_twin(chosen)
    size = twin.pop("batch_size")
    for epoch in range(2):
        train_epoch(state, chosen, LocalData(data_of(machine, rows)))
        for k, first in enumerate(range(0, 11, size)):
            parameters, steps = cd_update(
                *compressed(rows[first : first + size]),
                machine.oracle.offsets,
                *parameters,
                seed=SEED,
                update=epoch * -(-11 // size) + k,
                learning_rate=0.1,
                steps=steps,
                center=center,
                slopes=slopes if ordinal else None,
                **twin,
            )
    for ours, plain in zip(state.model.parameters, parameters, strict=True):
        assert_allclose(ours, plain, rtol=1e-11, atol=1e-12)


CASES = some_cases(scale=1)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@options_of_all
def test_an_epoch_of_tempering_equals_the_plain_loops(case, options, rng):
    chosen = settings(algorithm="pt", n_chains=3, **options)
    data, V, W, units = tempered_twin(case, rng)
    state = tempered_state(case, np.zeros((4, 3, len(case.c))))
    center = centre(state, options, rng)
    if center is not None and case.conditional:  # each row observes each feature
        shares = np.add.reduceat(center.data_mean, state.model.visible.categories.offsets[:-1])
        center.data_mean = np.append(center.data_mean, shares)
    plain_W, plain_c, chains = train_tempered(
        V,
        W,
        case.c,
        units,
        base=case.base,
        seed=SEED,
        n_temperatures=4,
        n_chains=3,
        learning_rate=0.1,
        center=center,
        **of_twin(chosen),
    )
    train_epoch(state, chosen, LocalData(data))
    ours = list(state.model.parameters)
    if case.conditional:
        ours[0] = np.vstack([ours[0], ours.pop()])
    for actual, plain in zip(ours, (plain_W, plain_c, *units.parameters), strict=True):
        assert_allclose(actual, plain, rtol=1e-10, atol=1e-11)
    assert_array_equal(state.chains, chains)


# --- rates that fall ---


def linear(n_updates, first=0, n_planned=8):
    return 1 - (n_updates - first) / n_planned


def inverse_sqrt(n_updates):
    return np.sqrt(1000 / (1000 + n_updates))


@pytest.mark.parametrize(
    ("name", "first", "fall"),
    [
        ("constant", 0, lambda n_updates: 1.0),
        ("linear", 0, linear),
        ("linear", 5000, partial(linear, first=5000)),
        ("inverse_sqrt", 0, inverse_sqrt),
        ("inverse_sqrt", 5000, inverse_sqrt),
    ],
)
@pytest.mark.parametrize("centering", [False, True])
def test_an_epoch_with_a_falling_rate_equals_the_plain_loops(
    arrays, rng, name, first, fall, centering
):
    """Also of a machine that has seen 5000 updates."""
    W, b, c = arrays
    V, units = rng.random((11, 4)), BinaryUnits(b)
    options = {"centering": centering, "momentum": 0.5}
    chosen = settings(learning_rate=0.4, learning_rate_schedule=name, span=(first, 8), **options)
    state = binary_state(W, b, c)
    state.n_updates = first
    center = centre(state, options, rng)
    train_epoch(state, chosen, LocalData(NumberRows(V)))
    # Random numbers are named by the number of the update.
    plain_W, plain_c, _ = train(
        V,
        W,
        c,
        units,
        seed=SEED,
        order=np.arange(11),
        learning_rate=lambda update: 0.4 * fall(update),
        n_chains=3,
        center=center,
        first_update=first,
        **of_twin(chosen),
    )
    for ours, plain in zip(
        state.model.parameters, (plain_W, plain_c, *units.parameters), strict=True
    ):
        assert_allclose(ours, plain, rtol=1e-11, atol=1e-13)


# --- averages ---


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("kind", KINDS)
def test_averages_are_those_of_the_plain_loops(arrays, rng, kind, share):
    """Weights t^p - (t - 1)^p, p = 2 / share - 1; learning itself does not notice."""
    W, b, c = arrays
    make, units_of = KINDS[kind]
    V, units = rows_of(kind, rng, 1), units_of(b)
    options = {"centering": True, "momentum": 0.5, "batch_size": 2}
    chosen = settings(average=share, **options)
    state, trajectory = make(W, b, c), []
    center = centre(state, options, rng)
    train_epoch(state, chosen, LocalData(NumberRows(V)))
    twin = of_twin(chosen) | {"seed": SEED, "order": np.arange(11), "learning_rate": 0.1}
    train(V, W, c, units, n_chains=3, center=center, trajectory=trajectory, **twin)
    assert len(trajectory) == state.average.n_updates == 6
    p = 2 / share - 1
    weights = np.diff(np.arange(7.0) ** p) / 6**p
    for k, (average, last) in enumerate(
        zip(state.fitted.parameters, state.model.parameters, strict=True)
    ):
        values = [parameters[k] for parameters in trajectory]
        assert_allclose(last, values[-1], rtol=1e-10, atol=1e-11)
        plain = sum(w * value for w, value in zip(weights, values, strict=True))
        assert_allclose(average, plain, rtol=1e-10, atol=1e-11)


# --- fresh bits of grey rows ---


@pytest.mark.parametrize("algorithm", ["pcd", "cd", "pt"])
@pytest.mark.parametrize("centering", [False, True])
def test_an_epoch_of_fresh_bits_equals_the_plain_loops(arrays, rng, algorithm, centering):
    """The positive phase, and the chains of CD, start at bits drawn from the values."""
    W, b, c = arrays
    V, units = rng.random((11, 4)), BinaryUnits(b)
    chosen = settings(algorithm=algorithm, centering=centering, sample_positive_visibles=True)
    state = binary_state(W, b, c)
    if algorithm == "pt":
        case = CASES["Bernoulli"]
        W, b, c = case.arrays
        state = tempered_state(case, np.zeros((4, 3, 3)))
    center = centre(state, {"centering": centering}, rng)
    given = V.copy()
    train_epoch(state, chosen, LocalData(NumberRows(V)))
    assert_array_equal(V, given)
    twin = of_twin(chosen) | {"seed": SEED, "learning_rate": 0.1, "bits": True, "center": center}
    if algorithm == "pt":
        _, _, _, units = tempered_twin(case, rng)
        twin |= {"base": case.base, "n_temperatures": 4, "n_chains": 3}
        plain_W, plain_c, _ = train_tempered(V, W, c, units, **twin)
    else:
        n_chains = 3 if algorithm == "pcd" else None
        plain_W, plain_c, _ = train(V, W, c, units, order=np.arange(11), n_chains=n_chains, **twin)
    for ours, plain in zip(
        state.model.parameters, (plain_W, plain_c, *units.parameters), strict=True
    ):
        assert_allclose(ours, plain, rtol=1e-10, atol=1e-12)


def test_of_bits_the_fresh_bits_are_the_bits_themselves(arrays, rng):
    """0 is never drawn as 1, nor 1 as 0; so no random number of the rest moves."""
    V = rng.integers(0, 2, (11, 4)).astype(float)
    states = [binary_state(*arrays) for _ in range(2)]
    for state, sample in zip(states, (False, True), strict=True):
        train_epoch(state, settings(sample_positive_visibles=sample), LocalData(NumberRows(V)))
    assert_same_bits(states[1].model.parameters, states[0].model.parameters)
