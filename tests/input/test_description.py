"""Descriptions of training data: those of parts, merged, are that of all rows."""

from functools import reduce

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skrbm._input.description import Description

from ..helpers.comparison import assert_same_bits
from ..helpers.models import BERNOULLI, GAUSSIAN, SOFTMAX, models_and_containers

NAMES = ("n_rows", "n_features", "n_unknown", "dtype", "given_dtype", "all_whole", "is_sparse")


def rows_of(model, X, weights=None):
    rows, _ = model.machine(n_iter=0).fit(X)._read(X)
    rows.weights = weights
    return rows


def assert_same_description(actual, desired):
    for name in NAMES:
        assert getattr(actual, name) == getattr(desired, name), name
    if desired.extremes is not None:
        assert tuple(actual.extremes) == tuple(desired.extremes)
    assert (actual.weight is None) == (desired.weight is None)
    if desired.weight is not None:
        assert_allclose(actual.weight, desired.weight, rtol=1e-12)
        assert_allclose(actual.mean_weight, desired.mean_weight, rtol=1e-12)
    assert type(actual.summary) is type(desired.summary)
    assert_allclose(actual.summary.means, desired.summary.means, rtol=1e-12, atol=1e-14)


@models_and_containers
@pytest.mark.parametrize("weighted", [False, True])
def test_parts_merged_are_described_as_all_rows(model, container, weighted, rng):
    X = model.rows()
    weights = rng.uniform(0.1, 5, len(X)) if weighted else None
    rows = rows_of(model, container(X), weights)
    cuts = np.split(np.arange(len(X)), [5, 6, 30])
    parts = [rows.part(cut).describe() for cut in cuts]
    for order in (parts, parts[::-1]):
        assert_same_description(reduce(Description.merged, order), rows.describe())


@models_and_containers
def test_a_description_says_what_the_rows_say(model, container, rng):
    X, weights = model.rows(), rng.uniform(0.1, 5, 47)
    rows = rows_of(model, container(X), weights)
    description = rows.describe()
    for name in ("n_rows", "n_features", "n_unknown", "dtype", "summary"):
        assert getattr(description, name) is getattr(rows, name), name
    assert_allclose(description.mean_weight, rows.mean_weight, rtol=1e-14)
    assert_allclose(description.weight, weights.sum(), rtol=1e-14)
    assert description.onehot is None
    names = {BERNOULLI: ("given_dtype", "extremes", "all_whole"), SOFTMAX: ("is_sparse",)}
    for name in names.get(model, ()):
        assert_same_bits(getattr(description, name), getattr(rows, name))
    if model is SOFTMAX:
        assert description.categories is rows.categories
    if model is GAUSSIAN:
        assert description.extremes is None


def test_parts_of_other_values_and_dtypes():
    """The lowest and highest of all; whole numbers only if they are so in all parts."""
    whole = rows_of(BERNOULLI, np.ones((3, 2), np.float32)).describe()
    grey = rows_of(BERNOULLI, np.full((2, 2), 0.25)).describe()
    for merged in (whole.merged(grey), grey.merged(whole)):
        assert tuple(merged.extremes) == (0.25, 1)
        assert (whole.all_whole, grey.all_whole, merged.all_whole) == (True, False, False)
        assert merged.given_dtype == np.float64
        assert (merged.n_rows, merged.weight, merged.mean_weight) == (5, None, None)


def test_one_sparse_part_makes_all_sparse():
    X = SOFTMAX.rows()
    dense, stored = (rows_of(SOFTMAX, form(X)).describe() for form in SOFTMAX.containers)
    assert not dense.merged(dense).is_sparse
    assert dense.merged(stored).is_sparse
    assert stored.merged(dense).is_sparse
