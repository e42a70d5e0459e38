"""The visible layer of real-valued units. Notation as in ``layer``."""

from dataclasses import dataclass, replace

import numpy as np

from .._kernels import pseudo_likelihood, units, updates
from .layer import NumberVisible

#: A learned noise variance is at least a thousandth of where it started.
LEAST_LOG_RATIO = float(np.log(1e-3))

# Quadrature of the pseudo-likelihood of real-valued units, in units of s: beyond the tail lies
# 2e-19 of a component, and the spacing makes an error of 2 exp(-2 pi^2 / 0.7^2) = 6e-18.
_TAIL, _SPACING = 9.0, 0.7


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
