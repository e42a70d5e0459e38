"""Early stopping: what is counted, what is kept, and the figures of an epoch."""

import numpy as np
import pytest

from skrbm._input.numbers import NumberRows
from skrbm._training.averaging import Average
from skrbm._training.stopping import EarlyStopping

from ..helpers.softmax_machines import random_machine
from ..helpers.training import binary_state, data_of, softmax_state


def judged(scores, n_iter_no_change=2, tol=0.1):
    """Early stopping after epochs of these scores, and whether it was over after each."""
    stopping = EarlyStopping(None, n_iter_no_change, tol)
    stopping.held_out = _Scores(scores)
    over = []
    for _ in scores:
        stopping.judge(_State(), _Rows())
        over.append(stopping.is_over)
    return stopping, over


class _Rows:
    n_rows, weights, n_unknown = 1, None, 0

    def part(self, which):
        return self

    def map(self, function, **work):
        return np.zeros(1)


class _Scores(_Rows):
    """Rows that score as given, epoch after epoch; every second question is for free energies."""

    def __init__(self, scores):
        self.answers = iter([a for score in scores for a in (score, 0.0)])

    def map(self, function, **work):
        return np.array([next(self.answers)])


class _State:
    """A state that tells its copies apart."""

    count = 0

    def __init__(self):
        _State.count += 1
        self.number = _State.count
        self.fitted = binary_state(np.zeros((2, 1)), np.zeros(2), np.zeros(1)).model

    def copy(self):
        return self


def test_learning_ends_after_more_epochs_than_allowed_without_improvement():
    """As MLPClassifier counts: an improvement is at least ``tol`` above the best score."""
    _, over = judged([-5, -4, -4.05, -3.95, -4])
    assert over == [False, False, False, False, True]
    _, over = judged([-5, -4, -3.9, -3.85, -3.85, -3.85])
    assert over == [False] * 5 + [True]
    _, over = judged([-5, -4.5, -4, -3.5, -3, -2.5])
    assert not any(over)


def test_the_best_epoch_is_kept_however_small_its_lead():
    _State.count = 0
    stopping, _ = judged([-5, -4, -3.99, -4.2])
    assert stopping.best.number == 3
    assert stopping.best_score == -3.99


def test_without_an_epoch_the_result_is_the_state_itself(arrays):
    state = binary_state(*arrays)
    assert EarlyStopping(None, 1, 0.0).result(state) is state


def test_the_result_has_the_counts_and_figures_of_all_epochs(arrays, rng):
    state = binary_state(*arrays)
    rows = NumberRows(rng.integers(0, 2, (7, 4)).astype(float))
    stopping = EarlyStopping(rows, 3, 0.0)
    state.record(stopping.judge(state, rows))
    best = state.model.weights.copy()
    state.model.weights[:] = 9  # a machine that is worse
    state.n_updates, state.n_epochs = 5, 2
    state.record(stopping.judge(state, rows))
    result = stopping.result(state)
    np.testing.assert_array_equal(result.model.weights, best)
    assert (result.n_updates, result.n_epochs, result.n_records) == (5, 2, 2)
    assert result.records is state.records


@pytest.mark.parametrize("averaged", [False, True])
def test_figures_are_those_of_the_machine_that_is_shown(arrays, rng, averaged):
    """The gap: mean free energy of held-out rows less that of as many training rows, weighted."""
    state = binary_state(*arrays)
    if averaged:
        state.average = Average(state.model.copy())
        state.average.model.weights[:] *= 0.5
    model = state.average.model if averaged else state.model
    X, held_out = (rng.integers(0, 2, (n, 4)).astype(float) for n in (11, 3))
    rows, judges = NumberRows(X), NumberRows(held_out)
    judges.weights, rows.weights = np.array([1.0, 2.0, 4.0]), rng.random(11) + 0.5
    figures = EarlyStopping(judges, 1, 0.0).judge(state, rows)
    score = judges.weights @ model.pseudo_likelihood(held_out) / 7
    assert figures["validation_score"] == pytest.approx(score, rel=1e-12)
    trained, weights = X[::4], rows.weights[::4]
    gap = judges.weights @ model.free_energy(held_out) / 7
    gap -= weights @ model.free_energy(trained) / weights.sum()
    assert figures["free_energy_gap"] == pytest.approx(gap, rel=1e-9)


def test_a_machine_that_is_there_before_may_be_the_best(arrays, rng):
    state = binary_state(*arrays)
    rows = NumberRows(rng.integers(0, 2, (7, 4)).astype(float))
    stopping = EarlyStopping(rows, 3, 0.0)
    stopping.start_from(state)
    before = state.model.weights.copy()
    state.model.weights[:] = 9
    stopping.judge(state, rows)
    np.testing.assert_array_equal(stopping.result(state).model.weights, before)
    assert stopping.n_without_improvement == 1


def test_rows_with_missing_entries_have_no_gap():
    machine = random_machine((3, 2, 4), 2)
    complete, gaps = (data_of(machine, rows) for rows in ([(0, 3, 5), (1, 4, 6)], [(0, 5), (3,)]))
    for held_out, training, known in ((complete, complete, 1), (gaps, complete, 0)):
        for pair in ((held_out, training), (training, held_out)):
            figures = EarlyStopping(pair[0], 1, 0.0).judge(softmax_state(machine), pair[1])
            assert np.isfinite(figures["free_energy_gap"]) == known
