"""Arrays off the wire lie at odd places: the same bits, and no kernel is called with them."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import issparse

from skrbm._kernels import onehot, updates
from skrbm._kernels.onehot import Order, Phase

from ..helpers.alignment import at_an_odd_place, recorded_odd_places
from ..helpers.comparison import assert_same_model
from ..helpers.models import models_and_containers, variants


@pytest.fixture
def odd(monkeypatch):
    """Kernels that are called with an array at an odd place."""
    return recorded_odd_places(monkeypatch)


def test_arrays_at_odd_places_are_found(odd):
    a, out = at_an_odd_place(np.ones((2, 3))), np.empty(2)
    updates.row_dots.part(a, np.ones((2, 3)), out, 0, 2)
    assert set(odd) == {"row_dots"}
    odd.clear()
    start = at_an_odd_place(np.zeros(1, np.int64))
    order = Order(start, np.empty(0, np.int32), np.empty(0, np.int32))
    phase = Phase(order, np.empty(0, np.int32), out, np.ones((2, 3)), out)
    onehot.accumulate.part(phase, phase, start, np.ones((0, 3)), out, np.ones((2, 3)), 0, 0)
    assert set(odd) == {"accumulate"}


def displaced(rbm):
    """The estimator with all its arrays at odd places and read-only, as they come off the wire."""

    def move(value):
        if isinstance(value, np.ndarray) and value.dtype.kind in "iuf":
            value = at_an_odd_place(value)
            value.flags.writeable = False
        elif isinstance(value, tuple | list):
            value = type(value)(map(move, value))
        elif isinstance(value, dict):
            value = {name: move(item) for name, item in value.items()}
        return value

    out = pickle.loads(pickle.dumps(rbm))
    vars(out).update({name: move(value) for name, value in vars(out).items()})
    assert not out.components_.flags.aligned
    return out


def readings(rbm, X, complete, H):
    """The results of all methods that read a fitted machine."""
    yield "transform", rbm.transform(X)
    yield "score_samples", rbm.score_samples(X)
    yield "free_energy", rbm.free_energy(X)
    yield "energy", rbm.energy(X, H)
    yield "inverse_transform", rbm.inverse_transform(H)
    if "conditional_components_" not in vars(rbm):  # else there is no partition function
        yield "log_partition", rbm.log_partition(random_state=0).value
        annealing = {"method": "ais", "n_chains": 5, "n_betas": 5, "random_state": 0}
        yield "annealing", rbm.log_partition(**annealing).value
    yield "sample", rbm.sample(4, random_state=0)
    yield "tempering", rbm.sample(4, method="tempering", random_state=0)
    yield "gibbs", rbm.gibbs(complete, random_state=0)
    for name in ("predict_ratings", "conditional_proba"):
        if hasattr(rbm, name):
            yield name, getattr(rbm, name)(X)


def values(result):
    results = result if isinstance(result, list | tuple) else [result]
    return [r.toarray() if issparse(r) else r for r in results]


@models_and_containers
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_reading_arrays_at_odd_places(model, container, dtype, odd):
    X, complete = (container(rows().astype(dtype)) for rows in (model.rows, model.complete))
    rbm = model.machine().fit(X)
    H = np.random.default_rng(0).integers(0, 2, (X.shape[0], 3)).astype(dtype)
    arguments = tuple(map(at_an_odd_place, (X, complete, H)))
    expected = readings(rbm, X, complete, H)
    for (name, actual), (_, desired) in zip(
        readings(displaced(rbm), *arguments), expected, strict=True
    ):
        for a, b in zip(values(actual), values(desired), strict=True):
            assert_array_equal(a, b, name, strict=True)
    assert not odd


@models_and_containers
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_learning_from_rows_at_odd_places(model, container, dtype, odd):
    X = container(model.rows().astype(dtype))
    weights = np.random.default_rng(0).random(X.shape[0])
    expected = model.machine().fit(X, sample_weight=weights)
    moved, weights = at_an_odd_place(X), at_an_odd_place(weights)
    assert_same_model(model.machine().fit(moved, sample_weight=weights), expected)
    assert not odd


@variants
def test_going_on_with_a_state_at_odd_places(variant, odd):
    X = variant.rows()
    rbm = variant.machine().fit(X)
    actual, expected = displaced(rbm).partial_fit(X), rbm.partial_fit(X)
    assert_same_model(actual, expected)
    assert not odd
