"""Real-valued units with noise of a variance of their own. Notation as in ``layer``."""

from dataclasses import dataclass, replace

import numpy as np

from .._kernels import quadrature, units, updates
from .crew import together
from .memory import scratch
from .numbers import NumberLayer, room_for
from .threads import in_threads, tiles

#: A learned noise variance is at least a thousandth of where it started.
LEAST_LOG_RATIO = float(np.log(1e-3))

# Sum of the absolute weights of a unit up to which the pseudo-likelihood is computed. There,
# energies of 1e20 nats are rounded by 1e4 nats, and the nodes within this uncertainty are many.
_MOST_WEIGHT = 1e10


def _quadrature_costs(reach, weights):
    """Multiplications of one row for each unit, whose absolute weights add up to ``reach``.

    Units of one peak have few nodes. Weights too large for tables of exponentials ask for a
    logarithm and an exponential at each node. Nodes lie in the mixture, and hardly ever at more
    than a few places per hidden unit. What is done once for a unit is worth 32 hidden units.
    """
    n_hidden = weights.shape[1]
    nodes = np.minimum(reach + 17, 20 * n_hidden)
    several = np.where(reach < 100, 4 * nodes, 13 * nodes)
    spread = 0.25 * np.einsum("ij,ij->i", weights, weights)
    return (n_hidden + 32) * np.where(spread < quadrature.RULES[-1][2], 24, several)


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
        scale = self.scale
        return np.divide(v, scale, out=scratch(v.shape, np.result_type(v, scale)))

    def energy(self, v):
        """``sum_i (v_i - b_i)^2 / (2 s_i^2)``."""
        return 0.5 * np.square((v - self.bias) / self.scale).sum(axis=1)

    def mean(self, x):
        """``b + s x``."""
        scale = self.scale
        out = scratch(x.shape, np.result_type(x, scale, self.bias))
        np.multiply(scale, x, out=out)
        out += self.bias
        return out

    def sample(self, x, key, out=None):
        """``mean(x)`` and normal noise of variance ``s^2``."""
        out = room_for(x, out)
        together(units.gaussian, x, self.bias, self.scale, *key, out)
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

    def squared_error(self, v, x):
        """In units of the initial noise the noise is added: what lies within it is no error."""
        squares = np.square(self.mean(x) - v).sum(axis=0, dtype=np.float64)
        misfit = float((squares / self.initial_variance).sum()) + v.size
        return float(squares.sum()), misfit, v.size

    def variance_of(self, weights):
        """A hidden unit that is on half the time makes a quarter of its squared weight."""
        squares = np.einsum("ij,ij->i", weights, weights, dtype=np.float64)
        return 0.25 * float((squares * self.noise_variance / self.initial_variance).mean())

    def pseudo_likelihood(self, v, t, weights):
        """A sum of log densities."""
        weights = weights.astype(np.float64, copy=False)
        scale = np.sqrt(self.noise_variance.astype(np.float64))
        deviations = (v.astype(np.float64, copy=False) - self.bias) / scale
        t = t.astype(np.float64, copy=False)
        reach = np.abs(weights).sum(axis=1)
        if not (reach <= _MOST_WEIGHT).all():
            i = int(np.argmin(reach <= _MOST_WEIGHT))
            raise ValueError(
                f"the absolute weights of feature {i} in components_ add up to {reach[i]}; the "
                f"pseudo-likelihood is computed up to {_MOST_WEIGHT:g}. Training may have "
                "diverged: a smaller learning_rate helps."
            )
        if not np.isfinite(deviations).all() or np.isnan(t).any():
            raise ValueError(
                "a pseudo-likelihood would not be a number: X, or a parameter of the machine, is "
                "NaN or so large that inputs of hidden units overflow."
            )
        columns, parts = tiles(len(v), _quadrature_costs(reach, weights), quadrature.TILE)
        terms = np.zeros((len(columns), len(v)))

        def score(k, first, stop):
            part = slice(first, stop)
            quadrature.gaussian_pseudo_likelihood(
                deviations[part], t[part], weights, *columns[k], terms[k, part]
            )

        in_threads(score, parts)
        return terms.sum(axis=0) - np.log(scale).sum()

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
        squares = np.empty(len(weights), weights.dtype)
        together(updates.row_dots, weights, weights, squares)
        if squares.sum() > longest**2:  # else no column can be too long
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
        together(updates.moments, v, self.bias, row_weights, deviations, squares)
        if self.log_ratio is None:
            return (deviations / variance,)
        interaction = np.empty_like(self.bias)
        together(updates.row_dots, weights, weights_gradient, interaction)
        return deviations / variance, 0.5 * (squares / variance - interaction)
