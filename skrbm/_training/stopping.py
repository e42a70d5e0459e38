"""Early stopping: learning ends where rows that it does not see are no longer described better."""

from dataclasses import replace

import numpy as np


class EarlyStopping:
    """Judges each epoch by held-out rows, and keeps the best machine.

    Parameters
    ----------
    held_out : Rows
        Rows that training does not see.
    n_iter_no_change : int
        Learning ends after more epochs in a row than that, without improvement.
    tol : float
        An improvement is at least so much higher than the best score before, in nats.
    """

    def __init__(self, held_out, n_iter_no_change, tol):
        self.held_out, self.n_iter_no_change, self.tol = held_out, n_iter_no_change, tol
        self.best, self.best_score = None, -np.inf
        self.n_without_improvement = 0

    @property
    def is_over(self):
        """Whether learning ends."""
        return self.n_without_improvement > self.n_iter_no_change

    def judge(self, state, rows):
        """The figures of an epoch, which is remembered if it is the best one.

        Parameters
        ----------
        state : State
        rows : Rows
            The training data.

        Returns
        -------
        figures : dict
        """
        score, gap = self._score(state.fitted), self._gap(state.fitted, rows)
        enough = score >= self.best_score + self.tol
        self.n_without_improvement = 0 if enough else self.n_without_improvement + 1
        if score > self.best_score:
            self.best, self.best_score = state.copy(), score
        return {"validation_score": score, "free_energy_gap": gap}

    def start_from(self, state):
        """Remember a machine that is there before learning: it may be the best."""
        self.best, self.best_score = state.copy(), self._score(state.fitted)

    def _score(self, model):
        return _mean(model, model.pseudo_likelihood, self.held_out)

    def _gap(self, model, rows):
        """By how much free energies of held-out rows are above those of as many training rows.

        NaN where entries are missing: rows that observe other features have another ``log Z``.
        """
        if rows.n_unknown or self.held_out.n_unknown:
            return np.nan
        stride = -(-rows.n_rows // self.held_out.n_rows)
        trained = rows.part(np.arange(0, rows.n_rows, stride))
        held_out, training = (
            _mean(model, model.free_energy, part) for part in (self.held_out, trained)
        )
        return held_out - training

    def result(self, state):
        """The best machine, with its chains; counts and figures are of all epochs."""
        if self.best is None:
            return state
        return replace(
            self.best,
            n_updates=state.n_updates,
            n_epochs=state.n_epochs,
            records=state.records,
            n_records=state.n_records,
        )


def _mean(model, function, rows):
    """Mean over rows, by their weights, of a function of the model."""
    values = rows.map(function, per_row=model.hidden.n_units)
    return float(np.average(values, weights=rows.weights))
