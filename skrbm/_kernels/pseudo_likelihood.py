"""Numba functions of exact pseudo-likelihoods: the conditional of each unit given all others.

Notation: ``v`` visible rows (n, D), ``x`` inputs of hidden units (n, M), ``W`` weights (D, M),
``b`` visible bias (D,). The house rules stand in ``inlined``.
"""

import numpy as np
from numba import float64

from .cache import kernel
from .inlined import OPTIONS, REORDERED, exp64, logistic, softplus

__all__ = ["bernoulli_pseudo_likelihood", "gaussian_pseudo_likelihood"]

_TILE = 32  # rows whose p and q stay in the cache of one core


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
def bernoulli_pseudo_likelihood(v, x, b, W, exp_W, exp_minus_W, max_factors, out):
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
    """
    n_rows, n_visible = v.shape
    n_hidden = W.shape[1]
    p = np.empty((_TILE, n_hidden))
    q = np.empty((_TILE, n_hidden))
    on = np.empty(n_hidden)
    off = np.empty(n_hidden)
    ones = np.ones(n_hidden)
    out[:] = 0.0
    for first in range(0, n_rows, _TILE):
        rows = range(min(_TILE, n_rows - first))
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
                # A term of weight 0 is left out: its logarithm may be infinite.
                if vi != 0.0:
                    out[first + r] -= vi * softplus(-logit)
                if vi != 1.0:
                    out[first + r] -= (1.0 - vi) * softplus(logit)


@kernel(**OPTIONS)
def gaussian_pseudo_likelihood(d, x, W, first, n_nodes, spacing, out):
    """Exact log pseudo-likelihood of each row, up to the widths of the units.

    With ``d = (v - b) / s`` and ``p = sigmoid(x)``, ``q = sigmoid(-x)``, moving unit i from
    ``d_i`` to t multiplies the unnormalised density by
    ``exp((d_i^2 - t^2) / 2) prod_j (q_j + p_j exp(W_ij (t - d_i)))``. The density of unit i
    is a mixture of normal distributions of width 1; its integral is a sum over equidistant
    nodes, whose error for spacing h is the factor ``1 +- 2 exp(-2 pi^2 / h^2)``.

    Parameters
    ----------
    d : ndarray of shape (n, D), float64                                                  IN
    x : ndarray of shape (n, M), float64                                                  IN
        Inputs of the hidden units, bias included.
    W : ndarray of shape (D, M), float64                                                  IN
    first : ndarray of shape (D,), float64                                                IN
        The lowest node of each unit.
    n_nodes : ndarray of shape (D,), int64                                                IN
        Numbers of nodes, which together cover the mixture.
    spacing : float                                                                       IN
        Of the nodes.
    out : ndarray of shape (n,), float64                                                  OUT
        ``sum_i log p(d_i | v without i)``: a density of d, and s times the density of v.
    """
    n_rows, n_visible = d.shape
    n_hidden = W.shape[1]
    p = np.empty((_TILE, n_hidden))
    q = np.empty((_TILE, n_hidden))
    shifted = np.empty(n_hidden)
    exp_W = np.empty((n_nodes.max(), n_hidden))  # at the nodes of one unit: exp(W_ij t)
    log_terms = np.empty(n_nodes.max())
    out[:] = 0.0
    for tile in range(0, n_rows, _TILE):
        rows = range(min(_TILE, n_rows - tile))
        for r in rows:
            for j in range(n_hidden):
                p[r, j] = logistic(x[tile + r, j])
                q[r, j] = logistic(-x[tile + r, j])
        for i in range(n_visible):
            n, low = n_nodes[i], first[i]
            high = low + (n - 1) * spacing
            steepest = 0.0
            for j in range(n_hidden):
                steepest = max(steepest, abs(W[i, j]))
            # exp stays below exp(300) in a table, a product of factors below exp(600).
            tables = steepest * max(-low, high) < 300.0
            if tables:
                for k in range(n):
                    for j in range(n_hidden):
                        exp_W[k, j] = exp64(W[i, j] * (low + k * spacing))
            for r in rows:
                di = d[tile + r, i]
                reach = steepest * max(abs(di - low), abs(high - di))
                if tables and steepest * abs(di) < 300.0 and reach < 300.0:
                    for j in range(n_hidden):
                        shifted[j] = p[r, j] * exp64(-W[i, j] * di)
                    max_factors = n_hidden if reach * n_hidden < 600.0 else int(600.0 / reach)
                    for k in range(n):
                        log_terms[k] = _log_product(q[r], shifted, exp_W[k], max_factors)
                else:
                    for k in range(n):
                        log_terms[k] = 0.0
                        for j in range(n_hidden):
                            xj = x[tile + r, j]
                            w = W[i, j] * (low + k * spacing - di)
                            log_terms[k] += w if xj == np.inf else softplus(xj + w) - softplus(xj)
                for k in range(n):
                    t = low + k * spacing
                    log_terms[k] -= 0.5 * t * t
                largest = log_terms[:n].max()
                total = 0.0
                for k in range(n):
                    total += np.exp(log_terms[k] - largest)
                out[tile + r] -= 0.5 * di * di + largest + np.log(spacing * total)
