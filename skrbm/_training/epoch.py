"""An epoch: the order of rows, the loop over mini-batches, the check, the record."""

from time import perf_counter

import numpy as np

from .._kernels import updates
from .phases import contrast
from .state import FIGURES, scheduled

#: Rows, at most, on which the reconstruction error of an epoch is measured.
ERROR_ROWS = 250


@np.errstate(over="ignore", invalid="ignore")  # an overflow ends as the error below
def train_epoch(state, settings, data):
    """One pass over the data; changes ``state`` and the arrays of its model in place.

    Parameters
    ----------
    state : State
    settings : Settings
    data : object with ``n_rows``, ``batch`` and ``monitor``
        ``batch(rows, dtype, n_chains)`` gives the rows of a slice or of an index array, and
        room for the negative phase below them: that of persistent chains, or, with None, of
        chains that start at the rows. ``monitor(max_rows, block_size)`` yields blocks of at
        most so many rows.

    Raises
    ------
    ValueError
        If a parameter is beyond all bounds at the end of the epoch.
    """
    begin = perf_counter()
    learning_rate = scheduled(settings.learning_rate, state.n_epochs)
    n_gibbs_steps = int(scheduled(settings.n_gibbs_steps, state.n_epochs))
    momentum = scheduled(settings.momentum, state.n_epochs)

    parameters = state.model.parameters
    visible, dtype = state.model.visible, state.model.weights.dtype.type
    if not state.steps and np.any(settings.momentum):
        state.steps = tuple(np.zeros_like(parameter) for parameter in parameters)
    decays = [dtype(settings.weight_decay if p.ndim == 2 else 0) for p in parameters]
    order = row_order(state, data.n_rows) if settings.shuffle else None

    for first in range(0, data.n_rows, settings.batch_size):
        rows = slice(first, min(first + settings.batch_size, data.n_rows))
        n_pos = rows.stop - rows.start
        n_chains = state.chains.shape[-2] if settings.persistent else None
        v = data.batch(rows if order is None else order[rows], dtype, n_chains)
        gradient = contrast(state, settings, v, n_pos, n_gibbs_steps)
        direction = visible.direction(*gradient)
        for k, parameter in enumerate(parameters):
            g, p = direction[k].ravel(), parameter.ravel()
            if state.steps:
                step = state.steps[k].ravel()
                updates.add_step(g, dtype(learning_rate), dtype(momentum), decays[k], step, p)
            else:
                updates.add_gradient(g, dtype(learning_rate), decays[k], p)
        visible.constrain()
        state.n_updates += 1
    state.n_epochs += 1

    limit = np.sqrt(np.finfo(dtype).max)  # beyond it energies overflow; NaN fails as well
    if not all((np.abs(parameter) < limit).all() for parameter in parameters):
        raise ValueError(
            f"training diverged in epoch {state.n_epochs} with learning_rate={learning_rate}: "
            f"a parameter is larger than {limit:.2g} or not a number. Try a smaller "
            "learning_rate, keep learning_rate * weight_decay well below 1, and check the scale "
            "of X."
        )
    error = reconstruction_error(state.model, data.monitor(ERROR_ROWS, settings.batch_size))
    record = (error, learning_rate, n_gibbs_steps, momentum, perf_counter() - begin)
    for figure, value in zip(FIGURES, record, strict=True):
        state.history[figure].append(value)


def row_order(state, n_rows):
    """This epoch's order of rows; it depends on the seed and the epoch alone."""
    rows = np.arange(n_rows, dtype=np.int32 if n_rows < 2**31 else np.int64)
    np.random.default_rng((int(state.seed), state.n_epochs)).shuffle(rows)
    return rows


def reconstruction_error(model, blocks):
    """Mean squared difference between an entry and its mean-field reconstruction."""
    total, n_entries = 0.0, 0
    for v in blocks:
        squares, n_terms = model.visible.squared_error(v, model.hidden_mean(v), model.weights)
        total += squares
        n_entries += n_terms
    return total / max(n_entries, 1)  # there may be rows without entries
