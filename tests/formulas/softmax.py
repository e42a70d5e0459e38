"""The formulas of docs/guide/softmax.rst. A row is a list of categories, None where missing."""

from itertools import pairwise
from math import exp, log

import numpy as np

from skrbm import BernoulliRBM, SoftmaxRBM

from ..helpers.calls import weighted_gradient
from .quoting import Page, roughly, same, slope

page = Page("softmax")


def observed(v):
    return [i for i in range(len(v)) if v[i] is not None]


def energy(m, v, h):
    total = -sum(m.b[i][v[i]] for i in observed(v)) - sum(m.c[j] * h[j] for j in m.J)
    return total - sum(m.W[i][v[i], j] * h[j] for i in observed(v) for j in m.J)


def x(m, v, j):
    return m.c[j] + sum(m.W[i][v[i], j] for i in observed(v))


def sigma(x):
    return 1 / (1 + exp(-x))


def free_energy(m, v):
    bias = sum(m.b[i][v[i]] for i in observed(v))
    return -bias - sum(log(1 + exp(x(m, v, j))) for j in m.J)


def without(v, q):
    return [None if i == q else k for i, k in enumerate(v)]


def shares(a):
    return np.array(a) / sum(a)


def proba(m, v, q):
    """p(v_q = k) of all categories k."""
    inputs = [x(m, without(v, q), j) for j in m.J]
    return shares([a(m, inputs, q, k) for k in range(len(m.b[q]))])


def a(m, inputs, q, k):
    return exp(m.b[q][k]) * np.prod([1 + exp(inputs[j] + m.W[q][k, j]) for j in m.J])


@page.says(
    r"""E(v, h) = -\sum_{i \in O(v)} b_{i v_i} - \sum_j c_j h_j
    - \sum_{i \in O(v)} \sum_j W_{i v_i j} h_j"""
)
def _(m):
    for h in m.H:
        energies = m.rbm.energy(m.dense(m.V), [h] * len(m.V))
        same(energies, [energy(m, v, h) for v in m.V])


@page.says(
    r"""p(v, h) = \frac{e^{-E(v, h)}}{Z_{O(v)}}, \qquad
    Z_O = \sum_{v : O(v) = O} \sum_h e^{-E(v, h)}"""
)
def _(m):
    """Of complete rows by their likelihood; of others by the odds of two that observe the same."""
    masses = [sum(exp(-energy(m, v, h)) for h in m.H) for v in m.complete]
    same(m.rbm.log_partition("exact").value, log(sum(masses)))
    same(m.rbm.log_likelihood(m.dense(m.complete)), np.log(shares(masses)))


@page.says(
    r"""x_j(v) = c_j + \sum_{i \in O(v)} W_{i v_i j}, \qquad
    p(h_j = 1 \mid v) = \sigma\big(x_j(v)\big)"""
)
def _(m):
    means = [[sigma(x(m, v, j)) for j in m.J] for v in m.V]
    same(m.rbm.transform(m.dense(m.V)), means)


@page.says(
    r"""p(v_i = k \mid h) = \frac{e^{b_{ik} + \sum_j W_{ikj} h_j}}
    {\sum_l e^{b_{il} + \sum_j W_{ilj} h_j}}"""
)
def _(m):
    for h, returned in zip(m.H, m.rbm.inverse_transform(m.H), strict=True):
        p = [
            shares([exp(b[k] + sum(W[k, j] * h[j] for j in m.J)) for k in range(len(b))])
            for W, b in zip(m.W, m.b, strict=True)
        ]
        same(returned, [sum(y * p) for y, p in zip(m.values, p, strict=True)])


@page.says(
    r"W_{ij} = W_{i1j} - W_{i0j}, \qquad b_i = b_{i1} - b_{i0}, \qquad c'_j = c_j + \sum_i W_{i0j}"
)
def _(m):
    two = m.like((2, 2, 2))
    W = np.array([[two.W[i][1, j] - two.W[i][0, j] for j in two.J] for i in two.I])
    b = np.array([two.b[i][1] - two.b[i][0] for i in two.I])
    c = np.array([two.c[j] + sum(two.W[i][0, j] for i in two.I) for j in two.J])
    binary = BernoulliRBM(len(c), n_iter=0, random_state=0).fit(np.eye(len(b)))
    binary.components_, binary.intercept_visible_, binary.intercept_hidden_ = W.T, b, c
    returned = two.rbm.log_likelihood(two.dense(two.complete))
    same(returned, binary.log_likelihood(np.array(two.complete, dtype=float)))


@page.says(
    r"""F(v) = -\sum_{i \in O(v)} b_{i v_i} - \sum_j \log\big(1 + e^{x_j(v)}\big), \qquad
    \log p(v) = -F(v) - \log Z_{O(v)}"""
)
def _(m):
    same(m.rbm.free_energy(m.dense(m.V)), [free_energy(m, v) for v in m.V])
    log_z = log(sum(exp(-free_energy(m, v)) for v in m.complete))
    log_p = [-free_energy(m, v) - log_z for v in m.complete]
    same(m.rbm.log_likelihood(m.dense(m.complete)), log_p)


@page.says(
    r"""p(v_q = k \mid v_{-q}) = \frac{a_{qk}}{\sum_l a_{ql}}, \qquad
    a_{qk} = e^{b_{qk}} \prod_j \Big(1 + e^{x_j(v_{-q}) + W_{qkj}}\Big)"""
)
def _(m):
    returned = m.rbm.conditional_proba(m.dense(m.V))
    for v, row in zip(m.V, returned, strict=True):
        for q in m.I:
            same(row[q][: len(m.b[q])], proba(m, v, q))


@page.says(
    r"""\hat v_q = \sum_k y_{qk} \, p(v_q = k \mid v_{-q}), \qquad
    \log \mathrm{PL}(v) = \sum_{i \in O(v)} \log p(v_i \mid v_{-i})"""
)
def _(m):
    means = [[sum(m.values[q] * proba(m, v, q)) for q in m.I] for v in m.V]
    same(m.rbm.predict_ratings(m.dense(m.V)), means)
    log_pl = [sum(log(proba(m, v, i)[v[i]]) for i in observed(v)) for v in m.V]
    same(m.rbm.score_samples(m.dense(m.V)), log_pl)


@page.says(
    r"""p_{\mathrm{mf}}(v_q = k \mid v_{-q}) =
    \frac{e^{b_{qk} + \sum_j W_{qkj} \sigma(x_j(v_{-q}))}}
    {\sum_l e^{b_{ql} + \sum_j W_{qlj} \sigma(x_j(v_{-q}))}}"""
)
def _(m):
    returned = m.rbm.conditional_proba(m.dense(m.V), method="mean_field")
    for v, row in zip(m.V, returned, strict=True):
        for q, (W, b) in enumerate(zip(m.W, m.b, strict=True)):
            h = [sigma(x(m, without(v, q), j)) for j in m.J]
            p = shares([exp(b[k] + sum(W[k, j] * h[j] for j in m.J)) for k in range(len(b))])
            same(row[q][: len(b)], p)


@page.says(
    r"""-\frac{\partial E}{\partial W_{ikj}} = [v_i = k] \, h_j, \qquad
    -\frac{\partial E}{\partial b_{ik}} = [v_i = k], \qquad
    -\frac{\partial E}{\partial c_j} = h_j"""
)
def _(m):
    for v, h in zip(m.V[::40], m.H[5:], strict=False):
        shown = np.array([float(v[i] == k) for i in m.I for k in range(len(m.b[i]))])
        gradient = weighted_gradient(m.model, m.one_hot([v]), h[np.newaxis], np.ones(1))
        for returned, written in zip(gradient, (np.outer(shown, h), h, shown), strict=True):
            same(returned, written)

        def its_energy(v=v, h=h):
            return m.rbm.energy(m.dense([v]), [h])[0]

        codes = range(len(shown))
        biases = [slope(m.rbm, "intercept_visible_", code, its_energy) for code in codes]
        roughly(np.negative(biases), shown)
        for j in m.J:
            of_unit = [slope(m.rbm, "components_", (j, code), its_energy) for code in codes]
            roughly(np.negative(of_unit), shown * h[j])


@page.says(r"x_j(v) = c_j + \sum_{i \in O(v)} \big(W_{i v_i j} + U_{ij}\big)")
def _(m):
    m = m.like(m.machine.sizes, conditional=True)

    def total(v, j):
        return m.c[j] + sum(m.W[i][v[i], j] + m.U[i, j] for i in observed(v))

    means = [[sigma(total(v, j)) for j in m.J] for v in m.V]
    same(m.rbm.transform(m.dense(m.V)), means)
    predictions = m.rbm.conditional_proba(m.dense(m.V))
    for v, row in zip(m.V, predictions, strict=True):
        for q in m.I:  # which counts as observed
            inputs = [total(without(v, q), j) + m.U[q, j] for j in m.J]
            p = shares([a(m, inputs, q, k) for k in range(len(m.b[q]))])
            same(row[q][: len(p)], p)


@page.says(r"W_{ikj} = u_{ij} + z_{ik} a_{ij}")
def _(m):
    """Of fitted weights, whatever the values of the categories."""
    X = m.dense(m.complete)
    rbm = SoftmaxRBM(3, categories=m.values, ordinal=True, n_iter=3, random_state=0).fit(X)
    first_codes = np.cumsum([0, *map(len, m.values)])
    for values, codes in zip(m.values, pairwise(first_codes), strict=True):
        W = rbm.components_.T[slice(*codes)]
        z = np.linspace(-1, 1, len(values)) if len(values) > 1 else np.zeros(1)
        level, reach = W.mean(axis=0), (W[-1] - W[0]) / 2
        same(W, [[level[j] + z[k] * reach[j] for j in m.J] for k in range(len(values))])


@page.says(
    r"""\frac{\partial \log p}{\partial u_{ij}} =
    \sum_k \frac{\partial \log p}{\partial W_{ikj}}, \qquad
    \frac{\partial \log p}{\partial a_{ij}} =
    \sum_k z_{ik} \frac{\partial \log p}{\partial W_{ikj}}"""
)
def _(m):
    """A step along both changes weights by the gradient of u, and by z times that of a."""
    v = m.complete[5]

    def log_p():
        return m.rbm.log_likelihood(m.dense([v]))[0]

    codes = range(len(m.machine.b))
    weights = [[slope(m.rbm, "components_", (j, code), log_p) for j in m.J] for code in codes]
    expected, first = [], 0
    for values in m.values:
        own = weights[first : first + len(values)]
        first += len(values)
        z = np.linspace(-1, 1, len(values)) if len(values) > 1 else np.zeros(1)
        of_u = [sum(own[k][j] for k in range(len(z))) for j in m.J]
        of_a = [sum(z[k] * own[k][j] for k in range(len(z))) for j in m.J]
        expected += [[of_u[j] + z[k] * of_a[j] for j in m.J] for k in range(len(z))]
    sums = np.array(weights), np.zeros(len(m.c)), np.zeros(len(codes))
    stepped, *_ = m.ordinal_layer.precondition(sums, 1)
    roughly(stepped, expected)
