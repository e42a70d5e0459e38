"""Names of random numbers: which words they are, and that parts of the data have their own."""

import itertools

import numpy as np
import pytest

from skrbm._machine.keys import N_PARTS, Purpose, draw_seed

SEED = np.uint64(5)

#: Purposes that one fit, or one call of a method, uses side by side.
TOGETHER = {
    "cd and pcd": (Purpose.HIDDEN, Purpose.VISIBLE),
    "pt": (Purpose.TEMPERED_VISIBLE, Purpose.TEMPERED_SWAP, Purpose.TEMPERED_HIDDEN),
    "annealing": [p for p in Purpose if p.name.startswith(("FORWARD", "REVERSE"))],
    "chains": [p for p in Purpose if p.name.startswith("CHAIN")],
}


@pytest.mark.parametrize("purposes", TOGETHER.values(), ids=TOGETHER)
def test_purposes_that_go_together_share_no_key(purposes):
    learning = purposes[0].stride > 0  # which has Gibbs steps within an update, and parts
    steps, parts = (range(10), (0, 1, N_PARTS - 1)) if learning else ([0], [0])
    keys = [
        purpose.key(SEED, update, step, part)
        for purpose, update, step, part in itertools.product(purposes, (0, 1, 7), steps, parts)
    ]
    assert len(set(keys)) == len(keys)
    assert all(0 <= key.purpose < 2**32 for key in keys)


def test_chains_of_a_fitted_machine_share_no_key_with_learning():
    """Learning with any number of parts never comes so far."""
    last = max(p.key(SEED, 0, 1000, N_PARTS - 1).purpose for p in Purpose if p.stride)
    assert last < min(p.first for p in Purpose if p.name.startswith("CHAIN"))


def test_words_are_those_that_saved_fits_go_on_with():
    """A fit that goes on with partial_fit must find other numbers than those it had."""
    words = [Purpose.HIDDEN.key(SEED, 3, 0), Purpose.VISIBLE.key(SEED, 3, 0)]
    words += [Purpose.HIDDEN.key(SEED, 3, 1), Purpose.TEMPERED_SWAP.key(SEED, 3, 2)]
    assert [key.purpose for key in words] == [0, 1, 2, 7]
    assert {(key.seed, key.update) for key in words} == {(SEED, 3)}


def test_a_seed_moves_the_random_state_on():
    state = np.random.RandomState(0)
    first, second = draw_seed(state), draw_seed(state)
    assert first.dtype == np.uint64
    assert first != second
    assert draw_seed(np.random.RandomState(0)) == first


@pytest.mark.parametrize(("step", "part"), [(0, N_PARTS), (0, -1), (2**17, 1)])
def test_a_part_without_random_numbers_of_its_own_is_refused(step, part):
    with pytest.raises(ValueError, match="no random numbers of its own"):
        Purpose.HIDDEN.key(SEED, 0, step, part)
