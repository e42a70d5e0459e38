"""What every call must keep: its inputs, the estimator if it reads, and manners in failure."""

import contextlib
import io
import pickle
import re
import warnings

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from skrbm._input.checks import InvalidParameterError

ERRORS = (ValueError, TypeError, NotFittedError, InvalidParameterError)

#: Said by the libraries below, of what users never see.
INTERNAL = re.compile(
    r"ufunc|broadcast|NoneType' |no attribute|out of bounds|not enough values|too many values"
    r"|cannot reshape|could not be cast|casting rule|object is not|unhashable|not supported betw"
    r"|unsupported operand|numba|length-1|0-dimensional arrays|truth value|not aligned|matmul"
    r"|core dimension|concatenat|zero-size|[Bb]uffer|unexpected keyword|positional argument"
    r"|boolean index|index \d+ is out|invalid index|must be real number|sequence element"
    r"|len\(\) of|^float\(\) argument"
)

WARNINGS = re.compile(
    r"reads values as probabilities|has noise of standard deviation|different values"
    r"|Training does not converge|valid feature names|has feature names, but"
    r"|with sparse columns found|one category only|look like user, item and rating"
    r"|entries of X are 0"
)

_PARTS = ("data", "indices", "indptr", "offsets", "coords", "rows", "_dict", "shape")


class BrokenPromiseError(AssertionError):
    """A promise that a call did not keep."""


def fingerprint(value):
    """All bits of a value, to compare with those of later."""
    if isinstance(value, np.random.RandomState):  # drawing changes it, as it should
        return "RandomState"
    if sparse.issparse(value):
        parts = {n: fingerprint(vars(value).get(n, vars(value).get(f"_{n}"))) for n in _PARTS}
        return type(value).__name__, parts
    if isinstance(value, pd.DataFrame):
        columns = [fingerprint(value.iloc[:, i].to_numpy(object)) for i in range(value.shape[1])]
        columns.append(list(map(str, value.dtypes)))
        return pickle.dumps((list(value.columns), list(value.index))), columns
    if isinstance(value, np.ma.MaskedArray):
        return "masked", fingerprint(value.data), fingerprint(value.mask)
    if isinstance(value, np.ndarray):
        native = value.astype(value.dtype.newbyteorder("="), copy=False)
        data = fingerprint(value.tolist()) if value.dtype.kind == "O" else native.tobytes()
        return value.dtype.newbyteorder("=").str, value.shape, data  # pickles are native
    if isinstance(value, dict):
        return {fingerprint(key): fingerprint(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value), tuple(map(fingerprint, value))
    try:
        return pickle.dumps(value)
    except (AttributeError, TypeError, pickle.PicklingError):
        return repr(value)


#: What NumPy says where a user has set infinite or huge weights by hand.
NUMERIC = re.compile("(overflow|invalid value|divide by zero) encountered")


def observed(call, inputs, estimator, reads, wild=False):
    """The result of a call, or its error; ``BrokenPromiseError`` if the call broke a promise.

    Parameters
    ----------
    call : callable
    inputs : list
        Objects that the call must not change.
    estimator : estimator instance
    reads : bool
        Whether the call must leave the estimator as it is even if the call succeeds.
    wild : bool, default=False
        Whether fitted attributes hold numbers of which sums overflow.
    """
    inputs = [*inputs, estimator.get_params(deep=False)]
    before, state = fingerprint(inputs), fingerprint(vars(estimator))
    result = error = None
    with warnings.catch_warnings(record=True) as told, contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("always")
        try:
            result = call()
        except Exception as exception:
            error = exception
    if error is not None:
        _judge(error)
    for warning in told:
        if wild and NUMERIC.search(str(warning.message)):
            continue
        kind = warning.category in (UserWarning, ConvergenceWarning)
        if not kind or not WARNINGS.search(str(warning.message)):
            raise BrokenPromiseError(f"warned: {warning.category.__name__}: {warning.message}")
    if fingerprint(inputs) != before:
        raise BrokenPromiseError("changed its input or a parameter")
    if (reads or error is not None) and fingerprint(vars(estimator)) != state:
        raise BrokenPromiseError("changed the estimator")
    return result, error


def _judge(error):
    """Refuse errors of other kinds, and messages that are no sentences for users."""
    what = f"{type(error).__name__}: {error}"
    if type(error) not in ERRORS:
        raise BrokenPromiseError(what) from error
    if len(str(error)) < 20 or " " not in str(error) or INTERNAL.search(str(error)):
        raise BrokenPromiseError(f"says no sentence for users: {what}") from error


def assert_result(result, shapes, dtype=None, finite=False):
    """Arrays of these shapes, of floats of a dtype if one is given."""
    results = result if isinstance(result, tuple) else (result,)
    for part, shape in zip(results, shapes, strict=True):
        if part.shape != shape:
            raise BrokenPromiseError(f"gave the shape {part.shape}, not {shape}")
        kind = part.dtype
        if kind.kind == "f" and kind not in ([dtype] if dtype else [np.float32, np.float64]):
            raise BrokenPromiseError(f"gave {kind}, not {dtype}")
        if finite and not np.isfinite(part).all():
            raise BrokenPromiseError("gave what is not finite")
