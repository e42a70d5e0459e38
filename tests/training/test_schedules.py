"""Schedules by epoch and falls by update."""

import numpy as np

from skrbm._training.schedules import scheduled


def test_scheduled_values():
    assert [scheduled((1, 3, 5), e) for e in range(5)] == [1, 3, 5, 5, 5]
    assert scheduled(0.5, 7) == 0.5
    assert scheduled(np.array([0.1, 0.2]), 9) == 0.2
