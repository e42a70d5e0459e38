"""The same seed gives the same bits, whoever watches; other seeds give others."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone

from ..helpers.callbacks import Hook, needs_callbacks
from ..helpers.comparison import assert_same_model
from ..helpers.models import models, variants


@variants
def test_the_same_seed_gives_the_same_bits(variant):
    X = variant.rows()
    expected = variant.machine().fit(X)
    assert_same_model(variant.machine().fit(X), expected)
    assert_same_model(clone(expected).fit(X), expected)
    state = np.random.RandomState(0)
    assert_same_model(variant.machine(random_state=state).fit(X), expected)
    # The state has moved on.
    moved = variant.machine(random_state=state).fit(X)
    assert (moved.components_ != expected.components_).any()
    other = clone(expected).set_params(random_state=1).fit(X)
    assert (other.components_ != expected.components_).any()


@models
def test_no_seed_means_numpys_global_one(model):
    X, saved = model.rows(), np.random.get_state()
    try:
        np.random.seed(0)
        first, second = (model.machine(random_state=None).fit(X) for _ in range(2))
    finally:
        np.random.set_state(saved)
    assert_same_model(first, model.machine(random_state=0).fit(X))
    assert (first.components_ != second.components_).any()


@needs_callbacks
@variants
@pytest.mark.parametrize("verbose", [1, 2, True])
def test_the_same_bits_whatever_verbose_and_callbacks(variant, verbose, capsys):
    X = variant.rows()
    silent, seen = variant.machine().fit(X), []
    hook = Hook(lambda epoch, X, y, fitted: seen.append(fitted.score(X)))
    loud = variant.machine(verbose=verbose).set_callbacks(hook)
    assert_same_model(loud.fit(X), silent)
    assert len(seen) == 3
    assert seen[-1] == silent.score(X)
    loud, silent = variant.machine(verbose=verbose), variant.machine()
    assert_same_model(loud.partial_fit(X).partial_fit(X), silent.partial_fit(X).partial_fit(X))
    assert len(capsys.readouterr().out.splitlines()) == 5


@variants
def test_float32_training_follows_float64(variant):
    """Same seed, same draws: until rounding tips a draw, the machines stay together."""
    X = variant.rows()
    options = {"learning_rate": 0.1, "n_iter": 3}
    double, single = (
        variant.machine(**options).fit(X.astype(dtype)) for dtype in (np.float64, np.float32)
    )
    for name in variant.model.arrays:
        if getattr(double, name) is not None:
            np.testing.assert_allclose(getattr(single, name), getattr(double, name), atol=1e-5)
    assert_array_equal(single.h_samples_, double.h_samples_)
    for name in variant.model.predictors:
        actual, expected = getattr(single, name)(X.astype(np.float32)), getattr(double, name)(X)
        np.testing.assert_allclose(actual, expected, 1e-3)
