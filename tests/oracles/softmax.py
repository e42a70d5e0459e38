"""The slow oracle of categorical visible units: one enumerated machine per observed pattern.

Nothing here is shared with the package. Feature i owns the codes ``offsets[i]`` up to, not
including, ``offsets[i + 1]``; a row is a sequence of ascending codes, at most one per feature,
and none where the entry is missing. Many rows are ``indptr`` (n + 1,) and ``codes``.
"""

import itertools
import math

import numpy as np
from scipy.special import logsumexp

from .common import bernoulli, random_words, sigmoid, states, uniform

# --- rows -------------------------------------------------------------------------------------


def feature_of(code, offsets):
    """The feature that owns a code."""
    i = 0
    while code >= offsets[i + 1]:
        i += 1
    return i


def pattern_of(codes, offsets):
    """The features that a row observes, ascending; several codes of a feature count once."""
    return tuple(sorted({feature_of(code, offsets) for code in codes}))


def compressed(rows):
    """``indptr`` and ``codes`` of a list of rows."""
    indptr, codes = [0], []
    for row in rows:
        codes.extend(row)
        indptr.append(len(codes))
    return np.array(indptr), np.array(codes, dtype=int)


def listed(indptr, entries):
    """The opposite: one tuple per row."""
    return [tuple(entries[a:b]) for a, b in itertools.pairwise(indptr)]


# --- a softmax machine by enumeration ---------------------------------------------------------


class EnumeratedSoftmaxRBM:
    """A categorical machine whose joint distribution is one table per pattern of features.

    Parameters
    ----------
    W : ndarray of shape (C, M)
    b : ndarray of shape (C,)
    c : ndarray of shape (M,)
    offsets : ndarray of shape (D + 1,)
    values : ndarray of shape (C,), optional
        What a category stands for; its number within the feature by default.
    U : ndarray of shape (D, M), optional
        What an observed feature adds to the hidden input whatever its category.
    """

    def __init__(self, W, b, c, offsets, values=None, U=None):
        self.W, self.b, self.c = (np.array(a, dtype=float) for a in (W, b, c))
        self.U = None if U is None else np.array(U, dtype=float)
        self.offsets = [int(offset) for offset in offsets]
        numbers = [float(k) for i in range(len(self.offsets) - 1) for k in range(self.size(i))]
        self.values = np.array(numbers if values is None else values, dtype=float)
        self.all_features = tuple(range(len(self.offsets) - 1))
        self.h_states = states(len(self.c))
        self.tables = {}

    def size(self, feature):
        """The number of categories of a feature."""
        return self.offsets[feature + 1] - self.offsets[feature]

    def feature_codes(self, feature):
        """The codes that a feature owns."""
        return range(self.offsets[feature], self.offsets[feature + 1])

    def energy(self, codes, h):
        """The energy of one row and one hidden state, term by term; h may be any numbers."""
        total = 0.0
        for j in range(len(self.c)):
            total -= self.c[j] * h[j]
        for code in codes:
            total -= self.b[code]
            for j in range(len(self.c)):
                total -= self.W[code, j] * h[j]
                if self.U is not None:
                    total -= self.U[feature_of(code, self.offsets), j] * h[j]
        return total

    def free_energy(self, codes):
        """-log of the sum over hidden states."""
        return -logsumexp([-self.energy(codes, h) for h in self.h_states])

    def visible_states(self, pattern=None):
        """All rows that observe the features of a pattern, by default all of them."""
        pattern = self.all_features if pattern is None else pattern
        return list(itertools.product(*(self.feature_codes(i) for i in pattern)))

    def log_z(self, pattern=None):
        """Log of the sum of exp(-E) over the rows of a pattern and the hidden states."""
        return logsumexp([-self.free_energy(codes) for codes in self.visible_states(pattern)])

    def table(self, pattern=None):
        """The rows of a pattern and their joint probability with the hidden states."""
        pattern = self.all_features if pattern is None else tuple(pattern)
        if pattern not in self.tables:
            rows = self.visible_states(pattern)
            log_p = np.array([[-self.energy(v, h) for h in self.h_states] for v in rows])
            self.tables[pattern] = rows, np.exp(log_p - logsumexp(log_p))
        return self.tables[pattern]

    def log_likelihood(self, rows):
        """Summed log p(codes | pattern) of rows."""
        total = 0.0
        for row in rows:
            codes, joint = self.table(pattern_of(row, self.offsets))
            total += math.log(joint[codes.index(tuple(row))].sum())
        return total

    def hidden_posterior(self, codes):
        """p(h | codes) over all hidden states."""
        log_p = np.array([-self.energy(codes, h) for h in self.h_states])
        return np.exp(log_p - logsumexp(log_p))

    def hidden_mean(self, codes):
        """p(h_j = 1 | codes)."""
        return self.hidden_posterior(codes) @ self.h_states

    def visible_proba(self, h, pattern=None):
        """p(v_i = k | h) of every code, shape (C,), summed over rows; 0 outside the pattern."""
        rows = self.visible_states(pattern)
        log_p = np.array([-self.energy(codes, h) for codes in rows])
        out = np.zeros(len(self.b))
        for codes, p in zip(rows, np.exp(log_p - logsumexp(log_p)), strict=True):
            for code in codes:
                out[code] += p
        return out

    def others(self, codes, feature):
        """A row without its entry, if any, of a feature."""
        return tuple(code for code in codes if feature_of(code, self.offsets) != feature)

    def alternatives(self, codes, feature):
        """The rows that differ from one in the category of a feature, one per category."""
        others = self.others(codes, feature)
        return [tuple(sorted((*others, code))) for code in self.feature_codes(feature)]

    def pseudo_likelihood(self, codes):
        """sum_i log p(v_i | v without i) over observed features, from free energies."""
        total = 0.0
        for i in pattern_of(codes, self.offsets):
            log_sum = logsumexp([-self.free_energy(row) for row in self.alternatives(codes, i)])
            total += -self.free_energy(codes) - log_sum
        return total

    def conditional_proba(self, codes, feature):
        """p(v_q = k | the other observed entries) from the joint of the pattern with q in it."""
        alternatives = self.alternatives(codes, feature)
        rows, joint = self.table(pattern_of(alternatives[0], self.offsets))
        p = np.array([joint[rows.index(row)].sum() for row in alternatives])
        return p / p.sum()

    def mean_field_proba(self, codes, feature):
        """softmax_k(b_qk + W_qk . sigma(x)), with x of the others and of q being observed."""
        x = self.c.copy()
        for code in self.others(codes, feature):
            x += self.W[code]
            if self.U is not None:
                x += self.U[feature_of(code, self.offsets)]
        if self.U is not None:
            x += self.U[feature]
        h = [sigmoid(x_j) for x_j in x]
        logits = [self.b[code] + self.W[code] @ h for code in self.feature_codes(feature)]
        return np.exp(logits - logsumexp(logits))

    def expected_value(self, probabilities, feature):
        """The mean of what the categories of a feature stand for."""
        codes = self.feature_codes(feature)
        return sum(self.values[code] * p for code, p in zip(codes, probabilities, strict=True))

    def gradient(self, rows):
        """Exact gradient of the mean log-likelihood: W, c, b and, if conditional, U."""
        blocks = [np.zeros_like(a) for a in (self.W, self.c, self.b)]
        if self.U is not None:
            blocks.append(np.zeros_like(self.U))

        def add(codes, h, weight):
            blocks[1] += weight * h
            for code in codes:
                blocks[0][code] += weight * h
                blocks[2][code] += weight
                if self.U is not None:
                    blocks[3][feature_of(code, self.offsets)] += weight * h

        for row in rows:
            table_rows, joint = self.table(pattern_of(row, self.offsets))
            of_row = joint[table_rows.index(tuple(row))]
            for h, p in zip(self.h_states, of_row / of_row.sum(), strict=True):
                add(row, h, p / len(rows))
            for s, t in itertools.product(range(len(table_rows)), range(len(self.h_states))):
                add(table_rows[s], self.h_states[t], -joint[s, t] / len(rows))
        return blocks


# --- twins of the kernels ---------------------------------------------------------------------


def forward(indptr, codes, W, U, offsets, values=None):
    """The hidden input without c; a feature with several weighted codes adds its U once."""
    values = np.ones(len(codes)) if values is None else values
    out = np.zeros((len(indptr) - 1, W.shape[1]))
    for r, j in itertools.product(range(out.shape[0]), range(out.shape[1])):
        entries = range(indptr[r], indptr[r + 1])
        for n in entries:
            out[r, j] += float(values[n]) * float(W[codes[n], j])
        if U is not None:
            for i in pattern_of([codes[n] for n in entries], offsets):
                out[r, j] += float(U[i, j])
    return out


def logits(code, offsets, W, b, h):
    """First code and logits of the feature of a code, added in double, rounded once to W's."""
    i = feature_of(code, offsets)
    out = []
    for k in range(offsets[i], offsets[i + 1]):
        total = float(b[k])
        for j in range(W.shape[1]):
            total += float(W[k, j]) * float(h[j])
        out.append(W.dtype.type(total))
    return int(offsets[i]), out


def sample(indptr, codes, offsets, W, b, h, seed, update, purpose):
    """Codes drawn from p(v | h) for the observed features, entry k of a row with its word k."""
    dtype = W.dtype.type
    out = np.array(codes)
    for r, (begin, end) in enumerate(itertools.pairwise(indptr)):
        words = random_words(seed, update, purpose, r, int(end - begin))
        for k, word in enumerate(words):
            first, inputs = logits(codes[begin + k], offsets, W, b, h[r])
            e = [np.exp(x - max(inputs)) for x in inputs]
            total = dtype(0)
            for e_k in e:
                total += e_k
            threshold = dtype(uniform(word, W.dtype)) * total
            chosen, cumulative = 0, e[0]
            while not cumulative > threshold and chosen < len(e) - 1:
                chosen += 1
                cumulative += e[chosen]
            out[begin + k] = first + chosen
    return out


def expected(indptr, codes, offsets, W, b, h):
    """Rows with every category of each observed feature: indptr, codes and probabilities."""
    out_indptr, out_codes, out_values = [0], [], []
    for r, (begin, end) in enumerate(itertools.pairwise(indptr)):
        for n in range(begin, end):
            first, inputs = logits(codes[n], offsets, W, b, h[r])
            e = [math.exp(float(x) - float(max(inputs))) for x in inputs]
            out_codes.extend(range(first, first + len(e)))
            out_values.extend(e_k / sum(e) for e_k in e)
        out_indptr.append(len(out_codes))
    return np.array(out_indptr), np.array(out_codes, dtype=int), np.array(out_values, dtype=float)


def accumulate(indptr, codes, values, h, row_weights, n_codes):
    """Weighted sums over rows of (value h, value) by code, shapes (C, M) and (C,)."""
    values = np.ones(len(codes)) if values is None else values
    weights, bias = np.zeros((n_codes, h.shape[1])), np.zeros(n_codes)
    for r, (begin, end) in enumerate(itertools.pairwise(indptr)):
        for n in range(begin, end):
            weight = float(row_weights[r]) * float(values[n])
            bias[codes[n]] += weight
            for j in range(h.shape[1]):
                weights[codes[n], j] += weight * float(h[r, j])
    return weights, bias


def accumulate_conditional(indptr, codes, offsets, h, row_weights):
    """Weighted sums over rows of h by observed feature, shape (D, M)."""
    out = np.zeros((len(offsets) - 1, h.shape[1]))
    for r, row in enumerate(listed(indptr, codes)):
        for i, j in itertools.product(pattern_of(row, offsets), range(h.shape[1])):
            out[i, j] += float(row_weights[r]) * float(h[r, j])
    return out


# --- learning, one number at a time -----------------------------------------------------------


def cd_update(
    indptr,
    codes,
    offsets,
    W,
    c,
    b,
    U=None,
    *,
    seed,
    update,
    learning_rate,
    n_steps=1,
    momentum=0.0,
    weight_decay=0.0,
    l1_penalty=0.0,
    means=False,
    steps=None,
    center=None,
    slopes=None,
):
    """One CD-k update of a batch in plain loops; returns parameters and steps.

    Both are lists in the order W, c, b and, if conditional, U. Draws follow the package's
    numbering: purpose 0 for the first hidden draw, 2k + 1 for the visible and 2k + 2 for the
    hidden draw of Gibbs step k. ``steps`` are those of the update before, for momentum. A
    ``center`` (``training.Center``), with shares of all rows for means of data, is changed.
    ``slopes``: values of all codes, in which weights stay linear.
    """
    parameters = [np.array(a, dtype=float) for a in (W, c, b, U) if a is not None]
    W, c, b = parameters[:3]
    U = None if U is None else parameters[3]
    steps = [np.zeros_like(p) for p in parameters] if steps is None else steps
    n = len(indptr) - 1

    def hidden(rows):
        indptr, codes, values = rows
        return np.vectorize(sigmoid)(forward(indptr, codes, W, U, offsets, values) + c)

    def statistics(rows, h):
        """Means over rows of the derivatives of -E, units being counted from their means."""
        parts = [np.zeros_like(p) for p in parameters]
        for row, weights, h_row in zip(*dense(rows), h, strict=True):
            for k in range(len(b)):
                parts[2][k] += weights[k] / n
            for j in range(len(c)):
                h_j = (h_row[j] - hidden_mean[j]) / n
                parts[1][j] += h_j
                for k in range(len(b)):
                    parts[0][k, j] += (weights[k] - mu[k]) * h_j
                for i in range(len(row) if U is not None else 0):
                    parts[3][i, j] += (row[i] - rho[i]) * h_j
        return parts

    def dense(rows):
        """Of each row: which features it observes, and phi."""
        indptr, codes, values = rows
        values = np.ones(len(codes)) if values is None else values
        observed, phi = np.zeros((n, len(offsets) - 1)), np.zeros((n, len(b)))
        for r, (begin, end) in enumerate(itertools.pairwise(indptr)):
            for k in range(begin, end):
                observed[r, feature_of(codes[k], offsets)] = 1
                phi[r, codes[k]] += values[k]
        return observed, phi

    positive = negative = indptr, codes, None
    h_pos = hidden(positive)
    h = bernoulli(h_pos, seed, update, 0)
    for k in range(n_steps):
        if k > 0:
            h = bernoulli(hidden(negative), seed, update, 2 * k)
        drawn = sample(indptr, codes, offsets, W, b, h, seed, update, 2 * k + 1)
        negative = indptr, drawn, None
    if means:
        negative = expected(indptr, codes, offsets, W, b, h)
    h_neg = hidden(negative)

    mu, hidden_mean = np.zeros_like(b), np.zeros_like(c)
    if center is not None:
        center.follow(h_pos)
        mu, hidden_mean = center.data_mean, center.hidden_mean
    rho = [mu[begin:end].sum() for begin, end in itertools.pairwise(offsets)]
    phases = zip(statistics(positive, h_pos), statistics(negative, h_neg), strict=True)
    gradient = [data - model for data, model in phases]
    if slopes is not None:
        table = np.zeros((len(rho), 2, len(c)))  # the gradient by u and a of W_k = u + z_k a
        for k, g in enumerate(gradient[0]):
            table[feature_of(k, offsets)] += np.outer([1, slopes[k]], g)
        gradient[0] = [[1, z] @ table[feature_of(k, offsets)] for k, z in enumerate(slopes)]

    def shifted(parameters, sign):
        """From biases of the machine to those of ``training.updated``, or back."""
        W, c, b, *U = parameters
        c = c + sign * (mu @ W + sum(rho @ u for u in U))
        return [W, c, b + sign * (W @ hidden_mean), *U]

    penalised = (True, False, False, True)[: len(parameters)]
    steps = [
        momentum * step + learning_rate * (g - yes * (weight_decay * p + l1_penalty * np.sign(p)))
        for step, g, p, yes in zip(steps, gradient, parameters, penalised, strict=True)
    ]
    moved = [p + step for p, step in zip(shifted(parameters, 1), steps, strict=True)]
    return shifted(moved, -1), steps
