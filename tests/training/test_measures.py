"""What an epoch measures: every sum beside plain NumPy and the oracles, and sums of parts."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import expit, softmax

from skrbm._input.numbers import NumberRows
from skrbm._training.averaging import Average
from skrbm._training.measures import ERROR_ROWS, added, error_sums, measure

from ..helpers.machines import Categorical, Real, some_cases
from ..helpers.training import data_of, some_rows, tempered_state
from ..oracles.softmax import feature_of, pattern_of

CASES = some_cases(scale=1)
cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def oracle_of(case):
    return case.machine.oracle if isinstance(case, Categorical) else case.at(1)


def state_of(case):
    return tempered_state(case, np.zeros((3, len(case.c))))


def drawn(case, n_rows, rng, gaps=True):
    """Rows as the oracle reads them."""
    if isinstance(case, Categorical) and gaps:
        return some_rows(case.machine, n_rows, seed=int(rng.integers(100)))
    return list(case.draw(1, n_rows, rng))


def rows_of(case, v, weights=None):
    """The same rows as a state learns from them."""
    form = isinstance(case, Categorical)
    rows = data_of(case.machine, v) if form else NumberRows(np.array(v, float))
    rows.weights = weights
    return rows


def entries(case, v, base_rates):
    """Values of the entries of a row, and their means given the row or at the base rates."""
    oracle = oracle_of(case)
    if not isinstance(case, Categorical):
        at_rest = case.base if isinstance(case, Real) else expit(case.base)
        return v, at_rest if base_rates else oracle.visible_mean(oracle.hidden_mean(v))
    proba = oracle.visible_proba(oracle.hidden_mean(v), pattern_of(v, oracle.offsets))
    means = []
    for code in v:
        codes = oracle.feature_codes(feature_of(code, oracle.offsets))
        p = softmax(case.base[codes]) if base_rates else proba[codes]
        means.append(p @ oracle.values[codes])
    return oracle.values[list(v)], np.array(means)


def errors(case, v, base_rates=False):
    """Sums of squares and misfits over rows, and the number of entries."""
    squares, misfit, n_entries = 0.0, 0.0, 0
    for row in v:
        values, means = entries(case, row, base_rates)
        own = (values - means) ** 2
        if isinstance(case, Real):
            misfit += sum(own / case.reference + 1)
        else:
            values = oracle_of(case).values if isinstance(case, Categorical) else [0, 1]
            misfit += sum(own / np.ptp(values) ** 2 + 1e-3)
        squares, n_entries = squares + sum(own), n_entries + len(own)
    return squares, misfit, n_entries


# --- each quantity ---


@cases
def test_reconstructions_are_those_of_mean_field_and_base_rates_those_before_training(case, rng):
    """Each row counts once, whatever its weight."""
    v = drawn(case, 11, rng)
    for weights in (None, rng.uniform(0.1, 5, 11)):
        sums = measure(state_of(case), rows_of(case, v, weights))
        assert sums.keys() == {"reconstructions", "base_rates"}
        assert_allclose(sums["reconstructions"], errors(case, v), rtol=1e-10)
        assert_allclose(sums["base_rates"], errors(case, v, base_rates=True), rtol=1e-10)


@cases
def test_base_rates_are_measured_as_long_as_they_are_not_known(case, rng):
    state = replace(state_of(case), base_rate_misfit=0.5)
    assert measure(state, rows_of(case, drawn(case, 5, rng))).keys() == {"reconstructions"}


@cases
def test_some_rows_are_scored_for_the_line_of_an_epoch(case, rng):
    """Spread evenly over the rows; each counts once, whatever its weight."""
    v = drawn(case, 11, rng)
    rows = rows_of(case, v, rng.uniform(0.1, 5, 11))
    for n_scored, scored in ((4, v[::3]), (50, v)):
        total, n = measure(state_of(case), rows, n_scored=n_scored)["pseudo_likelihood"]
        expected = sum(oracle_of(case).pseudo_likelihood(row) for row in scored)
        assert n == len(scored)
        assert_allclose(total, expected, rtol=1e-7)


@cases
@pytest.mark.parametrize("weighted", [False, True])
def test_held_out_rows_are_judged_by_their_weights(case, weighted, rng):
    """Their scores; their free energies, and those of as many rows of training."""
    v, others = drawn(case, 11, rng, gaps=False), drawn(case, 3, rng, gaps=False)
    w, own = (rng.uniform(0.1, 5, n) if weighted else None for n in (11, 3))
    sums = measure(state_of(case), rows_of(case, v, w), rows_of(case, others, own))
    w, own = (np.ones(n) if a is None else a for n, a in ((11, w), (3, own)))
    oracle = oracle_of(case)
    scores = [oracle.pseudo_likelihood(row) for row in others]
    assert_allclose(sums["validation_score"], (own @ scores, own.sum()), rtol=1e-7)
    held_out, trained = ([oracle.free_energy(row) for row in part] for part in (others, v[::4]))
    expected = own @ held_out, own.sum(), w[::4] @ trained, w[::4].sum()
    assert_allclose(sums["free_energy_gap"], expected, rtol=1e-10)
    assert all(isinstance(a, float | int) for each in sums.values() for a in each)


@pytest.mark.parametrize("name", ["softmax", "softmax, conditional"])
def test_scores_are_of_observed_features_and_there_is_no_gap(name, rng):
    case = CASES[name]
    complete, gaps = (drawn(case, 6, rng, gaps=gaps) for gaps in (False, True))
    for v, others in ((complete, gaps), (gaps, complete), (gaps, gaps)):
        sums = measure(state_of(case), rows_of(case, v), rows_of(case, others))
        scores = [oracle_of(case).pseudo_likelihood(row) for row in others]
        assert_allclose(sums["validation_score"], (sum(scores), 6), rtol=1e-7)
        assert np.isnan(sums["free_energy_gap"]).all()


@cases
def test_scores_are_those_of_averages_and_reconstructions_are_not(case, rng):
    """Averages are what learning shows. Whether learning diverges is seen in what learns."""
    v = drawn(case, 8, rng, gaps=False)
    rows, plain, state = rows_of(case, v), state_of(case), state_of(case)
    other = plain.model.copy()
    other.weights[...] *= -0.5
    state.average = Average(other)
    sums = measure(state, rows, rows, n_scored=8)
    alone = measure(replace(plain, model=other), rows, rows, n_scored=8)
    for name in ("validation_score", "free_energy_gap", "pseudo_likelihood"):
        assert sums[name] == alone[name]
    assert sums["reconstructions"] == measure(plain, rows)["reconstructions"]
    assert sums["reconstructions"] != alone["reconstructions"]


# --- how many rows ---


@pytest.mark.parametrize("share", [1.0, 0.5, 0.3, 1e-9])
def test_a_part_of_the_rows_has_its_share_of_those_that_are_measured(share, rng):
    case = CASES["Bernoulli"]
    v = rng.integers(0, 2, (1000, 4)).astype(float)
    sums = measure(state_of(case), NumberRows(v), n_scored=100, share=share)
    n_rows, n_scored = max(1, round(ERROR_ROWS * share)), max(1, round(100 * share))
    measured, scored = (v[:: -(-1000 // n)] for n in (n_rows, n_scored))
    assert n_rows / 2 < len(measured) <= n_rows
    assert_allclose(sums["reconstructions"], errors(case, measured), rtol=1e-10)
    assert_allclose(sums["base_rates"], errors(case, measured, base_rates=True), rtol=1e-10)
    expected = sum(oracle_of(case).pseudo_likelihood(row) for row in scored)
    assert_allclose(sums["pseudo_likelihood"], (expected, len(scored)), rtol=1e-10)


# --- parts ---


@cases
@pytest.mark.parametrize("gaps", [False, True])
def test_sums_of_parts_add_up_to_those_of_all_rows(case, gaps, rng):
    v, others = (drawn(case, n, rng, gaps) for n in (12, 4))
    rows = rows_of(case, v, rng.uniform(0.1, 5, 12))
    held_out = rows_of(case, others, rng.uniform(0.1, 5, 4))
    state, parts = state_of(case), []
    for which, judges in ((range(3), [0]), (range(3, 9), [1, 2]), (range(9, 12), [3])):
        pair = rows.part(np.array(which)), held_out.part(np.array(judges))
        parts.append(measure(state, *pair, n_scored=12, share=len(which) / 12))
    # Of rows that are fewer than may be measured all are, in each part as well.
    whole = measure(state, rows, held_out, n_scored=12)
    sums = added(parts)
    assert sums.keys() == whole.keys()
    for name, expected in whole.items():
        assert_allclose(sums[name], expected, rtol=1e-12, err_msg=name)
    assert sums["reconstructions"][2] == whole["reconstructions"][2]


def test_the_sums_of_one_part_are_its_own(rng):
    case = CASES["Gaussian"]
    rows = rows_of(case, drawn(case, 5, rng))
    sums = measure(state_of(case), rows, rows)
    assert added([sums]) == sums


def test_rows_without_entries_have_sums_of_nothing():
    case = CASES["softmax"]
    assert error_sums(state_of(case).model.visible, None, []) == (0, 0, 0)
    sums = measure(state_of(case), rows_of(case, [(), ()]))
    assert sums == {"reconstructions": (0, 0, 0), "base_rates": (0, 0, 0)}


def test_what_overflows_is_measured_without_a_warning(rng):
    """Divergence is an error, which whoever reads the sums raises."""
    case = CASES["Gaussian, learned variance"]
    state = state_of(case)
    state.model.weights[...] = 1e300
    squares, misfit, _ = measure(state, rows_of(case, drawn(case, 5, rng)))["reconstructions"]
    assert not np.isfinite([squares, misfit]).any()
