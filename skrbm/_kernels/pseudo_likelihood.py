"""Numba functions of binary units, each one given all others: log-odds, and pseudo-likelihood.

Notation: ``v`` visible rows (n, D), ``x`` inputs of hidden units (n, M), ``W`` weights (D, M),
``b`` visible bias (D,). The house rules stand in ``inlined``.
"""

import numpy as np
from numba import float64, njit

from .cache import kernel
from .inlined import INLINED, OPTIONS, REORDERED, exp64, logistic, softplus

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


@njit(inline="always", **INLINED)
def _log_odds(v, r, i, x, tile_row, p, q, b, W, exp_W, exp_minus_W, max_factors, on, off, ones):
    """Log-odds of unit i, of value ``v`` in row r, given all other units of the row.

    With ``p = sigmoid(x)`` and ``q = sigmoid(-x)``, which are in row ``tile_row`` of their arrays,
    switching the unit from ``v`` to ``v + d`` multiplies the unnormalised probability by
    ``exp(b_i d) prod_j (q_j + p_j exp(d W_ij))``. Every factor lies between 1 and
    ``exp(d W_ij)`` and is a sum of positive terms, so nothing cancels and nothing overflows within
    ``max_factors`` factors: one logarithm serves them all.
    """
    logit = b[i]
    if max_factors == 0 or v < 0.0 or v > 1.0:
        for j in range(W.shape[1]):
            w = float64(W[i, j])
            rest = float64(x[r, j]) - v * w
            logit += w if rest == np.inf else softplus(rest + w) - softplus(rest)
    elif v == 0.0:
        logit += _log_product(q[tile_row], p[tile_row], exp_W[i], max_factors)
    elif v == 1.0:
        logit -= _log_product(q[tile_row], p[tile_row], exp_minus_W[i], max_factors)
    else:
        for j in range(W.shape[1]):
            off[j] = p[tile_row, j] * exp64(-v * float64(W[i, j]))
            on[j] = off[j] * exp_W[i, j]
        logit += _log_product(q[tile_row], on, ones, max_factors)
        logit -= _log_product(q[tile_row], off, ones, max_factors)
    return logit


@kernel(**OPTIONS)
def bernoulli_pseudo_likelihood(v, x, b, W, exp_W, exp_minus_W, max_factors, out, log_odds):
    """Exact log pseudo-likelihood ``sum_i log p(v_i | v without i)`` of each row.

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
                logit = _log_odds(
                    vi,
                    first + r,
                    i,
                    x,
                    r,
                    p,
                    q,
                    b,
                    W,
                    exp_W,
                    exp_minus_W,
                    max_factors,
                    on,
                    off,
                    ones,
                )
                if log_odds.shape[0]:
                    log_odds[first + r, i] = logit
                # A term of weight 0 is left out: its logarithm may be infinite.
                if vi != 0.0:
                    out[first + r] -= vi * softplus(-logit)
                if vi != 1.0:
                    out[first + r] -= (1.0 - vi) * softplus(logit)


@kernel(**OPTIONS)
def bernoulli_log_odds(row, unit, v, x, b, W, exp_W, exp_minus_W, max_factors, out):
    """Log-odds of chosen units given all other units of their rows.

    Parameters
    ----------
    row, unit : ndarray of shape (n_queries,), int                                        IN
        Query q asks for unit ``unit[q]`` in row ``row[q]``. Queries of one row that follow each
        other share what depends on the row alone.
    v : ndarray of shape (n_queries,)                                                     IN
        The value of the unit in this row.
    x : ndarray of shape (n, M)                                                           IN
    b, W, exp_W, exp_minus_W, max_factors                                                 IN
        As in ``bernoulli_pseudo_likelihood``.
    out : ndarray of shape (n_queries,), float64                                          OUT
    """
    n_hidden = W.shape[1]
    p = np.empty((1, n_hidden))
    q = np.empty((1, n_hidden))
    on = np.empty(n_hidden)
    off = np.empty(n_hidden)
    ones = np.ones(n_hidden)
    last = -1
    for k in range(row.shape[0]):
        r, i = row[k], unit[k]
        if r != last:
            for j in range(n_hidden):
                p[0, j] = logistic(float64(x[r, j]))
                q[0, j] = logistic(-float64(x[r, j]))
            last = r
        out[k] = _log_odds(
            float64(v[k]), r, i, x, 0, p, q, b, W, exp_W, exp_minus_W, max_factors, on, off, ones
        )
