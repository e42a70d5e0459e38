"""Names of random numbers: who asks for the same name is given the same numbers.

A random number is a function of its key, its row and its unit (a counter-based generator; see
``_kernels.inlined``). So results do not depend on threads, on callbacks, or on who computes them.
"""

from enum import Enum
from typing import NamedTuple

import numpy as np

#: The word of a purpose has this many bits for the kind of numbers and the Gibbs step; the bits
#: above hold the number of a part, a share of the data that one worker trains on.
_STEP_BITS = 18
N_PARTS = 2 ** (31 - _STEP_BITS)


class Key(NamedTuple):
    """The name of the random numbers of one call; kernels add the row and the unit.

    Parameters
    ----------
    seed : uint64
        Names the stream: one per fit, or per call of a method.
    update : int
        Number of the parameter update, or of the step of a chain.
    purpose : int
        The word of a :class:`Purpose`.
    """

    seed: np.uint64
    update: int
    purpose: int


class Purpose(Enum):
    """What random numbers are for: their first word, and the words between two Gibbs steps."""

    # Learning: the update counts parameter updates, and one update has all its Gibbs steps.
    HIDDEN = (0, 2)
    VISIBLE = (1, 2)
    TEMPERED_VISIBLE = (0, 3)
    TEMPERED_SWAP = (1, 3)
    TEMPERED_HIDDEN = (2, 3)
    # Annealing: the update counts temperatures. Forward and reverse annealing share no number, so
    # that their agreement means something.
    FORWARD_HIDDEN = (0, 0)
    FORWARD_VISIBLE = (1, 0)
    REVERSE_HIDDEN = (2, 0)
    REVERSE_VISIBLE = (3, 0)
    # Chains of a fitted machine: the update counts Gibbs steps. Learning never counts so far.
    CHAIN_HIDDEN = (2**31, 0)
    CHAIN_VISIBLE = (2**31 + 1, 0)
    CHAIN_START = (2**31 + 2, 0)
    CHAIN_SWAP = (2**31 + 3, 0)

    def __init__(self, first, stride):
        self.first, self.stride = first, stride

    def key(self, seed, update, step=0, part=0):
        """The key of one Gibbs step of one part of the data.

        Parameters
        ----------
        seed : uint64
        update : int
        step : int, default=0
            Number of the Gibbs step within an update.
        part : int, default=0
            Number of the part, below ``N_PARTS``. A fit on one computer is part 0.
        """
        word = self.first + self.stride * step
        if part and not (0 < part < N_PARTS and word < 2**_STEP_BITS):
            raise ValueError(
                f"part {part} at Gibbs step {step} has no random numbers of its own: there are "
                f"{N_PARTS} parts, of {2**_STEP_BITS // max(self.stride, 1)} steps."
            )
        return Key(seed, update, word + (part << _STEP_BITS))


def draw_seed(random_state):
    """A seed from a NumPy ``RandomState``, which moves on."""
    return np.uint64(random_state.randint(0, 2**64, dtype=np.uint64))
