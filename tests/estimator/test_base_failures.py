"""Fits that fail leave the estimator as it was, and say why."""

import pickle
import re

import numpy as np
import pytest
from sklearn.base import clone

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
