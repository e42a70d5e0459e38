"""Visible layers: what a row of data is to the machine.

Notation: ``v`` rows of visible units (n, D); ``phi(v)`` the statistic that meets the weights
(n, D); ``W`` weights (D, M); ``input`` = ``h W^T`` (n, D), what the hidden units tell the
visible ones; ``x`` (n, M) the inputs of the hidden units, bias included. ``draw`` =
``(seed, update, purpose)`` names the random numbers of one call.

A layer is a frozen dataclass of arrays and the few functions of them in which the models of
this package differ. Its arrays may be updated in place (training does), never replaced.
"""

from dataclasses import dataclass

import numpy as np

from . import _kernels


@dataclass(frozen=True)
class BernoulliVisible:
    """Binary units, ``E_vis(v) = -b v`` and ``phi(v) = v``.

    A value between 0 and 1 is read as the probability of a 1.

    Parameters
    ----------
    bias : ndarray of shape (D,)
        ``b``, the log-odds of a unit whose hidden units are all off.
    """

    bias: np.ndarray

    def __post_init__(self):
        """Refuse a bias that is no vector."""
        if self.bias.ndim != 1:
            raise ValueError(f"intercept_visible_ must be flat, but is {self.bias.ndim}-D.")

    @property
    def n_units(self):
        """Number of visible units, D."""
        return len(self.bias)

    @property
    def parameters(self):
        """The arrays to learn."""
        return (self.bias,)

    def features(self, v):
        """``phi(v)``."""
        return v

    def energy(self, v):
        """``E_vis(v)`` of each row."""
        return -(v @ self.bias)

    def mean(self, input):
        """``E[v | h]``, here ``p(v = 1 | h)``."""
        out = np.empty_like(input)
        _kernels.sigmoid(input, self.bias, out)
        return out

    def sample(self, input, draw, out=None):
        """A draw from ``p(v | h)``."""
        out = np.empty_like(input) if out is None else out
        _kernels.bernoulli_sigmoid(input, self.bias, *draw, out)
        return out

    def gradient(self, v, row_weights):
        """``sum_r row_weights[r] * d(-E(v_r, h_r))/d parameter``, one array per parameter."""
        return (row_weights @ v,)

    def pseudo_likelihood(self, v, x, weights):
        """Exact ``sum_i log p(v_i | v without i)`` of each row of dense ``v``, in float64.

        A value inside (0, 1) counts as the expectation over a unit that is 1 with this
        probability, the other units as given.
        """
        largest = float(max(weights.max(), -weights.min()))
        # A product of so many factors stays below exp(600), safely within float64. (Below
        # 1e-6 the number of hidden units is the limit, whatever the weights.)
        max_factors = int(600 / max(largest, 1e-6))
        out = np.empty(v.shape[0])
        with np.errstate(over="ignore"):  # max_factors == 0: the tables are not read
            exp_weights = np.exp(weights, dtype=np.float64)
            exp_minus_weights = np.exp(-weights, dtype=np.float64)
        _kernels.bernoulli_pseudo_likelihood(
            v,
            x,
            self.bias.astype(np.float64, copy=False),
            weights,
            exp_weights,
            exp_minus_weights,
            max_factors,
            out,
        )
        return out
