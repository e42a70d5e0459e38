"""What a recommender must beat: biases of users and items, and popularity."""

import numpy as np

#: Of Surprise's BaselineOnly.
_USER_SHRINKAGE, _ITEM_SHRINKAGE, _N_ITER = 15, 10, 10


class Biases:
    """Mean plus a bias of the user and of the item (Koren, 2010, section 2.1).

    Biases shrink towards 0, the more so the fewer ratings there are. They are fitted by
    alternating least squares.

    Parameters
    ----------
    ratings : csr_array of shape (n_users, n_items)
    """

    def __init__(self, ratings):
        triples = ratings.tocoo()
        users, items, n_items = triples.row, triples.col, ratings.shape[1]
        values = triples.data.astype(np.float64)
        self.mean = values.mean()
        rest = values - self.mean
        self.of_user = np.zeros(ratings.shape[0])
        for _ in range(_N_ITER):
            self.of_item = _shrunk(items, rest - self.of_user[users], n_items, _ITEM_SHRINKAGE)
            self.of_user = _shrunk(
                users, rest - self.of_item[items], ratings.shape[0], _USER_SHRINKAGE
            )

    def predict(self, users, items):
        """Expected ratings of pairs of codes; -1, an unknown user or item, has no bias."""
        of_user, of_item = np.append(self.of_user, 0), np.append(self.of_item, 0)
        return self.mean + of_user[users] + of_item[items]


def _shrunk(codes, values, n, shrinkage):
    """Mean of the values of each code, shrunk towards 0."""
    counts = np.bincount(codes, minlength=n)
    return np.bincount(codes, values, minlength=n) / (counts + shrinkage)
