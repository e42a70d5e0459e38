"""Ratings with gaps, and machines that learn them."""

import numpy as np
import pytest
from scipy import sparse

from skrbm import SoftmaxRBM

from .comparison import assert_same_bits, assert_same_model

N_ROWS, N_FEATURES = 23, 6


HALF_STARS = np.arange(0, 5.5, 0.5)


def ratings(missing=0.4, seed=1, categories=HALF_STARS, n_rows=N_ROWS):
    """Half stars, 0 among them, exact in every dtype of floats; one row holds nothing."""
    rng = np.random.default_rng(seed)
    X = rng.choice(categories, (n_rows, N_FEATURES))
    X[rng.random(X.shape) < missing] = np.nan
    if missing:
        X[4] = np.nan
    return X


def machine(**parameters):
    """23 rows leave a short last batch."""
    defaults = {"n_components": 3, "n_iter": 2, "batch_size": 10, "random_state": 0}
    return SoftmaxRBM(**defaults | parameters)


def stored(X):
    """CSR of the entries that are no NaN; zeros are stored."""
    rows, columns = np.nonzero(~np.isnan(X))
    return sparse.csr_array((X[rows, columns], (rows, columns)), shape=X.shape)


def assert_same(actual, expected):
    """The same bits, but for the dtype that categories came in and the names of features."""
    assert_same_bits(
        [c.astype(float) for c in actual.categories_],
        [c.astype(float) for c in expected.categories_],
    )
    names = ["feature_names_in_", "categories_", "_categories", "_base_rate_bias"]
    assert_same_model(actual, expected, but=names)


BOTH = pytest.mark.parametrize("conditional", [False, True])


CATEGORIES = [[0.0, 1, 2], [1, 5], [-1, 0.5, 2, 7], [3], [0, 1, 2], [0, 4]]


def mixed_rows(rng):
    """Features of one to four categories; row 4 holds nothing, row 5 everything."""
    X = np.stack([rng.choice(values, 12) for values in CATEGORIES], axis=1)
    X[rng.random(X.shape) < 0.4] = np.nan
    X[4] = np.nan
    X[5] = [values[-1] for values in CATEGORIES]
    return X


def fitted(X, conditional=False, seed=3, **parameters):
    """A machine of large weights, so that every entry depends on all others."""
    rbm = machine(categories=CATEGORIES, conditional=conditional, n_iter=0, **parameters).fit(X)
    rng = np.random.default_rng(seed)
    rbm.components_ = rng.normal(0, 1.5, rbm.components_.shape)
    rbm.intercept_visible_ = rng.normal(0, 1, rbm.intercept_visible_.shape)
    rbm.intercept_hidden_ = rng.normal(0, 1, rbm.intercept_hidden_.shape)
    if conditional:
        rbm.conditional_components_ = rng.normal(0, 1.5, rbm.conditional_components_.shape)
    return rbm
