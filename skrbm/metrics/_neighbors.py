"""Adversarial accuracy: how often the nearest neighbour of a row is of the same kind."""

from typing import NamedTuple

import numpy as np
from scipy.sparse import issparse
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import check_array, check_random_state
from sklearn.utils.extmath import row_norms

_ROUNDING = 1e-13  # of a sum of squares: some hundred units in the last place


class AdversarialAccuracy(NamedTuple):
    """How well nearest neighbours tell data and samples apart, see ``adversarial_accuracy``.

    Parameters
    ----------
    truth : float
        The share of rows of data whose nearest neighbour is a row of data.
    synthetic : float
        The share of samples whose nearest neighbour is a sample.

    See Also
    --------
    adversarial_accuracy : The function that returns it.

    Examples
    --------
    >>> from skrbm.metrics import AdversarialAccuracy
    >>> truth, synthetic = AdversarialAccuracy(0.5, 0.8)
    >>> synthetic
    0.8
    """

    truth: float
    synthetic: float


def adversarial_accuracy(X, samples, *, random_state=None):
    """How well nearest neighbours tell data and samples apart: 0.5 each is ideal.

    The share of rows of data whose nearest neighbour among all other rows, of data and of
    samples, is a row of data; and the share of samples whose nearest neighbour is a sample [1]_
    [2]_. Draws from the distribution of the data give 0.5 in both. If samples lie apart from the
    data, both are near 1. If samples are copies of rows of data, both are near 0: the model has
    learned the rows by heart. If samples leave out a part of the data, both are above 0.5.
    In rows of many features ``synthetic`` is above ``truth`` if samples vary less than the data,
    and below it if they vary more.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_rows, n_features)
        Rows of data; at least 2. Rows that the model has not learned from tell how good samples
        are; beside them, training rows tell what the model has learned by heart.
    samples : {array-like, sparse matrix} of shape (n_samples, n_features)
        Draws from the model, ``sample(...)``; at least 2. (Means, of ``output="mean"``, lie
        closer together than draws.) If ``X`` and ``samples`` are not as many, as many rows as
        the fewer have are taken at random of the others.
    random_state : int, RandomState instance or None, default=None
        Chooses these rows. An int gives the same result at every call.

    Returns
    -------
    accuracy : AdversarialAccuracy
        The named tuple ``(truth, synthetic)``.

    Raises
    ------
    ValueError
        If ``X`` and ``samples`` differ in their number of features; if either has fewer than 2
        rows, or an entry that is NaN or infinite.

    See Also
    --------
    pair_correlations : How well samples keep the covariances of data.

    Notes
    -----
    Distances are Euclidean: scale real-valued features alike, and encode categories as one-hot
    rows. A row whose nearest neighbours among data and samples are equally far counts as half.
    (In [1]_ it counts as near to the other kind. Rows of bits are often equally far.) The time is
    quadratic in the number of rows.

    References
    ----------
    .. [1] Yale, A., Dash, S., Dutta, R., Guyon, I., Pavao, A. & Bennett, K. P. (2020). Generation
       and evaluation of privacy preserving synthetic health data. Neurocomputing 416, 244-255.
    .. [2] Decelle, A., Furtlehner, C. & Seoane, B. (2021). Equilibrium and non-equilibrium
       regimes in the learning of restricted Boltzmann machines. NeurIPS.

    Examples
    --------
    >>> import numpy as np
    >>> from skrbm.metrics import adversarial_accuracy
    >>> rng = np.random.default_rng(0)
    >>> X, others = rng.normal(size=(2, 1000, 3))
    >>> adversarial_accuracy(X, others)
    AdversarialAccuracy(truth=0.529, synthetic=0.518)
    >>> adversarial_accuracy(X, X + 0.001)
    AdversarialAccuracy(truth=0.0, synthetic=0.0)
    >>> adversarial_accuracy(X, X + 100)
    AdversarialAccuracy(truth=1.0, synthetic=1.0)
    """
    X, samples = (
        check_array(
            rows, accept_sparse="csr", dtype=np.float64, ensure_min_samples=2, input_name=n
        )
        for rows, n in ((X, "X"), (samples, "samples"))
    )
    if X.shape[1] != samples.shape[1]:
        raise ValueError(
            f"X has {X.shape[1]} features but samples has {samples.shape[1]}: both must be rows "
            "of the same features."
        )
    random_state, n_rows = check_random_state(random_state), min(X.shape[0], samples.shape[0])
    X, samples = (_some(rows, n_rows, random_state) for rows in (X, samples))
    if not issparse(X) and not issparse(samples):
        middle = X.mean(axis=0)  # distances of many features lose digits far from 0
        X, samples = X - middle, samples - middle
    return AdversarialAccuracy(_share(X, samples), _share(samples, X))


def _some(rows, n_rows, random_state):
    """So many of the rows; all if there are no more."""
    if rows.shape[0] == n_rows:
        return rows
    return rows[random_state.permutation(rows.shape[0])[:n_rows]]


def _share(own, others):
    """The share of rows of one kind whose nearest neighbour is of this kind."""
    # Without an argument, kneighbors leaves out the row itself.
    algorithm = "brute" if issparse(own) or issparse(others) else "auto"
    near = NearestNeighbors(n_neighbors=1, algorithm=algorithm).fit(own).kneighbors()[0]
    far = NearestNeighbors(n_neighbors=1, algorithm=algorithm).fit(others).kneighbors(own)[0]
    near, far = near.ravel() ** 2, far.ravel() ** 2
    # Where distances are equal their squares may differ by rounding, and so do squares of rows.
    even = np.abs(near - far) <= _ROUNDING * (row_norms(own, squared=True) + near + far)
    return float(np.where(even, 0.5, near < far).mean())
