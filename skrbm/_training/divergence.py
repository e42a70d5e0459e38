"""Divergence: known by what a model does, where its parameters are still finite.

Two signs are held against the base rates, the model before training (measured: design_notes.rst).
Reconstructions that are further from the data than the means of the data are; and weights that
could make far more variance than the data have.
"""

import numpy as np

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


def check_reconstructions(state, learning_rate, sums):
    """The mean squared error of reconstructions; refuse those beyond all bounds.

    Parameters
    ----------
    state : State
        Learns how far reconstructions are from the data, and how far the means of the data are.
    learning_rate : float
        For the message.
    sums : dict
        Sums over rows of data; see :func:`~skrbm._training.measures.measure`.

    Returns
    -------
    error : float
        Mean squared difference between an entry and its mean-field reconstruction.
    """
    if state.base_rate_misfit is None:
        _, state.base_rate_misfit = _means(*sums["base_rates"])
    error, state.misfit = _means(*sums["reconstructions"])
    if not state.misfit <= DIVERGED * state.base_rate_misfit:
        raise ValueError(
            f"{_diverged(state, learning_rate)} reconstructions are {DIVERGED} times as far from "
            f"X as the means of X are. {_MEND}"
        )
    return error


def _means(squares, misfit, n_entries):
    """Mean squared difference and mean misfit; of rows without entries: 0."""
    return squares / max(n_entries, 1), misfit / max(n_entries, 1)


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
