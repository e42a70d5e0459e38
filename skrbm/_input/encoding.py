"""From ratings to rows of categories: which categories there are, and the code of each entry.

Dense arrays with NaN and sparse matrices are read a block of rows at a time. Both become
:class:`~skrbm._input.categories.CategoryRows`, and from there on there is one path.
"""

import warnings
from numbers import Real

import numpy as np
from scipy.sparse import coo_array, issparse
from sklearn.utils import gen_batches
from sklearn.utils.validation import validate_data

from .._machine.onehot import Categories, OneHotRows, blocks
from .categories import CategoryRows
from .checks import InvalidParameterError, check_csr, native, unmasked

_BLOCK_ENTRIES = 2**20  # of X that are encoded at a time
_MANY_CATEGORIES = 1000  # of one feature: most likely a mistake


def read_categories(estimator, X, reset=False):
    """Validated X as rows of categories.

    Parameters
    ----------
    estimator : SoftmaxRBM
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
    reset : bool, default=False
        Whether to learn features and categories, or to use the learned ones.
    """
    X = _check_ratings(estimator, X, reset=reset)
    names = getattr(estimator, "feature_names_in_", range(X.shape[1]))
    if reset:
        categories = Categories(_find_categories(estimator, X, names))
    else:
        categories = fitted_categories(estimator.categories_, X.shape[1])
    rows = _encode(X, categories, estimator.handle_unknown == "ignore", names)
    return CategoryRows(X, rows, categories)


# --- input ------------------------------------------------------------------------------------


def _check_ratings(estimator, X, reset):
    """Categorical rows as a numeric array, or a CSR matrix with sorted indices; NaN is missing.

    Of a sparse matrix every stored entry counts, a 0 too; what an array masks is missing.
    """
    if issparse(X):
        X = _csr_of_stored_entries(X)
    elif isinstance(X, np.ma.MaskedArray):
        X = unmasked(X)
    elif isinstance(X, np.ndarray):
        X = native(X)
    _refuse_strings(estimator, X)
    X = validate_data(
        estimator,
        X,
        accept_sparse="csr",
        dtype="numeric",
        ensure_all_finite=False,
        reset=reset,
    )
    X = X.astype(np.float64) if X.dtype.kind == "O" or X.dtype.itemsize > 8 else X
    numbers = X.data[: X.nnz] if issparse(X) else X
    long = numbers.dtype.kind in "iu" and numbers.dtype.itemsize == 8 and numbers.size > 0
    if long and max(int(numbers.max()), -int(numbers.min())) > 2**53:
        problem = "integers beyond 2**53"
    elif numbers.dtype.kind in "mM":
        problem = "dates or times"
    else:
        return native(X)
    raise ValueError(
        f"{type(estimator).__name__} compares categories as 64-bit floats, but X holds {problem}. "
        "Encode them as small numbers first, for example with OrdinalEncoder."
    )


def _refuse_strings(estimator, X):
    """An error that says what to do if X, not sparse, holds strings, even such as "1"."""
    if issparse(X):
        return
    sliceable = isinstance(X, np.ndarray) or hasattr(X, "iloc")
    if sliceable and np.asarray(X[:1]).dtype.kind not in "USO":
        return  # no need to convert a large table for that
    try:
        array = np.asarray(X)
    except ValueError:  # ragged: scikit-learn will say so
        return
    if array.ndim != 2 or array.dtype.kind not in "USO":
        return
    names = getattr(X, "columns", range(array.shape[1]))
    for (_, column), value in np.ndenumerate(array):
        if isinstance(value, str | bytes):
            raise ValueError(
                f"{type(estimator).__name__} reads categories as numbers, but feature "
                f"{names[column]!r} of X holds {str(value)!r}. Encode strings as numbers first, "
                "for example with OrdinalEncoder."
            )


def _csr_of_stored_entries(X):
    """A sparse matrix as CSR, sorted, with all it stores; scipy would drop or add up some."""
    if X.ndim != 2:
        raise ValueError(f"X must be a table, but is a sparse array of {X.ndim} dimension.")
    given = X
    if X.format == "dia":  # its conversion drops zeros
        at = [
            np.arange(max(0, k), min(X.shape[1], X.shape[0] + k, X.data.shape[1]))
            for k in X.offsets
        ]
        values = [X.data[d, columns] for d, columns in enumerate(at)]
        rows = [columns - k for columns, k in zip(at, X.offsets, strict=True)]
        place = np.concatenate([*rows, []]).astype(int), np.concatenate([*at, []]).astype(int)
        X = coo_array((np.concatenate([*values, []]).astype(X.dtype), place), shape=X.shape)
    X = X.tocsr()
    check_csr(X)
    if not _ascends(X):
        X = X.copy()
        X.has_sorted_indices = False  # whatever X has said of itself
        X.sort_indices()
    if X.nnz < given.nnz or not _ascends(X):
        coo = given.tocoo()
        places, counts = np.unique(np.stack((coo.row, coo.col)), axis=1, return_counts=True)
        row, column = places[:, np.argmax(counts > 1)]
        raise ValueError(
            f"X stores {counts.max()} entries at row {row}, column {column}: a sample has one "
            "category per feature. Keep one of them."
        )
    return X


def _ascends(X):
    """Whether the column indices of each row of a CSR matrix do, each once."""
    indices, row_ends = X.indices[: X.indptr[-1]], X.indptr[1:-1]
    ascends = indices[1:] > indices[:-1]
    ascends[row_ends[(row_ends > 0) & (row_ends < len(indices))] - 1] = True
    return ascends.all()


def fitted_categories(by_feature, n_features):
    """Categories of a fitted machine, if they still fit it: kernels do not check bounds."""
    categories = Categories(by_feature)
    if categories.n_features != n_features:
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


# --- categories -------------------------------------------------------------------------------


def _find_categories(estimator, X, names):
    """The categories of each feature, as the parameter ``categories`` asks for."""
    given, n_features = estimator.categories, X.shape[1]
    if isinstance(given, str) and given == "shared":
        found = np.empty(0, X.dtype)
        for *_, values in _blocks(X):
            found = np.union1d(found, values[~np.isnan(values)]).astype(X.dtype, copy=False)
        _check_found(found, "X", estimator)
        return [found] * n_features
    if isinstance(given, str):
        return _own_categories(estimator, X, names)
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


def _own_categories(estimator, X, names):
    """The values that occur in each column."""
    found = np.empty((2, 0))  # features and values, in pairs
    for _, _, features, values in _blocks(X):
        known = ~np.isnan(values)
        found = np.concatenate((found, np.stack((features[known], values[known]))), axis=1)
        found = found[:, np.lexsort((found[1], found[0]))]
        repeated = (found[:, 1:] == found[:, :-1]).all(axis=0)
        found = np.delete(found, 1 + np.flatnonzero(repeated), axis=1)
    stops = np.searchsorted(found[0], np.arange(1, X.shape[1]))
    by_feature = np.split(found[1].astype(X.dtype), stops)
    for name, values in zip(names, by_feature, strict=True):
        _check_found(values, f"feature {name!r} of X", estimator)
    return by_feature


def _check_found(values, where, estimator):
    """Refuse no category at all, and infinite ones."""
    if len(values) == 0:
        raise ValueError(
            f"{where} has no observed entry to learn categories from. Leave it out, or say with "
            f"the 'categories' parameter of {type(estimator).__name__} what they are."
        )
    if np.isinf(values).any():
        _refuse_infinity(where)
    if len(values) > _MANY_CATEGORIES:
        warnings.warn(
            f"{where} has {len(values)} different values, and {type(estimator).__name__} reads "
            "each as a category. GaussianBernoulliRBM is for real-valued data. Triples of user, "
            "item and rating make a sparse matrix first: coo_array((rating, (user, item))).",
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
    dtype = categories.dtype
    if X.dtype.kind == "f" and X.dtype.itemsize < dtype.itemsize:
        dtype = X.dtype
    n_rows = X.shape[0]
    indptr = np.zeros(n_rows + 1, np.int64)
    most = X.nnz if issparse(X) else X.size - int(np.isnan(X).sum())
    codes = np.empty(most, np.int32)
    n_entries = 0
    for first, lengths, features, values in _blocks(X):
        block = categories.encode(values, features, dtype)
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
    return OneHotRows(np.cumsum(indptr, out=indptr), codes[:n_entries])


def _complain_of_unknown(values, features, codes, categories, names):
    """Raise an error that names the first unknown value and its feature."""
    k = np.argmin(codes)
    known = categories.by_feature[features[k]]
    shown = np.array2string(known, threshold=12, separator=", ")
    raise ValueError(
        f"X holds {values[k]} in feature {names[features[k]]!r}, which is none of its categories "
        f"{shown}. Fit with 'categories' that include it, or treat it as missing with "
        "handle_unknown='ignore'."
    )
