"""Categorical data as the package holds them: categories of features, and one-hot rows.

A feature i of K_i categories owns K_i visible units. The number of such a unit is its *code*:
feature i owns the codes ``offsets[i] .. offsets[i + 1] - 1``. A row is the codes of its observed
features: nothing stands for a missing entry, and no row is ever made dense.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from .._kernels import onehot
from .._kernels.onehot import Order


def cumulated(sizes):
    """Where items of these sizes begin if they lie one after the other; last, where they end."""
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(sizes, dtype=np.int64)))


def blocks(cumulative_work, most):
    """Yield slices of items of at most so much work; an item of more work is a slice alone."""
    first, n_items = 0, len(cumulative_work) - 1
    while first < n_items:
        limit = int(cumulative_work[first]) + most  # may be beyond the range of its dtype
        stop = int(np.searchsorted(cumulative_work, limit, side="right")) - 1
        yield slice(first, max(first + 1, stop))
        first = max(first + 1, stop)


@dataclass(frozen=True)
class Categories:
    """The categories that the codes stand for.

    Parameters
    ----------
    by_feature : list of ndarray
        The categories of each feature, ascending, at least one. Features with the same
        categories may share an array.
    """

    by_feature: list

    def __post_init__(self):
        """Refuse what would lead kernels astray, which do not check bounds."""
        sizes, values = self.sizes, self.values.astype(self.dtype)
        ascends = np.ones(len(values), bool)
        ascends[1:] = values[1:] > values[:-1]
        ascends[self.offsets[:-1][sizes > 0]] = True
        if values.ndim != 1 or (sizes == 0).any() or not ascends.all():
            raise ValueError(
                "categories_ must be a list of one flat array per feature, each of at least one "
                f"category, ascending as {self.dtype}."
            )

    @property
    def n_features(self):
        """Number of features, D."""
        return len(self.by_feature)

    @cached_property
    def offsets(self):
        """The first code of each feature and, last, the number of codes, (D + 1,)."""
        return cumulated([len(values) for values in self.by_feature])

    @cached_property
    def sizes(self):
        """Number of categories of each feature, (D,)."""
        return np.diff(self.offsets)

    @cached_property
    def values(self):
        """The category of each code, (C,), in float64."""
        return np.concatenate(self.by_feature, dtype=np.float64, casting="unsafe")

    @cached_property
    def feature_of(self):
        """The feature that owns each code, (C,)."""
        return np.repeat(np.arange(self.n_features, dtype=np.int32), self.sizes)

    @property
    def dtype(self):
        """The dtype to compare values in: the shortest of floats, so that 0.1 is 0.1 in all."""
        floats = {a.dtype for a in self.by_feature if a.dtype.kind == "f"} | {np.dtype(float)}
        return min(floats, key=lambda dtype: dtype.itemsize)

    @property
    def most(self):
        """The largest number of categories of a feature."""
        return int(self.sizes.max())

    def encode(self, values, features, dtype):
        """The codes of values of features: -1 for NaN, -2 for what is no category of theirs."""
        codes = np.empty(len(values), np.int32)
        onehot.encode(
            values.astype(dtype).astype(np.float64, copy=False),
            features.astype(np.int32, copy=False),
            self.offsets,
            self.values.astype(dtype).astype(np.float64, copy=False),
            codes,
        )
        return codes

    def decode(self, v, dtype):
        """Rows as an array of values, NaN where an entry is missing, (n, D)."""
        out = np.full((v.shape[0], self.n_features), np.nan, dtype)
        out[v.row_of_entry, self.feature_of[v.entries]] = self.values.astype(dtype)[v.entries]
        return out

    def complete_rows(self, n_rows):
        """Rows that observe every feature in its first category."""
        codes = np.tile(self.offsets[:-1].astype(np.int32), n_rows)
        return OneHotRows(np.arange(n_rows + 1) * self.n_features, codes)


@dataclass(eq=False)
class OneHotRows:
    """Rows of one-hot units, or of probabilities in their place.

    A slice of rows is a view: it shares the codes.

    Parameters
    ----------
    indptr : ndarray of shape (n_rows + 1,), int64
        Row r holds ``codes[indptr[r]:indptr[r + 1]]``.
    codes : ndarray, int32
        Ascending within a row.
    weights : ndarray or None
        Probabilities of the codes: an observed feature then lists all its codes. None: each code
        of a row is a 1.
    """

    indptr: np.ndarray
    codes: np.ndarray
    weights: np.ndarray | None = None
    _order: Order | None = field(default=None, repr=False)

    @property
    def shape(self):
        """(Number of rows,)."""
        return (len(self.indptr) - 1,)

    @property
    def n_entries(self):
        """Number of codes in all rows."""
        return int(self.indptr[-1] - self.indptr[0])

    @property
    def entries(self):
        """The codes of all rows, a view."""
        return self.codes[self.indptr[0] : self.indptr[-1]]

    @property
    def indptr_of_entries(self):
        """Row r holds ``entries[indptr_of_entries[r]:indptr_of_entries[r + 1]]``."""
        return self.indptr - self.indptr[0]

    @property
    def row_of_entry(self):
        """The row that holds each entry."""
        return np.repeat(np.arange(self.shape[0]), np.diff(self.indptr))

    def weights_of_entries(self, dtype):
        """The weights of all entries, a view; without elements if each is 1, as kernels ask."""
        if self.weights is None:
            return np.empty(0, dtype)
        return self.weights[self.indptr[0] : self.indptr[-1]]

    def __getitem__(self, rows):
        if not isinstance(rows, slice):
            return self._take(rows)
        first, stop, step = rows.indices(self.shape[0])
        if step != 1:
            return self._take(np.arange(first, stop, step))
        return OneHotRows(self.indptr[first : max(first, stop) + 1], self.codes, self.weights)

    def _take(self, rows):
        """The rows of an index array, from rows of ones: a copy."""
        indptr = cumulated(self.indptr[rows + 1] - self.indptr[rows])
        codes = np.empty(indptr[-1], self.codes.dtype)
        onehot.take_rows(self.indptr, self.codes, rows, indptr, codes)
        return OneHotRows(indptr, codes)

    def above(self, others):
        """These rows of ones and, below them, other rows."""
        indptr = self.indptr_of_entries, others.indptr_of_entries[1:] + self.n_entries
        codes = np.concatenate((self.entries, others.entries))
        weights = None
        if others.weights is not None:
            ones = np.ones(self.n_entries, others.weights.dtype)
            weights = np.concatenate((ones, others.weights_of_entries(ones.dtype)))
        return OneHotRows(np.concatenate(indptr), codes, weights)

    def blocks(self, work_per_row, work_per_entry, most):
        """Slices of rows of at most so much work, as the function ``blocks`` makes them."""
        work = work_per_row * np.arange(len(self.indptr)) + work_per_entry * self.indptr
        return blocks(work, most)

    def copy(self):
        """Rows that share nothing with these, but for the order by feature."""
        weights = None if self.weights is None else self.weights_of_entries(None).copy()
        return OneHotRows(self.indptr_of_entries, self.entries.copy(), weights, _order=self._order)

    def by_feature(self, categories):
        """The order of the entries by feature; remembered.

        Sampling puts other categories in the place of the old ones, not other features, and
        leaves the order as it is.

        Returns
        -------
        order : Order
            See :class:`~skrbm._kernels.onehot.Order`.
        """
        if self._order is None:
            dtype = np.int32 if max(self.n_entries, self.shape[0]) < 2**31 else np.int64
            entry, row = np.empty(self.n_entries, dtype), np.empty(self.n_entries, dtype)
            start = np.zeros(categories.n_features + 1, np.int64)
            rows = self.indptr, self.codes, categories.feature_of
            onehot.count(*rows, start[1:])
            np.cumsum(start, out=start)
            onehot.sort_by_feature(*rows, start[:-1].copy(), entry, row)
            self._order = Order(start, entry, row)
        return self._order


@dataclass
class OneHotPhases:
    """Rows of data, and rows of the model."""

    positive: OneHotRows
    negative: OneHotRows

    @property
    def n_pos(self):
        """Number of rows of data."""
        return self.positive.shape[0]

    @property
    def both(self):
        """The rows of data above the rows of the model, a copy."""
        return self.positive.above(self.negative)

    def replace_negative(self, v):
        """Put other rows in the place of the rows of the model."""
        self.negative = v
