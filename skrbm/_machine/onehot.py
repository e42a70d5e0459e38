"""Categorical data as the package holds them: categories of features, and one-hot rows.

A feature i of K_i categories owns K_i visible units, or *codes*, ``offsets[i] ..
offsets[i + 1] - 1``. A row is the codes of its observed features: nothing stands for what is
missing, and nothing dense is ever made of it.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from .._kernels import onehot


def cumulated(sizes):
    """Where items of some sizes begin, one after the other, and, last, where they end."""
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(sizes, dtype=np.int64)))


def blocks(cumulative_work, most):
    """Yield slices of items whose work, but for that of single items, is at most so much."""
    first, n_items = 0, len(cumulative_work) - 1
    while first < n_items:
        limit = int(cumulative_work[first]) + most  # may be beyond the range of its dtype
        stop = int(np.searchsorted(cumulative_work, limit, side="right")) - 1
        yield slice(first, max(first + 1, stop))
        first = max(first + 1, stop)


@dataclass(frozen=True)
class Categories:
    """What the codes stand for.

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

    def complete_rows(self, n_rows):
        """Rows in which every feature is observed, in its first category."""
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
        Probabilities of the codes, all those of an observed feature being listed; None: each
        code of a row is a 1.
    """

    indptr: np.ndarray
    codes: np.ndarray
    weights: np.ndarray | None = None
    _half: "OneHotRows | None" = field(default=None, repr=False)
    _order: tuple | None = field(default=None, repr=False)

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

    def __getitem__(self, rows):
        if not isinstance(rows, slice):
            return self._take(rows)
        first, stop, step = rows.indices(self.shape[0])
        if step != 1:
            return self._take(np.arange(first, stop, step))
        indptr = self.indptr[first : max(first, stop) + 1]
        # Either half of ``twice`` may change its categories, not the features observed.
        n_half = self._half.shape[0] if self._half is not None else -1
        half = self._half if (first, stop) in ((0, n_half), (n_half, 2 * n_half)) else None
        return OneHotRows(indptr, self.codes, self.weights, half)

    def _take(self, rows):
        """The rows of an index array, from rows of ones: a copy."""
        indptr = cumulated(self.indptr[rows + 1] - self.indptr[rows])
        codes = np.empty(indptr[-1], self.codes.dtype)
        onehot.take_rows(self.indptr, self.codes, rows, indptr, codes)
        return OneHotRows(indptr, codes)

    def __setitem__(self, rows, new):
        """Put other rows in the place of the last ones."""
        kept = self[: rows.start]
        indptr = np.concatenate((kept.indptr, kept.indptr[-1] + new.indptr[1:] - new.indptr[0]))
        weights = None
        if new.weights is not None:
            ones = np.ones(kept.n_entries, new.weights.dtype)
            weights = np.concatenate((ones, new.weights))
        self.codes = np.concatenate((kept.entries, new.entries))
        self.indptr, self.weights = indptr - indptr[0], weights
        self._half = self._order = None

    def blocks(self, work_per_row, work_per_entry, most):
        """Slices of rows of at most so much work, as of the function of this name."""
        work = work_per_row * np.arange(len(self.indptr)) + work_per_entry * self.indptr
        return blocks(work, most)

    def copy(self):
        """Rows that share nothing with these."""
        return OneHotRows(self.indptr - self.indptr[0], self.entries.copy())

    def twice(self):
        """These rows, and below them the same rows again; both know one order by feature."""
        n_entries = self.n_entries
        indptr = self.indptr - self.indptr[0]
        indptr = np.concatenate((indptr, n_entries + indptr[1:]))
        return OneHotRows(indptr, np.tile(self.entries, 2), _half=self)

    @property
    def copies(self):
        """2 for rows that ``twice`` made, else 1."""
        return 1 if self._half is None else self.shape[0] // self._half.shape[0]

    def by_feature(self, categories):
        """The entries in the order of features, those of a feature in the order of rows.

        That of the first half for rows that are there twice. Remembered: draws put other
        categories in the place of the old ones, not features.

        Returns
        -------
        start : ndarray of shape (D + 1,)
            The entries of feature i are ``start[i] .. start[i + 1] - 1`` of the arrays below.
        entry : ndarray of shape (n_entries,)
            Where the entry stands in ``entries``.
        row : ndarray of shape (n_entries,)
            The row that holds it.
        """
        if self._half is not None:
            return self._half.by_feature(categories)
        if self._order is None:
            dtype = np.int32 if max(self.n_entries, self.shape[0]) < 2**31 else np.int64
            entry, row = np.empty(self.n_entries, dtype), np.empty(self.n_entries, dtype)
            start = np.zeros(categories.n_features + 1, np.int64)
            rows = self.indptr, self.codes, categories.feature_of
            onehot.count(*rows, start[1:])
            np.cumsum(start, out=start)
            onehot.sort_by_feature(*rows, start[:-1].copy(), entry, row)
            self._order = start, entry, row
        return self._order
