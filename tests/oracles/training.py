"""The slow oracle of learning: epochs of CD and PCD, one number at a time."""

import numpy as np

from .common import bernoulli, matmul, sigmoid

#: The word of the random numbers that make bits of the values of data.
DATA = 2**17 - 1


class Center:
    """Where units are counted from: means of data, and a moving average of hidden means.

    Parameters
    ----------
    data_mean : ndarray of shape (N,)
    hidden_mean : ndarray of shape (M,)
        Follows the data, if ``rate`` is not 0.
    rate : float, default=0.01
    """

    def __init__(self, data_mean, hidden_mean, rate=0.01):
        self.data_mean, self.hidden_mean = (np.array(a, float) for a in (data_mean, hidden_mean))
        self.rate = rate

    def follow(self, h):
        """Hidden means of rows of data, one row after the other."""
        last = self.hidden_mean.copy()
        for row in h:
            self.hidden_mean += self.rate * (row - last) / len(h)


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
    l1_penalty=0.0,
    means=False,
    bits=False,
    center=None,
    trajectory=None,
    first_update=0,
):
    """One epoch of CD (``n_chains=None``) or PCD in plain loops; returns W, c, chains.

    ``units`` and ``center`` are changed. ``order`` lists the rows; draws follow the package's
    numbering: purpose 0 for CD's first hidden draw, 2k + 1 for the visible and 2k + 2 for the
    hidden draw of Gibbs step k. ``learning_rate`` may be a function of the number of the update;
    ``bits`` says whether data are drawn from their values; a list ``trajectory`` grows by the
    parameters after each update. ``first_update`` is the number of the first one.
    """
    W, c = (np.array(a, dtype=float) for a in (W, c))
    chains = None if n_chains is None else np.zeros((n_chains, len(c)))
    steps = [np.zeros_like(a) for a in (W, c, *units.parameters)]
    rate_of = learning_rate if callable(learning_rate) else lambda update: learning_rate

    def hidden(v):
        return np.vectorize(sigmoid)(matmul(units.features(v), W) + c)

    for update, first in enumerate(range(0, len(order), batch_size), first_update):
        v_pos = V[order[first : first + batch_size]]
        v_pos = bernoulli(v_pos, seed, update, DATA) if bits else v_pos
        h_pos = hidden(v_pos)
        h = bernoulli(h_pos, seed, update, 0) if chains is None else chains
        for k in range(n_steps):
            inputs = matmul(h, W.T)
            v = units.draw(inputs, seed, update, 2 * k + 1)
            h = bernoulli(hidden(v), seed, update, 2 * k + 2)
        v_neg = units.mean(inputs) if means else v
        if chains is not None:
            chains = h
        phases = (v_pos, h_pos), (v_neg, hidden(v_neg))
        rates = rate_of(update), momentum, weight_decay, l1_penalty
        W, c, steps = updated(phases, W, c, units, steps, rates, center)
        if trajectory is not None:
            trajectory.append([a.copy() for a in (W, c, *units.parameters)])
    return W, c, chains


def updated(phases, W, c, units, steps, rates, center=None):
    """W, c and steps after a step along the difference of two phases (v, h); changes ``units``.

    The step is one of the machine ``E = E_vis(v) - c' (h - lambda) - (phi(v) - mu) W (h -
    lambda)``, of which the visible units have the bias ``b' = b + s W lambda``.
    """
    learning_rate, momentum, weight_decay, l1_penalty = rates
    mu, hidden_mean = np.zeros(len(W)), np.zeros_like(c)
    if center is not None:
        center.follow(phases[0][1])
        mu = units.features(center.data_mean[np.newaxis])[0]
        hidden_mean = center.hidden_mean

    def statistics(v, h):
        interaction = matmul((units.features(v) - mu).T, h - hidden_mean) / len(v)
        return [interaction, (h - hidden_mean).sum(axis=0) / len(v), *units.statistics(v, h, W)]

    data, model = (statistics(*phase) for phase in phases)
    directions = units.precondition([d - m for d, m in zip(data, model, strict=True)])
    directions[0] = directions[0] - weight_decay * W - l1_penalty * np.sign(W)
    steps = [
        momentum * step + learning_rate * direction
        for step, direction in zip(steps, directions, strict=True)
    ]
    b, *others = units.parameters
    scale = units.scale
    b_centred, c_centred = b + scale * (W @ hidden_mean)[: len(b)], c + mu @ W
    W, b_centred, c_centred = W + steps[0], b_centred + steps[2], c_centred + steps[1]
    b = b_centred - scale * (W @ hidden_mean)[: len(b)]
    units.parameters = [b, *(p + s for p, s in zip(others, steps[3:], strict=True))]
    units.constrain()
    return W, c_centred - mu @ W, steps
