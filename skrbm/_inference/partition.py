"""The partition function ``Z``: by enumeration, or by annealing between base rates and model.

Notation as in ``rbm``; ``A(t)`` is the log-normaliser of the visible units at an input t::

    log Z   = log sum_h exp(c h + A(W h))                       the hidden units enumerated
    log w   = sum_k log p*_k(v_{k-1}) / p*_{k-1}(v_{k-1})       of a row that is annealed
    E[w]    = Z_K / Z_0                                         (Neal, 2001)
"""

from itertools import pairwise

import numpy as np
from scipy.special import logsumexp, stdtrit

from .._log_partition import LogPartition
from .._machine.bernoulli import BernoulliVisible
from .._machine.rbm import RBM
from .._machine.threads import in_threads, shares

#: Units of a layer that are enumerated: at most, and without being asked to.
MOST_UNITS, FEW_UNITS = 25, 20

#: Coverage of intervals.
COVERAGE = 0.95

# Visible inputs that are held at a time when hidden states are enumerated.
_TABLE = 2**18

# Purposes of random numbers, hidden and visible. Those of the two directions differ, so that with
# one seed both are independent: their agreement is to mean something.
FORWARD, REVERSE = (0, 1), (2, 3)


def n_enumerated(model):
    """The number of units of the layer to enumerate: the smaller one that is binary."""
    n_visible, n_hidden = model.weights.shape
    return min(n_visible, n_hidden) if model.visible.binary else n_hidden


def exact(model):
    """``log Z`` of a float64 machine, by enumeration: O(2^M C) time and little memory.

    The states of some hidden units make a table of visible inputs; those of the others, one
    after the other, are added to it.
    """
    if n_enumerated(model) < len(model.hidden_bias):  # the same machine, seen from the other side
        visible = BernoulliVisible(model.hidden_bias)
        model = RBM(visible, np.ascontiguousarray(model.weights.T), model.visible.bias)
    n_visible, n_hidden = model.weights.shape
    n_low = min(n_hidden, int(np.log2(max(1, _TABLE // n_visible))))
    low_states = (np.arange(2**n_low)[:, np.newaxis] >> np.arange(n_low) & 1).astype(float)
    table = low_states @ model.weights.T[:n_low]
    low_terms = low_states @ model.hidden_bias[:n_low]
    high_weights = np.ascontiguousarray(model.weights.T[n_low:])
    high_bias, high_units = model.hidden_bias[n_low:], np.arange(n_hidden - n_low)
    sums = np.empty(2 ** len(high_units))

    def enumerate_states(first, stop):
        # Every thread has an error state of its own. The caller looks at the sum.
        with np.errstate(over="ignore", invalid="ignore"):
            for state in range(first, stop):
                on = np.flatnonzero(state >> high_units & 1)
                terms = model.visible.log_normaliser(table, high_weights[on].sum(axis=0))
                terms += low_terms + high_bias[on].sum()
                sums[state] = np.logaddexp.reduce(terms)

    in_threads(enumerate_states, shares(np.arange(len(sums) + 1), 10 * table.size))
    value = float(logsumexp(sums))
    return LogPartition(value, 0.0, (value, value), "exact", np.inf)


def annealed(model, tempered, v, n_betas, seed, reverse=False):
    """An estimate of ``log Z`` by annealed importance sampling.

    Parameters
    ----------
    model : RBM
    tempered : TemperedRBM
    v : complete rows
        Draws from the base rates; from the model if ``reverse``. Overwritten.
    n_betas : int
        Number of inverse temperatures, equidistant from 0 to 1.
    seed : uint64
    reverse : bool, default=False
        Whether to anneal from the model to the base rates, whose weights estimate ``1 / Z``.

    Returns
    -------
    result : LogPartition
        Where the weights w vary, E[log mean w] is less than log E[w]: a forward estimate tends
        to be too small, a reverse one too large (Burda, Grosse & Salakhutdinov, 2015).
    """
    betas = np.linspace(0, 1, n_betas)
    betas, purposes = (betas[::-1], REVERSE) if reverse else (betas, FORWARD)
    log_weights = log_importance(tempered, v, betas, seed, purposes)
    n = len(log_weights)
    log_mean = logsumexp(log_weights) - np.log(n)
    log_size = 2 * logsumexp(log_weights) - logsumexp(2 * log_weights)
    size = float(min(np.exp(log_size), n))
    # The relative standard error of the mean weight.
    stderr = float(np.sqrt((n / size - 1) / (n - 1)))
    value = float(_log_base(model, tempered) + (-log_mean if reverse else log_mean))
    reach = float(stdtrit(n - 1, 0.5 + COVERAGE / 2)) * stderr
    interval = (value - reach, value + reach)
    return LogPartition(value, stderr, interval, "reverse_ais" if reverse else "ais", size)


def log_importance(tempered, v, betas, seed, purposes=FORWARD):
    """Log-weights of rows that move from the first to the last temperature, (n,), float64."""
    hidden, visible = purposes
    log_weights = np.zeros(v.shape[0])
    betas = betas.astype(tempered.weights.dtype)
    for k, (last, beta) in enumerate(pairwise(betas)):
        x = tempered.hidden_input(v)
        log_weights += tempered.log_density(x, beta) - tempered.log_density(x, last)
        h = tempered.draw_hidden(x, beta, (seed, k, hidden))
        tempered.sample_visible(h, beta, (seed, k, visible), out=v)
    return log_weights


def _log_base(model, tempered):
    """``log Z`` at ``beta = 0``, less what the tempered energy of the model leaves out."""
    n_hidden = len(model.hidden_bias)
    delta = np.ascontiguousarray(tempered.weights[:, -1])
    nothing = np.zeros((1, len(delta)), delta.dtype)

    def normaliser(layer, shift):
        return layer.log_normaliser(nothing, shift)[0]

    constant = normaliser(tempered.visible, delta) - normaliser(model.visible, nothing[0])
    return n_hidden * np.log(2) + normaliser(tempered.visible, nothing[0]) - constant
