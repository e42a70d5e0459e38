"""Small data and small machines of real values."""

import numpy as np
import pytest

from skrbm import GaussianBernoulliRBM

noise_variances = pytest.mark.parametrize("noise_variance", [1.0, "learned"])


ARRAYS = ("components_", "intercept_visible_", "intercept_hidden_", "noise_variance_")


def correlated_rows(rng, n_rows=47, n_features=4):
    """Rows of variance 1, shifted a little: a batch of 10 does not divide 47."""
    X = rng.normal(size=(n_rows, n_features)) @ rng.normal(size=(n_features, n_features))
    return (X - X.mean(axis=0)) / X.std(axis=0) + 0.1


def machine(**parameters):
    defaults = {"n_components": 3, "n_iter": 3, "batch_size": 10, "random_state": 0}
    return GaussianBernoulliRBM(**defaults | parameters)


badly_scaled_expected = pytest.mark.filterwarnings(
    "ignore:GaussianBernoulliRBM has noise of standard deviation:UserWarning"
)


VARIANCE = np.array([0.3, 1.0, 2.5, 0.8])
