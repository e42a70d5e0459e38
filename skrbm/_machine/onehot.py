"""Categorical data as the package holds them: categories of features, and one-hot rows.

A feature i of K_i categories owns K_i visible units. The number of such a unit is its *code*:
feature i owns the codes ``offsets[i] .. offsets[i + 1] - 1``. A row is the codes of its observed
features: nothing stands for a missing entry, and no row is ever made dense.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from .._kernels import onehot_rows
from .._kernels.onehot import Order
from .crew import together
from .memory import Travelling, joined, scratch


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
class Categories(Travelling):
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
        numbers = all(
            isinstance(values, np.ndarray) and values.ndim == 1 and values.dtype.kind in "biuf"
            for values in {id(values): values for values in self.by_feature}.values()
        )
        if not numbers or not self.by_feature or not self._ascend:
            raise ValueError(
                "categories_ must be a list of one flat array of numbers per feature, each of at "
                "least one category; categories are finite and ascend, as float64."
            )

    @property
    def _ascend(self):
        """Whether each feature has categories, finite ones, each larger than the last."""
        ascends = np.ones(len(self.values), bool)
        ascends[1:] = self.values[1:] > self.values[:-1]
        ascends[self.offsets[:-1][self.sizes > 0]] = True
        return ascends.all() and (self.sizes > 0).all() and np.isfinite(self.values).all()

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
    def scaled(self):
        """The category of each code, scaled: those of a feature go from -1 to 1, (C,)."""
        halves = self.values / 2  # differences of the values themselves may overflow
        low, high = halves[self.offsets[:-1]], halves[self.offsets[1:] - 1]
        middle, reach = (np.repeat(a, self.sizes) for a in (low + high, high - low))
        away = self.values - middle
        return np.divide(away, reach, out=np.zeros_like(away), where=reach > 0)

    @cached_property
    def feature_of(self):
        """The feature that owns each code, (C,)."""
        return np.repeat(np.arange(self.n_features, dtype=np.int32), self.sizes)

    @property
    def most(self):
        """The largest number of categories of a feature."""
        return int(self.sizes.max())

    def encode(self, values, features):
        """The codes of values of features: -1 for NaN, -2 for what is no category of theirs.

        A value is the category that it equals. A fraction, such as 0.1, may also be the only
        category that it equals in the shorter dtype of the two: no float32 equals 0.1 in float64.
        """
        codes = np.empty(len(values), np.int32)
        features = features.astype(np.int32, copy=False)
        numbers = values.astype(np.float64, copy=False)
        onehot_rows.encode(numbers, features, self.offsets, self.values, codes)
        dtype = min([values.dtype, *self._float_dtypes], key=lambda dtype: dtype.itemsize)
        if values.dtype.kind != "f" or dtype == np.float64 or codes.min(initial=0) > -2:
            return codes
        unknown = np.flatnonzero((codes == -2) & np.isfinite(numbers))
        unknown = unknown[numbers[unknown] != np.rint(numbers[unknown])]
        rounded, distinct = self._rounded(dtype)
        found = np.empty(len(unknown), np.int32)
        numbers = numbers[unknown].astype(dtype).astype(np.float64)
        onehot_rows.encode(numbers, features[unknown], self.offsets, rounded, found)
        known = found >= 0
        known[known] = distinct[found[known]]
        codes[unknown[known]] = found[known]
        return codes

    @cached_property
    def _float_dtypes(self):
        return {values.dtype for values in self.by_feature if values.dtype.kind == "f"}

    def _rounded(self, dtype):
        """Categories in a shorter dtype, as float64, and which fractions stay distinct in it."""
        with np.errstate(over="ignore"):
            rounded = self.values.astype(dtype).astype(np.float64)
        distinct = self.values != np.rint(self.values)
        # Of infinities there is no difference.
        same = (rounded[1:] == rounded[:-1]) & (np.diff(self.feature_of) == 0)
        distinct[1:][same] = distinct[:-1][same] = False
        return rounded, distinct

    def decode(self, v, dtype):
        """Rows as an array of values, NaN where an entry is missing, (n, D)."""
        out = np.full((v.shape[0], self.n_features), np.nan, dtype)
        out[v.row_of_entry, self.feature_of[v.entries]] = self.values.astype(dtype)[v.entries]
        return out

    def complete_rows(self, n_rows):
        """Rows that observe every feature in its first category."""
        codes = scratch((n_rows * self.n_features,), np.dtype(np.int32))
        codes.reshape(n_rows, -1)[...] = self.offsets[:-1]
        indptr = np.arange(n_rows + 1) * self.n_features
        return OneHotRows(indptr, codes, n_codes=self.offsets[-1])


@dataclass(eq=False)
class OneHotRows(Travelling):
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
    n_codes : int or None
        Number of codes that there are, C. None: as many as the rows show.
    """

    indptr: np.ndarray
    codes: np.ndarray
    weights: np.ndarray | None = None
    n_codes: int | None = None
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

    def check_codes(self, n_codes):
        """Refuse to meet arrays of another number of codes: kernels do not check bounds."""
        own = self.n_codes
        if own is None:
            own = int(self.entries.max(initial=-1)) + 1
        if own > n_codes or (self.n_codes is not None and own < n_codes):
            raise ValueError(
                f"rows of {own} categories met a machine of {n_codes}: categories_ has changed "
                "meanwhile."
            )

    def __getitem__(self, rows):
        if not isinstance(rows, slice):
            return self._take(rows)
        first, stop, step = rows.indices(self.shape[0])
        if step != 1:
            return self._take(np.arange(first, stop, step))
        indptr = self.indptr[first : max(first, stop) + 1]
        return OneHotRows(indptr, self.codes, self.weights, self.n_codes)

    def _take(self, rows):
        """The rows of an index array, from rows of ones: a copy."""
        if len(rows) and rows.min() < 0:
            raise IndexError(f"row {rows.min()} is none: rows are counted from 0")
        indptr = cumulated(self.indptr[rows + 1] - self.indptr[rows])
        codes = scratch((indptr[-1],), self.codes.dtype)
        together(onehot_rows.take_rows, self.indptr, self.codes, rows, indptr, codes)
        return OneHotRows(indptr, codes, n_codes=self.n_codes)

    def above(self, others):
        """These rows of ones and, below them, other rows."""
        indptr = self.indptr_of_entries, others.indptr_of_entries[1:] + self.n_entries
        codes = joined(self.entries, others.entries)
        weights = None
        if others.weights is not None:
            ones = np.ones(self.n_entries, others.weights.dtype)
            weights = joined(ones, others.weights_of_entries(ones.dtype))
        return OneHotRows(np.concatenate(indptr), codes, weights, self.n_codes)

    def blocks(self, work_per_row, work_per_entry, most):
        """Slices of rows of at most so much work, as the function ``blocks`` makes them."""
        work = work_per_row * np.arange(len(self.indptr)) + work_per_entry * self.indptr
        return blocks(work, most)

    def copy(self):
        """Rows that share nothing with these, but for the order by feature."""
        weights = None if self.weights is None else self.weights_of_entries(None).copy()
        codes = scratch(self.entries.shape, self.codes.dtype)
        codes[...] = self.entries
        return OneHotRows(self.indptr_of_entries, codes, weights, self.n_codes, self._order)

    def by_feature(self, categories):
        """The order of the entries by feature; remembered.

        Sampling puts other categories in the place of the old ones, not other features, and
        leaves the order as it is.

        Returns
        -------
        order : Order
            See :class:`~skrbm._kernels.onehot.Order`.
        """
        self.check_codes(categories.offsets[-1])
        if self._order is not None and len(self._order.start) != categories.n_features + 1:
            raise ValueError(
                f"rows of {len(self._order.start) - 1} features met {categories.n_features}: "
                "categories_ has changed meanwhile."
            )
        if self._order is None:
            dtype = np.int32 if max(self.n_entries, self.shape[0]) < 2**31 else np.int64
            entry, row = (scratch((self.n_entries,), np.dtype(dtype)) for _ in range(2))
            start = scratch(categories.offsets.shape, categories.offsets.dtype)
            start[0] = 0
            rows = self.indptr, self.codes, categories.feature_of, categories.offsets
            together(onehot_rows.sort_by_feature, *rows, start, entry, row)
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
