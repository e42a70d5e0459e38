"""Rows of numbers, dense or sparse."""

from functools import cached_property, reduce

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import gen_batches

from .._kernels import rows as kernels
from .._kernels import updates
from .._machine.crew import together
from .._machine.memory import Travelling
from .checks import working_dtype
from .rows import Rows
from .sparse import summed
from .summary import NumberSummary

# Rows of a block, at most: for a summary, and of a sparse X, where a block is made dense.
_SUMMARY_ROWS, _SPARSE_ROWS = 1000, 256
# Numbers, at most, that the work on a block holds. Blocks of dense rows are as large as that: the
# threads of BLAS and of the kernels disturb each other whenever one gives way to the other.
_BLOCK_NUMBERS = 2**22


class NumberRows(Travelling, Rows):
    """Rows whose entries are numbers, for a visible layer that reads dense arrays.

    Parameters
    ----------
    X : {ndarray, CSR matrix} of shape (n_samples, n_features)
        Read some rows at a time; never copied or converted as a whole.
    squares : bool, default=False
        Whether the summary has squares.
    clip : bool, default=False
        Whether values are probabilities: what is below 0 is read as 0, what is above 1 as 1.
    """

    def __init__(self, X, squares=False, clip=False):
        self.X = X
        self.n_rows, self.n_features = X.shape
        self.dtype = working_dtype(X.dtype)
        self._sparse = issparse(X)
        self._take = not self._sparse and X.flags.c_contiguous and X.dtype == self.dtype
        self._squares, self._probabilities = squares, clip
        self._clip = clip and not 0 <= self.extremes[0] <= self.extremes[1] <= 1

    @property
    def given_dtype(self):
        """The dtype of X as it was given."""
        return self.X.dtype

    @cached_property
    def all_whole(self):
        """Whether all values of X are whole numbers."""
        values = self.X.data if self._sparse else self.X
        parts = map(values.__getitem__, gen_batches(len(values), _SUMMARY_ROWS))
        return all((part == np.rint(part)).all() for part in parts)

    @cached_property
    def extremes(self):
        """The lowest and the highest value of X as it was given, NaN left out."""
        if not self._sparse:
            return np.fmin.reduce(self.X, axis=None), np.fmax.reduce(self.X, axis=None)
        X = summed(self.X, self.dtype)
        zero = [] if X.nnz == X.shape[0] * X.shape[1] else [0]
        return tuple(
            function.reduce([*zero, *([function.reduce(X.data)] if X.nnz else [])])
            for function in (np.fmin, np.fmax)
        )

    def _own_description(self):
        """How values may be read as probabilities."""
        if not self._probabilities:
            return {}
        names = "given_dtype", "extremes", "all_whole"
        return {name: getattr(self, name) for name in names}

    def _part(self, which):
        """Rows of the same kind."""
        return NumberRows(self.X[which], self._squares, self._probabilities)

    def _distinct(self):
        """Their numbers, and which of them each row is."""
        rows = self.read(slice(0, self.n_rows))
        return np.unique(rows, axis=0, return_index=True, return_inverse=True)[1:]

    def read(self, which, dtype=None, out=None):
        """Dense rows: a view of X if a slice of X is just what a machine can read."""
        rows = self._read(which, dtype, out)
        if not self._clip:
            return rows
        return np.clip(rows, 0, 1, out=out)

    def _read(self, which, dtype, out):
        """The rows as they were given."""
        if out is None:
            part = self.X[which].astype(dtype or self.dtype, copy=False)
            return part.toarray() if self._sparse else part
        if self._sparse:
            if isinstance(which, slice):
                # As the rows of an order: another dtype would be another kernel to compile.
                dtype = np.int32 if which.stop < 2**31 else np.int64
                which = np.arange(which.start, which.stop, dtype=dtype)
            kernels.read_csr(self.X.indptr, self.X.indices, self.X.data, which, out)
        elif self._take and out.dtype == self.dtype and not isinstance(which, slice):
            together(kernels.take_rows, self.X, which, out)
        else:
            out[...] = self.X[which]
        return out

    def blocks(self, per_row=0, per_entry=1):
        """Yield slices of some rows; the data alone decide how many, and not the threads."""
        most = _BLOCK_NUMBERS // max(1, per_row + per_entry * self.n_features)
        most = min(most, _SPARSE_ROWS) if self._sparse else most
        yield from gen_batches(self.n_rows, max(1, most))

    @cached_property
    def n_unknown(self):
        """Number of NaN."""
        if self.X.dtype.kind != "f":
            return 0
        parts = (self.X.data,) if self._sparse else map(self.read, self.blocks())
        return sum(int(np.isnan(part).sum()) for part in parts)

    def complete(self, which):
        """Dense rows with NaN where an entry is unknown."""
        v = self.read(which)
        return v, ~np.isnan(v)

    def as_given(self, v):
        """The rows themselves: dense, also for a sparse X."""
        return v

    @cached_property
    def summary(self):
        """Merged block by block: one pass over memory, and no loss of digits in long sums."""
        blocks = gen_batches(self.n_rows, _SUMMARY_ROWS)
        return reduce(NumberSummary.merged, map(self._summary_of, blocks))

    def _summary_of(self, block):
        part = self.read(block) if self._clip else self.X[block]
        if issparse(part):  # entries at one place add up as floats do
            part = part.astype(self.dtype, copy=False)
        if self._squares:
            return self._spread_of(part, block)
        if self.weights is None:
            dtype, n_rows = np.promote_types(part.dtype, np.float32), part.shape[0]
            sums = np.asarray(part.sum(axis=0, dtype=dtype)).ravel().astype(np.float64)
        else:
            weights = self.weights[block]
            n_rows = weights.sum()
            # Dense rows without BLAS, and its threads.
            sums = weights @ part if self._sparse else np.einsum("r,rj->j", weights, part)
        return NumberSummary(self.dtype, n_rows, sums, part.min(), part.max(), None)

    def _spread_of(self, part, block):
        """With squares about the mean, which must not carry the rounding of float32."""
        part = np.ascontiguousarray(part, np.promote_types(part.dtype, np.float32))
        weights = np.ones(len(part)) if self.weights is None else self.weights[block]
        n_rows, sums = weights.sum(), np.empty(self.n_features)
        together(updates.weighted_sum, part, weights, sums)
        rest, squares = np.empty_like(sums), np.empty_like(sums)
        together(updates.moments, part, sums / n_rows, weights, rest, squares)
        lowest, highest = part.min(axis=0), part.max(axis=0)
        return NumberSummary(self.dtype, n_rows, sums, lowest, highest, squares)
