"""Pair correlations: whether features of samples vary together as features of data do."""

from typing import NamedTuple

import numpy as np
from sklearn.utils import check_array

_ROUNDING = 1e-13  # of a covariance, as a share of variances: some hundred units in the last place


class PairCorrelations(NamedTuple):
    """How well samples keep the covariances of data, see ``pair_correlations``.

    Parameters
    ----------
    pearson : float
        Correlation between the covariances of the data and those of the samples.
    slope : float
        Slope of the line that gives the covariances of the samples from those of the data.
    rms : float
        Root of the mean squared difference of both.

    See Also
    --------
    pair_correlations : The function that returns it.

    Examples
    --------
    >>> from skrbm.metrics import PairCorrelations
    >>> PairCorrelations(0.9, 0.8, 0.02).pearson
    0.9
    """

    pearson: float
    slope: float
    rms: float


def pair_correlations(X, samples):
    """How well samples keep the covariances of all pairs of features.

    For each pair of different features, the covariance ``E[v_i v_j] - E[v_i] E[v_j]`` over the
    rows of data stands beside the same over the samples. Physicists call it a connected
    correlation, and compare it in this way for machines of proteins [1]_. Of perfect and many
    samples, ``pearson`` and ``slope`` are 1 and ``rms`` is 0. A slope below 1 tells of samples
    whose features vary together less than those of the data.

    Parameters
    ----------
    X : array-like of shape (n_rows, n_features)
        Rows of data; at least 2, of at least 2 features.
    samples : array-like of shape (n_samples, n_features)
        Samples of the model, ``sample(...)``; at least 2. They need not be as many as the rows
        of data. Means serve as well, and have less noise: given the hidden units of a step, the
        units are independent, so that means of ``sample(..., output="mean")`` have the same
        covariances of pairs.

    Returns
    -------
    correlations : PairCorrelations
        The named tuple ``(pearson, slope, rms)``. If all covariances of the data are equal,
        ``slope`` is NaN; if those of data or samples are, ``pearson`` is NaN.

    Raises
    ------
    ValueError
        If ``X`` and ``samples`` differ in their number of features; if either has fewer than 2
        rows or features, or an entry that is NaN or infinite.

    See Also
    --------
    adversarial_accuracy : How well nearest neighbours tell data and samples apart.

    Notes
    -----
    Two parts of the data give the figures that are within reach of a model:
    ``pair_correlations(X_train, X_test)``. Scale real-valued features alike, as those of the
    largest variance decide otherwise. Encode categories as one-hot rows: then covariances are
    those of categories, and pairs of categories of one feature count as well.

    References
    ----------
    .. [1] Tubiana, J., Cocco, S. & Monasson, R. (2019). Learning protein constitutive motifs from
       sequence data. eLife 8, e39397.

    Examples
    --------
    >>> import numpy as np
    >>> from skrbm.metrics import pair_correlations
    >>> X = np.array([[0, 0, 1], [0, 1, 1], [1, 1, 0], [1, 1, 0]])
    >>> found = pair_correlations(X, X[::-1])
    >>> print(f"{found.pearson:.3f}, {found.slope:.3f}, {found.rms:.3f}")
    1.000, 1.000, 0.000

    Categories become one-hot rows:

    >>> from sklearn.preprocessing import OneHotEncoder
    >>> encoder = OneHotEncoder(sparse_output=False).fit([["a", "x"], ["b", "y"], ["c", "x"]])
    >>> rows = encoder.transform([["a", "x"], ["b", "y"], ["c", "x"], ["a", "y"]])
    >>> round(pair_correlations(rows, rows).rms, 3)
    0.0
    """
    X, samples = (
        check_array(
            rows, dtype=np.float64, ensure_min_samples=2, ensure_min_features=2, input_name=name
        )
        for rows, name in ((X, "X"), (samples, "samples"))
    )
    if X.shape[1] != samples.shape[1]:
        raise ValueError(
            f"X has {X.shape[1]} features but samples has {samples.shape[1]}: both must be rows "
            "of the same features."
        )
    (of_data, *_), (of_samples, *_) = both = _covariances(X), _covariances(samples)
    rms = float(np.sqrt(np.mean((of_data - of_samples) ** 2)))
    of_data, of_samples = (_deviations(*covariances) for covariances in both)
    product, squares = of_data @ of_samples, (of_data @ of_data, of_samples @ of_samples)
    return PairCorrelations(
        _ratio(product, np.sqrt(squares[0] * squares[1])), _ratio(product, squares[0]), rms
    )


def _covariances(rows):
    """Those of all pairs of different features, a vector; and the largest variance."""
    # The mean of equal numbers may differ from them in the last bit.
    centred = np.where(np.ptp(rows, axis=0) > 0, rows - rows.mean(axis=0), 0)
    table = centred.T @ centred / len(rows)
    return table[np.triu_indices(rows.shape[1], 1)], table.diagonal().max()


def _deviations(covariances, largest_variance):
    """Covariances less their mean; zeros where rounding alone tells them apart."""
    deviations = covariances - covariances.mean()
    if np.abs(deviations).max() <= _ROUNDING * largest_variance:
        return np.zeros_like(deviations)
    return deviations


def _ratio(a, b):
    """``a / b``, NaN of 0 by 0."""
    return float(a / b) if b > 0 else float("nan")
