"""Chains against enumeration: what starts in p(v) stays in p(v)."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse, stats

from skrbm import BernoulliRBM

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


def test_sample_starts_at_rows_of_init(estimator):
    """Chain i starts at row i modulo the number of rows: frozen weights keep it there."""
    init = np.array([[0, 0, 1, 1], [1, 0, 0, 1]], dtype=float)
    # Hidden unit j copies visible unit j, with certainty, and back; unit 3 is tied to unit 2.
    estimator.components_ = 200 * np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 1.0]])
    estimator.intercept_hidden_ = np.array([-100.0, -100, -100])
    estimator.intercept_visible_ = np.array([-100.0, -100, -100, -100])
    tied = init.copy()
    tied[:, 3] = tied[:, 2] = np.maximum(init[:, 2], init[:, 3])
    v = estimator.sample(5, n_gibbs_steps=3, init=init, random_state=0)
    assert_array_equal(v, tied[[0, 1, 0, 1, 0]])
    from_sparse = estimator.sample(5, n_gibbs_steps=3, init=sparse.csr_array(init), random_state=0)
    assert_array_equal(from_sparse, v)


def test_sample_starts_at_base_rates_otherwise(rng):
    """With weights that ignore the visible units, one step hides the start; look before it."""
    X = (rng.random((400, 3)) < [0.1, 0.5, 0.9]).astype(float)
    estimator = BernoulliRBM(n_components=2, n_iter=3, random_state=0).fit(X)
    base_rates = 1 / (1 + np.exp(-estimator._base_bias))
    assert_allclose(base_rates, (X.sum(axis=0) + 0.5) / 401)
    # A machine that copies the visible units shows where its chains started.
    estimator.components_ = 200 * np.eye(2, 3)
    estimator.intercept_hidden_ = np.full(2, -100.0)
    estimator.intercept_visible_ = np.array([-100.0, -100, 0])
    n = 10_000
    v = estimator.sample(n, n_gibbs_steps=1, random_state=5)[:, :2]
    p = base_rates[:2]
    assert (np.abs(v.mean(axis=0) - p) < 4 * np.sqrt(p * (1 - p) / n)).all()


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


def test_two_steps_are_not_the_same_step_twice(estimator):
    """Each step has numbers of its own: half of them would repeat if it had not."""
    estimator.components_ *= 0
    estimator.intercept_visible_ *= 0
    v = np.zeros((1000, 4))
    one, two = (estimator.gibbs(v, n, random_state=0) for n in (1, 2))
    assert abs((one == two).mean() - 0.5) < 4 * np.sqrt(0.25 / one.size)


def test_draws_are_not_those_of_training(rng):
    """One seed for fit and gibbs: the noise of the one tells nothing of the other's."""
    X = np.full((400, 6), 0.5)
    # With steps this small the machine stays at p = 1/2, and noise is all there is.
    options = {"n_components": 3, "learning_rate": 1e-12, "n_iter": 1, "batch_size": 400}
    rbm = BernoulliRBM(**options, shuffle=False, random_state=0).fit(X)
    negative = 0.5 - (rbm.intercept_visible_ - rbm._base_bias) / 1e-12
    rbm.components_ *= 0  # exactly p = 1/2: the same numbers would give the same draws
    rbm.intercept_visible_ *= 0
    for n_steps in (1, 2):
        means = rbm.gibbs(np.zeros((400, 6)), n_steps, random_state=0).mean(axis=0)
        assert np.abs(negative - means).max() > 1e-2
