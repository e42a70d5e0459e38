"""A machine of any layer against enumeration: energies, conditionals, scores and gradients."""

import dataclasses
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skrbm._machine import products
from skrbm._machine.bernoulli import BernoulliLayer
from skrbm._machine.rbm import RBM

from ..helpers.calls import (
    hidden_mean,
    key,
    machine_of,
    sample_visible,
    visible_mean,
    weighted_gradient,
)
from ..helpers.machines import Categorical, Real, some_cases

EXACT = {"rtol": 1e-12, "atol": 1e-12}
CASES = some_cases(scale=1)
OF_NUMBERS = {name: case for name, case in CASES.items() if not isinstance(case, Categorical)}
cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
cases_of_numbers = pytest.mark.parametrize("case", OF_NUMBERS.values(), ids=OF_NUMBERS)


def rows_of(case, rng):
    """All there are, grey ones too; or draws and some far away; or of all patterns."""
    if isinstance(case, Categorical):
        return case.machine.all_rows
    if isinstance(case, Real):
        return [*case.draw(1, 20, rng), *(10 * rng.normal(size=(5, 4)))]
    return [*case.at(1).v_states, *rng.random((5, 4))]


def hidden_rows(case, rng):
    """All states, and some means."""
    return np.vstack([case.at(1).h_states, rng.random((5, 3))])


# --- energies and conditionals ---


@cases
def test_energy_of_pairs(case, rng):
    oracle, rows = case.at(1), rows_of(case, rng)
    v = case.form([row for row in rows for _ in oracle.h_states])
    H = np.tile(oracle.h_states, (len(rows), 1))
    expected = [oracle.energy(row, h) for row in rows for h in oracle.h_states]
    assert_allclose(case.model().energy(v, H), expected, **EXACT)


@cases
def test_free_energy_sums_out_the_hidden_units(case, rng):
    rows = rows_of(case, rng)
    expected = [case.at(1).free_energy(row) for row in rows]
    assert_allclose(case.model().free_energy(case.form(rows)), expected, **EXACT)


@cases
def test_means_of_hidden_units(case, rng):
    rows, oracle = rows_of(case, rng), case.at(1)
    expected = [oracle.hidden_mean(row) for row in rows]
    assert_allclose(hidden_mean(case.model(), case.form(rows)), expected, **EXACT)


@cases_of_numbers
def test_means_of_visible_units(case, rng):
    H, oracle = hidden_rows(case, rng), case.at(1)
    expected = [oracle.visible_mean(h) for h in H]
    assert_allclose(visible_mean(case.model(), H), expected, **EXACT)


@cases
def test_pseudo_likelihood(case, rng):
    rows, oracle = rows_of(case, rng), case.at(1)
    score = oracle.pseudo_likelihood_of_mixture if isinstance(case, Real) else None
    expected = [(score or oracle.pseudo_likelihood)(row) for row in rows]
    model, v = case.model(), case.form(rows)
    assert_allclose(model.pseudo_likelihood(v), expected, **EXACT)


def many_rows(case, n_rows, rng):
    if isinstance(case, Categorical):
        rows = case.machine.all_rows
        return case.form([rows[k] for k in rng.integers(0, len(rows), n_rows)])
    size = (n_rows, 4)
    return rng.normal(size=size) if isinstance(case, Real) else rng.integers(0, 2, size) * 1.0


@cases
@pytest.mark.parametrize("n_rows", [5, products.FEW_ROWS, products.FEW_ROWS + 1, 100])
def test_many_rows_equal_row_by_row(case, n_rows, rng):
    """Also says that the products of few rows and those of BLAS agree."""
    model, v = case.model(), many_rows(case, n_rows, rng)
    h = rng.integers(0, 2, (n_rows, 3)) * 1.0
    methods = [(partial(hidden_mean, model), v)]
    methods += [(model.free_energy, v), (model.pseudo_likelihood, v)]
    if not isinstance(case, Categorical):
        methods.append((partial(visible_mean, model), h))
    for method, rows in methods:
        one_by_one = np.concatenate([method(rows[r : r + 1]) for r in range(n_rows)])
        assert_allclose(method(rows), one_by_one, **EXACT)


@cases_of_numbers
def test_float32_is_close_to_float64_and_stays_float32(case, rng):
    single, double, oracle = case.model(np.float32), case.model(), case.at(1)
    rows = case.draw(1, 10, rng) if isinstance(case, Real) else oracle.v_states
    v, h = rows.astype(np.float32), oracle.h_states.astype(np.float32)
    for method, given in [
        (hidden_mean, v),
        (RBM.free_energy, v),
        (visible_mean, h),
        (RBM.pseudo_likelihood, v),
    ]:
        result = method(single, given)
        # sums over units are accumulated in float64 from float32 inputs
        sums = method in (RBM.free_energy, RBM.pseudo_likelihood)
        assert result.dtype == (np.float64 if sums else np.float32)
        expected = method(double, given.astype(float))
        assert_allclose(result, expected, rtol=2e-5, atol=2e-5 if isinstance(case, Real) else 2e-6)
    assert sample_visible(single, h, key()).dtype == np.float32
    n = len(v)
    half, weights = np.full((n, 3), 0.5, np.float32), np.full(n, 0.1, np.float32)
    gradient = weighted_gradient(single, v, half, weights)
    assert {block.dtype for block in gradient} == {np.dtype(np.float32)}


# --- gradients ---


@cases
def test_gradient_adds_up_over_parts_of_a_batch(case, rng):
    model, v = case.model(), many_rows(case, 40, rng)
    h, weights = hidden_mean(model, v), rng.normal(size=40)
    whole = weighted_gradient(model, v, h, weights)
    first = weighted_gradient(model, v[:3], h[:3], weights[:3])
    second = weighted_gradient(model, v[3:], h[3:], weights[3:])
    for w, f, s in zip(whole, first, second, strict=True):
        assert_allclose(w, f + s, **EXACT)


@cases
def test_gradient_leaves_its_inputs(case, rng):
    model, v = case.model(), many_rows(case, 5, rng)
    h, weights = rng.random((5, 3)), rng.normal(size=5)
    parts = (v.indptr, v.codes) if isinstance(case, Categorical) else (v,)
    inputs = (*parts, h, weights, *model.parameters)
    before = [a.copy() for a in inputs]
    weighted_gradient(model, v, h, weights)
    for a, b in zip(inputs, before, strict=True):
        assert_array_equal(a, b)


# --- arrays ---


def test_a_machine_is_a_view():
    weights = np.zeros((2, 2))
    model = machine_of(BernoulliLayer(np.zeros(2)), weights, np.zeros(2))
    weights[:] = 1
    assert model.parameters[0] is weights
    with pytest.raises(dataclasses.FrozenInstanceError):
        model.weights = None


@cases
def test_a_machine_takes_other_arrays_to_learn(case):
    """As views; all else of its layers stays."""
    model = case.model()
    others = [np.full_like(parameter, k) for k, parameter in enumerate(model.parameters)]
    changed = model.with_parameters(others)
    for actual, other in zip(changed.parameters, others, strict=True):
        assert actual is other
    again = changed.with_parameters(model.parameters)
    for field in dataclasses.fields(model.visible):
        assert getattr(again.visible, field.name) is getattr(model.visible, field.name)


@pytest.mark.parametrize("shapes", [((4, 2), 3, 4), ((3, 3), 3, 4), ((4, 3), 2, 4)])
def test_arrays_that_do_not_fit_are_refused(shapes):
    weights, n_hidden, n_visible = shapes
    with pytest.raises(ValueError, match="connects"):
        machine_of(BernoulliLayer(np.zeros(n_visible)), np.zeros(weights), np.zeros(n_hidden))
    flat, square = np.zeros(3), np.zeros((3, 1))
    for b, c, name in ((square, flat, "visible"), (flat, square, "hidden")):
        with pytest.raises(ValueError, match=f"intercept_{name}_ must be flat, but is 2-D"):
            machine_of(BernoulliLayer(b), np.zeros((3, 3)), c)


def test_rows_that_do_not_fit_are_refused(model):
    """The kernels do not check bounds; their callers do."""
    with pytest.raises(ValueError, match="5 features given to a machine of 4"):
        hidden_mean(model, np.zeros((2, 5)))
    with pytest.raises(ValueError, match="2 hidden units given to a machine of 3"):
        visible_mean(model, np.zeros((2, 2)))
