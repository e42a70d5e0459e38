"""Arrays, data frames and lists as arrays of numbers, whatever kind of number they hold."""

from collections import Counter
from datetime import date, time, timedelta

import numpy as np

from .._machine.memory import aligned

_DATES = "holds dates or times. Turn them into numbers first, for example days since a date."


def refuse_dask(value, argument):
    """Refuse a Dask collection, or a list with some: NumPy would load it into memory unasked.

    Parameters
    ----------
    value : object
    argument : str
        What messages call it.
    """
    several = isinstance(value, list | tuple)
    values = value if several else [value]
    # Dask's own mark, which an xarray has as well: it has no graph if it is in memory.
    marked = tuple(kind for kind in set(map(type, values)) if hasattr(kind, "__dask_graph__"))
    if not marked:
        return
    for one in values:
        if isinstance(one, marked) and one.__dask_graph__() is not None:
            name = f"{type(one).__module__.partition('.')[0]} {type(one).__name__}"
            raise TypeError(
                f"{argument} {'holds' if several else 'is'} a {name}, which would be loaded into "
                "memory as a whole. The functions fit, transform, score_samples, free_energy, "
                "predict_ratings and recommend of skrbm.dask read a lazy X of BernoulliRBM, "
                "GaussianBernoulliRBM and SoftmaxRBM partition by partition. Elsewhere pass what "
                f"{'dask.compute' if several else argument + '.compute'}"
                f"({'*' + argument if several else ''}) returns, if it fits in memory."
            )


def dense(X, sparse_frames, argument="X"):
    """What scikit-learn can read of an X that is not sparse: NaN is missing, bytes are native.

    Parameters
    ----------
    X : array-like
    sparse_frames : bool
        Whether a pandas frame of sparse columns, whose zeros are not stored, may stay as it is:
        scikit-learn makes a sparse matrix of it. Else its zeros are entries like any other.
    argument : str, default="X"
        What messages call X.
    """
    refuse_dask(X, argument)
    if isinstance(X, np.ma.MaskedArray):
        X = unmasked(X)
    if isinstance(X, np.ndarray):
        return native(X)  # scikit-learn takes float32 in another byte order for no float32
    if not all(hasattr(X, name) for name in ("shape", "dtypes", "columns")):
        return X
    _check_names(X, argument)
    sparse_columns = {}  # of pandas
    for name, dtype in zip(X.columns, X.dtypes, strict=True):
        # pandas has kinds of dtypes; polars says which are temporal.
        if getattr(dtype, "kind", None) in ("m", "M") or getattr(dtype, "is_temporal", bool)():
            raise ValueError(f"feature {name!r} of {argument} {_DATES}")
        if hasattr(dtype, "fill_value"):
            sparse_columns[name] = dtype
    zeros = len(sparse_columns) == len(X.columns) and all(
        dtype.fill_value == 0 for dtype in sparse_columns.values()
    )
    if not sparse_columns or (sparse_frames and zeros):
        return X
    return X.astype({name: dtype.subtype for name, dtype in sparse_columns.items()})


def _check_names(X, argument):
    """Refuse a frame of which two columns have one name."""
    for column, n_columns in Counter(X.columns).items():
        if n_columns > 1:
            raise ValueError(
                f"{argument} has {n_columns} columns of the name {column!r}: give each feature a "
                f"name of its own, or pass {argument}.to_numpy()."
            )


def unmasked(X):
    """A masked array with NaN for what it masks; whole numbers become floats."""
    kind = X.dtype.kind
    if kind in "mM":  # refused later, whatever is masked
        return X.data
    dtype = X.dtype if kind in "fc" else np.float64 if kind in "biu" else object
    return X.astype(dtype).filled(np.nan)


def native(X):
    """X with numbers in the byte order of this machine."""
    return X if X.dtype.isnative else X.astype(X.dtype.newbyteorder("="))


def numbers(X, names, argument="X"):
    """A table, or a sparse matrix, as one of booleans, integers or floats of at most 64 bits.

    Parameters
    ----------
    X : {ndarray, CSR matrix} of shape (n_samples, n_features)
        Of objects, None and pandas.NA are NaN; whatever else is no number is refused.
    names : sequence
        Names of the features, for messages.
    argument : str, default="X"
        What messages call X.
    """
    kind = X.dtype.kind
    if kind in "mM":
        raise ValueError(f"feature {names[0]!r} of {argument} {_DATES}")
    if kind in "OUSTV":
        if not isinstance(X, np.ndarray):
            raise ValueError(f"{argument} is a sparse matrix of {X.dtype}: build it of numbers.")
        X = _of_objects(X, names, argument)
    # Kernels read numbers of at most 64 bits, and SciPy has no sparse float16.
    if X.dtype.itemsize > 8 or (X.dtype == np.float16 and not isinstance(X, np.ndarray)):
        with np.errstate(over="ignore"):  # to infinity, which is refused
            X = X.astype(np.float64)
    X = native(X)
    return aligned(X) if isinstance(X, np.ndarray) else X


def _of_objects(X, names, argument):
    """An array of objects as int64 if all are integers, else as float64."""
    types = set(map(type, X.flat))
    if any(issubclass(type_, str | bytes | np.void) for type_ in types):
        (_, column), value = next(_entries(X, lambda v: isinstance(v, str | bytes | np.void)))
        raise ValueError(
            f"feature {names[column]!r} of {argument} holds {str(value)!r}, which is no number. "
            "Encode it as a number first, for example with OrdinalEncoder or OneHotEncoder."
        )
    if any(type_.__name__ == "NAType" for type_ in types):  # of pandas, which need not be there
        X = X.copy()
        for place, _ in _entries(X, lambda v: type(v).__name__ == "NAType"):
            X[place] = None
    try:
        return X.astype(np.int64 if types <= {int} else np.float64)
    except (OverflowError, TypeError, ValueError):
        return _one_by_one(X, names, argument)


def _one_by_one(X, names, argument):
    """Objects as float64, one at a time; an error names the object that is no number."""
    out = np.empty(X.shape)
    for (row, column), value in np.ndenumerate(X):
        where = f"feature {names[column]!r} of {argument}"
        if isinstance(value, date | time | timedelta):
            raise ValueError(f"{where} {_DATES}")
        try:
            out[row, column] = np.nan if value is None else value
        except OverflowError as error:
            raise ValueError(
                f"{where} holds a number beyond float64: scale {argument}."
            ) from error
        except (TypeError, ValueError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            shown = repr(value)[:60]
            raise kind(f"{where} holds {shown}, which is no number: {error}") from error
    return out


def _entries(X, which):
    """Yield places and values of the entries of an array of which a condition is true."""
    return ((place, value) for place, value in np.ndenumerate(X) if which(value))
