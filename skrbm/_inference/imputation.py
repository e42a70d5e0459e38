"""Imputation: conditional means of unknown entries, by chains in which known entries stay."""

import numpy as np

from .._machine.keys import draw_seed
from .chains import gibbs
from .starts import Start

# Units, of all chains, that are held at a time.
_UNITS = 2**22


def impute(model, base_rate_bias, rows, n_gibbs_steps, n_chains, random_state):
    """Values of all entries: known ones as given, unknown ones estimated.

    Averaged over chains and steps, without the first half of the steps, are the means of the
    visible units given the hidden ones (Rao-Blackwell). These means vary less than samples.

    Parameters
    ----------
    model : RBM
    base_rate_bias : ndarray of shape (N,)
        The bias of the visible layer before training. The chains start at rows drawn from it.
    rows : Rows
    n_gibbs_steps : int
        Length of a chain.
    n_chains : int
        Number of chains per row.
    random_state : RandomState

    Returns
    -------
    X : ndarray of shape (n_rows, n_features)
    """
    layer = model.visible
    given, known = rows.complete(np.arange(rows.n_rows))
    out = layer.values(given)
    incomplete = np.flatnonzero(~known.all(axis=1))
    n_averaged = n_gibbs_steps - n_gibbs_steps // 2
    block_size = max(1, _UNITS // (n_chains * sum(model.weights.shape)))
    for first in range(0, len(incomplete), block_size):
        chosen = incomplete[first : first + block_size]
        of_chain = np.repeat(chosen, n_chains)
        start = Start(given[of_chain], known[of_chain])
        v = start.rows(layer, base_rate_bias, len(of_chain), random_state)
        total = np.zeros((len(chosen), layer.n_units))
        chains = gibbs(model, v, n_gibbs_steps, draw_seed(random_state), start.known)
        for step, h in enumerate(chains):
            if step >= n_gibbs_steps - n_averaged:
                means = layer.mean(model.visible_input(h))
                total += means.reshape(len(chosen), n_chains, -1).sum(axis=1)
        best = layer.point_estimate(total / (n_chains * n_averaged))
        layer.clamp(best, given[chosen], known[chosen])
        out[chosen] = layer.values(best)
    return out
