"""Names of random numbers: who asks for the same name is given the same numbers.

A random number is a function of its key, its row and its unit (a counter-based generator; see
``_kernels.inlined``). So results do not depend on threads, on callbacks, or on who computes them.
"""

from enum import Enum
from typing import NamedTuple

import numpy as np

#: The words of tempered learning begin here, and those of a fitted machine's methods.
_TEMPERED, _METHODS = 2**17, 2**31
#: Updates, or steps of a chain, that one seed has numbers for.
N_UPDATES = 2**32


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
    """What random numbers are for: their first word, and the words between two Gibbs steps.

    No two purposes share a word. So uses with equal seeds are independent: learning by either
    algorithm, and each method of a fitted machine.
    """

    # Learning: the update counts parameter updates, and one update has all its Gibbs steps.
    HIDDEN = (0, 2)
    VISIBLE = (1, 2)
    TEMPERED_VISIBLE = (_TEMPERED, 3)
    TEMPERED_SWAP = (_TEMPERED + 1, 3)
    TEMPERED_HIDDEN = (_TEMPERED + 2, 3)
    DATA = (_TEMPERED - 1, 0)  # the only word between those above
    # Chains of a fitted machine: the update counts Gibbs steps.
    CHAIN_HIDDEN = (_METHODS, 0)
    CHAIN_VISIBLE = (_METHODS + 1, 0)
    CHAIN_START = (_METHODS + 2, 0)
    CHAIN_SWAP = (_METHODS + 3, 0)
    # Annealing: the update counts temperatures.
    FORWARD_HIDDEN = (_METHODS + 4, 0)
    FORWARD_VISIBLE = (_METHODS + 5, 0)
    REVERSE_HIDDEN = (_METHODS + 6, 0)
    REVERSE_VISIBLE = (_METHODS + 7, 0)

    def __init__(self, first, stride):
        self.first, self.stride = first, stride
        # Steps of an update that keep to the words of their kind.
        self.n_steps = 1 if stride == 0 else (_TEMPERED - first % _TEMPERED) // stride

    def key(self, seed, update, step=0):
        """The key of one Gibbs step.

        Parameters
        ----------
        seed : uint64
        update : int
            Below ``N_UPDATES``.
        step : int, default=0
            Number of the Gibbs step within an update, below ``n_steps``.
        """
        if not (update < N_UPDATES and step < self.n_steps):
            raise ValueError(
                f"update {update} has no random numbers of its own at Gibbs step {step}: a fit, "
                f"or a call of a method, has numbers for {N_UPDATES} updates of at most "
                f"{self.n_steps} Gibbs steps. Call fit with warm_start=False to start again, or "
                "take fewer steps."
            )
        return Key(seed, update, self.first + self.stride * step)


#: Gibbs steps of an update that have random numbers of their own, whatever the algorithm. (The
#: last draw of persistent chains has the number of steps as its step.)
N_LEARNING_STEPS = min(purpose.n_steps for purpose in Purpose if purpose.stride) - 1


def draw_seed(random_state):
    """A seed from a NumPy ``RandomState``, which moves on."""
    return np.uint64(random_state.randint(0, 2**64, dtype=np.uint64))
