"""The formulas of the pages on learning, likelihood and sampling."""

from math import exp, inf, log

import numpy as np
from scipy.integrate import quad

from skrbm._machine.tempered import TemperedRBM

from ..helpers.machines import BASE
from . import bernoulli
from .quoting import Page, roughly, same, slope_along

options, likelihood = Page("options"), Page("likelihood")


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
        base = [-(BASE @ v) for v in m.V]
        written = [
            log(sum(exp(-(1 - beta) * e - beta * bernoulli.energy(m, v, h)) for h in m.H)) + e
            for v, e in zip(m.V, base, strict=True)
        ]
        same(tempered.log_density(tempered.hidden_input(m.V), beta), written)
