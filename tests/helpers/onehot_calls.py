"""Calls of the kernels of one-hot rows that a crew can share; n rows each."""

import numpy as np

from skrbm._kernels import onehot, onehot_rows

from .numbers import SEED
from .softmax_layers import CATEGORIES, N_CODES, N_HIDDEN, OFFSETS, SIZES
from .softmax_machines import one_hot, random_rows

_NONE = np.empty(0, np.int64)


def _rows(rng, n):
    return one_hot(random_rows(rng, n, SIZES))


def _gather(rng, dtype, n):
    rows = _rows(rng, n)
    tables = rng.normal(size=(N_CODES + n, N_HIDDEN)).astype(dtype)
    weights = rng.random(rows.n_entries).astype(dtype)
    return [rows.indptr, rows.codes, weights, tables[:N_CODES], tables[N_CODES:]]


def _accumulate(rng, dtype, n, conditional):
    phases = []
    for _ in range(2):
        rows, h = _rows(rng, n), rng.normal(size=(n, N_HIDDEN)).astype(dtype)
        order, ones = rows.by_feature(CATEGORIES), np.empty(0, dtype)
        row_weights = rng.normal(size=n).astype(dtype)
        phases.append(onehot.Phase(order, rows.codes, ones, h, row_weights))
    U = np.empty((len(SIZES) if conditional else 0, N_HIDDEN), dtype)
    outputs = U, np.empty(N_CODES, dtype), np.empty((N_CODES, N_HIDDEN), dtype)
    return [*phases, OFFSETS, *outputs]


def _categorical(rng, dtype, n, draw):
    rows, h = _rows(rng, n), rng.normal(size=(n, N_HIDDEN)).astype(dtype)
    W, b = rng.normal(size=(N_CODES, N_HIDDEN)).astype(dtype), rng.normal(size=N_CODES)
    softmax = onehot.Softmax(OFFSETS, W, b.astype(dtype), CATEGORIES.most)
    order = rows.by_feature(CATEGORIES)
    if draw:
        words = rng.integers(2**32, size=rows.n_entries, dtype=np.uint32)
        outputs = np.empty(rows.n_entries, np.int32), np.empty(0, dtype)
        return [order, softmax, h, words, _NONE, *outputs]
    sizes = CATEGORIES.sizes[CATEGORIES.feature_of[rows.codes]]
    position, total = np.cumsum(sizes) - sizes, sizes.sum()
    outputs = np.empty(total, np.int32), np.empty(total, dtype)
    return [order, softmax, h, np.empty(0, np.uint32), position, *outputs]


def _sort(rng, dtype, n):
    rows = _rows(rng, n)
    outputs = np.empty(len(SIZES) + 1, np.int64), *np.empty((2, rows.n_entries), np.int32)
    outputs[0][0] = 0
    return [rows.indptr, rows.codes, CATEGORIES.feature_of, OFFSETS, *outputs]


def _take(rng, dtype, n):
    rows, which = _rows(rng, 9), rng.integers(0, 9, n)
    indptr = np.append(0, np.cumsum(np.diff(rows.indptr)[which]))
    return [rows.indptr, rows.codes, which, indptr, np.empty(indptr[-1], np.int32)]


def _words(rng, dtype, n):
    rows = _rows(rng, n)
    return [rows.indptr, SEED, 3, 2, np.empty(rows.n_entries, np.uint32)]


#: By name: the kernel, the number of its outputs, and its arguments.
CALLS = {
    "one-hot take_rows": (onehot_rows.take_rows, 1, _take),
    "sort_by_feature": (onehot_rows.sort_by_feature, 3, _sort),
    "random_words": (onehot_rows.random_words, 1, _words),
    "gather": (onehot.gather, 1, _gather),
    "accumulate": (onehot.accumulate, 2, lambda r, t, n: _accumulate(r, t, n, False)),
    "accumulate, conditional": (onehot.accumulate, 3, lambda r, t, n: _accumulate(r, t, n, True)),
    "categorical, draws": (onehot.categorical, 2, lambda r, t, n: _categorical(r, t, n, True)),
    "categorical, means": (onehot.categorical, 2, lambda r, t, n: _categorical(r, t, n, False)),
}
