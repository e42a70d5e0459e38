"""Numba functions of the exact pseudo-likelihood of real-valued units: an integral for each unit.

Notation: ``d = (v - b) / s`` deviations of visible units (n, D), ``x`` inputs of hidden units
(n, M), ``W`` weights (D, M). The house rules stand in ``inlined``.

Given all other units, a unit that moves from ``d`` to t has the density ``exp(f(t))`` up to a
factor. With ``r`` a reference, and ``y_j = x_j + W_j (r - d)`` the input of hidden unit j there::

    f(t) - f(r) = sum_j (softplus(y_j + W_j u) - softplus(y_j)) - u^2 / 2 - r u       u = t - r
                = sum_j log(q_j + p_j exp(W_j u)) - u^2 / 2 - r u                  p = sigmoid(y)

It is a mixture of normal densities of width 1, with means between the sums of all negative and of
all positive weights.

Where this mixture is nearly one normal density, the rule of Gauss and Hermite about a point near
the peak needs fewest nodes (``RULES``). Elsewhere the integral is a sum over equidistant nodes
``u = k h``: the error is the factor ``1 +- 2 exp(-2 pi^2 / h^2)``. Almost all of them lie where
the density is nothing. They are found without a look at each: between two nodes, the sum over j
is below its chord, as it is convex; and the chord less ``u^2 / 2 + r u`` is a parabola.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from .cache import kernel
from .inlined import OPTIONS, REORDERED, exp64, log, logistic

__all__ = ["MOST_SLOPE", "RULES", "STEEPER", "TILE", "gaussian_pseudo_likelihood"]

#: Rules of Gauss and Hermite: number of nodes, variance s^2, and a limit of the spread of means.
#: Write ``u = c + s x`` and X for the mean of a component less the place of c: a sum of
#: independent ``W_j h_j``. Where ``E exp(a (X - E X)) <= exp(a^2 spread / 2)`` for all a, and
#: ``|E X| <= MOST_SLOPE``, the relative error of a rule is below 2e-14. A test computes the bound.
RULES = ((12, 1.092, 0.095), (18, 1.287, 0.29), (24, 1.507, 0.44))
MOST_SLOPE = 0.75  # of f at the centre
STEEPER = 0.236  # at least as steep as the logarithm of the spread ``tanh(y / 2) / (2 y)``

TILE = 96  # rows that share tables of exponentials
_BLOCK = 8  # nodes of which the factors are multiplied at the same time
_PARTS = 15  # of an interval, at most: their edges are whole blocks
_FINE = 8  # nodes between edges that are close enough to look no further
_MOST = _PARTS * _FINE  # nodes that are summed at a time
_STEPS = 8  # nodes of a table of which one is computed, and the others are multiplied
_SPACING = 0.78  # h: an error of 2e-14
_DEPTH = 33.0  # nats below the highest known node, where a node is nothing: exp(-33) = 5e-15
_ROUNDING = 2e-15  # of f, times the square of where the means are
_TAIL = math.sqrt(2 * _DEPTH)  # where a normal density is as low as that
_HALF_TABLE = 255  # nodes on either side of the reference that a table may have
_ONE_PEAK = 0.7  # curvature below which a parabola bounds f well enough
_STACK = 1024  # intervals: 15 for each halving of 1e11 nodes, and more
_GROUP = 6  # nodes of a rule of which the factors are multiplied at the same time
_MOST_SHIFT = 10  # nodes of the table between the reference and the centre of a rule
_FACTORS = 512  # of at most 2 each: their product is below 1e155


def _scaled_rules():
    """For each rule: nodes u and what to multiply the integrand less ``-u^2 / 2`` with."""
    nodes, weights = np.zeros((2, len(RULES), RULES[-1][0]))
    for k, (n, variance, _) in enumerate(RULES):
        x, w = np.polynomial.hermite_e.hermegauss(n)
        nodes[k, :n] = math.sqrt(variance) * x
        weights[k, :n] = math.sqrt(variance) * w * np.exp(-0.5 * (variance - 1) * x * x)
    return nodes, weights


_NODES, _WEIGHTS = _scaled_rules()
_SIZES = np.array([n for n, _, _ in RULES])
_SPREADS = np.array([spread for _, _, spread in RULES])
_FARTHEST = _MOST_SHIFT * _SPACING + _NODES.max()  # from the reference


class _Unit(NamedTuple):
    """One unit of one row: what f is made of, by tables at all nodes or by inputs of hidden units.

    Hidden units that are on at the reference are read as off, ``h -> 1 - h``. So no sum is a
    difference of large numbers near the reference, whatever the weights.
    """

    depth: float  # nats below the highest known node, where a node is nothing
    linear: float  # the slope at the reference of all but the softpluses
    tabled: bool
    q: np.ndarray
    p: np.ndarray
    table: np.ndarray  # exp(W_ij u) at the nodes ``lowest``, ``lowest + 1``, ...
    lowest: int
    cuts: np.ndarray  # ends of ranges of hidden units whose factors one product holds
    y: np.ndarray
    slopes: np.ndarray
    base: float  # their sum at the reference


class _Work(NamedTuple):
    """Arrays to write to."""

    nodes: np.ndarray
    f: np.ndarray
    products: np.ndarray
    terms: np.ndarray
    positive: np.ndarray
    e: np.ndarray
    stack: np.ndarray  # intervals to look at: first and last node
    bounds: np.ndarray  # of f in them
    sums: np.ndarray


# --- the sum over hidden units at some nodes ----------------------------------------------------


@kernel(**REORDERED)
def _products(q, p, e, out):
    """``out_k = prod_j (q_j + p_j e_kj)`` for a block of nodes."""
    e0, e1, e2, e3, e4, e5, e6, e7 = e
    a0, a1, a2, a3, a4, a5, a6, a7 = 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0
    for j in range(q.shape[0]):
        qj, pj = q[j], p[j]
        a0 *= qj + pj * e0[j]
        a1 *= qj + pj * e1[j]
        a2 *= qj + pj * e2[j]
        a3 *= qj + pj * e3[j]
        a4 *= qj + pj * e4[j]
        a5 *= qj + pj * e5[j]
        a6 *= qj + pj * e6[j]
        a7 *= qj + pj * e7[j]
    out[0], out[1], out[2], out[3], out[4], out[5], out[6], out[7] = a0, a1, a2, a3, a4, a5, a6, a7


@kernel(**REORDERED)
def _sum(a):
    total = 0.0
    for i in range(a.shape[0]):
        total += a[i]
    return total


@kernel(**REORDERED)
def _dot(a, b):
    total = 0.0
    for j in range(a.shape[0]):
        total += a[j] * b[j]
    return total


@kernel(**OPTIONS)
def _add_logs(products, f):
    """Add the logarithms of products to f (INOUT)."""
    for i in range(f.shape[0]):
        f[i] += log(products[i])


@kernel(**OPTIONS)
def _exponentials_below(f, largest, out):
    """``out = exp(f - largest)``."""
    for i in range(f.shape[0]):
        out[i] = exp64(max(f[i] - largest, -708.0))


@kernel(**OPTIONS)
def _exponentials(y, slopes, u, positive, e):
    """With ``t = y + slopes u``: ``positive = max(t, 0)`` and ``e = exp(-|t|)``, both OUT."""
    for j in range(y.shape[0]):
        t = y[j] + slopes[j] * u
        positive[j] = max(t, 0.0)
        e[j] = exp64(max(-abs(t), -708.0))


@kernel(**REORDERED)
def _sum_and_product(positive, e):
    """``sum_j positive_j`` and ``prod_j (1 + e_j)``."""
    total, product = 0.0, 1.0
    for j in range(e.shape[0]):
        total += positive[j]
        product *= 1.0 + e[j]
    return total, product


@kernel(**OPTIONS)
def _softplus_sum(y, slopes, u, positive, e):
    """``sum_j softplus(y_j + slopes_j u)``; ``positive`` and ``e`` are for its use."""
    result = 0.0
    for start in range(0, y.shape[0], _FACTORS):
        n = min(_FACTORS, y.shape[0] - start)
        part = slice(start, start + n)
        _exponentials(y[part], slopes[part], u, positive[:n], e[:n])
        total, product = _sum_and_product(positive[:n], e[:n])
        result += total + np.log(product)
    return result


@kernel(**OPTIONS)
def _evaluate(unit, work, n):
    """``f[i] = f(r + h nodes[i]) - f(r)`` of the first n nodes."""
    nodes, f = work.nodes, work.f
    for i in range(n):
        u = nodes[i] * _SPACING
        f[i] = u * (unit.linear - 0.5 * u)
    if unit.tabled:
        for i in range(n, n + _BLOCK - 1):  # a block is full
            nodes[i] = nodes[n - 1]
        table, lowest, products, start = unit.table, unit.lowest, work.products, 0
        for stop in unit.cuts:
            q, p = unit.q[start:stop], unit.p[start:stop]
            for i in range(0, n, _BLOCK):
                e = (
                    table[np.uint64(nodes[i] - lowest)][start:stop],
                    table[np.uint64(nodes[i + 1] - lowest)][start:stop],
                    table[np.uint64(nodes[i + 2] - lowest)][start:stop],
                    table[np.uint64(nodes[i + 3] - lowest)][start:stop],
                    table[np.uint64(nodes[i + 4] - lowest)][start:stop],
                    table[np.uint64(nodes[i + 5] - lowest)][start:stop],
                    table[np.uint64(nodes[i + 6] - lowest)][start:stop],
                    table[np.uint64(nodes[i + 7] - lowest)][start:stop],
                )
                _products(q, p, e, products[i : i + _BLOCK])
            _add_logs(products, f[:n])
            start = stop
    else:
        for i in range(n):
            u = nodes[i] * _SPACING
            f[i] += _softplus_sum(unit.y, unit.slopes, u, work.positive, work.e) - unit.base


# --- one peak, nearly normal: rules of Gauss and Hermite ----------------------------------------


@kernel(**REORDERED)
def _moments(p, spreads, w):
    """Mean of ``sum_j w_j h_j``, and a bound of its spread."""
    mean, spread = 0.0, 0.0
    for j in range(w.shape[0]):
        mean += p[j] * w[j]
        spread += spreads[j] * w[j] * w[j]
    return mean, spread


@kernel(**OPTIONS)
def _choose(slope, spread, steepest):
    """Rule and centre for a row, as a multiple of ``h``; the rule is -1 if none will do.

    The second derivative of f is between -1 and ``spread - 1``.
    """
    if not spread < _SPREADS[-1]:
        return -1, 0
    shift = np.rint(slope / ((1.0 - 0.5 * spread) * _SPACING))
    if not abs(shift) <= _MOST_SHIFT:
        return -1, 0
    length = abs(shift) * _SPACING
    spread *= np.exp(STEEPER * steepest * length)  # at the centre and all the way to it
    highest, lowest = abs(slope) - (1.0 - spread) * length, abs(slope) - length
    if max(highest, -lowest) <= MOST_SLOPE:
        for rule in range(_SPREADS.shape[0]):
            if spread <= _SPREADS[rule]:
                return rule, int(shift)
    return -1, 0


@kernel(**OPTIONS)
def _fill_rule(w, rule, table):
    """``table[k] = exp(w u_k)`` at the nodes of a rule, which are symmetric."""
    n = _SIZES[rule]
    for k in range(n // 2):
        for j in range(w.shape[0]):
            table[k, j] = exp64(w[j] * _NODES[rule, k])
        for j in range(w.shape[0]):
            table[n - 1 - k, j] = 1.0 / table[k, j]


@kernel(**REORDERED)
def _group_of_products(q, p, shifted, e, out):
    """``out_k = prod_j (q_j + p_j shifted_j e_kj)`` for a group of nodes."""
    e0, e1, e2, e3, e4, e5 = e[0], e[1], e[2], e[3], e[4], e[5]
    a0, a1, a2, a3, a4, a5 = 1.0, 1.0, 1.0, 1.0, 1.0, 1.0
    for j in range(q.shape[0]):
        qj, pj = q[j], p[j] * shifted[j]
        a0 *= qj + pj * e0[j]
        a1 *= qj + pj * e1[j]
        a2 *= qj + pj * e2[j]
        a3 *= qj + pj * e3[j]
        a4 *= qj + pj * e4[j]
        a5 *= qj + pj * e5[j]
    out[0], out[1], out[2], out[3], out[4], out[5] = a0, a1, a2, a3, a4, a5


@kernel(**OPTIONS)
def _weigh(place, nodes, weights, products):
    """``products_k *= weights_k exp(-place u_k)`` (INOUT)."""
    for k in range(products.shape[0]):
        products[k] *= weights[k] * exp64(max(-place * nodes[k], -708.0))


@kernel(**OPTIONS)
def _add_by_rule(rule, rows, d, q, p, w, table, shifts, lowest, e, products, out):
    """Subtract the log of the integral from ``out[r]`` for rows r of a tile.

    A group of nodes is used for all rows, so that its exponentials stay in the nearest cache.
    """
    n = _SIZES[rule]
    _fill_rule(w, rule, e)
    for first in range(0, n, _GROUP):
        group = e[first : first + _GROUP]
        for r in rows:
            shifted = table[shifts[r] - lowest]
            _group_of_products(q[r], p[r], shifted, group, products[r, first:])
    for r in rows:
        centre = shifts[r] * _SPACING
        terms = products[r, :n]
        _weigh(d[r] + centre, _NODES[rule, :n], _WEIGHTS[rule, :n], terms)
        out[r] -= np.log(_sum(terms)) - centre * (d[r] + 0.5 * centre)


# --- where the density is -----------------------------------------------------------------------


@kernel(**OPTIONS)
def _alive(first, last, f_first, f_last, lowest):
    """Where f may be above ``lowest`` between two nodes: first node, stop, and a bound of f.

    The last node is left to the next interval. Below the chord of its convex part, f is below a
    parabola through both ends whose second derivative is -1. The higher end is its origin,
    because rounding is least there.
    """
    length = (last - first) * _SPACING
    mirrored = f_last > f_first
    origin, rise = (f_last, f_first - f_last) if mirrored else (f_first, f_last - f_first)
    vertex = rise / length + 0.5 * length
    inside = min(max(vertex, 0.0), length)
    bound = origin + inside * (vertex - 0.5 * inside)
    if not bound > lowest:
        return first, first, bound
    reach = math.sqrt(max(vertex * vertex + 2.0 * (origin - lowest), 0.0))
    low = int(max(vertex - reach, 0.0) / _SPACING)
    high = min(int(min(max(vertex + reach, 0.0), length) / _SPACING) + 1, last - first)
    if mirrored:
        return last - high, min(last - low + 1, last), bound
    return first + low, min(first + high + 1, last), bound


@njit(inline="always", **OPTIONS)
def _add(unit, work, first, stop):
    """Add ``exp(f)`` at nodes from first up to stop to ``exp(sums[0]) sums[1]``."""
    f, terms, sums = work.f, work.terms, work.sums
    n = stop - first
    for i in range(n):
        work.nodes[i] = first + i
    _evaluate(unit, work, n)
    largest = sums[0]
    for i in range(n):
        largest = max(largest, f[i])
    total = sums[1] * np.exp(sums[0] - largest) if sums[1] > 0.0 else 0.0
    _exponentials_below(f[:n], largest, terms)
    sums[0], sums[1] = largest, total + _sum(terms[:n])


@kernel(**OPTIONS)
def _log_integral(unit, work, first, last):
    """Log of the integral of ``exp(f(t) - f(r))`` over the nodes from first to last."""
    nodes, f, stack, bounds, sums = work.nodes, work.f, work.stack, work.bounds, work.sums
    sums[0], sums[1] = -np.inf, 0.0
    best = -np.inf  # of all nodes that were looked at
    stack[0, 0], stack[0, 1], bounds[0] = first, last, np.inf
    n_stacked = 1
    while n_stacked > 0:
        n_stacked -= 1
        low, high = stack[n_stacked, 0], stack[n_stacked, 1]
        if bounds[n_stacked] <= best - unit.depth:
            continue
        width = high - low
        fine = width <= _MOST
        step = _FINE if fine else -(-width // _PARTS)
        parts = -(-width // step)
        for i in range(parts):
            nodes[i] = low + step * i
        nodes[parts] = high
        _evaluate(unit, work, parts + 1)
        for i in range(parts + 1):
            best = max(best, f[i])
        n_runs = 0  # neighbours of which f may matter
        for i in range(parts):
            start, stop, bound = _alive(nodes[i], nodes[i + 1], f[i], f[i + 1], best - unit.depth)
            if start >= stop:
                continue
            k = n_stacked + n_runs - 1
            if n_runs > 0 and stack[k, 1] == start and (fine or 2 * (stop - stack[k, 0]) <= width):
                stack[k, 1], bounds[k] = stop, max(bounds[k], bound)
            else:
                stack[k + 1, 0], stack[k + 1, 1], bounds[k + 1] = start, stop, bound
                n_runs += 1
        if fine:
            for k in range(n_stacked, n_stacked + n_runs):
                _add(unit, work, stack[k, 0], stack[k, 1])
        else:
            n_stacked += n_runs
    return sums[0] + np.log(_SPACING * sums[1])


@njit(inline="always", **OPTIONS)
def _log_integral_of_one_peak(unit, work, curvature, slope, first, last):
    """The same where the second derivative of the sum over j is at most ``curvature < 1``.

    Then f has one peak. With ``slope`` of f at the reference, f is between
    ``slope u - u^2 / 2``, whose highest value is ``slope^2 / 2``, and
    ``slope u - (1 - curvature) u^2 / 2``.
    """
    narrow = 1.0 - curvature
    reach = math.sqrt(curvature * slope * slope + 2.0 * _DEPTH * narrow)
    start = max((math.ceil((slope - reach) / (narrow * _SPACING))), first)
    stop = min((math.floor((slope + reach) / (narrow * _SPACING))), last) + 1
    if stop - start > _MOST:
        return _log_integral(unit, work, first, last)
    n = stop - start
    for i in range(n):
        work.nodes[i] = start + i
    _evaluate(unit, work, n)
    least = 0.5 * slope * slope
    _exponentials_below(work.f[:n], least, work.terms)
    return least + np.log(_SPACING * _sum(work.terms[:n]))


# --- all units and rows -------------------------------------------------------------------------


@kernel(**OPTIONS)
def _fill(W, lowest, table, steps):
    """``table[k] = exp(W h (lowest + k))``; ``steps`` is for its use.

    Every eighth row is computed, and the others are products. ``lowest`` is a multiple of eight,
    so that a row has the same bits in all tables.
    """
    n_hidden = W.shape[0]
    for r in range(1, _STEPS):
        for j in range(n_hidden):
            steps[r, j] = exp64(W[j] * (r * _SPACING))
    for k in range(0, table.shape[0], _STEPS):
        u = (lowest + k) * _SPACING
        for j in range(n_hidden):
            table[k, j] = exp64(W[j] * u)
        for r in range(1, min(_STEPS, table.shape[0] - k)):
            for j in range(n_hidden):
                table[k + r, j] = table[k, j] * steps[r, j]


@kernel(**OPTIONS)
def gaussian_pseudo_likelihood(d, x, W, first, stop, out):
    """Log pseudo-likelihood of some units of each row, up to the widths of the units.

    Parameters
    ----------
    d : ndarray of shape (n, D), float64                                                  IN
    x : ndarray of shape (n, M), float64                                                  IN
        Inputs of the hidden units, bias included.
    W : ndarray of shape (D, M), float64                                                  IN
        No row's absolute values add up to more than 1e10.
    first, stop : int                                                                     IN
        The units.
    out : ndarray of shape (n,), float64                                                  INOUT
        Their ``sum_i log p(d_i | v without i)`` is added: a density of d, and s times the
        density of v.
    """
    n_rows, n_hidden = x.shape
    p, q = np.empty((TILE, n_hidden)), np.empty((TILE, n_hidden))
    spreads = np.empty((TILE, n_hidden))
    rules, shifts, members = np.empty((3, TILE), np.int64)
    e, products = np.empty((_SIZES[-1], n_hidden)), np.empty((TILE, _SIZES[-1]))
    column = np.empty(TILE)
    table = np.empty((2 * _HALF_TABLE + 1 + _STEPS, n_hidden))
    steps = np.empty((_STEPS, n_hidden))
    y, slopes, cuts = np.empty(n_hidden), np.empty(n_hidden), np.empty(n_hidden, np.int64)
    work = _Work(
        np.empty(_MOST + _BLOCK, np.int64),
        np.empty(_MOST + _BLOCK),
        np.empty(_MOST + _BLOCK),
        np.empty(_MOST + _BLOCK),
        np.empty(min(_FACTORS, n_hidden)),
        np.empty(min(_FACTORS, n_hidden)),
        np.empty((_STACK, 2), np.int64),
        np.empty(_STACK),
        np.empty(2),
    )
    n_tiles = max(1, -(-n_rows // TILE))
    size = max(1, -(-n_rows // n_tiles))  # tiles of equal size, as each makes tables
    for tile in range(0, n_rows, size):
        rows = range(min(size, n_rows - tile))
        for r in rows:
            for j in range(n_hidden):
                p[r, j] = logistic(x[tile + r, j])
                q[r, j] = logistic(-x[tile + r, j])
                # Kearns and Saul (1998): exp(a^2 spread / 2) bounds E exp(a (h - p)).
                far = abs(x[tile + r, j]) > 1e-6
                spreads[r, j] = 0.5 * (p[r, j] - q[r, j]) / x[tile + r, j] if far else 0.25
        for i in range(first, stop):
            negative, positive, steepest, curvature = 0.0, 0.0, 0.0, 0.0
            for j in range(n_hidden):
                negative += min(W[i, j], 0.0)
                positive += max(W[i, j], 0.0)
                steepest = max(steepest, abs(W[i, j]))
                curvature += 0.25 * W[i, j] * W[i, j]
            # f falls beyond both ends, by more than it is rounded.
            tail = _TAIL + 1e-6 * (positive - negative)
            least, most = negative - tail, positive + tail
            depth = _DEPTH + _ROUNDING * (positive - negative) ** 2
            # The nodes of a table are those of all rows that lie among the means. A factor is
            # at most exp(300), a product exp(690).
            reach = int(min(300.0 / max(steepest * _SPACING, 1e-300), _HALF_TABLE))
            lowest, highest = 0, -1
            by_rule = (positive - negative) * _FARTHEST < 600.0
            for r in rows:
                rules[r] = -1
                if by_rule:
                    column[r] = d[tile + r, i]
                    mean, spread = _moments(p[r], spreads[r], W[i])
                    rules[r], shifts[r] = _choose(mean - column[r], spread, steepest)
                if rules[r] >= 0:
                    lowest, highest = min(lowest, shifts[r]), max(highest, shifts[r])
            has_table = most - least < 2 * _SPACING * reach
            if has_table:
                for r in rows:
                    if rules[r] < 0 and least <= d[tile + r, i] <= most:
                        lowest = min(lowest, (math.floor((least - d[tile + r, i]) / _SPACING)))
                        highest = max(highest, (math.ceil((most - d[tile + r, i]) / _SPACING)))
                lowest, highest = max(lowest, -reach), min(highest, reach)
            if highest >= lowest:
                lowest = lowest // _STEPS * _STEPS
                _fill(W[i], lowest, table[: highest - lowest + 1], steps)
            for rule in range(len(RULES)):
                n_members = 0
                for r in rows:
                    if rules[r] == rule:
                        members[n_members] = r
                        n_members += 1
                if n_members > 0:
                    _add_by_rule(
                        rule,
                        members[:n_members],
                        column,
                        q,
                        p,
                        W[i],
                        table,
                        shifts,
                        lowest,
                        e,
                        products,
                        out[tile : tile + size],
                    )
            # The cuts, as all else here, do not depend on which rows share a table.
            # A product lies between exponentials of its negative and of its positive weights.
            n_cuts, rise, fall, farthest = 0, 0.0, 0.0, min(most - least, _SPACING * reach)
            for j in range(n_hidden):
                rise += max(W[i, j], 0.0) * farthest
                fall -= min(W[i, j], 0.0) * farthest
                if max(rise, fall) > 690.0:
                    cuts[n_cuts], n_cuts = j, n_cuts + 1
                    rise, fall = max(W[i, j], 0.0) * farthest, -min(W[i, j], 0.0) * farthest
            cuts[n_cuts] = n_hidden
            for r in rows:
                if rules[r] >= 0:
                    continue
                di = d[tile + r, i]
                reference = min(max(di, least), most)
                begin = math.floor((least - reference) / _SPACING)
                end = math.ceil((most - reference) / _SPACING)
                tabled = has_table and reference == di and -reach <= begin and end <= reach
                linear, base, own = -reference, 0.0, 0.0
                if not tabled:
                    for j in range(n_hidden):
                        y[j] = x[tile + r, j] + W[i, j] * (reference - di)
                        on = y[j] > 0.0
                        linear += W[i, j] if on else 0.0
                        slopes[j] = -W[i, j] if on else W[i, j]
                        y[j] = -abs(y[j])
                    base = _softplus_sum(y, slopes, 0.0, work.positive, work.e)
                    if reference != di:
                        u = di - reference
                        own = _softplus_sum(y, slopes, u, work.positive, work.e) - base
                        own += u * (linear - 0.5 * u)
                unit = _Unit(
                    depth,
                    linear,
                    tabled,
                    q[r],
                    p[r],
                    table,
                    lowest,
                    cuts[: n_cuts + 1],
                    y,
                    slopes,
                    base,
                )
                if tabled and curvature < _ONE_PEAK:
                    slope = _dot(p[r], W[i]) - di
                    value = _log_integral_of_one_peak(unit, work, curvature, slope, begin, end)
                else:
                    value = _log_integral(unit, work, begin, end)
                out[tile + r] += own - value
