"""The slow oracle of partition functions: sums over states, and integrals on a grid.

Nothing here is shared with the package. An ``oracle`` is an enumerated machine of ``bernoulli``,
``gaussian`` or ``softmax``: it knows the energy of a pair of states, and all hidden states.
``base`` is the oracle of the machine at inverse temperature ``beta = 0``.
"""

import itertools
import math

import numpy as np
from scipy.special import logsumexp

from .common import states

# --- twins of the kernels ---------------------------------------------------------------------


def softplus_sum(t):
    """sum_i log(1 + exp(t_i)), one number at a time."""
    return math.fsum(x + math.log1p(math.exp(-x)) if x > 0 else math.log1p(math.exp(x)) for x in t)


def logsumexp_sum(t, offsets):
    """sum_i log sum_k exp(t_k) over the categories k of each feature i."""
    total = 0.0
    for first, stop in itertools.pairwise(offsets):
        largest = max(t[first:stop])
        if math.isinf(largest):
            total += largest
        else:
            total += largest + math.log(math.fsum(math.exp(x - largest) for x in t[first:stop]))
    return total


# --- log Z ------------------------------------------------------------------------------------


def log_z_of_rows(oracle, rows):
    """Log of the sum of exp(-F(v)) over rows: log Z if they are all there are."""
    return logsumexp([-oracle.free_energy(v) for v in rows])


def log_z_over_visible_states(W, b, c):
    """log Z of a binary machine: its visible units enumerated, the hidden ones summed out."""
    V = states(len(b))
    return logsumexp(V @ b + np.logaddexp(0, V @ W + c).sum(axis=1))


def grid(W, b, variance):
    """A grid of visible rows wide enough for all mass, and the volume of a cell.

    By the trapezoid rule: with a spacing of s / 2 its error of a normal density is
    2 exp(-2 pi^2 / 0.5^2) = 1e-34, and beyond 9 s of the outermost means lies 1e-19.
    """
    s = np.sqrt(variance)
    low = b + s * (np.minimum(W, 0).sum(axis=1) - 9)
    high = b + s * (np.maximum(W, 0).sum(axis=1) + 9)
    axes = [np.arange(*ends) for ends in zip(low, high, s / 2, strict=True)]
    return np.array(list(itertools.product(*axes))), np.prod(s / 2)


def log_z_by_quadrature(W, b, c, variance):
    """log Z of a real-valued machine, from energies on a grid: no integral is solved."""
    V, volume = grid(W, b, variance)
    own = ((V - b) ** 2 / (2 * variance)).sum(axis=1)
    x = V / np.sqrt(variance) @ W
    log_p = [-own + x @ h + c @ h for h in states(len(c))]
    return logsumexp(log_p) + np.log(volume)


# --- machines between base rates and model ----------------------------------------------------


def base_of(oracle, b, *others):
    """A machine without weights, its visible biases b; ``others`` are what a model adds."""
    return type(oracle)(np.zeros_like(oracle.W), b, np.zeros_like(oracle.c), *others)


def tempered_energies(oracle, base, v, beta):
    """(1 - beta) E_base(v) + beta E(v, h), for every hidden state h."""
    off = oracle.h_states[0]  # of the base rates the energy does not depend on h
    own = (1 - beta) * base.energy(v, off)
    return np.array([own + beta * oracle.energy(v, h) for h in oracle.h_states])


def tempered_log_density(oracle, base, v, beta):
    """Logarithm of the unnormalised p_beta(v)."""
    return logsumexp(-tempered_energies(oracle, base, v, beta))


def tempered_hidden(oracle, base, v, beta):
    """p_beta(h | v) of every hidden state."""
    log_p = -tempered_energies(oracle, base, v, beta)
    return np.exp(log_p - logsumexp(log_p))


def tempered_visible(oracle, base, rows, state, beta):
    """p_beta(v | h) of every row, all that there are, for the hidden state of a number."""
    log_p = np.array([-tempered_energies(oracle, base, v, beta)[state] for v in rows])
    return np.exp(log_p - logsumexp(log_p))
