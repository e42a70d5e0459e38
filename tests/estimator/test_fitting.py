"""Fitting: warm starts, early stopping, and which rows are learned from."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import train_test_split

from skrbm._estimator import fitting

from ..helpers.callbacks import Recorder, needs_callbacks
from ..helpers.comparison import assert_same_bits, assert_same_model, learned
from ..helpers.models import GAUSSIAN, SOFTMAX, models, models_and_containers, variants

# --- warm start ---


@variants
def test_two_warm_fits_are_one_fit_of_all_epochs(variant):
    X = variant.rows()
    options = {"learning_rate_schedule": "constant"}
    rbm = variant.machine(n_iter=2, warm_start=True, **options).fit(X)
    first = rbm.history_["reconstruction_error"]
    rbm.fit(X)
    once = variant.machine(n_iter=4, **options).fit(X)
    assert rbm.n_iter_ == 4
    assert rbm.history_["reconstruction_error"][:2] == first
    variant.assert_same_after_chunks(rbm, once)


@models
def test_a_warm_start_of_an_unfitted_estimator_is_a_start(model):
    X = model.rows()
    assert_same_model(model.machine(warm_start=True).fit(X), model.machine().fit(X))


@models
@pytest.mark.parametrize("change", ["columns", "names", "components", "algorithm"])
def test_a_warm_start_that_cannot_go_on_names_the_mend(model, change):
    pd = pytest.importorskip("pandas")
    X = model.complete()
    if change == "names":
        X = pd.DataFrame(X, columns=list("abcdef"))
    rbm = model.machine(algorithm="pcd", warm_start=True).fit(X)
    if change == "columns":
        X = X[:, :4]
    elif change == "names":
        X = X.rename(columns={"a": "z"})
    else:
        rbm.set_params(
            **{"components": {"n_components": 5}, "algorithm": {"algorithm": "pt"}}[change]
        )
    before = learned(rbm)
    with pytest.raises(ValueError, match="fit with warm_start=False"):
        rbm.fit(X)
    assert_same_bits(learned(rbm), before)
    rbm.set_params(warm_start=False).fit(X)
    assert rbm.n_iter_ == 3


@models
@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_warm_start_keeps_the_dtype_of_the_machine(model, early_stopping):
    X = model.rows()
    rbm = model.machine(warm_start=True, early_stopping=early_stopping, verbose=0)
    rbm.fit(X.astype(np.float32)).fit(X)
    assert rbm.components_.dtype == np.float32
    assert rbm.n_iter_ == 6


# --- early stopping ---


def stopping(model, **parameters):
    return model.machine(**{"early_stopping": True, "validation_fraction": 0.2} | parameters)


def split(n_rows, fraction=0.2, seed=0):
    """Rows to learn from and held-out rows, as scikit-learn draws them."""
    parts = train_test_split(np.arange(n_rows), test_size=fraction, random_state=seed)
    return [np.sort(part) for part in parts]


def fixed(model):
    """Categories that do not depend on the rows."""
    return {"categories": np.arange(0, 5.5, 0.5)} if model is SOFTMAX else {}


JUDGED = ("validation_score", "free_energy_gap")


@models
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("options", [{}, {"centering": True}, {"batch_size": 100}], ids=str)
def test_held_out_rows_do_not_teach(model, weighted, options, rng):
    """Neither base rates, means nor steps; one epoch, which is the best one of both fits."""
    X = model.rows()
    _, held_out = split(len(X))
    other = X.copy()
    other[held_out] = X[held_out[::-1]][:, ::-1]
    weights = rng.uniform(0.5, 3, len(X)) if weighted else None
    fits = [
        stopping(model, n_iter=1, **options | fixed(model)).fit(V, sample_weight=weights)
        for V in (X, other)
    ]
    a, b = map(learned, fits)
    figures = [state.pop("history_") for state in (a, b)]
    assert_same_bits(a, b)
    for name in figures[0]:
        assert (figures[0][name] == figures[1][name]) == (name not in JUDGED)


@models_and_containers
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("average", [False, True])
def test_the_best_machine_is_kept(model, container, weighted, average, rng):
    X = model.rows()
    _, held_out = split(len(X))
    weights = rng.uniform(0.5, 3, len(X)) if weighted else None
    rbm = stopping(model, n_iter=8, learning_rate=0.1, average=average)
    rbm.fit(container(X), sample_weight=weights)
    scores = rbm.history_["validation_score"]
    judged = rbm.score(
        container(X)[held_out], sample_weight=None if weights is None else weights[held_out]
    )
    assert_allclose(judged, max(scores), rtol=1e-12)
    assert rbm.n_iter_ == len(scores) == 8
    best = (
        clone(rbm)
        .set_params(n_iter=int(np.argmax(scores)) + 1)
        .fit(container(X), sample_weight=weights)
    )
    assert_same_model(rbm, best, but=("history_", "n_iter_", "_n_updates"))


@models
@pytest.mark.parametrize("patience", [1, 3])
def test_learning_ends_after_more_epochs_than_n_iter_no_change(model, patience):
    """No epoch is as much better than the first one."""
    rbm = stopping(model, n_iter=20, tol=1e6, n_iter_no_change=patience).fit(model.rows())
    assert rbm.n_iter_ == patience + 2  # the first epoch is better than none


@models
def test_without_early_stopping_nothing_is_judged(model):
    history = model.machine().fit(model.rows()).history_
    for name in JUDGED:
        assert np.isnan(history[name]).all()


@models
def test_partial_fit_refuses_early_stopping(model):
    with pytest.raises(
        ValueError, match=r"early_stopping=True is for fit: .* early_stopping=False"
    ):
        stopping(model).partial_fit(model.rows())


@models
@pytest.mark.parametrize(("n_rows", "fraction"), [(1, 0.1), (2, 0.6), (3, 0.9)])
def test_too_few_rows_name_the_parameters(model, n_rows, fraction):
    X = model.complete()[:n_rows]
    rbm = stopping(model, validation_fraction=fraction)
    message = (
        rf"early_stopping=True with validation_fraction={fraction} holds out {n_rows} of {n_rows}"
    )
    with pytest.raises(ValueError, match=message):
        rbm.fit(X)
    rbm.set_params(validation_fraction=0.3)
    if n_rows > 1:
        rbm.fit(X)


@models
def test_ctrl_c_keeps_the_best_epoch(model, monkeypatch):
    X, n_epochs, train = model.rows(), [0], fitting.train_epoch

    def interrupted(state, settings, rows, judge):
        if n_epochs[0] == 5:
            raise KeyboardInterrupt
        n_epochs[0] += 1
        train(state, settings, rows, judge)
        if n_epochs[0] in (3, 4):  # worse than the second epoch, whatever it learned
            state.model.weights[...] += 3

    rbm = stopping(model, n_iter=9)
    monkeypatch.setattr(fitting, "train_epoch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        rbm.fit(X)
    monkeypatch.undo()
    scores = rbm.history_["validation_score"]
    assert rbm.n_iter_ == len(scores) == 5
    assert np.argmax(scores) < 3
    assert_allclose(rbm.score(X[split(len(X))[1]]), max(scores), rtol=1e-12)


# --- weights of rows ---


def counts(n_rows):
    """Whole numbers, 0 among them."""
    weights = np.arange(n_rows) % 4
    return weights.astype(float)


@models_and_containers
@pytest.mark.parametrize("algorithm", ["pcd", "pt", "cd"])
@pytest.mark.parametrize("options", [{}, {"centering": True, "momentum": 0.5}], ids=str)
@pytest.mark.parametrize("form", ["plain", "other"])
def test_a_weight_is_a_number_of_equal_rows(model, container, algorithm, options, form):
    """Where a mini-batch holds all rows; also for initial biases, which n_iter=0 shows."""
    X = model.rows() if algorithm == "cd" else model.complete()
    X, weights = X[:23], counts(23)
    if form == "other":
        options = options | {
            GAUSSIAN: {"noise_variance": "learned"},
            SOFTMAX: {"categories": "auto", "conditional": False},
        }.get(model, {"negative_visibles": "mean"})
    options = options | {"algorithm": algorithm, "batch_size": 100, "n_chains": 5}
    for n_iter in (0, 4):
        rbm = model.machine(n_iter=n_iter, **options)
        weighted = clone(rbm).fit(container(X), sample_weight=weights)
        repeated = clone(rbm).fit(container(np.repeat(X, weights.astype(int), axis=0)))
        assert_same_numbers(weighted, repeated)


def assert_same_numbers(actual, desired):
    """But for rounding: weights are divided by their mean."""
    a, d = learned(actual), learned(desired)
    for name in d:
        if name.endswith("_") and isinstance(d[name], np.ndarray):
            assert_allclose(a[name], d[name], rtol=1e-9, atol=1e-11, err_msg=name)


@models
@pytest.mark.parametrize("algorithm", ["pcd", "pt", "cd"])
def test_the_unit_of_weights_does_not_matter(model, algorithm, rng):
    """Powers of 2 change no bit; the largest mean is 1, so initial biases are the same."""
    X, weights = model.complete(), rng.uniform(0.1, 1.5, 47)
    weights /= 2 * weights.mean()
    fits = [
        model.machine(algorithm=algorithm, n_chains=7).fit(X, sample_weight=scale * weights)
        for scale in (1, 0.25, 2**-30)
    ]
    for other in fits[1:]:
        assert_same_model(other, fits[0])


@models
@pytest.mark.parametrize("batch_size", [10, 100])
def test_equal_weights_are_none(model, batch_size):
    X = model.rows()
    rbm = model.machine(batch_size=batch_size)
    assert_same_numbers(clone(rbm).fit(X, sample_weight=np.full(47, 0.3)), clone(rbm).fit(X))


@models
def test_rows_of_weight_0_may_hold_anything(model):
    X, weights = model.complete(), np.ones(47)
    weights[[3, 8]] = 0
    strange = X.copy()
    strange[3], strange[8] = np.inf, 1e9
    assert_same_numbers(
        model.machine().fit(strange, sample_weight=weights),
        model.machine().fit(np.delete(X, [3, 8], axis=0)),
    )


BAD = {
    "too few": np.ones(46),
    "two columns": np.ones((47, 2)),
    "negative": np.r_[-1.0, np.ones(46)],
    "NaN": np.r_[np.nan, np.ones(46)],
    "infinite": np.r_[np.inf, np.ones(46)],
    "all zero": np.zeros(47),
    "strings": ["a"] * 47,
}


@models
@pytest.mark.parametrize("weights", BAD.values(), ids=BAD)
@pytest.mark.parametrize("method", ["fit", "partial_fit", "score"])
def test_bad_weights_are_named(model, weights, method):
    X = model.rows()
    rbm = model.machine().fit(X)
    before = learned(rbm)
    with pytest.raises(ValueError, match="sample_weight must be one finite number"):
        getattr(rbm, method)(X, sample_weight=weights)
    assert_same_bits(learned(rbm), before)


@models_and_containers
def test_a_weighted_score_is_the_weighted_mean(model, container, rng):
    X, weights = model.rows(), rng.uniform(0, 3, 47)
    rbm = model.machine().fit(container(X))
    scores = rbm.score_samples(container(X))
    expected = (weights * scores).sum() / weights.sum()
    assert_allclose(rbm.score(container(X), sample_weight=weights), expected, rtol=1e-13)


def test_a_score_leaves_out_impossible_rows_of_weight_0(estimator):
    estimator.intercept_visible_[1] = np.inf
    X = np.array([[0.0, 1, 0, 1], [0, 0, 0, 1]])
    assert estimator.score(X) == -np.inf
    assert estimator.score(X, sample_weight=[2, 0]) == estimator.score(X[:1])


@models
def test_y_is_left_out_with_rows_of_weight_0(model):
    """Callbacks receive it."""
    weights = np.ones(47)
    weights[5] = 0
    rows, y = model.machine()._training_rows(model.rows(), np.arange(47), weights, reset=True)
    assert_array_equal(y, np.delete(np.arange(47), 5))
    assert_array_equal(rows.weights, np.ones(46))


@needs_callbacks
@models
def test_the_end_of_a_fit_shows_the_best_machine(model):
    """To callbacks, which saw the last one at the end of the last epoch."""

    class Last(Recorder):
        def on_fit_task_end(self, estimator, context, *, X, y, fitted_estimator):
            self.fitted.append(fitted_estimator)

    recorder = Last()
    rbm = stopping(model, n_iter=8, learning_rate=0.1).set_callbacks(recorder).fit(model.rows())
    scores = rbm.history_["validation_score"]
    assert np.argmax(scores) < 7
    *_, last_epoch, end = recorder.fitted
    assert_array_equal(end.components_, rbm.components_)
    assert (last_epoch.components_ != rbm.components_).any()
