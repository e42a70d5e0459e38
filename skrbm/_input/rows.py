"""The form of rows: what training, chains and scores ask of data, whatever the user handed in."""

from abc import ABC, abstractmethod
from functools import cached_property

import numpy as np

from .description import Description


class Rows(ABC):
    """The rows of a validated X, in a form that a machine can read.

    Whether X is dense or sparse, and whether its entries are numbers or categories, is decided by
    the subclass and known to nobody else.

    Attributes
    ----------
    X : {ndarray, CSR matrix} of shape (n_rows, n_features)
        The validated X itself, for callbacks.
    n_rows, n_features : int
        The shape of X.
    dtype : dtype
        float32 or float64: the dtype of the machine that reads the rows.
    weights : ndarray of shape (n_rows,), float64, or None
        How often each row counts, more than 0; None: once.
    """

    _weights = None

    @property
    def weights(self):
        """How often each row counts."""
        return self._weights

    @weights.setter
    def weights(self, weights):
        self._weights = weights
        for name in ("mean_weight", "summary"):  # which somebody may have asked for before
            vars(self).pop(name, None)

    @cached_property
    def mean_weight(self):
        """Mean of the weights."""
        return self.weights.mean()

    def among(self, mean_weight):
        """The same rows, without a copy, beside others: the mean weight is that of all."""
        rows = object.__new__(type(self))
        vars(rows).update(vars(self), mean_weight=mean_weight)
        return rows

    def part(self, which):
        """Rows of an index array, with their weights; a copy."""
        rows = self._part(which)
        rows.weights = None if self.weights is None else self.weights[which]
        return rows

    @abstractmethod
    def _part(self, which):
        """Rows of an index array; a copy."""

    def distinct(self):
        """Rows of which no two are equal, in an order of their own; equal rows add up weights."""
        first, which = self._distinct()
        rows = self.part(first)
        if len(first) < self.n_rows or self.weights is not None:
            rows.weights = np.bincount(which.ravel(), self.weights)
        return rows

    @abstractmethod
    def _distinct(self):
        """Numbers of the distinct rows, in an order that their entries decide, and the inverse."""

    @abstractmethod
    def read(self, which, dtype=None, out=None):
        """Rows for the visible layer of a machine.

        Parameters
        ----------
        which : slice or ndarray of int
            An array gives rows of their own; a slice may give a view of X.
        dtype : dtype or None
            None: the dtype of the rows.
        out : rows of the visible layer, or None
            Where rows of one length are written to. None: new rows.
        """

    @abstractmethod
    def blocks(self, per_row=0, per_entry=1):
        """Yield slices of rows such that the work on a slice fits in memory.

        Parameters
        ----------
        per_row, per_entry : int
            Numbers that the work holds for each row, and for each unit of an entry.
        """

    @property
    @abstractmethod
    def n_unknown(self):
        """Number of entries that are missing."""

    @abstractmethod
    def complete(self, which):
        """Complete rows for the visible layer, and which of their entries are known.

        Parameters
        ----------
        which : ndarray of int

        Returns
        -------
        v : complete rows of the visible layer
            Rows of their own. An unknown entry may be anything.
        known : ndarray of shape (n, n_features), bool
        """

    @abstractmethod
    def as_given(self, v):
        """Rows of a visible layer in the form of X, as the user would expect them back."""

    @property
    @abstractmethod
    def summary(self):
        """What initial biases are made of; computed once. Summaries of parts can be merged."""

    def without_table(self):
        """The same rows, without what training does not need."""
        return self

    def describe(self):
        """What checks and initial values ask of the rows: a Description."""
        return Description(
            n_rows=self.n_rows,
            n_features=self.n_features,
            n_unknown=self.n_unknown,
            dtype=self.dtype,
            summary=self.summary,
            weight=None if self.weights is None else float(self.weights.sum()),
            **self._own_description(),
        )

    @abstractmethod
    def _own_description(self):
        """What only rows of this kind are asked, a dict."""

    def map(self, function, dtype=None, **work):
        """The results of a function for all rows, computed block by block, as one array.

        Parameters
        ----------
        function : callable
            Takes rows of the visible layer, and returns an array with one result per row.
        dtype : dtype or None
            As in ``read``.
        **work
            As in ``blocks``.
        """
        with np.errstate(over="ignore"):  # an energy beyond the dtype is infinite
            parts = [function(self.read(block, dtype)) for block in self.blocks(**work)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def spread(self, max_rows, block_size=100):
        """Yield blocks of at most ``max_rows`` rows in all, spread evenly over the data."""
        stride = -(-self.n_rows // max_rows)
        for first in range(0, self.n_rows, block_size * stride):
            yield self.read(slice(first, first + block_size * stride, stride))
