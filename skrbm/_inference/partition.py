"""The partition function ``Z``: by enumeration, or by annealing between base rates and model.

Notation as in ``rbm``; ``A`` is the log-normaliser of the visible layer::

    log Z   = log sum_h exp(c h + A(h W^T))                     the hidden units enumerated
    log w   = sum_k log p*_k(v_{k-1}) / p*_{k-1}(v_{k-1})       of a row that is annealed
    E[w]    = Z_K / Z_0                                         (Neal, 2001)
"""

import math
from itertools import pairwise

import numpy as np
from scipy.special import logsumexp, stdtrit

from .._log_partition import LogPartition
from .._machine.keys import Purpose, draw_seed
from .._machine.products import product_with_transpose
from .._machine.tempered import TemperedRBM
from .._machine.threads import in_threads, shares
from .sampler import N_GIBBS_STEPS, N_TEMPERATURES, Sampler
from .starts import base_rate_rows

#: Units of a layer that are enumerated: at most, and without being asked to.
MOST_UNITS, FEW_UNITS = 25, 20

#: States times units of the other layer that are summed over without being asked to: 2^20 states
#: of 1024 binary units take about a second.
FEW_TERMS = 2**30

#: Coverage of intervals.
COVERAGE = 0.95

# Visible inputs that are held at a time when hidden states are enumerated.
_TABLE = 2**18

# Temperatures of the chains that run before, at least; parts of the path that they tell apart.
_LEAST_PILOT, _N_PARTS = 200, 20

# Random numbers of hidden and visible units. Reverse annealing has others than forward annealing,
# so that with one seed both estimates are independent.
FORWARD = Purpose.FORWARD_HIDDEN, Purpose.FORWARD_VISIBLE
REVERSE = Purpose.REVERSE_HIDDEN, Purpose.REVERSE_VISIBLE


def n_enumerated(model):
    """Number of binary units whose states ``exact`` lists."""
    return int(math.log2(min(model.hidden.n_states, model.visible.n_states)))


def is_quick(model):
    """Whether ``exact`` takes about a second at most."""
    n_units, n_others = n_enumerated(model), enumerable(model).visible.n_units
    return n_units <= FEW_UNITS and 2**n_units * n_others <= FEW_TERMS


def enumerable(model):
    """The machine, seen from the side whose hidden units have the fewer states."""
    return model if model.hidden.n_states <= model.visible.n_states else model.mirrored()


def exact(model):
    """``log Z`` of a float64 machine, by enumeration: O(2^M N) time and little memory.

    The states of some hidden units make a table of visible inputs. Each state of the other hidden
    units, one after the other, is added to the table.
    """
    model.check_finite()
    model = enumerable(model)
    n_visible, n_hidden = model.weights.shape
    bias = model.hidden.bias
    n_low = min(n_hidden, int(np.log2(max(1, _TABLE // n_visible))))
    low_states = (np.arange(2**n_low)[:, np.newaxis] >> np.arange(n_low) & 1).astype(float)
    table = product_with_transpose(low_states, np.ascontiguousarray(model.weights[:, :n_low]))
    low_terms = np.einsum("sj,j->s", low_states, bias[:n_low])  # without the threads of BLAS
    high_weights = np.ascontiguousarray(model.weights.T[n_low:])
    high_bias, high_units = bias[n_low:], np.arange(n_hidden - n_low)
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


def ais(model, base_rate_bias, n_chains, n_betas, random_state, start):
    """An estimate of ``log Z`` by annealed importance sampling, from base rates to model.

    Parameters
    ----------
    model : RBM
    base_rate_bias : ndarray of shape (N,)
        The bias of the visible layer before training.
    n_chains : int
        Number of rows to anneal.
    n_betas : int
        Number of inverse temperatures from 0 to 1.
    random_state : RandomState
    start : Start
        Where the chains start that draw the first rows. Forward, these are the base rates.

    Returns
    -------
    result : LogPartition
        Where the weights w vary, E[log mean w] is less than log E[w]. So this estimate tends to be
        too small, and the estimate of ``reverse_ais`` too large (Burda, Grosse & Salakhutdinov,
        2015).
    """
    model.check_finite()
    # Seeds in another order than in ``reverse_ais``, which then starts at rows of its own.
    seed = draw_seed(random_state)
    v = start.rows(model.visible, base_rate_bias, n_chains, random_state)
    tempered = TemperedRBM(model, base_rate_bias)
    betas = schedule(model, base_rate_bias, n_chains, n_betas, random_state)
    log_weights = log_importance(tempered, v, betas, seed, FORWARD)
    value, *spread = _log_mean(log_weights)
    return _estimate(_log_base_rates(model, tempered) + value, *spread, "ais", n_chains)


def reverse_ais(model, base_rate_bias, n_chains, n_betas, random_state, start):
    """An estimate by annealing from the model to its base rates: the weights estimate ``1 / Z``.

    ``ais`` describes the parameters. The first rows are the ends of tempered chains.
    """
    model.check_finite()
    sampler = Sampler(model, base_rate_bias, N_GIBBS_STEPS, N_TEMPERATURES)
    v, _ = sampler.draw(start, n_chains, random_state)
    tempered, seed = TemperedRBM(model, base_rate_bias), draw_seed(random_state)
    betas = schedule(model, base_rate_bias, n_chains, n_betas, random_state)[::-1]
    value, *spread = _log_mean(log_importance(tempered, v, betas, seed, REVERSE))
    return _estimate(_log_base_rates(model, tempered) - value, *spread, "reverse_ais", n_chains)


def _log_mean(log_weights):
    """Log of the mean weight, its standard error, and the effective sample size (Kong, 1992)."""
    n = len(log_weights)
    log_size = 2 * logsumexp(log_weights) - logsumexp(2 * log_weights)
    size = float(min(np.exp(log_size), n))
    # The relative standard error of the mean weight.
    stderr = float(np.sqrt((n / size - 1) / (n - 1)))
    return logsumexp(log_weights) - np.log(n), stderr, size


def _estimate(value, stderr, size, method, n_chains):
    """The result, with Student's interval."""
    value = float(value)
    reach = float(stdtrit(n_chains - 1, 0.5 + COVERAGE / 2)) * stderr
    return LogPartition(value, stderr, (value - reach, value + reach), method, size)


def schedule(model, base_rate_bias, n_chains, n_betas, random_state):
    """Inverse temperatures from 0 to 1, more of them where log-weights come to differ.

    Half of them are equidistant, so that no part has fewer than half as many. The others are
    where the log-weights of chains that run before, at a tenth as many temperatures, gain their
    variance: each increment adds its covariance with the sum to the variance of the sum. Such
    chains are others than those whose weights count. So the weights have the right mean, as for
    any temperatures that are fixed in advance. Below 2000 all temperatures are equidistant.
    """
    n_pilot = n_betas // 10
    if n_pilot < _LEAST_PILOT:
        return np.linspace(0, 1, n_betas)
    v = base_rate_rows(model.visible, base_rate_bias, n_chains, draw_seed(random_state))
    tempered, seed = TemperedRBM(model, base_rate_bias), draw_seed(random_state)
    parts, path = np.zeros((_N_PARTS, n_chains)), np.linspace(0, 1, n_pilot)
    for k, increment in enumerate(increments(tempered, v, path, seed)):
        parts[k * _N_PARTS // (n_pilot - 1)] += increment
    total = parts.sum(axis=0)
    gains = np.maximum((parts - parts.mean(axis=1, keepdims=True)) @ (total - total.mean()), 0)
    gained = np.append(0, gains.cumsum())
    if not 0 < gained[-1] < np.inf:
        return np.linspace(0, 1, n_betas)
    even = np.linspace(0, 1, _N_PARTS + 1)
    # The last sum, not gains.sum(), which is rounded otherwise: the last share is 1 exactly.
    return np.interp(np.linspace(0, 1, n_betas), 0.5 * (even + gained / gained[-1]), even)


def log_importance(tempered, v, betas, seed, purposes=FORWARD):
    """Log-weights of rows that move from the first to the last temperature, (n,), float64."""
    return sum(increments(tempered, v, betas, seed, purposes))


def increments(tempered, v, betas, seed, purposes=FORWARD):
    """Yield what each step adds to the log-weights of rows, which move meanwhile."""
    hidden, visible = purposes
    betas = betas.astype(tempered.weights.dtype)
    for k, (last, beta) in enumerate(pairwise(betas)):
        t = tempered.hidden_input(v)
        yield tempered.log_density(t, beta) - tempered.log_density(t, last)
        h = tempered.sample_hidden(t, beta, hidden.key(seed, k))
        tempered.visible.sample(tempered.visible_input(h, beta), visible.key(seed, k), out=v)


def _log_base_rates(model, tempered):
    """``log Z`` at ``beta = 0``, less what the tempered energy of the model leaves out."""
    delta = np.ascontiguousarray(tempered.weights[:, -1])
    nothing = np.zeros((1, len(delta)), delta.dtype)

    def normaliser(layer, shift):
        return layer.log_normaliser(nothing, shift)[0]

    constant = normaliser(tempered.visible, delta) - normaliser(model.visible, nothing[0])
    return model.hidden.n_units * np.log(2) + normaliser(tempered.visible, nothing[0]) - constant
