"""What a machine of real values starts from and learns: means, clusters, noise variances."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, logit
from sklearn import datasets
from sklearn.base import clone
from sklearn.preprocessing import StandardScaler

from skrbm import GaussianBernoulliRBM

from ..helpers.comparison import assert_same_model
from ..helpers.gaussian_machines import correlated_rows, machine, noise_variances
from ..helpers.models import GAUSSIAN
from ..oracles.gaussian import EnumeratedGaussianRBM


@pytest.fixture(name="X")
def rows(rng):
    return correlated_rows(rng)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("given", [2, 0.5, [0.5, 1, 2, 3], np.array([1, 2, 1, 2]), "learned"])
def test_noise_variance_is_one_number_per_feature(X, dtype, given):
    X = X.astype(dtype)
    rbm = machine(noise_variance=given).fit(X).partial_fit(X)
    assert rbm.noise_variance_.shape == (4,)
    assert rbm.noise_variance_.dtype == dtype
    if isinstance(given, str):
        assert (rbm.noise_variance_ != X.var(axis=0)).all()
        assert_allclose(rbm.noise_variance_, X.var(axis=0), rtol=0.2)
    else:
        assert_allclose(rbm.noise_variance_, np.broadcast_to(given, 4))


def test_a_number_serves_all_features(X):
    expected = machine(noise_variance=2.0).fit(X)
    for given in ([2, 2, 2, 2], np.full(4, 2.0, np.float32), np.float32(2)):
        assert_same_model(machine(noise_variance=given).fit(X), expected)


def test_an_array_of_variances_is_left_alone(X):
    given = np.array([0.5, 1, 2, 3])
    rbm = machine(noise_variance=given).fit(X)
    rbm.noise_variance_[:] = 7
    assert given.tolist() == [0.5, 1, 2, 3]


@noise_variances
@pytest.mark.parametrize("algorithm", ["cd", "pcd"])
def test_training_starts_at_means_and_variances(X, noise_variance, algorithm):
    rbm = machine(n_iter=0, noise_variance=noise_variance, algorithm=algorithm).fit(X + 3)
    assert_allclose(rbm.intercept_visible_, X.mean(axis=0) + 3, rtol=1e-12)
    start = X.var(axis=0) if noise_variance == "learned" else np.ones(4)
    assert_allclose(rbm.noise_variance_, start, rtol=1e-12)
    # One active unit weighs a tenth of none: its input at the mean is log(0.1) - |W_j|^2 / 2.
    inputs = logit(rbm.transform(rbm.intercept_visible_[np.newaxis]))[0]
    squares = np.square(rbm.components_).sum(axis=1)
    assert_allclose(inputs, np.log(0.1) - squares / 2, rtol=1e-10)
    assert np.abs(rbm.components_).max() < np.sqrt(6 / (4 + rbm.n_components))
    assert rbm.n_iter_ == 0
    assert_same_model(
        rbm.partial_fit(X + 3),
        machine(noise_variance=noise_variance, algorithm=algorithm).partial_fit(X + 3),
    )


def test_learning_raises_the_score():
    X = StandardScaler().fit_transform(datasets.load_iris().data)
    rates = {"learning_rate": 0.05, "n_iter": 100, "random_state": 0}
    for noise_variance in (1.0, "learned"):
        rbm = GaussianBernoulliRBM(8, noise_variance=noise_variance, **rates).fit(X)
        start = GaussianBernoulliRBM(8, noise_variance=noise_variance, n_iter=0, random_state=0)
        assert rbm.score(X) > start.fit(X).score(X) + 0.4


@pytest.mark.parametrize("algorithm", ["cd", "pcd"])
def test_two_clusters_are_learned(algorithm):
    """Their means, the variance within, and their shares where chains persist.

    Two components of equal width can say the truth, so that the maximum is known. Learning
    starts off the plateau of a single component, where one feature has no slope. CD's chains
    seldom leave their cluster, which hides a wrong share from it.
    """
    rng = np.random.default_rng(5)
    X = np.where(rng.random((4000, 1)) < 0.4, 2.0, -1.0) + 0.5 * rng.normal(size=(4000, 1))
    rbm = GaussianBernoulliRBM(
        1,
        noise_variance="learned",
        learning_rate=tuple(np.geomspace(0.3, 0.003, 150)),
        algorithm=algorithm,
        n_iter=0,
        random_state=0,
    ).fit(X)
    rbm.components_ = np.array([[3.0]])
    for _ in range(150):
        rbm.partial_fit(X)
    oracle = EnumeratedGaussianRBM(
        rbm.components_.T, rbm.intercept_visible_, rbm.intercept_hidden_, rbm.noise_variance_
    )
    means = oracle.means.ravel()
    assert_allclose(np.sort(means), [-1, 2], atol=0.1)
    assert_allclose(oracle.variance, 0.25, atol=0.03)
    if algorithm == "pcd":
        assert_allclose(oracle.p_h[np.argmax(means)], (X > 0.5).mean(), atol=0.05)


# --- learned variances ---


@pytest.mark.parametrize("algorithm", ["cd", "pcd"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_learned_variance_does_not_collapse(algorithm, dtype, rng):
    """A column that says what another says could be explained without noise."""
    X = np.repeat(rng.integers(0, 2, (200, 2)), 2, axis=1).astype(dtype)
    X[:, 3] *= 100
    rbm = GaussianBernoulliRBM(
        8,
        noise_variance="learned",
        algorithm=algorithm,
        learning_rate=0.1,
        batch_size=20,
        n_iter=300,
        random_state=0,
    ).fit(X)
    start = X.var(axis=0, dtype=np.float64)
    assert (rbm.noise_variance_ >= 0.001 * start * (1 - 1e-5)).all()
    assert (rbm.noise_variance_ < 0.1 * start).all()  # and yet it has learned
    for name in ("components_", "intercept_visible_", "intercept_hidden_"):
        assert np.isfinite(getattr(rbm, name)).all()


@pytest.mark.parametrize("value", [0.0, 5.0, -1e4, 1e-4, 0.1])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("algorithm", ["cd", "pcd"])
def test_a_constant_column_stays_finite(value, dtype, algorithm, rng):
    X = rng.normal(size=(300, 3)).astype(dtype)
    X[:, 1] = value
    rbm = GaussianBernoulliRBM(
        5, noise_variance="learned", algorithm=algorithm, random_state=0
    ).fit(X)
    start = rbm._initial_variance
    scale = 0.01 * (1.0 if value == 0 else value**2)
    assert_allclose(start, [X[:, 0].var(), scale, X[:, 2].var()], rtol=1e-5)
    for result in (rbm.components_, rbm.noise_variance_, rbm.score_samples(X), rbm.sample(3)):
        assert result.dtype == dtype
        assert np.isfinite(result).all()
    assert (rbm.noise_variance_ > 0).all()


def test_one_row_and_one_feature():
    for X in ([[3.0, 0.0]], [[0.0], [1.0], [5.0]]):
        rbm = GaussianBernoulliRBM(2, noise_variance="learned", random_state=0).fit(X)
        assert np.isfinite(rbm.score_samples(X)).all()
        assert_allclose(rbm.intercept_visible_, np.mean(X, axis=0), atol=0.5)


@pytest.mark.parametrize("algorithm", ["cd", "pcd", "pt"])
@pytest.mark.parametrize("average", [False, 0.4])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_warm_start_keeps_the_last_bits_of_a_learned_variance(algorithm, average, dtype):
    """What learns is the logarithm, which the variance itself does not tell to the last bit."""
    X = GAUSSIAN.rows().astype(dtype)
    options = {"algorithm": algorithm, "average": average, "noise_variance": "learned"}
    rbm = GAUSSIAN.machine(**options, n_iter=2, warm_start=True, momentum=0.5)
    whole = clone(rbm).set_params(n_iter=4).fit(X)
    until = clone(rbm).fit(X).noise_variance_
    rbm.fit(X)
    assert_array_equal(rbm.noise_variance_, until)
    rbm = pickle.loads(pickle.dumps(rbm))
    rbm.noise_variance_ = rbm.noise_variance_.copy()  # no other number: no edit
    assert_same_model(rbm.fit(X), whole)


@pytest.mark.parametrize("average", [False, 0.4])
@pytest.mark.parametrize("in_place", [False, True])
def test_a_learned_variance_that_somebody_sets_is_followed(average, in_place):
    """By what reads it and by what goes on learning; one number is enough."""
    X = GAUSSIAN.rows()
    rbm = GAUSSIAN.machine(noise_variance="learned", average=average).fit(X)
    others = rbm.noise_variance_[[0, 1, 3, 4, 5]].copy()
    given = rbm.noise_variance_ if in_place else rbm.noise_variance_.copy()
    given[2] *= 3
    rbm.noise_variance_, expected = given, given.copy()
    x = (X / np.sqrt(expected)) @ rbm.components_.T + rbm.intercept_hidden_
    assert_allclose(rbm.transform(X), expit(x), rtol=1e-12)
    rbm.set_params(learning_rate=1e-12, momentum=0.0).partial_fit(X)
    assert_allclose(rbm.noise_variance_, expected, rtol=1e-10)
    assert_allclose(rbm.noise_variance_[[0, 1, 3, 4, 5]], others, rtol=1e-10)
