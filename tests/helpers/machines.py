"""A machine of each kind, with base rates that are not its own."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from skrbm import BernoulliRBM, GaussianBernoulliRBM
from skrbm._machine.bernoulli import BernoulliLayer
from skrbm._machine.gaussian import GaussianLayer
from skrbm._machine.tempered import TemperedRBM

from ..oracles.softmax import listed
from ..oracles.tempering import binary_at, gaussian_at, softmax_at
from .calls import machine_of
from .frequencies import assert_frequencies
from .gaussian_machines import VARIANCE
from .softmax_machines import Machine, draw_rows, one_hot, random_machine


def some_arrays(scale):
    rng = np.random.default_rng(7)
    return rng.normal(0, scale, (4, 3)), rng.normal(0, 0.7, 4), rng.normal(0, 0.7, 3)


BASE = np.array([-0.8, 0.3, 1.0, 0.0])


@dataclass(frozen=True, eq=False)
class Binary:
    """Binary units; like its kin it says what any temperature is by enumeration."""

    arrays: tuple
    base: np.ndarray
    conditional = False

    @property
    def c(self):
        return self.arrays[2]

    def at(self, beta):
        return binary_at(beta, *self.arrays, self.base)

    def model(self, dtype=float):
        W, b, c = (a.astype(dtype) for a in self.arrays)
        return machine_of(BernoulliLayer(b), W, c)

    def estimator(self, dtype=float, **parameters):
        """A fitted estimator that holds the machine; its base rates are those of two rows."""
        W, b, c = (a.astype(dtype) for a in self.arrays)
        X = np.stack([np.arange(len(b)) % 2, np.arange(len(b)) % 3 == 0]).astype(dtype)
        rbm = BernoulliRBM(len(c), n_iter=0, random_state=0, **parameters).fit(X)
        rbm.components_, rbm.intercept_visible_, rbm.intercept_hidden_ = W.T.copy(), b, c
        return rbm

    def draw(self, beta, n, rng):
        oracle = self.at(beta)
        return oracle.v_states[rng.choice(len(oracle.p_v), n, p=oracle.p_v)]

    form = staticmethod(np.array)  # rows as the layer reads them
    unform = staticmethod(np.asarray)

    def assert_drawn(self, rows, beta=1.0):
        oracle = self.at(beta)
        table = list(map(tuple, oracle.v_states))
        assert_frequencies(list(map(tuple, rows)), table, oracle.p_v)


@dataclass(frozen=True, eq=False)
class Real(Binary):
    """Real-valued units; a learned variance has moved away from where it started."""

    variance: np.ndarray
    learned: bool = False

    @property
    def reference(self):
        return self.variance * [2.0, 0.7, 1.0, 1.3] if self.learned else self.variance

    def log_ratio(self):
        return np.log(self.variance / self.reference) if self.learned else None

    def at(self, beta):
        return gaussian_at(beta, *self.arrays, self.variance, self.base)

    def model(self, dtype=float):
        W, b, c = (a.astype(dtype) for a in self.arrays)
        ratio = self.log_ratio()
        ratio = ratio if ratio is None else ratio.astype(dtype)
        return machine_of(GaussianLayer(b, self.reference.astype(dtype), ratio), W, c)

    def estimator(self, dtype=float, **parameters):
        W, b, c = (a.astype(dtype) for a in self.arrays)
        X = np.stack([self.base - 1, self.base + 1]).astype(dtype)
        noise = "learned" if self.learned else self.variance
        parameters |= {"noise_variance": noise, "n_iter": 0, "random_state": 0}
        rbm = GaussianBernoulliRBM(len(c), **parameters).fit(X)
        rbm.components_, rbm.intercept_visible_, rbm.intercept_hidden_ = W.T.copy(), b, c
        rbm.noise_variance_ = self.variance.astype(dtype)
        return rbm

    def draw(self, beta, n, rng):
        return self.at(beta).draw(rng, n)

    def assert_drawn(self, rows, beta=1.0):
        """Projections on the axes and on what hidden units say."""
        oracle = self.at(beta)
        directions = [*np.eye(len(self.base)), *(self.arrays[0].T / oracle.s)]
        for direction in directions:
            law = oracle.distribution(direction)
            assert stats.kstest(rows @ direction, law).pvalue > 1e-4


@dataclass(frozen=True, eq=False)
class Categorical:
    machine: Machine
    base: np.ndarray

    @property
    def arrays(self):
        return self.machine.W, self.machine.b, self.machine.c

    @property
    def c(self):
        return self.machine.c

    @property
    def conditional(self):
        return self.machine.U is not None

    def at(self, beta):
        offsets = self.machine.oracle.offsets
        return softmax_at(beta, *self.arrays, offsets, self.base, self.machine.U)

    def model(self, dtype=float):
        return self.machine.model(dtype)

    def estimator(self, dtype=float, **parameters):
        return self.machine.estimator(dtype, **parameters)

    def draw(self, beta, n, rng):
        return draw_rows(self.at(beta), None, n, rng)

    form = staticmethod(one_hot)

    def unform(self, v):
        return listed(v.indptr, v.entries) if hasattr(v, "indptr") else self.machine.codes(v)

    def assert_drawn(self, rows, beta=1.0):
        table, joint = self.at(beta).table()
        assert_frequencies(rows, table, joint.sum(axis=1))


def some_cases(scale):
    """With weights of a scale: the larger, the less do Gibbs steps hide what is wrong."""
    arrays = some_arrays(scale)
    out = {
        "Bernoulli": Binary(arrays, BASE),
        "Gaussian": Real(arrays, BASE, VARIANCE),
        "Gaussian, learned variance": Real(arrays, BASE, VARIANCE, learned=True),
    }
    for conditional in (False, True):
        machine = random_machine((2, 4, 1, 3), conditional=conditional, scale=scale)
        base = np.random.default_rng(3).normal(0, 0.8, len(machine.b))
        out[f"softmax{', conditional' if conditional else ''}"] = Categorical(machine, base)
    return out


LOG_DENSITY, SAMPLE_HIDDEN = TemperedRBM.log_density, TemperedRBM.sample_hidden


WRONG_EXCHANGES = {
    "always": ("log_density", lambda self, x, beta: np.zeros(len(x))),
    "sign": ("log_density", lambda self, x, beta: -LOG_DENSITY(self, x, beta)),
    "one temperature": ("log_density", lambda self, x, beta: LOG_DENSITY(self, x, 0 * beta + 1)),
    "hot units": (
        "sample_hidden",
        lambda self, t, beta, key: SAMPLE_HIDDEN(self, t, 0 * beta + 1, key),
    ),
}
