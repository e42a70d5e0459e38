"""What is measured at the end of an epoch: sums over rows, so that those of parts add up."""

import numpy as np

from .._machine.tempered import base_rate_layer

#: Rows, at most, on which the reconstruction error of an epoch is measured.
ERROR_ROWS = 250


@np.errstate(over="ignore", invalid="ignore")  # an overflow is known as divergence
def measure(state, rows, held_out=None, n_scored=0, share=1.0):
    """Sums over the rows that a state learns from, or over a part of them.

    Parameters
    ----------
    state : State
    rows : Rows
        Rows that training sees.
    held_out : Rows or None
        Rows that training does not see.
    n_scored : int, default=0
        Number of rows, at most, of which the pseudo-likelihood is asked.
    share : float, default=1.0
        Share of all rows that these rows are. As large a share of the few rows on which
        something is measured are taken from these.

    Returns
    -------
    sums : dict of tuples
        ``reconstructions`` and, until they are known, those of ``base_rates``: squares, misfit
        and number of entries, as ``squared_error`` of a layer has them. With ``n_scored``,
        ``pseudo_likelihood``: sum, and number of rows. With ``held_out``, ``validation_score``
        and ``free_energy_gap``, see :class:`~skrbm._training.stopping.EarlyStopping`.
    """
    model, n_rows = state.model, max(1, round(ERROR_ROWS * share))

    def mean_field(v):
        return model.visible_input(model.hidden.mean(model.hidden_input(v)))

    sums = {"reconstructions": error_sums(model.visible, mean_field, rows.spread(n_rows))}
    if state.base_rate_misfit is None:
        layer, _ = base_rate_layer(model.visible, state.base_rate_bias)
        weights = np.zeros((layer.n_units, 1), model.dtype)

        def no_input(v):
            return layer.input(np.zeros((v.shape[0], 1), model.dtype), weights)

        sums["base_rates"] = error_sums(layer, no_input, rows.spread(n_rows))
    fitted = state.fitted
    if n_scored:
        n_scored = max(1, round(n_scored * share))
        scores = np.concatenate([fitted.pseudo_likelihood(v) for v in rows.spread(n_scored)])
        sums["pseudo_likelihood"] = float(scores.sum()), len(scores)
    if held_out is not None:
        sums["validation_score"] = _weighed(fitted, fitted.pseudo_likelihood, held_out)
        sums["free_energy_gap"] = _free_energies(fitted, rows, held_out)
    return sums


def added(parts):
    """The sums over all rows, of those over parts of them."""
    first, *others = parts
    return {
        name: tuple(map(sum, zip(sums, *(other[name] for other in others), strict=True)))
        for name, sums in first.items()
    }


def error_sums(layer, input_for, blocks):
    """Sums of squared differences between entries and their means given an input; of misfits."""
    squares, misfit, n_entries = 0.0, 0.0, 0
    for v in blocks:
        terms = layer.squared_error(v, input_for(v))
        squares, misfit, n_entries = squares + terms[0], misfit + terms[1], n_entries + terms[2]
    return squares, misfit, n_entries


def _free_energies(model, rows, held_out):
    """Sums of held-out free energies and of weights; the same of as many rows of training.

    NaN where entries are missing: rows that observe other features have another ``log Z``.
    """
    if rows.n_unknown or held_out.n_unknown:
        return (np.nan,) * 4
    trained = rows.part(np.arange(0, rows.n_rows, -(-rows.n_rows // held_out.n_rows)))
    parts = held_out, trained
    return sum((_weighed(model, model.free_energy, part) for part in parts), ())


def _weighed(model, function, rows):
    """Sum over rows, by their weights, of a function of the model; sum of the weights."""
    values = rows.map(function, per_row=model.hidden.n_units)
    if rows.weights is None:
        return float(values.sum(dtype=np.float64)), float(rows.n_rows)
    return float((values * rows.weights).sum()), float(rows.weights.sum())
