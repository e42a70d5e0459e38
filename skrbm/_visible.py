"""Visible layers: what a row of data is to the machine.

Notation: ``v`` rows of visible units (n, D); ``phi(v)`` the statistic that meets the weights
(n, D); ``W`` weights (D, M); ``input`` = ``h W^T`` (n, D), what the hidden units tell the
visible ones; ``x`` (n, M) the inputs of the hidden units, bias included. ``draw`` =
``(seed, update, purpose)`` names the random numbers of one call.

A layer is a frozen dataclass of arrays and the few functions of them in which the models of
this package differ. Its arrays may be updated in place (training does), never replaced. The
layers of this file see rows of numbers; that of categories, with rows of its own, is in
``_softmax_visible``.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import issparse

from ._kernels import pseudo_likelihood, sums, units, updates
from ._products import product, product_transposed, product_with_transpose

#: A learned noise variance is at least a thousandth of where it started.
LEAST_LOG_RATIO = float(np.log(1e-3))

# Quadrature of the pseudo-likelihood of real-valued units, in units of s: beyond the tail lies
# 2e-19 of a component, and the spacing makes an error of 2 exp(-2 pi^2 / 0.7^2) = 6e-18.
_TAIL, _SPACING = 9.0, 0.7


class VisibleLayer:
    """What all layers have in common; each has a ``bias``."""

    #: Whether units are binary, as hidden units are.
    binary = False

    @property
    def n_units(self):
        """Number of visible units."""
        return len(self.bias)

    def direction(self, *gradient):
        """The direction of a step, from the gradient of all parameters of the machine."""
        return gradient

    def constrain(self):
        """Put the parameters back into their bounds after a step."""


class NumberVisible(VisibleLayer):
    """What layers have in common whose rows are arrays of numbers.

    A subclass adds ``features``, ``energy`` and what begins with an underscore here.
    """

    def forward(self, v, weights):
        """``phi(v) W``, shape (n, M)."""
        return product(self.features(v), weights)

    def mean(self, h, weights):
        """``E[v | h]``, shape (n, D)."""
        return self._mean(product_with_transpose(h, weights))

    def expected(self, h, weights, like):
        """``E[v | h]`` as rows for ``gradient``, of the form of the rows ``like``."""
        return self.mean(h, weights)

    def unit_means(self, h, weights):
        """``E[v | h]`` of each unit, shape (n, number of units)."""
        return self.mean(h, weights)

    def cells(self, v):
        """Complete rows as an array of one element per feature, a view."""
        return v

    def best_cells(self, unit_means):
        """The cells that stand for ``unit_means`` in a complete row: their values."""
        return unit_means

    def sample(self, h, weights, draw, out=None):
        """A draw from ``p(v | h)``, shape (n, D), into ``out`` or a new array."""
        input = product_with_transpose(h, weights)
        return self._sample(input, draw, np.empty_like(input) if out is None else out)

    def gradient(self, v, h, row_weights, weights):
        """``sum_r row_weights[r] d(-E(v_r, h_r))/d parameter``: weights, then the layer's own.

        ``h`` (n, M) holds the hidden rows, each times its weight.
        """
        interaction = product_transposed(self.features(v), h)
        return interaction, *self._gradient(v, row_weights, weights, interaction)

    def squared_error(self, v, h, weights):
        """Summed squared difference between ``v`` and ``E[v | h]``, and the number of terms."""
        difference = self.mean(h, weights) - v
        return float(np.square(difference).sum(dtype=np.float64)), difference.size


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


@dataclass(frozen=True)
class GaussianVisible(NumberVisible):
    """Real-valued units, ``E_vis(v) = sum_i (v_i - b_i)^2 / (2 s_i^2)`` and ``phi(v) = v / s``.

    The noise variance is ``s^2 = reference_variance * exp(log_ratio)``; it is fixed if there is
    no ``log_ratio``.

    Parameters
    ----------
    bias : ndarray of shape (D,)
        ``b``, the mean of a unit whose hidden units are all off.
    reference_variance : ndarray of shape (D,)
        Positive.
    log_ratio : ndarray of shape (D,) or None
        To learn; at least ``LEAST_LOG_RATIO``.
    """

    bias: np.ndarray
    reference_variance: np.ndarray
    log_ratio: np.ndarray | None = None

    def __post_init__(self):
        """Refuse arrays that are no vectors of one length, and variances that are none."""
        vectors = [self.bias, self.reference_variance]
        vectors += [] if self.log_ratio is None else [self.log_ratio]
        if any(a.ndim != 1 or len(a) != len(self.bias) for a in vectors):
            shapes = ", ".join(str(a.shape) for a in vectors)
            raise ValueError(
                "intercept_visible_ and noise_variance_ must be flat and of one length, but "
                f"their shapes are {shapes}."
            )

        if not ((self.reference_variance > 0) & (self.reference_variance < np.inf)).all():
            raise ValueError("noise_variance_ must be positive and finite throughout.")

    @property
    def parameters(self):
        """The arrays to learn."""
        return (self.bias,) if self.log_ratio is None else (self.bias, self.log_ratio)

    @property
    def noise_variance(self):
        """``s^2``."""
        if self.log_ratio is None:
            return self.reference_variance
        return self.reference_variance * np.exp(self.log_ratio)

    @property
    def scale(self):
        """``s``."""
        return np.sqrt(self.noise_variance)

    def features(self, v):
        """``phi(v)``."""
        if self.log_ratio is None and (self.reference_variance == 1).all():
            return v  # the default, and two passes over v saved
        return v / self.scale

    def energy(self, v):
        """``E_vis(v)`` of each row."""
        return 0.5 * np.square((v - self.bias) / self.scale).sum(axis=1)

    def log_normaliser(self, input, shift):
        """As that of :class:`BernoulliVisible`, of densities.

        An integral over ``v_i`` at an input t: ``log(2 pi s_i^2) / 2 + t b_i / s_i + t^2 / 2``.
        """
        input, shift, bias = (a.astype(np.float64, copy=False) for a in (input, shift, self.bias))
        variance = self.noise_variance.astype(np.float64)
        means = bias / np.sqrt(variance)
        at_shift = 0.5 * np.log(2 * np.pi * variance) + shift * (means + 0.5 * shift)
        squares = np.einsum("ij,ij->i", input, input)
        return at_shift.sum() + np.einsum("ij,j->i", input, means + shift) + 0.5 * squares

    def rebased(self, bias):
        """The layer with another bias, and the input that undoes the change."""
        return replace(self, bias=bias), (self.bias - bias) / self.scale

    def _mean(self, input):
        """``E[v | h]``."""
        return self.bias + self.scale * input

    def _sample(self, input, draw, out):
        """A draw from ``p(v | h)``."""
        units.gaussian(input, self.bias, self.scale, *draw, out)
        return out

    def _gradient(self, v, row_weights, weights, weights_gradient):
        """As that of :class:`BernoulliVisible`, for the bias and the logarithm of ``s^2``.

        The derivative by ``log s_i^2`` is ``(v_i - b_i)^2 / (2 s_i^2) - v_i / (2 s_i) W_i h``;
        its second term, summed over rows, is in the gradient of the weights already.
        """
        variance = self.noise_variance
        deviations, squares = np.empty_like(self.bias), np.empty_like(self.bias)
        updates.moments(v, self.bias, row_weights, deviations, squares)
        if self.log_ratio is None:
            return (deviations / variance,)
        interaction = np.empty_like(self.bias)
        updates.row_dots(weights, weights_gradient, interaction)
        return deviations / variance, 0.5 * (squares / variance - interaction)

    def direction(self, weights, hidden_bias, bias, log_ratio=None):
        """The direction of a step, from the gradient (overwritten): bounded, and free of units.

        - No hidden unit's gradient is longer than sqrt(D), the length of a typical row of
          standardised data (Pascanu, Mikolov & Bengio, 2013, rescale a gradient in this way).
        - The bias moves in units of s: its gradient times s^2.
        - That of the logarithm of the variance is at most 1 in size.
        """
        if np.vdot(weights, weights) > self.n_units:  # else no column can be too long
            length = np.sqrt(np.einsum("ij,ij->j", weights, weights))
            longest = np.sqrt(weights.dtype.type(self.n_units))
            weights *= longest / np.maximum(length, longest)
        bias *= self.noise_variance
        if log_ratio is None:
            return weights, hidden_bias, bias
        return weights, hidden_bias, bias, np.clip(log_ratio, -1, 1, out=log_ratio)

    def constrain(self):
        """Put the parameters back into their bounds after a step."""
        if self.log_ratio is not None:
            np.maximum(self.log_ratio, LEAST_LOG_RATIO, out=self.log_ratio)

    def pseudo_likelihood(self, v, x, weights):
        """Exact ``sum_i log p(v_i | v without i)``, a log density, of each row, in float64."""
        weights = weights.astype(np.float64, copy=False)
        scale = np.sqrt(self.noise_variance.astype(np.float64))
        # A unit's density given the others is a mixture of normal distributions of width s
        # whose means lie between these, in units of s from b.
        first = np.minimum(weights, 0).sum(axis=1) - _TAIL
        last = np.maximum(weights, 0).sum(axis=1) + _TAIL
        n_nodes = np.ceil((last - first) / _SPACING).astype(np.int64) + 1
        out = np.empty(v.shape[0])
        pseudo_likelihood.gaussian_pseudo_likelihood(
            (v.astype(np.float64, copy=False) - self.bias) / scale,
            x.astype(np.float64, copy=False),
            weights,
            first,
            n_nodes,
            _SPACING,
            out,
        )
        return out - np.log(scale).sum()
