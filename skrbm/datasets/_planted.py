"""Planted machines of ratings: how one is made, exact draws from it, and its estimator.

Notation as in ``_machine.rbm``. A row of ratings is a machine of its own over the items O that the
row has rated, so its hidden units have a distribution of their own::

    p(h | O)  ~  exp(c h) prod_{i in O} Z_i(h)        Z_i(h) = sum_k exp(b_ik + W_ik h)
    p(v | h)  =  prod_{i in O} exp(b_iv + W_iv h) / Z_i(h)

There are few hidden units: sums over all their 2^M states are exact, and so are the draws. (Chains
would not do: the hidden units of a user of many ratings hardly ever change in a Gibbs step.)
"""

import numpy as np
from scipy import sparse
from scipy.special import logsumexp

from .._estimator.fitted import replace_fitted
from .._machine.bernoulli import BernoulliLayer
from .._machine.onehot import Categories, blocks
from .._machine.rbm import RBM
from .._machine.softmax import SoftmaxLayer
from .._softmax import SoftmaxRBM
from .._training.centring import Centring
from .._training.state import State

MOST_COMPONENTS = 10  # hidden units, for sums over 1,024 states
_VALUES = np.arange(1.0, 6.0)  # stars
_SCALED = np.linspace(-1, 1, len(_VALUES))  # z: the values as ``ordinal`` scales them
#: So chosen that ratings look like those of MovieLens: they have a mean of 3.5 and a standard
#: deviation of 1.1, and a user's other ratings explain half of the variance.
_SHARPNESS, _MIDDLE = 2.5, 0.3  # of ratings of one item by users of one kind, on the scale of z
_QUALITY, _TASTE = 1.0, 1.8  # standard deviations: of items, and of a hidden unit's slopes
_BLOCK = 2**18  # ratings drawn at once, and log-probabilities of states


# --- the machine ------------------------------------------------------------------------------


def plant(n_items, n_components, rng):
    """A machine of ratings of items, whose weights are linear in the stars.

    With ``W_ikj = u_ij + z_k a_ij`` the levels u take out of ``log Z_i(h)`` what is linear in h.
    So, as far as a machine of this form can, it makes all states of the hidden units about as
    probable, whatever a user has rated. Without the levels almost all users of many ratings would
    be in one state.

    Parameters
    ----------
    n_items, n_components : int
    rng : numpy.random.Generator

    Returns
    -------
    machine : RBM
    """
    slopes = rng.normal(0, _TASTE, (n_items, n_components))
    quality = rng.normal(0, _QUALITY, n_items) - slopes.sum(axis=1) / 2  # that of half the units
    bias = -_SHARPNESS * (_SCALED - _MIDDLE) ** 2 + _SCALED * quality[:, np.newaxis]
    states = _states(n_components)
    inputs = bias[:, np.newaxis] + (slopes @ states.T)[:, :, np.newaxis] * _SCALED
    levels = -logsumexp(inputs, axis=2) @ (2 * states - 1) * 2 / len(states)
    weights = levels[:, np.newaxis] + _SCALED[:, np.newaxis] * slopes[:, np.newaxis]
    return RBM(
        SoftmaxLayer(bias.ravel(), Categories([_VALUES] * n_items), ordinal=True),
        weights.reshape(-1, n_components),
        BernoulliLayer(np.zeros(n_components)),
    )


def _states(n_components):
    """All states of the hidden units, (2^M, M)."""
    return (np.arange(2**n_components)[:, np.newaxis] >> np.arange(n_components) & 1).astype(float)


def _conditionals(machine):
    """``log Z_i(h)`` (D, 2^M), and ``p(v_i = k | h)`` (D, 2^M, K), for all states h."""
    x = machine.weights @ _states(machine.hidden.n_units).T + machine.visible.bias[:, np.newaxis]
    x = x.reshape(machine.visible.n_features, -1, x.shape[1]).transpose(0, 2, 1)
    log_z = logsumexp(x, axis=2)
    return log_z, np.exp(x - log_z[:, :, np.newaxis])


# --- draws ------------------------------------------------------------------------------------


def draw(machine, indptr, indices, rng):
    """Categories of the rated cells of a table, and hidden states of its rows.

    Parameters
    ----------
    machine : RBM
        Its features have equally many categories.
    indptr, indices : ndarray
        The rated cells in CSR form.
    rng : numpy.random.Generator

    Returns
    -------
    categories : ndarray of shape (n_ratings,), int8
        Numbers from 0.
    hidden : ndarray of shape (n_rows, M)
    """
    states = _states(machine.hidden.n_units)
    log_prior = states @ machine.hidden.bias
    log_z, p = _conditionals(machine)
    thresholds = np.cumsum(p, axis=2)[:, :, :-1].astype(np.float32)
    categories, chosen = np.empty(len(indices), np.int8), np.empty(len(indptr) - 1, np.int64)
    for rows in blocks(indptr, _BLOCK):
        cells = slice(indptr[rows.start], indptr[rows.stop])
        items, starts = indices[cells], indptr[rows.start : rows.stop + 1] - cells.start
        shape = len(starts) - 1, len(log_z)
        rated = sparse.csr_array((np.ones(len(items)), items, starts), shape=shape)
        chosen[rows] = _drawn_states(rated, log_z, log_prior, rng)
        above = rng.random((len(items), 1), np.float32)
        above = above > thresholds[items, np.repeat(chosen[rows], np.diff(starts))]
        categories[cells] = above.sum(axis=1)
    return categories, states[chosen]


def _drawn_states(rated, log_z, log_prior, rng):
    """Numbers of hidden states of rows: some rows at once, as each has 2^M log-probabilities."""
    chosen = np.empty(rated.shape[0], np.int64)
    n_rows = max(_BLOCK // len(log_prior), 1)
    for first in range(0, len(chosen), n_rows):
        log_p = rated[first : first + n_rows] @ log_z + log_prior
        # With Gumbel noise the largest log-probability is that of a draw.
        noisy = log_p + rng.gumbel(size=log_p.shape)
        chosen[first : first + n_rows] = noisy.argmax(axis=1)
    return chosen


# --- the estimator ----------------------------------------------------------------------------


def as_estimator(machine):
    """A fitted SoftmaxRBM that holds the machine; its base rates are means over all states."""
    n_features, n_components = machine.visible.n_features, machine.hidden.n_units
    means = _conditionals(machine)[1].mean(axis=1)
    rbm = SoftmaxRBM(n_components, categories=_VALUES.tolist(), ordinal=True)
    state = State(
        model=machine,
        seed=np.uint64(0),
        base_rate_bias=np.log(means).ravel(),
        chains=np.zeros((1, n_components)),
        centring=Centring.at(machine, means.ravel()),
    )
    replace_fitted(rbm, {"n_features_in_": n_features} | rbm._attributes(state))
    return rbm
