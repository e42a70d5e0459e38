"""Names of random numbers: which words they are, and that no two uses share them."""

import itertools

import numpy as np
import pytest

from skrbm._kernels.units import philox
from skrbm._machine.keys import N_UPDATES, Purpose, draw_seed

SEED = np.uint64(5)

#: Purposes of learning; the others are those of a fitted machine's methods.
LEARNING = [purpose for purpose in Purpose if purpose.first < 2**18]


def some_keys(purpose):
    """Keys of first and last updates and steps."""
    steps = (0, 1, 2, 3, purpose.n_steps - 1) if purpose.n_steps > 1 else (0,)
    for update, step in itertools.product((0, 1, N_UPDATES - 1), steps):
        yield purpose.key(SEED, update, step)


def test_no_two_purposes_share_a_key():
    keys = [key for purpose in Purpose for key in some_keys(purpose)]
    assert len(set(keys)) == len(keys)
    assert all(0 <= key.purpose < 2**32 for key in keys)


def test_no_two_purposes_of_learning_share_a_word_at_any_step():
    words = [p.key(SEED, 0, step).purpose for p in LEARNING for step in range(p.n_steps)]
    assert len(set(words)) == len(words)
    assert max(words) < 2**18
    assert Purpose.DATA in LEARNING
    assert min(p.first for p in Purpose if p not in LEARNING) == 2**31


def words_of(purpose):
    """The random words that some calls for a purpose read."""
    found = set()
    for key, row in itertools.product(some_keys(purpose), (0, 1)):
        words = np.empty(8, np.uint32)
        philox(*key, row, words)
        # Two words in one: among 64 bits a coincidence is as good as impossible.
        found |= set((words[0::2].astype(np.uint64) << np.uint64(32) | words[1::2]).tolist())
    return found


@pytest.mark.parametrize("pair", list(itertools.combinations(Purpose, 2)), ids=str)
def test_two_purposes_read_no_common_word(pair):
    first, second = map(words_of, pair)
    assert len(first) > 20
    assert not first & second


def test_words_are_those_that_saved_fits_go_on_with():
    """A fit that goes on with partial_fit must find other numbers than those it had."""
    words = [Purpose.HIDDEN.key(SEED, 3, 0), Purpose.VISIBLE.key(SEED, 3, 0)]
    words += [Purpose.HIDDEN.key(SEED, 3, 1), Purpose.TEMPERED_SWAP.key(SEED, 3, 2)]
    words += [Purpose.DATA.key(SEED, 3)]
    assert [key.purpose for key in words] == [0, 1, 2, 2**17 + 7, 2**17 - 1]
    assert {(key.seed, key.update) for key in words} == {(SEED, 3)}


def test_a_seed_moves_the_random_state_on():
    state = np.random.RandomState(0)
    first, second = draw_seed(state), draw_seed(state)
    assert first.dtype == np.uint64
    assert first != second
    assert draw_seed(np.random.RandomState(0)) == first


@pytest.mark.parametrize(
    ("update", "step"),
    [(0, 2**16), (N_UPDATES, 0)],
)
@pytest.mark.parametrize("purpose", [Purpose.HIDDEN, Purpose.TEMPERED_HIDDEN, Purpose.CHAIN_SWAP])
def test_what_has_no_random_numbers_of_its_own_is_refused(purpose, update, step):
    """Otherwise counters would begin again, and draws would repeat."""
    with pytest.raises(ValueError, match="no random numbers of its own"):
        purpose.key(SEED, update, step)
