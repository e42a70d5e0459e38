"""Where rows are drawn: which chains run, from which random numbers, at which temperatures."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skrbm._inference import sampler, temperatures
from skrbm._inference.sampler import Sampler
from skrbm._inference.starts import Start

from ..helpers.machines import some_cases

CASES = some_cases(scale=2.5)

cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def auto(case, n, n_steps, seed=3, **options):
    options |= {"method": "tempering", "n_temperatures": "auto", "random_state": seed}
    return case.estimator().sample(n, n_gibbs_steps=n_steps, **options)


@cases
def test_chains_at_chosen_temperatures_reach_the_model(case):
    case.assert_drawn(case.unform(auto(case, 2000, 25)))


@cases
def test_a_seed_gives_the_same_rows(case):
    assert_array_equal(auto(case, 20, 3), auto(case, 20, 3))
    assert (auto(case, 20, 3) != auto(case, 20, 3, seed=4)).any()
    assert (auto(case, 20, 3, seed=None) != auto(case, 20, 3, seed=None)).any()


def test_rows_are_drawn_at_fixed_temperatures_by_numbers_of_their_own(monkeypatch):
    """What chose the temperatures has no part in the rows: not its chains, not its numbers."""
    runs, run = [], sampler.tempering

    def record(tempered, v, betas, n_steps, seed, known=None):
        runs.append((betas, int(seed), v.copy()))
        return run(tempered, v, betas, n_steps, seed, known)

    for module in (sampler, temperatures):
        monkeypatch.setattr(module, "tempering", record)
    auto(CASES["Bernoulli"], 20, 3)
    assert len(runs) == 4
    betas, _, v = runs[-1]
    assert (betas[0], betas[-1]) == (1, 0)
    assert v.shape == (20 * len(betas), 4)
    assert len({seed for _, seed, _ in runs}) == 4
    assert not any((v[:10] == other[:10]).all() for _, _, other in runs[:-1])


@pytest.mark.parametrize("n_temperatures", [1, 3, "auto"])
def test_ends_of_chains_are_arrays_of_their_own(n_temperatures):
    """And do not keep the rows of all temperatures."""
    case = CASES["Gaussian"]
    ends = Sampler(case.model(), case.base, 2, n_temperatures)
    v, h = ends.draw(Start(), 6, np.random.RandomState(0))
    assert v.shape == (6, 4)
    assert h.shape == (6, 3)
    assert all(a.base is None or a.base.nbytes < 2 * a.nbytes + 128 for a in (v, h))
    assert set(np.unique(h)) <= {0, 1}


@cases
@pytest.mark.parametrize("wrong", ["automatic", "10", ""])
def test_other_words_are_refused(case, wrong):
    with pytest.raises(ValueError, match=f"n_temperatures must be 'auto' or .* Got '{wrong}'"):
        case.estimator().sample(method="tempering", n_temperatures=wrong)
