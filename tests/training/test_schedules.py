"""Schedules by epoch and falls by update."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.model_selection import GridSearchCV

from skrbm._training.optimizers import Momentum
from skrbm._training.schedules import FALLS, scheduled

from ..helpers.comparison import assert_same_model
from ..helpers.models import models


def test_scheduled_values():
    assert [scheduled((1, 3, 5), e) for e in range(5)] == [1, 3, 5, 5, 5]
    assert scheduled(0.5, 7) == 0.5
    assert scheduled(np.array([0.1, 0.2]), 9) == 0.2


# --- factors of the rate ---


@pytest.mark.parametrize("span", [None, (0, 10), (70, 10)])
def test_a_constant_rate_stays(span):
    assert {FALLS["constant"](n, span) for n in (0, 1, 79, 10**9)} == {1.0}


def test_a_linear_rate_would_be_0_one_update_after_the_last():
    factors = [FALLS["linear"](n, (70, 10)) for n in range(70, 81)]
    assert_allclose(factors, np.linspace(1, 0, 11), rtol=0, atol=1e-15)
    assert factors[0] == 1
    assert factors[-1] == 0


@pytest.mark.parametrize("n_updates", [0, 1, 10**6])
def test_a_linear_rate_that_knows_no_end_stays(n_updates):
    assert FALLS["linear"](n_updates, None) == 1


def test_an_inverse_root_counts_all_updates_of_the_machine():
    for span in (None, (0, 10), (500, 10)):
        assert FALLS["inverse_sqrt"](0, span) == 1
        assert_allclose(FALLS["inverse_sqrt"](1000, span), 2**-0.5)
        assert_allclose(FALLS["inverse_sqrt"](99_000, span), 0.1)


# --- rates of a fit ---


@pytest.fixture
def rates(monkeypatch):
    """The rate of each update, from now on."""
    seen, update = [], Momentum.update

    def record(self, parameters, sums, n_rows, **options):
        seen.append(options["learning_rate"])
        update(self, parameters, sums, n_rows, **options)

    monkeypatch.setattr(Momentum, "update", record)
    return seen


def machine(model, **parameters):
    """Five updates an epoch, three epochs, unless they say something else."""
    return model.machine(**{"learning_rate": 0.01, "average": False} | parameters)


@models
def test_a_linear_rate_falls_over_all_epochs_of_fit(model, rates):
    rbm = machine(model, learning_rate_schedule="linear").fit(model.rows())
    assert_allclose(rates, 0.01 * np.linspace(1, 0, 16)[:-1], rtol=1e-12)
    assert_allclose(rbm.history_["learning_rate"], rates[::5], rtol=1e-12)


@models
def test_a_second_fit_falls_from_the_top(model, rates):
    rbm = machine(model, learning_rate_schedule="linear").fit(model.rows())
    first = list(rates)
    rates.clear()
    rbm.fit(model.rows())
    assert rates == first


@models
def test_a_warm_start_falls_from_the_top_as_well(model, rates):
    rbm = machine(model, learning_rate_schedule="linear", warm_start=True).fit(model.rows())
    first = list(rates)
    rates.clear()
    rbm.set_params(n_iter=1).fit(model.rows())
    assert_allclose(rates, 0.01 * np.linspace(1, 0, 6)[:-1], rtol=1e-12)
    rates.clear()
    rbm.set_params(n_iter=3).fit(model.rows())
    assert_allclose(rates, first, rtol=1e-12)


@models
def test_falls_multiply_rates_by_epoch(model, rates):
    by_epoch = (0.01, 0.03, 0.002)
    rbm = machine(model, learning_rate=by_epoch, learning_rate_schedule="linear")
    rbm.fit(model.rows())
    expected = np.repeat(by_epoch, 5) * np.linspace(1, 0, 16)[:-1]
    assert_allclose(rates, expected, rtol=1e-12)
    assert_allclose(rbm.history_["learning_rate"], expected[::5], rtol=1e-12)


@models
def test_an_inverse_root_goes_on_through_fit_and_chunks(model, rates):
    """Five updates are few; so the rate of each is held against the formula."""
    X = model.rows()
    rbm = machine(model, learning_rate_schedule="inverse_sqrt", n_iter=2).fit(X)
    rbm.partial_fit(X).partial_fit(X[:7])
    expected = 0.01 * np.sqrt(1000 / (1000 + np.arange(16)))
    assert_allclose(rates, expected, rtol=1e-12)
    assert_allclose(rbm.history_["learning_rate"], expected[[0, 5, 10, 15]], rtol=1e-12)


@models
def test_a_chunk_knows_no_end_so_that_its_linear_rate_stays(model, rates):
    X = model.rows()
    rbm = machine(model, learning_rate_schedule="linear").partial_fit(X).partial_fit(X)
    assert rates == [0.01] * 10
    constant = machine(model, learning_rate_schedule="constant").partial_fit(X).partial_fit(X)
    assert_same_model(rbm, constant)


@models
def test_falls_are_searched_together_with_the_number_of_epochs(model):
    """A tuple of rates fits one n_iter only."""
    grid = {"learning_rate_schedule": sorted(FALLS), "n_iter": [1, 3]}
    X = model.rows()
    search = GridSearchCV(machine(model), grid, cv=2).fit(X)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    last = [
        machine(model, **p).fit(X).history_["learning_rate"][-1]
        for p in (
            {"learning_rate_schedule": "linear", "n_iter": 1},
            {"learning_rate_schedule": "linear", "n_iter": 3},
        )
    ]
    assert_allclose(last, [0.01, 0.01 / 3])
