"""The machine against enumeration: energies, conditionals, gradient, pseudo-likelihood."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as np_arrays
from numpy.testing import assert_allclose
from scipy import sparse

from skrbm._machine import products
from skrbm._machine.bernoulli import BernoulliVisible
from skrbm._machine.rbm import RBM

from . import reference

EXACT = {"rtol": 1e-12, "atol": 1e-12}


def astype(model, dtype):
    return RBM(
        BernoulliVisible(model.visible.bias.astype(dtype)),
        model.weights.astype(dtype),
        model.hidden_bias.astype(dtype),
    )


def test_energy_of_every_pair_of_states(model, oracle):
    for v in oracle.v_states:
        V = np.tile(v, (len(oracle.h_states), 1))
        expected = [oracle.energy(v, h) for h in oracle.h_states]
        assert_allclose(model.energy(V, oracle.h_states), expected, **EXACT)


def test_free_energy_sums_out_the_hidden_units(model, oracle, rng):
    V = np.vstack([oracle.v_states, rng.random((5, 4))])
    assert_allclose(model.free_energy(V), [oracle.free_energy(v) for v in V], **EXACT)


def test_free_energy_does_not_overflow():
    model = RBM(BernoulliVisible(np.zeros(1)), np.array([[2000.0]]), np.zeros(1))
    assert_allclose(model.free_energy(np.array([[1.0], [0.0]])), [-2000, -np.log(2)])


def test_conditionals(model, oracle, rng):
    V = np.vstack([oracle.v_states, rng.random((5, 4))])
    assert_allclose(model.hidden_mean(V), [oracle.hidden_mean(v) for v in V], **EXACT)
    H = np.vstack([oracle.h_states, rng.random((5, 3))])
    assert_allclose(model.visible_mean(H), [oracle.visible_mean(h) for h in H], **EXACT)


def test_samples_follow_the_conditionals(model, oracle):
    n = 20_000
    h = np.tile(oracle.h_states[5], (n, 1))
    v = np.tile(oracle.v_states[9], (n, 1))
    for draws, p in [
        (model.sample_visible(h, (np.uint64(1), 0, 0)), oracle.visible_mean(h[0])),
        (model.sample_hidden(v, (np.uint64(1), 0, 1)), oracle.hidden_mean(v[0])),
    ]:
        assert set(np.unique(draws)) <= {0.0, 1.0}
        assert (np.abs(draws.mean(axis=0) - p) < 4 * np.sqrt(p * (1 - p) / n)).all()


def test_pseudo_likelihood_of_binary_and_grey_rows(model, oracle, rng):
    V = np.vstack([oracle.v_states, rng.random((8, 4))])
    expected = [oracle.pseudo_likelihood(v) for v in V]
    assert_allclose(model.pseudo_likelihood(V), expected, **EXACT)


@pytest.mark.parametrize("scale", [30.0, 300.0, 900.0])
def test_pseudo_likelihood_with_large_weights(scale, rng):
    """Nothing cancels or overflows: log-odds by differences of softplus in NumPy agree."""
    W, b = scale * rng.uniform(-1, 1, (4, 3)), rng.normal(size=4)
    model = RBM(BernoulliVisible(b), W, np.array([5.0, -7.0, 0.3]))
    V = reference.states(4)
    expected = np.zeros(len(V))
    for i in range(4):
        on, off = V.copy(), V.copy()
        on[:, i], off[:, i] = 1, 0
        # free_energy uses logaddexp, exact at any size of the weights
        log_odds = model.free_energy(off) - model.free_energy(on)
        expected -= np.logaddexp(0, np.where(V[:, i] == 1, -log_odds, log_odds))
    # free energies of a few thousand nats carry 1e-12 of rounding
    assert_allclose(model.pseudo_likelihood(V), expected, rtol=1e-9, atol=1e-9)


def test_pseudo_likelihood_of_independent_units():
    """With W = 0 it is the log-likelihood."""
    b = np.array([-1.0, 0.0, 2.0])
    model = RBM(BernoulliVisible(b), np.zeros((3, 2)), np.ones(2))
    V = reference.states(3)
    expected = V @ b - np.logaddexp(0, b).sum()
    assert_allclose(model.pseudo_likelihood(V), expected, **EXACT)


def test_gradient_is_the_derivative_of_the_log_likelihood(model, oracle, rng):
    """Finite differences of the exact log-likelihood, for every parameter block."""
    V = rng.integers(0, 2, (6, 4)).astype(float)
    # Exact phases: the rows of data, and all states weighted by the model's probabilities.
    v = np.vstack([V, oracle.v_states])
    row_weights = np.concatenate([np.full(6, 1 / 6), -oracle.p_v])
    gradient = model.gradient(v, model.hidden_mean(v), row_weights)
    for ours, exact in zip(gradient, oracle.gradient(V), strict=True):
        assert_allclose(ours, exact, **EXACT)

    def log_likelihood(W, c, b):
        return reference.EnumeratedRBM(W, b, c).log_likelihood(V) / 6

    blocks = [oracle.W, oracle.c, oracle.b]
    epsilon = 1e-5
    for k, block in enumerate(blocks):
        for index in np.ndindex(block.shape):
            plus, minus = ([a.copy() for a in blocks] for _ in range(2))
            plus[k][index] += epsilon
            minus[k][index] -= epsilon
            slope = (log_likelihood(*plus) - log_likelihood(*minus)) / (2 * epsilon)
            assert_allclose(gradient[k][index], slope, atol=1e-8)


def test_oracle_sums_out_the_same_hidden_units(oracle):
    V = oracle.v_states[:5]
    summed = reference.log_likelihood(oracle.W, oracle.b, oracle.c, V)
    assert_allclose(summed, oracle.log_likelihood(V), **EXACT)


def test_gradient_adds_up_over_parts_of_a_batch(model, rng):
    v, weights = rng.random((10, 4)), rng.normal(size=10)
    h = model.hidden_mean(v)
    whole = model.gradient(v, h, weights)
    first = model.gradient(v[:3], h[:3], weights[:3])
    second = model.gradient(v[3:], h[3:], weights[3:])
    for w, f, s in zip(whole, first, second, strict=True):
        assert_allclose(w, f + s, **EXACT)


@pytest.mark.parametrize("n_rows", [5, products.FEW_ROWS, products.FEW_ROWS + 1, 100])
def test_many_rows_equal_row_by_row(model, n_rows, rng):
    """Also says that the products of few rows and those of BLAS agree."""
    v, h = rng.integers(0, 2, (n_rows, 4)) * 1.0, rng.integers(0, 2, (n_rows, 3)) * 1.0
    for method, rows in [
        (model.hidden_mean, v),
        (model.free_energy, v),
        (model.pseudo_likelihood, v),
        (model.visible_mean, h),
    ]:
        one_by_one = np.concatenate([method(row[np.newaxis]) for row in rows])
        assert_allclose(method(rows), one_by_one, **EXACT)


def test_sparse_rows_equal_dense_rows(model, rng):
    v, h = rng.integers(0, 2, (7, 4)) * 1.0, rng.random((7, 3))
    for container in (sparse.csr_array, sparse.csr_matrix):
        s = container(v)
        assert_allclose(model.hidden_mean(s), model.hidden_mean(v), **EXACT)
        assert_allclose(model.free_energy(s), model.free_energy(v), **EXACT)
        assert_allclose(model.energy(s, h), model.energy(v, h), **EXACT)


def test_float32_is_close_to_float64_and_stays_float32(model, oracle):
    single = astype(model, np.float32)
    v, h = (a.astype(np.float32) for a in (oracle.v_states, oracle.h_states))
    for method, rows in [
        ("hidden_mean", v),
        ("free_energy", v),
        ("visible_mean", h),
        ("pseudo_likelihood", v),
    ]:
        result = getattr(single, method)(rows)
        # the pseudo-likelihood is accumulated in float64 from float32 inputs
        assert result.dtype == (np.float64 if method == "pseudo_likelihood" else np.float32)
        double = getattr(model, method)(rows.astype(float))
        assert_allclose(result, double, rtol=2e-5, atol=2e-6)


def test_a_machine_is_a_view():
    weights = np.zeros((2, 2))
    model = RBM(BernoulliVisible(np.zeros(2)), weights, np.zeros(2))
    weights[:] = 1
    assert model.parameters[0] is weights
    with pytest.raises(dataclasses.FrozenInstanceError):
        model.weights = None


finite = st.floats(-3, 3, width=32)


@settings(max_examples=30, deadline=None)
@given(
    W=np_arrays(float, (3, 2), elements=finite),
    b=np_arrays(float, 3, elements=finite),
    c=np_arrays(float, 2, elements=finite),
)
def test_pseudo_likelihood_of_any_small_machine(W, b, c):
    oracle = reference.EnumeratedRBM(W, b, c)
    model = RBM(BernoulliVisible(b), W, c)
    V = oracle.v_states
    expected = [oracle.pseudo_likelihood(v) for v in V]
    assert_allclose(model.pseudo_likelihood(V), expected, rtol=1e-9, atol=1e-9)
    assert_allclose(model.free_energy(V), [oracle.free_energy(v) for v in V], **EXACT)


def test_pseudo_likelihood_outside_the_unit_interval_stays_finite(rng):
    """A scaled test fold may step over the edge: expectations with weights outside [0, 1]."""
    W, b, c = rng.normal(0, 1, (4, 3)), rng.normal(size=4), rng.normal(size=3)
    oracle = reference.EnumeratedRBM(W, b, c)
    model = RBM(BernoulliVisible(b), W, c)
    V = rng.uniform(-0.5, 1.5, (20, 4))
    expected = [oracle.pseudo_likelihood(v) for v in V]
    assert_allclose(model.pseudo_likelihood(V), expected, **EXACT)
    wide = RBM(BernoulliVisible(np.zeros(64)), rng.normal(0, 1, (64, 300)), np.zeros(300))
    assert np.isfinite(wide.pseudo_likelihood(rng.uniform(0, 16, (5, 64)))).all()


def test_infinite_biases_are_certainties():
    model = RBM(BernoulliVisible(np.array([np.inf, -np.inf, 0.0])), np.zeros((3, 2)), np.ones(2))
    assert_allclose(model.visible_mean(np.zeros((1, 2))), [[1, 0, 0.5]])
    V = np.array([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    assert_allclose(model.pseudo_likelihood(V), [-np.log(2), -np.inf])


def test_energies_with_infinite_biases():
    """A unit that is off adds nothing, whatever its bias."""
    b, c = np.array([np.inf, -np.inf, 0.5]), np.array([np.inf, -np.inf])
    W = np.arange(6.0).reshape(3, 2)
    V, H = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]), np.array([[0.0, 0.0], [0.0, 0.0]])
    model = RBM(BernoulliVisible(b), W, np.zeros(2))
    assert_allclose(model.energy(V, H), [-0.5, -np.inf])
    assert_allclose(model.free_energy(V), [-0.5 - np.logaddexp(0, W[2]).sum(), -np.inf])
    assert_allclose(model.free_energy(sparse.csr_array(V)), model.free_energy(V))
    model = RBM(BernoulliVisible(np.zeros(3)), 1e6 * W, c)
    assert_allclose(model.energy(V, H), [0, 0])
    # The first hidden unit is on for certain, so that the visible biases are its weights.
    on, weights = np.array([[1.0, 1.0, 1.0]]), 1e6 * W[:, 0]
    assert_allclose(model.pseudo_likelihood(on), -np.logaddexp(0, -weights).sum())


def test_weights_next_to_nothing(model):
    tiny = RBM(model.visible, model.weights * 1e-320, model.hidden_bias)
    V = reference.states(4)
    b = model.visible.bias
    assert_allclose(tiny.pseudo_likelihood(V), V @ b - np.logaddexp(0, b).sum(), **EXACT)


@pytest.mark.parametrize("shapes", [((4, 2), 3, 4), ((3, 3), 3, 4), ((4, 3), 2, 4)])
def test_arrays_that_do_not_fit_are_refused(shapes):
    weights, n_hidden, n_visible = shapes
    with pytest.raises(ValueError, match="connects"):
        RBM(BernoulliVisible(np.zeros(n_visible)), np.zeros(weights), np.zeros(n_hidden))
    with pytest.raises(ValueError, match="flat"):
        BernoulliVisible(np.zeros((3, 1)))


def test_rows_that_do_not_fit_are_refused(model):
    """The kernels do not check bounds; their callers do."""
    with pytest.raises(ValueError, match="5 features given to a machine of 4"):
        model.hidden_mean(np.zeros((2, 5)))
    with pytest.raises(ValueError, match="2 hidden units given to a machine of 3"):
        model.visible_mean(np.zeros((2, 2)))
