"""The two phases of an update: rows of data, and rows of the model as its chains know it.

Contrastive divergence (CD-k; Hinton, 2002) starts the chains of the negative phase at the rows of
the mini-batch. Persistent CD (PCD-k; Tieleman, 2008) starts them where the chains of the last
update stopped. Parallel tempering does the same with chains at higher temperatures as well
(Desjardins et al., 2010; Cho, Raiko & Ilin, 2010). The positive phase takes the hidden means of
the data. The negative phase makes k Gibbs steps, and takes the hidden means of its end.

An algorithm is a function ``(state, phases, n_steps, means)``:

state : State
    The machine, and where its chains are.
phases : phases of the visible layer
    Rows of data; the algorithm writes the rows of the model.
n_steps : int
    Number of Gibbs steps.
means : bool
    Whether the gradient sees the means of the visible units at the end, and not their samples.
    Samples drive the chains in either case.

An algorithm returns hidden means (n_pos + n_neg, M), those of the data above those at the end of
the chains, and the chains as the next update finds them.
"""

from typing import NamedTuple

import numpy as np

from .._kernels import units
from .._machine.crew import together
from .._machine.keys import Purpose
from .._machine.memory import joined, scratch
from .._machine.tempered import TemperedRBM, ladder


class GradientSums(NamedTuple):
    """What an update, or a part of one, says of the gradient of the mean log-likelihood.

    Parameters
    ----------
    sums : tuple of ndarray
        One array per parameter of the machine; see :meth:`~skrbm._machine.rbm.RBM.gradient_sums`.
    n_rows : int
        Number of rows of data. The step divides the sums by it.
    weight : float
        Sum of the weights of the rows of data. On average a row weighs 1.
    hidden : ndarray of shape (M,) or None
        Sum of the hidden means of the rows of data by their weights, if somebody asks for it.
    """

    sums: tuple
    n_rows: int
    weight: float
    hidden: np.ndarray | None = None


def cd(state, phases, n_steps, means):
    """Contrastive divergence: chains start at the rows of data, and are not kept."""
    model = state.model
    x = model.hidden_input(phases.positive)
    h_pos, h = model.hidden.mean_and_sample(x, _key(state, Purpose.HIDDEN, 0))
    x_visible = _gibbs(state, phases, h, n_steps)
    if means:
        phases.replace_negative(model.visible.mean_rows(x_visible, phases.negative))
    h_neg = model.hidden.mean(model.hidden_input(phases.negative))
    return joined(h_pos, h_neg), state.chains


def pcd(state, phases, n_steps, means):
    """Persistent contrastive divergence: chains start where the last update left them."""
    model, last = state.model, _key(state, Purpose.HIDDEN, n_steps)
    x_visible = _gibbs(state, phases, state.chains, n_steps)
    if means:
        chains = model.hidden.sample(model.hidden_input(phases.negative), last)
        phases.replace_negative(model.visible.mean_rows(x_visible, phases.negative))
    x = model.hidden_input(phases.both)  # both phases in one matrix product
    if means:
        return model.hidden.mean(x), chains
    return model.hidden.mean_and_sample(x, last, phases.n_pos)


def pt(state, phases, n_steps, means):
    """Parallel tempering: neighbours in temperature swap; chains of the model enter the gradient.

    At the highest temperature the chains follow the base rates, where every sample is new.
    """
    model = state.model
    tempered = TemperedRBM(model, state.base_rate_bias)
    n_temperatures, n_chains, n_hidden = state.chains.shape
    betas = ladder(n_temperatures).astype(state.chains.dtype)
    beta = np.repeat(betas, n_chains)[:, np.newaxis]
    # The last unit is always on.
    h = scratch((n_temperatures * n_chains, n_hidden + 1), state.chains.dtype)
    h[:, :-1], h[:, -1] = state.chains.reshape(-1, n_hidden), 1
    v = None
    for k in range(n_steps):
        key = _key(state, Purpose.TEMPERED_VISIBLE, k)
        v = tempered.visible.sample(tempered.visible_input(h, beta), key, out=v)
        v_neg = v[:n_chains]
        if means and k == n_steps - 1:
            v_neg = tempered.visible.mean_rows(tempered.visible_input(h[:n_chains], 1), v_neg)
        t = tempered.hidden_input(v)
        parity = state.n_updates * n_steps + k
        t = tempered.swapped(t, betas, parity, _key(state, Purpose.TEMPERED_SWAP, k))
        h = tempered.sample_hidden(t, beta, _key(state, Purpose.TEMPERED_HIDDEN, k))
    phases.replace_negative(v_neg)
    chains = h[:, :-1].reshape(state.chains.shape)
    return model.hidden.mean(model.hidden_input(phases.both)), chains


#: The algorithms by the names that users give them.
ALGORITHMS = {"cd": cd, "pcd": pcd, "pt": pt}


def draws_by_row(settings):
    """Whether something is drawn for each row of data."""
    return settings.algorithm == "cd" or settings.sample_positive_visibles


def contrast(state, settings, phases, n_steps, weights=None):
    """Both phases of an update by the algorithm of the settings; moves the chains on.

    Parameters
    ----------
    state : State
    settings : Settings
    phases : phases of the visible layer
    n_steps : int
        Number of Gibbs steps.
    weights : ndarray of shape (n_pos,) or None
        Weights of the rows of data, 1 on average over all data; None: 1 each.

    Returns
    -------
    estimate : GradientSums
    """
    if settings.sample_positive_visibles:
        sample_positive(state, phases)
    algorithm = ALGORITHMS[settings.algorithm]
    h, state.chains = algorithm(state, phases, n_steps, settings.mean_negative_visibles)
    n_pos = phases.n_pos
    weight = n_pos if weights is None else float(weights.sum())
    hidden = None
    if settings.centering:
        if weights is None:
            hidden = h[:n_pos].sum(axis=0)
        else:  # without BLAS, and its threads
            hidden = np.einsum("r,rj->j", weights.astype(h.dtype, copy=False), h[:n_pos])
    sums = state.model.gradient_sums(phases, h, weights, paired=settings.algorithm == "cd")
    return GradientSums(sums, n_pos, weight, hidden)


def sample_positive(state, phases):
    """Draw bits of the rows of data, whose values are probabilities."""
    bits = scratch(phases.positive.shape, phases.positive.dtype)
    together(units.bernoulli, phases.positive, *_key(state, Purpose.DATA, 0), bits)
    phases.positive[...] = bits


def _gibbs(state, phases, h, n_steps):
    """Gibbs steps of plain chains from hidden states; returns the last input of visible units."""
    model = state.model
    for k in range(n_steps):
        if k > 0:
            x = model.hidden_input(phases.negative)
            h = model.hidden.sample(x, _key(state, Purpose.HIDDEN, k))
        x = model.visible_input(h)
        model.visible.sample(x, _key(state, Purpose.VISIBLE, k), out=phases.negative)
    return x


def _key(state, purpose, step):
    return purpose.key(state.seed, state.n_updates, step)
