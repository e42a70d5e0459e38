"""What has no meaning is refused in words: numbers out of range, masks, odd options."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skrbm import BernoulliRBM, GaussianBernoulliRBM
from skrbm._inference import partition
from skrbm._machine import threads

from .partition_machines import bernoulli_machine, gaussian_machine, learned_machine, models

QUICK = {"n_chains": 10, "n_betas": 20, "random_state": 0}

# --- parameters that were put in --------------------------------------------------------------


@pytest.mark.parametrize("make", [gaussian_machine, learned_machine])
@pytest.mark.parametrize("value", [np.inf, np.nan, 0.0, -1.0])
def test_noise_must_be_positive_and_finite(make, value):
    estimator = make().estimator
    estimator.noise_variance_[1] = value
    for read in (
        lambda: estimator.transform(np.zeros((1, 2))),
        lambda: estimator.sample(2, n_gibbs_steps=1),
        lambda: estimator.impute([[0.0, np.nan]]),
        lambda: estimator.log_partition("exact"),
        lambda: estimator.log_partition("ais", **QUICK),
        lambda: estimator.partial_fit(np.zeros((2, 2))),
    ):
        with pytest.raises(ValueError, match="positive and finite"):
            read()


def assert_too_large(estimator, method):
    """Of weights that are finite while their sums are not; a warning would be an error here."""
    estimator.components_ = np.full_like(estimator.components_, 1e308)
    with pytest.raises(ValueError, match=r"log Z is .* too large to sum over"):
        estimator.log_partition(method, **QUICK)


@models
@pytest.mark.parametrize("method", ["exact", "ais", "reverse_ais"])
def test_a_partition_function_beyond_all_bounds_is_refused(make, method, monkeypatch):
    monkeypatch.setattr(threads, "get_num_threads", lambda: 1)
    assert_too_large(make().estimator, method)


@models
def test_a_partition_function_beyond_all_bounds_is_refused_by_threads(make, monkeypatch):
    monkeypatch.setattr(partition, "_TABLE", 1)
    monkeypatch.setattr(threads, "WORTH_A_THREAD", 1)
    monkeypatch.setattr(threads, "get_num_threads", lambda: 3)
    assert_too_large(make().estimator, "exact")


@models
def test_parameters_that_are_no_numbers_are_refused(make):
    estimator = make().estimator
    estimator.components_[0, 0] = np.nan
    for read in (
        lambda: estimator.log_partition("exact"),
        lambda: estimator.log_partition("ais", **QUICK),
        lambda: estimator.sample(2, n_gibbs_steps=1, method="tempering"),
    ):
        with pytest.raises(ValueError, match="finite parameters"):
            read()


# --- masked arrays ----------------------------------------------------------------------------


@pytest.mark.parametrize("model", [BernoulliRBM, GaussianBernoulliRBM])
@pytest.mark.parametrize("method", ["transform", "score_samples", "free_energy", "partial_fit"])
@pytest.mark.parametrize("dtype", [int, np.float32, np.float64])
def test_masked_entries_are_refused_where_all_must_be_known(model, method, dtype):
    X = np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]], dtype)
    rbm = model(2, n_iter=1, random_state=0).fit(X)
    with pytest.raises(ValueError, match=r"masks entries.*impute"):
        getattr(rbm, method)(np.ma.masked_array(X, X == 0))
    with pytest.raises(ValueError, match="masks entries"):
        model(2).fit(np.ma.masked_array(X, X == 0))


@pytest.mark.parametrize("model", [BernoulliRBM, GaussianBernoulliRBM])
@pytest.mark.parametrize("method", ["transform", "score_samples", "free_energy"])
@pytest.mark.parametrize("mask", [np.ma.nomask, False])
def test_a_mask_that_masks_nothing_is_none(model, method, mask):
    X = np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]], float)
    rbm = model(2, n_iter=1, random_state=0).fit(X)
    actual = getattr(rbm, method)(np.ma.masked_array(X, mask))
    assert not isinstance(actual, np.ma.MaskedArray)
    assert_array_equal(actual, getattr(rbm, method)(X))


# --- options ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [lambda name: np.array([name]), lambda name: [name], str.encode])
def test_an_option_is_a_string(kind):
    estimator = bernoulli_machine().estimator
    with pytest.raises(ValueError, match=r"method must be 'gibbs' or 'tempering'\. Got "):
        estimator.sample(method=kind("gibbs"))
    with pytest.raises(ValueError, match=r"method must be 'auto', .* or 'reverse_ais'\. Got "):
        estimator.log_partition(kind("exact"))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_log_partition_that_is_no_number_is_refused(value):
    machine = bernoulli_machine()
    with pytest.raises(ValueError, match="log_partition must be finite"):
        machine.estimator.log_likelihood(machine.dense(machine.states), value)
