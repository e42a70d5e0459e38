"""Summaries of training data, from which initial biases are made.

Summaries of blocks, or of parts of the data on several workers, merge into one of all rows.
"""

from collections import defaultdict
from dataclasses import dataclass, replace

import numpy as np

from .._machine.onehot import Categories


@dataclass(frozen=True)
class NumberSummary:
    """Sums over rows of numbers.

    Parameters
    ----------
    dtype : dtype
        The dtype of a machine for the data.
    n_rows : float
        Number of rows, or sum of their weights.
    sums : ndarray of shape (n_features,), float64
    lowest, highest : float, or ndarray of shape (n_features,)
        The range: of all values or, in a summary with squares, of the values of each feature.
    squares : ndarray of shape (n_features,), float64, or None
        Sums of the squared deviations from the mean of the feature.
    """

    dtype: np.dtype
    n_rows: float
    sums: np.ndarray
    lowest: np.ndarray
    highest: np.ndarray
    squares: np.ndarray | None = None

    @property
    def means(self):
        """Mean of each feature."""
        return self.sums / self.n_rows

    @property
    def variances(self):
        """Variance of each feature, from a summary with squares."""
        return self.squares / self.n_rows

    @property
    def constant(self):
        """Whether all values of a feature are equal, from a summary with squares."""
        return self.lowest == self.highest

    def merged(self, other):
        """The summary of both parts (Chan, Golub & LeVeque, 1983, for the squares)."""
        squares = None
        if self.squares is not None:
            n = self.n_rows + other.n_rows
            distance = np.square(self.means - other.means)
            squares = self.squares + other.squares + distance * (self.n_rows * other.n_rows / n)
        return replace(
            self,
            n_rows=self.n_rows + other.n_rows,
            sums=self.sums + other.sums,
            lowest=np.minimum(self.lowest, other.lowest),
            highest=np.maximum(self.highest, other.highest),
            squares=squares,
        )


@dataclass(frozen=True)
class CategorySummary:
    """Counts over rows of categories.

    Parameters
    ----------
    dtype : dtype
        The dtype of a machine for the data.
    n_rows : float
        Number of rows, or sum of their weights.
    categories : Categories
    counts : ndarray of shape (C,)
        How often each code occurs: a whole number, or a sum of weights.
    """

    dtype: np.dtype
    n_rows: float
    categories: Categories
    counts: np.ndarray

    @property
    def means(self):
        """Share of all rows that show each code; a missing entry shows none."""
        return self.counts / self.n_rows

    @property
    def typical_shares(self):
        """Mean share of each category over all other features of the same categories.

        A feature counts if it has entries. One more feature, of equal shares, counts as well.
        """
        categories, shares = self.categories, np.empty(len(self.counts))
        alike = defaultdict(list)
        for i, values in enumerate(np.split(categories.values + 0.0, categories.offsets[1:-1])):
            alike[values.tobytes()].append(i)  # + 0.0: a zero has no sign
        for features in alike.values():
            size = categories.sizes[features[0]]
            codes = categories.offsets[features][:, np.newaxis] + np.arange(size)
            counts = self.counts[codes].astype(np.float64)
            n_entries = counts.sum(axis=1, keepdims=True)
            own = np.divide(counts, n_entries, out=np.zeros_like(counts), where=n_entries > 0)
            others = own.sum(axis=0) - own + 1 / size
            shares[codes] = others / others.sum(axis=1, keepdims=True)
        return shares

    def merged(self, other):
        """The summary of both parts, which have the same categories."""
        counts = self.counts + other.counts
        return replace(self, n_rows=self.n_rows + other.n_rows, counts=counts)
