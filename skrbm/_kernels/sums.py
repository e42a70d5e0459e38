"""Numba functions that sum units out: log-normalisers of a layer, in float64.

The house rules stand in ``inlined``.
"""

import numpy as np
from numba import float64

from .cache import kernel
from .inlined import OPTIONS, REORDERED, exp64

__all__ = ["logsumexp_sums", "softplus_sums"]

_FACTORS = 512  # of at most 2 each: their product is below 1e155


@kernel(**OPTIONS)
def _terms(x, bias, positive, e):
    """With ``t = x + bias``: ``positive = max(t, 0)`` and ``e = exp(-|t|)``, both OUT."""
    for i in range(x.shape[0]):
        t = float64(x[i]) + float64(bias[i])
        positive[i] = max(t, 0.0)
        e[i] = exp64(max(-abs(t), -708.0))


@kernel(**REORDERED)
def _sum_and_product(positive, e):
    """``sum_i positive_i`` and ``prod_i (1 + e_i)``."""
    total, product = 0.0, 1.0
    for i in range(e.shape[0]):
        total += positive[i]
        product *= 1.0 + e[i]
    return total, product


@kernel(**OPTIONS)
def softplus_sums(x, bias, out):
    """``out[r] = sum_i log(1 + exp(x[r, i] + bias[i]))``, binary units summed out.

    With t the input of a unit, a term is ``max(t, 0) + log(1 + exp(-|t|))``: nothing overflows,
    and a logarithm serves many factors between 1 and 2.

    Parameters
    ----------
    x : ndarray of shape (n, >= N)                                                        IN
        Further columns are not read.
    bias : ndarray of shape (N,)                                                          IN
    out : ndarray of shape (n,), float64                                                  OUT
    """
    n_units = bias.shape[0]
    positive, e = np.empty(_FACTORS), np.empty(_FACTORS)
    for r in range(x.shape[0]):
        out[r] = 0.0
        for start in range(0, n_units, _FACTORS):
            n = min(_FACTORS, n_units - start)
            # Sums may be taken in any order, but not so the exponentials: two functions.
            _terms(x[r, start : start + n], bias[start : start + n], positive[:n], e[:n])
            total, product = _sum_and_product(positive[:n], e[:n])
            out[r] += total + np.log(product)


@kernel(**OPTIONS)
def logsumexp_sums(x, bias, offsets, out):
    """``out[r] = sum_i log sum_k exp(x[r, k] + bias[k])`` over the categories k of each feature i.

    Parameters
    ----------
    x : ndarray of shape (n, C)                                                           IN
    bias : ndarray of shape (C,)                                                          IN
    offsets : ndarray of shape (D + 1,)                                                   IN
        The categories of feature i are ``offsets[i] .. offsets[i + 1] - 1``.
    out : ndarray of shape (n,), float64                                                  OUT
    """
    n_codes = x.shape[1]
    t = np.empty(n_codes)
    e = np.empty(n_codes)
    for r in range(x.shape[0]):
        total, product = 0.0, 1.0
        for i in range(offsets.shape[0] - 1):
            first, stop = offsets[i], offsets[i + 1]
            largest = -np.inf
            for k in range(first, stop):
                t[k] = float64(x[r, k]) + float64(bias[k])
                largest = max(largest, t[k])
            total += largest
            for k in range(first, stop):  # at the largest, which may be infinite: exp(0)
                t[k] = 0.0 if t[k] == largest else max(t[k] - largest, -708.0)
        for k in range(n_codes):
            e[k] = exp64(t[k])
        for i in range(offsets.shape[0] - 1):
            factor = 0.0
            for k in range(offsets[i], offsets[i + 1]):
                factor += e[k]
            product *= factor
            if product > 1e280:  # a factor is at most its number of categories
                total += np.log(product)
                product = 1.0
        out[r] = total + np.log(product)
