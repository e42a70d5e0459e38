"""Temperatures chosen from swaps: what is measured, and what is made of it, by enumeration."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import erf

from skrbm import BernoulliRBM
from skrbm._inference import temperatures
from skrbm._inference.starts import Start
from skrbm._inference.temperatures import placed, rejection, tuned
from skrbm._machine.tempered import TemperedRBM, ladder

from ..helpers.machines import Categorical, some_cases
from ..oracles.tempering import mean_rejection

CASES = {name: case for name, case in some_cases(scale=6).items() if "Gaussian" not in name}
REAL = some_cases(scale=2.5)["Gaussian"]

cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def all_rows(case):
    return case.at(1).table()[0] if isinstance(case, Categorical) else case.at(1).v_states


def exact_rejection(case, betas):
    base, model, rows = case.at(0), case.at(1), all_rows(case)
    pairs = itertools.pairwise(betas)
    return np.array([mean_rejection(base, model, rows, *pair) for pair in pairs])


def chosen(case, seed, dtype=float, n_rows=7):
    return tuned(case.model(dtype), case.base, Start(), n_rows, np.random.RandomState(seed))


# --- what is measured -------------------------------------------------------------------------


def measured(case, betas, n_steps, rng, n=4000):
    """By chains that start where they belong."""
    v = case.form([row for beta in betas for row in case.draw(beta, n, rng)])
    tempered = TemperedRBM(case.model(), case.base)
    return rejection(tempered, v, betas, n_steps, np.uint64(1))


@cases
@pytest.mark.parametrize("n_steps", [1, 4])
@pytest.mark.parametrize("betas", [ladder(4), np.array([1, 0.2, 0])], ids=len)
def test_shares_of_rejected_swaps_are_those_of_enumeration(case, n_steps, betas, rng):
    """A probability has a variance of at most 1/4."""
    found, expected = measured(case, betas, n_steps, rng), exact_rejection(case, betas)
    assert found.shape == (len(betas) - 1,)
    assert_allclose(found, expected, atol=4.5 * 0.5 / np.sqrt(4000))
    assert np.ptp(expected) > 0.05  # a pair in the place of another would be found out


def test_the_first_half_of_the_steps_is_not_counted():
    """Chains that start far from where they belong: their first swaps tell nothing."""
    case, betas = CASES["Bernoulli"], ladder(4)
    tempered = TemperedRBM(case.model(), case.base)
    v = np.tile(case.at(1).v_states[[0]], (4 * 1000, 1))
    found = rejection(tempered, v, betas, 40, np.uint64(1))
    assert_allclose(found, exact_rejection(case, betas), atol=0.04)
    first = rejection(tempered, v * 0 + case.at(1).v_states[0], betas, 1, np.uint64(1))
    assert np.abs(first - exact_rejection(case, betas)).max() > 0.1


# --- where temperatures are placed ------------------------------------------------------------


def share_of(distance):
    return erf(np.sqrt(np.pi) / 2 * distance)


@pytest.mark.parametrize("slope", [0, 3, 10])
@pytest.mark.parametrize("n_first", [5, 10, 40])
def test_normal_densities_are_put_at_equal_distances(slope, n_first):
    """The barrier up to beta is 2 beta + slope beta^2 / 2, whatever temperatures measure it."""

    def barrier_to(beta):
        return 2 * beta + slope * beta**2 / 2

    first = ladder(n_first)
    betas, barrier = placed(first, share_of(-np.diff(barrier_to(first))))
    assert barrier == pytest.approx(barrier_to(1), rel=1e-6)
    assert (betas[0], betas[-1]) == (1, 0)
    assert (np.diff(betas) < 0).all()
    distances = -np.diff(barrier_to(betas))
    assert share_of(distances.mean()) <= 0.5
    assert share_of(barrier / (len(betas) - 2)) > 0.5  # one temperature fewer would not do
    assert np.ptp(distances) < (0.01 if slope == 0 else 0.2) * distances.mean()


def test_close_temperatures_are_as_far_apart_as_swaps_are_rejected():
    """Syed et al. (2022): the barrier is the sum of the shares of many temperatures."""
    _, barrier = placed(ladder(101), np.full(100, 0.02))
    assert barrier == pytest.approx(2, rel=1e-3)


@pytest.mark.parametrize("rejected", [0.0, 1.0])
def test_swaps_that_all_succeed_or_none_are_no_error(rejected):
    betas, _ = placed(ladder(4), np.full(3, rejected))
    assert (betas[0], betas[-1]) == (1, 0)
    assert len(betas) == (2 if rejected == 0 else 33)


@cases
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_chosen_temperatures_swap_alike(case, dtype):
    """As enumeration says, up to what so short chains can measure."""
    betas = chosen(case, 0, dtype)
    rejected = exact_rejection(case, betas)
    assert rejected.max() < 0.6
    assert np.ptp(rejected) < 0.2
    assert exact_rejection(case, ladder(len(betas))).max() > rejected.max() + 0.05
    if len(betas) > 2:
        assert rejected.mean() > 0.25


def test_more_units_need_more_temperatures():
    """Of units that are independent of each other the barrier grows like a square root."""
    sizes = []
    for n in (25, 100, 400):
        rbm = BernoulliRBM(1, n_iter=0, random_state=0).fit(np.eye(n)[:2] * 0)
        rbm.components_ = np.zeros((1, n))
        rbm.intercept_visible_ = rbm.intercept_visible_ + 2
        model = rbm._machine(np.float64)
        sizes.append(len(tuned(model, rbm._base_rates(), Start(), 1, np.random.RandomState(0))))
    assert_allclose(np.array(sizes[1:]) - 1, 2 * (np.array(sizes[:-1]) - 1), atol=2)


def test_a_machine_that_is_its_base_rates_needs_two():
    rbm = BernoulliRBM(2, n_iter=0, random_state=0).fit(np.eye(5))
    rbm.components_ = np.zeros((2, 5))
    betas = tuned(rbm._machine(float), rbm._base_rates(), Start(), 1, np.random.RandomState(0))
    assert_array_equal(betas, [1, 0])


# --- promises ---------------------------------------------------------------------------------


@pytest.mark.parametrize("case", [*CASES.values(), REAL], ids=[*CASES, "Gaussian"])
def test_a_seed_gives_the_same_temperatures(case):
    first, again, other = (chosen(case, seed) for seed in (0, 0, 1))
    assert_array_equal(first, again)
    assert len(first) != len(other) or (first != other).any()


def test_known_entries_stay_while_swaps_are_measured(monkeypatch, rng):
    """Given more, a machine is closer to its base rates; each row of init is one to measure."""
    case, seen = CASES["Bernoulli"], []
    X = np.array([[1.0, np.nan, 0, 1], [np.nan, 1, np.nan, 0]])

    def record(tempered, v, betas, n_steps, seed, known):
        out = rejection(tempered, v, betas, n_steps, seed, known)
        for given in X:
            fixed = ~np.isnan(given)
            own = (known == fixed).all(axis=1)
            assert own.sum() == 5 * len(betas)
            assert (v[own][:, fixed] == given[fixed]).all()
        seen.append(len(betas))
        return out

    monkeypatch.setattr(temperatures, "rejection", record)
    case.estimator().sample(
        2, init=X, method="tempering", n_temperatures="auto", n_gibbs_steps=1, random_state=0
    )
    assert seen[0] == 10
    assert len(seen) == 3


def test_known_entries_of_all_rows_have_a_part():
    """Not those of the first ten alone, which may be known almost entirely."""
    case = CASES["Bernoulli"]
    known = np.zeros((500, 4), bool)
    known[:10] = True
    start = Start(np.ones((500, 4)), known)
    betas = tuned(case.model(), case.base, start, 500, np.random.RandomState(0))
    assert abs(len(betas) - len(chosen(case, 0))) <= 1
    start = Start(np.ones((500, 4)), np.ones_like(known))
    assert len(tuned(case.model(), case.base, start, 500, np.random.RandomState(0))) == 2
    assert len(betas) > 2


def test_a_barrier_that_is_too_high_is_told(monkeypatch):
    monkeypatch.setattr(temperatures, "MOST_TEMPERATURES", 12)
    with pytest.warns(UserWarning, match=r"needs about \d\d temperatures.*takes 12 at most"):
        betas = chosen(some_cases(scale=6)["Gaussian"], 0)
    assert len(betas) == 12
    assert len(chosen(CASES["Bernoulli"], 0)) < 12  # and no warning
