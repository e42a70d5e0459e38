"""What checks and initial values ask of training data, whose rows may be elsewhere."""

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Description:
    """Of rows, or of parts of them: descriptions of parts can be merged.

    Parameters
    ----------
    n_rows, n_features, n_unknown, dtype, summary
        As :class:`~skrbm._input.rows.Rows` has them.
    weight : float or None
        Sum of the weights of rows; None: each counts once.
    given_dtype, extremes, all_whole
        Of numbers: as :class:`~skrbm._input.numbers.NumberRows` has them.
    is_sparse : bool
        Of categories: whether X is sparse.
    """

    n_rows: int
    n_features: int
    n_unknown: int
    dtype: np.dtype
    summary: object
    weight: float | None
    given_dtype: np.dtype | None = None
    extremes: tuple | None = None
    all_whole: bool | None = None
    is_sparse: bool = False
    onehot = None  # the rows themselves are elsewhere

    @property
    def categories(self):
        """The categories of the features."""
        return self.summary.categories

    @property
    def mean_weight(self):
        """Mean of the weights."""
        return None if self.weight is None else self.weight / self.n_rows

    def merged(self, other):
        """The description of both parts."""
        changes = {}
        if self.weight is not None:
            changes["weight"] = self.weight + other.weight
        if self.extremes is not None:
            (lowest, highest), (low, high) = self.extremes, other.extremes
            changes["extremes"] = np.fmin(lowest, low), np.fmax(highest, high)
            changes["all_whole"] = self.all_whole and other.all_whole
            changes["given_dtype"] = np.promote_types(self.given_dtype, other.given_dtype)
        return replace(
            self,
            n_rows=self.n_rows + other.n_rows,
            n_unknown=self.n_unknown + other.n_unknown,
            summary=self.summary.merged(other.summary),
            is_sparse=self.is_sparse or other.is_sparse,
            **changes,
        )
