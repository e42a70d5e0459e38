"""The formulas of docs/guide/gaussian.rst."""

from itertools import pairwise
from math import exp, log, pi, sqrt

import numpy as np
from scipy.integrate import quad

from ..helpers.calls import weighted_gradient
from .quoting import Page, roughly, same, slope

page = Page("gaussian")


def squares(m, v):
    return sum((v[i] - m.b[i]) ** 2 / (2 * m.s[i] ** 2) for i in m.I)


def energy(m, v, h):
    hidden = sum(m.c[j] * h[j] for j in m.J)
    return squares(m, v) - hidden - sum(v[i] / m.s[i] * m.W[i, j] * h[j] for i in m.I for j in m.J)


def x(m, v, j):
    return m.c[j] + sum(v[i] / m.s[i] * m.W[i, j] for i in m.I)


def sigma(x):
    return 1 / (1 + exp(-x))


def mean(m, h, i):
    return m.b[i] + m.s[i] * sum(m.W[i, j] * h[j] for j in m.J)


def p_given_hidden(m, v, h, i):
    variance = m.s[i] ** 2
    return exp(-((v[i] - mean(m, h, i)) ** 2) / (2 * variance)) / sqrt(2 * pi * variance)


def mass(m, h):
    """p(h) Z."""
    total = sum(m.c[j] * h[j] for j in m.J)
    for i in m.I:
        t = sum(m.W[i, j] * h[j] for j in m.J)
        total += 0.5 * log(2 * pi * m.s[i] ** 2) + m.b[i] / m.s[i] * t + 0.5 * t**2
    return exp(total)


def f(m, v, i, u):
    factors = 1.0
    for j in m.J:
        others = x(m, v, j) - v[i] / m.s[i] * m.W[i, j]
        factors *= 1 + exp(others + m.W[i, j] * u / m.s[i])
    return exp(-((u - m.b[i]) ** 2) / (2 * m.s[i] ** 2)) * factors


def log_conditional(m, v, i):
    """In pieces of a width of the noise, over all that has mass."""
    reach = m.s[i] * (12 + sum(abs(m.W[i])))
    edges = np.arange(m.b[i] - reach, m.b[i] + reach + m.s[i], m.s[i])
    total = sum(quad(lambda u: f(m, v, i, u), *piece)[0] for piece in pairwise(edges))
    return log(f(m, v, i, v[i]) / total)


def energy_of(m, v, h):
    return lambda: m.rbm.energy([v], [h])[0]


def pairs(m):
    return [(v, h) for v, h in zip(m.V, m.H[::2], strict=False)]


@page.says(
    r"""E(v, h) = \sum_i \frac{(v_i - b_i)^2}{2 s_i^2} - \sum_j c_j h_j
    - \sum_i \sum_j \frac{v_i}{s_i} W_{ij} h_j"""
)
def _(m):
    for h in m.H:
        same(m.rbm.energy(m.V, [h] * len(m.V)), [energy(m, v, h) for v in m.V])


@page.says(r"p(v, h) = \frac{e^{-E(v, h)}}{Z}, \qquad Z = \sum_h \int e^{-E(v, h)} \, dv")
def _(m):
    Z = sum(mass(m, h) for h in m.H)
    log_p = [log(sum(exp(-energy(m, v, h)) / Z for h in m.H)) for v in m.V]
    same(m.rbm.log_likelihood(m.V), log_p)


@page.says(
    r"""x_j(v) = c_j + \sum_i \frac{v_i}{s_i} W_{ij}, \qquad
    p(h_j = 1 \mid v) = \sigma\big(x_j(v)\big)"""
)
def _(m):
    same(m.rbm.transform(m.V), [[sigma(x(m, v, j)) for j in m.J] for v in m.V])


@page.says(
    r"""m_i(h) = b_i + s_i \sum_j W_{ij} h_j, \qquad
    p(v_i \mid h) = \frac{1}{\sqrt{2 \pi s_i^2}}
    \exp\Big({-\frac{(v_i - m_i(h))^2}{2 s_i^2}}\Big)"""
)
def _(m):
    same(m.rbm.inverse_transform(m.H), [[mean(m, h, i) for i in m.I] for h in m.H])
    for v, h in pairs(m):  # p(v | h) is p(v, h) / p(h)
        joint = -m.rbm.energy([v], [h])[0] - m.rbm.log_partition("exact").value
        p = mass(m, h) / sum(mass(m, h) for h in m.H)
        same(log(np.prod([p_given_hidden(m, v, h, i) for i in m.I])), joint - log(p))


@page.says(r"p(v) = \sum_h p(h) \prod_i p(v_i \mid h)")
def _(m):
    p_h = np.array([mass(m, h) for h in m.H])
    p_h /= p_h.sum()
    for v, log_p in zip(m.V, m.rbm.log_likelihood(m.V), strict=True):
        parts = [np.prod([p_given_hidden(m, v, h, i) for i in m.I]) for h in m.H]
        same(log_p, log(sum(p_h * parts)))


@page.says(
    r"""p(h) = \frac{1}{Z} \exp\Big(\sum_j c_j h_j + \sum_i \Big[ \tfrac{1}{2} \log(2 \pi s_i^2)
    + \frac{b_i}{s_i} t_i(h) + \tfrac{1}{2} t_i(h)^2 \Big]\Big)"""
)
def _(m):
    """The masses add up to Z, and each is an integral of exp(-E): of one over all features."""
    same(m.rbm.log_partition("exact").value, log(sum(mass(m, h) for h in m.H)))
    for v, h in pairs(m):
        conditional = sum(log(p_given_hidden(m, v, h, i)) for i in m.I)
        same(log(mass(m, h)), -m.rbm.energy([v], [h])[0] - conditional)


@page.says(
    r"""F(v) = \sum_i \frac{(v_i - b_i)^2}{2 s_i^2} - \sum_j \log\big(1 + e^{x_j(v)}\big), \qquad
    \log p(v) = -F(v) - \log Z"""
)
def _(m):
    F = [squares(m, v) - sum(log(1 + exp(x(m, v, j))) for j in m.J) for v in m.V]
    same(m.rbm.free_energy(m.V), F)
    same(m.rbm.log_likelihood(m.V), -np.array(F) - log(sum(mass(m, h) for h in m.H)))


@page.says(
    r"""f_i(u) = \exp\Big({-\frac{(u - b_i)^2}{2 s_i^2}}\Big)
    \prod_j \Big(1 + e^{x_j^{-i} + W_{ij} u / s_i}\Big), \qquad
    p(v_i \mid v_{-i}) = \frac{f_i(v_i)}{\int f_i(u) \, du}"""
)
def _(m):
    """Up to a factor it is the density of rows that differ in this entry."""
    for i in m.I:
        v = m.V[0]
        rows = np.tile(v, (5, 1))
        rows[:, i] = m.V[:5, i]
        ratios = [log(f(m, v, i, row[i]) / f(m, v, i, v[i])) for row in rows]
        F = m.rbm.free_energy(rows)
        same(F[0] - F, ratios)


@page.says(r"\log \mathrm{PL}(v) = \sum_i \log p(v_i \mid v_{-i})")
def _(m):
    log_pl = [sum(log_conditional(m, v, i) for i in m.I) for v in m.V[:2]]
    roughly(m.rbm.score_samples(m.V[:2]), log_pl)


@page.says(
    r"""-\frac{\partial E}{\partial W_{ij}} = \frac{v_i}{s_i} h_j, \qquad
    -\frac{\partial E}{\partial c_j} = h_j, \qquad
    -\frac{\partial E}{\partial b_i} = \frac{v_i - b_i}{s_i^2}"""
)
def _(m):
    for v, h in pairs(m):
        W = [[v[i] / m.s[i] * h[j] for j in m.J] for i in m.I]
        b = [(v[i] - m.b[i]) / m.s[i] ** 2 for i in m.I]
        gradient = weighted_gradient(m.model, v[np.newaxis], h[np.newaxis], np.ones(1))
        for returned, written in zip(gradient, (W, h, b), strict=False):
            same(returned, written)
        E = energy_of(m, v, h)
        for i in m.I:
            roughly(-slope(m.rbm, "intercept_visible_", i, E), b[i])
            roughly(-slope(m.rbm, "components_", (1, i), E), W[i][1])
        roughly([-slope(m.rbm, "intercept_hidden_", j, E) for j in m.J], h)


@page.says(
    r"""-\frac{\partial E}{\partial \log s_i^2} = \frac{(v_i - b_i)^2}{2 s_i^2}
    - \frac{v_i}{2 s_i} \sum_j W_{ij} h_j"""
)
def _(m):
    for v, h in pairs(m):
        *_, gradient = weighted_gradient(m.model, v[np.newaxis], h[np.newaxis], np.ones(1))
        for i in m.I:
            own = (v[i] - m.b[i]) ** 2 / (2 * m.s[i] ** 2)
            written = own - v[i] / (2 * m.s[i]) * sum(m.W[i, j] * h[j] for j in m.J)
            moved = slope(m.rbm, "noise_variance_", i, energy_of(m, v, h))
            roughly(-moved * m.s[i] ** 2, written)
            same(gradient[i], written)
