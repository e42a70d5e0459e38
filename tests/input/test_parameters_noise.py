"""Noise variances out of range are refused by name."""

import numpy as np
import pytest
from sklearn.utils._param_validation import InvalidParameterError

from ..helpers.gaussian_machines import correlated_rows, machine


@pytest.fixture(name="X")
def rows(rng):
    return correlated_rows(rng)


BAD = [0, 0.0, -1.0, np.nan, np.inf, None, "auto", "Learned", [], [1.0, 1.0], np.ones((1, 4))]
BAD += [[1.0, 1.0, 0.0, 1.0], [1.0, -1.0, 1.0, 1.0], [1.0, np.nan, 1.0, 1.0], [np.inf] * 4]


@pytest.mark.parametrize("value", BAD, ids=repr)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_noise_variances_out_of_range_are_refused_by_name(X, method, value):
    rbm = machine(noise_variance=value)
    before = set(vars(rbm))
    message = "'noise_variance' parameter of GaussianBernoulliRBM"
    with pytest.raises(InvalidParameterError, match=message):
        getattr(rbm, method)(X)
    assert set(vars(rbm)) == before


def test_the_message_on_a_noise_variance_names_value_and_feature(X):
    with pytest.raises(InvalidParameterError, match=r"-2\.0 for feature 2"):
        machine(noise_variance=[1, 1, -2, 1]).fit(X)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_variance_is_not_learned_from_means(X, method):
    rbm = machine(noise_variance="learned", negative_visibles="mean")
    with pytest.raises(InvalidParameterError, match="noise_variance='learned'"):
        getattr(rbm, method)(X)
    machine(negative_visibles="mean").fit(X)


def test_noise_variances_of_no_number_or_beyond_the_dtype_are_refused(X):
    with pytest.raises(InvalidParameterError, match="noise_variance"):
        machine(noise_variance=["learned"] * 4).fit(X)
    for value in (1e-50, 1e60):
        machine(noise_variance=np.full(4, value), n_iter=0).fit(X * value**0.5)
        with pytest.raises(InvalidParameterError, match="float32"):
            machine(noise_variance=value).fit(X.astype(np.float32))


@pytest.mark.parametrize("value", [{"a": 1}, {1, 2}, [1, None], [1j]])
def test_what_is_no_array_of_noise_variances_is_refused_by_name(X, value):
    with pytest.raises(InvalidParameterError, match="'noise_variance' parameter"):
        machine(noise_variance=value).fit(X)
