"""Checks of the arrays that a user hands in; the only importer of scikit-learn's private names."""

import warnings
from numbers import Integral

import numpy as np
from scipy.sparse import issparse
from sklearn.base import _fit_context as fit_context
from sklearn.utils import _safe_indexing as safe_indexing
from sklearn.utils import assert_all_finite, check_array, gen_batches
from sklearn.utils._param_validation import (
    Interval,
    InvalidParameterError,
    StrOptions,
    validate_parameter_constraints,
)
from sklearn.utils.validation import _num_samples, validate_data

from .._machine.memory import aligned
from .sparse import sound_csr, summed
from .tables import dense, numbers, refuse_dask, unmasked

__all__ = [
    "Interval",
    "InvalidParameterError",
    "StrOptions",
    "check_binary",
    "check_hidden",
    "check_table",
    "check_total_weight",
    "check_visible",
    "check_weights",
    "feature_names",
    "fit_context",
    "in_dtype",
    "outside_unit_interval",
    "safe_indexing",
    "validate_parameter_constraints",
    "warn_badly_scaled",
    "warn_outside_unit_interval",
    "working_dtype",
]

_BLOCK_ENTRIES = 2**20  # of an array that are looked at one by one, at a time
_MOST_STARS = 20  # between the ends of a scale of ratings


def check_visible(
    estimator,
    X,
    *,
    accept_sparse,
    reset=False,
    allow_nan=False,
    real_valued=False,
    counted=None,
):
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
    real_valued : bool, default=False
        Whether squares of the values will be summed, which must not overflow.
    counted : ndarray of shape (n_samples,), bool, or None
        As in ``check_table``.
    """
    masked = isinstance(X, np.ma.MaskedArray) and not allow_nan
    if masked and np.ma.is_masked(X if counted is None else X[counted]):
        raise ValueError("X masks entries as unknown: complete it first, for example by impute.")
    read_sparse = sound_csr if accept_sparse else None
    X = check_table(
        estimator, X, read_sparse, reset=reset, sparse_frames=accept_sparse, counted=counted
    )
    names = feature_names(estimator, X.shape[1])
    _check_finite(estimator, X, names, allow_nan)
    if real_valued:
        _check_squares(X, names)
    return X


def check_table(estimator, X, read_sparse, *, reset, sparse_frames=False, counted=None):
    """An array or a CSR matrix of numbers, which may be NaN or infinite.

    Parameters
    ----------
    estimator : estimator instance
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
    read_sparse : callable or None
        Makes sound CSR of a sparse matrix. None: a sparse X is refused.
    reset : bool
        Whether to learn the number and names of the features, or to check them.
    sparse_frames : bool, default=False
        As in :func:`~skrbm._input.tables.dense`.
    counted : ndarray of shape (n_samples,), bool, or None
        Which rows to return; None: all.
    """
    sparse = issparse(X)
    if sparse and read_sparse is None:
        raise _not_dense(estimator, "X")
    try:
        table = check_array(
            read_sparse(X) if sparse else dense(X, sparse_frames),
            accept_sparse="csr" if read_sparse else False,
            dtype=None,
            ensure_all_finite=False,
            estimator=estimator,
            input_name="X",
        )
    except ValueError as error:
        if "inhomogeneous" not in str(error):
            raise
        raise ValueError(f"X is no table, its rows differ in length: {error}") from error
    known = None if reset else getattr(estimator, "n_features_in_", None)
    if known is not None and not isinstance(known, Integral):
        raise ValueError(
            f"n_features_in_ of {type(estimator).__name__} must be an integer, but is {known!r}. "
            "Call fit with warm_start=False to start again."
        )
    validate_data(estimator, X, reset=reset, skip_check_array=True)
    names = feature_names(estimator, table.shape[1])
    return numbers(table if counted is None else table[counted], names)


def feature_names(estimator, n_features):
    """Names of features, or their numbers."""
    names = getattr(estimator, "feature_names_in_", None)  # None: what a callback is handed
    return range(n_features) if names is None else names


def _not_dense(estimator, name):
    return TypeError(
        f"Sparse data was passed for {name}, but {type(estimator).__name__} reads a dense array "
        f"there. Pass {name}.toarray()."
    )


def _check_finite(estimator, X, names, allow_nan):
    """Refuse infinity and, where all must be known, NaN; the message names the feature."""
    try:
        _assert_finite(X.data if issparse(X) else X, allow_nan=allow_nan)
    except ValueError:
        value, column = _first(X, np.isinf if allow_nan else lambda v: ~np.isfinite(v))
        name = type(estimator).__name__
        mend = "values must be finite, so clip X or leave its row out."
        if np.isnan(value):
            mend = (
                f"to {name} every entry must be known. Complete X first: by impute of a fitted "
                f"{name}, or by sklearn.impute. SoftmaxRBM reads NaN as missing."
            )
        what = "NaN" if np.isnan(value) else "infinity"
        raise ValueError(f"X contains {what} in feature {names[column]!r}: {mend}") from None


def _assert_finite(array, **options):
    with np.errstate(invalid="ignore"):  # scikit-learn adds both infinities
        assert_all_finite(array, **options)


def _check_squares(X, names):
    """Refuse numbers of which a sum of 2**16 squares could overflow, in the dtype to work in."""
    if X.dtype.kind != "f":  # the largest integers are far below that
        return
    dtype = working_dtype(X.dtype)
    limit = np.sqrt(np.finfo(dtype).max) / 2**8
    # Of the extremes, NaN is left out.
    if np.fmax.reduce(X, axis=None) > limit or np.fmin.reduce(X, axis=None) < -limit:
        value, column = _first(X, lambda v: np.abs(v) > limit)
        raise ValueError(
            f"X holds {value:.6g} in feature {names[column]!r}, but sums of squares in {dtype} "
            f"need values of at most {limit:.2g}. Scale X, for example with StandardScaler."
        )


def _first(X, wrong):
    """The first entry of X that is wrong, and its column; None if there is none."""
    if issparse(X):
        at = np.flatnonzero(wrong(X.data))
        return (X.data[at[0]], X.indices[at[0]]) if len(at) else None
    for block in gen_batches(len(X), max(1, _BLOCK_ENTRIES // X.shape[1])):
        rows, columns = np.nonzero(wrong(X[block]))
        if len(rows):
            return X[block][rows[0], columns[0]], columns[0]
    return None


def working_dtype(dtype):
    """The dtype to work in on data of a dtype: float32 or float64."""
    return np.dtype(np.float32 if dtype == np.float32 else np.float64)


def in_dtype(array, dtype, name):
    """An array in the dtype to work in, aligned; refuse numbers that are beyond it."""
    try:
        with np.errstate(over="raise"):
            return aligned(array.astype(dtype, copy=False))
    except FloatingPointError:
        raise ValueError(
            f"{name} holds numbers beyond {dtype}, the dtype of the data. Pass data as float64."
        ) from None


def check_hidden(estimator, H, n_components, name):
    """Hidden rows as a dense float array of ``n_components`` columns."""
    if issparse(H):
        raise _not_dense(estimator, name)
    H = check_array(
        dense(H, False, name),
        dtype=None,
        ensure_all_finite=False,
        estimator=estimator,
        input_name=name,
    )
    H = numbers(H, range(H.shape[1]), name)
    H = H.astype(working_dtype(H.dtype), copy=False)
    _assert_finite(H, estimator_name=type(estimator).__name__, input_name=name)
    if H.shape[1] != n_components:
        raise ValueError(
            f"{name} has {H.shape[1]} columns, but {type(estimator).__name__} has {n_components} "
            "hidden units (n_components): pass what transform returns, one column per unit."
        )
    return H


def check_binary(estimator, X):
    """Refuse values other than 0 and 1, which are no states of binary units."""
    X = summed(X, working_dtype(X.dtype)) if issparse(X) else X
    wrong = _first(X, lambda values: (values != 0) & (values != 1))
    if wrong is not None:
        value, column = wrong
        name = feature_names(estimator, X.shape[1])[column]
        raise ValueError(
            f"the likelihood is one of rows of 0 and 1, but X holds {value} in feature "
            f"{name!r}. Binarise X, for example X > 0.5; grey values have a free_energy."
        )


def outside_unit_interval(lowest, highest, dtype):
    """Whether values of a dtype leave [0, 1] by more than a scaler rounds."""
    # MinMaxScaler multiplies and adds, with an error of some units in the last place.
    tolerance = min(100 * np.finfo(dtype).eps, 0.01) if np.dtype(dtype).kind == "f" else 0
    return lowest < -tolerance or highest > 1 + tolerance


def warn_outside_unit_interval(estimator, lowest, highest, whole):
    """Warn that binary units are given values that are not probabilities.

    Parameters
    ----------
    estimator : estimator instance
    lowest, highest : number
        The range of the values.
    whole : bool
        Whether all values are whole numbers. If they are few as well, they may be ratings.
    """
    lowest, highest = float(lowest), float(highest)  # differences of integers may overflow
    others = "GaussianBernoulliRBM is for real-valued data"
    if whole and highest - lowest <= _MOST_STARS:
        others += ", and SoftmaxRBM for ratings and other categories"
    warnings.warn(
        f"{type(estimator).__name__} reads values as probabilities of binary units, but X "
        f"ranges from {lowest:.6g} to {highest:.6g}: values below 0 count as 0, and values above "
        f"1 as 1. Scale X to [0, 1], for example with MinMaxScaler(clip=True). {others}.",
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
    with np.errstate(all="ignore"):  # squares of the smallest numbers are 0, and 0 / 0 suits
        too_narrow = np.nan_to_num(np.where(varying, scale / deviation, 0), posinf=np.inf)
        # A factor of 3 is bearable; so is a mean ten scales from 0.
        too_wide = np.maximum(deviation / scale, 0.3 * np.abs(means) / scale)
        too_wide = np.nan_to_num(too_wide, posinf=np.inf)
    # On standardised data narrow noise is a choice: clusters may be much narrower than the data.
    standardised = (deviation > 1 / 3) & (deviation < 3) & (np.abs(means) < deviation)
    badness = np.maximum(np.where(standardised, 0, too_wide), too_narrow)
    worst = np.argmax(badness)
    if badness[worst] > 3:
        names = feature_names(estimator, len(means))
        mend = "Standardise X, for example with StandardScaler."
        if standardised[worst]:
            mend = f"Choose a noise_variance of at most {deviation[worst] ** 2:.3g}, or 'learned'."
        warnings.warn(
            f"{type(estimator).__name__} has noise of standard deviation {scale[worst]:.3g} in "
            f"feature {names[worst]!r}, but in X this feature has mean {means[worst]:.3g} and "
            f"standard deviation {deviation[worst]:.3g}: the model will be poor. {mend}",
            UserWarning,
            stacklevel=2,
        )


def check_weights(sample_weight, X, some=True):
    """Weights of the rows of X in float64: none is negative, and ``some`` are not 0.

    Returns the weights of the rows that count, which are not 0, and which rows these are; None
    for "which" if all count.

    One number stands for equal weights, as elsewhere in scikit-learn. (The check there takes NaN
    and complex numbers for such a one, and what a mask hides for a weight.)
    """
    refuse_dask(X, "X")
    refuse_dask(sample_weight, "sample_weight")
    n_rows = _num_samples(X)
    masked = isinstance(sample_weight, np.ma.MaskedArray)
    try:
        weights = np.asarray(unmasked(sample_weight) if masked else sample_weight)
        if weights.dtype.kind not in "biufO":
            raise TypeError("neither texts nor dates nor complex numbers are weights")
        weights = weights.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        given = " ".join(repr(sample_weight).split())[:80]
        raise ValueError(
            f"sample_weight must hold one number for each row of X. Got {given} instead."
        ) from None
    if weights.shape not in ((), (n_rows,)):
        raise ValueError(
            f"sample_weight must hold one number for each of the {n_rows} rows of X. Got an array "
            f"of shape {weights.shape} instead."
        )
    weights = np.broadcast_to(weights, n_rows)
    wrong = np.flatnonzero(~((weights >= 0) & (weights < np.inf)))
    if len(wrong):
        raise ValueError(
            "sample_weight must hold finite numbers of at least 0. Got "
            f"{weights[wrong[0]]} for row {wrong[0]}."
        )
    if some and not weights.any():
        raise ValueError("sample_weight is zero for all rows: no row counts. Give some rows more.")
    with np.errstate(over="ignore"):
        check_total_weight(weights.sum())
    counted = weights > 0
    return (weights, None) if counted.all() else (weights[counted], counted)


def check_total_weight(total):
    """Refuse weights of rows, or of parts of them, whose sum overflows."""
    if not np.isfinite(total):
        raise ValueError(
            "sample_weight adds up to more than a float can hold. Weights count relative to "
            "their mean: divide all of them by the largest one."
        )
