"""The machines of ratings within a recommender: items as rows, users as rows, and their blend."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.optimize import minimize_scalar
from scipy.special import softmax
from sklearn.base import clone

from .._softmax import SoftmaxRBM
from .pairs import taken

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

    The blend is proportional to ``p^weight q^(1 - weight)``, where p is of the first side: a
    product of experts (Hinton, 2002), which is a little better here than the mixture. Where one
    machine alone knows the entry, it answers.
    """
    (p, known_p), (q, known_q) = by_items, by_users
    share = np.where(known_p == known_q, weight, known_p)[:, np.newaxis].astype(p.dtype)
    return _product(p, q, share)


def _product(p, q, share):
    tiny = np.finfo(p.dtype).tiny  # a probability may have underflown to 0
    log_p, log_q = (np.log(np.maximum(a, tiny)) for a in (p, q))
    return softmax(share * log_p + (1 - share) * log_q, axis=1)


def fit_sides(machines, ratings, scale):
    """Fit the machines, by "items" or "users", each to the table in its orientation."""
    for by, machine in machines.items():
        machine.set_params(categories=scale.tolist())
        machine.fit(ratings.T.tocsr() if by == "items" else ratings)
    return machines


def learned_weight(machines, ratings, scale, fraction, seed):
    """The weight of the machine of items that makes held-out ratings most likely in the blend.

    The machines that it is learned by make a quarter of the epochs: the weight is much the same,
    and errors of 0.1 in it are hardly felt (docs/developer/design_notes.rst).
    """
    triples = ratings.tocoo()
    order = np.random.default_rng(seed).permutation(ratings.nnz)
    n_held_out = round(fraction * ratings.nnz)
    held_out, kept = order[:n_held_out], order[n_held_out:]
    if min(len(held_out), len(kept)) == 0:
        return 0.5
    users, items = triples.row, triples.col
    part = (triples.data[kept], (users[kept], items[kept]))
    part = sparse.coo_array(part, shape=ratings.shape).tocsr()
    short = {
        by: clone(machine).set_params(n_iter=-(-machine.n_iter // 4))
        for by, machine in machines.items()
    }
    fitted = fit_sides(short, part, scale)
    p = fitted["items"].conditional_proba(part.T.tocsr(), items[held_out], users[held_out])
    q = fitted["users"].conditional_proba(part, users[held_out], items[held_out])
    code = np.searchsorted(scale, triples.data[held_out])[:, np.newaxis]

    def surprise(weight):
        blend = _product(p, q, np.float32(weight))
        return -np.log(np.take_along_axis(blend, code, axis=1), dtype=float).sum()

    return float(minimize_scalar(surprise, bounds=(0, 1), method="bounded").x)
