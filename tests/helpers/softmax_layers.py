"""A layer of categories, its rows, and queries of their entries."""

import numpy as np

from skrbm._kernels.onehot import Queries
from skrbm._machine.onehot import Categories
from skrbm._machine.softmax import SoftmaxLayer

from ..oracles.softmax import feature_of, listed
from .softmax_machines import random_rows

# More entries of most features than two blocks of 32; the last feature has none.
SIZES = (5, 1, 2, 3, 9, 2, 4)


CATEGORIES = Categories([np.arange(n) for n in SIZES])
OFFSETS = CATEGORIES.offsets
N_CODES, N_HIDDEN, N_ROWS = sum(SIZES), 7, 110


def layer(rng, dtype, conditional=False, scale=1.0):
    """A layer, its weights, and hidden states for each row."""
    weights = rng.normal(0, scale, (N_CODES, N_HIDDEN)).astype(dtype)
    U = rng.normal(size=(len(SIZES), N_HIDDEN)).astype(dtype) if conditional else None
    visible = SoftmaxLayer(rng.normal(size=N_CODES).astype(dtype), CATEGORIES, U)
    return visible, weights, rng.integers(0, 2, (N_ROWS, N_HIDDEN)).astype(dtype)


def asked(rng, rows, per_feature=70):
    """Queries: some for entries that rows hold, some for others; one feature not at all."""
    row = rng.integers(0, rows.shape[0], (len(SIZES), per_feature))
    held = [{feature_of(c, OFFSETS): c for c in r} for r in listed(rows.indptr, rows.codes)]
    own = [[held[r].get(i, -1) for r in row[i]] for i in range(len(SIZES))]
    start = per_feature * np.array([0, 1, 2, 3, 3, 4, 5, 6])
    kept = np.array([0, 1, 2, 4, 5, 6])
    row, own = row[kept].ravel().astype(np.int32), np.array(own, np.int32)[kept].ravel()
    return Queries(start, row, own), kept


def rows_of_codes():
    """The last feature is never observed."""
    rows = random_rows(np.random.default_rng(1), N_ROWS, SIZES)
    return [tuple(code for code in row if code < OFFSETS[-2]) for row in rows]
