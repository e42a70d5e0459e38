"""Which cells of a table are rated: a few busy users, and a few items that most of them rate."""

from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, ndtr, ndtri

_BLOCK = 2**18  # cells drawn at once: they stay in the cache


class Skew(NamedTuple):
    """Spread of the log-odds of users and of items, and the most that may rate one item."""

    users: float
    items: float
    most: float


#: Fitted to numbers of ratings:
#: Netflix: 480,189 users with a median of 96, mean 209, at most 17,653; 17,770 films with a
#: median of 561, mean 5,655, at most 232,944;
#: MovieLens-1M: 6,040 users with a median of 96, mean 166, 20 to 2,314; 3,706 films with a median
#: of 124, mean 270, at most 3,428.
SKEWS = {
    "movielens": Skew(users=1.15, items=1.475, most=0.65),
    "netflix": Skew(users=1.283, items=2.434, most=0.5),
}


def with_margin(n):
    """A count and six standard deviations more: as many are hardly ever drawn where n are due."""
    return n + 6 * int(np.sqrt(n)) + 6


def rated_cells(n_users, n_items, n_ratings, skew, rng):
    """The rated cells of a table of users by items, exactly ``n_ratings``, in CSR form.

    Each user rates each item or not, independently, with a probability whose log-odds are a sum
    of the user's activity and the item's popularity. Takes ``n_users * n_items`` random numbers,
    memory for the result and half as much, and tables of which well under half is rated.

    Parameters
    ----------
    n_users, n_items, n_ratings : int
    skew : Skew
    rng : numpy.random.Generator

    Returns
    -------
    indptr : ndarray of shape (n_users + 1,), int32 if that is enough
    indices : ndarray of shape (n_ratings,), int32
        Items, ascending for each user.
    """
    n_most = with_margin(n_ratings)  # the surplus is dropped below
    users = _expected_counts(n_users, n_items, n_most, skew.users, 1)
    items = _expected_counts(n_items, n_users, n_most, skew.items, skew.most)
    a, b = _odds(users, items)
    a, b = rng.permutation(a), rng.permutation(b)
    indices, counts = _rated_items(a, b, with_margin(n_most), rng)
    surplus = rng.choice(len(indices), len(indices) - n_ratings, replace=False, shuffle=False)
    of_users = np.searchsorted(np.cumsum(counts), surplus, side="right")
    counts -= np.bincount(of_users, minlength=n_users)
    indices = np.delete(indices, surplus)
    dtype = np.int32 if n_ratings < 2**31 else np.int64
    return np.concatenate([[0], np.cumsum(counts)]).astype(dtype), indices


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
    n_rows = max(_BLOCK // n_items, 1)
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
