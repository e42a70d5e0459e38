"""Early stopping: what is judged, when learning is over, and which machine is the result."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skrbm._input.numbers import NumberRows
from skrbm._training.averaging import Average
from skrbm._training.stopping import EarlyStopping

from ..helpers.training import binary_state


class Scores(EarlyStopping):
    """Judges epochs by a list of scores: the biases of the visible units name the epoch."""

    def follow(self, state, scores):
        """Judge an epoch of each score until learning is over; how many epochs that took."""
        for epoch, score in enumerate(scores, 1):
            state.model.visible.bias[:] = epoch
            self.held_out = Judge(score)
            state.n_epochs, state.n_updates = epoch, 10 * epoch
            state.record(self.judge(state, NumberRows(np.ones((2, 4)))))
            if self.is_over:
                return epoch
        return len(scores)


class Judge(NumberRows):
    """Rows that have a score of their own."""

    def __init__(self, score):
        super().__init__(np.ones((2, 4)))
        self.score = score

    def map(self, function, **work):
        scores = super().map(function, **work)
        return np.full(2, self.score) if function.__name__ == "pseudo_likelihood" else scores


@pytest.mark.parametrize(
    ("scores", "n_epochs", "best"),
    [
        ([1, 2, 3, 4, 5, 6], 6, 6),  # each is an improvement
        ([1, 0, 0, 0, 0], 4, 1),  # three epochs without
        ([1, 0, 0, 1.5, 0, 0, 0, 9], 7, 4),  # an improvement starts the count anew
        (
            [1, 1.4, 1.45, 1.9, 2.5],
            4,
            4,
        ),  # tol is above the best score, not above the last improvement
        ([1, 1.1, 1.0, 1.05, 9], 4, 2),  # the best one without being an improvement
        ([1, 1, 1, 1, 1], 4, 1),  # an equal score is no improvement; the first one is kept
        ([np.nan, 1, np.nan, np.nan, np.nan], 5, 2),
    ],
)
def test_counting_is_that_of_scikit_learn(arrays, scores, n_epochs, best):
    """tol=0.5 and n_iter_no_change=2, by the rule of MLPClassifier."""
    stopping, state = Scores(None, n_iter_no_change=2, tol=0.5), binary_state(*arrays)
    assert stopping.follow(state, scores) == n_epochs
    assert_array_equal(stopping.result(state).model.visible.bias, best)
    assert stopping.best_score == np.nanmax(scores[:n_epochs])


def test_the_result_counts_all_epochs(arrays):
    stopping, state = Scores(None, n_iter_no_change=5, tol=0.0), binary_state(*arrays)
    stopping.follow(state, [1, 3, 2])
    result = stopping.result(state)
    assert (result.n_epochs, result.n_updates, result.n_records) == (3, 30, 3)
    assert [record["validation_score"] for record in result.records] == [1, 3, 2]
    assert_array_equal(state.model.visible.bias, 3)  # learning itself does not go back


def test_without_a_score_the_last_machine_is_the_result(arrays):
    stopping, state = Scores(None, n_iter_no_change=5, tol=0.0), binary_state(*arrays)
    assert stopping.result(state) is state
    stopping.follow(state, [np.nan, np.nan])
    assert stopping.result(state) is state


@pytest.mark.parametrize("n_rows", [3, 4, 5, 8, 11])
@pytest.mark.parametrize("weighted", [False, True])
def test_figures_by_their_definition(arrays, oracle, rng, n_rows, weighted):
    """Held-out rows against as many training rows, spread evenly: rows 0, s, 2 s, .."""
    state = binary_state(*arrays)
    held_out, trained = rng.integers(0, 2, (4, 4)) * 1.0, rng.integers(0, 2, (n_rows, 4)) * 1.0
    rows = [NumberRows(held_out), NumberRows(trained)]
    w_out, w_in = np.ones(4), np.ones(n_rows)
    if weighted:
        w_out, w_in = rng.uniform(0.1, 3, 4), rng.uniform(0.1, 3, n_rows)
        rows[0].weights, rows[1].weights = w_out, w_in
    figures = EarlyStopping(rows[0], 1, 0.0).judge(state, rows[1])
    scores = [oracle.pseudo_likelihood(v) for v in held_out]
    assert_allclose(figures["validation_score"], np.dot(w_out, scores) / w_out.sum(), rtol=1e-12)
    stride = {3: 1, 4: 1, 5: 2, 8: 2, 11: 3}[n_rows]
    energies_out = [oracle.free_energy(v) for v in held_out]
    energies_in = [oracle.free_energy(v) for v in trained[::stride]]
    gap = np.dot(w_out, energies_out) / w_out.sum()
    gap -= np.dot(w_in[::stride], energies_in) / w_in[::stride].sum()
    assert_allclose(figures["free_energy_gap"], gap, rtol=1e-10)


def test_averaged_parameters_are_judged(arrays, oracle, rng):
    """They are what the fitted estimator has; those that learn go on beside them."""
    state = binary_state(*arrays)
    state.average = Average(state.model.copy())
    state.model.weights[...] += 5
    held_out = rng.integers(0, 2, (6, 4)) * 1.0
    stopping = EarlyStopping(NumberRows(held_out), 1, 0.0)
    score = stopping.judge(state, NumberRows(held_out))["validation_score"]
    assert_allclose(score, np.mean([oracle.pseudo_likelihood(v) for v in held_out]), rtol=1e-12)
    assert_array_equal(stopping.result(state).model.weights, state.model.weights)
