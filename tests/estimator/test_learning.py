"""Learning wherever the data are: what is kept when data are lost, and going on from there."""

import copy

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skrbm._estimator.data import LocalData, hold_out
from skrbm._estimator.learning import learn, learner_of
from skrbm._training.epoch import run_updates

from ..helpers.callbacks import Hook, needs_callbacks
from ..helpers.comparison import assert_same_bits, assert_same_model, learned
from ..helpers.models import BERNOULLI, models, variants


class LostDataError(RuntimeError):
    """The data are elsewhere, and gone."""


class FragileData(LocalData):
    """Data that are lost in the middle of an epoch, after so many whole ones."""

    interruptions = (KeyboardInterrupt, LostDataError)

    def __init__(self, rows, n_whole):
        super().__init__(rows)
        self.n_left = n_whole

    def learn(self, state, settings):
        if self.n_left == 0:
            run_updates(state, settings, self.rows, range(2))
            raise LostDataError("the data are gone")
        self.n_left -= 1
        super().learn(state, settings)


def learn_of(rbm, X, *, n_whole=None, go_on=False, resume=False):
    """What ``fit`` does, with data that may be lost after so many epochs."""
    learner = learner_of(rbm)
    rows, seen = learner._training_data(X, None, None, reset=not go_on)
    data = LocalData(rows) if n_whole is None else FragileData(rows, n_whole)
    return learn(rbm, learner, data, seen, go_on=go_on, resume=resume)


def lose(rbm, X, **options):
    with pytest.raises(LostDataError, match="the data are gone"):
        learn_of(rbm, X, **options)


# --- data that are lost ---


@variants
@pytest.mark.parametrize("schedule", ["linear", "inverse_sqrt"])
def test_a_fit_that_loses_its_data_can_be_resumed(variant, schedule):
    """It keeps its last whole epoch; with the data back it ends as if nothing had happened."""
    X = variant.rows()
    rbm = variant.machine(n_iter=5, learning_rate_schedule=schedule)
    whole = clone(rbm).fit(X)
    lose(rbm, X, n_whole=1)
    assert rbm.n_iter_ == 1
    lose(rbm, X, n_whole=2, go_on=True, resume=True)
    assert rbm.n_iter_ == 3
    assert rbm.history_["learning_rate"] == whole.history_["learning_rate"][:3]
    kept = copy.deepcopy(learned(rbm))
    lose(rbm, X, n_whole=0, go_on=True, resume=True)
    assert_same_bits(learned(rbm), kept)
    assert learn_of(rbm, X, go_on=True, resume=True) is rbm
    assert_same_model(rbm, whole)
    # Nothing is left to do.
    assert_same_model(learn_of(rbm, X, go_on=True, resume=True), whole)


@models
def test_what_is_kept_is_the_last_whole_epoch(model):
    X = model.rows()
    rbm = model.machine(n_iter=5, centering=True, average=0.4)
    until = clone(rbm).set_params(n_iter=2).fit(X)
    lose(rbm, X, n_whole=2)
    assert_same_model(rbm, until)


@models
def test_without_a_whole_epoch_nothing_is_kept(model):
    X = model.rows()
    rbm = model.machine()
    lose(rbm, X, n_whole=0)
    assert learned(rbm) == {}
    with pytest.raises(NotFittedError):
        rbm.transform(X)


def test_other_errors_keep_nothing(monkeypatch):
    X = BERNOULLI.rows()
    monkeypatch.setattr(FragileData, "interruptions", (KeyboardInterrupt,))
    rbm = BERNOULLI.machine()
    lose(rbm, X, n_whole=2)
    assert learned(rbm) == {}


@models
def test_with_early_stopping_the_best_epoch_is_kept(model):
    X = model.complete()
    options = {"early_stopping": True, "n_iter_no_change": 9, "validation_fraction": 0.25}
    rbm = model.machine(n_iter=6, **options, learning_rate=0.5 if model is BERNOULLI else 0.05)
    until = clone(rbm).set_params(n_iter=4).fit(X)
    lose(rbm, X, n_whole=4)
    assert rbm.n_iter_ == 4
    assert_same_model(rbm, until)


def test_a_warm_start_makes_all_its_epochs():
    """What is there is then no epoch of this fit."""
    X = BERNOULLI.rows()
    rbm = BERNOULLI.machine(n_iter=2).fit(X)
    assert learn_of(rbm, X, go_on=True).n_iter_ == 4
    assert_same_model(rbm, BERNOULLI.machine(n_iter=4).fit(X))


@needs_callbacks
def test_callbacks_see_the_epochs_that_are_left():
    X, seen = BERNOULLI.rows(), []

    def look(epoch, X, y, fitted):
        seen.append(fitted.n_iter_)

    rbm = BERNOULLI.machine(n_iter=5).set_callbacks(Hook(look))
    lose(rbm, X, n_whole=3)
    learn_of(rbm, X, go_on=True, resume=True)
    assert seen == [1, 2, 3, 4, 5]


# --- the learner ---


def test_a_learner_has_checked_parameters_and_python_numbers():
    rbm = BERNOULLI.machine(n_components=np.int8(100), batch_size=np.int8(10))
    learner = learner_of(rbm)
    assert type(learner.n_components) is type(learner.batch_size) is int
    assert learner.batch_size * learner.n_components == 1000
    with pytest.raises(ValueError, match="learning_rate"):
        learner_of(BERNOULLI.machine(learning_rate=-1))


@models
def test_what_a_learner_sees_does_not_reach_the_estimator(model):
    rbm, X = model.machine(), model.rows()
    before = copy.deepcopy(vars(rbm))
    learner = learner_of(rbm)
    learner._training_data(X, None, None, reset=True)
    assert learner.n_features_in_ == X.shape[1]
    assert vars(rbm).keys() == before.keys()


# --- rows that are held out ---


@models
def test_every_row_is_held_out_or_trained_on_in_its_order(model):
    X, weights = model.complete(), np.arange(1.0, 48)
    X = X[np.lexsort(X.T)]
    rbm = model.machine(early_stopping=True, validation_fraction=0.3).fit(X)
    rows, _ = rbm._read(X)
    rows.weights = weights
    training, held_out = hold_out(rbm, rows, np.uint64(2**63 + 5))
    assert held_out.n_rows == 15  # 14.1, rounded up
    both = np.concatenate([training.weights, held_out.weights])
    assert_array_equal(np.sort(both), weights)
    for part in (training, held_out):
        assert (np.diff(part.weights) > 0).all()
        assert_array_equal(part.X, X[part.weights.astype(int) - 1])
    again, other = (hold_out(rbm, rows, np.uint64(seed))[1] for seed in (2**63 + 5, 6))
    assert_array_equal(again.weights, held_out.weights)
    assert (other.weights != held_out.weights).any()
