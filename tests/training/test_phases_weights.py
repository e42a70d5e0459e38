"""Weights of rows in gradients: parts of weighted data average to repeated rows."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skrbm._input.numbers import NumberRows
from skrbm._machine.numbers import NumberPhases
from skrbm._training.phases import contrast

from ..helpers.training import binary_state, settings

WEIGHTS = np.array([1, 1, 2, 3, 1, 6, 1, 2, 1, 1, 5, 4])


def gradient(model, v_pos, v_neg, weights=None, paired=False):
    both = np.vstack([v_pos, v_neg])
    h = model.hidden.mean(model.hidden_input(both))
    sums = model.gradient_sums(NumberPhases(both, len(v_pos)), h, weights, paired)
    return [block / len(v_pos) for block in sums]


@pytest.mark.parametrize("paired", [False, True])
def test_mini_batches_average_to_repeated_rows(arrays, rng, paired):
    """Heavy mini-batches count for more: none is divided by its own weight."""
    model = binary_state(*arrays).model
    v_pos, others = rng.integers(0, 2, (2, 12, 4)).astype(float)
    ends = others if paired else others[:5]  # where the chains are
    times = np.repeat(np.arange(12), WEIGHTS)
    expected = gradient(model, v_pos[times], ends[times] if paired else ends)
    parts = [
        gradient(
            model,
            v_pos[part],
            ends[part] if paired else ends,
            WEIGHTS[part] / WEIGHTS.mean(),
            paired,
        )
        for part in (slice(0, 4), slice(4, 8), slice(8, 12))
    ]
    for k, block in enumerate(expected):
        assert_allclose(np.mean([part[k] for part in parts], axis=0), block, rtol=0, atol=1e-13)


@pytest.mark.parametrize("algorithm", ["pcd", "cd"])
def test_an_estimate_knows_its_weight(arrays, rng, algorithm):
    state = binary_state(*arrays)
    rows = NumberRows(rng.integers(0, 2, (12, 4)).astype(float))
    options = settings(algorithm=algorithm, centering=True)
    phases = state.model.visible.phases(rows, slice(0, 12), None if algorithm == "cd" else 3)
    weights = WEIGHTS / WEIGHTS.mean()
    estimate = contrast(state, options, phases, 1, weights)
    assert estimate.n_rows == 12
    assert estimate.weight == pytest.approx(12)
    h = state.model.hidden.mean(state.model.hidden_input(rows.X))
    assert_allclose(estimate.hidden, weights @ h, rtol=1e-12)
