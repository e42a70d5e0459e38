"""Copies of a training state share nothing with it."""

from skrbm._training.averaging import Average

from ..helpers.comparison import assert_same_bits
from ..helpers.training import binary_state


def test_a_copy_shares_no_array_that_learning_writes_to(arrays):
    state = binary_state(*arrays)
    state.optimizer.remember(state.model.parameters)
    state.average = Average(state.model.copy(), 5, 4)
    before = [array.copy() for array in written(state)]
    copy = state.copy()
    assert copy.seed == state.seed
    assert (copy.average.n_updates, copy.average.n_added) == (5, 4)
    for array in written(copy):
        array += 7
    assert_same_bits(written(state), before)


def written(state):
    """The arrays that learning writes to."""
    parameters = *state.model.parameters, *state.average.model.parameters
    return [*parameters, *state.optimizer.velocity, state.centring.hidden_mean]


def test_what_learning_shows_is_its_average_if_there_is_one(arrays):
    state = binary_state(*arrays)
    assert state.fitted is state.model
    state.average = Average(state.model.copy())
    assert state.fitted is state.average.model


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
