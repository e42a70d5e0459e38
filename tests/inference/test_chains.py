"""Chains of binary units: what starts in p(v) stays in p(v)."""

import numpy as np
import pytest
from scipy import stats

N_CHAINS = 20_000


def state_counts(v):
    """How often each of the 2^D states occurs, in the oracle's order."""
    powers = 2 ** np.arange(v.shape[1])[::-1]
    return np.bincount((v @ powers).astype(int), minlength=2 ** v.shape[1])


def assert_distributed(v, p):
    """A chi-square test at one in ten thousand; the seeds are fixed, so it never flickers."""
    assert p.min() * len(v) > 5
    assert stats.chisquare(state_counts(v), p * len(v)).pvalue > 1e-4


def exact_draws(oracle, rng, n=N_CHAINS):
    return oracle.v_states[rng.choice(len(oracle.p_v), size=n, p=oracle.p_v)]


@pytest.mark.parametrize("n_steps", [1, 3])
def test_gibbs_is_stationary(estimator, oracle, rng, n_steps):
    v = exact_draws(oracle, rng)
    assert_distributed(v, oracle.p_v)
    assert_distributed(estimator.gibbs(v, n_steps, random_state=1), oracle.p_v)


def test_gibbs_applies_the_exact_transition(estimator, oracle):
    """From one state, the distribution after a step is a row of the transition matrix."""
    v = np.tile(oracle.v_states[6], (N_CHAINS, 1))
    p = oracle.transition()[6]
    assert_distributed(estimator.gibbs(v, random_state=2), p)


def test_the_chi_square_test_can_fail(estimator, oracle, rng):
    """A hidden bias that is off by a quarter of a nat is found out."""
    estimator.intercept_hidden_[0] += 0.25
    with pytest.raises(AssertionError):
        assert_distributed(
            estimator.gibbs(exact_draws(oracle, rng), 3, random_state=1), oracle.p_v
        )


def test_sample_reaches_the_model_distribution(estimator, oracle):
    v = estimator.sample(N_CHAINS, n_gibbs_steps=100, random_state=3)
    assert_distributed(v, oracle.p_v)


def test_sample_from_init_is_stationary(estimator, oracle, rng):
    v = estimator.sample(N_CHAINS, n_gibbs_steps=2, init=exact_draws(oracle, rng), random_state=4)
    assert_distributed(v, oracle.p_v)


def test_two_steps_are_not_the_same_step_twice(estimator):
    """Each step has numbers of its own: half of them would repeat if it had not."""
    estimator.components_ *= 0
    estimator.intercept_visible_ *= 0
    v = np.zeros((1000, 4))
    one, two = (estimator.gibbs(v, n, random_state=0) for n in (1, 2))
    assert abs((one == two).mean() - 0.5) < 4 * np.sqrt(0.25 / one.size)
