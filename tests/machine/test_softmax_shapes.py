"""A layer of categories refuses arrays of other shapes before a kernel runs."""

import numpy as np
import pytest

from skrbm._machine.keys import Purpose
from skrbm._machine.onehot import Categories, OneHotPhases
from skrbm._machine.softmax import Queries, SoftmaxInput, SoftmaxLayer

from ..helpers.softmax_layers import CATEGORIES, N_CODES, N_HIDDEN, SIZES, layer, rows_of_codes
from ..helpers.softmax_machines import one_hot

KEY = Purpose.VISIBLE.key(np.uint64(1), 0)
MORE = Categories([np.arange(n) for n in (*SIZES, 3)])


@pytest.fixture(name="rows")
def some_rows():
    return one_hot(rows_of_codes())


@pytest.fixture(name="parts", params=[False, True], ids=["plain", "conditional"])
def layer_and_weights(request, rng):
    return layer(rng, np.float64, request.param)


def test_rows_of_another_number_are_refused(parts, rows):
    visible, weights, h = parts
    x, t = visible.input(h, weights), np.zeros((len(h), N_HIDDEN))
    fewer = rows[:-1]
    complete = CATEGORIES.complete_rows(len(h) + 1)
    phases, row_weights = OneHotPhases(rows[:40], rows[40:]), np.ones(len(h))
    calls = [
        lambda: visible.sample(x, KEY, out=fewer),
        lambda: visible.sample(x, KEY, out=complete),
        lambda: visible.mean_rows(x, fewer),
        lambda: visible.squared_error(fewer, x),
        lambda: visible.pseudo_likelihood(fewer, t, weights),
        lambda: visible.gradient(phases, h[:-1], row_weights, weights),
        lambda: visible.gradient(phases, h, row_weights[:-1], weights),
    ]
    for call in calls:
        with pytest.raises(ValueError, match=r"visible rows met .* rows of the other layer"):
            call()


def test_rows_of_other_categories_are_refused(parts, rows):
    """As they would be if another thread fitted the estimator between two readings of it."""
    visible, weights, h = parts
    x = visible.input(h, weights)
    other = MORE.complete_rows(len(h))
    calls = [
        lambda: visible.forward(other, weights),
        lambda: visible.energy(other),
        lambda: visible.sample(x, KEY, out=other),
        lambda: visible.mean_rows(x, other),
        lambda: visible.squared_error(other, x),
        lambda: visible.pseudo_likelihood(other, h, weights),
        lambda: visible.gradient(OneHotPhases(rows, other), np.r_[h, h], np.ones(220), weights),
    ]
    for call in calls:
        with pytest.raises(ValueError, match=f"rows of {N_CODES + 3} categories met a machine"):
            call()
    rows.codes[7] = N_CODES  # rows that do not know how many there are
    with pytest.raises(ValueError, match="met a machine of"):
        visible.forward(rows, weights)


def test_weights_of_another_shape_are_refused(parts, rows):
    visible, weights, h = parts
    few, narrow = weights[:-1], np.ascontiguousarray(weights[:, 1:])
    queries = Queries(np.zeros(len(SIZES) + 1, int), np.zeros(0, np.int32), np.zeros(0, np.int32))
    for call in (
        lambda: visible.forward(rows, few),
        lambda: visible.input(h, few),
        lambda: visible.gradient(OneHotPhases(rows[:0], rows), h, h[:, 0], few),
        lambda: visible.log_conditionals(queries, h, few),
    ):
        with pytest.raises(ValueError, match=r"weights of shape .* met a layer of"):
            call()
    with pytest.raises(ValueError, match=f"{N_HIDDEN} hidden units met weights of"):
        visible.input(h, narrow)
    with pytest.raises(ValueError, match=r"do not fit hidden inputs|met a layer of"):
        visible.conditional_means(queries, h, narrow)
    beyond = queries._replace(row=np.array([len(h)], np.int32))
    with pytest.raises(ValueError, match="do not fit hidden inputs of shape"):
        visible.conditional_means(beyond, h, weights)
    assert isinstance(visible.input(h, weights), SoftmaxInput)


def test_conditional_weights_of_other_features_are_refused(rng):
    visible, _, _ = layer(rng, np.float64, conditional=True)
    with pytest.raises(ValueError, match="conditional_components_ is for 6 features, but"):
        SoftmaxLayer(visible.bias, CATEGORIES, visible.conditional[:-1])
