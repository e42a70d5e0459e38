"""The machines of the tests of log Z and of likelihoods: estimators beside their oracles."""

from functools import cached_property

import numpy as np
import pytest

from skrbm import BernoulliRBM, GaussianBernoulliRBM
from skrbm._inference import partition
from skrbm._inference.starts import base_rate_rows
from skrbm._machine.tempered import TemperedRBM

from ..oracles import partition as plain
from ..oracles.bernoulli import EnumeratedRBM
from ..oracles.gaussian import EnumeratedGaussianRBM
from .numbers import SEED
from .softmax_machines import random_machine

VARIANCE = np.array([0.3, 2.5])


class Machine:
    """A fitted estimator, the oracles of its model and of its base rates, and rows of it.

    ``states`` are visible rows as the oracle reads them, all there are if they can be counted;
    ``dense`` makes an X of them; ``others`` are what an oracle has beside weights and biases.
    The estimator may be changed, and the oracle will not know.
    """

    def __init__(self, estimator, oracle, states, dense=np.array, others=(), dtype=float):
        self.oracle, self.states, self.dense, self.others = oracle, states, dense, others
        base_rates = estimator._base_rate_bias.astype(float)
        self.base = plain.base_of(oracle, base_rates, *others)
        self.real_valued = isinstance(oracle, EnumeratedGaussianRBM)
        estimator.components_ = np.ascontiguousarray(oracle.W.T, dtype)
        estimator.intercept_visible_ = oracle.b.astype(dtype)
        estimator.intercept_hidden_ = oracle.c.astype(dtype)
        self.estimator, self.dtype = estimator, dtype

    @property
    def rbm(self):
        return self.estimator._machine(self.estimator._dtype())

    @property
    def tempered(self):
        return TemperedRBM(self.rbm, self.estimator._base_rate_bias)

    def log_z_of(self, oracle):
        """By a sum over visible states, or by quadrature."""
        if self.real_valued:
            return plain.log_z_by_quadrature(oracle.W, oracle.b, oracle.c, oracle.variance)
        return plain.log_z_of_rows(oracle, self.states)

    @cached_property
    def log_z(self):
        return self.log_z_of(self.oracle)

    def rows(self, states):
        """Visible rows in the package's form."""
        rows, _ = self.estimator._read(self.dense(states).astype(self.dtype))
        return rows.read(slice(0, rows.n_rows))

    def exact_draws(self, rng, n):
        """Visible rows drawn from the model as the oracle knows it, as the oracle reads them."""
        if self.real_valued:
            return list(self.oracle.draw(rng, n))
        p = np.exp([-self.oracle.free_energy(v) - self.log_z for v in self.states])
        return [self.states[k] for k in rng.choice(len(p), n, p=p)]

    def log_weights(self, n, n_betas, reverse=False):
        """Log-weights of n chains from base rates or, in reverse, from exact draws."""
        betas = np.linspace(0, 1, n_betas)
        if reverse:
            v, betas = self.rows(self.exact_draws(np.random.default_rng(0), n)), betas[::-1]
        else:
            base_rate_bias = self.estimator._base_rate_bias
            v = base_rate_rows(self.rbm.visible, base_rate_bias, n, SEED)
        return partition.log_importance(self.tempered, v, betas, SEED)


def bernoulli_machine(dtype=float):
    rng = np.random.default_rng(1)
    W, b, c = rng.normal(0, 1, (4, 3)), rng.normal(0, 0.7, 4), rng.normal(0, 0.7, 3)
    oracle = EnumeratedRBM(W, b, c)
    X = (rng.random((10, 4)) < [0.2, 0.4, 0.6, 0.8]).astype(dtype)
    estimator = BernoulliRBM(3, n_iter=0, random_state=0).fit(X)
    return Machine(estimator, oracle, list(oracle.v_states), dtype=dtype)


def gaussian_machine(dtype=float, noise_variance=VARIANCE):
    rng = np.random.default_rng(2)
    W, b, c = rng.normal(0, 0.6, (2, 3)), np.array([0.7, -1.5]), rng.normal(0, 0.7, 3)
    oracle = EnumeratedGaussianRBM(W, b, c, VARIANCE)
    X = rng.normal([0.3, -1], 1, (10, 2)).astype(dtype)
    estimator = GaussianBernoulliRBM(3, noise_variance=noise_variance, n_iter=0, random_state=0)
    estimator.fit(X).noise_variance_ = VARIANCE.astype(dtype)
    states = list(oracle.draw(rng, 20))
    return Machine(estimator, oracle, states, others=(VARIANCE,), dtype=dtype)


def learned_machine(dtype=float):
    """The same with noise variances as if learned: they started as those of the data."""
    return gaussian_machine(dtype, "learned")


def softmax_machine(dtype=float):
    """Features of 1 to 4 categories."""
    arrays = random_machine((2, 4, 1, 3), scale=0.6)
    oracle, states = arrays.oracle, arrays.complete_rows
    return Machine(arrays.estimator(dtype), oracle, states, arrays.dense, (oracle.offsets,), dtype)


MACHINES = {
    "Bernoulli": bernoulli_machine,
    "Gaussian": gaussian_machine,
    "Gaussian, learned": learned_machine,
    "softmax": softmax_machine,
}


directions = pytest.mark.parametrize("reverse", [False, True], ids=["ais", "reverse_ais"])


MODELS = {name: make for name, make in MACHINES.items() if name != "Gaussian, learned"}


#: Runs a test on each of them, or one of each model; ``make(dtype)`` makes one.
machines = pytest.mark.parametrize("make", MACHINES.values(), ids=MACHINES)


models = pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)


QUICK = {"n_chains": 10, "n_betas": 20, "random_state": 0}


def without_weights(model, n_visible, n_hidden, **parameters):
    """An estimator of which hidden and visible units are independent, its biases 0 and b."""
    X = np.random.default_rng(0).integers(0, 2, (10, n_visible)).astype(float)
    estimator = model(n_hidden, n_iter=0, random_state=0, **parameters).fit(X)
    estimator.components_ = np.zeros_like(estimator.components_)
    estimator.intercept_hidden_ = np.zeros(n_hidden)
    return estimator
