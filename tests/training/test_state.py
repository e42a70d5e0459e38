"""Schedules, and copies of a training state that share nothing with it."""

import numpy as np

from skrbm._training.state import scheduled

from ..helpers.comparison import assert_same_bits
from ..helpers.training import binary_state


def test_scheduled_values():
    assert [scheduled((1, 3, 5), e) for e in range(5)] == [1, 3, 5, 5, 5]
    assert scheduled(0.5, 7) == 0.5
    assert scheduled(np.array([0.1, 0.2]), 9) == 0.2


def test_a_copy_shares_no_array_that_learning_writes_to(arrays):
    state = binary_state(*arrays)
    state.optimizer.remember(state.model.parameters)
    before = [a.copy() for a in (*state.model.parameters, *state.optimizer.velocity)]
    copy = state.copy()
    assert copy.seed == state.seed
    for array in (*copy.model.parameters, *copy.optimizer.velocity):
        array += 7
    assert_same_bits([*state.model.parameters, *state.optimizer.velocity], before)


def test_copies_have_records_of_their_own(arrays):
    """They share a list as long as only one of them goes on: adding a record copies nothing."""
    first = binary_state(*arrays)
    first.record((1.5, 0.1, 1, 0.0, 0.2))
    second = first.copy()
    assert second.records is first.records
    first.record((2.5, 0.1, 1, 0.0, 0.2))
    second.record((3.5, 0.1, 1, 0.0, 0.2))

    def errors(state):
        return [r["reconstruction_error"] for r in state.records[: state.n_records]]

    assert errors(first) == [1.5, 2.5]
    assert errors(second) == [1.5, 3.5]
    third = first.copy()
    third.record((4.5, 0.1, 1, 0.0, 0.2))
    assert third.records is first.records
    assert errors(first) == [1.5, 2.5]
