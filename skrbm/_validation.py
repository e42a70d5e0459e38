"""What the estimators accept; the only module that imports scikit-learn's private names."""

import warnings
from collections.abc import Sequence
from functools import cached_property
from numbers import Integral, Real

import numpy as np
from scipy.sparse import issparse
from sklearn.base import _fit_context as fit_context
from sklearn.utils import check_array, gen_batches
from sklearn.utils._param_validation import Interval, InvalidParameterError, StrOptions
from sklearn.utils.validation import validate_data

from ._kernels import linear

__all__ = [
    "CATEGORICAL_CONSTRAINTS",
    "NOISE_VARIANCE",
    "PARAMETER_CONSTRAINTS",
    "InvalidParameterError",
    "Rows",
    "check_binary",
    "check_csr",
    "check_hidden",
    "check_noise_variance",
    "check_option",
    "check_schedule",
    "check_visible",
    "fit_context",
    "native",
    "unmasked",
    "warn_badly_scaled",
    "warn_outside_unit_interval",
    "working_dtype",
]

_SUMMARY_BLOCK = 1000

_SCHEDULES = {
    "learning_rate": Interval(Real, 0, None, closed="neither"),
    "n_gibbs_steps": Interval(Integral, 1, None, closed="left"),
    "momentum": Interval(Real, 0, 1, closed="left"),
}

#: Constraints on the parameters that all estimators share, as scikit-learn writes them.
PARAMETER_CONSTRAINTS = {
    "n_components": [Interval(Integral, 1, None, closed="left")],
    "batch_size": [Interval(Integral, 1, None, closed="left")],
    "n_iter": [Interval(Integral, 0, None, closed="left")],
    "algorithm": [StrOptions({"cd", "pcd", "pt"})],
    "n_chains": [Interval(Integral, 1, None, closed="left"), None],
    "n_temperatures": [Interval(Integral, 2, None, closed="left")],
    "weight_decay": [Interval(Real, 0, None, closed="left")],
    "negative_visibles": [StrOptions({"sample", "mean"})],
    "shuffle": ["boolean"],
    "verbose": ["verbose"],
    "random_state": ["random_state"],
    **{name: [interval, "array-like"] for name, interval in _SCHEDULES.items()},
}

#: Constraints on the parameters of categorical units.
CATEGORICAL_CONSTRAINTS = {
    "categories": [StrOptions({"shared", "auto"}), "array-like"],
    "handle_unknown": [StrOptions({"error", "ignore"})],
    "conditional": ["boolean"],
}

#: Constraint on the noise variance of real-valued units.
NOISE_VARIANCE = [
    Interval(Real, 0, None, closed="neither"),
    "array-like",
    StrOptions({"learned"}),
]


def check_schedule(estimator, name):
    """A parameter that may vary by epoch: a number, or a tuple of numbers in range."""
    schedule = getattr(estimator, name)
    if isinstance(schedule, Real):
        return schedule  # in range: scikit-learn has checked PARAMETER_CONSTRAINTS
    values = schedule.tolist() if hasattr(schedule, "tolist") else schedule
    if not isinstance(values, Sequence) or len(values) == 0:
        raise InvalidParameterError(
            f"The {name!r} parameter of {type(estimator).__name__} must be a number or a "
            f"non-empty flat sequence of one value per epoch. Got {schedule!r} instead."
        )
    for epoch, value in enumerate(values, start=1):
        if not _SCHEDULES[name].is_satisfied_by(value):
            raise InvalidParameterError(
                f"The {name!r} parameter of {type(estimator).__name__}, given as one value per "
                f"epoch, must hold values that are {_SCHEDULES[name]}. "
                f"Got {value!r} for epoch {epoch} instead."
            )
    return tuple(values)


def check_option(name, value, options):
    """Refuse a value of an argument that is none of the options."""
    if not isinstance(value, str) or value not in options:
        *others, last = (repr(option) for option in options)
        raise ValueError(f"{name} must be {', '.join(others)} or {last}. Got {value!r} instead.")


def check_noise_variance(estimator, data):
    """Fixed noise variances, one per feature in float64; None if they are to be learned."""
    given = estimator.noise_variance
    if isinstance(given, str):  # "learned": scikit-learn has checked NOISE_VARIANCE
        if estimator.negative_visibles == "mean":
            raise InvalidParameterError(
                "noise_variance='learned' of GaussianBernoulliRBM needs "
                "negative_visibles='sample': means, given as 'mean', have no noise to learn from."
            )
        return None
    try:
        variance = np.asarray(given, dtype=np.float64)
    except ValueError:
        variance = None
    if variance is None or variance.shape not in ((), (data.n_columns,)):
        raise InvalidParameterError(
            "The 'noise_variance' parameter of GaussianBernoulliRBM must be a number, 'learned' "
            f"or one number per feature, {data.n_columns} in all. Got {given!r}."
        )
    with np.errstate(over="ignore"):
        cast = variance.astype(data.dtype).ravel()
    wrong = np.flatnonzero(~((cast > 0) & (cast < np.inf)))
    if len(wrong):
        raise InvalidParameterError(
            "The 'noise_variance' parameter of GaussianBernoulliRBM must be positive and finite, "
            f"in {data.dtype} like X. Got {variance.ravel()[wrong[0]]} for feature {wrong[0]}."
        )
    return np.broadcast_to(variance, data.n_columns)


def check_visible(estimator, X, *, reset=False, whole=False, allow_nan=False):
    """Visible rows as a numeric array or CSR matrix, with as little copying as possible.

    Parameters
    ----------
    estimator : estimator instance
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
    reset : bool, default=False
        Whether to learn the number and names of the features, or to check them.
    whole : bool, default=False
        Whether the caller computes on all rows at once and needs floats; otherwise integers
        and booleans stay as they are, for :class:`Rows` to convert batch by batch.
    allow_nan : bool, default=False
        Whether X may hold NaN, for what is unknown.
    """
    if isinstance(X, np.ndarray):
        X = native(X)  # before validation, to which float32 in another byte order is no float32
    dtype = (np.float64, np.float32) if whole else "numeric"
    accept_sparse = "csr" if estimator._accepts_sparse else False
    if isinstance(X, np.ma.MaskedArray):
        if np.ma.is_masked(X) and not allow_nan:
            raise ValueError(
                "X masks entries as unknown: complete it first, for example by impute."
            )
        X = unmasked(X)
    X = validate_data(
        estimator,
        X,
        accept_sparse=accept_sparse,
        dtype=dtype,
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


def check_hidden(estimator, H):
    """Hidden rows as a dense float array of ``n_components`` columns."""
    H = check_array(H, dtype=(np.float64, np.float32), estimator=estimator, input_name="H")
    n_components = estimator.components_.shape[0]
    if H.shape[1] != n_components:
        raise ValueError(
            f"H has {H.shape[1]} columns, but {type(estimator).__name__} has {n_components} "
            "hidden units (n_components): pass what transform returns, one column per unit."
        )
    return H


class Rows:
    """Training data, read a few rows at a time; dense or sparse is decided here, once.

    Parameters
    ----------
    X : {ndarray, CSR matrix} of shape (n_samples, n_features)
        Never copied or converted as a whole.

    Attributes
    ----------
    n_rows, n_columns : int
    dtype : dtype
        float32 or float64, of the rows that ``read`` gives.
    """

    def __init__(self, X):
        self.X = X
        self.n_rows, self.n_columns = X.shape
        self.dtype = working_dtype(X.dtype)
        self._sparse = issparse(X)
        self._take = not self._sparse and X.flags.c_contiguous and X.dtype == self.dtype
        self._buffer = np.empty((0, self.n_columns))

    def batch(self, rows, dtype, n_chains=None):
        """The rows named by a slice or an index array, and room for as many below, or n_chains.

        The next call overwrites them.
        """
        n_rows = rows.stop - rows.start if isinstance(rows, slice) else len(rows)
        n_rows_and_room = n_rows + (n_rows if n_chains is None else n_chains)
        if len(self._buffer) < n_rows_and_room:
            self._buffer = np.empty((n_rows_and_room, self.n_columns), dtype)
        v = self._buffer[:n_rows_and_room]
        self.read(rows, out=v[:n_rows])
        return v

    def read(self, rows, out):
        """Write the rows named by a slice or an index array into ``out``."""
        if self._sparse:
            if isinstance(rows, slice):
                rows = np.arange(rows.start, rows.stop)
            linear.read_csr(self.X.indptr, self.X.indices, self.X.data, rows, out)
        elif self._take and out.dtype == self.dtype and not isinstance(rows, slice):
            # mode="clip" spares NumPy a buffer; the indices are in range.
            np.take(self.X, rows, axis=0, out=out, mode="clip")
        else:
            out[...] = self.X[rows]

    def dense(self, rows):
        """The rows of a slice as a dense array, which may be a view of X."""
        part = self.X[rows].astype(self.dtype, copy=False)
        return part.toarray() if self._sparse else part

    def monitor(self, max_rows, block_size=100):
        """Yield dense blocks of at most so many rows, spread evenly over the data."""
        stride = -(-self.n_rows // max_rows)
        for first in range(0, self.n_rows, block_size * stride):
            yield self.dense(slice(first, first + block_size * stride, stride))

    @cached_property
    def column_sums(self):
        """Sums of the columns, (n_features,) in float64."""
        return self._summary[0]

    @property
    def column_means(self):
        """Means of the columns, (n_features,) in float64."""
        return self.column_sums / self.n_rows

    @property
    def column_variances(self):
        """Variances of the columns of a dense X, (n_features,) in float64."""
        return self._spread[0]

    @property
    def constant_columns(self):
        """Whether each column of a dense X is constant, (n_features,)."""
        return self._spread[1]

    @cached_property
    def _spread(self):
        squares, constant = np.zeros(self.n_columns), True
        for block in gen_batches(self.n_rows, _SUMMARY_BLOCK):
            squares += np.square(self.X[block] - self.column_means).sum(axis=0)
            constant = constant & (self.X[block] == self.X[0]).all(axis=0)
        return squares / self.n_rows, constant

    @cached_property
    def range(self):
        """The smallest and the largest value."""
        return self._summary[1:]

    @cached_property
    def _summary(self):
        # Block by block: one pass over memory, and no loss of digits in long float32 sums.
        sums, lowest, highest = np.zeros(self.n_columns), np.inf, -np.inf
        for block in gen_batches(self.n_rows, _SUMMARY_BLOCK):
            part = self.X[block]
            if self._sparse:  # entries at one place add up as floats do
                part = part.astype(self.dtype, copy=False)
            dtype = np.promote_types(part.dtype, np.float32)
            sums += np.asarray(part.sum(axis=0, dtype=dtype)).ravel()
            lowest, highest = min(lowest, part.min()), max(highest, part.max())
        return sums, lowest, highest


def check_binary(estimator, X):
    """Refuse values other than 0 and 1, which are no states."""
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


def warn_outside_unit_interval(estimator, data):
    """Warn if binary units are given values that are not probabilities."""
    lowest, highest = data.range
    if lowest < 0 or highest > 1:
        warnings.warn(
            f"{type(estimator).__name__} reads values as probabilities of binary units, but X "
            f"ranges from {lowest:.6g} to {highest:.6g}. Scale it to [0, 1], for example with "
            "MinMaxScaler, or use GaussianBernoulliRBM for real-valued data.",
            UserWarning,
            stacklevel=2,
        )


def warn_badly_scaled(estimator, data, noise_variance):
    """Warn if a column does not suit real-valued units; learned noise, None, suits any width."""
    varying = ~data.constant_columns
    if data.n_rows < 30 or not varying.any():  # few rows say little of scales
        return
    means, deviation = data.column_means, np.sqrt(data.column_variances)
    scale = np.where(varying, deviation, np.inf) if noise_variance is None else noise_variance**0.5
    with np.errstate(divide="ignore"):
        too_narrow = np.where(varying, scale / deviation, 0)
    # A factor of 3 is bearable; so is a mean ten scales from 0.
    badness = np.max([deviation / scale, too_narrow, 0.3 * np.abs(means) / scale], axis=0)
    worst = np.argmax(badness)
    if badness[worst] > 3:
        names = getattr(estimator, "feature_names_in_", range(data.n_columns))
        warnings.warn(
            f"{type(estimator).__name__} has noise of standard deviation {scale[worst]:.3g} in "
            f"feature {names[worst]!r}, but in X this feature has mean {means[worst]:.3g} and "
            f"standard deviation {deviation[worst]:.3g}: the model will be poor. Standardise X, "
            "for example with StandardScaler.",
            UserWarning,
            stacklevel=2,
        )
