"""Where chains start: at rows that a user gave, or at rows drawn from the base rates.

Base rates are the machine before training: the visible units are independent, and have the
frequencies or means of the training data.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._machine.keys import Purpose, draw_seed
from .._machine.tempered import base_rate_layer


@dataclass(frozen=True)
class Start:
    """Where chains start.

    Parameters
    ----------
    given : complete rows of the visible layer, or None
        Rows that a user gave, for each chain one. None: all rows are drawn from the base rates.
    known : ndarray of shape (n, number of features), bool, or None
        The entries of ``given`` that stay as they are in all steps of a chain. The other entries
        are drawn from the base rates. None: the chain starts at ``given``, and all entries move.
    """

    given: Any = None
    known: np.ndarray | None = None

    @classmethod
    def at(cls, rows, which):
        """Chains that start at rows of X; known entries stay if any entry of X is unknown.

        Parameters
        ----------
        rows : Rows
        which : ndarray of int
            The row where each chain starts.
        """
        if rows.n_unknown:
            return cls(*rows.complete(which))
        return cls(rows.read(which))

    def repeated(self, which):
        """The start of other chains, each at the row of a chain of this start."""
        given = None if self.given is None else self.given[which]
        return Start(given, None if self.known is None else self.known[which])

    def rows(self, visible, base_rate_bias, n_rows, random_state):
        """Complete rows that chains may overwrite; given rows are handed over."""
        if self.given is not None and self.known is None:
            return self.given
        v = base_rate_rows(visible, base_rate_bias, n_rows, draw_seed(random_state))
        if self.known is not None:
            visible.clamp(v, self.given, self.known)
        return v


def base_rate_rows(visible, bias, n_rows, seed):
    """Complete rows drawn from the base rates.

    Parameters
    ----------
    visible : Layer
    bias : ndarray of shape (N,)
        The bias of the layer before training.
    n_rows : int
    seed : uint64
    """
    layer, _ = base_rate_layer(visible, bias)
    h, weights = (np.zeros((n, 1), layer.bias.dtype) for n in (n_rows, layer.n_units))
    return layer.sample(layer.input(h, weights), Purpose.CHAIN_START.key(seed, 0))
