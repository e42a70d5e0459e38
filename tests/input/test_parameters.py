"""Parameters out of range are refused by name; schedules come in any flat sequence."""

import pickle
from fractions import Fraction

import numpy as np
import pytest
from sklearn import config_context
from sklearn.utils._param_validation import InvalidParameterError

from skrbm import BernoulliRBM
from skrbm._input.parameters import check_flag, check_integer, check_parameters, check_share

from ..helpers.comparison import assert_same_model
from ..helpers.models import models
from ..helpers.partition_machines import bernoulli_machine

NOT_POSITIVE_INTEGERS = [0, -1, 2.0, "2", [2], True, np.True_, Fraction(2)]
TOO_MANY = [2**31, 2**70]  # for an array
NO_SWITCHES = ["yes", "True", None, [True], np.array(True), b"1"]
NO_BOOLEANS = [*NO_SWITCHES, 2, 1.0, -1, np.nan]


OUT_OF_RANGE = {
    "n_components": [*NOT_POSITIVE_INTEGERS, *TOO_MANY, None],
    "batch_size": [*NOT_POSITIVE_INTEGERS, None],
    "n_iter": [-1, 2.0, "2", None, True],
    "algorithm": ["fpcd", "CD", None, 1],
    "n_chains": [*NOT_POSITIVE_INTEGERS, *TOO_MANY],
    "n_temperatures": [*NOT_POSITIVE_INTEGERS, *TOO_MANY, 1, None],
    "weight_decay": [Fraction(1, 3), -0.1, np.inf, np.nan, "l2", None, [0.1], True],
    "l1_penalty": [Fraction(1, 3), -0.1, np.inf, np.nan, "l1", None, [0.1], np.array(0.1), True],
    "negative_visibles": ["median", None, True],
    "positive_visibles": ["resample", "SAMPLE", None, True, ["mean"]],
    "centering": [*NO_BOOLEANS, 0.5],
    "average": [
        0,
        0.0,
        1.5,
        2,
        -1,
        -0.1,
        np.inf,
        np.nan,
        np.float32(1.1),
        Fraction(1, 3),
        *NO_SWITCHES,
    ],
    "learning_rate_schedule": ["invscaling", "Linear", b"linear", None, True, 0.5, ["linear"]],
    "early_stopping": NO_BOOLEANS,
    "validation_fraction": [0, 0.0, 1, 1.0, -0.1, np.nan, Fraction(1, 3), "tenth", None, True],
    "n_iter_no_change": [*NOT_POSITIVE_INTEGERS, 2.5, np.inf, None],
    "tol": [Fraction(1, 3), -1e-9, np.inf, np.nan, "small", None, [1e-4], True],
    "warm_start": NO_BOOLEANS,
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
        {"centering": np.True_, "average": np.True_, "warm_start": np.False_},
        {"centering": False, "average": np.False_, "warm_start": True},
        {"average": 1},
        {"average": np.float32(0.5)},
        {"average": np.int8(1)},
        {"average": 1e-9},
        {"l1_penalty": 0},
        {"l1_penalty": np.float32(1e-3)},
        {"l1_penalty": np.int8(1)},
        {"learning_rate_schedule": "constant", "positive_visibles": "mean"},
        {"learning_rate_schedule": "linear", "positive_visibles": np.str_("sample")},
        {"learning_rate_schedule": np.str_("inverse_sqrt")},
        {"early_stopping": np.True_, "validation_fraction": np.float16(0.5)},
        {"early_stopping": True, "n_iter_no_change": np.uint8(1), "tol": 0},
        {"early_stopping": True, "n_iter_no_change": 2**70, "tol": np.float32(0.1)},
        {"early_stopping": np.False_, "validation_fraction": 1e-300, "tol": 1e300},
        {"random_state": 2**32 - 1},
    ],
    ids=str,
)
def test_the_limits_themselves_are_accepted(X, limits):
    rbm = machine(**limits).fit(X)
    assert rbm.transform(X).shape == (25, rbm.n_components)
    assert np.isfinite(rbm.components_).all()


@models
@pytest.mark.parametrize(
    ("parameters", "same"),
    [
        ({"average": np.True_}, {"average": True}),
        ({"average": np.False_}, {"average": False}),
        ({"average": np.float32(0.5)}, {"average": 0.5}),
        ({"average": np.int8(1)}, {"average": 1.0}),
        ({"centering": np.True_}, {"centering": True}),
        ({"centering": np.False_}, {"centering": False}),
        ({"l1_penalty": np.float16(0.25)}, {"l1_penalty": 0.25}),
        ({"l1_penalty": np.int8(1)}, {"l1_penalty": 1.0}),
        ({"weight_decay": np.float16(0.25)}, {"weight_decay": 0.25}),
        ({"learning_rate_schedule": np.str_("linear")}, {"learning_rate_schedule": "linear"}),
        (
            {
                "early_stopping": np.True_,
                "validation_fraction": np.float32(0.25),
                "n_iter_no_change": np.uint8(1),
                "tol": np.float16(0.5),
            },
            {
                "early_stopping": True,
                "validation_fraction": 0.25,
                "n_iter_no_change": 1,
                "tol": 0.5,
            },
        ),
    ],
    ids=str,
)
def test_scalars_of_numpy_mean_what_those_of_python_mean(model, parameters, same):
    X = model.complete()
    if model.name == "SoftmaxRBM":  # held-out rows may have values that the others do not have
        same = same | {"categories": np.arange(0, 5.5, 0.5)}
    actual, desired = (model.machine(**same | given).fit(X) for given in (parameters, {}))
    assert_same_model(actual, desired)


@models
def test_the_copy_that_learns_has_no_scalars_of_numpy(model):
    """Sums with a number of 16 bits, such as that of a score and tol, would have 16 bits."""
    numbers = {"tol": np.float16(0.1), "weight_decay": np.float32(0.1), "average": np.float16(0.5)}
    numbers |= {"batch_size": np.int8(5), "centering": np.True_, "learning_rate": np.float32(0.1)}
    estimator = model.machine(**numbers)
    check_parameters(estimator)
    for name, value in numbers.items():
        found = getattr(estimator, name)
        assert type(found) in (bool, int, float)
        assert found == value


def test_one_is_no_true_to_the_average(X):
    """A share of all updates, where True leaves the share to us."""
    one, true = (machine(average=value).fit(X) for value in (1, True))
    assert not np.array_equal(one.components_, true.components_)


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


def test_shares_are_at_least_0_and_below_1():
    assert [check_share("x", value) for value in (0, np.float32(0.5), 0.999)] == [0, 0.5, 0.999]
    assert type(check_share("x", np.float32(0.5))) is float
    for value in (-0.1, 1, np.nan, np.inf):
        with pytest.raises(
            ValueError, match=f"^a_share must be at least 0 and below 1. Got {value}"
        ):
            check_share("a_share", value)
    for value in (True, "0.5", None, [0.5]):
        with pytest.raises(TypeError, match=r"^a_share must be a number\. Got "):
            check_share("a_share", value)


@models
@pytest.mark.parametrize("algorithm", ["pcd", "pt"])
def test_a_batch_of_all_rows_is_no_number_of_chains(model, algorithm):
    """A batch may be larger than any array: it holds no more rows than there are."""
    X = model.complete()
    rbm = model.machine(batch_size=2**70, algorithm=algorithm, n_iter=1)
    with pytest.raises(ValueError, match="Set n_chains"):
        rbm.fit(X)
    assert rbm.set_params(n_chains=3).fit(X).h_samples_.shape[-2] == 3


@pytest.mark.parametrize("value", [1, 0.0, "True", None, [True]], ids=repr)
def test_what_is_no_flag_is_refused(value):
    for flag in (True, np.False_):
        check_flag("wanted", flag)
    with pytest.raises(TypeError, match=r"^wanted must be True or False\. Got "):
        check_flag("wanted", value)
