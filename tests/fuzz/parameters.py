"""Parameters of the estimators: valid ones of all kinds, and a few that no estimator can use."""

from decimal import Decimal
from fractions import Fraction

import numpy as np

from skrbm import BernoulliRBM, GaussianBernoulliRBM, SoftmaxRBM

MODELS = (BernoulliRBM, GaussianBernoulliRBM, SoftmaxRBM)

#: Parameters of which a huge number is a long wait, and no mistake.
LOOPS = ("n_iter", "n_gibbs_steps", "n_steps", "n_betas")

#: Makers of values that suit no parameter, or a few.
STRANGE = (
    lambda: None,
    lambda: True,
    lambda: np.True_,
    lambda: "no",
    lambda: b"cd",
    lambda: -1,
    lambda: 0,
    lambda: np.int8(-3),
    lambda: 1.5,
    lambda: float("nan"),
    lambda: np.float32("inf"),
    lambda: -np.inf,
    lambda: 1e300,
    lambda: 1e-320,
    lambda: 2**62,
    lambda: 2**70,
    lambda: 1j,
    list,
    lambda: [float("nan")],
    lambda: [[0.5]],
    lambda: [0.1, "a"],
    lambda: ["cd"],
    lambda: np.array(0.5),
    lambda: np.array(2),
    lambda: np.array([]),
    lambda: np.array([0.5], dtype=object),
    lambda: np.ma.masked_array([0.5, 1.0], [True, False]),
    lambda: np.datetime64("2020-01-01"),
    dict,
    lambda: {"a": 1},
    lambda: {1, 2},
    lambda: range(1, 3),
    lambda: slice(2),
    lambda: Fraction(1, 3),
    lambda: Decimal("0.1"),
    lambda: np.ma.masked,
    lambda: Ellipsis,
)


def strange(draw, name):
    """A value that most likely suits no parameter of this name."""
    value = draw.pick(*STRANGE)()
    long_wait = name in LOOPS and isinstance(value, int) and value > 100
    return "many" if long_wait else value


def schedule(draw, value, others):
    """A number, or a sequence of one per epoch."""
    if draw.chance(0.7):
        return value
    return draw.sequence([value, *(draw.pick(*others) for _ in range(draw.count(0, 3)))])


def random_state(draw):
    seed = draw.count(0, 100)
    return draw.pick(int, int, np.int8, np.uint32, np.random.RandomState)(seed)


def common(draw):
    """Parameters of all models, with small sizes."""
    rates = 0.1, 0.01, 1e-3, np.float32(0.02)
    rate = draw.pick(*rates, *rates, 1, 10.0, 1e10)
    parameters = {
        "n_components": draw.whole(draw.pick(1, 2, 3, 4, 6, 8, 9, 22)),
        "batch_size": draw.whole(draw.pick(1, 3, 5, 10, 40, 100)),
        "n_iter": draw.whole(draw.count(0, 3)),
        "random_state": random_state(draw),
    }
    optional = {
        "learning_rate": schedule(draw, rate, rates),
        "algorithm": draw.pick("cd", "pcd", "pt"),
        "n_gibbs_steps": schedule(draw, draw.whole(draw.count(1, 3)), (1, 2)),
        "n_chains": draw.pick(None, draw.whole(draw.count(1, 9))),
        "n_temperatures": draw.whole(draw.count(2, 4)),
        "momentum": schedule(draw, draw.pick(0, 0.5, np.float16(0.5), 0.9), (0, 0.5)),
        "weight_decay": draw.real(draw.pick(0, 1e-3, 0.1, 1)),
        "l1_penalty": draw.real(draw.pick(0, 1e-3, 0.1, 1)),
        "centering": draw.pick(True, False, np.True_),
        "average": draw.pick(True, False, np.True_, np.False_, 1, draw.real(0.25)),
        "learning_rate_schedule": draw.pick("constant", "linear", "inverse_sqrt"),
        "early_stopping": draw.pick(True, False, False, np.False_),
        "validation_fraction": draw.real(draw.pick(0.1, 0.3, 0.5, 0.9)),
        "n_iter_no_change": draw.whole(draw.pick(1, 2, 10)),
        "tol": draw.real(draw.pick(0, 1e-4, 0.1, 10)),
        "warm_start": draw.pick(True, False, np.True_),
        "negative_visibles": draw.pick("sample", "mean"),
        "shuffle": draw.pick(True, False, np.False_),
        "verbose": draw.pick(0, False, 1, np.int8(2)),
    }
    return parameters | {name: value for name, value in optional.items() if draw.chance(0.4)}


def noise_variance(draw, n_features):
    return draw.pick(
        lambda: draw.real(draw.pick(1, 0.5, 2)),
        lambda: 2,
        lambda: "learned",
        lambda: "learned",
        lambda: draw.sequence([draw.pick(0.5, 1.0, 2.0) for _ in range(n_features)]),
    )()


def categories(draw, n_features):
    scale = [1, 2, 3, 4, 5]
    return draw.pick(
        lambda: "shared",
        lambda: "auto",
        lambda: draw.sequence(scale),
        lambda: np.array(scale, draw.pick("i1", "u2", "f2", "f4", ">i4", ">f8")),
        lambda: [draw.sequence(scale) for _ in range(n_features)],
        lambda: [scale[: draw.count(1, 5)] for _ in range(n_features)],
        lambda: [0, 0.5, 1, 2, 3, 4, 5],
    )()


def estimator_of(draw, model, n_features):
    """An estimator, and whether its parameters are valid and harmless."""
    parameters = common(draw)
    if model is BernoulliRBM and draw.chance(0.4):
        parameters["positive_visibles"] = draw.pick("sample", "mean")
    if model is GaussianBernoulliRBM and draw.chance(0.6):
        parameters["noise_variance"] = noise_variance(draw, n_features)
    if model is SoftmaxRBM:
        if draw.chance(0.6):
            parameters["algorithm"] = "cd"
        if draw.chance(0.6):
            parameters["categories"] = categories(draw, n_features)
        parameters["handle_unknown"] = draw.pick("error", "ignore")
        parameters["conditional"] = draw.pick(True, False)
        parameters["ordinal"] = draw.pick(True, False, np.True_)
        if parameters["ordinal"]:
            parameters.pop("l1_penalty", None)  # refused
    rates = np.ravel(parameters.get("learning_rate", 0.01))
    sane = bool((rates <= 0.1).all())
    if draw.chance(0.12):
        name = draw.pick(*model().get_params())
        parameters[name], sane = strange(draw, name), False
    return model(**parameters), sane


def changed_parameters(draw, model, n_features):
    """Other values of one or two parameters."""
    some, _ = estimator_of(draw, model, n_features)
    names = list(some.get_params())
    return {name: getattr(some, name) for name in (draw.pick(*names), draw.pick(*names))}
