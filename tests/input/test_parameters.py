"""Parameters out of range are refused by name; schedules come in any flat sequence."""

import pickle
from fractions import Fraction

import numpy as np
import pytest
from sklearn import config_context
from sklearn.utils._param_validation import InvalidParameterError

from skrbm import BernoulliRBM
from skrbm._input.parameters import check_integer

from ..helpers.comparison import assert_same_model
from ..helpers.models import models
from ..helpers.partition_machines import bernoulli_machine

NOT_POSITIVE_INTEGERS = [0, -1, 2.0, "2", [2], True, np.True_, Fraction(2)]
TOO_MANY = [2**31, 2**70]  # for an array


OUT_OF_RANGE = {
    "n_components": [*NOT_POSITIVE_INTEGERS, *TOO_MANY, None],
    "batch_size": [*NOT_POSITIVE_INTEGERS, None],
    "n_iter": [-1, 2.0, "2", None, True],
    "algorithm": ["fpcd", "CD", None, 1],
    "n_chains": [*NOT_POSITIVE_INTEGERS, *TOO_MANY],
    "n_temperatures": [*NOT_POSITIVE_INTEGERS, *TOO_MANY, 1, None],
    "weight_decay": [Fraction(1, 3), -0.1, np.inf, np.nan, "l2", None, [0.1], True],
    "negative_visibles": ["median", None, True],
    "shuffle": ["yes", None, 2],
    "verbose": [-1, 0.5, "loud"],
    "random_state": [-1, 0.5, "seed", np.random.default_rng(0)],
    "learning_rate": [Fraction(1, 3), 0, 0.0, -0.1, np.inf, np.nan, "fast", None, True],
    "n_gibbs_steps": [0, -1, 1.0, "two", None, True, 50_000],
    "momentum": [-0.1, 1.0, 1, np.nan, "half", None, False],
}


# A value out of range in a schedule, and what is no flat sequence of numbers at all.
NO_SCHEDULES = [[], (), np.array([]), [[0.5]], [[0.5], [0.5, 0.6]], np.array([[1]]), {0.5}]


SCHEDULES_OUT_OF_RANGE = {
    "learning_rate": [
        [0.1, Fraction(1, 3)],
        [0.1, 0.0],
        (0.1, -0.1),
        [np.nan],
        ["fast"],
        [None],
        np.array(-0.1),
    ],
    "n_gibbs_steps": [[1, 0], [1, 2.0], np.array([1.0, 2.0]), [None], np.array(0)],
    "momentum": [[0.5, 1.0], (-0.1,), np.array([0.0, np.nan]), ["half"], np.array(1.0)],
}


def cases(table):
    return pytest.mark.parametrize(
        ("name", "value"),
        [
            pytest.param(name, value, id=f"{name}={value!r}".partition(" at 0x")[0])
            for name, values in table.items()
            for value in values
        ],
    )


@pytest.fixture(name="X")
def bits():
    return np.random.default_rng(0).integers(0, 2, (25, 4)).astype(float)


def machine(**parameters):
    return BernoulliRBM(**{"n_components": 2, "n_iter": 3, "random_state": 0} | parameters)


def assert_refused(X, name, value):
    for method in ("fit", "partial_fit"):
        rbm = machine(**{name: value})
        attributes = set(vars(rbm))
        with pytest.raises(InvalidParameterError, match=f"'{name}' parameter of BernoulliRBM"):
            getattr(rbm, method)(X)
        assert set(vars(rbm)) == attributes


@cases(OUT_OF_RANGE | {"learning_rate": [[0.1, -0.2]], "n_gibbs_steps": [0, [1, 0]]})
@pytest.mark.parametrize("skip", [False, True])
def test_parameters_are_checked_at_every_call(X, name, value, skip):
    """scikit-learn checks at the first call alone, or never if told so; kernels rely on it."""
    with config_context(skip_parameter_validation=skip):
        for method in ("fit", "partial_fit"):
            rbm = machine(momentum=0.5).partial_fit(X).set_params(**{name: value})
            before = pickle.dumps(vars(rbm))
            with pytest.raises(InvalidParameterError, match=f"'{name}' parameter of BernoulliRBM"):
                getattr(rbm, method)(X)
            assert pickle.dumps(vars(rbm)) == before


@models
@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint64])
@pytest.mark.parametrize("algorithm", ["cd", "pcd", "pt"])
def test_whole_numbers_are_those_of_python(model, dtype, algorithm):
    """Those of 8 bits would wrap around: first + batch_size, features + components."""
    X = np.tile(model.complete(), (6, 1))
    numbers = {"n_components": 127, "batch_size": 100, "n_iter": 2, "n_chains": 9}
    numbers |= {"n_temperatures": 3, "verbose": 0, "n_gibbs_steps": 2, "random_state": 3}
    small = {name: dtype(value) for name, value in numbers.items()}
    rbm, expected = (model.machine(**p | {"algorithm": algorithm}) for p in (small, numbers))
    assert_same_model(rbm.fit(X).partial_fit(X), expected.fit(X).partial_fit(X))
    arguments = {"n_gibbs_steps": 2, "n_temperatures": 3, "method": "tempering"}
    for options in ({"n_samples": 120} | arguments, {"n_samples": 7, "init": X[:5]}):
        options["n_gibbs_steps"] = 2
        odd = {k: dtype(v) if isinstance(v, int) else v for k, v in options.items()}
        drawn, wanted = (rbm.sample(**o, random_state=0) for o in (odd, options))
        np.testing.assert_array_equal(drawn, wanted)


def test_every_parameter_is_in_the_table():
    assert OUT_OF_RANGE.keys() == BernoulliRBM().get_params().keys()


@cases(OUT_OF_RANGE)
def test_parameters_out_of_range_are_refused_by_name(X, name, value):
    assert_refused(X, name, value)


@cases(SCHEDULES_OUT_OF_RANGE)
def test_schedules_out_of_range_are_refused_by_name(X, name, value):
    assert_refused(X, name, value)


@cases(dict.fromkeys(SCHEDULES_OUT_OF_RANGE, NO_SCHEDULES))
def test_what_is_no_flat_sequence_is_no_schedule(X, name, value):
    assert_refused(X, name, value)


def test_the_message_on_a_schedule_names_value_and_epoch(X):
    with pytest.raises(InvalidParameterError, match=r"-0\.2 for epoch 3"):
        machine(learning_rate=[0.1, 0.1, -0.2]).fit(X)


@pytest.mark.parametrize(
    ("name", "schedule", "same"),
    [
        ("learning_rate", [0.1, 0.05], (0.1, 0.05)),
        ("learning_rate", np.array([0.1, 0.05]), (0.1, 0.05)),
        ("learning_rate", 1, 1.0),
        ("learning_rate", (1, np.float32(0.5)), (1.0, 0.5)),
        ("n_gibbs_steps", range(1, 4), (1, 2, 3)),
        ("n_gibbs_steps", np.array([1, 2, 3]), (1, 2, 3)),
        ("n_gibbs_steps", np.int32(2), 2),
        ("momentum", (0, 0.5), [0.0, 0.5]),
    ],
)
def test_a_schedule_may_be_any_flat_sequence_of_any_numbers(X, name, schedule, same):
    assert_same_model(machine(**{name: schedule}).fit(X), machine(**{name: same}).fit(X))


@pytest.mark.parametrize(
    "limits",
    [
        {"n_components": 1, "batch_size": 1, "n_chains": 1},
        {"n_components": np.int64(2), "batch_size": np.int32(3), "n_chains": np.uint8(4)},
        {"batch_size": 1000, "n_chains": None},
        {"n_iter": 0},
        {"weight_decay": 0, "momentum": 0, "learning_rate": 1e-300},
        {"shuffle": np.True_, "verbose": False},
        {"random_state": 2**32 - 1},
    ],
    ids=str,
)
def test_the_limits_themselves_are_accepted(X, limits):
    rbm = machine(**limits).fit(X)
    assert rbm.transform(X).shape == (25, rbm.n_components)
    assert np.isfinite(rbm.components_).all()


# --- options ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [lambda name: np.array([name]), lambda name: [name], str.encode])
def test_an_option_is_a_string(kind):
    estimator = bernoulli_machine().estimator
    with pytest.raises(ValueError, match=r"method must be 'gibbs' or 'tempering'\. Got "):
        estimator.sample(method=kind("gibbs"))
    with pytest.raises(ValueError, match=r"method must be 'auto', .* or 'reverse_ais'\. Got "):
        estimator.log_partition(kind("exact"))


@pytest.mark.parametrize("n_temperatures", [1, 0, -3, 2.5, None, "many"])
def test_fewer_than_two_temperatures_are_refused(X, n_temperatures):
    rbm = machine(algorithm="pt", n_temperatures=n_temperatures)
    with pytest.raises(InvalidParameterError, match="n_temperatures"):
        rbm.fit(X)


# --- arguments that are integers ----------------------------------------------------------------


@pytest.mark.parametrize("kind", [int, np.uint8, np.int8, np.int64, np.uint64])
def test_every_integer_becomes_one_of_python(kind):
    value = check_integer("n", kind(100), 1)
    assert type(value) is int
    assert value == 100


@pytest.mark.parametrize(
    "value",
    [True, np.True_, np.False_, 2.0, np.float64(2), "2", None, [2], np.array([2])],
    ids=repr,
)
def test_what_is_no_integer_is_refused_by_name(value):
    with pytest.raises(TypeError, match=r"^n_things must be an integer\. Got .* instead"):
        check_integer("n_things", value, 0)


@pytest.mark.parametrize(("value", "limits"), [(0, (1,)), (-1, (0, 3)), (4, (0, 3))])
def test_integers_out_of_range_are_refused_by_name(value, limits):
    with pytest.raises(ValueError, match=rf"^n_things must be at least .* Got {value} instead"):
        check_integer("n_things", value, *limits)


def test_the_limits_of_integers_are_accepted():
    assert [check_integer("n", value, 0, 3) for value in (0, 3)] == [0, 3]


@models
@pytest.mark.parametrize("algorithm", ["pcd", "pt"])
def test_a_batch_of_all_rows_is_no_number_of_chains(model, algorithm):
    """A batch may be larger than any array: it holds no more rows than there are."""
    X = model.complete()
    rbm = model.machine(batch_size=2**70, algorithm=algorithm, n_iter=1)
    with pytest.raises(ValueError, match="Set n_chains"):
        rbm.fit(X)
    assert rbm.set_params(n_chains=3).fit(X).h_samples_.shape[-2] == 3
