"""Chains: Gibbs steps, plain or tempered, of all entries or of unknown entries alone."""

from dataclasses import dataclass

import numpy as np

from .._machine.keys import Purpose, draw_seed
from .._machine.rbm import RBM
from .._machine.tempered import TemperedRBM, ladder

#: How long chains are, and at how many temperatures, unless a user says otherwise.
N_GIBBS_STEPS, N_TEMPERATURES = 1000, 10


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
    n_temperatures : int, default=1
        1: plain chains. More: each row comes from a chain at every temperature.
    """

    model: RBM
    base_rate_bias: np.ndarray
    n_gibbs_steps: int
    n_temperatures: int = 1

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
        if self.n_temperatures > 1:
            start = start.repeated(np.tile(np.arange(n_rows), self.n_temperatures))
        n_chains = n_rows * self.n_temperatures
        v = start.rows(self.model.visible, self.base_rate_bias, n_chains, random_state)
        seed = draw_seed(random_state)
        if self.n_temperatures == 1:
            steps = gibbs(self.model, v, self.n_gibbs_steps, seed, start.known)
        else:
            self.model.check_finite()
            tempered = TemperedRBM(self.model, self.base_rate_bias)
            betas = ladder(self.n_temperatures)
            steps = tempering(tempered, v, betas, self.n_gibbs_steps, seed, start.known)
        for h in steps:  # noqa: B007 - the last is asked for
            pass
        if self.n_temperatures > 1:  # rows that do not keep those of all temperatures
            v, h = v[:n_rows].copy(), h.copy()
        return v, h


def means(model, h, start):
    """Means of all features given hidden rows, (n, n_features); known entries as given."""
    values = model.visible.feature_mean(model.visible_input(h))
    if start.known is not None:
        np.copyto(values, model.visible.values(start.given), where=start.known)
    return values


def gibbs(model, v, n_steps, seed, known=None):
    """Run one chain from each row, step by step.

    Parameters
    ----------
    model : RBM
    v : rows of the visible layer
        Where the chains start; overwritten by where the chains are.
    n_steps : int
        A step draws all hidden units given the visible ones, then all visible units.
    seed : uint64
        Names the random numbers, together with step, row and unit.
    known : ndarray of shape (n, number of features), bool, or None
        The entries of complete rows that stay as they are.

    Yields
    ------
    h : ndarray of shape (n, M)
        The hidden states of each step.
    """
    given = None if known is None else v.copy()
    for step in range(n_steps):
        h = model.hidden.sample(model.hidden_input(v), Purpose.CHAIN_HIDDEN.key(seed, step))
        key = Purpose.CHAIN_VISIBLE.key(seed, step)
        model.visible.sample(model.visible_input(h), key, out=v)
        if known is not None:
            model.visible.clamp(v, given, known)
        yield h


def tempering(tempered, v, betas, n_steps, seed, known=None):
    """Run one chain per row and temperature; neighbours in temperature swap places.

    Parameters
    ----------
    tempered : TemperedRBM
    v : rows of the visible layer
        Where the chains start, n rows of the first temperature, then n of the second, and so on;
        overwritten.
    betas : ndarray of shape (n_temperatures,)
    n_steps, seed, known
        As in ``gibbs``. A step begins with swaps between every second pair of neighbours.

    Yields
    ------
    h : ndarray of shape (n, M)
        The hidden states of each step at the first temperature, a view.
    """
    n = v.shape[0] // len(betas)
    betas = betas.astype(tempered.weights.dtype)
    beta = np.repeat(betas, n)[:, np.newaxis]
    given = None if known is None else v.copy()
    for step in range(n_steps):
        t = tempered.hidden_input(v)
        t = tempered.swapped(t, betas, step, Purpose.CHAIN_SWAP.key(seed, step))
        h = tempered.sample_hidden(t, beta, Purpose.CHAIN_HIDDEN.key(seed, step))
        key = Purpose.CHAIN_VISIBLE.key(seed, step)
        tempered.visible.sample(tempered.visible_input(h, beta), key, out=v)
        if known is not None:
            tempered.visible.clamp(v, given, known)
        yield h[:n, :-1]  # without the unit that is always on
