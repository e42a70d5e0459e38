"""The slow oracle of real-valued visible units: the machine as a mixture of 2^M normals.

Nothing here is shared with the package. Notation: ``s`` is the square root of the noise
variance, ``theta_h = b + s W h`` the mean of the visible units given hidden state h.
"""

import itertools
import math
from fractions import Fraction

import numpy as np
from scipy.integrate import quad
from scipy.special import logsumexp
from scipy.stats import norm

from .common import random_words, states

# --- normal draws (Box & Muller, 1958) --------------------------------------------------------


def normal_pair(radius_word, angle_word, dtype=np.float64):
    """Two independent normal numbers of two random words, by the functions of ``math``.

    31 bits of the first word make a number u in (0, 1), which float32 may round to 1; 30 bits
    of the second an angle within 45 degrees of an axis, bit 30 says whether the cosine is
    negative, bit 31 whether cosine and sine change places.
    """
    u = float(dtype(dtype(dtype(radius_word >> 1) + dtype(0.5)) * dtype(2.0**-31)))
    radius = math.sqrt(-2 * math.log(u))
    angle = ((angle_word % 2**30 + 0.5) / 2**30 - 0.5) * math.pi / 2
    c, s = math.cos(angle), math.sin(angle)
    if angle_word >> 30 & 1:
        c = -c
    if angle_word >> 31:
        c, s = s, c
    return radius * c, radius * s


def normal(n_rows, n_units, seed, update, purpose, dtype=np.float64):
    """Standard normal draws, one pair at a time.

    With Q = ceil(n_units / 4), units i and i + Q share words i and i + Q of their row, units
    i + 2Q and i + 3Q share words i + 2Q and i + 3Q.
    """
    n_blocks = math.ceil(n_units / 4)
    out = np.empty((n_rows, 4 * n_blocks))
    for r in range(n_rows):
        words = random_words(seed, update, purpose, r, 4 * n_blocks)
        for i, j in itertools.product(range(n_blocks), (0, 2 * n_blocks)):
            pair = normal_pair(words[j + i], words[j + n_blocks + i], dtype)
            out[r, j + i], out[r, j + n_blocks + i] = pair
    return out[:, :n_units]


# --- a Gaussian machine by enumeration --------------------------------------------------------


def conditional_density(W, b, c, variance, v, i):
    """log p(v_i | v without i) by adaptive quadrature, for any number of hidden units."""
    s = math.sqrt(variance[i])

    def free_energy(u):
        row = np.array(v, dtype=float)
        row[i] = u
        own = np.sum((row - b) ** 2 / (2 * variance))
        return own - np.logaddexp(0, (row / np.sqrt(variance)) @ W + c).sum()

    low = b[i] + s * (np.minimum(W[i], 0).sum() - 12)
    high = b[i] + s * (np.maximum(W[i], 0).sum() + 12)
    edges = np.linspace(low, high, math.ceil((high - low) / (2 * s)) + 1)  # no peak is missed
    least = min(free_energy(u) for u in edges)
    total = sum(
        quad(lambda u: math.exp(least - free_energy(u)), *part, epsabs=1e-14, epsrel=1e-12)[0]
        for part in itertools.pairwise(edges)
    )
    return least - free_energy(v[i]) - math.log(total)


def exact_conditional(W, c, d, i):
    """log p(d_i | d without i) of deviations d in fractions, by components: nothing is rounded.

    Given the other units, state h has the log-weight ``h (c + W^T d - W_i d_i) + m^2 / 2`` and
    the mean ``m = h W_i``. Only differences from the largest logarithm become floats.
    """
    weights, biases, row = ([Fraction(float(a)) for a in np.ravel(b)] for b in (W, c, d))
    n_hidden = len(biases)
    rest = [
        biases[j] + sum(weights[k * n_hidden + j] * row[k] for k in range(len(row)) if k != i)
        for j in range(n_hidden)
    ]
    own = weights[i * n_hidden : (i + 1) * n_hidden]
    log_weights, log_densities = [], []
    for h in itertools.product([0, 1], repeat=n_hidden):
        mean = sum((w for w, on in zip(own, h, strict=True) if on), Fraction(0))
        log_weight = sum((x for x, on in zip(rest, h, strict=True) if on), mean**2 / 2)
        log_weights.append(log_weight)
        log_densities.append(log_weight - (row[i] - mean) ** 2 / 2)
    largest, most = max(log_densities), max(log_weights)
    return (
        float(largest - most)
        + logsumexp([float(x - largest) for x in log_densities])
        - logsumexp([float(x - most) for x in log_weights])
        - 0.5 * math.log(2 * math.pi)
    )


def trapezoid_conditional(W, x, d, i, spacing=0.5):
    """The twin of the kernel: all nodes of the mixture, none left out, one at a time."""
    low = sum(min(w, 0) for w in W[i]) - 12
    high = sum(max(w, 0) for w in W[i]) + 12
    logs = []
    for k in range(math.ceil((high - low) / spacing) + 1):
        u = low + k * spacing - d[i]
        terms = [
            np.logaddexp(0, xj + w * u) - np.logaddexp(0, xj) if xj < math.inf else w * u
            for xj, w in zip(x, W[i], strict=True)
        ]
        logs.append(math.fsum(terms) - u * (d[i] + u / 2))
    return -logsumexp(logs) - math.log(spacing)


def rule_error(n, variance, spread, most_slope, n_terms=400):
    """Bound of the relative error of Gauss and Hermite's rule of n nodes, by Hermite polynomials.

    The integrand is ``E_X exp(-u^2 / 2 + X u)`` at ``u = s x``. In ``He_k(x)`` the coefficient of
    one X is ``exp(X^2 / 2) rho^(k/2) He_k(X / (s sqrt(rho))) / k!``, ``rho = 1 - 1 / s^2``, times
    the weight of the rule. Cramer's ``|He_k(y)| <= 1.0865 sqrt(k!) exp(y^2 / 4)`` bounds it. The
    rule is exact for ``k < 2 n`` and odd k; for others, the rule itself is computed.
    """
    x, w = np.polynomial.hermite_e.hermegauss(n)
    w, rho = w / w.sum(), 1 - 1 / variance
    last, current = np.ones(n), x  # He_k / sqrt(k!)
    total = 1.55 * rho ** (n_terms / 2) / (1 - rho)  # all terms beyond, by the same inequality
    for k in range(2, n_terms):
        last, current = current, (x * current - math.sqrt(k - 1) * last) / math.sqrt(k)
        if k >= 2 * n and k % 2 == 0:
            total += abs(w @ current) * rho ** (k / 2)
    # E exp(a X^2 / 2), over exp(m^2 / 2), which is at most E exp(X^2 / 2).
    a = 1 + 1 / (2 * (variance - 1))
    left = 1 - a * spread
    assert left > 0
    growth = 0.5 * most_slope**2 * (a / left - 1)
    return 1.0865 * total * math.exp(growth) / math.sqrt(left)


class EnumeratedGaussianRBM:
    """A machine of real-valued visible units as a mixture with one component per hidden state.

    Parameters
    ----------
    W : ndarray of shape (D, M)
    b : ndarray of shape (D,)
    c : ndarray of shape (M,)
    variance : ndarray of shape (D,)
    """

    def __init__(self, W, b, c, variance):
        arrays = (np.array(a, dtype=float) for a in (W, b, c, variance))
        self.W, self.b, self.c, self.variance = arrays
        self.s = np.sqrt(self.variance)
        self.h_states = states(len(self.c))
        self.means = np.array([self.b + self.s * (self.W @ h) for h in self.h_states])
        log_weights = [self.log_mass(h) for h in self.h_states]
        self.log_z = logsumexp(log_weights)
        self.log_p_h = np.array(log_weights) - self.log_z
        self.p_h = np.exp(self.log_p_h)

    def log_mass(self, h):
        """Log of the integral of exp(-E(v, h)) over v."""
        theta = self.b + self.s * (self.W @ h)
        own = 0.5 * np.log(2 * math.pi * self.variance)
        return self.c @ h + (own + (theta**2 - self.b**2) / (2 * self.variance)).sum()

    def energy(self, v, h):
        """The energy of one pair of rows, term by term."""
        total = 0.0
        for i in range(len(self.b)):
            total += (v[i] - self.b[i]) ** 2 / (2 * self.variance[i])
        for j in range(len(self.c)):
            total -= self.c[j] * h[j]
        for i, j in itertools.product(range(len(self.b)), range(len(self.c))):
            total -= v[i] / math.sqrt(self.variance[i]) * self.W[i, j] * h[j]
        return total

    def free_energy(self, v):
        """-log of the sum over hidden states."""
        return -logsumexp([-self.energy(v, h) for h in self.h_states])

    def hidden_posterior(self, v):
        """p(h | v) over all hidden states."""
        return np.exp([self.free_energy(v) - self.energy(v, h) for h in self.h_states])

    def hidden_mean(self, v):
        """p(h_j = 1 | v)."""
        return self.hidden_posterior(v) @ self.h_states

    def visible_mean(self, h):
        """E[v | h]."""
        return self.b + self.s * (self.W @ h)

    def log_density(self, v, units=slice(None)):
        """Log p of some of the units of a row, as a mixture: no energy and no Z."""
        parts = norm.logpdf(v[units], self.means[:, units], self.s[units]).sum(axis=1)
        return logsumexp(self.log_p_h + parts)

    def log_likelihood(self, V):
        """Summed log p(v) of rows, by free energies."""
        return sum(-self.free_energy(v) - self.log_z for v in V)

    def pseudo_likelihood(self, v):
        """sum_i log p(v_i | v without i) by quadrature of exp(-F)."""
        arrays = self.W, self.b, self.c, self.variance
        return sum(conditional_density(*arrays, v, i) for i in range(len(v)))

    def pseudo_likelihood_of_mixture(self, v):
        """The same in closed form: the density over that of the other units."""
        units = np.arange(len(v))
        return sum(self.log_density(v) - self.log_density(v, units != i) for i in units)

    def mean(self):
        """E[v]."""
        return self.p_h @ self.means

    def covariance(self):
        """Covariance of v: between the components and within them."""
        centred = self.means - self.mean()
        return centred.T @ (self.p_h[:, np.newaxis] * centred) + np.diag(self.variance)

    def distribution(self, direction):
        """The distribution function of the projection of v on a vector."""
        width = math.sqrt(direction**2 @ self.variance)
        return lambda t: (
            self.p_h @ norm.cdf(np.subtract.outer(t, self.means @ direction) / width).T
        )

    def draw(self, rng, n):
        """Exact draws: a component, then a normal row."""
        component = rng.choice(len(self.p_h), size=n, p=self.p_h)
        return self.means[component] + self.s * rng.normal(size=(n, len(self.b)))

    def sigma_points(self):
        """Rows (v, h) and weights with the model's expectation of all of second order in v."""
        n_visible = len(self.b)
        offsets = math.sqrt(n_visible) * np.vstack([np.diag(self.s), -np.diag(self.s)])
        v = (self.means[:, np.newaxis] + offsets).reshape(-1, n_visible)
        h = np.repeat(self.h_states, 2 * n_visible, axis=0)
        return v, h, np.repeat(self.p_h, 2 * n_visible) / (2 * n_visible)

    def derivatives(self, v, h):
        """The derivatives of -E(v, h) by (W, c, b, log variance)."""
        own = (v - self.b) ** 2 / (2 * self.variance)
        interaction = v / (2 * self.s) * (self.W @ h)
        return np.outer(v / self.s, h), h, (v - self.b) / self.variance, own - interaction

    def gradient(self, V):
        """Exact gradient of the mean log-likelihood with respect to (W, c, b, log variance)."""
        blocks = [np.zeros_like(a) for a in (self.W, self.c, self.b, self.variance)]

        def add(v, h, weight):
            for block, derivative in zip(blocks, self.derivatives(v, h), strict=True):
                block += weight * derivative

        for v in V:
            for h, p in zip(self.h_states, self.hidden_posterior(v), strict=True):
                add(v, h, p / len(V))
        for v, h, p in zip(*self.sigma_points(), strict=True):
            add(v, h, -p)
        return blocks


# --- learning, one number at a time -----------------------------------------------------------


class GaussianUnits:
    """Real-valued units for ``training.train``; ``log_ratio=None`` keeps the variance."""

    def __init__(self, b, variance, log_ratio=None):
        self.reference = np.array(variance, dtype=float)
        learned = [] if log_ratio is None else [log_ratio]
        self.parameters = [np.array(a, dtype=float) for a in (b, *learned)]

    @property
    def variance(self):
        """``s^2``."""
        return self.reference * np.exp(self.parameters[1] if len(self.parameters) > 1 else 0.0)

    @property
    def scale(self):
        """What an input is times in the unit of the bias."""
        return np.sqrt(self.variance)

    def features(self, v):
        """What meets the weights."""
        return v / np.sqrt(self.variance)

    def mean(self, inputs):
        """E[v | h]."""
        return self.parameters[0] + np.sqrt(self.variance) * inputs

    def draw(self, inputs, seed, update, purpose):
        """A draw from p(v | h)."""
        z = normal(*inputs.shape, seed, update, purpose)
        return self.mean(inputs) + np.sqrt(self.variance) * z

    def statistics(self, v, h, W):
        """Mean over rows of the derivative of -E(v, h) by each parameter."""
        own = ((v - self.parameters[0]) ** 2).sum(axis=0) / len(v) / (2 * self.variance)
        interaction = (v * (h @ W.T)).sum(axis=0) / len(v) / (2 * np.sqrt(self.variance))
        bias = (v - self.parameters[0]).sum(axis=0) / len(v) / self.variance
        return [bias, own - interaction][: len(self.parameters)]

    def precondition(self, gradient):
        """Bounded, and free of units."""
        W, c, b, *log_ratio = gradient
        W = W.copy()
        for j in range(W.shape[1]):
            length = math.sqrt(sum(w**2 for w in W[:, j]))
            W[:, j] *= min(1, math.sqrt(len(W)) / length)
        clipped = [np.array([min(max(g, -1), 1) for g in part]) for part in log_ratio]
        return [W, c, b * self.variance, *clipped]

    def constrain(self):
        """The variance stays above a thousandth of the reference."""
        if len(self.parameters) > 1:
            self.parameters[1] = np.maximum(self.parameters[1], math.log(0.001))
