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
        model, n_hidden = state.fitted, state.fitted.hidden.n_units
        weights = self.held_out.weights
        scores = self.held_out.map(model.pseudo_likelihood, per_row=n_hidden)
        score = float(np.average(scores, weights=weights))
        # As many rows of training, spread evenly; without weights, as all are.
        stride = -(-rows.n_rows // self.held_out.n_rows)
        trained = rows.part(np.arange(0, rows.n_rows, stride))
        free_energy, trained_free_energy = (
            np.average(part.map(model.free_energy, per_row=n_hidden), weights=part.weights)
            for part in (self.held_out, trained)
        )
        enough = score >= self.best_score + self.tol
        self.n_without_improvement = 0 if enough else self.n_without_improvement + 1
        if score > self.best_score:
            self.best, self.best_score = state.copy(), score
        gap = float(free_energy - trained_free_energy)
        return {"validation_score": score, "free_energy_gap": gap}

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
