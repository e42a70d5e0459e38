"""Parameters that a user sets: their constraints, as scikit-learn writes them, and schedules."""

from collections.abc import Sequence
from numbers import Integral, Real

import numpy as np

from .._machine.keys import N_LEARNING_STEPS
from .checks import (
    Interval,
    InvalidParameterError,
    StrOptions,
    validate_parameter_constraints,
)


class Range(Interval):
    """An interval of numbers of Python and NumPy, among which True and False are not."""

    def is_satisfied_by(self, val):
        """Whether the value is a number in the range."""
        number = isinstance(val, int | float | np.number) and not isinstance(val, bool)
        return number and super().is_satisfied_by(val)


#: Of rows, units or chains at a time, at most: more are no number that arrays can have.
MOST = 2**31 - 1

_SCHEDULES = {
    "learning_rate": Range(Real, 0, None, closed="neither"),
    "n_gibbs_steps": Range(Integral, 1, N_LEARNING_STEPS, closed="both"),
    "momentum": Range(Real, 0, 1, closed="left"),
}

#: Constraints on the parameters that all estimators share, as scikit-learn writes them.
PARAMETER_CONSTRAINTS = {
    "n_components": [Range(Integral, 1, MOST, closed="both")],
    "batch_size": [Range(Integral, 1, None, closed="left")],
    "n_iter": [Range(Integral, 0, None, closed="left")],
    "algorithm": [StrOptions({"cd", "pcd", "pt"})],
    "n_chains": [Range(Integral, 1, MOST, closed="both"), None],
    "n_temperatures": [Range(Integral, 2, MOST, closed="both")],
    "weight_decay": [Range(Real, 0, None, closed="left")],
    "l1_penalty": [Range(Real, 0, None, closed="left")],
    "negative_visibles": [StrOptions({"sample", "mean"})],
    "centering": ["boolean"],
    "average": ["boolean", Range(Real, 0, 1, closed="right")],
    "learning_rate_schedule": [StrOptions({"constant", "linear", "inverse_sqrt"})],
    "early_stopping": ["boolean"],
    "validation_fraction": [Range(Real, 0, 1, closed="neither")],
    "n_iter_no_change": [Range(Integral, 1, None, closed="left")],
    "tol": [Range(Real, 0, None, closed="left")],
    "warm_start": ["boolean"],
    "shuffle": ["boolean"],
    "verbose": ["verbose"],
    "random_state": ["random_state"],
    **{name: [interval, "array-like"] for name, interval in _SCHEDULES.items()},
}

#: Constraint on the parameter of binary units.
BINARY_CONSTRAINTS = {"positive_visibles": [StrOptions({"sample", "mean"})]}

#: Constraints on the parameters of categorical units.
CATEGORICAL_CONSTRAINTS = {
    "categories": [StrOptions({"shared", "auto"}), "array-like"],
    "handle_unknown": [StrOptions({"error", "ignore"})],
    "conditional": ["boolean"],
    "ordinal": ["boolean"],
}

#: Constraint on the noise variance of real-valued units.
NOISE_VARIANCE = [
    Range(Real, 0, None, closed="neither"),
    "array-like",
    StrOptions({"learned"}),
]


def check_parameters(estimator):
    """Check all parameters of a private copy of an estimator, and make its scalars Python's.

    scikit-learn checks the parameters of an estimator once, at the first call, and not at all if
    ``skip_parameter_validation`` is set. Loops and kernels rely on them at each call.
    """
    constraints = estimator._parameter_constraints
    parameters = {name: getattr(estimator, name) for name in constraints}
    validate_parameter_constraints(constraints, parameters, type(estimator).__name__)
    for name, value in parameters.items():
        if name in _SCHEDULES:
            setattr(estimator, name, check_schedule(estimator, name))
        elif isinstance(value, np.generic):
            # Integers of 8 bits would wrap around; floats of 16 would round what is added to them.
            setattr(estimator, name, value.item())


def equal_parameters(a, b):
    """Whether two values of a parameter, numbers or texts or lists of arrays, are the same."""
    sequences = [np.iterable(value) and not isinstance(value, str) for value in (a, b)]
    if all(sequences):
        return len(a) == len(b) and all(map(equal_parameters, a, b))
    return not any(sequences) and a == b


def check_schedule(estimator, name):
    """A parameter that may vary by epoch: a number, or a tuple of numbers in range."""
    schedule = getattr(estimator, name)
    if isinstance(schedule, Real):  # in range: check_parameters has seen to that
        return schedule.item() if isinstance(schedule, np.generic) else schedule
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
    return tuple(value.item() if isinstance(value, np.generic) else value for value in values)


def check_option(name, value, options):
    """Refuse a value of an argument that is none of the options."""
    if not isinstance(value, str) or value not in options:
        *others, last = (repr(option) for option in options)
        raise ValueError(f"{name} must be {', '.join(others)} or {last}. Got {value!r} instead.")


def check_flag(name, value):
    """Refuse a value of an argument that is neither True nor False, of Python or NumPy."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be True or False. Got {value!r}.")


def check_integer(name, value, minimum, maximum=None):
    """An argument that counts or numbers things, as a Python int, whatever integer it came as.

    Python ints neither overflow, as those of 8 bits do, nor are they True or False.
    """
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(f"{name} must be an integer. Got {value!r} instead.")
    value = int(value)
    if value < minimum or (maximum is not None and value > maximum):
        limits = f"at least {minimum}" + ("" if maximum is None else f" and at most {maximum}")
        raise ValueError(f"{name} must be {limits}. Got {value} instead.")
    return value


def check_share(name, value):
    """An argument that is at least 0 and below 1, as a Python float."""
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{name} must be a number. Got {value!r} instead.")
    if not 0 <= value < 1:
        raise ValueError(f"{name} must be at least 0 and below 1. Got {value} instead.")
    return float(value)


def check_noise_variance(estimator, n_features, dtype):
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
    except (TypeError, ValueError):  # a dictionary, a ragged list
        variance = None
    if variance is None or variance.shape not in ((), (n_features,)):
        raise InvalidParameterError(
            "The 'noise_variance' parameter of GaussianBernoulliRBM must be a number, 'learned' "
            f"or one number per feature, {n_features} in all. Got {given!r}."
        )
    with np.errstate(over="ignore"):
        cast = variance.astype(dtype).ravel()
    wrong = np.flatnonzero(~((cast > 0) & (cast < np.inf)))
    if len(wrong):
        raise InvalidParameterError(
            "The 'noise_variance' parameter of GaussianBernoulliRBM must be positive and finite, "
            f"in {dtype} like X. Got {variance.ravel()[wrong[0]]} for feature {wrong[0]}."
        )
    return np.broadcast_to(variance, n_features)
