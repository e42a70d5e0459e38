"""Rows of numbers: training data, read a few rows at a time."""

from functools import cached_property

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import gen_batches

from .._kernels import linear
from .checks import working_dtype

_SUMMARY_BLOCK = 1000


class Rows:
    """Training data, read a few rows at a time; dense or sparse is decided here, once.

    Parameters
    ----------
    X : {ndarray, CSR matrix} of shape (n_samples, n_features)
        Never copied or converted as a whole.

    Attributes
    ----------
    n_rows, n_columns : int
    dtype : dtype
        float32 or float64, of the rows that ``read`` gives.
    """

    def __init__(self, X):
        self.X = X
        self.n_rows, self.n_columns = X.shape
        self.dtype = working_dtype(X.dtype)
        self._sparse = issparse(X)
        self._take = not self._sparse and X.flags.c_contiguous and X.dtype == self.dtype
        self._buffer = np.empty((0, self.n_columns))

    def batch(self, rows, dtype, n_chains=None):
        """The rows named by a slice or an index array, and room for as many below, or n_chains.

        The next call overwrites them.
        """
        n_rows = rows.stop - rows.start if isinstance(rows, slice) else len(rows)
        n_rows_and_room = n_rows + (n_rows if n_chains is None else n_chains)
        if len(self._buffer) < n_rows_and_room:
            self._buffer = np.empty((n_rows_and_room, self.n_columns), dtype)
        v = self._buffer[:n_rows_and_room]
        self.read(rows, out=v[:n_rows])
        return v

    def read(self, rows, out):
        """Write the rows named by a slice or an index array into ``out``."""
        if self._sparse:
            if isinstance(rows, slice):
                rows = np.arange(rows.start, rows.stop)
            linear.read_csr(self.X.indptr, self.X.indices, self.X.data, rows, out)
        elif self._take and out.dtype == self.dtype and not isinstance(rows, slice):
            # mode="clip" spares NumPy a buffer; the indices are in range.
            np.take(self.X, rows, axis=0, out=out, mode="clip")
        else:
            out[...] = self.X[rows]

    def dense(self, rows):
        """The rows of a slice as a dense array, which may be a view of X."""
        part = self.X[rows].astype(self.dtype, copy=False)
        return part.toarray() if self._sparse else part

    def monitor(self, max_rows, block_size=100):
        """Yield dense blocks of at most so many rows, spread evenly over the data."""
        stride = -(-self.n_rows // max_rows)
        for first in range(0, self.n_rows, block_size * stride):
            yield self.dense(slice(first, first + block_size * stride, stride))

    @cached_property
    def column_sums(self):
        """Sums of the columns, (n_features,) in float64."""
        return self._summary[0]

    @property
    def column_means(self):
        """Means of the columns, (n_features,) in float64."""
        return self.column_sums / self.n_rows

    @property
    def column_variances(self):
        """Variances of the columns of a dense X, (n_features,) in float64."""
        return self._spread[0]

    @property
    def constant_columns(self):
        """Whether each column of a dense X is constant, (n_features,)."""
        return self._spread[1]

    @cached_property
    def _spread(self):
        squares, constant = np.zeros(self.n_columns), True
        for block in gen_batches(self.n_rows, _SUMMARY_BLOCK):
            squares += np.square(self.X[block] - self.column_means).sum(axis=0)
            constant = constant & (self.X[block] == self.X[0]).all(axis=0)
        return squares / self.n_rows, constant

    @cached_property
    def range(self):
        """The smallest and the largest value."""
        return self._summary[1:]

    @cached_property
    def _summary(self):
        # Block by block: one pass over memory, and no loss of digits in long float32 sums.
        sums, lowest, highest = np.zeros(self.n_columns), np.inf, -np.inf
        for block in gen_batches(self.n_rows, _SUMMARY_BLOCK):
            part = self.X[block]
            if self._sparse:  # entries at one place add up as floats do
                part = part.astype(self.dtype, copy=False)
            dtype = np.promote_types(part.dtype, np.float32)
            sums += np.asarray(part.sum(axis=0, dtype=dtype)).ravel()
            lowest, highest = min(lowest, part.min()), max(highest, part.max())
        return sums, lowest, highest
