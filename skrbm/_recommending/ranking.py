"""How good a ranking is: precision, recall, NDCG and average precision among the first k.

Notation, for one user: ``r_1, ..., r_k`` say whether the item in this place is relevant, and
``n`` is the number of relevant items.
"""

import numpy as np

NAMES = ("precision", "recall", "ndcg", "map")


def measures(hits, n_relevant):
    """Means over users of the measures in ``NAMES``, as a dict.

    Parameters
    ----------
    hits : ndarray of shape (n_users, k), bool
        Whether the item in each place is relevant; False where there is no item.
    n_relevant : ndarray of shape (n_users,)
        At least 1.

    Notes
    -----
    * precision: ``sum r / k``; recall: ``sum r / n``;
    * ndcg: ``sum_p r_p / log2(p + 1)``, divided by the same sum of a ranking with the relevant
      items first (Järvelin & Kekäläinen, 2002; discount of Burges et al., 2005);
    * map: the mean of average precision ``sum_p r_p precision_p / min(n, k)``, where
      ``precision_p`` is the precision among the first p (Manning, Raghavan & Schütze, 2008,
      section 8.4, cut at k).
    """
    k = hits.shape[1]
    places = np.arange(1, k + 1)
    found = np.cumsum(hits, axis=1)
    discounts = 1 / np.log2(places + 1)
    reachable = np.minimum(n_relevant, k)
    by_user = (
        found[:, -1] / k,
        found[:, -1] / n_relevant,
        hits @ discounts / np.cumsum(discounts)[reachable - 1],
        (hits * found / places).sum(axis=1) / reachable,
    )
    return {name: float(values.mean()) for name, values in zip(NAMES, by_user, strict=True)}
