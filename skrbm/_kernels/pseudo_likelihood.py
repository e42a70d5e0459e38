"""Numba functions of binary units, each one given all others: log-odds, and pseudo-likelihood.

Notation: ``v`` visible rows (n, D), ``x`` inputs of hidden units (n, M), ``W`` weights (D, M),
``b`` visible bias (D,). The house rules stand in ``inlined``.
"""

import numpy as np
from numba import float64

from .cache import kernel
from .inlined import OPTIONS, REORDERED, exp64, logistic, softplus

__all__ = ["TILE", "bernoulli_log_odds", "bernoulli_pseudo_likelihood"]

TILE = 32  # rows whose p and q stay in the cache of one core


@kernel(**REORDERED)
def _log_product(q, p, e, max_factors):
    """``sum_j log(q_j + p_j e_j)``, one logarithm for ``max_factors`` factors."""
    total = 0.0
    for start in range(0, q.shape[0], max_factors):
        # Slices, and a loop from 0: otherwise Numba's handling of negative indices stops
        # the vectoriser.
        stop = start + max_factors
        q_part, p_part, e_part = q[start:stop], p[start:stop], e[start:stop]
        product = 1.0
        for j in range(q_part.shape[0]):
            product *= q_part[j] + p_part[j] * e_part[j]
        total += np.log(product)
    return total


@kernel(**OPTIONS)
def bernoulli_pseudo_likelihood(v, x, b, W, exp_W, exp_minus_W, max_factors, out, log_odds):
    """Exact log pseudo-likelihood ``sum_i log p(v_i | v without i)`` of each row.

    With ``p = sigmoid(x)`` and ``q = sigmoid(-x)``, switching unit i from ``v_i`` to ``v_i + d``
    multiplies the unnormalised probability by ``exp(b_i d) prod_j (q_j + p_j exp(d W_ij))``.
    Every factor lies between 1 and ``exp(d W_ij)`` and is a sum of positive terms, so nothing
    cancels and nothing overflows within ``max_factors`` factors: one logarithm serves them all.

    Parameters
    ----------
    v : ndarray of shape (n, D)                                                           IN
    x : ndarray of shape (n, M)                                                           IN
        Inputs of the hidden units, bias included.
    b : ndarray of shape (D,), float64                                                    IN
    W : ndarray of shape (D, M)                                                           IN
    exp_W, exp_minus_W : ndarray of shape (D, M), float64                                 IN
        ``exp(W)`` and ``exp(-W)``.
    max_factors : int                                                                     IN
        ``max_factors * max|W| < 700``; 0 where a single weight breaks it: then every term is
        a difference of two softplus. So it is for a value outside [0, 1], where the bound
        on the factors does not hold.
    out : ndarray of shape (n,), float64                                                  OUT
    log_odds : ndarray of shape (n, D), or (0, 0), float64                                OUT
        ``log p(v_i = 1 | v without i) - log p(v_i = 0 | v without i)``. (0, 0): not asked for.
    """
    n_rows, n_visible = v.shape
    n_hidden = W.shape[1]
    p = np.empty((TILE, n_hidden))
    q = np.empty((TILE, n_hidden))
    on = np.empty(n_hidden)
    off = np.empty(n_hidden)
    ones = np.ones(n_hidden)
    out[:] = 0.0
    for first in range(0, n_rows, TILE):
        rows = range(min(TILE, n_rows - first))
        for r in rows:
            for j in range(n_hidden):
                p[r, j] = logistic(float64(x[first + r, j]))
                q[r, j] = logistic(-float64(x[first + r, j]))
        # Units outside, rows inside: a unit's weights are read once for the whole tile.
        for i in range(n_visible):
            for r in rows:
                vi = float64(v[first + r, i])
                logit = b[i]  # of p(v_i = 1 | v without i)
                if max_factors == 0 or vi < 0.0 or vi > 1.0:
                    for j in range(n_hidden):
                        w = float64(W[i, j])
                        rest = float64(x[first + r, j]) - vi * w
                        logit += w if rest == np.inf else softplus(rest + w) - softplus(rest)
                elif vi == 0.0:
                    logit += _log_product(q[r], p[r], exp_W[i], max_factors)
                elif vi == 1.0:
                    logit -= _log_product(q[r], p[r], exp_minus_W[i], max_factors)
                else:
                    for j in range(n_hidden):
                        off[j] = p[r, j] * exp64(-vi * float64(W[i, j]))
                        on[j] = off[j] * exp_W[i, j]
                    logit += _log_product(q[r], on, ones, max_factors)
                    logit -= _log_product(q[r], off, ones, max_factors)
                if log_odds.shape[0]:
                    log_odds[first + r, i] = logit
                # A term of weight 0 is left out: its logarithm may be infinite.
                if vi != 0.0:
                    out[first + r] -= vi * softplus(-logit)
                if vi != 1.0:
                    out[first + r] -= (1.0 - vi) * softplus(logit)


@kernel(**OPTIONS)
def bernoulli_log_odds(row, unit, v, x, b, W, max_factors, out):
    """Log-odds of chosen units given all other units of their rows.

    Parameters
    ----------
    row, unit : ndarray of shape (n_queries,), int                                        IN
        Query k asks for unit ``unit[k]`` in row ``row[k]``. Queries of one row that follow each
        other share what depends on the row alone.
    v : ndarray of shape (n_queries,)                                                     IN
        The value of the unit in this row.
    x, b, W, max_factors                                                                  IN
        As in ``bernoulli_pseudo_likelihood``, whose formula this is for any value in [0, 1].
    out : ndarray of shape (n_queries,), float64                                          OUT
    """
    n_hidden = W.shape[1]
    p = np.empty(n_hidden)
    q = np.empty(n_hidden)
    on = np.empty(n_hidden)
    off = np.empty(n_hidden)
    ones = np.ones(n_hidden)
    last = -1
    for k in range(row.shape[0]):
        r, i, value = row[k], unit[k], float64(v[k])
        logit = b[i]
        if max_factors == 0:
            for j in range(n_hidden):
                w = float64(W[i, j])
                rest = float64(x[r, j]) - value * w
                logit += w if rest == np.inf else softplus(rest + w) - softplus(rest)
            out[k] = logit
            continue
        if r != last:
            for j in range(n_hidden):
                p[j] = logistic(float64(x[r, j]))
                q[j] = logistic(-float64(x[r, j]))
            last = r
        for j in range(n_hidden):
            w = float64(W[i, j])
            off[j] = p[j] * exp64(-value * w)
            on[j] = off[j] * exp64(w)
        logit += _log_product(q, on, ones, max_factors)
        logit -= _log_product(q, off, ones, max_factors)
        out[k] = logit
