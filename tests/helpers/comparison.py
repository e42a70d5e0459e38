"""What it means that two estimators learned the same: every array, bit for bit."""

from dataclasses import asdict, is_dataclass

import numpy as np


def learned(estimator):
    """All that fitting wrote to an estimator, but for what the clock and callbacks add.

    Parameters as they were at the start are left out as well: their form means nothing.
    """
    parameters = estimator.get_params(deep=False)
    state = {
        name: value
        for name, value in vars(estimator).items()
        if name not in parameters and not name.startswith(("_skl", "_callback", "_parent"))
    }
    state.pop("_decided", None)
    if "_records" in state:
        del state["_records"], state["_n_records"]
        state["history_"] = {k: v for k, v in estimator.history_.items() if k != "seconds"}
    return state


def assert_same_bits(actual, desired, where=""):
    """Equal values, shapes and dtypes, through dicts, lists, tuples and dataclasses."""
    if is_dataclass(desired):  # categories, which equal themselves alone
        actual, desired = asdict(actual), asdict(desired)
    if isinstance(desired, dict):
        assert actual.keys() == desired.keys(), where
        for key in desired:
            assert_same_bits(actual[key], desired[key], f"{where}.{key}")
    elif isinstance(desired, (list, tuple)):
        assert len(actual) == len(desired), where
        for i, (a, d) in enumerate(zip(actual, desired, strict=True)):
            assert_same_bits(a, d, f"{where}[{i}]")
    else:
        strict = isinstance(desired, np.ndarray)  # 1 and 1.0 are the same number
        np.testing.assert_array_equal(actual, desired, err_msg=where, strict=strict)


def assert_same_model(actual, desired, but=()):
    """Two fitted estimators hold the same bits, leaving out the attributes named in ``but``."""
    a, d = learned(actual), learned(desired)
    assert "components_" in d
    for name in but:
        a.pop(name, None)
        d.pop(name, None)
    assert_same_bits(a, d)
