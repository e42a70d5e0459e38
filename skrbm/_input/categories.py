"""Rows of categories, of which entries may be missing."""

from functools import cached_property
from itertools import pairwise

import numpy as np
from scipy.sparse import csr_array, csr_matrix, issparse, isspmatrix

from .._kernels.onehot_rows import count
from .._machine.memory import Travelling
from .checks import working_dtype
from .rows import Rows
from .summary import CategorySummary

# Numbers that the work on a block of rows may hold.
_BLOCK_NUMBERS = 2**22


class CategoryRows(Travelling, Rows):
    """Rows whose entries are categories, some of them missing.

    Parameters
    ----------
    X : {ndarray, CSR matrix} of shape (n_samples, n_features), or None
        None: of rows that nobody asks back as they were given.
    onehot : OneHotRows
        The entries of X as codes.
    categories : Categories
    dtype : dtype or None
        The dtype of the machine that reads the rows. None: that of X decides.
    """

    def __init__(self, X, onehot, categories, dtype=None):
        self.X, self.onehot, self.categories = X, onehot, categories
        self.n_rows, self.n_features = onehot.shape[0], categories.n_features
        self.dtype = working_dtype(X.dtype) if dtype is None else dtype

    @property
    def is_sparse(self):
        """Whether X is sparse."""
        return issparse(self.X)

    def _own_description(self):
        """In which form X is."""
        return {"is_sparse": self.is_sparse}

    def without_table(self):
        """The same rows without X, which holds them a second time."""
        rows = CategoryRows(None, self.onehot, self.categories, self.dtype)
        rows.weights = self.weights
        return rows

    def _part(self, which):
        """Rows of the same kind."""
        X = None if self.X is None else self.X[which]
        return CategoryRows(X, self.onehot[which], self.categories, self.dtype)

    def _distinct(self):
        """Their numbers, and which of them each row is."""
        indptr, codes = self.onehot.indptr, self.onehot.codes
        rows = [codes[slice(*pair)].tobytes() for pair in pairwise(indptr)]
        return np.unique(np.array(rows, object), return_index=True, return_inverse=True)[1:]

    def read(self, which, dtype=None, out=None):
        """One-hot rows, which have no dtype and no fixed length to write to."""
        return self.onehot[which]

    def blocks(self, per_row=0, per_entry=1):
        """Yield slices of rows."""
        per_entry *= self.categories.most
        return self.onehot.blocks(per_row, per_entry, _BLOCK_NUMBERS)

    @property
    def n_unknown(self):
        """Number of features that rows do not observe."""
        return self.n_rows * self.n_features - self.onehot.n_entries

    def complete(self, which):
        """Rows with the first category of its feature where an entry is unknown."""
        rows = self.onehot[which]
        v = self.categories.complete_rows(len(which))
        known = np.zeros((len(which), self.n_features), bool)
        where = rows.row_of_entry, self.categories.feature_of[rows.entries]
        known[where] = True
        v.entries.reshape(known.shape)[where] = rows.entries
        return v, known

    def as_given(self, v):
        """Values with NaN where an entry is missing; of a sparse X, CSR of the others."""
        if not issparse(self.X):
            return self.categories.decode(v, self.dtype)
        values = self.categories.values.astype(self.dtype)[v.entries]
        features, shape = self.categories.feature_of[v.entries], (v.shape[0], self.n_features)
        kind = csr_matrix if isspmatrix(self.X) else csr_array
        return kind((values, features, v.indptr_of_entries), shape=shape)

    @cached_property
    def summary(self):
        """How often each code occurs."""
        if self.weights is not None:
            counts = np.zeros(self.categories.offsets[-1])
            for block in self.blocks():
                rows = self.onehot[block]
                weights = np.repeat(self.weights[block], np.diff(rows.indptr))
                counts += np.bincount(rows.entries, weights, len(counts))
            return CategorySummary(self.dtype, self.weights.sum(), self.categories, counts)
        counts = np.empty(self.categories.offsets[-1], np.int64)
        # np.bincount would copy 32-bit codes to 64 bits.
        codes = np.arange(len(counts), dtype=np.int32)
        count(self.onehot.indptr, self.onehot.codes, codes, counts)
        return CategorySummary(self.dtype, self.n_rows, self.categories, counts)
