"""What the softmax benchmarks share: ratings as skewed as real ones, and a dense competitor."""

from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.optimize import brentq
from scipy.special import expit, ndtr, ndtri

VALUES = 5
#: Shares of the values 1 to 5.
MARGINALS = (0.05, 0.10, 0.28, 0.34, 0.23)
BLOCK = 2**18  # cells drawn at once: they stay in the cache


class Skew(NamedTuple):
    """Spread of the log-odds of users and of items, and the most that may rate one item."""

    users: float
    items: float
    most: float


NETFLIX = Skew(users=1.283, items=2.434, most=0.5)
MOVIELENS_1M = Skew(users=1.15, items=1.475, most=0.65)


def _expected_counts(n, n_others, total, spread, most):
    """Ascending expected counts of n users (items), a logit-normal share of the others each."""
    z = spread * ndtri((np.arange(n) + 0.5) / n)
    middle = brentq(lambda mu: expit(mu + z).mean() * most * n_others * n - total, -60, 60)
    return most * n_others * expit(middle + z)


def _odds(users, items, n_classes=300, n_steps=50):
    """Factors a, b such that p = ab / (1 + ab) for user and item meets the ascending counts.

    Users of about the same count share a class.
    """
    starts = np.unique((len(users) * ndtr(np.linspace(-5, 5, n_classes))).astype(int))
    sizes = np.diff(starts, append=len(users))
    means = np.add.reduceat(users, starts) / sizes
    a, b = means / np.sqrt(users.sum()), items / np.sqrt(items.sum())
    for _ in range(n_steps):
        a = means / ((1 / (1 + np.outer(a, b))) @ b)
        b = items / ((sizes * a) @ (1 / (1 + np.outer(a, b))))
    return np.exp(np.interp(np.log(users), np.log(means), np.log(a))), b


def _rated_items(a, b, n_most, rng):
    """Which items each user rated, rows one after the other, and how many they are."""
    n_users, n_items = len(a), len(b)
    a, b = a.astype(np.float32)[:, None], b.astype(np.float32)
    indices, counts = np.empty(n_most, np.int32), np.empty(n_users, np.int64)
    n_rows = max(BLOCK // n_items, 1)
    u, odds, scaled = np.empty((3, n_rows, n_items), np.float32)
    columns = np.tile(np.arange(n_items, dtype=np.int32), n_rows)
    done = 0
    for first in range(0, n_users, n_rows):
        some = a[first : first + n_rows]
        n = len(some)
        rng.random(out=u[:n], dtype=np.float32)
        np.multiply(some, b, out=odds[:n])
        np.add(odds[:n], 1, out=scaled[:n])
        scaled[:n] *= u[:n]
        rated = scaled[:n] < odds[:n]  # u below odds / (1 + odds)
        counts[first : first + n_rows] = rated.sum(axis=1)
        new = columns[np.flatnonzero(rated)]
        indices[done : done + len(new)] = new
        done += len(new)
    return indices[:done], counts


def _values(indices, counts, n_items, dtype, rng, rank=4):
    """Values around a mean of user and item plus a product of factors, in blocks."""
    normal = rng.standard_normal
    data, n_users = np.empty(len(indices), dtype), len(counts)
    of_user = np.column_stack([normal((n_users, rank)), normal(n_users), np.ones(n_users)])
    of_item = np.column_stack([normal((n_items, rank)), np.ones(n_items), normal(n_items)])
    scales = np.r_[np.full(rank, np.sqrt(0.25 / rank)), np.sqrt(0.15), np.sqrt(0.2)]
    of_user, of_item = (of_user * scales).astype(np.float32), of_item.astype(np.float32)
    thresholds = ndtri(np.cumsum(MARGINALS[:-1])).astype(np.float32)
    ends = np.cumsum(counts)
    for first in range(0, len(data), BLOCK):
        block = slice(first, first + BLOCK)
        n = len(indices[block])
        users = np.searchsorted(ends, np.arange(first, first + n), side="right")
        score = np.sqrt(np.float32(0.4)) * normal(n, np.float32)
        score += np.einsum("nk,nk->n", of_user[users], of_item[indices[block]])
        data[block] = 1 + np.searchsorted(thresholds, score)
    return data


def skewed_ratings(n_users, n_items, n_ratings, dtype=np.float32, seed=0, skew=NETFLIX):
    """Ratings 1 to 5 in CSR form, exactly ``n_ratings``, by a few busy users of a few hits.

    Each user rates each item or not, independently, with a probability whose log-odds are a
    sum of the user's activity and the item's popularity. The skews are fitted to

    * Netflix: 480,189 users with a median of 96 ratings, mean 209, at most 17,653; 17,770 films
      with a median of 561, mean 5,655, at most 232,944;
    * MovieLens-1M: 6,040 users with a median of 96, mean 166, 20 to 2,314; 3,706 films with a
      median of 124, mean 270, at most 3,428.

    Takes ``n_users * n_items`` random numbers, memory for the result and half as much, and
    shapes of which well under half is rated.
    """
    rng = np.random.Generator(np.random.SFC64(seed))
    n_most = n_ratings + 6 * int(np.sqrt(n_ratings)) + 6  # six standard deviations, dropped below
    users = _expected_counts(n_users, n_items, n_most, skew.users, 1)
    items = _expected_counts(n_items, n_users, n_most, skew.items, skew.most)
    a, b = _odds(users, items)
    indices, counts = _rated_items(
        rng.permutation(a), rng.permutation(b), 2 * n_most - n_ratings, rng
    )
    surplus = rng.choice(len(indices), len(indices) - n_ratings, replace=False, shuffle=False)
    of_users = np.searchsorted(np.cumsum(counts), surplus, side="right")
    counts -= np.bincount(of_users, minlength=n_users)
    indices = np.delete(indices, surplus)
    data = _values(indices, counts, n_items, dtype, rng)
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return sparse.csr_array((data, indices, indptr), shape=(n_users, n_items))


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


def dense_epoch(X, n_components, batch_size, dtype=np.float32, seed=0):
    """One epoch of CD-1 from the start, arrays made and all."""
    return DenseSoftmaxRBM(X.shape[1], n_components, batch_size, dtype, seed).epoch(X)
