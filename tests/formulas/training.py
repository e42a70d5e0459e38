"""The formulas of the pages on learning, likelihood and sampling."""

from itertools import pairwise
from math import ceil, erf, exp, inf, log, pi, sqrt

import numpy as np
from scipy.integrate import quad

from skrbm._inference.partition import increments
from skrbm._inference.temperatures import placed
from skrbm._machine.keys import Purpose
from skrbm._machine.tempered import TemperedRBM

from ..helpers.machines import BASE
from . import bernoulli
from .quoting import Page, roughly, same, slope_along

options, likelihood, scores = Page("options"), Page("likelihood"), Page("score_samples")


@options.says(
    r"""\frac{\partial \log p}{\partial W_{ij}} =
    \big\langle (\phi_i - \mu_i)(h_j - \lambda_j) \big\rangle_{data}
    - \big\langle (\phi_i - \mu_i)(h_j - \lambda_j) \big\rangle_{model}, \qquad
    b = b' - s\, W \lambda, \qquad c = c' - \mu W""",
    case="bernoulli",
)
def _(m):
    """With a step of W at fixed b' and c', b and c move by what the last two say."""
    mu, means = np.linspace(0.1, 0.9, len(m.b)), np.linspace(0.2, 0.7, len(m.c))
    v, p_v = m.V[6], bernoulli.p(m)

    def centred(row, i, j):
        return (row[i] - mu[i]) * (bernoulli.sigma(bernoulli.x(m, row, j)) - means[j])

    for i in m.I:
        for j in m.J:
            moves = {
                "components_": ((j, i), 1),
                "intercept_visible_": (i, -means[j]),
                "intercept_hidden_": (j, -mu[i]),
            }
            model = sum(p * centred(row, i, j) for p, row in zip(p_v, m.V, strict=True))
            moved = slope_along(m.rbm, moves, bernoulli.log_likelihood_of(m, v))
            roughly(moved, centred(v, i, j) - model)


def log_sum(m, log_integral):
    """log Z from A_i(t), a function of i and t."""
    total = 0.0
    for h in m.H:
        inputs = [sum(m.W[i, j] * h[j] for j in m.J) for i in m.I]
        total += exp(m.c @ h + sum(log_integral(i, t) for i, t in enumerate(inputs)))
    return log(total)


@likelihood.says(r"A_i(t) = \log(1 + e^{b_i + t})", case="bernoulli")
def _(m):
    of_bits = log_sum(m, lambda i, t: log(1 + exp(m.b[i] + t)))
    same(m.rbm.log_partition("exact").value, of_bits)


@likelihood.says(
    r"""\log Z = \log \sum_h \exp\Big(c \cdot h
    + \sum_i A_i\big(\textstyle\sum_j W_{ij} h_j\big)\Big), \qquad
    A_i(t) = \log \int e^{-E_i(v_i) + t\, \phi(v_i)}\, dv_i""",
    case="gaussian",
)
def _(m):
    def log_integral(i, t):
        def mass(v):
            return exp(-((v - m.b[i]) ** 2) / (2 * m.s[i] ** 2) + t * v / m.s[i])

        return log(quad(mass, -inf, inf)[0])

    roughly(m.rbm.log_partition("exact").value, log_sum(m, log_integral))


@likelihood.says(r"(1 - \beta) E_{base} + \beta E", case="bernoulli")
def _(m):
    """Summed over hidden states, and without the energy of base rates, as chains take it."""
    tempered = TemperedRBM(m.model, BASE)
    for beta in (0.0, 0.3, 1.0):
        written = [log_density(m, v, beta) - BASE @ v for v in m.V]
        same(tempered.log_density(tempered.hidden_input(m.V), beta), written)


@likelihood.says(
    r"\log p(v) = -F(v) - \log Z, \qquad F(v) = -\log \sum_h e^{-E(v, h)}", case="bernoulli"
)
def _(m):
    F = [-log(sum(exp(-bernoulli.energy(m, v, h)) for h in m.H)) for v in m.V]
    same(m.rbm.free_energy(m.V), F)
    log_z = log(sum(np.exp(np.negative(F))))
    same(m.rbm.log_likelihood(m.V), np.negative(F) - log_z)


def log_density(m, v, beta):
    """Logarithm of p*_beta(v)."""
    base = -(BASE @ v)
    energies = [(1 - beta) * base + beta * bernoulli.energy(m, v, h) for h in m.H]
    return log(sum(np.exp(np.negative(energies))))


@likelihood.says(
    r"""w = \prod_{k=1}^K \frac{p^*_{\beta_k}(v_{k-1})}{p^*_{\beta_{k-1}}(v_{k-1})}, \qquad
    \langle w \rangle = \frac{Z_{\beta_K}}{Z_{\beta_0}}""",
    case="bernoulli",
)
def _(m):
    """Each factor along chains; and the mean, where one factor leads from 0 to 1."""
    tempered, betas, rows = TemperedRBM(m.model, BASE), np.array([0.0, 0.2, 0.7, 1.0]), m.V.copy()
    steps = increments(tempered, rows, betas, np.uint64(1))
    for (last, beta), step in zip(pairwise(betas), steps, strict=True):  # rows move after it
        same(step, [log_density(m, v, beta) - log_density(m, v, last) for v in rows])
    log_base = np.array([log_density(m, v, 0.0) for v in m.V])
    w = np.exp(next(increments(tempered, m.V.copy(), np.array([0.0, 1.0]), np.uint64(1))))
    mean = sum(w * np.exp(log_base)) / sum(np.exp(log_base))
    Z = exp(m.rbm.log_partition("exact").value)
    same(mean, Z / sum(np.exp(log_base)))


@likelihood.says(
    r"""\min\Big(1,\; \frac{p_\beta(v')\, p_{\beta'}(v)}{p_\beta(v)\, p_{\beta'}(v')}\Big)""",
    case="bernoulli",
)
def _(m):
    """The share of swaps of one pair of rows, within five standard errors."""
    tempered, betas, n = TemperedRBM(m.model, BASE), np.array([1.0, 0.4]), 4000
    for v, other in zip(m.V[:4], m.V[9:13], strict=True):
        crossed = log_density(m, other, betas[0]) + log_density(m, v, betas[1])
        straight = log_density(m, v, betas[0]) + log_density(m, other, betas[1])
        p = min(1, exp(crossed - straight))
        t = tempered.hidden_input(np.repeat([v, other], n, axis=0))
        swapped = tempered.swapped(t, betas, 0, Purpose.CHAIN_SWAP.key(np.uint64(1), 0))[:n]
        share = (swapped == t[n]).all(axis=1).mean()
        assert abs(share - p) <= 5 * sqrt(p * (1 - p) / n)


@likelihood.says(
    r"""\Lambda = \sum_k d(r_k), \qquad d(r) = \frac{2}{\sqrt{\pi}}\, \mathrm{erf}^{-1}(r), \qquad
    n_{\mathrm{temperatures}} = 1 + \Big\lceil \frac{\Lambda}{d(1/2)} \Big\rceil""",
    case="bernoulli",
)
def _(m):
    def distance(r):
        """The place where the error function is r, by bisection."""
        low, high = 0.0, 10.0
        for _ in range(100):
            middle = (low + high) / 2
            low, high = (middle, high) if erf(middle) < r else (low, middle)
        return 2 / sqrt(pi) * low

    rejected = [0.3, 0.8, 0.55, 0.1]
    total = sum(distance(r) for r in rejected)
    betas, returned = placed(np.linspace(0, 1, 5), np.array(rejected))
    same(returned, total)
    assert len(betas) == 1 + ceil(total / distance(0.5))


@scores.says(r"\log \mathrm{PL}(v) = \sum_i \log p(v_i \mid v_{-i})", case="bernoulli")
def _(m):
    """From the table of all rows: p(v) over the sum of p of the two rows that differ in i."""
    p = dict(zip(map(tuple, m.V), bernoulli.p(m), strict=True))

    def flipped(v, i):
        return tuple(1 - v[k] if k == i else v[k] for k in m.I)

    log_pl = [sum(log(p[tuple(v)] / (p[tuple(v)] + p[flipped(v, i)])) for i in m.I) for v in m.V]
    same(m.rbm.score_samples(m.V), log_pl)
