"""The slow oracle of learning: epochs of CD and PCD, one number at a time."""

import numpy as np

from .common import bernoulli, matmul, sigmoid


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
    directions = units.precondition([data - model for data, model in zip(*phases, strict=True)])
    directions[0] = directions[0] - weight_decay * W
    steps = [
        momentum * step + learning_rate * direction
        for step, direction in zip(steps, directions, strict=True)
    ]
    units.parameters = [p + s for p, s in zip(units.parameters, steps[2:], strict=True)]
    units.constrain()
    return W + steps[0], c + steps[1], steps
