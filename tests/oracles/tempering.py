"""The slow oracle of tempered chains: the machines between base rates and a model, and learning.

Nothing here is shared with the package. At inverse temperature ``beta`` the energy is
``E_beta(v, h) = (1 - beta) E_base(v) + beta E(v, h)``, with ``base`` the visible bias of
``E_base``.
"""

import math

import numpy as np
from scipy.special import logsumexp
from scipy.stats import norm

from .bernoulli import BinaryUnits, EnumeratedRBM
from .common import bernoulli, random_words, sigmoid, states, uniform
from .gaussian import EnumeratedGaussianRBM, GaussianUnits
from .softmax import EnumeratedSoftmaxRBM
from .training import DATA, updated

# --- the machines in between ------------------------------------------------------------------


def binary_at(beta, W, b, c, base):
    """The enumerated machine of ``E_beta``, of binary units."""
    return EnumeratedRBM(beta * W, (1 - beta) * base + beta * b, beta * c)


def gaussian_at(beta, W, b, c, variance, base):
    """The same of real-valued units: squares around two means are one around their mean."""
    return EnumeratedGaussianRBM(beta * W, (1 - beta) * base + beta * b, beta * c, variance)


def softmax_at(beta, W, b, c, offsets, base, U=None):
    """The same of categories."""
    U = None if U is None else beta * U
    bias = (1 - beta) * base + beta * b
    return EnumeratedSoftmaxRBM(beta * W, bias, beta * c, offsets, U=U)


def log_density(beta, base, model, v):
    """Log of the unnormalised p_beta(v), from the energies of the machines at 0 and at 1."""
    terms = [
        -(1 - beta) * base.energy(v, 0 * h) - beta * model.energy(v, h) for h in model.h_states
    ]
    return logsumexp(terms)


def acceptance(log_p, beta_a, beta_b, v_a, v_b):
    """min(1, p_a(v_b) p_b(v_a) / (p_a(v_a) p_b(v_b))), for ``log_p(beta, v)``."""
    gain = log_p(beta_a, v_b) + log_p(beta_b, v_a) - log_p(beta_a, v_a) - log_p(beta_b, v_b)
    return math.exp(min(gain, 0))


def mean_rejection(base, model, rows, beta_a, beta_b):
    """The share of swaps that are rejected, over independent rows of both temperatures.

    ``rows`` are all that there are.
    """
    log_a, log_b = ([log_density(beta, base, model, v) for v in rows] for beta in (beta_a, beta_b))
    p_a, p_b = (np.exp(np.array(log_p) - logsumexp(log_p)) for log_p in (log_a, log_b))
    total = 0.0
    for i in range(len(rows)):
        for j in range(len(rows)):
            gain = log_a[j] + log_b[i] - log_a[i] - log_b[j]
            total += p_a[i] * p_b[j] * (1 - math.exp(min(gain, 0)))
    return total


# --- what is unknown, given what is known -----------------------------------------------------


def binary_completions(oracle, v):
    """The rows that agree with a row, NaN where unknown, and p(v_unknown | v_known) of each.

    What is known may be grey.
    """
    rows = []
    for state in states(int(np.isnan(v).sum())):
        row = v.copy()
        row[np.isnan(v)] = state
        rows.append(row)
    log_p = np.array([-oracle.free_energy(row) for row in rows])
    return np.array(rows), np.exp(log_p - logsumexp(log_p))


def hidden_given_known(oracle, v):
    """p(h | v_known) of a Gaussian machine over its hidden states; NaN where unknown."""
    known = ~np.isnan(v)
    parts = norm.logpdf(v[known], oracle.means[:, known], oracle.s[known]).sum(axis=1)
    return np.exp(oracle.log_p_h + parts - logsumexp(oracle.log_p_h + parts))


def softmax_completions(oracle, codes):
    """The complete rows that agree with the codes of a row, and the probability of each."""
    rows, joint = oracle.table()
    agrees = [set(codes) <= set(row) for row in rows]
    p = joint.sum(axis=1)[agrees]
    return [row for row, yes in zip(rows, agrees, strict=True) if yes], p / p.sum()


def category_proba(oracle, codes):
    """p(v_q = k | v_known) of every code, shape (C,), all features being there."""
    out = np.zeros(len(oracle.b))
    for row, p in zip(*softmax_completions(oracle, codes), strict=True):
        for code in row:
            out[code] += p
    return out


# --- learning, one number at a time -----------------------------------------------------------


class Bits(BinaryUnits):
    """Binary units that have an energy."""

    def energy(self, v, b):
        """``E_vis(v)`` of one row if the bias is b."""
        return -sum(v_i * b_i for v_i, b_i in zip(v, b, strict=False))

    def shift(self, base):
        """The input that does what another bias would do."""
        return base - self.parameters[0]


class Reals(GaussianUnits):
    """Real-valued units that have an energy."""

    def energy(self, v, b):
        """``E_vis(v)`` of one row if the bias is b."""
        return ((v - b) ** 2 / (2 * self.variance)).sum()

    def shift(self, base):
        """The input that does what another bias would do."""
        return (base - self.parameters[0]) / np.sqrt(self.variance)


class OneHot(Bits):
    """Complete rows of categories as zeros and ones.

    In a conditional machine a column of ones per feature follows, whose weights, below those of
    the categories, are ``U``.
    """

    def __init__(self, b, sizes, conditional):
        super().__init__(b)
        self.parts = np.cumsum([0, *sizes])
        self.n_ones = len(sizes) if conditional else 0

    def rows(self, rows):
        """One-hot rows of rows of codes."""
        out = np.zeros((len(rows), len(self.parameters[0]) + self.n_ones))
        out[:, len(self.parameters[0]) :] = 1
        for r, row in enumerate(rows):
            out[r, list(row)] = 1
        return out

    def shift(self, base):
        """The input that does what another bias would do."""
        return np.pad(super().shift(base), (0, self.n_ones))

    def mean(self, inputs):
        """p(v | h)."""
        out = self.rows([()] * len(inputs))
        for first, stop in zip(self.parts[:-1], self.parts[1:], strict=True):
            e = np.exp(inputs[:, first:stop] + self.parameters[0][first:stop])
            out[:, first:stop] = e / e.sum(axis=1, keepdims=True)
        return out

    def draw(self, inputs, seed, update, purpose):
        """A draw from p(v | h): feature i with word i of its row."""
        rows = []
        for r, p in enumerate(self.mean(inputs)):
            words = random_words(seed, update, purpose, r, len(self.parts) - 1)
            row = []
            for i, word in enumerate(words):
                code, cumulative = self.parts[i], p[self.parts[i]]
                while cumulative <= uniform(word, np.float64) and code < self.parts[i + 1] - 1:
                    code += 1
                    cumulative += p[code]
                row.append(code)
            rows.append(row)
        return self.rows(rows)

    def statistics(self, v, h, W):
        """Mean over rows of the derivative of -E(v, h) by the bias."""
        return [v[:, : len(self.parameters[0])].mean(axis=0)]


def exchanged(v, betas, parity, log_p, seed, update, purpose):
    """Rows after an exchange of every second pair of temperatures, each chain by itself.

    Temperature by temperature, the rows of all chains; so are the random numbers: those of all
    chains for the first pair, then those for the next.
    """
    v, n_chains = v.copy(), len(v) // len(betas)
    pairs = [
        (t, t * n_chains + i, (t + 1) * n_chains + i)
        for t in range(parity % 2, len(betas) - 1, 2)
        for i in range(n_chains)
    ]
    p = [acceptance(log_p, betas[t], betas[t + 1], v[r], v[s]) for t, r, s in pairs]
    accepted = bernoulli(np.array([p]), seed, update, purpose)[0]
    for yes, (_, r, s) in zip(accepted, pairs, strict=True):
        if yes:
            v[[r, s]] = v[[s, r]]
    return v


def train_tempered(
    V,
    W,
    c,
    units,
    *,
    base,
    seed,
    n_temperatures,
    n_chains,
    batch_size,
    learning_rate,
    n_steps=1,
    momentum=0.0,
    weight_decay=0.0,
    l1_penalty=0.0,
    means=False,
    bits=False,
    center=None,
):
    """One epoch of parallel tempering in plain loops; returns W, c and the hidden chains.

    ``units`` and ``center`` are changed. Of Gibbs step k, purpose 2^17 + 3k is the visible draw,
    the next one the exchange, and the one after that the hidden draw, which counts one unit more,
    always on, after the others.
    """
    W, c = (np.array(a, dtype=float) for a in (W, c))
    betas = [1 - t / (n_temperatures - 1) for t in range(n_temperatures)]
    beta = np.repeat(betas, n_chains)[:, np.newaxis]
    chains = np.zeros((len(beta), len(c)))
    steps = [np.zeros_like(a) for a in (W, c, *units.parameters)]

    def hidden_input(v):
        return units.features(v) @ W + c

    def log_p(beta, row):
        x = hidden_input(row[np.newaxis])[0]
        visible = (1 - beta) * units.energy(row, base) + beta * units.energy(
            row, units.parameters[0]
        )
        return logsumexp([beta * (h @ x) for h in states(len(c))]) - visible

    for update, first in enumerate(range(0, len(V), batch_size)):
        for k in range(n_steps):
            inputs = beta * (chains @ W.T) + (1 - beta) * units.shift(base)
            v = units.draw(inputs, seed, update, 2**17 + 3 * k)
            v_neg = units.mean(inputs[:n_chains]) if means else v[:n_chains]
            v = exchanged(v, betas, update * n_steps + k, log_p, seed, update, 2**17 + 3 * k + 1)
            p = np.vectorize(sigmoid)(beta * hidden_input(v))
            p = np.column_stack([p, np.ones(len(p))])
            chains = bernoulli(p, seed, update, 2**17 + 3 * k + 2)[:, :-1]
        v_pos = V[first : first + batch_size]
        v_pos = bernoulli(v_pos, seed, update, DATA) if bits else v_pos
        phases = [(v, np.vectorize(sigmoid)(hidden_input(v))) for v in (v_pos, v_neg)]
        rates = learning_rate, momentum, weight_decay, l1_penalty
        W, c, steps = updated(phases, W, c, units, steps, rates, center)
    return W, c, chains.reshape(n_temperatures, n_chains, -1)
