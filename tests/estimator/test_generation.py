"""Draws and completions: their arguments, and where their random numbers come from."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.exceptions import NotFittedError

from skrbm import BernoulliRBM, GaussianBernoulliRBM, SoftmaxRBM

from ..helpers.machines import some_cases
from ..helpers.models import models

NAN = np.nan
CASES = some_cases(scale=1.5)


@models
def test_a_seed_for_draws_gives_the_same_draws(model):
    X = model.rows()
    rbm = model.machine().fit(X)
    for draw in (
        lambda seed: rbm.gibbs(X, 2, random_state=seed),
        lambda seed: rbm.sample(47, n_gibbs_steps=2, random_state=seed),
        lambda seed: rbm.sample(47, n_gibbs_steps=2, init=X, random_state=seed),
    ):
        assert_array_equal(draw(5), draw(5))
        assert_array_equal(draw(5), draw(np.random.RandomState(5)))
        assert (draw(5) != draw(6)).any()
        assert (draw(None) != draw(None)).any()


def test_random_state_of_draws(estimator):
    v = np.zeros((50, 4))
    assert_array_equal(estimator.gibbs(v, random_state=7), estimator.gibbs(v, random_state=7))
    assert (estimator.gibbs(v, random_state=7) != estimator.gibbs(v, random_state=8)).any()
    assert (estimator.gibbs(v) != estimator.gibbs(v)).any()
    state = np.random.RandomState(3)
    first, second = (
        estimator.sample(50, random_state=state),
        estimator.sample(50, random_state=state),
    )
    assert (first != second).any()
    assert_array_equal(first, estimator.sample(50, random_state=np.random.RandomState(3)))


def test_draws_are_not_those_of_training(rng):
    """One seed for fit and gibbs: the noise of the one tells nothing of the other's."""
    X = np.full((400, 6), 0.5)
    # With steps this small the machine stays at p = 1/2, and noise is all there is.
    options = {"n_components": 3, "learning_rate": 1e-12, "n_iter": 1, "batch_size": 400}
    rbm = BernoulliRBM(**options, shuffle=False, random_state=0).fit(X)
    negative = 0.5 - (rbm.intercept_visible_ - rbm._base_rate_bias) / 1e-12
    rbm.components_ *= 0  # exactly p = 1/2: the same numbers would give the same draws
    rbm.intercept_visible_ *= 0
    for n_steps in (1, 2):
        means = rbm.gibbs(np.zeros((400, 6)), n_steps, random_state=0).mean(axis=0)
        assert np.abs(negative - means).max() > 1e-2


@models
@pytest.mark.parametrize(("count", "error"), [(0, ValueError), (-1, ValueError), (1.5, TypeError)])
def test_counts_of_draws_are_whole_and_positive(model, count, error):
    X = model.rows()
    rbm = model.machine().fit(X)
    with pytest.raises(error, match="n_steps"):
        rbm.gibbs(X, count)
    with pytest.raises(error, match="n_samples"):
        rbm.sample(count)
    with pytest.raises(error, match="n_gibbs_steps"):
        rbm.sample(1, n_gibbs_steps=count)


@models
def test_draws_refuse_what_is_no_random_state_and_no_start(model):
    X = model.rows()
    rbm = model.machine().fit(X)
    with pytest.raises(ValueError, match="seed"):
        rbm.gibbs(X, random_state="seed")
    with pytest.raises(ValueError, match="X has 5 features"):
        rbm.sample(2, init=X[:, :5])
    with pytest.raises(ValueError, match="0 sample"):
        rbm.sample(2, init=X[:0])


# --- errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Bernoulli", "Gaussian", "softmax"])
@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"n_chains": 0}, ValueError, "n_chains must be at least 1"),
        ({"n_chains": 1.5}, TypeError, "n_chains"),
        ({"n_gibbs_steps": 0}, ValueError, "n_gibbs_steps must be at least 1"),
        ({"n_gibbs_steps": "ten"}, TypeError, "n_gibbs_steps"),
        ({"X": [[0.0, 0, 0, np.inf]]}, ValueError, "infinity|inf"),
        ({"X": [[0.0, 0, NAN]]}, ValueError, "3 features"),
        ({"X": [0.0, 0, NAN, 0]}, ValueError, "1D array"),
    ],
    ids=str,
)
def test_impute_says_what_is_wrong(name, wrong, error, message):
    case = CASES[name]
    X = case.estimator().sample(2, random_state=0)
    with pytest.raises(error, match=message):
        case.estimator().impute(**{"X": X} | wrong)


@pytest.mark.parametrize("name", ["Bernoulli", "Gaussian", "softmax"])
@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"method": "ais"}, ValueError, "method must be 'gibbs' or 'tempering'. Got 'ais'"),
        ({"method": None}, ValueError, "method must be"),
        ({"n_temperatures": 1}, ValueError, "n_temperatures must be at least 2"),
        ({"n_temperatures": 2.5}, TypeError, "n_temperatures"),
        ({"n_gibbs_steps": 0}, ValueError, "n_gibbs_steps must be at least 1"),
        ({"n_samples": 0}, ValueError, "n_samples must be at least 1"),
        ({"init": [[0.0, 0, 0, -np.inf]]}, ValueError, "infinity|inf"),
        ({"init": [[0.0, NAN]]}, ValueError, "2 features"),
    ],
    ids=str,
)
def test_sample_says_what_is_wrong(name, wrong, error, message):
    with pytest.raises(error, match=message):
        CASES[name].estimator().sample(**{"n_gibbs_steps": 1} | wrong)


@pytest.mark.parametrize("model", [BernoulliRBM, GaussianBernoulliRBM, SoftmaxRBM])
def test_an_unfitted_machine_completes_nothing(model):
    with pytest.raises(NotFittedError):
        model().impute([[0.0, NAN]])
    with pytest.raises(NotFittedError):
        model().sample(init=[[0.0, NAN]])
