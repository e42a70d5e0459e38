"""The estimator's log_partition: its arguments, and machines that have none."""

from copy import deepcopy

import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import NotFittedError

from skrbm import BernoulliRBM, GaussianBernoulliRBM, SoftmaxRBM
from skrbm._inference import partition
from skrbm._machine import crew, threads

from ..helpers.comparison import assert_same_bits
from ..helpers.partition_machines import (
    QUICK,
    bernoulli_machine,
    gaussian_machine,
    learned_machine,
    models,
    without_weights,
)
from ..helpers.softmax_machines import random_machine


@pytest.mark.parametrize("method", ["ais", "reverse_ais"])
def test_random_state_of_estimates(method):
    estimator = bernoulli_machine().estimator

    def estimate(random_state):
        options = {"n_chains": 3, "n_betas": 5, "random_state": random_state}
        return estimator.log_partition(method, **options)

    assert estimate(7) == estimate(7) == estimate(np.random.RandomState(7))
    state = np.random.RandomState(7)
    results = [estimate(r) for r in (state, state, 8, None, None)]
    assert len({result.value for result in results}) == 5


@models
def test_estimates_do_not_change_the_estimator_or_init(make, rng):
    machine = make()
    init = machine.dense(machine.exact_draws(rng, 4))
    before = deepcopy((vars(machine.estimator), init))
    for method in ("exact", "ais"):
        machine.estimator.log_partition(method, **QUICK)
    machine.estimator.log_partition("reverse_ais", init=init, **QUICK)
    assert_same_bits((vars(machine.estimator), init), before)


def test_reverse_ais_starts_at_init():
    """Of two modes, all units on or off, chains keep to the one that they are given."""
    estimator = without_weights(BernoulliRBM, 30, 2)
    estimator.components_ += 60
    estimator.intercept_visible_ = np.full(30, -60.0)
    estimator.intercept_hidden_ -= 900
    on, off = (
        estimator.log_partition("reverse_ais", init=init, **QUICK)
        for init in (np.ones((3, 30)), np.zeros((1, 30)))
    )
    assert abs(on.value - off.value) > 1
    init = sparse.csr_array(np.ones((3, 30)))
    assert estimator.log_partition("reverse_ais", init=init, **QUICK) == on


@pytest.mark.parametrize(
    ("error", "message", "arguments"),
    [
        (ValueError, "n_chains must be at least 2", {"n_chains": 1}),
        (ValueError, "n_betas must be at least 2", {"n_betas": 1}),
        (TypeError, "n_chains must be an integer", {"n_chains": 10.0}),
        (TypeError, "n_betas must be an integer", {"n_betas": "many"}),
        (ValueError, "method must be 'auto', .* Got 'gibbs'", {"method": "gibbs"}),
        (ValueError, "init is for method='reverse_ais'. Got method='ais'", {"init": [[0.0] * 4]}),
        (ValueError, "complete rows", {"method": "reverse_ais", "init": [[0, 1, np.nan, 1]]}),
        (ValueError, "3 features", {"method": "reverse_ais", "init": [[0.0, 1, 1]]}),
    ],
)
def test_wrong_arguments(error, message, arguments):
    arguments = {"method": "ais"} | arguments
    with pytest.raises(error, match=message):
        bernoulli_machine().estimator.log_partition(**arguments)


@models
@pytest.mark.parametrize("name", ["components_", "intercept_hidden_", "intercept_visible_"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_parameters_must_be_finite(make, name, value):
    estimator = make().estimator
    getattr(estimator, name).flat[0] = value
    for method in ("exact", "ais", "reverse_ais"):
        with pytest.raises(ValueError, match=f"finite.*{name}"):
            estimator.log_partition(method, **QUICK)


def test_a_conditional_machine_has_no_partition_function():
    estimator = random_machine((3, 3), conditional=True).estimator()
    for method in ("auto", "exact", "ais", "reverse_ais"):
        with pytest.raises(ValueError, match="conditional"):
            estimator.log_partition(method)


@pytest.mark.parametrize("model", [BernoulliRBM, GaussianBernoulliRBM, SoftmaxRBM])
def test_unfitted_estimators(model):
    with pytest.raises(NotFittedError):
        model().log_partition()


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
    for module in (crew, threads):
        monkeypatch.setattr(module, "get_num_threads", lambda: 1)
    assert_too_large(make().estimator, method)


@models
def test_a_partition_function_beyond_all_bounds_is_refused_by_threads(make, monkeypatch):
    monkeypatch.setattr(partition, "_TABLE", 1)
    monkeypatch.setattr(threads, "WORTH_A_THREAD", 1)
    for module in (crew, threads):
        monkeypatch.setattr(module, "get_num_threads", lambda: 3)
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


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_log_partition_that_is_no_number_is_refused(value):
    machine = bernoulli_machine()
    with pytest.raises(ValueError, match="log_partition must be finite"):
        machine.estimator.log_likelihood(machine.dense(machine.states), value)
