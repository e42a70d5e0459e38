"""Divergence: known by what a model does, where its parameters are still finite.

Two signs are held against the base rates, the model before training (measured: design_notes.rst).
Reconstructions that are further from the data than the means of the data are; and weights that
could make far more variance than the data have.
"""

import numpy as np

from .._machine.tempered import base_rate_layer

#: Training has diverged if reconstructions are so many times as far as means, in squares.
DIVERGED = 100
#: It does not converge if they are so many times as far. Where a model learns: below 1.
SUSPICIOUS = 1.5
#: It does not converge if weights can make so many times the variance. Where it learns: below 1.
OVERGROWN = 10

_MEND = (
    "Try a smaller learning_rate or momentum, keep learning_rate * weight_decay well below 1, and "
    "check the scale of X."
)


def check_bounds(state, learning_rate):
    """Refuse parameters beyond which energies overflow, and NaN."""
    parameters = state.model.parameters
    limit = np.sqrt(np.finfo(state.model.dtype).max)
    if not all((np.abs(parameter) < limit).all() for parameter in parameters):
        raise ValueError(
            f"{_diverged(state, learning_rate)} a parameter is larger than {limit:.2g} or not a "
            f"number. {_MEND}"
        )


def check_reconstructions(state, learning_rate, read_blocks):
    """The mean squared error of reconstructions; refuse those beyond all bounds.

    Parameters
    ----------
    state : State
        Learns how far reconstructions are from the data, and how far the means of the data are.
    learning_rate : float
        For the message.
    read_blocks : callable
        Yields blocks of rows.

    Returns
    -------
    error : float
        Mean squared difference between an entry and its mean-field reconstruction.
    """
    model = state.model
    if state.base_rate_misfit is None:
        layer, _ = base_rate_layer(model.visible, state.base_rate_bias)
        weights = np.zeros((layer.n_units, 1), model.dtype)

        def no_input(v):
            return layer.input(np.zeros((v.shape[0], 1), model.dtype), weights)

        _, state.base_rate_misfit = mean_errors(layer, no_input, read_blocks())

    def mean_field(v):
        return model.visible_input(model.hidden.mean(model.hidden_input(v)))

    error, state.misfit = mean_errors(model.visible, mean_field, read_blocks())
    if not state.misfit <= DIVERGED * state.base_rate_misfit:
        raise ValueError(
            f"{_diverged(state, learning_rate)} reconstructions are {DIVERGED} times as far from "
            f"X as the means of X are. {_MEND}"
        )
    return error


def mean_errors(layer, input_for, blocks):
    """Mean squared difference between an entry and its mean given an input; the mean misfit."""
    squares, misfit, n_entries = 0.0, 0.0, 0
    for v in blocks:
        terms = layer.squared_error(v, input_for(v))
        squares, misfit, n_entries = squares + terms[0], misfit + terms[1], n_entries + terms[2]
    return squares / max(n_entries, 1), misfit / max(n_entries, 1)  # of rows without entries: 0


def suspicion(state):
    """A sentence on why training does not seem to converge, or None."""
    if state.misfit is None:
        return None
    distance = state.misfit / state.base_rate_misfit if state.base_rate_misfit else 0
    variance = state.model.visible.variance_of(state.model.weights)
    if distance > SUSPICIOUS:
        sign = f"reconstructions are {distance:.3g} times as far from X, in squares, as the means"
    elif variance > OVERGROWN * state.base_rate_misfit:
        sign = f"the weights can make {variance / state.base_rate_misfit:.3g} times the variance"
    else:
        return None
    return f"Training does not converge: {sign} of the training data. {_MEND}"


def _diverged(state, learning_rate):
    return f"training diverged in epoch {state.n_epochs} with learning_rate={learning_rate}:"
