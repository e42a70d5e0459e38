"""An epoch: the order of rows, the loop over mini-batches, the check, the record."""

from time import perf_counter

import numpy as np

from .._machine.crew import steady
from .._machine.memory import recycling
from .averaging import Average
from .centring import Ordinary
from .divergence import check_bounds, check_reconstructions
from .phases import contrast
from .schedules import FALLS, scheduled


def train_epoch(state, settings, data, judge=None):
    """One pass over the data; changes ``state`` and the arrays of its model in place.

    Parameters
    ----------
    state : State
    settings : Settings
    data : LocalData, or what has its methods
        The training data. ``learn(state, settings)`` makes all updates, and ``measure(state)``
        returns sums over rows.
    judge : callable or None
        Called with the state and the sums over rows at the end, for further figures of the
        epoch, a dict.

    Returns
    -------
    sums : dict
        See :func:`~skrbm._training.measures.measure`.

    Raises
    ------
    ValueError
        If a parameter or the reconstruction error is beyond all bounds at the end of the epoch.
    """
    learning_rate = scheduled(settings.learning_rate, state.n_epochs)
    fall = FALLS[settings.learning_rate_schedule]
    figures = {
        "learning_rate": learning_rate * fall(state.n_updates, settings.span),
        "n_gibbs_steps": int(scheduled(settings.n_gibbs_steps, state.n_epochs)),
        "momentum": scheduled(settings.momentum, state.n_epochs),
    }
    if np.any(settings.momentum):
        state.optimizer.remember(state.model.parameters)
    if settings.average is None:
        state.average = None
    elif state.average is None:
        state.average = Average(state.model.copy())

    begin = perf_counter()
    data.learn(state, settings)
    figures["seconds"] = perf_counter() - begin
    state.n_epochs += 1
    check_bounds(state, learning_rate)
    sums = data.measure(state)
    figures["reconstruction_error"] = check_reconstructions(state, learning_rate, sums)
    state.record(figures if judge is None else figures | judge(state, sums))
    return sums


@steady()
@recycling()
@np.errstate(over="ignore", invalid="ignore")  # an overflow is known at the end of the epoch
def run_updates(state, settings, rows, batches, order=None):
    """Updates by mini-batches of the epoch that the state is in.

    Parameters
    ----------
    state : State
        Changed in place.
    settings : Settings
    rows : Rows
    batches : range
        Numbers of the mini-batches. After the last one of an epoch comes the first one again.
    order : ndarray of shape (n_rows,) or None
        Numbers of the rows in their order in this epoch; None: as they are.
    """
    n_batches, size = n_batches_of(rows.n_rows, settings), settings.batch_size
    fall = FALLS[settings.learning_rate_schedule]
    learning_rate = scheduled(settings.learning_rate, state.n_epochs)
    n_gibbs_steps = int(scheduled(settings.n_gibbs_steps, state.n_epochs))
    rates = {
        "momentum": scheduled(settings.momentum, state.n_epochs),
        "weight_decay": settings.weight_decay,
        "l1_penalty": settings.l1_penalty,
    }
    for b in batches:
        first = b % n_batches * size
        which = slice(first, min(first + size, rows.n_rows))
        rates["learning_rate"] = learning_rate * fall(state.n_updates, settings.span)
        update(
            state, settings, rows, which if order is None else order[which], n_gibbs_steps, rates
        )


def n_batches_of(n_rows, settings):
    """Number of mini-batches of an epoch; the last one may be smaller than the others."""
    return -(-n_rows // settings.batch_size)


def update(state, settings, rows, which, n_gibbs_steps, rates):
    """One update by the rows of a mini-batch: both phases, then a step of the optimiser."""
    visible, coordinates = state.model.visible, Ordinary()
    n_neg = None if settings.algorithm == "cd" else state.chains.shape[-2]
    phases = visible.phases(rows, which, n_neg)
    weights = None if rows.weights is None else rows.weights[which] / rows.mean_weight
    estimate = contrast(state, settings, phases, n_gibbs_steps, weights)
    if settings.centering:
        state.centring.follow(estimate)
        coordinates = state.centring.coordinates(state.model)
    sums = visible.precondition(coordinates.gradient(estimate.sums), estimate.n_rows)
    coordinates.enter()
    state.optimizer.update(state.model.parameters, sums, estimate.n_rows, **rates)
    coordinates.leave()
    visible.constrain()
    state.n_updates += 1
    if state.average is not None:
        state.average.add(state.model, settings.average)


def row_order(settings, seed, n_epochs, n_rows):
    """The order of rows in an epoch; the seed and the epoch alone decide. None: as they are."""
    if not settings.shuffle:
        return None
    order = np.arange(n_rows, dtype=np.int32 if n_rows < 2**31 else np.int64)
    np.random.default_rng((int(seed), n_epochs)).shuffle(order)
    return order
