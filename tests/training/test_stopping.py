"""Early stopping: what is counted, what is kept, and the figures of an epoch."""

import numpy as np
import pytest

from skrbm._input.numbers import NumberRows
from skrbm._training.averaging import Average
from skrbm._training.measures import measure
from skrbm._training.stopping import EarlyStopping

from ..helpers.softmax_machines import random_machine
from ..helpers.training import binary_state, data_of, softmax_state


def sums_of(score, n_rows=2):
    """Sums over held-out rows of this mean score."""
    return {"validation_score": (score * n_rows, n_rows), "free_energy_gap": (0.0, 1, 0.0, 1)}


def judged(scores, n_iter_no_change=2, tol=0.1):
    """Early stopping after epochs of these scores, and whether it was over after each."""
    stopping = EarlyStopping(n_iter_no_change, tol)
    over = []
    for score in scores:
        stopping.judge(_State(), sums_of(score))
        over.append(stopping.is_over)
    return stopping, over


class _State:
    """A state that tells its copies apart."""

    count = 0

    def __init__(self):
        _State.count += 1
        self.number = _State.count

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
    assert EarlyStopping(1, 0.0).result(state) is state


def test_the_result_has_the_counts_and_figures_of_all_epochs(arrays):
    state = binary_state(*arrays)
    stopping = EarlyStopping(3, 0.0)
    state.record(stopping.judge(state, sums_of(-2.0)))
    best = state.model.weights.copy()
    state.model.weights[:] = 9  # a machine that is worse
    state.n_updates, state.n_epochs = 5, 2
    state.record(stopping.judge(state, sums_of(-3.0)))
    result = stopping.result(state)
    np.testing.assert_array_equal(result.model.weights, best)
    assert (result.n_updates, result.n_epochs, result.n_records) == (5, 2, 2)
    assert result.records is state.records


def test_figures_are_means_by_the_weights_of_their_own_rows(arrays):
    sums = {"validation_score": (-7.0, 2.0), "free_energy_gap": (6.0, 2.0, 5.0, 4.0)}
    stopping = EarlyStopping(1, 0.0)
    figures = stopping.judge(binary_state(*arrays), sums)
    assert figures == {"validation_score": -3.5, "free_energy_gap": 3 - 1.25}
    assert stopping.best_score == -3.5


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
    figures = EarlyStopping(1, 0.0).judge(state, measure(state, rows, judges))
    score = judges.weights @ model.pseudo_likelihood(held_out) / 7
    assert figures["validation_score"] == pytest.approx(score, rel=1e-12)
    trained, weights = X[::4], rows.weights[::4]
    gap = judges.weights @ model.free_energy(held_out) / 7
    gap -= weights @ model.free_energy(trained) / weights.sum()
    assert figures["free_energy_gap"] == pytest.approx(gap, rel=1e-9)


def test_a_machine_that_is_there_before_may_be_the_best(arrays):
    state = binary_state(*arrays)
    stopping = EarlyStopping(3, 0.0)
    stopping.start_from(state, sums_of(-2.0))
    before = state.model.weights.copy()
    state.model.weights[:] = 9
    stopping.judge(state, sums_of(-3.0))
    np.testing.assert_array_equal(stopping.result(state).model.weights, before)
    assert stopping.n_without_improvement == 1


def test_rows_with_missing_entries_have_no_gap():
    machine = random_machine((3, 2, 4), 2)
    complete, gaps = (data_of(machine, rows) for rows in ([(0, 3, 5), (1, 4, 6)], [(0, 5), (3,)]))
    for held_out, training, known in ((complete, complete, 1), (gaps, complete, 0)):
        for pair in ((held_out, training), (training, held_out)):
            state = softmax_state(machine)
            figures = EarlyStopping(1, 0.0).judge(state, measure(state, pair[1], pair[0]))
            assert np.isfinite(figures["free_energy_gap"]) == known
