"""Schedules, and copies of a training state that share nothing with it."""

import numpy as np

from skrbm._training.state import scheduled

from ..helpers.comparison import assert_same_bits
from ..helpers.training import binary_state


def test_scheduled_values():
    assert [scheduled((1, 3, 5), e) for e in range(5)] == [1, 3, 5, 5, 5]
    assert scheduled(0.5, 7) == 0.5
    assert scheduled(np.array([0.1, 0.2]), 9) == 0.2


def test_a_copy_shares_no_array_and_no_list(arrays):
    state = binary_state(*arrays)
    state.optimizer.remember(state.model.parameters)
    state.history["seconds"].append(1.5)
    before = [a.copy() for a in (*state.model.parameters, state.chains, *state.optimizer.velocity)]
    copy = state.copy()
    assert copy.seed == state.seed
    for array in (*copy.model.parameters, copy.chains, *copy.optimizer.velocity):
        array += 7
    copy.history["seconds"].append(2.5)
    assert_same_bits([*state.model.parameters, state.chains, *state.optimizer.velocity], before)
    assert state.history["seconds"] == [1.5]
