"""Fits that fail leave the estimator as it was, and say why."""

import pickle
import re

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler

from skrbm import GaussianBernoulliRBM

from ..helpers.comparison import assert_same_bits, learned
from ..helpers.models import BERNOULLI, GAUSSIAN, MODELS, SOFTMAX, models

# Weight decay times learning rate above 2 makes every weight swing ever further.
DIVERGING = {"learning_rate": (0.25, 0.5), "weight_decay": 1e6}


def assert_all_finite(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for part in value:
            assert_all_finite(part)
    elif value is not None:
        assert np.isfinite(value).all()


@models
@pytest.mark.filterwarnings("ignore:.*RBM. Training does not converge")  # one epoch before
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("batch_size", [10, 40])
@pytest.mark.parametrize("algorithm", ["cd", "pcd"])
def test_divergence_in_fit_is_told_and_leaves_no_nan(model, dtype, batch_size, algorithm):
    X = model.complete().astype(dtype)
    parameters = {"batch_size": batch_size, "algorithm": algorithm, "n_iter": 100}
    rbm = model.machine(**parameters, **DIVERGING)
    with pytest.raises(ValueError, match="diverged") as raised:
        rbm.fit(X)
    epoch, rate = re.search(r"epoch (\d+) .*learning_rate=(\S+):", str(raised.value)).groups()
    assert float(rate) == (0.25 if epoch == "1" else 0.5)
    assert not hasattr(rbm, "components_")
    # It stopped at the first epoch that went wrong: one fewer is still finite.
    rbm.set_params(n_iter=int(epoch) - 1).fit(X)
    assert_all_finite(learned(rbm)["components_"])
    assert rbm.n_iter_ == int(epoch) - 1


@models
def test_divergence_in_a_second_fit_leaves_no_nan(model):
    X = model.rows()
    rbm = model.machine().fit(X).set_params(n_iter=100, **DIVERGING)
    with pytest.raises(ValueError, match="diverged"):
        rbm.fit(X)
    assert_all_finite([getattr(rbm, name) for name in model.arrays])


# --- divergence that leaves parameters finite ---


@pytest.fixture(scope="module", name="digits")
def standardised_digits():
    return StandardScaler().fit_transform(load_digits().data)


@pytest.mark.parametrize("algorithm", ["cd", "pcd"])
@pytest.mark.parametrize("learning_rate", [2.0, 3.0])
def test_reconstructions_out_of_all_bounds_are_an_error(digits, algorithm, learning_rate):
    rbm = GaussianBernoulliRBM(learning_rate=learning_rate, algorithm=algorithm)
    for method in (rbm.fit, rbm.partial_fit):
        with pytest.raises(ValueError, match=rf"diverged .*learning_rate={learning_rate}: recon"):
            method(digits)
        assert not hasattr(rbm, "components_")


def test_weights_that_grow_are_warned_of(digits):
    """Of feature i the sum of |W| is then 500, and not 20."""
    rbm = GaussianBernoulliRBM(
        256,
        n_iter=2,
        learning_rate=0.1,
        learning_rate_schedule="constant",
        batch_size=10,
        momentum=0.9,
        centering=False,
    )
    with pytest.warns(ConvergenceWarning, match="the weights can make .* times the variance"):
        rbm.set_params(random_state=0).fit(digits)
    with pytest.warns(ConvergenceWarning, match="smaller learning_rate or momentum"):
        rbm.partial_fit(digits)


@pytest.mark.parametrize("noise_variance", [0.02, 0.1, 1.0, "learned"])
@pytest.mark.parametrize("algorithm", ["cd", "pcd"])
@pytest.mark.parametrize("learning_rate", [0.01, 0.1, 0.3])
def test_fits_that_learn_are_not_warned_of(digits, noise_variance, algorithm, learning_rate):
    rbm = GaussianBernoulliRBM(20, n_iter=2, random_state=0).set_params(
        noise_variance=noise_variance, algorithm=algorithm, learning_rate=learning_rate
    )
    rbm.fit(digits).partial_fit(digits[:200])


@pytest.mark.parametrize(
    ("model", "learning_rate"), [(BERNOULLI, 30.0), (SOFTMAX, 30.0)], ids=["Bernoulli", "softmax"]
)
def test_bounded_units_are_warned_of_as_well(model, learning_rate):
    """Their reconstructions stay in range; the model saturates at wrong values."""
    X = model.rows(n_rows=200)
    with pytest.warns(
        ConvergenceWarning, match=f"{model.name}: Training does not converge: reconstructions"
    ):
        model.machine(n_components=20, learning_rate=learning_rate).fit(X)
    model.machine(n_components=20).fit(X)


@models
def test_constant_data_are_not_warned_of(model):
    """Where means are exact, a negligible error is many times as large."""
    for value in (0.0, 1.0):
        X = np.full((300, 6), value)
        parameters = {"categories": [0, 1, 2]} if model is SOFTMAX else {}
        model.machine(**parameters).fit(X).partial_fit(X[:7])


@models
def test_a_failed_fit_to_other_features_leaves_no_mixture_of_two_models(model):
    """The weights of six features must not answer for four."""
    X = model.rows()
    rbm = model.machine().fit(X).set_params(weight_decay=1e300)
    with pytest.raises(ValueError, match="diverged"):
        rbm.fit(X[:, :4])
    for n_rows in (20, 47):  # by the kernels of few rows, by BLAS
        with pytest.raises(ValueError):  # NotFittedError is one too
            rbm.transform(X[:n_rows, :4])


def test_a_failed_fit_to_other_categories_leaves_the_old_machine_whole():
    X = SOFTMAX.rows()
    rbm = SOFTMAX.machine().fit(X)
    expected = rbm.predict_ratings(X)
    with pytest.raises(ValueError, match="diverged"):
        rbm.set_params(weight_decay=1e300, conditional=False).fit(X[:, ::-1] * 2 + 1)
    assert_same_bits(rbm.predict_ratings(X), expected)


@models
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_divergence_in_a_later_chunk_leaves_the_estimator_unchanged(model, dtype):
    X = model.rows().astype(dtype)
    rbm = model.machine(momentum=0.5).partial_fit(X)
    before = pickle.dumps(learned(rbm))
    rbm.set_params(learning_rate=1.0, weight_decay=1e300)
    with pytest.raises(ValueError, match=r"diverged in epoch 2 with learning_rate=1\.0"):
        rbm.partial_fit(X)
    assert pickle.dumps(learned(rbm)) == before


@models
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_divergence_of_tempered_chains_is_told(model, dtype):
    X = model.complete().astype(dtype)
    rbm = model.machine(algorithm="pt", n_temperatures=4).partial_fit(X)
    before = pickle.dumps(learned(rbm))
    rbm.set_params(learning_rate=0.5, weight_decay=1e300, n_gibbs_steps=3, n_iter=100)
    with pytest.raises(ValueError, match="training diverged in epoch 2"):
        rbm.partial_fit(X)
    assert pickle.dumps(learned(rbm)) == before
    rbm.set_params(weight_decay=1e6)
    fresh = clone(rbm)
    with pytest.raises(ValueError, match=r"training diverged .*learning_rate=0\.5"):
        fresh.fit(X)
    assert not hasattr(fresh, "components_")


@models
def test_a_refused_later_chunk_leaves_the_estimator_unchanged(model):
    X = model.rows()
    rbm = model.machine(momentum=0.5).partial_fit(X)
    before = pickle.dumps(vars(rbm))
    # No categories of these are known; to a model of numbers NaN is what cannot be read.
    strange = np.full((3, 6), 9.0 if model is SOFTMAX else np.nan)
    for bad in (X[:, :5], strange, X[:0], "text", np.full((3, 6), "a")):
        with pytest.raises(ValueError):
            rbm.partial_fit(bad)
        assert pickle.dumps(vars(rbm)) == before


FAILURES = {
    "diverges": (list(MODELS.values()), {"weight_decay": 1e300}, "diverged"),
    "NaN": ([BERNOULLI, GAUSSIAN], {}, "NaN"),
    "unknown categories": ([SOFTMAX], {"categories": [1, 2]}, "none of its categories"),
    "gaps": ([SOFTMAX], {"algorithm": "pcd"}, "complete rows"),
}


@pytest.mark.parametrize(
    ("model", "failure"), [(m, name) for name, (some, _, _) in FAILURES.items() for m in some]
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_failed_first_fit_leaves_nothing_behind(model, failure, method):
    """Not even what a frame says of its features."""
    pd = pytest.importorskip("pandas")
    _, parameters, message = FAILURES[failure]
    frame = pd.DataFrame(model.rows(), columns=list("abcdef"))
    if failure == "NaN":
        frame.iloc[2, 3] = np.nan
    for X in (frame, frame.to_numpy()):
        rbm = model.machine(**parameters)
        before = set(vars(rbm))
        with pytest.raises(ValueError, match=message):
            getattr(rbm, method)(X)
        assert set(vars(rbm)) == before
