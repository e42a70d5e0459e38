"""What the tests of GaussianBernoulliRBM share: small data and small machines."""

import pytest

from skrbm import GaussianBernoulliRBM

noise_variances = pytest.mark.parametrize("noise_variance", [1.0, "learned"])
ARRAYS = ("components_", "intercept_visible_", "intercept_hidden_", "noise_variance_")


def correlated_rows(rng):
    """47 rows of variance 1, shifted a little: a batch of 10 does not divide them."""
    X = rng.normal(size=(47, 4)) @ rng.normal(size=(4, 4))
    return (X - X.mean(axis=0)) / X.std(axis=0) + 0.1


def machine(**parameters):
    defaults = {"n_components": 3, "n_iter": 3, "batch_size": 10, "random_state": 0}
    return GaussianBernoulliRBM(**defaults | parameters)
