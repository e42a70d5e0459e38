"""Chains of real-valued units: what starts in p(v) stays in p(v)."""

import numpy as np
import pytest
from scipy import stats

from skrbm import GaussianBernoulliRBM
from skrbm._machine.gaussian import GaussianLayer


@pytest.fixture(name="estimator")
def fitted(gaussian_arrays):
    """A fitted estimator that holds the same machine."""
    W, b, c, variance = gaussian_arrays
    X = np.random.default_rng(0).normal(size=(9, 4))
    estimator = GaussianBernoulliRBM(n_components=3, n_iter=1, random_state=0).fit(X)
    estimator.components_, estimator.intercept_visible_ = W.T.copy(), b.copy()
    estimator.intercept_hidden_, estimator.noise_variance_ = c.copy(), variance.copy()
    return estimator


# --- chains: what starts in p(v) stays in p(v) ---

DIRECTIONS = np.vstack([np.eye(4), np.ones(4), [1, -1, 1, -1], [0.5, 1, -0.3, 0.2]])


N_CHAINS = 20_000


def assert_distributed(v, mixture):
    """Mean and covariance within Monte-Carlo error, projections by Kolmogorov and Smirnov."""
    n = len(v)
    centred = v - mixture.mean()
    assert (np.abs(centred.mean(axis=0)) < 4.5 * v.std(axis=0) / np.sqrt(n)).all()
    products = centred[:, :, np.newaxis] * centred[:, np.newaxis]
    error = products.std(axis=0) / np.sqrt(n)
    assert (np.abs(products.mean(axis=0) - mixture.covariance()) < 4.5 * error).all()
    for direction in DIRECTIONS:
        assert stats.kstest(v @ direction, mixture.distribution(direction)).pvalue > 1e-4


@pytest.mark.parametrize("n_steps", [1, 3])
def test_gibbs_is_stationary(estimator, mixture, rng, n_steps):
    v = mixture.draw(rng, N_CHAINS)
    assert_distributed(v, mixture)
    assert_distributed(estimator.gibbs(v, n_steps, random_state=1), mixture)


def without_s(self, x, key, out):
    z = (GAUSSIAN_SAMPLE(self, x, key, out) - self.bias) / self.scale - x
    out[...] = self.bias + x + self.scale * z


def with_variance_for_s(self, x, key, out):
    z = (GAUSSIAN_SAMPLE(self, x, key, out) - self.bias) / self.scale - x
    out[...] = self.bias + self.scale * x + self.noise_variance * z


GAUSSIAN_SAMPLE = GaussianLayer.sample


WRONG = {
    "mean without s": ("sample", without_s),
    "variance for s": ("sample", with_variance_for_s),
    "sign of the weights": ("statistic", lambda self, v: -v / self.scale),
    "statistic without s": ("statistic", lambda self, v: v),
    "statistic centred": ("statistic", lambda self, v: (v - self.bias) / self.scale),
}


@pytest.mark.parametrize(("name", "method"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_conditional_is_found_out(estimator, mixture, rng, monkeypatch, name, method):
    monkeypatch.setattr(GaussianLayer, name, method)
    with pytest.raises(AssertionError):
        assert_distributed(
            estimator.gibbs(mixture.draw(rng, N_CHAINS), 3, random_state=1), mixture
        )


def test_sample_reaches_the_model_distribution(estimator, mixture):
    v = estimator.sample(N_CHAINS, n_gibbs_steps=100, random_state=3)
    assert_distributed(v, mixture)


def test_sample_from_init_is_stationary(estimator, mixture, rng):
    init = mixture.draw(rng, N_CHAINS)
    assert_distributed(
        estimator.sample(N_CHAINS, n_gibbs_steps=2, init=init, random_state=4), mixture
    )


@pytest.mark.parametrize("columns", [1, 5])
def test_two_steps_are_not_the_same_step_twice(columns):
    X = np.random.default_rng(0).normal(size=(50, columns))
    estimator = GaussianBernoulliRBM(2, n_iter=0).fit(X)
    estimator.components_ *= 0  # all that a step leaves is its noise
    v = np.zeros((1000, columns))
    one, two = (estimator.gibbs(v, n, random_state=0) for n in (1, 2))
    correlation = np.corrcoef(one.ravel(), two.ravel())[0, 1]
    assert abs(correlation) < 4 / np.sqrt(one.size)
