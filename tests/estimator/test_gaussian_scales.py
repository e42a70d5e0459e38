"""Real-valued data of any scale: finite parameters, warnings, units, bounds of steps."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn import datasets
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler

from skrbm import GaussianBernoulliRBM
from skrbm._machine.gaussian import GaussianLayer

from ..helpers.comparison import assert_same_bits, assert_same_model
from ..helpers.gaussian_machines import (
    ARRAYS,
    badly_scaled_expected,
    correlated_rows,
    machine,
    noise_variances,
)


@pytest.fixture(name="X")
def rows(rng):
    return correlated_rows(rng)


def california_like():
    """Skewed columns of the scales of the housing data, latitude and longitude among them."""
    rng = np.random.default_rng(0)
    centre = np.array([3.9, 28.6, 5.4, 1.1, 1425, 3.1, 35.6, -119.6])
    spread = np.array([1.9, 12.6, 2.5, 0.47, 1132, 10.4, 2.1, 2.0])
    X = centre + spread * rng.normal(size=(4000, 8))
    X[:, 2:6] = centre[2:6] * rng.lognormal(0, 0.4, (4000, 4))
    X[:3, 5], X[3, 4] = 1243, 35682  # its outliers
    return X


RAW = {
    "iris": lambda: datasets.load_iris().data,
    "wine": lambda: datasets.load_wine().data,
    "diabetes": lambda: datasets.load_diabetes(scaled=False).data,
    "diabetes, scaled": lambda: datasets.load_diabetes().data,
    "breast cancer": lambda: datasets.load_breast_cancer().data,
    "digits": lambda: datasets.load_digits().data,
    "California-like": california_like,
}


STANDARDISED = ["iris", "wine", "breast cancer", "digits"]


def standardised(name):
    return StandardScaler().fit_transform(RAW[name]())


@pytest.mark.parametrize(
    "name", ["wine", "diabetes", "diabetes, scaled", "breast cancer", "digits"]
)
def test_raw_data_are_warned_of_once(name):
    X = RAW[name]()
    with pytest.warns(UserWarning, match="StandardScaler") as told:
        GaussianBernoulliRBM(4, n_iter=2, random_state=0).fit(X)
    assert len(told) == 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", STANDARDISED)
def test_standardised_data_are_not_warned_of(name, dtype):
    X = standardised(name).astype(dtype)
    GaussianBernoulliRBM(4, n_iter=1).fit(X)


@pytest.mark.parametrize("name", RAW)
def test_who_learns_the_variance_is_warned_of_far_means_only(name):
    X = RAW[name]()
    rbm = GaussianBernoulliRBM(4, noise_variance="learned", n_iter=1)
    rbm.fit(X - X.mean(axis=0))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        rbm.fit(X)
    deviation = X.std(axis=0)
    far = (np.abs(X.mean(axis=0))[deviation > 0] > 10 * deviation[deviation > 0]).any()
    assert len(told) == far
    assert all("StandardScaler" in str(warning.message) for warning in told)


def test_chunks_are_not_judged():
    """A chunk of standardised digits, with pixels that it hardly uses."""
    X = standardised("digits")
    GaussianBernoulliRBM(4).partial_fit(X[:100]).partial_fit(X[100:200])


def test_who_gives_the_variances_needs_no_warning():
    X = np.random.default_rng(0).normal(0, [1e-3, 1, 1e3], (100, 3))
    GaussianBernoulliRBM(4, noise_variance=[1e-6, 1, 1e6], n_iter=1).fit(X)
    with pytest.warns(UserWarning, match="feature 2"):
        GaussianBernoulliRBM(4, noise_variance=[1e-6, 1, 1], n_iter=1).fit(X)


@pytest.mark.parametrize(
    ("scale", "shift", "warns"),
    [
        (2.5, 0, False),
        (1 / 2.5, 0, False),
        (1, 9, False),
        (4, 0, True),
        (1 / 4, 0, True),
        (1, 11, True),
    ],
)
def test_what_is_badly_scaled(rng, scale, shift, warns):
    X = rng.normal(size=(500, 2))
    X[:, 1] = shift + scale * X[:, 1]
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        machine().fit(X)
    assert len(told) == warns


@pytest.mark.parametrize("variance", [0.02, 1e-4, 1.0, "learned"])
def test_narrow_noise_on_standardised_data_is_a_choice(rng, variance):
    """Of two clusters the best model has noise as narrow as the clusters."""
    X = rng.normal(rng.choice([-1, 1], (500, 1)), 0.14, (500, 2))
    GaussianBernoulliRBM(2, noise_variance=variance, n_iter=1).fit((X - X.mean(0)) / X.std(0))


@pytest.mark.parametrize(
    ("scale", "shift", "variance", "mend"),
    [
        (1, 0, 100, r"Choose a noise_variance of at most 1\b"),
        (2, 1, 100, "Choose a noise_variance of at most 4"),
        (50, 0, 1, "Standardise X"),
        (0.01, 0, 1, "Standardise X"),
        (1, 20, 1, "Standardise X"),
        (1, 20, 0.02, "Standardise X"),
        (50, 0, 0.02, "Standardise X"),
    ],
)
def test_the_mend_is_the_one_that_helps(rng, scale, shift, variance, mend):
    X = rng.normal(size=(500, 2))
    X = shift + scale * (X - X.mean(axis=0)) / X.std(axis=0)
    with pytest.warns(UserWarning, match=f"the model will be poor. {mend}") as told:
        GaussianBernoulliRBM(2, noise_variance=variance, n_iter=1).fit(X)
    assert ("Standardise" in str(told[0].message)) == ("Standardise" in mend)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [0.0, 0.1, 3.0, -7.7])
def test_a_constant_column_is_not_warned_of(X, dtype, value):
    X = X.astype(dtype)
    X[:, 1] = value
    machine().fit(X)


def test_the_warning_names_the_feature(X):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X * [1, 1, 1000, 1], columns=["length", "width", "price", "age"])
    with pytest.warns(UserWarning, match="feature 'price'"):
        machine().fit(frame)


@badly_scaled_expected
@noise_variances
@pytest.mark.parametrize("algorithm", ["cd", "pcd"])
@pytest.mark.parametrize("name", RAW)
def test_defaults_stay_finite_on_raw_data(name, noise_variance, algorithm):
    X = RAW[name]()
    rbm = GaussianBernoulliRBM(noise_variance=noise_variance, algorithm=algorithm, random_state=0)
    with warnings.catch_warnings():  # chains that persist are in other units than such data
        warnings.simplefilter("ignore", ConvergenceWarning)
        rbm.fit(X)
    for attribute in ARRAYS:
        assert np.isfinite(getattr(rbm, attribute)).all()
    assert (rbm.noise_variance_ > 0).all()
    some = X[:5]
    for result in (rbm.transform(some), rbm.score_samples(some), rbm.gibbs(some)):
        assert np.isfinite(result).all()
    assert np.isfinite(rbm.history_["reconstruction_error"]).all()


@pytest.mark.parametrize("name", STANDARDISED)
def test_bounds_of_steps_change_no_bit_on_standardised_data(name, monkeypatch):
    X = standardised(name)
    bounded = GaussianBernoulliRBM(random_state=0).fit(X)

    def unbounded(self, sums, n_rows):
        weights, hidden_bias, bias = sums
        return weights, hidden_bias, bias * self.noise_variance

    monkeypatch.setattr(GaussianLayer, "precondition", unbounded)
    free = GaussianBernoulliRBM(random_state=0).fit(X)
    assert_same_model(free, bounded)


@noise_variances
@pytest.mark.parametrize("algorithm", ["cd", "pcd"])
def test_other_units_give_the_same_machine(X, noise_variance, algorithm):
    """A feature in other units, its noise variance in these: powers of 2 change no bit."""
    unit = np.array([2.0**-10, 1, 2.0**7, 4])
    other = noise_variance if noise_variance == "learned" else noise_variance * unit**2
    options = {"algorithm": algorithm, "n_iter": 5, "momentum": 0.5, "weight_decay": 0.01}
    here = machine(noise_variance=noise_variance, **options).fit(X)
    there = machine(noise_variance=other, **options).fit(X * unit)
    assert_same_bits(there.components_, here.components_)
    assert_same_bits(there.intercept_hidden_, here.intercept_hidden_)
    assert_same_bits(there.intercept_visible_, here.intercept_visible_ * unit)
    assert_same_bits(there.noise_variance_, here.noise_variance_ * unit**2)
    assert_same_bits(there.transform(X * unit), here.transform(X))
    density = there.score_samples(X * unit) + np.log(unit).sum()
    assert_allclose(density, here.score_samples(X), rtol=1e-12, atol=1e-12)
    draws = [rbm.sample(5, n_gibbs_steps=3, random_state=1) for rbm in (there, here)]
    assert_same_bits(draws[0], draws[1] * unit)


@pytest.mark.parametrize("scale", [1e-24, 1e-18, 1e15])
def test_learned_variance_at_the_limits_of_float32(X, scale):
    X = (X * scale).astype(np.float32)
    X[:, 1] = 1e-30  # a constant whose square is 0
    rbm = machine(noise_variance="learned").fit(X)
    for name in ("components_", "intercept_hidden_", "intercept_visible_", "noise_variance_"):
        assert np.isfinite(getattr(rbm, name)).all()
    assert (rbm.noise_variance_ > 0).all()


def test_numbers_whose_squares_are_zero_give_no_warning_of_a_division(rng):
    X = 1e-300 * rng.normal(size=(40, 2))
    GaussianBernoulliRBM(2, noise_variance="learned", n_iter=0).fit(X)
    with pytest.warns(UserWarning, match="standard deviation 0"):
        GaussianBernoulliRBM(2, noise_variance=1.0, n_iter=0).fit(X)
