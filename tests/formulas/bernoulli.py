"""The formulas of docs/guide/bernoulli.rst."""

from math import exp, log

import numpy as np

from ..helpers.calls import weighted_gradient
from .quoting import Page, roughly, same, slope

page = Page("bernoulli")


def energy(m, v, h):
    bias = sum(m.b[i] * v[i] for i in m.I) + sum(m.c[j] * h[j] for j in m.J)
    return -bias - sum(v[i] * m.W[i, j] * h[j] for i in m.I for j in m.J)


def x(m, v, j):
    return m.c[j] + sum(v[i] * m.W[i, j] for i in m.I)


def sigma(x):
    return 1 / (1 + exp(-x))


def free_energy(m, v):
    return -sum(m.b[i] * v[i] for i in m.I) - sum(log(1 + exp(x(m, v, j))) for j in m.J)


def log_odds(m, v, i):
    total = m.b[i]
    for j in m.J:
        others = x(m, v, j) - v[i] * m.W[i, j]
        total += log((1 + exp(others + m.W[i, j])) / (1 + exp(others)))
    return total


def p(m):
    """p(v) of all rows, from the table of energies."""
    p = [sum(exp(-energy(m, v, h)) for h in m.H) for v in m.V]
    return np.array(p) / sum(p)


def log_likelihood_of(m, v):
    return lambda: m.rbm.log_likelihood([v])[0]


@page.says(r"E(v, h) = -\sum_i b_i v_i - \sum_j c_j h_j - \sum_i \sum_j v_i W_{ij} h_j")
def _(m):
    for h in m.H:
        same(m.rbm.energy(m.V, [h] * len(m.V)), [energy(m, v, h) for v in m.V])


@page.says(r"p(v, h) = \frac{e^{-E(v, h)}}{Z}, \qquad Z = \sum_v \sum_h e^{-E(v, h)}")
def _(m):
    Z = sum(exp(-energy(m, v, h)) for v in m.V for h in m.H)
    same(m.rbm.log_partition("exact").value, log(Z))
    same(
        m.rbm.log_likelihood(m.V), [log(sum(exp(-energy(m, v, h)) / Z for h in m.H)) for v in m.V]
    )


@page.says(r"x_j(v) = c_j + \sum_i v_i W_{ij}")
def _(m):
    inputs = [[x(m, v, j) for j in m.J] for v in m.V]
    proba = m.rbm.transform(m.V)
    same(np.log(proba / (1 - proba)), inputs)


@page.says(
    r"""p(h_j = 1 \mid v) = \sigma\big(x_j(v)\big), \qquad
    p(v_i = 1 \mid h) = \sigma\Big(b_i + \sum_j W_{ij} h_j\Big), \qquad
    \sigma(x) = \frac{1}{1 + e^{-x}}"""
)
def _(m):
    same(m.rbm.transform(m.V), [[sigma(x(m, v, j)) for j in m.J] for v in m.V])
    means = [[sigma(m.b[i] + sum(m.W[i, j] * h[j] for j in m.J)) for i in m.I] for h in m.H]
    same(m.rbm.inverse_transform(m.H), means)


@page.says(r"\sum_h e^{-E(v, h)} = e^{\sum_i b_i v_i} \prod_j \big(1 + e^{x_j(v)}\big)")
def _(m):
    for v, F in zip(m.V, m.rbm.free_energy(m.V), strict=True):
        factors = np.prod([1 + exp(x(m, v, j)) for j in m.J])
        same(exp(-F), exp(sum(m.b[i] * v[i] for i in m.I)) * factors)
        same(exp(-F), sum(exp(-energy(m, v, h)) for h in m.H))


@page.says(
    r"""F(v) = -\sum_i b_i v_i - \sum_j \log\big(1 + e^{x_j(v)}\big), \qquad
    \log p(v) = -F(v) - \log Z"""
)
def _(m):
    F, log_z = np.array([free_energy(m, v) for v in m.V]), m.rbm.log_partition("exact").value
    same(m.rbm.free_energy(m.V), F)
    same(m.rbm.log_likelihood(m.V), -F - log_z)
    same(-F - log_z, np.log(p(m)))


@page.says(
    r"""\ell_i(v) = b_i + \sum_j \log \frac{1 + e^{x_j^{-i} + W_{ij}}}{1 + e^{x_j^{-i}}}, \qquad
    x_j^{-i} = x_j(v) - v_i W_{ij}, \qquad
    p(v_i = 1 \mid v_{-i}) = \sigma\big(\ell_i(v)\big)"""
)
def _(m):
    for rows in (m.V, m.grey):
        proba = [[sigma(log_odds(m, v, i)) for i in m.I] for v in rows]
        same(m.rbm.conditional_proba(rows), proba)


@page.says(
    r"""\log \mathrm{PL}(v) = \sum_i \Big[ v_i \log \sigma\big(\ell_i(v)\big)
    + (1 - v_i) \log \sigma\big(-\ell_i(v)\big) \Big]"""
)
def _(m):
    def log_pl(v):
        odds = [log_odds(m, v, i) for i in m.I]
        return sum(v[i] * log(sigma(odds[i])) + (1 - v[i]) * log(sigma(-odds[i])) for i in m.I)

    for rows in (m.V, m.grey):
        same(m.rbm.score_samples(rows), [log_pl(v) for v in rows])


@page.says(r"\frac{1 + e^{x_j + W_{ij}}}{1 + e^{x_j}} = 1 + \sigma(x_j) \big(e^{W_{ij}} - 1\big)")
def _(m):
    off = m.V[m.V[:, 0] == 0]
    for v, proba in zip(off, m.rbm.conditional_proba(off), strict=True):
        factors = [1 + sigma(x(m, v, j)) * (exp(m.W[0, j]) - 1) for j in m.J]
        same(log(proba[0] / (1 - proba[0])), m.b[0] + log(np.prod(factors)))


@page.says(
    r"""\frac{\partial \log p(v)}{\partial \theta} = \sum_h p(h \mid v)
    \Big({-\frac{\partial E(v, h)}{\partial \theta}}\Big)
    - \sum_{v'} \sum_h p(v', h) \Big({-\frac{\partial E(v', h)}{\partial \theta}}\Big)"""
)
def _(m):
    """Of each parameter; both sums are what training asks of a machine, too."""
    p_joint = np.array([[exp(-energy(m, v, h)) for h in m.H] for v in m.V])
    p_joint /= p_joint.sum()
    pairs = np.repeat(m.V, len(m.H), axis=0), np.tile(m.H, (len(m.V), 1))
    for k, v in enumerate(m.V[::5]):
        weights = -p_joint
        weights[5 * k] += p_joint[5 * k] / p_joint[5 * k].sum()
        W, c, b = weighted_gradient(m.model, *pairs, weights.ravel())
        log_p = log_likelihood_of(m, v)
        roughly([slope(m.rbm, "intercept_visible_", i, log_p) for i in m.I], b)
        roughly([slope(m.rbm, "intercept_hidden_", j, log_p) for j in m.J], c)
        roughly([[slope(m.rbm, "components_", (j, i), log_p) for j in m.J] for i in m.I], W)


@page.says(
    r"""\frac{\partial \log p(v)}{\partial W_{ij}} = v_i \, \sigma\big(x_j(v)\big)
    - \sum_{v'} p(v') \, v'_i \, \sigma\big(x_j(v')\big)"""
)
def _(m):
    p_v = p(m)
    for i in m.I:
        for j in m.J:
            model = sum(p * v[i] * sigma(x(m, v, j)) for p, v in zip(p_v, m.V, strict=True))
            for v in m.V[::5]:
                moved = slope(m.rbm, "components_", (j, i), log_likelihood_of(m, v))
                roughly(moved, v[i] * sigma(x(m, v, j)) - model)


@page.says(
    r"""\frac{\partial \log p(v)}{\partial b_i} = v_i - \sum_{v'} p(v') \, v'_i, \qquad
    \frac{\partial \log p(v)}{\partial c_j} = \sigma\big(x_j(v)\big)
    - \sum_{v'} p(v') \, \sigma\big(x_j(v')\big)"""
)
def _(m):
    p_v = p(m)
    for v in m.V[::5]:
        log_p = log_likelihood_of(m, v)
        for i in m.I:
            moved = slope(m.rbm, "intercept_visible_", i, log_p)
            roughly(moved, v[i] - sum(p_v * m.V[:, i]))
        for j in m.J:
            model = sum(p * sigma(x(m, row, j)) for p, row in zip(p_v, m.V, strict=True))
            moved = slope(m.rbm, "intercept_hidden_", j, log_p)
            roughly(moved, sigma(x(m, v, j)) - model)
