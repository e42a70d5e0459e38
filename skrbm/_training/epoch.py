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

#: Rows, at most, on which the reconstruction error of an epoch is measured.
ERROR_ROWS = 250


@steady()
@recycling()
@np.errstate(over="ignore", invalid="ignore")  # an overflow ends as the error below
def train_epoch(state, settings, rows, judge=None):
    """One pass over the data; changes ``state`` and the arrays of its model in place.

    Parameters
    ----------
    state : State
    settings : Settings
    rows : Rows
    judge : callable or None
        Called with the state and the rows at the end, for further figures of the epoch, a dict.

    Raises
    ------
    ValueError
        If a parameter or the reconstruction error is beyond all bounds at the end of the epoch.
    """
    begin = perf_counter()
    fall = FALLS[settings.learning_rate_schedule]
    learning_rate = scheduled(settings.learning_rate, state.n_epochs)
    n_gibbs_steps = int(scheduled(settings.n_gibbs_steps, state.n_epochs))
    momentum = scheduled(settings.momentum, state.n_epochs)
    rates = {
        "momentum": momentum,
        "weight_decay": settings.weight_decay,
        "l1_penalty": settings.l1_penalty,
    }
    figures = {
        "learning_rate": learning_rate * fall(state.n_updates, settings.span),
        "n_gibbs_steps": n_gibbs_steps,
        "momentum": momentum,
    }

    if np.any(settings.momentum):
        state.optimizer.remember(state.model.parameters)
    if settings.average is None:
        state.average = None
    elif state.average is None:
        state.average = Average(state.model.copy())
    order = row_order(state, rows.n_rows) if settings.shuffle else None
    for first in range(0, rows.n_rows, settings.batch_size):
        which = slice(first, min(first + settings.batch_size, rows.n_rows))
        rates["learning_rate"] = learning_rate * fall(state.n_updates, settings.span)
        update(
            state, settings, rows, which if order is None else order[which], n_gibbs_steps, rates
        )
    state.n_epochs += 1

    check_bounds(state, learning_rate)

    def some_rows():
        return rows.spread(ERROR_ROWS, settings.batch_size)

    figures["reconstruction_error"] = check_reconstructions(state, learning_rate, some_rows)
    figures["seconds"] = perf_counter() - begin
    state.record(figures if judge is None else figures | judge(state, rows))


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


def row_order(state, n_rows):
    """The order of rows in this epoch; the seed and the epoch alone decide."""
    order = np.arange(n_rows, dtype=np.int32 if n_rows < 2**31 else np.int64)
    np.random.default_rng((int(state.seed), state.n_epochs)).shuffle(order)
    return order
