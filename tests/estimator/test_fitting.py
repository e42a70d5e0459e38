"""Fitting: early stopping and warm start of all models."""

import copy
import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.utils import check_random_state

from skrbm._machine.keys import draw_seed

from ..helpers.models import BERNOULLI, SOFTMAX, models, models_and_containers

#: Epochs that learn too fast to go on improving for long.
EARLY = {"early_stopping": True, "n_iter": 30, "n_iter_no_change": 2, "validation_fraction": 0.25}


def split(rbm, n_rows):
    """Numbers of the rows that early stopping trains on, and of those that it holds out."""
    from sklearn.model_selection import train_test_split

    seed = draw_seed(check_random_state(rbm.random_state))
    options = {"test_size": rbm.validation_fraction, "random_state": int(seed) % 2**32}
    return [np.sort(which) for which in train_test_split(np.arange(n_rows), **options)]


# --- early stopping ---


@models_and_containers
def test_the_machine_of_the_best_epoch_is_kept(model, container):
    X = container(model.rows())
    rbm = model.machine(**EARLY, learning_rate=0.3).fit(X)
    scores = rbm.history_["validation_score"]
    _, held_out = split(rbm, len(model.rows()))
    assert rbm.score(container(model.rows()[held_out])) == pytest.approx(max(scores), rel=1e-9)
    assert len(scores) == rbm.n_iter_
    assert np.isfinite(rbm.history_["free_energy_gap"]).all() == (model is not SOFTMAX)
    # The last epochs brought no improvement, unless all epochs were made.
    if rbm.n_iter_ < 30:
        assert max(scores[-3:]) < max(scores[:-3]) + rbm.tol


@models
def test_held_out_rows_are_not_learned(model):
    """Neither by the gradient nor by what learning starts from."""
    X = model.complete()
    rbm = model.machine(**EARLY | {"n_iter": 2, "n_iter_no_change": 9, "centering": True})
    training, held_out = split(rbm, len(X))
    other = X.copy()
    other[held_out] = X[held_out[::-1]]
    first, second = (clone(rbm).fit(Z) for Z in (X, other))
    for name in (*model.arrays, "h_samples_"):
        assert_array_equal(getattr(first, name), getattr(second, name))
    alone = clone(rbm).set_params(early_stopping=False, shuffle=True).fit(X[training])
    for name in ("intercept_visible_", "_data_mean"):
        begun = clone(rbm).set_params(n_iter=0).fit(X)
        trained = clone(alone).set_params(n_iter=0).fit(X[training])
        assert_array_equal(getattr(begun, name), getattr(trained, name))


@models
def test_chunks_have_no_rows_to_hold_out(model):
    rbm = model.machine(early_stopping=True)
    with pytest.raises(ValueError, match="early_stopping=True is for fit"):
        rbm.partial_fit(model.rows())
    assert not hasattr(rbm, "components_")


@models
def test_too_few_rows_are_refused(model):
    """All of them would be held out, or none would be."""
    sentence = "early_stopping=True with validation_fraction=0.1 holds out 1 rows of n_samples=1,"
    with pytest.raises(ValueError, match=sentence):
        model.machine(early_stopping=True).fit(model.complete()[:1])


@models
def test_without_early_stopping_nothing_is_judged(model):
    history = model.machine().fit(model.rows()).history_
    assert np.isnan(history["validation_score"]).all()
    assert np.isnan(history["free_energy_gap"]).all()


def test_verbose_tells_the_validation_score(capsys):
    rbm = BERNOULLI.machine(**EARLY | {"n_iter": 1}, verbose=1).fit(BERNOULLI.rows())
    line = capsys.readouterr().out
    assert f"validation score = {rbm.history_['validation_score'][0]:.2f}," in line


def test_ctrl_c_keeps_the_best_epoch_so_far(monkeypatch):
    X = BERNOULLI.rows()
    rbm = BERNOULLI.machine(**EARLY | {"n_iter": 6, "n_iter_no_change": 9}, learning_rate=2.0)
    whole = clone(rbm).fit(X)
    best = int(np.argmax(whole.history_["validation_score"][:5]))
    calls = []

    def stop(learner, *arguments):
        calls.append(1)
        if len(calls) == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(type(rbm), "_report", stop)
    with pytest.raises(KeyboardInterrupt):
        rbm.fit(X)
    assert rbm.n_iter_ == 5
    until = clone(rbm).set_params(n_iter=best + 1)
    monkeypatch.undo()
    assert_array_equal(rbm.components_, until.fit(X).components_)


# --- warm start ---


@models
@pytest.mark.parametrize("average", [False, True])
def test_a_warm_start_goes_on(model, average):
    """Two fits of two epochs are one of four, unless a rate falls within each fit."""
    X = model.rows()
    rbm = model.machine(n_iter=2, average=average, centering=True, warm_start=True)
    whole = clone(rbm).set_params(n_iter=4).fit(X)
    rbm.fit(X)
    rbm = pickle.loads(pickle.dumps(rbm))
    assert rbm.fit(X).n_iter_ == 4
    assert rbm.history_["learning_rate"] == whole.history_["learning_rate"]
    for name in (*model.arrays, "h_samples_"):
        assert_array_equal(getattr(rbm, name), getattr(whole, name))


@models
def test_a_cold_start_starts_anew(model):
    X = model.rows()
    rbm = model.machine(warm_start=False).fit(X)
    again = copy.deepcopy(rbm).fit(X)
    assert_array_equal(again.components_, rbm.components_)
    assert again.n_iter_ == 3


@models
def test_a_warm_start_needs_the_machine_that_it_finds(model):
    X = model.rows()
    rbm = model.machine(warm_start=True).fit(X)
    with pytest.raises(ValueError, match="features"):
        rbm.fit(X[:, :-1])
    with pytest.raises(ValueError, match="warm_start=False"):
        rbm.set_params(n_components=5).fit(X)
    assert rbm.set_params(warm_start=False).fit(X).components_.shape[0] == 5


@models
@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_warm_start_needs_more_than_parameters(model, early_stopping):
    X = model.rows()
    fitted = model.machine().fit(X)
    rbm = model.machine(warm_start=True, early_stopping=early_stopping)
    for name in (*model.arrays, "categories_", "noise_variance_", "n_features_in_"):
        if hasattr(fitted, name):
            setattr(rbm, name, getattr(fitted, name))
    with pytest.raises(ValueError, match=r"were set by hand\. Call fit with warm_start=False"):
        rbm.fit(X)
    assert rbm.set_params(warm_start=False).fit(X).n_iter_ == 3


@models
def test_a_warm_start_keeps_a_better_machine_and_holds_out_the_same_rows(model):
    """Whatever random_state is: the seed of the machine says which rows."""
    X = model.complete()
    rbm = model.machine(**EARLY, warm_start=True, random_state=np.random.RandomState(0)).fit(X)
    best, kept = max(rbm.history_["validation_score"]), rbm.components_.copy()
    rbm.set_params(n_iter=1, learning_rate=1.0).fit(X)
    assert rbm.history_["validation_score"][-1] < best
    assert_array_equal(rbm.components_, kept)
    rbm.set_params(n_iter=1, learning_rate=1e-12, average=False).fit(X)
    assert rbm.history_["validation_score"][-1] == pytest.approx(best, rel=0.05)


def test_rows_without_entries_cannot_judge():
    X = SOFTMAX.complete().astype(float)
    X[1:] = np.nan
    with pytest.raises(ValueError, match=r"rows to (judge by|train on) that have no entry"):
        SOFTMAX.machine(**EARLY, categories=[1, 2, 3, 4, 5], handle_unknown="ignore").fit(X)


def test_a_warm_start_that_fails_leaves_no_records(monkeypatch):
    X = BERNOULLI.rows()
    rbm = BERNOULLI.machine(warm_start=True).fit(X)
    calls = []

    def fail(learner, *arguments):
        calls.append(1)
        if len(calls) == 2:
            raise ValueError("training diverged")

    monkeypatch.setattr(type(rbm), "_report", fail)
    with pytest.raises(ValueError, match="diverged"):
        rbm.fit(X)
    assert len(rbm._records) == rbm.n_iter_ == 3
