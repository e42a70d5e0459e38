"""Weights of rows: a row of weight 2 is the row twice, a row of weight 0 is none."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from skrbm import BernoulliRBM, GaussianBernoulliRBM, SoftmaxRBM

from ..helpers.models import BERNOULLI, GAUSSIAN, SOFTMAX, models, models_and_containers

WEIGHTS = np.random.default_rng(5).integers(0, 4, 47)
WHOLE = {"batch_size": 1000, "n_chains": 9, "n_iter": 3, "centering": True, "average": True}

MACHINES = {
    "bits, pcd": (BERNOULLI, {}),
    "bits, pt": (BERNOULLI, {"algorithm": "pt", "n_temperatures": 3}),
    "bits, cd": (BERNOULLI, {"algorithm": "cd", "momentum": 0.5}),
    "real values, pcd": (GAUSSIAN, {"algorithm": "pcd"}),
    "real values, cd": (GAUSSIAN, {"algorithm": "cd"}),
    "learned variance": (GAUSSIAN, {"algorithm": "cd", "noise_variance": "learned"}),
    "categories": (SOFTMAX, {"conditional": False}),
    "categories, conditional": (SOFTMAX, {"n_gibbs_steps": 2}),
    "categories, auto": (SOFTMAX, {"categories": "auto"}),
}
machines = pytest.mark.parametrize(("model", "parameters"), MACHINES.values(), ids=MACHINES)


def repeated(X, weights):
    return X[np.repeat(np.arange(len(weights)), weights)]


def assert_close(actual, desired, model):
    for name in (*model.arrays, "_base_rate_bias", "_data_mean", "_hidden_mean"):
        values = getattr(actual, name), getattr(desired, name)
        if values[1] is not None:
            assert_allclose(*values, rtol=1e-9, atol=1e-11, err_msg=name)


# --- where a mini-batch holds all rows: exactly ---


@machines
def test_weights_are_numbers_of_equal_rows(model, parameters):
    X = model.complete() if parameters.get("algorithm") in ("pcd", "pt") else model.rows()
    rbm = model.machine(**WHOLE | parameters)
    twice = model.machine(**WHOLE | parameters).fit(repeated(X, WEIGHTS))
    assert_close(rbm.fit(X, sample_weight=WEIGHTS), twice, model)
    order = np.random.default_rng(0).permutation(len(X))
    assert_close(rbm.fit(X[order], sample_weight=WEIGHTS[order]), twice, model)


@models_and_containers
def test_containers_have_weights_too(model, container):
    X = model.rows()
    rbm = model.machine(**WHOLE, algorithm="cd")
    expected = model.machine(**WHOLE, algorithm="cd").fit(container(repeated(X, WEIGHTS)))
    assert_close(rbm.fit(container(X), sample_weight=list(WEIGHTS)), expected, model)


@models
def test_where_learning_starts(model):
    """Also where mini-batches are parts, and where categories are found in X."""
    X, parameters = model.rows(), {"n_iter": 0, "batch_size": 10, "centering": True}
    actual = model.machine(**parameters).fit(X, sample_weight=WEIGHTS)
    assert_close(actual, model.machine(**parameters).fit(repeated(X, WEIGHTS)), model)


@pytest.mark.parametrize("model", [BERNOULLI, GAUSSIAN], ids=["Bernoulli", "Gaussian"])
def test_a_chunk_of_one_mini_batch_has_weights(model):
    X = model.rows()
    first, second = (model.machine(**WHOLE, algorithm="pcd") for _ in range(2))
    for _ in range(2):
        first.partial_fit(X, sample_weight=WEIGHTS)
        second.partial_fit(repeated(X, WEIGHTS))
    assert_close(first, second, model)


@models
def test_rows_of_weight_0_are_not_read(model):
    X, weights = model.rows().astype(float), WEIGHTS.astype(float)
    spoilt = X.copy()
    spoilt[weights == 0] = np.inf
    for method in ("fit", "partial_fit"):
        first, second = model.machine(), model.machine()
        getattr(first, method)(spoilt, sample_weight=weights)
        getattr(second, method)(X[weights > 0], sample_weight=weights[weights > 0])
        for name in model.arrays:
            assert_array_equal(getattr(first, name), getattr(second, name))
    assert first.score(spoilt, sample_weight=weights) == first.score(
        X[weights > 0], sample_weight=weights[weights > 0]
    )


@models
def test_text_in_rows_of_weight_0_is_not_read(model):
    X = model.rows()
    spoilt = X.astype(object)
    spoilt[WEIGHTS == 0, 1] = "unknown"
    first = model.machine().fit(spoilt, sample_weight=WEIGHTS)
    second = model.machine().fit(X, sample_weight=WEIGHTS)
    for name in model.arrays:
        assert_array_equal(getattr(first, name), getattr(second, name))
    assert first.score(spoilt, sample_weight=WEIGHTS) == second.score(X, sample_weight=WEIGHTS)
    with pytest.raises(ValueError, match="'unknown', which is no number"):
        first.score(spoilt)


def test_masks_of_rows_of_weight_0_are_not_read():
    X = BERNOULLI.rows()
    masked = np.ma.masked_array(X, np.zeros(X.shape, bool))
    masked[WEIGHTS == 0, 1] = np.ma.masked
    first, second = BERNOULLI.machine(), BERNOULLI.machine()
    first.fit(masked, sample_weight=WEIGHTS)
    second.fit(X, sample_weight=WEIGHTS)
    for name in BERNOULLI.arrays:
        assert_array_equal(getattr(first, name), getattr(second, name))
    assert first.score(masked, sample_weight=WEIGHTS) == second.score(X, sample_weight=WEIGHTS)
    with pytest.raises(ValueError, match="masks entries"):
        first.fit(masked, sample_weight=np.ones(len(X)))


# --- relative to their mean ---


@models
@pytest.mark.parametrize("factor", [2.0, 1e9])
def test_weights_are_relative(model, factor):
    """A step does not grow with them; what is there before training fades, as with more rows."""
    X, weights = model.rows(), 1.0 + WEIGHTS
    parameters = {"learning_rate": 0.1, "n_iter": 1, "momentum": 0.0}
    moves = []
    for scale in (1.0, factor):
        begun = model.machine(**parameters | {"n_iter": 0}).fit(X, sample_weight=scale * weights)
        rbm = model.machine(**parameters).fit(X, sample_weight=scale * weights)
        moves.append(np.linalg.norm(rbm.components_ - begun.components_))
    assert moves[1] == pytest.approx(moves[0], rel=0.2)


@models
def test_weights_below_one_on_average_are_scaled_up(model):
    """What half a row says before training would outweigh them."""
    X, weights = model.rows(), 0.1 + np.random.default_rng(0).random(47)
    first, second = (
        model.machine().fit(X, sample_weight=w) for w in (weights * 1e-9, weights / weights.mean())
    )
    assert_close(first, second, model)


@models
def test_equal_weights_are_no_weights(model):
    X = model.rows()
    weighted, plain = model.machine().fit(X, sample_weight=np.ones(47)), model.machine().fit(X)
    assert_close(weighted, plain, model)


@models
def test_squares_and_scores_of_huge_weights_stay_in_range(model):
    X, counts = model.rows(), 1.0 + WEIGHTS
    options = {"early_stopping": True}
    if model is GAUSSIAN:
        X, options = 1e3 * X, options | {"noise_variance": "learned"}
    huge, large = (
        model.machine(**options).fit(X, sample_weight=scale * counts) for scale in (1e306, 1e20)
    )
    assert_close(huge, large, model)
    scores = (rbm.history_["validation_score"] for rbm in (huge, large))
    assert_allclose(*scores, rtol=1e-9)


# --- scores and refusals ---


@models
def test_a_score_is_a_weighted_mean(model):
    X = model.rows()
    rbm = model.machine().fit(X)
    expected = np.average(rbm.score_samples(X), weights=WEIGHTS)
    assert rbm.score(X, sample_weight=WEIGHTS) == pytest.approx(expected, rel=1e-12)
    # Products of weights and scores would overflow, or have few digits.
    assert rbm.score(X, sample_weight=1e306 * WEIGHTS) == pytest.approx(expected, rel=1e-12)
    assert rbm.score(X, sample_weight=5e-324 * WEIGHTS) == pytest.approx(expected, rel=1e-12)


BAD = {
    "negative": (np.r_[-1.0, np.ones(46)], "sample_weight"),
    "all 0": (np.zeros(47), "sample_weight"),
    "too few": (np.ones(46), "sample_weight"),
    "table": (np.ones((47, 2)), "sample_weight"),
    "NaN": (np.r_[np.nan, np.ones(46)], "sample_weight"),
    "infinite": (np.r_[np.inf, np.ones(46)], "sample_weight"),
}


@models
@pytest.mark.parametrize("method", ["fit", "partial_fit", "score"])
@pytest.mark.parametrize(("weights", "sentence"), BAD.values(), ids=BAD)
def test_bad_weights_are_refused_by_name(model, method, weights, sentence):
    rbm, X = model.machine(), model.rows()
    if method == "score":
        rbm.fit(X)
    with pytest.raises(ValueError, match=sentence):
        getattr(rbm, method)(X, sample_weight=weights)
    assert method == "score" or not hasattr(rbm, "components_")


def test_sparse_formats_with_rows_of_weight_0():
    X = BERNOULLI.rows()
    expected = BERNOULLI.machine().fit(X, sample_weight=WEIGHTS).components_
    for format in ("csr", "csc", "coo", "lil"):
        rbm = BERNOULLI.machine().fit(sparse.csr_array(X).asformat(format), sample_weight=WEIGHTS)
        assert_array_equal(rbm.components_, expected)


def test_early_stopping_judges_by_weights():
    X, weights = BERNOULLI.rows(), 1.0 + WEIGHTS
    rbm = BERNOULLI.machine(early_stopping=True, n_iter=1).fit(X, sample_weight=weights)
    for estimator in (BernoulliRBM, GaussianBernoulliRBM, SoftmaxRBM):
        assert "sample_weight" in estimator.fit.__doc__
    assert np.isfinite(rbm.history_["validation_score"]).all()


def test_huge_weights_round_to_finite_biases():
    X = BERNOULLI.rows().astype(float)
    X[:, 0] = 1
    weights = np.random.default_rng(0).random(47) * 1e14 + 1e14
    assert np.isfinite(
        BERNOULLI.machine(n_iter=0).fit(X, sample_weight=weights).intercept_visible_
    ).all()


def test_a_heavy_row_does_not_throw_the_hidden_mean_off():
    X, weights = BERNOULLI.rows(), np.ones(47)
    weights[3] = 1e6
    rbm = BERNOULLI.machine(batch_size=1, learning_rate=1e-9, centering=True)
    rbm.fit(X, sample_weight=weights)
    assert ((rbm._hidden_mean > 0) & (rbm._hidden_mean < 1)).all()


def test_the_target_is_ignored():
    rbm = BERNOULLI.machine().fit(BERNOULLI.rows(), y=5, sample_weight=WEIGHTS)
    assert rbm.n_iter_ == 3
