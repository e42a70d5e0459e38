"""Real-valued units with noise of a variance of their own. Notation as in ``layer``."""

from dataclasses import dataclass, replace

import numpy as np

from .._kernels import pseudo_likelihood, units, updates
from .numbers import NumberLayer, room_for
from .threads import in_threads, shares

#: A learned noise variance is at least a thousandth of where it started.
LEAST_LOG_RATIO = float(np.log(1e-3))

# Quadrature of the pseudo-likelihood, in units of s: beyond the tail lies 2e-19 of a component,
# and the spacing makes an error of 2 exp(-2 pi^2 / 0.7^2) = 6e-18.
_TAIL, _SPACING = 9.0, 0.7


@dataclass(frozen=True)
class GaussianLayer(NumberLayer):
    """Real-valued units, ``E(v) = sum_i (v_i - b_i)^2 / (2 s_i^2)`` and ``phi(v) = v / s``.

    The noise variance is ``s^2 = initial_variance * exp(log_ratio)``. Without ``log_ratio`` the
    noise variance is fixed.

    Parameters
    ----------
    bias : ndarray of shape (N,)
        ``b``, the mean of a unit whose input is 0.
    initial_variance : ndarray of shape (N,)
        Positive.
    log_ratio : ndarray of shape (N,) or None
        To learn; at least ``LEAST_LOG_RATIO``.
    """

    bias: np.ndarray
    initial_variance: np.ndarray
    log_ratio: np.ndarray | None = None

    def __post_init__(self):
        """Refuse arrays that are no vectors of one length, and variances that are none."""
        vectors = [self.bias, self.initial_variance]
        vectors += [] if self.log_ratio is None else [self.log_ratio]
        if any(a.ndim != 1 or len(a) != len(self.bias) for a in vectors):
            shapes = ", ".join(str(a.shape) for a in vectors)
            raise ValueError(
                "intercept_visible_ and noise_variance_ must be flat and of one length, but "
                f"their shapes are {shapes}."
            )
        if not ((self.initial_variance > 0) & (self.initial_variance < np.inf)).all():
            raise ValueError("noise_variance_ must be positive and finite throughout.")

    @property
    def parameters(self):
        """The bias and, if the noise variance is learned, ``log_ratio``."""
        return (self.bias,) if self.log_ratio is None else (self.bias, self.log_ratio)

    @property
    def noise_variance(self):
        """``s^2``."""
        if self.log_ratio is None:
            return self.initial_variance
        return self.initial_variance * np.exp(self.log_ratio)

    @property
    def scale(self):
        """``s``."""
        return np.sqrt(self.noise_variance)

    def statistic(self, v):
        """``v / s``."""
        if self.log_ratio is None and (self.initial_variance == 1).all():
            return v  # the default, and two passes over v saved
        return v / self.scale

    def energy(self, v):
        """``sum_i (v_i - b_i)^2 / (2 s_i^2)``."""
        return 0.5 * np.square((v - self.bias) / self.scale).sum(axis=1)

    def mean(self, x):
        """``b + s x``."""
        return self.bias + self.scale * x

    def sample(self, x, key, out=None):
        """``mean(x)`` and normal noise of variance ``s^2``."""
        out = room_for(x, out)
        units.gaussian(x, self.bias, self.scale, *key, out)
        return out

    def log_normaliser(self, x, shift=0.0):
        """``sum_i log(2 pi s_i^2) / 2 + t_i b_i / s_i + t_i^2 / 2`` at ``t = x + shift``."""
        shift = np.zeros(self.n_units) + shift
        x, bias = x.astype(np.float64, copy=False), self.bias.astype(np.float64, copy=False)
        variance = self.noise_variance.astype(np.float64)
        means = bias / np.sqrt(variance)
        at_shift = 0.5 * np.log(2 * np.pi * variance) + shift * (means + 0.5 * shift)
        squares = np.einsum("ij,ij->i", x, x)
        return at_shift.sum() + np.einsum("ij,j->i", x, means + shift) + 0.5 * squares

    def pseudo_likelihood(self, v, t, weights):
        """A sum of log densities."""
        weights = weights.astype(np.float64, copy=False)
        scale = np.sqrt(self.noise_variance.astype(np.float64))
        deviations = (v.astype(np.float64, copy=False) - self.bias) / scale
        t = t.astype(np.float64, copy=False)
        # A unit's density given the others is a mixture of normal distributions of width s
        # whose means lie between these, in units of s from b.
        low = np.minimum(weights, 0).sum(axis=1) - _TAIL
        high = np.maximum(weights, 0).sum(axis=1) + _TAIL
        n_nodes = np.ceil((high - low) / _SPACING).astype(np.int64) + 1
        out = np.empty(v.shape[0])

        def score(first, stop):
            part = slice(first, stop)
            pseudo_likelihood.gaussian_pseudo_likelihood(
                deviations[part], t[part], weights, low, n_nodes, _SPACING, out[part]
            )

        in_threads(score, shares(np.arange(len(v) + 1), int(n_nodes.sum()) * weights.shape[1]))
        return out - np.log(scale).sum()

    def with_bias(self, bias):
        """The change of the bias, in units of s, is the input that undoes it."""
        return replace(self, bias=bias), (self.bias - bias) / self.scale

    def precondition(self, sums, n_rows):
        """Steps that are bounded and free of the units of X.

        - No hidden unit's gradient is longer than sqrt(N), the length of a typical row of
          standardised data (Pascanu, Mikolov & Bengio, 2013, rescale a gradient in this way).
        - The bias moves in units of s: its gradient times s^2.
        - The gradient of the logarithm of the variance is clipped to [-1, 1].
        """
        weights, hidden_bias, bias, *log_ratio = sums
        longest = n_rows * np.sqrt(weights.dtype.type(self.n_units))
        if np.vdot(weights, weights) > longest**2:  # else no column can be too long
            length = np.sqrt(np.einsum("ij,ij->j", weights, weights))
            weights *= longest / np.maximum(length, longest)
        bias *= self.noise_variance
        log_ratio = [np.clip(s, -n_rows, n_rows, out=s) for s in log_ratio]
        return weights, hidden_bias, bias, *log_ratio

    def constrain(self):
        """Keep the noise variance above its bound."""
        if self.log_ratio is not None:
            np.maximum(self.log_ratio, LEAST_LOG_RATIO, out=self.log_ratio)

    def _own_gradient(self, v, row_weights, weights, weights_gradient):
        """For the bias and the logarithm of ``s^2``.

        The derivative by ``log s_i^2`` is ``(v_i - b_i)^2 / (2 s_i^2) - v_i / (2 s_i) W_i h``. The
        sum of its second term over rows is in the gradient of the weights already.
        """
        variance = self.noise_variance
        deviations, squares = np.empty_like(self.bias), np.empty_like(self.bias)
        updates.moments(v, self.bias, row_weights, deviations, squares)
        if self.log_ratio is None:
            return (deviations / variance,)
        interaction = np.empty_like(self.bias)
        updates.row_dots(weights, weights_gradient, interaction)
        return deviations / variance, 0.5 * (squares / variance - interaction)
