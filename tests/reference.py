"""The slow oracle: the mathematics again, by enumeration and in plain loops.

Nothing here is shared with the package. Machines are small enough to sum over all states;
random numbers are computed with Python integers.
"""

import itertools
import math

import numpy as np

# --- random numbers ---------------------------------------------------------------------------


def philox4x32(counter, key):
    """Philox4x32-10 of Salmon et al. (2011): four words of 32 bits from a counter and a key."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        high_0, low_0 = divmod(0xD2511F53 * c0, 2**32)
        high_1, low_1 = divmod(0xCD9E8D57 * c2, 2**32)
        c0, c1, c2, c3 = high_1 ^ c1 ^ k0, low_1, high_0 ^ c3 ^ k1, low_0
        k0 = (k0 + 0x9E3779B9) % 2**32
        k1 = (k1 + 0xBB67AE85) % 2**32
    return c0, c1, c2, c3


def random_words(seed, update, purpose, row, n_units):
    """The word of each unit of a row: word ``i // Q`` of counter ``i % Q``, Q = ceil(n / 4)."""
    seed = int(seed)
    key = (seed % 2**32, seed >> 32)
    n_blocks = math.ceil(n_units / 4)
    return [
        philox4x32((i % n_blocks, row, update, purpose), key)[i // n_blocks]
        for i in range(n_units)
    ]


def uniform(word, dtype):
    """The middle of the cell of (0, 1) that the leading bits of a word name."""
    n_bits = 23 if dtype == np.float32 else 31
    return ((word >> (32 - n_bits)) + 0.5) / 2**n_bits


def bernoulli(p, seed, update, purpose):
    """Draws with probabilities p, one number at a time."""
    out = np.zeros_like(p)
    for r in range(p.shape[0]):
        words = random_words(seed, update, purpose, r, p.shape[1])
        for i, word in enumerate(words):
            out[r, i] = uniform(word, p.dtype) < p[r, i]
    return out


# --- elementary functions ---------------------------------------------------------------------


def sigmoid(x):
    """The logistic function of a scalar, without overflow."""
    return 1 / (1 + math.exp(-x)) if x > 0 else math.exp(x) / (1 + math.exp(x))


def matmul(a, b):
    """A matrix product in three loops."""
    out = np.zeros((len(a), b.shape[1]))
    for i, j, k in itertools.product(range(len(a)), range(b.shape[1]), range(b.shape[0])):
        out[i, j] += float(a[i, k]) * float(b[k, j])
    return out


def states(n_units):
    """All 2^n binary states, shape (2^n, n)."""
    return np.array(list(itertools.product([0.0, 1.0], repeat=n_units)))


# --- a Bernoulli machine by enumeration -------------------------------------------------------


class EnumeratedRBM:
    """A binary machine whose joint distribution is a table over all states.

    Parameters
    ----------
    W : ndarray of shape (D, M)
    b : ndarray of shape (D,)
    c : ndarray of shape (M,)
    """

    def __init__(self, W, b, c):
        self.W, self.b, self.c = (np.asarray(a, dtype=float) for a in (W, b, c))
        self.v_states = states(len(self.b))
        self.h_states = states(len(self.c))
        unnormalised = np.array(
            [[math.exp(-self.energy(v, h)) for h in self.h_states] for v in self.v_states]
        )
        self.log_z = math.log(unnormalised.sum())
        self.joint = unnormalised / unnormalised.sum()  # (2^D, 2^M)
        self.p_v = self.joint.sum(axis=1)
        self.p_h = self.joint.sum(axis=0)

    def energy(self, v, h):
        """The energy of one pair of states, term by term."""
        total = 0.0
        for i in range(len(self.b)):
            total -= self.b[i] * v[i]
        for j in range(len(self.c)):
            total -= self.c[j] * h[j]
        for i, j in itertools.product(range(len(self.b)), range(len(self.c))):
            total -= v[i] * self.W[i, j] * h[j]
        return total

    def free_energy(self, v):
        """-log of the sum over hidden states; v may hold values between 0 and 1."""
        return -math.log(sum(math.exp(-self.energy(v, h)) for h in self.h_states))

    def log_likelihood(self, V):
        """Summed log p(v) of rows."""
        return sum(-self.free_energy(v) - self.log_z for v in V)

    def hidden_mean(self, v):
        """p(h_j = 1 | v) from the unnormalised joint, for any v."""
        weights = np.array([math.exp(-self.energy(v, h)) for h in self.h_states])
        return weights @ self.h_states / weights.sum()

    def visible_given_hidden(self, h):
        """p(v | h) over all visible states."""
        weights = np.array([math.exp(-self.energy(v, h)) for v in self.v_states])
        return weights / weights.sum()

    def visible_mean(self, h):
        """p(v_i = 1 | h)."""
        return self.visible_given_hidden(h) @ self.v_states

    def pseudo_likelihood(self, v):
        """sum_i E log p(v_i | v without i), from two free energies per unit."""
        total = 0.0
        for i in range(len(v)):
            on, off = v.copy(), v.copy()
            on[i], off[i] = 1.0, 0.0
            log_on, log_off = -self.free_energy(on), -self.free_energy(off)
            log_sum = np.logaddexp(log_on, log_off)
            total += v[i] * (log_on - log_sum) + (1 - v[i]) * (log_off - log_sum)
        return total

    def transition(self):
        """The Gibbs kernel v -> h -> v as a matrix over visible states."""
        p_h_given_v = self.joint / self.p_v[:, np.newaxis]
        p_v_given_h = (self.joint / self.p_h).T
        return p_h_given_v @ p_v_given_h

    def statistics(self, p_v):
        """Expectations of (v h, h, v) with v from a table and h given v from the model."""
        h = np.array([self.hidden_mean(v) for v in self.v_states])
        return (
            np.einsum("s,si,sj->ij", p_v, self.v_states, h),
            p_v @ h,
            p_v @ self.v_states,
        )

    def data_statistics(self, V):
        """The same averaged over rows of data, which may be grey."""
        h = np.array([self.hidden_mean(v) for v in V])
        return np.einsum("ni,nj->ij", V, h) / len(V), h.mean(axis=0), V.mean(axis=0)

    def gradient(self, V):
        """Exact gradient of the mean log-likelihood with respect to (W, c, b)."""
        return tuple(
            data - model
            for data, model in zip(self.data_statistics(V), self.statistics(self.p_v), strict=True)
        )


def log_likelihood(W, b, c, V):
    """Summed log p(v) of rows, the hidden units summed out: one table over visible states."""

    def log_p(v):
        return v @ b + np.logaddexp(0, v @ W + c).sum(axis=1)

    return log_p(V).sum() - len(V) * np.logaddexp.reduce(log_p(states(len(b))))


def bars_and_stripes(n):
    """2^n patterns of bars and 2^n of stripes on an n x n grid, 2^(n+1) rows."""
    lines = states(n)
    bars = [np.tile(line, (n, 1)).ravel() for line in lines]
    stripes = [np.tile(line, (n, 1)).T.ravel() for line in lines]
    return np.array(bars + stripes)


# --- learning, one number at a time -----------------------------------------------------------


class BinaryUnits:
    """What the loop below asks of visible units, and the parameters that it learns of them."""

    def __init__(self, b):
        self.parameters = [np.array(b, dtype=float)]

    def features(self, v):
        """What meets the weights."""
        return v

    def mean(self, inputs):
        """E[v | h]."""
        return np.vectorize(sigmoid)(inputs + self.parameters[0])

    def draw(self, inputs, seed, update, purpose):
        """A draw from p(v | h)."""
        return bernoulli(self.mean(inputs), seed, update, purpose)

    def statistics(self, v, h, W):
        """Mean over rows of the derivative of -E(v, h) by each parameter."""
        return [v.sum(axis=0) / len(v)]

    def direction(self, gradient):
        """What is added to (W, c, parameters), times the learning rate."""
        return gradient

    def constrain(self):
        """Parameters back into their bounds."""


def train(
    V,
    W,
    c,
    units,
    *,
    seed,
    order,
    batch_size,
    learning_rate,
    n_steps=1,
    n_chains=None,
    momentum=0.0,
    weight_decay=0.0,
    means=False,
):
    """One epoch of CD (``n_chains=None``) or PCD in plain loops; returns W, c, chains.

    ``units`` are changed. ``order`` lists the rows; draws follow the package's numbering:
    purpose 0 for CD's first hidden draw, 2k + 1 for the visible and 2k + 2 for the hidden draw
    of Gibbs step k.
    """
    W, c = (np.array(a, dtype=float) for a in (W, c))
    chains = None if n_chains is None else np.zeros((n_chains, len(c)))
    steps = [np.zeros_like(a) for a in (W, c, *units.parameters)]

    def hidden(v):
        return np.vectorize(sigmoid)(matmul(units.features(v), W) + c)

    def statistics(v, h):
        interaction = matmul(units.features(v).T, h) / len(v)
        return [interaction, h.sum(axis=0) / len(v), *units.statistics(v, h, W)]

    for update, first in enumerate(range(0, len(order), batch_size)):
        v_pos = V[order[first : first + batch_size]]
        h_pos = hidden(v_pos)
        h = bernoulli(h_pos, seed, update, 0) if chains is None else chains
        for k in range(n_steps):
            inputs = matmul(h, W.T)
            v = units.draw(inputs, seed, update, 2 * k + 1)
            h = bernoulli(hidden(v), seed, update, 2 * k + 2)
        v_neg = units.mean(inputs) if means else v
        if chains is not None:
            chains = h
        phases = statistics(v_pos, h_pos), statistics(v_neg, hidden(v_neg))
        W, c, steps = updated(phases, W, c, units, steps, learning_rate, momentum, weight_decay)
    return W, c, chains


def updated(phases, W, c, units, steps, learning_rate, momentum, weight_decay):
    """W, c and steps after a step along the difference of two phases; ``units`` are changed."""
    directions = units.direction([data - model for data, model in zip(*phases, strict=True)])
    directions[0] = directions[0] - weight_decay * W
    steps = [
        momentum * step + learning_rate * direction
        for step, direction in zip(steps, directions, strict=True)
    ]
    units.parameters = [p + s for p, s in zip(units.parameters, steps[2:], strict=True)]
    units.constrain()
    return W + steps[0], c + steps[1], steps
