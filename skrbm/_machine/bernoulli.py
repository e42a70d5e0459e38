"""Binary units. Notation as in ``layer``."""

from dataclasses import dataclass, replace

import numpy as np

from .._kernels import pseudo_likelihood, sums, units, updates
from .crew import together
from .memory import scratch
from .numbers import NumberLayer, room_for
from .threads import COST_OF_SOFTPLUS, in_threads, shares, tiles

# Multiplications that take as long as the exponential of a weight times a value inside (0, 1).
_COST_OF_EXPONENTIAL = 20


@dataclass(frozen=True)
class BernoulliLayer(NumberLayer):
    """Binary units, ``E(v) = -b v`` and ``phi(v) = v``.

    A value between 0 and 1 is read as the probability of a 1.

    Parameters
    ----------
    bias : ndarray of shape (N,)
        ``b``, the log-odds of a unit whose input is 0.
    """

    bias: np.ndarray

    @property
    def n_states(self):
        """``2^N``."""
        return 2**self.n_units

    @property
    def parameters(self):
        """The bias."""
        return (self.bias,)

    def statistic(self, v):
        """``v``."""
        return v

    def energy(self, v):
        """``-b v``; an infinite bias counts only where its unit is on."""
        if np.isfinite(self.bias).all():
            return -np.einsum("ri,i->r", v, self.bias)  # without the threads of BLAS
        return -np.multiply(v, self.bias, out=np.zeros_like(v), where=v != 0).sum(axis=1)

    def mean(self, x):
        """``p(v = 1 | x) = sigmoid(x + b)``."""
        out = scratch(x.shape, x.dtype)
        together(units.sigmoid, x, self.bias, out)
        return out

    def sample(self, x, key, out=None):
        """Each unit is 1 with probability ``mean(x)``, else 0."""
        out = room_for(x, out)
        together(units.bernoulli_sigmoid, x, self.bias, *key, out)
        return out

    def mean_and_sample(self, x, key, first=0):
        """The sample is drawn from the mean, which is computed once."""
        mean = self.mean(x)
        out = scratch(mean[first:].shape, mean.dtype)
        together(units.bernoulli, mean[first:], *key, out)
        return mean, out

    def log_normaliser(self, x, shift=0.0):
        """``sum_i log(1 + exp(x_i + shift_i + b_i))``."""
        out = np.empty(len(x))
        sums.softplus_sums(x, self.bias + shift, out)
        return out

    def pseudo_likelihood(self, v, t, weights):
        """A value inside (0, 1) counts as the expectation over a unit of this probability.

        The other units count as given.
        """
        return self._conditionals(v, t, weights, np.empty((0, 0)))

    # --- one unit given the others ---

    def log_odds(self, v, t, weights):
        """Log-odds of each unit given all other units of its row, (n, N), in float64.

        ``pseudo_likelihood`` describes the parameters.
        """
        out = np.empty(v.shape)
        self._conditionals(v, t, weights, out)
        return out

    def log_odds_of(self, rows, units, v, t, weights):
        """Log-odds of chosen units, given all other units of their rows, in float64.

        Parameters
        ----------
        rows, units : ndarray of shape (n_queries,), int64
            Query q asks for unit ``units[q]`` of row ``rows[q]``. Ascending rows cost the least.
        v : ndarray of shape (n_queries,)
            The values of these units.
        t : ndarray of shape (n, M)
            Total inputs of the hidden units for the rows as they are.
        weights : ndarray of shape (N, M)
        """
        bias, max_factors = self.bias.astype(np.float64, copy=False), _max_factors(weights)
        cost = weights.shape[1] * (_COST_OF_EXPONENTIAL if max_factors else COST_OF_SOFTPLUS)
        out = np.empty(len(rows))

        def condition(first, stop):
            part = slice(first, stop)
            pseudo_likelihood.bernoulli_log_odds(
                rows[part], units[part], v[part], t, bias, weights, max_factors, out[part]
            )

        in_threads(condition, shares(np.arange(len(rows) + 1), cost))
        return out

    def _conditionals(self, v, t, weights, log_odds):
        """The pseudo-likelihood, and the log-odds of all units if an array (n, N) is given."""
        max_factors, bias = _max_factors(weights), self.bias.astype(np.float64, copy=False)
        with np.errstate(over="ignore"):  # max_factors == 0: the tables are not read
            exponentials = np.exp(weights, dtype=np.float64), np.exp(-weights, dtype=np.float64)
        bits = ((v == 0) | (v == 1)).all()
        cost = (1 if bits else _COST_OF_EXPONENTIAL) if max_factors else COST_OF_SOFTPLUS
        costs = np.full(self.n_units, weights.shape[1] * cost)
        columns, parts = tiles(len(v), costs, pseudo_likelihood.TILE)
        terms = np.empty((len(columns), len(v)))

        def score(k, first, stop):
            rows, part = slice(first, stop), slice(*columns[k])
            values, odds = v[rows], log_odds[rows]
            if len(columns) > 1:
                values, odds = (np.ascontiguousarray(a[:, part]) for a in (values, odds))
            pseudo_likelihood.bernoulli_pseudo_likelihood(
                values,
                t[rows],
                *(a[part] for a in (bias, weights, *exponentials)),
                max_factors,
                terms[k, rows],
                odds,
            )
            if len(columns) > 1 and len(odds):
                log_odds[rows, part] = odds

        in_threads(score, parts)
        return terms.sum(axis=0)

    def with_bias(self, bias):
        """The change of the bias is the input that undoes it."""
        return replace(self, bias=bias), self.bias - bias

    def _own_gradient(self, v, row_weights, weights, weights_gradient):
        total = np.empty_like(self.bias)
        together(updates.weighted_sum, v, row_weights, total)
        return (total,)


def _max_factors(weights):
    """How many factors of a pseudo-likelihood are multiplied before a logarithm is taken."""
    largest = float(max(weights.max(), -weights.min()))
    # A product of so many factors stays below exp(600), safely within float64. (Below 1e-6 the
    # number of hidden units is the limit, whatever the weights.)
    return int(600 / max(largest, 1e-6))
