"""Training data in this process. Data elsewhere have the same attributes and methods."""

from dataclasses import dataclass
from sys import getsizeof

from .._training.epoch import n_batches_of, row_order, run_updates
from .._training.measures import measure
from .._training.phases import draws_by_row
from .learning import hold_out


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

    def prepare(self, learner, settings, seed):
        """Hold out rows if the learner stops early; see ``merge_equal`` as well."""
        self.hold_out(learner, seed)
        self.merge_equal(settings)
        self.n_scored = learner._n_scored

    def hold_out(self, learner, seed):
        """Hold out rows if the learner stops early."""
        if learner.early_stopping:
            self.rows, self.held_out = hold_out(learner, self.rows, seed)

    def merge_equal(self, settings):
        """Make equal rows one row of their weight where all rows are one mini-batch.

        Then what is drawn for a row of weight 2 stands for what is drawn for two equal rows: so it
        does not matter which of both X has.
        """
        if draws_by_row(settings) and self.rows.n_rows <= settings.batch_size:
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
