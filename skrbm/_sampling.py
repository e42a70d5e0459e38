"""Chains: alternate draws of the hidden and of the visible units."""

from scipy.sparse import issparse

# Purposes of random numbers; training, which may have the same seed, counts from 0 and never
# comes so far.
HIDDEN, VISIBLE, START = 2**31, 2**31 + 1, 2**31 + 2


def gibbs(model, v, n_steps, seed):
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

    Returns
    -------
    v : ndarray of shape (n, D), or rows of the layer's own form
        Where the chains stop.
    """
    v = v.toarray() if issparse(v) else v.copy()
    for step in range(n_steps):
        h = model.sample_hidden(v, (seed, step, HIDDEN))
        model.sample_visible(h, (seed, step, VISIBLE), out=v)
    return v
