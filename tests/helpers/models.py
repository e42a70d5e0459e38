"""The models side by side: what makes an estimator of each, rows that suit it, and variants."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
from scipy import sparse

from skrbm import BernoulliRBM, GaussianBernoulliRBM, SoftmaxRBM

from .gaussian_machines import correlated_rows
from .ratings import ratings, stored

#: Of all rows here; a batch of 10 does not divide them.
N_ROWS, N_FEATURES = 47, 6


def bits(seed=0, n_rows=N_ROWS):
    return np.random.default_rng(seed).integers(0, 2, (n_rows, N_FEATURES)).astype(float)


def real_values(seed=0, n_rows=N_ROWS):
    return correlated_rows(np.random.default_rng(seed), n_rows, N_FEATURES)


def half_stars(seed=0, n_rows=N_ROWS, missing=0.4):
    return ratings(missing, seed, n_rows=n_rows)


def complete_half_stars(seed=0, n_rows=N_ROWS):
    return half_stars(seed, n_rows, missing=0)


@dataclass(frozen=True, eq=False)
class Model:
    """An estimator class, and what tests must know to use it.

    ``rows(seed, n_rows)`` makes rows, with gaps if the model reads them, ``complete`` makes rows
    without; ``containers`` hold rows; ``arrays`` are the names of parameters; ``predictors`` are
    the methods of one argument that not every model has.
    """

    estimator: type
    rows: Callable
    complete: Callable
    containers: tuple
    arrays: tuple = ("components_", "intercept_visible_", "intercept_hidden_")
    parameters: dict = field(default_factory=dict)
    predictors: tuple = ()

    @property
    def name(self):
        return self.estimator.__name__

    def machine(self, **parameters):
        """A small estimator, with persistent chains if asked for or by default."""
        defaults = {"n_components": 3, "n_iter": 3, "batch_size": 10, "random_state": 0}
        return self.estimator(**defaults | self.parameters | parameters)


#: Learning without the options that are on by default: variants turn them on one by one.
PLAIN_LEARNING = {"centering": False, "average": False, "learning_rate_schedule": "constant"}

BERNOULLI = Model(
    BernoulliRBM,
    bits,
    bits,
    (np.asarray, sparse.csr_array),
    parameters=PLAIN_LEARNING | {"learning_rate": 0.1},
    predictors=("conditional_proba",),
)
GAUSSIAN = Model(
    GaussianBernoulliRBM,
    real_values,
    real_values,
    (np.asarray,),
    (*BERNOULLI.arrays, "noise_variance_"),
    PLAIN_LEARNING | {"learning_rate": 0.01},
)
SOFTMAX = Model(
    SoftmaxRBM,
    half_stars,
    complete_half_stars,
    (np.asarray, stored),
    (*BERNOULLI.arrays, "conditional_components_"),
    PLAIN_LEARNING | {"learning_rate": 0.02, "momentum": 0.9, "conditional": True},
    ("predict_ratings", "conditional_proba"),
)
MODELS = {"Bernoulli": BERNOULLI, "Gaussian": GAUSSIAN, "softmax": SOFTMAX}

#: Runs a test on each of them, as ``model``.
models = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)

#: Runs a test on each of them with each of its containers.
models_and_containers = pytest.mark.parametrize(
    ("model", "container"),
    [
        pytest.param(model, container, id=f"{name}, {container.__name__}")
        for name, model in MODELS.items()
        for container in model.containers
    ],
)


@dataclass(frozen=True, eq=False)
class Variant:
    """A model with parameters."""

    model: Model
    parameters: dict

    def machine(self, **parameters):
        return self.model.machine(**self.parameters | parameters)

    def rows(self, seed=0, n_rows=N_ROWS):
        """Complete ones where chains persist."""
        gaps = self.machine().algorithm == "cd"
        return (self.model.rows if gaps else self.model.complete)(seed, n_rows)

    @property
    def shape(self):
        """Of the chains."""
        rbm = self.machine()
        shape = (rbm.batch_size if rbm.n_chains is None else rbm.n_chains, rbm.n_components)
        return (rbm.n_temperatures, *shape) if rbm.algorithm == "pt" else shape


PT = {"algorithm": "pt", "n_temperatures": 4}
LEARNED = {"noise_variance": "learned"}
CONDITIONAL, PLAIN = {"conditional": True}, {"conditional": False}
CENTRED = {"centering": True, "average": True, "momentum": 0.5}

#: Every part of the training state: chains or none, steps, draws of each kind.
VARIANTS = {
    "bits, pcd": (BERNOULLI, {"momentum": 0.5, "weight_decay": 0.01}),
    "bits, pcd, 7 chains": (BERNOULLI, {"n_chains": 7, "n_gibbs_steps": 2}),
    "bits, pcd, BLAS": (BERNOULLI, {"n_chains": 50, "momentum": 0.5}),
    "bits, cd": (BERNOULLI, {"algorithm": "cd", "momentum": 0.5}),
    "bits, cd, means": (
        BERNOULLI,
        {"algorithm": "cd", "negative_visibles": "mean", "n_gibbs_steps": 2},
    ),
    "bits, pt": (BERNOULLI, PT),
    "bits, pt, 7 chains": (
        BERNOULLI,
        PT | {"n_chains": 7, "n_gibbs_steps": (1, 2), "momentum": 0.5},
    ),
    "bits, pt, means": (
        BERNOULLI,
        PT | {"negative_visibles": "mean", "weight_decay": 0.1, "n_temperatures": 3},
    ),
    "bits, pcd, centred": (BERNOULLI, CENTRED | {"algorithm": "pcd", "l1_penalty": 0.01}),
    "bits, cd, fresh bits": (
        BERNOULLI,
        {"algorithm": "cd", "positive_visibles": "sample", "average": 0.4, "centering": False},
    ),
    "bits, pt, centred": (
        BERNOULLI,
        CENTRED | PT | {"learning_rate_schedule": "inverse_sqrt", "average": 1.0},
    ),
    "real values, pcd": (GAUSSIAN, {"algorithm": "pcd"}),
    "real values, pcd, momentum": (GAUSSIAN, {"algorithm": "pcd", "momentum": 0.5}),
    "real values, cd": (GAUSSIAN, {"momentum": 0.5}),
    "real values, pt": (GAUSSIAN, PT | {"momentum": 0.5}),
    "learned variance, pcd": (GAUSSIAN, LEARNED | {"algorithm": "pcd", "momentum": 0.5}),
    "learned variance, cd": (GAUSSIAN, LEARNED | {"momentum": 0.5}),
    "learned variance, pt": (GAUSSIAN, LEARNED | PT),
    "real values, centred": (GAUSSIAN, CENTRED | {"algorithm": "pcd"}),
    "learned variance, centred": (GAUSSIAN, CENTRED | LEARNED),
    "categories": (SOFTMAX, PLAIN | {"n_gibbs_steps": (1, 2)}),
    "categories, conditional": (
        SOFTMAX,
        CONDITIONAL | {"momentum": 0.5, "n_gibbs_steps": (1, 2)},
    ),
    "categories, means": (
        SOFTMAX,
        CONDITIONAL | {"negative_visibles": "mean", "n_gibbs_steps": 2},
    ),
    "categories, auto": (
        SOFTMAX,
        PLAIN | {"categories": "auto", "handle_unknown": "ignore", "momentum": 0, "batch_size": 7},
    ),
    "categories, pt": (SOFTMAX, PLAIN | PT),
    "categories, pt, conditional": (SOFTMAX, CONDITIONAL | PT),
    "categories, centred": (SOFTMAX, CENTRED | PLAIN),
    "categories, ordinal": (SOFTMAX, PLAIN | CENTRED | {"ordinal": True}),
    "categories, ordinal, pt": (SOFTMAX, PLAIN | PT | {"ordinal": True, "momentum": 0.5}),
    "categories, conditional, centred": (SOFTMAX, CENTRED | CONDITIONAL | {"average": 0.3}),
}
VARIANTS = {name: Variant(*variant) for name, variant in VARIANTS.items()}

#: Runs a test on each of them, as ``variant``.
variants = pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
