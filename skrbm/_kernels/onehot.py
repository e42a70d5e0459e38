"""Numba functions of categorical visible units: one-hot rows in which features may be missing.

Notation as in ``units``, and: feature i owns the *codes* ``offsets[i] .. offsets[i + 1] - 1``,
one per category, and every array over visible units (``W``, ``b``) has one row per code. A
visible row is stored as the codes of its observed features, ascending: the codes of row r are
``codes[indptr[r]:indptr[r + 1]]``, the *entries* of the row. ``weights`` of entries stand in for
the ones of one-hot rows where a row holds probabilities. What a caller may leave out is an array
without elements, not None: for None Numba would compile every kernel once more.

Work on many rows is done feature by feature (``onehot_rows.sort_by_feature``), so that the weights
of a feature are read once for all its entries. Each thread takes whole features, or whole rows,
of about as many entries: so the order in which numbers are added never depends on the threads.

The house rules stand in ``inlined``.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from .cache import kernel
from .crew import divisible, of_equal_work
from .inlined import OPTIONS, REORDERED, exp, log, softplus, uniform

__all__ = [
    "Order",
    "Phase",
    "Queries",
    "Softmax",
    "accumulate",
    "categorical",
    "conditionals",
    "gather",
    "sigmoids",
]

_BLOCK = 32  # entries of one feature that share a pass over its weights


class Order(NamedTuple):
    """The entries of some rows, sorted by feature and, within a feature, by row.

    Parameters
    ----------
    start : ndarray of shape (D + 1,)
        The entries of feature i are ``start[i] .. start[i + 1] - 1`` of the arrays below.
    entry : ndarray of shape (n_entries,), int
        Where the entry stands in the codes of the rows.
    row : ndarray of shape (n_entries,), int
        The row that holds the entry.
    """

    start: np.ndarray
    entry: np.ndarray
    row: np.ndarray


class Phase(NamedTuple):
    """The rows of one phase of an update, as their part of the gradient needs them.

    Parameters
    ----------
    order : Order
    codes : ndarray of shape (n_entries,)
    weights : ndarray of shape (n_entries,), or (0,) for ones
    h : ndarray of shape (n, M)
        Rows of the other layer, each times its weight.
    row_weights : ndarray of shape (n,)
    """

    order: Order
    codes: np.ndarray
    weights: np.ndarray
    h: np.ndarray
    row_weights: np.ndarray


class Softmax(NamedTuple):
    """What the distribution of a category given the hidden units is made of.

    Parameters
    ----------
    offsets : ndarray of shape (D + 1,)
    W : ndarray of shape (C, M)
    b : ndarray of shape (C,)
    most : int
        The largest number of categories of a feature.
    """

    offsets: np.ndarray
    W: np.ndarray
    b: np.ndarray
    most: int


class Queries(NamedTuple):
    """Entries asked for, in the order of features.

    Parameters
    ----------
    start : ndarray of shape (D + 1,)
        The queries of feature i are ``start[i] .. start[i + 1] - 1`` of the arrays below.
    row : ndarray of shape (n_queries,)
        The row of the entry.
    own : ndarray of shape (n_queries,)
        The code of the entry if the row holds it, else -1.
    """

    start: np.ndarray
    row: np.ndarray
    own: np.ndarray


@njit(inline="always")
def _weight(weights, k, one):
    """Weight k, or 1 if there are none."""
    return weights[k] if weights.shape[0] > 0 else one


# --- Between the layers -----------------------------------------------------------------------


def _n_rows(indptr, *others):
    return indptr.size - 1


def _bounds_of_rows(n_parts, indptr, *others):
    return of_equal_work(n_parts, indptr)


def _work_of_entries(indptr, *others):
    return 5 * int(indptr[-1] - indptr[0]) * others[-1].shape[1]


@divisible(_work_of_entries, _n_rows, _bounds_of_rows, **REORDERED)
def gather(indptr, codes, weights, table, out, first, stop):
    """``out[r] += sum_k weights[k] table[codes[k]]`` over the entries k of row r.

    Parameters
    ----------
    indptr : ndarray of shape (n + 1,)                                                    IN
        From 0 on.
    codes : ndarray, int                                                                  IN
        Or the numbers of other rows of the table, such as the features of the entries.
    weights : ndarray, may be empty                                                       IN
    table : ndarray of shape (N, M)                                                       IN
    out : ndarray of shape (n, M)                                                         INOUT
    first, stop : int                                                                     IN
        The rows to do.
    """
    n_columns, one = table.shape[1], table.dtype.type(1)
    for r in range(first, stop):
        total, begin, end = out[r], indptr[r], indptr[r + 1]
        # Four at a time, so that the target is read and written a quarter as often.
        fours = begin + (end - begin) // 4 * 4
        for k in range(begin, fours, 4):
            w0, w1 = _weight(weights, k, one), _weight(weights, k + 1, one)
            w2, w3 = _weight(weights, k + 2, one), _weight(weights, k + 3, one)
            t0, t1 = table[codes[k]], table[codes[k + 1]]
            t2, t3 = table[codes[k + 2]], table[codes[k + 3]]
            for j in range(n_columns):
                total[j] += (w0 * t0[j] + w1 * t1[j]) + (w2 * t2[j] + w3 * t3[j])
        for k in range(fours, end):
            w0, t0 = _weight(weights, k, one), table[codes[k]]
            for j in range(n_columns):
                total[j] += w0 * t0[j]


def _work_of_phases(positive, negative, *others):
    n_entries = positive.codes.size + negative.codes.size
    return 8 * (n_entries + others[-2].size) * positive.h.shape[1]


def _features_of_phases(positive, *others):
    return positive.order.start.size - 1


def _bounds_of_phases(n_parts, positive, negative, offsets, *outputs):
    """To write the sums of a code takes as long as to add an entry of each phase."""
    return of_equal_work(n_parts, positive.order.start + offsets)


@kernel(**REORDERED)
def _add_phase(phase, i, g, G):
    """The part of one feature and one phase in ``accumulate``."""
    n_columns, one = G.shape[1], G.dtype.type(1)
    entry, row, codes, h = phase.order.entry, phase.order.row, phase.codes, phase.h
    for k in range(phase.order.start[i], phase.order.start[i + 1]):
        at, r = entry[k], row[k]
        weight, c = _weight(phase.weights, at, one), codes[at]
        target, source = G[c], h[r]
        g[c] += weight * phase.row_weights[r]
        for j in range(n_columns):
            target[j] += weight * source[j]


@divisible(_work_of_phases, _features_of_phases, _bounds_of_phases, **REORDERED)
def accumulate(positive, negative, offsets, U, g, G, first, stop):
    """The gradient of a sum over rows: ``G[code] += weight h[row]``, ``g[code] += ...``.

    Parameters
    ----------
    positive, negative : Phase                                                            IN
        For each feature first the rows of the one, then those of the other.
    offsets : ndarray of shape (D + 1,)                                                   IN
    U : ndarray of shape (D, M), or (0, M)                                                OUT
        Sums of ``G`` over the codes of each feature.
    g : ndarray of shape (C,)                                                             OUT
    G : ndarray of shape (C, M)                                                           OUT
    first, stop : int                                                                     IN
        The features to do.
    """
    n_columns = G.shape[1]
    for i in range(first, stop):
        for c in range(offsets[i], offsets[i + 1]):
            g[c] = 0
            for j in range(n_columns):
                G[c, j] = 0
        _add_phase(positive, i, g, G)
        _add_phase(negative, i, g, G)
        if U.shape[0] > 0:
            # The first code last, as NumPy's reduceat does.
            total, last = U[i], G[offsets[i]]
            for j in range(n_columns):
                total[j] = 0
            for c in range(offsets[i] + 1, offsets[i + 1]):
                source = G[c]
                for j in range(n_columns):
                    total[j] += source[j]
            for j in range(n_columns):
                total[j] += last[j]


@kernel(**REORDERED)
def _inputs(W, b, h, rows, out):
    """``out[q, t] = b[q] + W[q] h[rows[t]]`` for the categories q of one feature.

    Sums of several categories and rows at a time, as every number read then serves several.
    """
    n_rows, n_categories, n_hidden = rows.shape[0], W.shape[0], W.shape[1]
    n_fours, n_twos = n_rows // 4 * 4, n_categories // 2 * 2
    zero = W.dtype.type(0)
    for t in range(0, n_fours, 4):
        h0, h1, h2, h3 = h[rows[t]], h[rows[t + 1]], h[rows[t + 2]], h[rows[t + 3]]
        for q in range(0, n_twos, 2):
            w, x = W[q], W[q + 1]
            s0 = s1 = s2 = s3 = zero
            r0 = r1 = r2 = r3 = zero
            for j in range(n_hidden):
                s0 += h0[j] * w[j]
                s1 += h1[j] * w[j]
                s2 += h2[j] * w[j]
                s3 += h3[j] * w[j]
                r0 += h0[j] * x[j]
                r1 += h1[j] * x[j]
                r2 += h2[j] * x[j]
                r3 += h3[j] * x[j]
            out[q, t], out[q, t + 1] = s0 + b[q], s1 + b[q]
            out[q, t + 2], out[q, t + 3] = s2 + b[q], s3 + b[q]
            out[q + 1, t], out[q + 1, t + 1] = r0 + b[q + 1], r1 + b[q + 1]
            out[q + 1, t + 2], out[q + 1, t + 3] = r2 + b[q + 1], r3 + b[q + 1]
        for q in range(n_twos, n_categories):
            w = W[q]
            s0 = s1 = s2 = s3 = zero
            for j in range(n_hidden):
                s0 += h0[j] * w[j]
                s1 += h1[j] * w[j]
                s2 += h2[j] * w[j]
                s3 += h3[j] * w[j]
            out[q, t], out[q, t + 1] = s0 + b[q], s1 + b[q]
            out[q, t + 2], out[q, t + 3] = s2 + b[q], s3 + b[q]
    for t in range(n_fours, n_rows):
        h0 = h[rows[t]]
        for q in range(0, n_twos, 2):
            w, x = W[q], W[q + 1]
            s0 = r0 = zero
            for j in range(n_hidden):
                s0 += h0[j] * w[j]
                r0 += h0[j] * x[j]
            out[q, t], out[q + 1, t] = s0 + b[q], r0 + b[q + 1]
        for q in range(n_twos, n_categories):
            w = W[q]
            s0 = zero
            for j in range(n_hidden):
                s0 += h0[j] * w[j]
            out[q, t] = s0 + b[q]


@kernel(**OPTIONS)
def _exponentiate(x, n, e, total):
    """``x -= max(x)``, ``e = exp(x)`` and its total over the categories, a row each; n columns."""
    largest = total  # the same room
    for t in range(n):
        largest[t] = x[0, t]
    for q in range(1, x.shape[0]):
        for t in range(n):
            largest[t] = max(largest[t], x[q, t])
    for q in range(x.shape[0]):
        for t in range(n):  # an infinite x is a certainty
            x[q, t] = 0 if x[q, t] == largest[t] else x[q, t] - largest[t]
    total[:n] = 0
    for q in range(x.shape[0]):
        for t in range(n):
            e[q, t] = exp(x[q, t])
        for t in range(n):
            total[t] += e[q, t]


def _features_of_order(order, *others):
    return order.start.size - 1


def _bounds_of_order(n_parts, order, *others):
    return of_equal_work(n_parts, order.start)


def _work_of_order(order, softmax, *others):
    mean_size = len(softmax.W) / (len(softmax.offsets) - 1)
    return int(3 * order.row.size * mean_size * (softmax.W.shape[1] + 20))


# Without "arcp": LLVM would divide by a total, or multiply by its inverse, as the arrays lie.
_DIVIDING = OPTIONS | {"fastmath": OPTIONS["fastmath"] - {"arcp"}}


@divisible(_work_of_order, _features_of_order, _bounds_of_order, **_DIVIDING)
def categorical(order, softmax, h, words, position, codes, p, first, stop):
    """Draw the category of each entry given the hidden units, or compute all probabilities.

    Of ``softmax(b + W h)``. The category drawn is the first at which the cumulative probability
    exceeds a uniform number. One kernel does both, because to compile two takes twice as long.

    Parameters
    ----------
    order : Order                                                                         IN
    softmax : Softmax                                                                     IN
    h : ndarray of shape (n, M)                                                           IN
    words : ndarray of shape (n_entries,), uint32, or (0,) for probabilities              IN
        Of ``random_words``.
    position : ndarray of shape (n_entries,), or (0,) for draws                           IN
        Where the categories of an entry begin in the outputs.
    codes : ndarray of shape (n_entries,), or of one number per entry and category        OUT
    p : ndarray of one number per entry and category, or (0,) for draws                   OUT
    first, stop : int                                                                     IN
        The features to do.
    """
    start, entry, row = order.start, order.entry, order.row
    offsets, W, b, most = softmax.offsets, softmax.W, softmax.b, softmax.most
    room_x, room_e = np.empty((most, _BLOCK), W.dtype), np.empty((most, _BLOCK), W.dtype)
    total, below = np.empty(_BLOCK, W.dtype), np.empty(_BLOCK, W.dtype)
    category = np.empty(_BLOCK, np.int32)
    for i in range(first, stop):
        low, high = offsets[i], offsets[i + 1]
        for begin in range(start[i], start[i + 1], _BLOCK):
            n = min(_BLOCK, start[i + 1] - begin)
            # Whole rows of room: the vectoriser wants to know that they are contiguous.
            x, e = room_x[: high - low], room_e[: high - low]
            _inputs(W[low:high], b[low:high], h, row[begin : begin + n], x)
            _exponentiate(x, n, e, total)
            if words.shape[0] == 0:
                for t in range(n):
                    at = position[entry[begin + t]]
                    for q in range(high - low):
                        codes[at + q] = low + q
                        p[at + q] = e[q, t] / total[t]
                continue
            for t in range(n):
                total[t] *= uniform(words[entry[begin + t]], total[t])
                below[t] = 0
                category[t] = 0
            for q in range(high - low - 1):
                for t in range(n):
                    below[t] += e[q, t]
                    category[t] += below[t] <= total[t]
            for t in range(n):
                codes[entry[begin + t]] = low + category[t]


# --- One entry given the others ---------------------------------------------------------------


@kernel(**REORDERED)
def _product(q, p, e):
    """``prod_j (q_j + p_j e_j)``."""
    product = q.dtype.type(1)
    for j in range(q.shape[0]):
        product *= q[j] + p[j] * e[j]
    return product


@kernel(**REORDERED)
def _log_ratio(t, w):
    """``sum_j log((1 + exp(t_j + w_j)) / (1 + exp(t_j)))``, for weights of any size."""
    total = t.dtype.type(0)
    for j in range(t.shape[0]):
        if np.isinf(t[j]):  # the unit is certain to be on or off; infinity less itself is NaN
            total += w[j] if t[j] > 0 else 0
        else:
            total += softplus(t[j] + w[j]) - softplus(t[j])
    return total


@kernel(**REORDERED)
def _dot(a, b):
    total = a.dtype.type(0)
    for j in range(a.shape[0]):
        total += a[j] * b[j]
    return total


@kernel(**OPTIONS)
def sigmoids(t, p, q):
    """``p = sigmoid(t)`` and ``q = sigmoid(-t)``, without cancellation.

    Parameters
    ----------
    t : ndarray of shape (n, M)                                                           IN
    p, q : ndarray of shape (n, M)                                                        OUT
    """
    one = t.dtype.type(1)
    for r in range(t.shape[0]):
        for j in range(t.shape[1]):
            smaller = exp(-abs(t[r, j]))
            larger = one / (one + smaller)
            smaller *= larger
            p[r, j] = larger if t[r, j] > 0 else smaller
            q[r, j] = smaller if t[r, j] > 0 else larger


@kernel(**OPTIONS)
def conditionals(features, queries, softmax, U, inputs, limit, values, position, out):
    """The distribution of one entry over its categories, given a row's other entries.

    Of a query for feature i in a row:
    ``exp(b_c) prod_j (1 + exp(t_j + W_cj))`` for the codes c of the feature, normalised, where
    ``t`` is the input of the hidden units without the entry asked for. Divided by
    ``prod_j (1 + exp(t_j))`` a factor is ``q_j + p_j exp(W_cj)`` with ``p = sigmoid(t)`` and
    ``q = sigmoid(-t)``: a sum of positive terms between 1 and ``exp(W_cj)``.

    Parameters
    ----------
    features : tuple of two ints                                                          IN
        From which feature to which.
    queries : Queries                                                                     IN
    softmax : Softmax                                                                     IN
    U : ndarray of shape (D, M), or (0, M)                                                IN
        Added to the inputs where the row does not hold the entry: an entry that is asked for
        counts as observed.
    inputs : tuple of three ndarray of shape (n, M)                                       IN
        Total inputs ``x`` of the hidden units, bias included, and their ``sigmoids`` p and q.
    limit : int                                                                           IN
        As many factors are multiplied at a time as keep the logarithm of their product within
        +-limit. If a single factor may leave that range, each logarithm is a difference of two
        softplus. Negative: the mean-field form ``softmax(b_c + W_c p)`` instead.
    values : ndarray of shape (C,), or (0,)                                               IN
        What the categories stand for.
    position : ndarray of shape (D + 1,)                                                  IN
        Where the log-probabilities of feature i begin in ``out``, query by query.
    out : ndarray of shape (n_queries,), or of one number per query and category          OUT
        Expectations of ``values``; without values, log-probabilities.
    """
    start, row, own = queries.start, queries.row, queries.own
    offsets, W, b, most = softmax.offsets, softmax.W, softmax.b, softmax.most
    x, p, q = inputs
    n_hidden = W.shape[1]
    ts, ps = np.empty((_BLOCK, n_hidden), x.dtype), np.empty((_BLOCK, n_hidden), x.dtype)
    qs, exp_W = np.empty((_BLOCK, n_hidden), x.dtype), np.empty((most, n_hidden), x.dtype)
    room, room_e = np.empty((most, _BLOCK), x.dtype), np.empty((most, _BLOCK), x.dtype)
    product, total = np.empty(_BLOCK, x.dtype), np.empty(_BLOCK, x.dtype)
    for i in range(features[0], features[1]):
        low, n_categories = offsets[i], offsets[i + 1] - offsets[i]
        if start[i] == start[i + 1]:
            continue
        w = W[low : low + n_categories]
        max_factors = _exp_of_weights(w, limit, exp_W)
        for first in range(start[i], start[i + 1], _BLOCK):
            n = min(_BLOCK, start[i + 1] - first)
            log_p, e = room[:n_categories], room_e[:n_categories]
            for k in range(n):
                r, code = row[first + k], own[first + k]
                if code >= 0:
                    for j in range(n_hidden):
                        ts[k, j] = x[r, j] - W[code, j]
                elif U.shape[0] > 0:
                    for j in range(n_hidden):
                        ts[k, j] = x[r, j] + U[i, j]
                else:
                    for j in range(n_hidden):
                        ts[k, j], ps[k, j], qs[k, j] = x[r, j], p[r, j], q[r, j]
                if code >= 0 or U.shape[0] > 0:
                    sigmoids(ts[k : k + 1], ps[k : k + 1], qs[k : k + 1])
            for c in range(n_categories):
                for k in range(n):
                    log_p[c, k] = b[low + c]
                if limit < 0:
                    for k in range(n):
                        log_p[c, k] += _dot(ps[k], w[c])
                elif max_factors == 0:
                    for k in range(n):
                        log_p[c, k] += _log_ratio(ts[k], w[c])
                else:
                    for s in range(0, n_hidden, max_factors):
                        stop = min(s + max_factors, n_hidden)
                        for k in range(n):
                            product[k] = _product(qs[k, s:stop], ps[k, s:stop], exp_W[c, s:stop])
                        for k in range(n):
                            log_p[c, k] += log(product[k])
            _exponentiate(log_p, n, e, total)
            if values.shape[0] == 0:
                for k in range(n):
                    at = position[i] + (first - start[i] + k) * n_categories
                    log_total = log(total[k])
                    for c in range(n_categories):
                        out[at + c] = log_p[c, k] - log_total
            else:
                for k in range(n):
                    out[first + k] = 0
                for c in range(n_categories):
                    for k in range(n):
                        out[first + k] += e[c, k] / total[k] * values[low + c]


@kernel(**OPTIONS)
def _exp_of_weights(w, limit, exp_w):
    """``exp_w = exp(w)`` if that is safe; how many factors may be multiplied at a time."""
    steepest = w.dtype.type(1e-6)
    for c in range(w.shape[0]):
        for j in range(w.shape[1]):
            steepest = max(steepest, abs(w[c, j]))
    max_factors = int(limit / steepest)
    if max_factors > 0:
        for c in range(w.shape[0]):
            for j in range(w.shape[1]):
                exp_w[c, j] = exp(w[c, j])
    return max_factors
