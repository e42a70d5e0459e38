"""From ratings to rows of categories: which categories there are, and the code of each entry.

Dense arrays with NaN and sparse matrices are read a block of rows at a time. Both become
:class:`~skrbm._input.categories.CategoryRows`, and from there on there is one path.
"""

import warnings
from numbers import Integral, Real

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import gen_batches

from .._machine.onehot import Categories, OneHotRows, blocks
from .categories import CategoryRows
from .checks import InvalidParameterError, check_table, feature_names
from .mistaken import MANY_CATEGORIES, TRIPLES, shown
from .sparse import stored_entries

_BLOCK_ENTRIES = 2**20  # of X that are encoded at a time


def check_ratings(estimator, X, reset=False, counted=None):
    """Validated X, an array or a CSR matrix of values, some of them missing.

    Parameters
    ----------
    estimator : SoftmaxRBM
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
    reset : bool, default=False
        Whether to learn the number and names of the features, or to check them.
    counted : ndarray of shape (n_samples,), bool, or None
        Which rows to read; None: all.
    """
    X = check_table(estimator, X, stored_entries, reset=reset, counted=counted)
    _check_size(estimator, X)
    return X


def read_categories(estimator, X):
    """Validated X as rows of the categories that the estimator has learned."""
    names = feature_names(estimator, X.shape[1])
    categories = fitted_categories(vars(estimator).get("categories_"), X.shape[1])
    rows = _encode(X, categories, estimator.handle_unknown == "ignore", names)
    rows = CategoryRows(X, rows, categories)
    _check_apart(categories, rows.dtype, names)
    return rows


# --- input ------------------------------------------------------------------------------------


def _check_size(estimator, X):
    """Refuse integers that float64 cannot tell apart."""
    values = X.data if issparse(X) else X
    if values.dtype.kind not in "iu" or values.dtype.itemsize < 8 or values.size == 0:
        return
    if max(int(values.max()), -int(values.min())) > 2**53:
        raise ValueError(
            f"{type(estimator).__name__} compares categories as 64-bit floats, but X holds "
            "integers beyond 2**53. Encode them as small numbers first, for example with "
            "OrdinalEncoder."
        )


def _check_apart(categories, dtype, names):
    """Refuse categories that are one number in the dtype of results, or infinite."""
    values = categories.values
    check_range(categories, dtype)
    same = np.diff(values.astype(dtype)) == 0
    same &= np.diff(categories.feature_of) == 0
    if same.any():
        k = np.argmax(same)
        raise ValueError(
            f"the categories {values[k]} and {values[k + 1]} of feature "
            f"{names[categories.feature_of[k]]!r} are one number in {dtype}, the dtype of X and "
            "of results. Pass X as float64, or encode categories as small numbers."
        )


def check_range(categories, dtype):
    """Refuse categories that are beyond the dtype of results."""
    beyond = np.abs(categories.values) > np.finfo(dtype).max
    if beyond.any():
        raise ValueError(
            f"the category {categories.values[np.argmax(beyond)]} is beyond {dtype}, the dtype of "
            "results. Pass data as float64, or encode categories as small numbers."
        )


def fitted_categories(by_feature, n_features):
    """Categories of a fitted machine, if they still fit it: kernels do not check bounds."""
    if not isinstance(by_feature, list | tuple | np.ndarray):
        raise ValueError(f"categories_ must be a list of one array per feature. Got {by_feature}.")
    categories = Categories([np.asarray(values) for values in by_feature])
    if not isinstance(n_features, Integral) or categories.n_features != n_features:
        raise ValueError(
            f"categories_ lists the categories of {categories.n_features} features, but "
            f"n_features_in_ is {n_features}."
        )
    return categories


def _blocks(X):
    """Yield the first row, lengths of rows, features and values of the entries of each block."""
    n_rows, n_features = X.shape
    if issparse(X):
        for block in blocks(X.indptr, _BLOCK_ENTRIES):
            indptr = X.indptr[block.start : block.stop + 1]
            entries = slice(indptr[0], indptr[-1])
            yield block.start, np.diff(indptr), X.indices[entries], X.data[entries]
        return
    for block in gen_batches(n_rows, max(1, _BLOCK_ENTRIES // n_features)):
        observed = ~np.isnan(X[block])
        yield block.start, observed.sum(axis=1), np.nonzero(observed)[1], X[block][observed]


def _n_observed(X):
    """Number of entries that are not NaN in an array; of a sparse matrix, of all it stores."""
    if issparse(X) or X.dtype.kind != "f":
        return X.nnz if issparse(X) else X.size
    step = max(1, _BLOCK_ENTRIES // X.shape[1])
    return X.size - sum(int(np.isnan(X[rows]).sum()) for rows in gen_batches(len(X), step))


# --- categories -------------------------------------------------------------------------------


def found_values(estimator, X):
    """What a validated X, or a part of one, says of the categories: see ``merged_values``.

    Returns
    -------
    found : ndarray of shape (2, n_found), float64
        Features and their values, in pairs, ascending, each once. Of categories that all features
        share the feature is 0. Of categories that the user has given: no pairs.
    """
    found, given = np.empty((2, 0)), estimator.categories
    for _, _, features, values in _blocks(X) if isinstance(given, str) else ():
        known = ~np.isnan(values)
        features, values = features[known], values[known]
        if given == "shared":
            values = np.unique(values)
            features = np.zeros(len(values))
        found = merged_values([found, np.stack((features, values))])
    return found


def merged_values(parts):
    """The pairs of ``found_values`` of all parts together."""
    found = np.concatenate(parts, axis=1)
    found = found[:, np.lexsort((found[1], found[0]))]
    repeated = (found[:, 1:] == found[:, :-1]).all(axis=0)
    return np.delete(found, 1 + np.flatnonzero(repeated), axis=1)


def find_categories(estimator, found, dtype, names):
    """The categories of each feature, as the parameter ``categories`` asks for.

    Parameters
    ----------
    estimator : SoftmaxRBM
    found : ndarray of shape (2, n_found)
        The pairs of ``found_values``.
    dtype : dtype
        The dtype of X.
    names : sequence
        Names of the features.

    Returns
    -------
    by_feature : list of ndarray
    """
    given, n_features = estimator.categories, len(names)
    features, values = found[0], found[1].astype(dtype)
    if isinstance(given, str) and given == "shared":
        _check_found(values, "X", estimator)
        return [values] * n_features
    if isinstance(given, str):
        by_feature = np.split(values, np.searchsorted(features, np.arange(1, n_features)))
        for name, own in zip(names, by_feature, strict=True):
            _check_found(own, f"feature {name!r} of X", estimator)
        return by_feature
    if not np.iterable(given) or any(isinstance(value, str) for value in given):
        _check_given(estimator, given, "")  # which refuses it
    if all(isinstance(value, Real | np.bool_) for value in given):
        return [_check_given(estimator, given, "")] * n_features
    if len(given) != n_features:
        raise InvalidParameterError(
            f"The 'categories' parameter of {type(estimator).__name__} lists the categories of "
            f"{len(given)} features, but X has {n_features}."
        )
    return [
        _check_given(estimator, values, f" of feature {name!r}")
        for name, values in zip(names, given, strict=True)
    ]


def _check_found(values, where, estimator):
    """Refuse no category at all, and infinite ones."""
    if len(values) == 0:
        raise ValueError(
            f"{where} has no observed entry to learn categories from. Leave it out, or say with "
            f"the 'categories' parameter of {type(estimator).__name__} what they are."
        )
    if np.isinf(values).any():
        _refuse_infinity(where)
    if len(values) > MANY_CATEGORIES:
        warnings.warn(
            f"{where} has {len(values)} different values, and {type(estimator).__name__} reads "
            f"each as a category. GaussianBernoulliRBM is for real-valued data. {TRIPLES}",
            UserWarning,
            stacklevel=2,
        )


def _refuse_infinity(where):
    raise ValueError(f"{where} contains infinity, which is no category. NaN means missing.")


def _check_given(estimator, values, whose):
    """Categories that a user gave: finite numbers that ascend, a copy."""
    try:
        array = np.array(values)
        array = array.astype(np.float64) if array.dtype.kind == "b" else array
        as_floats = array.astype(np.float64 if array.dtype.kind in "iuf" else object)
    except ValueError:  # ragged
        array = as_floats = np.empty(0)
    if (
        array.ndim != 1
        or array.size == 0
        or array.dtype.kind not in "iuf"
        or not np.isfinite(as_floats).all()
        or (as_floats[1:] <= as_floats[:-1]).any()
    ):
        raise InvalidParameterError(
            f"The 'categories' parameter of {type(estimator).__name__} must be 'shared', 'auto', "
            "a flat array of numbers, or a list of one such array per feature; categories must "
            "be finite and ascend, each once, as 64-bit floats. (Encode strings with "
            f"OrdinalEncoder.) Got {values!r}{whose}."
        )
    return array if array.dtype.itemsize <= 8 else as_floats


# --- codes ------------------------------------------------------------------------------------


def _encode(X, categories, ignore_unknown, names):
    """X as one-hot rows; an error, or a missing entry, for what is no category."""
    n_rows = X.shape[0]
    indptr = np.zeros(n_rows + 1, np.int64)
    codes = np.empty(_n_observed(X), np.int32)
    n_entries = 0
    for first, lengths, features, values in _blocks(X):
        block = categories.encode(values, features)
        rows = slice(first + 1, first + 1 + len(lengths))
        lowest = block.min(initial=0)
        if lowest < -1:
            if np.isinf(values).any():
                name = names[features[np.argmax(np.isinf(values))]]
                _refuse_infinity(f"feature {name!r} of X")
            if not ignore_unknown:
                _complain_of_unknown(values, features, block, categories, names)
        if lowest < 0:
            known = block >= 0
            row = np.repeat(np.arange(len(lengths)), lengths)
            lengths = np.bincount(row[known], minlength=len(lengths))
            block = block[known]
        indptr[rows] = lengths
        codes[n_entries : n_entries + len(block)] = block
        n_entries += len(block)
    n_codes = categories.offsets[-1]
    return OneHotRows(np.cumsum(indptr, out=indptr), codes[:n_entries], n_codes=n_codes)


def _complain_of_unknown(values, features, codes, categories, names):
    """Raise an error that names the first unknown value and its feature."""
    k = np.argmin(codes)
    known = categories.by_feature[features[k]]
    example = shown(np.union1d(known, values[k]))
    raise ValueError(
        f"X holds {values[k]} in feature {names[features[k]]!r}, which is none of its categories "
        f"{shown(known)}. Fit with all categories that may occur, for example "
        f"categories={example} if the features share a scale (in cross-validation a rare one may "
        "be in a test fold alone), or treat it as missing with handle_unknown='ignore'."
    )
