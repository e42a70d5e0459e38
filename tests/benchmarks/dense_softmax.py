"""The dense competitor of the softmax benchmarks: CD-1 on one-hot rows in plain NumPy."""

import numpy as np
from scipy.special import expit

VALUES = 5


class DenseSoftmaxRBM:
    """CD-1 on rows of softmax units in plain NumPy, in the dense one-hot formulation.

    A batch is a matrix with a column for every value of every item, values first, so that what
    is done for each item runs along contiguous rows; missing ratings are rows of zeros.
    """

    def __init__(self, n_items, n_components, batch_size, dtype=np.float32, seed=0):
        self.rng = np.random.default_rng(seed)
        self.n_items, self.batch_size, self.dtype = n_items, batch_size, dtype
        n_columns = VALUES * n_items
        self.W = self.rng.normal(0, 0.01, (n_columns, n_components)).astype(dtype)
        self.b, self.c = np.zeros(n_columns, dtype), np.zeros(n_components, dtype)
        self.steps = [np.zeros_like(p) for p in (self.W, self.b, self.c)]
        self.gradient = np.empty_like(self.W)
        self.visible = np.empty((2 * batch_size, n_columns), dtype)  # data, then reconstruction
        self.hidden = np.empty((2 * batch_size, n_components), dtype)
        self.theta = np.empty((batch_size, n_columns), dtype)

    def _sample_hidden(self, v, out):
        """Means of the hidden units into ``out``."""
        np.dot(v, self.W, out=out)
        out += self.c
        return expit(out, out=out)

    def _sample_visible(self, h, observed, out):
        """A drawn value of each observed item, one-hot, into ``out``."""
        theta = np.dot(h, self.W.T, out=self.theta[: len(h)])
        theta += self.b
        theta = theta.reshape(-1, VALUES, self.n_items)
        theta -= theta.max(axis=1, keepdims=True)
        np.exp(theta, out=theta)
        for k in range(1, VALUES):
            theta[:, k] += theta[:, k - 1]
        u = self.rng.random((len(h), self.n_items), self.dtype)
        u *= theta[:, -1]
        above = (theta > u[:, None]) & observed[:, None]
        out = out.reshape(theta.shape)
        out[:, 0] = above[:, 0]
        out[:, 1:] = above[:, 1:] ^ above[:, :-1]

    def epoch(self, X, learning_rate=0.05, momentum=0.9, weight_decay=0.001):
        """One pass over the rows; the share of ratings that the reconstructions miss."""
        order, hits = self.rng.permutation(X.shape[0]), 0
        for first in range(0, len(order), self.batch_size):
            batch = X[order[first : first + self.batch_size]]
            m = batch.shape[0]
            v, h = self.visible[: 2 * m], self.hidden[: 2 * m]
            rows = np.repeat(np.arange(m), np.diff(batch.indptr))
            columns = (batch.data.astype(np.intp) - 1) * self.n_items + batch.indices
            observed = np.zeros((m, self.n_items), bool)
            observed[rows, batch.indices] = True
            v[:m] = 0
            v[rows, columns] = 1
            means = self._sample_hidden(v[:m], h[:m])
            drawn = (self.rng.random(means.shape, self.dtype) < means).astype(self.dtype)
            self._sample_visible(drawn, observed, v[m:])
            hits += v[m:][rows, columns].sum()
            self._sample_hidden(v[m:], h[m:])
            np.negative(h[m:], out=h[m:])
            np.dot(v.T, h, out=self.gradient)
            gradients = self.gradient, v[:m].sum(0) - v[m:].sum(0), h.sum(0)
            for p, step, g in zip((self.W, self.b, self.c), self.steps, gradients, strict=True):
                step *= momentum
                g *= learning_rate / m
                step += g
                if p is self.W:
                    step -= np.multiply(p, learning_rate * weight_decay, out=g)
                p += step
        return 1 - hits / X.nnz
