"""The machines of ratings within a recommender: items as rows, users as rows, and their blend."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from sklearn.base import clone

from .._softmax import SoftmaxRBM
from .pairs import CLOSE, scale_of, taken

#: A row of few ratings shrinks towards all of them, as if it had so many more.
_SHRINKAGE = 10


@dataclass(frozen=True)
class Side:
    """A fitted machine of ratings and the table that it is asked about.

    Parameters
    ----------
    machine : SoftmaxRBM
    table : csr_array of shape (n_rows, n_columns)
        Ratings. The machine has learned the first columns; later ones are unknown to it.
    scale : ndarray of shape (n_categories,)
    """

    machine: SoftmaxRBM
    table: sparse.csr_array
    scale: np.ndarray

    def distributions(self, rows, columns):
        """Distributions (n, n_categories) of entries, and which of them the machine gives.

        A row of -1 is one without ratings. Where the machine knows nothing of the column, the
        distribution is the row's own frequencies, shrunk to those of all ratings.
        """
        n_known = self.machine.n_features_in_
        known = (columns >= 0) & (columns < n_known)
        out = np.empty((len(rows), len(self.scale)), self.table.dtype)
        if known.any():
            needed, asked = np.unique(rows[known], return_inverse=True)
            given = taken(self.table, needed, n_known)
            out[known] = self.machine.conditional_proba(given, asked, columns[known])
        if not known.all():
            out[~known] = self._frequencies()[rows[~known]]  # the last row is that of -1
        return out, known

    def _frequencies(self):
        """Shares of the ratings in each row, shrunk, and in the last row those of all."""
        n_rows, n_categories = self.table.shape[0], len(self.scale)
        rows = np.repeat(np.arange(n_rows), np.diff(self.table.indptr))
        codes = np.searchsorted(self.scale, self.table.data)
        cell = rows * n_categories + codes
        counts = np.bincount(cell, minlength=(n_rows + 1) * n_categories).astype(float)
        counts = counts.reshape(-1, n_categories)
        pooled = counts.sum(axis=0) / counts.sum()
        counts += _SHRINKAGE * pooled
        return counts / counts.sum(axis=1, keepdims=True)


def blended(by_items, by_users, weight):
    """A blend of two sides' distributions, which come with where the machines give them.

    ``weight`` is that of the first side. Where one machine alone knows the entry, it answers.
    """
    (p, known_p), (q, known_q) = by_items, by_users
    share = np.where(known_p == known_q, weight, known_p)[:, np.newaxis]
    return share * p + (1 - share) * q


def with_listed(scale, machines):
    """A scale of ratings, and the categories that machines list, which must hold the scale."""
    rounding, more = CLOSE * np.abs(scale).max(), []
    for by, machine in machines.items():
        if isinstance(machine.categories, str):
            continue
        try:
            listed = np.asarray(machine.categories, float)
        except (TypeError, ValueError):
            listed = np.empty((0, 0))
        if listed.ndim != 1:
            raise ValueError(
                f"the machine with {by} as rows has categories={machine.categories!r}, but must "
                "list the ratings once for all features: one flat list of numbers."
            )
        near = np.abs(scale[:, np.newaxis] - listed) <= rounding
        if not near.any(axis=1).all():
            raise ValueError(
                f"y holds the rating {scale[np.argmin(near.any(axis=1))]:g}, which the machine "
                f"with {by} as rows does not list: categories={machine.categories!r}. List all "
                "ratings, or none."
            )
        more.extend(listed[~near.any(axis=0)])
    if not more:
        return scale
    return np.sort(np.concatenate([scale, scale_of(np.array(more, scale.dtype))[0]]))


def fit_sides(machines, ratings, scale):
    """Fit the machines, by "items" or "users", each to the table in its orientation."""
    for by, machine in machines.items():
        if not isinstance(machine.categories, str) or machine.categories in ("shared", "auto"):
            machine.set_params(categories=scale.tolist())
        machine.fit(ratings.T.tocsr() if by == "items" else ratings)
    return machines


def learned_weight(machines, ratings, scale, fraction, seed):
    """The weight of the machine of items in the blend that predicts held-out ratings best.

    The machines that it is learned by make a quarter of the epochs: the weight is much the same,
    and errors of 0.1 in it are hardly felt (docs/developer/design_notes.rst).
    """
    triples = ratings.tocoo()
    order = np.random.default_rng(seed).permutation(ratings.nnz)
    n_held_out = round(fraction * ratings.nnz)
    held_out, kept = order[:n_held_out], order[n_held_out:]
    if min(len(held_out), len(kept)) == 0:
        return 0.5
    users, items = triples.coords
    part = (triples.data[kept], (users[kept], items[kept]))
    part = sparse.coo_array(part, shape=ratings.shape).tocsr()
    short = {
        by: clone(machine).set_params(n_iter=-(-machine.n_iter // 4))
        for by, machine in machines.items()
    }
    fitted = fit_sides(short, part, scale)
    by_items, by_users = (
        fitted["items"].predict_ratings(part.T.tocsr(), items[held_out], users[held_out]),
        fitted["users"].predict_ratings(part, users[held_out], items[held_out]),
    )
    return _best_weight(by_items, by_users, triples.data[held_out])


def _best_weight(by_items, by_users, ratings):
    """The weight in [0, 1] of the first of two predictions with the least squared error."""
    difference = (by_items - by_users).astype(float)
    square = difference @ difference
    return float(np.clip((ratings - by_users) @ difference / square, 0, 1)) if square > 0 else 0.5
