"""The form of rows: both forms keep one protocol, whatever X is."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from ..helpers.models import models


def containers(model, X):
    """X in each form that the model reads."""
    yield np.asarray(X)
    if model.name != "GaussianBernoulliRBM":
        row, column = np.nonzero(~np.isnan(X))
        form = sparse.coo_array((X[row, column], (row, column)), shape=X.shape)
        yield form.tocsr() if model.name == "SoftmaxRBM" else sparse.csr_array(X)


@pytest.fixture(name="cases")
def rows_of_every_form(model):
    """Rows of X in each form, and what they hold as an array."""
    X = np.asarray(model.rows())
    rbm = model.machine(n_iter=0).fit(X)
    return [(rbm, X, container, rbm._rows(container)) for container in containers(model, X)]


def values(rbm, v):
    """Rows of a visible layer as an array, NaN where an entry is missing."""
    layer = rbm._machine(float).visible
    return layer.categories.decode(v, float) if hasattr(layer, "categories") else v


@models
def test_rows_are_those_of_the_data(cases):
    for rbm, X, _, rows in cases:
        assert (rows.n_rows, rows.n_features) == X.shape
        assert rows.dtype == np.float64
        assert rows.n_unknown == np.isnan(X).sum()
        for which in (slice(2, 9), slice(0, len(X), 5), np.array([7, 0, 7])):
            assert_array_equal(values(rbm, rows.read(which)), X[which])


@models
def test_rows_named_by_an_array_are_their_own(cases):
    """Chains overwrite them."""
    for rbm, X, container, rows in cases:
        before = container.copy()
        v = rows.read(np.arange(5))
        if hasattr(v, "entries"):
            v.entries[:] = 0
        else:
            v[:] = -1
        assert_array_equal(values(rbm, rows.read(slice(0, 5))), X[:5])
        assert (before != container).sum() == 0 or np.isnan(X).any()


@models
def test_blocks_are_all_rows_in_their_order(cases):
    for _, X, _, rows in cases:
        for work in ({}, {"per_row": 10}, {"per_row": 2**21}, {"per_row": 2**40, "per_entry": 0}):
            blocks = list(rows.blocks(**work))
            assert blocks[0].start == 0
            assert blocks[-1].stop == len(X)
            for block, following in itertools.pairwise(blocks):
                assert block.stop == following.start
        assert [block.stop - block.start for block in rows.blocks(2**40, 0)] == [1] * len(X)


@models
def test_map_puts_the_results_of_blocks_below_one_another(cases):
    for rbm, _, _, rows in cases:
        machine = rbm._machine(float)
        whole = machine.hidden_input(rows.read(slice(0, rows.n_rows)))
        for work in ({}, {"per_row": 2**20}):
            mapped = rows.map(machine.hidden_input, **work)
            np.testing.assert_allclose(mapped, whole, rtol=1e-12, atol=1e-12)


@models
def test_complete_rows_keep_what_is_known(cases, rng):
    for rbm, X, _, _ in cases[:1]:
        holes = np.where(rng.random(X.shape) < 0.3, np.nan, X)
        rows = rbm._rows(holes, allow_unknown=True)
        which = np.array([4, 0, 4, 11])
        v, known = rows.complete(which)
        assert_array_equal(known, ~np.isnan(holes[which]))
        assert_array_equal(values(rbm, v)[known], holes[which][known])
        if hasattr(v, "entries"):
            assert v.n_entries == known.size


@models
def test_rows_are_given_back_in_the_form_of_the_data(cases):
    for _, X, container, rows in cases:
        back = rows.as_given(rows.read(np.arange(6)))
        categories = hasattr(rows, "categories")
        assert sparse.issparse(back) == (categories and sparse.issparse(container))
        if sparse.issparse(back):
            assert (back != container[:6]).nnz == 0
            assert back.nnz == (~np.isnan(X[:6])).sum()
        else:
            assert_array_equal(back, X[:6])


@models
def test_a_summary_counts_by_the_weights_that_rows_have_now(cases, rng):
    """Whoever warns of the data asks for a summary before the weights are there."""
    for _, X, _, rows in cases:
        before = rows.summary.means
        rows.weights = np.ones(len(X))
        rows.weights = weights = rng.uniform(0.1, 3, len(X))
        np.testing.assert_allclose(rows.mean_weight, weights.mean())
        assert (rows.summary.means != before).any()
        part = rows.part(np.arange(5))
        part.weights = rows.weights = None
        assert_array_equal(rows.summary.means, before)
        np.testing.assert_allclose(part.summary.n_rows, 5)


@models
@pytest.mark.parametrize("weighted", [False, True])
def test_a_part_has_its_rows_and_their_weights(cases, weighted, rng):
    """In the order asked for, and of its own."""
    which = np.array([9, 2, 2, 40])
    for rbm, X, container, rows in cases:
        if weighted:
            rows.weights = rng.uniform(0.1, 3, len(X))
        part = rows.part(which)
        assert (part.n_rows, part.n_features, part.dtype) == (4, X.shape[1], rows.dtype)
        assert_array_equal(values(rbm, part.read(slice(0, 4))), X[which])
        assert_array_equal(part.weights, rows.weights[which] if weighted else None)
        assert type(part.X) is type(container)
        assert part.n_unknown == np.isnan(X[which]).sum()


@models
@pytest.mark.parametrize("weighted", [False, True])
def test_distinct_rows_add_up_the_weights_of_equal_ones(model, weighted, rng):
    """Whatever their order, and whatever the order of X; -0.0 is 0.0, and NaN is NaN."""
    some = np.asarray(model.rows())[:9]
    some[0] = 0.0
    X = np.repeat(some, [3, 1, 2, 1, 4, 1, 1, 2, 1], axis=0)
    X[1] = -0.0
    weights = rng.uniform(0.1, 3, len(X)) if weighted else np.ones(len(X))
    expected = {}
    for x, weight in zip(X, weights, strict=True):
        key = tuple("missing" if np.isnan(value) else value + 0.0 for value in x)
        expected[key] = expected.get(key, 0) + weight
    rbm = model.machine(n_iter=0).fit(X)
    orders = []
    for container in containers(model, X):
        for order in (np.arange(len(X)), rng.permutation(len(X))):
            rows = rbm._rows(container[order])
            rows.weights = weights[order] if weighted else None
            distinct = rows.distinct()
            found = values(rbm, distinct.read(slice(0, distinct.n_rows))) + 0.0
            keys = [tuple("missing" if np.isnan(v) else v for v in x) for x in found]
            assert len(keys) == len(set(keys)) == len(expected)
            for key, weight in zip(keys, distinct.weights, strict=True):
                np.testing.assert_allclose(weight, expected[key], rtol=1e-14)
            orders.append(keys)
    assert all(keys == orders[0] for keys in orders)


@models
def test_distinct_rows_of_distinct_rows_have_no_weights(model):
    X = np.diag([1, 1, 0.5, 0.5, 1, 1])
    X = X if model.name != "SoftmaxRBM" else np.where(X > 0, X, np.nan)
    rows = model.machine(n_iter=0).fit(X)._rows(X).distinct()
    assert rows.n_rows == 6
    assert rows.weights is None
