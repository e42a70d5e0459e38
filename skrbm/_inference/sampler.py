"""Sampler: rows at the ends of chains, whatever moves the chains."""

from dataclasses import dataclass

import numpy as np

from .._machine.keys import draw_seed
from .._machine.rbm import RBM
from .._machine.tempered import TemperedRBM, ladder
from .chains import gibbs, tempering
from .temperatures import tuned

#: How long chains are, and at how many temperatures, unless a user says otherwise.
N_GIBBS_STEPS, N_TEMPERATURES = 1000, "auto"


@dataclass(frozen=True)
class Sampler:
    """Chains of a machine that draw rows: the ends of the chains.

    Parameters
    ----------
    model : RBM
    base_rate_bias : ndarray of shape (N,)
        The bias of the visible layer before training.
    n_gibbs_steps : int
        Length of a chain.
    n_temperatures : int or "auto", default=1
        1: plain chains. More: each row comes from a chain at every temperature. "auto": as many
        as swaps need, and where swaps need them.
    """

    model: RBM
    base_rate_bias: np.ndarray
    n_gibbs_steps: int
    n_temperatures: int | str = 1

    def draw(self, start, n_rows, random_state):
        """The ends of chains.

        Parameters
        ----------
        start : Start
            Where the chains start.
        n_rows : int
        random_state : RandomState

        Returns
        -------
        v : complete rows of the visible layer
        h : ndarray of shape (n_rows, M)
            The hidden states that the rows were drawn from.
        """
        if self.n_temperatures != 1:
            return self._draw_tempered(start, n_rows, random_state)
        v = start.rows(self.model.visible, self.base_rate_bias, n_rows, random_state)
        seed = draw_seed(random_state)
        for h in gibbs(self.model, v, self.n_gibbs_steps, seed, start.known):  # noqa: B007
            pass
        return v, h

    def _draw_tempered(self, start, n_rows, random_state):
        self.model.check_finite()
        if self.n_temperatures == "auto":
            betas = tuned(self.model, self.base_rate_bias, start, n_rows, random_state)
        else:
            betas = ladder(self.n_temperatures)
        start = start.repeated(np.tile(np.arange(n_rows), len(betas)))
        n_chains = n_rows * len(betas)
        v = start.rows(self.model.visible, self.base_rate_bias, n_chains, random_state)
        tempered, seed = TemperedRBM(self.model, self.base_rate_bias), draw_seed(random_state)
        steps = tempering(tempered, v, betas, self.n_gibbs_steps, seed, start.known)
        for _, h in steps:  # noqa: B007
            pass
        return v[:n_rows].copy(), h.copy()  # which do not keep the rows of all temperatures
