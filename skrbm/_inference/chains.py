"""Chains: Gibbs steps, plain or tempered, of all entries or of unknown entries alone."""

import numpy as np

from .._machine.keys import Purpose


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
    t : ndarray of shape (n_temperatures * n, M + 1)
        Total inputs of the hidden units of each step, after the swaps.
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
        yield t, h[:n, :-1]  # without the unit that is always on


def means(model, h, start):
    """Means of all features given hidden rows, (n, n_features); known entries as given."""
    values = model.visible.feature_mean(model.visible_input(h))
    if start.known is not None:
        np.copyto(values, model.visible.values(start.given), where=start.known)
    return values
