"""Rows that go from one process to another: what they take, and where their arrays arrive."""

import copy
import pickle
import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from skrbm._input.numbers import NumberRows
from skrbm._machine.memory import Travelling
from skrbm._machine.onehot import Categories, OneHotRows

from ..helpers.alignment import recorded_odd_places
from ..helpers.models import SOFTMAX, models_and_containers
from ..helpers.ratings import stored


def rows_of(model, container):
    rbm = model.machine().fit(container(model.rows()))
    rows = rbm._rows(container(model.rows(1)))
    rows.weights = np.random.default_rng(0).random(rows.n_rows)
    return rbm, rows


def unpickled(value):
    """By protocol 5: the buffers come apart, at odd places and read-only."""
    buffers = []
    data = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    moved = []
    for buffer in buffers:
        room = memoryview(bytearray(buffer.raw().nbytes + 65))
        place = np.frombuffer(room, np.uint8).__array_interface__["data"][0]
        part = room[(1 - place) % 64 :][: buffer.raw().nbytes]
        part[:] = buffer.raw()
        moved.append(part.toreadonly())
    assert buffers
    return pickle.loads(data, buffers=moved)


@models_and_containers
def test_rows_off_the_wire_are_read_as_they_were(model, container, monkeypatch):
    rbm, rows = rows_of(model, container)
    assert rows.summary  # remembered, with arrays of its own
    arrived = unpickled(rows)
    odd, machine = recorded_odd_places(monkeypatch), rbm._machine(rows.dtype)
    for which in (slice(3, 30), np.arange(0, 40, 2)):
        inputs = [machine.hidden_input(r.read(which)) for r in (arrived, rows)]
        assert_array_equal(*inputs, strict=True)
    first, second = (machine.visible.phases(r, slice(0, 20), None) for r in (arrived, rows))
    for phases in (first, second):
        phases.replace_negative(phases.positive)
    h = np.random.default_rng(0).random((40, 3)).astype(rows.dtype)
    for a, b in zip(*(machine.gradient_sums(p, h) for p in (first, second)), strict=True):
        assert_array_equal(a, b, strict=True)
    del arrived.summary
    assert arrived.summary.n_rows == rows.summary.n_rows
    assert not odd


def test_the_order_of_rows_off_the_wire_is_aligned():
    _, rows = rows_of(SOFTMAX, stored)
    rows.onehot.by_feature(rows.categories)
    order = unpickled(rows).onehot.by_feature(rows.categories)
    assert all(array.flags.aligned for array in order)
    assert_array_equal(order.entry, rows.onehot.by_feature(rows.categories).entry)


def test_categories_off_the_wire_are_aligned():
    categories = Categories([np.arange(3.0), np.arange(2.0)])
    assert len(categories.offsets) == 3
    arrived = unpickled(categories)
    assert arrived.offsets.flags.aligned
    assert_array_equal(arrived.values, categories.values)
    assert_array_equal(copy.deepcopy(categories).offsets, categories.offsets)


# --- sizes ---


def assert_size(value, arrays):
    assert isinstance(value, Travelling)
    size = sys.getsizeof(value) - sum(array.nbytes for array in arrays)
    assert 0 < size < 200
    dask_sizeof = pytest.importorskip("dask.sizeof").sizeof
    assert dask_sizeof(value) == sys.getsizeof(value)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array, sparse.csr_matrix])
def test_size_of_rows_of_numbers(kind, rng):
    X = kind((rng.random((300, 40)) < 0.3).astype(float))
    arrays = [X] if kind is np.asarray else [X.data, X.indices, X.indptr]
    rows = NumberRows(X)
    assert_size(rows, arrays)
    rows.weights = rng.random(300)
    assert_size(rows, [*arrays, rows.weights])


def test_a_view_has_the_size_of_what_it_shows(rng):
    X = rng.random((300, 40))
    assert_size(NumberRows(X[:30]), [X[:30]])


def test_size_of_one_hot_rows(rng):
    indptr, codes = np.arange(0, 601, 2), np.tile(np.arange(2, dtype=np.int32), 300)
    rows = OneHotRows(indptr, codes)
    assert_size(rows, [indptr, codes])
    weights = rng.random(600)
    assert_size(OneHotRows(indptr, codes, weights), [indptr, codes, weights])
    order = rows.by_feature(Categories([np.zeros(1), np.zeros(1)]))
    assert_size(rows, [indptr, codes, *order])


@pytest.mark.parametrize("container", [np.asarray, stored])
def test_size_of_rows_of_categories(container):
    """Features that share an array of categories hold it once."""
    _, rows = rows_of(SOFTMAX, container)
    X, onehot = rows.X, rows.onehot
    arrays = [X] if container is np.asarray else [X.data, X.indices, X.indptr]
    arrays += [rows.weights, onehot.indptr, onehot.codes]
    categories = [value for value in vars(rows.categories).values() if type(value) is np.ndarray]
    assert_size(rows, [*arrays, *categories, rows.categories.by_feature[0]])
