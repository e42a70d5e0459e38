"""What the benchmarks compare, and on which data: estimators, bare products, PyTorch."""

from functools import partial

import numpy as np
from plain import PLAIN_BERNOULLI
from scipy import sparse
from sklearn.neural_network import BernoulliRBM as SklearnRBM

from skrbm import BernoulliRBM

try:
    import torch
except ImportError:
    torch = None

#: Both with the same way to learn.
ESTIMATORS = {"scikit-learn": SklearnRBM, "skrbm": partial(BernoulliRBM, **PLAIN_BERNOULLI)}


def binary_rows(n_rows, n_features, dtype, density=0.19):
    """Independent random bits."""
    rng = np.random.default_rng(0)
    return (rng.random((n_rows, n_features), np.float32) < density).astype(dtype)


def sparse_rows(n_rows, n_features, dtype, density=0.01):
    """Independent random bits, nearly ``density`` of them ones, in CSR form."""
    rng = np.random.default_rng(0)
    n_ones = int(density * n_rows * n_features)
    where = rng.integers(n_rows, size=n_ones), rng.integers(n_features, size=n_ones)
    X = sparse.csr_array((np.ones(n_ones, dtype), where), shape=(n_rows, n_features))
    X.sum_duplicates()
    X.data[:] = 1
    return X


def fit_epoch(name, X, n_components, batch_size):
    """One epoch of training, as a user calls it: validation and all."""
    estimator = ESTIMATORS[name](n_components, batch_size=batch_size, n_iter=1, random_state=0)
    return estimator.fit(X)


def bare_products(X, n_components, batch_size, features_first):
    """A function that makes an epoch's five plain products per batch and nothing else.

    They are v W, h W^T, v W, v^T h and v^T h, into arrays made beforehand. ``features_first``:
    W is stored as (n_features, n_components), as skrbm does, or the other way round.
    """
    n_rows, n_features = X.shape
    rng = np.random.default_rng(0)
    W = rng.normal(0, 0.01, (n_features, n_components)).astype(X.dtype)
    if not features_first:
        W = np.ascontiguousarray(W.T)
    h = (rng.random((batch_size, n_components)) < 0.5).astype(X.dtype)
    v_neg = X[:batch_size].copy()
    v_out, h_out, gradient = np.empty_like(v_neg), np.empty_like(h), np.empty_like(W)
    W_vh = W if features_first else W.T
    W_hv = W_vh.T

    def add_up(v):
        left, right = (v.T, h) if features_first else (h.T, v)
        np.dot(left, right, out=gradient)

    def epoch():
        for first in range(0, n_rows, batch_size):
            v_pos = X[first : first + batch_size]
            np.dot(v_pos, W_vh, out=h_out)
            np.dot(h, W_hv, out=v_out)
            np.dot(v_neg, W_vh, out=h_out)
            add_up(v_pos)
            add_up(v_neg)

    return epoch


def torch_epoch(X, n_components, batch_size, learning_rate=0.1):
    """One epoch of the same update, PCD-1 on shuffled rows, with PyTorch's functions."""
    X = torch.from_numpy(X)
    n_rows, n_features = X.shape
    W = torch.normal(0.0, 0.01, (n_features, n_components), dtype=X.dtype)
    b, c = torch.zeros(n_features, dtype=X.dtype), torch.zeros(n_components, dtype=X.dtype)
    chains = torch.zeros(batch_size, n_components, dtype=X.dtype)
    order = torch.randperm(n_rows)
    for first in range(0, n_rows, batch_size):
        v_pos = X[order[first : first + batch_size]]
        h_pos = torch.addmm(c, v_pos, W).sigmoid_()
        v_neg = torch.bernoulli(torch.addmm(b, chains, W.T).sigmoid_())
        h_neg = torch.addmm(c, v_neg, W).sigmoid_()
        torch.bernoulli(h_neg, out=chains)
        W.addmm_(v_pos.T, h_pos, alpha=learning_rate / len(v_pos))
        W.addmm_(v_neg.T, h_neg, alpha=-learning_rate / len(v_neg))
        b.add_(v_pos.mean(0).sub_(v_neg.mean(0)), alpha=learning_rate)
        c.add_(h_pos.mean(0).sub_(h_neg.mean(0)), alpha=learning_rate)
