"""Training data in this process. Data elsewhere have the same attributes and methods."""

import math
from dataclasses import dataclass
from sys import getsizeof

import numpy as np

from .._training.epoch import n_batches_of, row_order, run_updates
from .._training.measures import measure
from .._training.phases import draws_by_row


@dataclass
class LocalData:
    """Rows to learn from, and rows to judge by.

    Parameters
    ----------
    rows : Rows
        Rows that training sees: all rows, until ``prepare``.
    held_out : Rows or None
        Rows that training does not see.
    n_scored : int
        Number of rows, at most, whose pseudo-likelihood is asked after each epoch.
    """

    rows: object
    held_out: object = None
    n_scored: int = 0
    n_parts = 1
    #: Errors after which the estimator keeps the last finished epoch.
    interruptions = (KeyboardInterrupt,)

    def __sizeof__(self):
        """The memory of the rows, for Dask's books."""
        return getsizeof(self.rows) + getsizeof(self.held_out)

    def prepare(self, learner, settings, seed, alone=True):
        """Hold out rows if the learner stops early; make equal rows one if that is due.

        It is where these rows are all there are, ``alone``, and are one mini-batch. Then what is
        drawn for a row of weight 2 stands for what is drawn for two equal rows: so it does not
        matter which of both X has.
        """
        self.n_scored = learner._n_scored
        if learner.early_stopping:
            self.rows, self.held_out = hold_out(learner, self.rows, seed)
        one_batch = alone and self.rows.n_rows <= settings.batch_size
        if one_batch and draws_by_row(settings):
            self.rows = self.rows.distinct()

    def n_updates(self, settings, n_epochs, n_before):
        """Number of updates in so many epochs, if there have been ``n_before`` updates before."""
        return n_batches_of(self.rows.n_rows, settings) * n_epochs

    def learn(self, state, settings):
        """All updates of an epoch; changes ``state``, but for its number of epochs."""
        n_rows = self.rows.n_rows
        order = row_order(settings, state.seed, state.n_epochs, n_rows)
        run_updates(state, settings, self.rows, range(n_batches_of(n_rows, settings)), order)

    def measure(self, state):
        """Sums over the rows; see :func:`~skrbm._training.measures.measure`."""
        return measure(state, self.rows, self.held_out, self.n_scored)


def hold_out(learner, rows, seed):
    """Rows to train on, and rows to judge by: the same of the same rows, for a seed."""
    from sklearn.model_selection import train_test_split  # slow to import, and seldom needed

    n_held_out = math.ceil(learner.validation_fraction * rows.n_rows)
    if not 0 < n_held_out < rows.n_rows:
        raise ValueError(
            f"early_stopping=True with validation_fraction={learner.validation_fraction} holds "
            f"out {n_held_out} rows of n_samples={rows.n_rows}, and leaves none to train on. "
            "Give more rows, a smaller validation_fraction, or early_stopping=False."
        )
    parts = train_test_split(
        np.arange(rows.n_rows), test_size=n_held_out, random_state=int(seed) % 2**32
    )
    training, held_out = (rows.part(np.sort(which)) for which in parts)
    for part, role in ((training, "to train on"), (held_out, "to judge by")):
        if part.n_unknown == part.n_rows * part.n_features:
            raise ValueError(
                f"early_stopping=True with validation_fraction={learner.validation_fraction} "
                f"left {part.n_rows} rows {role} that have no entry. Leave out empty rows."
            )
    return training, held_out
