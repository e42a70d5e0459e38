"""Chains: Gibbs steps, tempered or not, of all units or of those that are not known."""

import numpy as np
from scipy.sparse import issparse

# Purposes of random numbers; training, which may have the same seed, counts from 0 and never
# comes so far.
HIDDEN, VISIBLE, START, EXCHANGE = 2**31, 2**31 + 1, 2**31 + 2, 2**31 + 3


def gibbs(model, v, n_steps, seed, known=None):
    """Run one chain from each row of ``v``.

    Parameters
    ----------
    model : RBM
    v : {ndarray, sparse matrix} of shape (n, D), or rows of the layer's own form
        Where the chains start.
    n_steps : int
        A step draws all hidden units given the visible ones, then all visible units.
    seed : uint64
        Names the random numbers; they depend on step, row and unit besides.
    known : ndarray of shape (n, number of features), bool, or None
        Which cells of complete rows stay as they are.

    Returns
    -------
    v : ndarray of shape (n, D), or rows of the layer's own form
        Where the chains stop.
    """
    v = v.toarray() if issparse(v) else v.copy()
    for _ in gibbs_steps(model, v, n_steps, seed, known):
        pass
    return v


def gibbs_steps(model, v, n_steps, seed, known=None):
    """The same one by one, in place: yield the hidden states of each step."""
    clamp = _clamp(model.visible, v, known)
    for step in range(n_steps):
        h = model.sample_hidden(v, (seed, step, HIDDEN))
        model.sample_visible(h, (seed, step, VISIBLE), out=v)
        clamp()
        yield h


def tempering(tempered, v, betas, n_steps, seed, known=None):
    """Run one chain per row and temperature; neighbours in temperature exchange it.

    Parameters
    ----------
    tempered : TemperedRBM
    v : ndarray of shape (n_temperatures * n, D), or rows of the layer's own form
        Where the chains start, all those of a temperature together; overwritten.
    betas : ndarray of shape (n_temperatures,)
    n_steps, seed, known
        As of ``gibbs``, where a step ends with the exchange of every second pair.

    Returns
    -------
    v : ndarray of shape (n, D), or rows of the layer's own form
        Where the chains of the first temperature stop.
    """
    n = v.shape[0] // len(betas)
    betas = betas.astype(tempered.weights.dtype)
    beta = np.repeat(betas, n)[:, np.newaxis]
    clamp = _clamp(tempered.visible, v, known)
    for step in range(n_steps):
        x = tempered.hidden_input(v)
        x = tempered.exchanged(x, betas, step, (seed, step, EXCHANGE))
        h = tempered.draw_hidden(x, beta, (seed, step, HIDDEN))
        tempered.sample_visible(h, beta, (seed, step, VISIBLE), out=v)
        clamp()
    return v[:n]


def _clamp(visible, v, known):
    """A function that puts known cells of ``v`` back to what they are now."""
    if known is None:
        return lambda: None
    cells = visible.cells(v)
    given = cells.copy()
    return lambda: np.copyto(cells, given, where=known)
