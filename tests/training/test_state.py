"""Copies of a training state share nothing with it."""

from ..helpers.comparison import assert_same_bits
from ..helpers.training import binary_state


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
    first.record({"reconstruction_error": 1.5})
    second = first.copy()
    assert second.records is first.records
    first.record({"reconstruction_error": 2.5})
    second.record({"reconstruction_error": 3.5})

    def errors(state):
        return [r["reconstruction_error"] for r in state.records[: state.n_records]]

    assert errors(first) == [1.5, 2.5]
    assert errors(second) == [1.5, 3.5]
    third = first.copy()
    third.record({"reconstruction_error": 4.5})
    assert third.records is first.records
    assert errors(first) == [1.5, 2.5]
