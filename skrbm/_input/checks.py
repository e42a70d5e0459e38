"""Checks of the arrays that a user hands in; the only importer of scikit-learn's private names."""

import warnings

import numpy as np
from scipy.sparse import issparse
from sklearn.base import _fit_context as fit_context
from sklearn.utils import check_array
from sklearn.utils._param_validation import (
    Interval,
    InvalidParameterError,
    StrOptions,
    validate_parameter_constraints,
)
from sklearn.utils.validation import validate_data

__all__ = [
    "Interval",
    "InvalidParameterError",
    "StrOptions",
    "check_binary",
    "check_csr",
    "check_hidden",
    "check_visible",
    "fit_context",
    "native",
    "unmasked",
    "validate_parameter_constraints",
    "warn_badly_scaled",
    "warn_outside_unit_interval",
    "working_dtype",
]


def check_visible(estimator, X, *, accept_sparse, reset=False, allow_nan=False):
    """Visible rows as a numeric array or CSR matrix, with as little copying as possible.

    Integers and booleans stay as they are: rows are converted when they are read.

    Parameters
    ----------
    estimator : estimator instance
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
    accept_sparse : bool
    reset : bool, default=False
        Whether to learn the number and names of the features, or to check them.
    allow_nan : bool, default=False
        Whether X may hold NaN, for what is unknown.
    """
    if isinstance(X, np.ndarray):
        X = native(X)  # before validation, to which float32 in another byte order is no float32
    if isinstance(X, np.ma.MaskedArray):
        if np.ma.is_masked(X) and not allow_nan:
            raise ValueError(
                "X masks entries as unknown: complete it first, for example by impute."
            )
        X = unmasked(X)
    X = validate_data(
        estimator,
        X,
        accept_sparse="csr" if accept_sparse else False,
        dtype="numeric",
        ensure_all_finite="allow-nan" if allow_nan else True,
        reset=reset,
    )
    if issparse(X):
        check_csr(X)
    # Kernels read numbers of at most 64 bits.
    return native(X if X.dtype.itemsize <= 8 else X.astype(np.float64))


def working_dtype(dtype):
    """The dtype to work in on data of a dtype: float32 or float64."""
    return np.dtype(np.float32 if dtype == np.float32 else np.float64)


def unmasked(X):
    """A masked array as floats, with NaN for what it masks."""
    return X.astype(X.dtype if X.dtype.kind == "f" else np.float64).filled(np.nan)


def native(X):
    """X with numbers in the byte order of this machine."""
    return X if X.dtype.isnative else X.astype(X.dtype.newbyteorder("="))


def check_csr(X):
    """Refuse a CSR matrix that points outside itself: kernels do not check bounds."""
    indptr, indices = X.indptr, X.indices
    if (
        len(indptr) != X.shape[0] + 1
        or indptr[0] != 0
        or (indptr[1:] < indptr[:-1]).any()
        or indptr[-1] > min(len(indices), len(X.data))
        or (len(indices) > 0 and not 0 <= indices.min() <= indices.max() < X.shape[1])
        or not (indptr.dtype.isnative and indices.dtype.isnative)
    ):
        raise ValueError(
            f"X is not a valid CSR matrix of shape {X.shape} in native byte order: X.indptr or "
            "X.indices points outside it. X.check_format() says more; build X anew."
        )


def check_hidden(estimator, H, n_components, name):
    """Hidden rows as a dense float array of ``n_components`` columns."""
    H = check_array(H, dtype=(np.float64, np.float32), estimator=estimator, input_name=name)
    if H.shape[1] != n_components:
        raise ValueError(
            f"{name} has {H.shape[1]} columns, but {type(estimator).__name__} has {n_components} "
            "hidden units (n_components): pass what transform returns, one column per unit."
        )
    return H


def check_binary(estimator, X):
    """Refuse values other than 0 and 1, which are no states of binary units."""
    if issparse(X) and not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    values = X.data if issparse(X) else X.ravel()
    wrong = np.flatnonzero((values != 0) & (values != 1))
    if len(wrong):
        column = X.indices[wrong[0]] if issparse(X) else wrong[0] % X.shape[1]
        name = getattr(estimator, "feature_names_in_", range(X.shape[1]))[column]
        raise ValueError(
            f"the likelihood is one of rows of 0 and 1, but X holds {values[wrong[0]]} in feature "
            f"{name!r}. Binarise X, for example X > 0.5; grey values have a free_energy."
        )


def warn_outside_unit_interval(estimator, summary):
    """Warn if binary units are given values that are not probabilities."""
    lowest, highest = summary.lowest, summary.highest
    if lowest < 0 or highest > 1:
        warnings.warn(
            f"{type(estimator).__name__} reads values as probabilities of binary units, but X "
            f"ranges from {lowest:.6g} to {highest:.6g}. Scale it to [0, 1], for example with "
            "MinMaxScaler, or use GaussianBernoulliRBM for real-valued data.",
            UserWarning,
            stacklevel=2,
        )


def warn_badly_scaled(estimator, summary, noise_variance):
    """Warn if a column does not suit real-valued units; learned noise, None, suits any width."""
    varying = ~summary.constant
    if summary.n_rows < 30 or not varying.any():  # few rows say little of scales
        return
    means, deviation = summary.means, np.sqrt(summary.variances)
    scale = np.where(varying, deviation, np.inf) if noise_variance is None else noise_variance**0.5
    with np.errstate(divide="ignore"):
        too_narrow = np.where(varying, scale / deviation, 0)
    # A factor of 3 is bearable; so is a mean ten scales from 0.
    badness = np.max([deviation / scale, too_narrow, 0.3 * np.abs(means) / scale], axis=0)
    worst = np.argmax(badness)
    if badness[worst] > 3:
        names = getattr(estimator, "feature_names_in_", range(len(means)))
        warnings.warn(
            f"{type(estimator).__name__} has noise of standard deviation {scale[worst]:.3g} in "
            f"feature {names[worst]!r}, but in X this feature has mean {means[worst]:.3g} and "
            f"standard deviation {deviation[worst]:.3g}: the model will be poor. Standardise X, "
            "for example with StandardScaler.",
            UserWarning,
            stacklevel=2,
        )
