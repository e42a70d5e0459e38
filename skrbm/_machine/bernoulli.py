"""The visible layer of binary units. Notation as in ``layer``."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import issparse

from .._kernels import pseudo_likelihood, sums, units
from .layer import NumberVisible


@dataclass(frozen=True)
class BernoulliVisible(NumberVisible):
    """Binary units, ``E_vis(v) = -b v`` and ``phi(v) = v``.

    A value between 0 and 1 is read as the probability of a 1.

    Parameters
    ----------
    bias : ndarray of shape (D,)
        ``b``, the log-odds of a unit whose hidden units are all off.
    """

    bias: np.ndarray

    binary = True

    def __post_init__(self):
        """Refuse a bias that is no vector."""
        if self.bias.ndim != 1:
            raise ValueError(f"intercept_visible_ must be flat, but is {self.bias.ndim}-D.")

    @property
    def parameters(self):
        """The arrays to learn."""
        return (self.bias,)

    def features(self, v):
        """``phi(v)``."""
        return v

    def energy(self, v):
        """``E_vis(v)`` of each row."""
        if np.isfinite(self.bias).all():
            return -(v @ self.bias)
        v = v.toarray() if issparse(v) else v
        return -np.multiply(v, self.bias, out=np.zeros_like(v), where=v != 0).sum(axis=1)

    def log_normaliser(self, input, shift):
        """``log sum_v exp(-E_vis(v) + phi(v) (input + shift))`` of each row, (n,) in float64.

        ``input`` (n, number of units), and the same ``shift`` (number of units,) for all.
        """
        out = np.empty(len(input))
        sums.softplus_sums(input, self.bias + shift, out)
        return out

    def rebased(self, bias):
        """The layer with another bias, and the input that undoes the change."""
        return replace(self, bias=bias), self.bias - bias

    def _mean(self, input):
        """``E[v | h]``, here ``p(v = 1 | h)``."""
        out = np.empty_like(input)
        units.sigmoid(input, self.bias, out)
        return out

    def _sample(self, input, draw, out):
        """A draw from ``p(v | h)``."""
        units.bernoulli_sigmoid(input, self.bias, *draw, out)
        return out

    def _gradient(self, v, row_weights, weights, weights_gradient):
        """``sum_r row_weights[r] * d(-E(v_r, h_r))/d parameter``, one array per parameter.

        ``weights_gradient`` is that of ``weights``, for a layer whose derivatives need it.
        """
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
        pseudo_likelihood.bernoulli_pseudo_likelihood(
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
