"""The slow oracle of binary units: the machine again, by enumeration and in plain loops.

Nothing here is shared with the package. Machines are small enough to sum over all states.
"""

import itertools
import math

import numpy as np

from .common import bernoulli, sigmoid, states

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

    def log_odds(self, v):
        """Of each unit given all others, from the two free energies, (D,)."""
        out = np.empty(len(v))
        for i in range(len(v)):
            on, off = v.copy(), v.copy()
            on[i], off[i] = 1.0, 0.0
            out[i] = self.free_energy(off) - self.free_energy(on)
        return out

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
    """What ``training.train`` asks of visible units, and the parameters that it learns of them."""

    scale = 1.0  # what an input is times in the unit of the bias

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

    def precondition(self, gradient):
        """What is added to (W, c, parameters), times the learning rate."""
        return gradient

    def constrain(self):
        """Parameters back into their bounds."""
