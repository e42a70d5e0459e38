"""Tempered chains against enumeration: what they keep, what they exchange, where they cross."""

import itertools
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import stats

from skrbm import BernoulliRBM, GaussianBernoulliRBM
from skrbm._inference import chains
from skrbm._machine.bernoulli import BernoulliVisible
from skrbm._machine.gaussian import GaussianVisible
from skrbm._machine.rbm import RBM
from skrbm._machine.tempered import TemperedRBM, ladder

from .reference_softmax import listed
from .reference_tempering import acceptance, binary_at, gaussian_at, log_density, softmax_at
from .softmax_machines import Machine, draw_rows, one_hot, random_machine
from .test_gaussian_training import VARIANCE
from .test_softmax_chains import assert_frequencies

SEED = np.uint64(1)
BETAS = np.array([1, 2 / 3, 1 / 3, 0])
N_CHAINS = 10_000

# --- a machine of each kind, with base rates that are not its own -----------------------------


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
        return RBM(BernoulliVisible(b), W, c)

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
        return RBM(GaussianVisible(b, self.reference.astype(dtype), ratio), W, c)

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


CASES = some_cases(scale=2.5)
cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


@cases
def test_the_oracles_are_those_of_the_interpolated_energies(case, rng):
    base, model = case.at(0), case.at(1)
    for beta in (0, 0.3, 1):
        rows = case.draw(0.5, 5, rng)
        direct = np.array([log_density(beta, base, model, v) for v in rows])
        free_energies = np.array([case.at(beta).free_energy(v) for v in rows])
        assert np.ptp(direct + free_energies) < 1e-12


# --- what starts in the product of all p_beta stays there -------------------------------------


def tempered_rows(case, rng, n_steps, betas=BETAS, n=N_CHAINS):
    """Rows of all temperatures after so many steps from an exact start, by temperature."""
    parts = [case.draw(beta, n, rng) for beta in betas]
    v = case.form([row for part in parts for row in part])
    tempered = TemperedRBM(case.model(), case.base)
    first = chains.tempering(tempered, v, betas, n_steps, SEED)
    rows = case.unform(v)
    assert_array_equal(case.unform(first), rows[:n])
    return [rows[k * n : (k + 1) * n] for k in range(len(betas))]


def assert_stationary(case, rows, betas=BETAS):
    for part, beta in zip(rows, betas, strict=True):
        case.assert_drawn(part, beta)


@cases
@pytest.mark.parametrize(("n_steps", "betas"), [(4, BETAS), (3, BETAS[[0, 1, 3]])])
def test_tempering_is_stationary_at_all_temperatures(case, n_steps, betas, rng):
    assert_stationary(case, tempered_rows(case, rng, n_steps, betas), betas)


@pytest.mark.parametrize("n_steps", [1, 4])
def test_temperatures_stay_independent(n_steps, rng):
    """Pairs of rows of neighbouring temperatures have the product of their probabilities."""
    case = CASES["Bernoulli"]
    parts = [[tuple(v) for v in part] for part in tempered_rows(case, rng, n_steps)]
    oracles = [case.at(beta) for beta in BETAS]
    states = list(map(tuple, oracles[0].v_states))
    for k in range(3):
        pairs = list(zip(parts[k], parts[k + 1], strict=True))
        table = [(v, u) for v in states for u in states]
        assert_frequencies(pairs, table, np.outer(oracles[k].p_v, oracles[k + 1].p_v).ravel())


LOG_DENSITY, DRAW_HIDDEN = TemperedRBM.log_density, TemperedRBM.draw_hidden
WRONG = {
    "always": ("log_density", lambda self, x, beta: np.zeros(len(x))),
    "sign": ("log_density", lambda self, x, beta: -LOG_DENSITY(self, x, beta)),
    "one temperature": ("log_density", lambda self, x, beta: LOG_DENSITY(self, x, 0 * beta + 1)),
    "hot units": ("draw_hidden", lambda self, x, beta, d: DRAW_HIDDEN(self, x, 0 * beta + 1, d)),
}


@pytest.mark.parametrize("name", ["Bernoulli", "Gaussian", "softmax, conditional"])
@pytest.mark.parametrize(("method", "wrong"), WRONG.values(), ids=WRONG)
def test_a_wrong_exchange_is_found_out(name, method, wrong, monkeypatch, rng):
    monkeypatch.setattr(TemperedRBM, method, wrong)
    with pytest.raises(AssertionError):
        assert_stationary(CASES[name], tempered_rows(CASES[name], rng, 3))


# --- an exchange by itself --------------------------------------------------------------------


def exchanged(case, rows, betas, parity, n_chains, dtype=float):
    """Where the rows of temperatures, the same in all chains, are after an exchange: (T, n)."""
    tempered = TemperedRBM(case.model(dtype), case.base.astype(dtype))
    x = tempered.hidden_input(case.form([row for row in rows for _ in range(n_chains)]))
    assert x.dtype == dtype
    after = tempered.exchanged(x, betas.astype(dtype), parity, (SEED, 0, 0))
    own = x[::n_chains]
    came_from = np.abs(after[:, np.newaxis] - own).sum(axis=2).argmin(axis=1)
    assert_array_equal(after, own[came_from])
    return came_from.reshape(len(betas), n_chains)


def assert_accepted(case, n_temperatures, parity, rng):
    """Every second pair with its probability, independently; all others stay."""
    n, betas, swaps = 2000, ladder(n_temperatures), []
    base, model = case.at(0), case.at(1)
    # Equal rows could change places unseen.
    rows = list(dict.fromkeys(map(tuple, case.draw(0.3, 500, rng))))[:n_temperatures]
    assert len(rows) == n_temperatures
    came_from = exchanged(case, rows, betas, parity, n)
    first = range(parity % 2, n_temperatures - 1, 2)
    for t in set(range(n_temperatures)) - {t + side for t in first for side in (0, 1)}:
        assert (came_from[t] == t).all()
    for t in first:
        swapped = came_from[t] == t + 1
        assert_array_equal(came_from[t], np.where(swapped, t + 1, t))
        assert_array_equal(came_from[t + 1], np.where(swapped, t, t + 1))
        p = acceptance(
            lambda beta, v: log_density(beta, base, model, v), *betas[t : t + 2], *rows[t : t + 2]
        )
        swaps.append((swapped, p))
    swaps += [(one & other, p * q) for (one, p), (other, q) in itertools.pairwise(swaps)]
    for swapped, p in swaps:
        assert abs(swapped.mean() - p) < 4.5 * np.sqrt(p * (1 - p) / n) + 1e-12


@cases
@pytest.mark.parametrize(("n_temperatures", "parity"), [(2, 0), (2, 1), (3, 1), (5, 0), (5, 3)])
def test_exchanges_are_accepted_with_their_probability(case, n_temperatures, parity, rng):
    assert_accepted(case, n_temperatures, parity, rng)


WRONG_DENSITY = {name: wrong for name, (method, wrong) in WRONG.items() if "density" in method}
WRONG_DENSITY["biases"] = lambda self, x, beta: LOG_DENSITY(self, x, beta) - 2 * (beta * x)[:, -1]


@cases
@pytest.mark.parametrize("wrong", WRONG_DENSITY.values(), ids=WRONG_DENSITY)
def test_a_wrong_acceptance_is_found_out(case, wrong, monkeypatch, rng):
    monkeypatch.setattr(TemperedRBM, "log_density", wrong)
    with pytest.raises(AssertionError):
        assert_accepted(case, 8, 0, rng)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n_temperatures", "n_chains"), [(2, 1), (3, 7), (6, 50)])
def test_rows_stay_in_their_chain(n_temperatures, n_chains, dtype, rng):
    """Every row, tagged by numbers of its own, is in its chain once, one place off at most."""
    tempered = TemperedRBM(CASES["Bernoulli"].model(dtype), BASE)
    x = rng.normal(size=(n_temperatures * n_chains, 4)).astype(dtype)
    before = x.copy()
    betas, moved = ladder(n_temperatures).astype(dtype), 0
    for parity in range(4):
        after = tempered.exchanged(x, betas, parity, (SEED, 0, parity))
        assert_array_equal(x, before)
        assert after.dtype == dtype
        place = np.array([np.flatnonzero((x == row).all(axis=1)).item() for row in after])
        assert_array_equal(np.sort(place), np.arange(len(x)))
        temperature, chain = np.divmod(place, n_chains)
        assert_array_equal(chain, np.arange(len(x)) % n_chains)
        assert np.abs(temperature - np.arange(len(x)) // n_chains).max() <= 1
        moved += (place != np.arange(len(x))).sum()
    assert moved > 0


def test_steps_take_turns_between_the_pairs(monkeypatch):
    parities, exchange = [], TemperedRBM.exchanged

    def record(self, x, betas, parity, draw):
        parities.append(parity % 2)
        return exchange(self, x, betas, parity, draw)

    monkeypatch.setattr(TemperedRBM, "exchanged", record)
    CASES["Bernoulli"].estimator().sample(3, n_gibbs_steps=5, method="tempering")
    assert parities == [0, 1, 0, 1, 0]


# --- sample -----------------------------------------------------------------------------------


@cases
@pytest.mark.parametrize("started", [False, True])
def test_sample_reaches_the_model_distribution(case, started, rng):
    """From base rates, or from a row far from typical: without gaps it is a start."""
    init = None
    if started:
        X = case.draw(1, 200, rng)
        X = case.machine.dense(X) if isinstance(case, Categorical) else X
        init = X[[np.argmax(case.estimator().free_energy(X))]]
    v = case.estimator().sample(
        3000, n_gibbs_steps=50, init=init, method="tempering", n_temperatures=3, random_state=3
    )
    case.assert_drawn(case.unform(v))
