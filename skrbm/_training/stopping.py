"""Early stopping: learning ends where rows that it does not see are no longer described better."""

from dataclasses import replace

import numpy as np


class EarlyStopping:
    """Judges each epoch by held-out rows, and keeps the best machine.

    Parameters
    ----------
    n_iter_no_change : int
        Learning ends after more epochs in a row than that, without improvement.
    tol : float
        An improvement is at least so much higher than the best score before, in nats.
    """

    def __init__(self, n_iter_no_change, tol):
        self.n_iter_no_change, self.tol = n_iter_no_change, tol
        self.best, self.best_score = None, -np.inf
        self.n_without_improvement = 0

    @property
    def is_over(self):
        """Whether learning ends."""
        return self.n_without_improvement > self.n_iter_no_change

    def judge(self, state, sums):
        """The figures of an epoch, which is remembered if it is the best one.

        Parameters
        ----------
        state : State
        sums : dict
            Sums over rows; see :func:`~skrbm._training.measures.measure`.

        Returns
        -------
        figures : dict
            ``validation_score`` is the mean pseudo-likelihood of held-out rows, by their weights.
            ``free_energy_gap`` is by how much free energies of held-out rows are above those of
            as many training rows.
        """
        score = _score(sums)
        held_out, n_held_out, trained, n_trained = sums["free_energy_gap"]
        enough = score >= self.best_score + self.tol
        self.n_without_improvement = 0 if enough else self.n_without_improvement + 1
        if score > self.best_score:
            self.best, self.best_score = state.copy(), score
        return {
            "validation_score": score,
            "free_energy_gap": held_out / n_held_out - trained / n_trained,
        }

    def start_from(self, state, sums):
        """Remember a machine that is there before learning: it may be the best."""
        self.best, self.best_score = state.copy(), _score(sums)

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


def _score(sums):
    total, weight = sums["validation_score"]
    return total / weight
