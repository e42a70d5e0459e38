"""Learning of real-valued units: the plain twin, expectations, bounds of steps, variances."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skrbm import GaussianBernoulliRBM
from skrbm._input.numbers import Rows
from skrbm._machine.gaussian import GaussianVisible
from skrbm._machine.rbm import RBM
from skrbm._training.epoch import train_epoch
from skrbm._training.state import State

from . import reference
from .reference_gaussian import EnumeratedGaussianRBM, GaussianUnits
from .test_training import assert_expected, mean_contrast, settings

VARIANCE = np.array([0.3, 1.0, 2.5, 0.8])


def state_of(W, b, c, variance, *, learned, n_chains=3, seed=11):
    log_ratio = np.zeros_like(b) if learned else None
    layer = GaussianVisible(b.copy(), variance.copy(), log_ratio)
    model = RBM(layer, W.copy(), c.copy())
    chains = np.zeros((n_chains, len(c)))
    return State(model=model, seed=np.uint64(seed), base_bias=None, chains=chains)


# --- the plain twin ---


@pytest.mark.parametrize("persistent", [True, False])
@pytest.mark.parametrize("learned", [True, False])
@pytest.mark.parametrize(
    ("changes", "spread"),
    [
        ({}, 1),
        ({"n_gibbs_steps": 3}, 1),
        ({"momentum": 0.8, "weight_decay": 0.1}, 1),
        ({"momentum": 0.5, "learning_rate": 0.02}, 30),  # steps reach their bounds
        ({"batch_size": 50}, 1),
        ({"batch_size": 1, "n_chains": 40}, 1),
        ({"mean_negative_visibles": True}, 1),
    ],
    ids=str,
)
def test_an_epoch_equals_the_plain_loops_draw_for_draw(
    arrays, rng, persistent, learned, changes, spread
):
    W, b, c = arrays
    V = spread * rng.normal(0.3, 1, (11, 4))  # 11 rows: the last batch of four is short
    options = settings(persistent=persistent, **changes)
    state = state_of(W, b, c, VARIANCE, learned=learned, n_chains=options.n_chains)
    train_epoch(state, options, Rows(V))
    units = GaussianUnits(b, VARIANCE, np.zeros(4) if learned else None)
    plain_W, plain_c, plain_chains = reference.train(
        V,
        W,
        c,
        units,
        seed=11,
        order=np.arange(11),
        batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        n_steps=options.n_gibbs_steps,
        n_chains=options.n_chains if persistent else None,
        momentum=options.momentum,
        weight_decay=options.weight_decay,
        means=options.mean_negative_visibles,
    )
    expected = (plain_W, plain_c, *units.parameters)
    # Normal draws agree to 1e-14; a few updates and rows of size 30 make it 1e-11.
    for ours, plain in zip(state.model.parameters, expected, strict=True):
        assert_allclose(ours, plain, rtol=1e-10, atol=1e-11)
    if persistent:
        assert_allclose(state.chains, plain_chains)


# --- expectations ---


@pytest.fixture
def small():
    """Few enough units that v given h can be integrated over on a grid of nodes."""
    rng = np.random.default_rng(3)
    return rng.normal(size=(2, 2)), rng.normal(size=2), rng.normal(size=2), VARIANCE[[0, 2]]


def nodes(oracle, h):
    """Gauss-Hermite nodes and weights of p(v | h)."""
    t, weight = np.polynomial.hermite_e.hermegauss(32)
    t, weight = np.array(np.meshgrid(t, t)).reshape(2, -1), np.outer(weight, weight).ravel()
    return oracle.visible_mean(h) + oracle.s * t.T, weight / weight.sum()


def expected_derivatives(oracle, v, weight):
    """Mean of the derivatives of -E by (W, c, b, log variance), hidden units summed out."""
    logits = (v / oracle.s) @ oracle.W + oracle.c
    rows = zip(v, 1 / (1 + np.exp(-logits)), weight, strict=True)
    parts = [[p * d for d in oracle.derivatives(u, h)] for u, h, p in rows]
    return [np.sum(block, axis=0) for block in zip(*parts, strict=True)]


@pytest.mark.parametrize("persistent", [False, True])
def test_the_gradient_has_its_expectation(small, persistent):
    """CD-1 starts at h given each row, PCD-1 at the chains, whatever the data."""
    oracle = EnumeratedGaussianRBM(*small)
    V = oracle.draw(np.random.default_rng(4), 3)
    state = state_of(*small, learned=True)
    state.chains = oracle.h_states[[1, 2, 3]]
    p_h = np.mean([oracle.hidden_posterior(v) for v in V], axis=0)
    if persistent:
        p_h = np.array([0, 1, 1, 1]) / 3
    model_side = [
        [p * d for d in expected_derivatives(oracle, *nodes(oracle, h))]
        for h, p in zip(oracle.h_states, p_h, strict=True)
    ]
    data_side = expected_derivatives(oracle, V, np.full(3, 1 / 3))
    expected = [
        d - np.sum(m, axis=0)
        for d, m in zip(data_side, zip(*model_side, strict=True), strict=True)
    ]
    options = settings(persistent=persistent)
    assert_expected(mean_contrast(state, options, V, 8000), expected)


@pytest.mark.parametrize("algorithm", ["cd", "pcd"])
def test_two_clusters_are_learned(algorithm):
    """Their means, the variance within, and their shares where chains persist.

    Two components of equal width can say the truth, so that the maximum is known. Learning
    starts off the plateau of a single component, where one feature has no slope. CD's chains
    seldom leave their cluster, which hides a wrong share from it.
    """
    rng = np.random.default_rng(5)
    X = np.where(rng.random((4000, 1)) < 0.4, 2.0, -1.0) + 0.5 * rng.normal(size=(4000, 1))
    rbm = GaussianBernoulliRBM(
        1,
        noise_variance="learned",
        learning_rate=tuple(np.geomspace(0.3, 0.003, 150)),
        algorithm=algorithm,
        n_iter=0,
        random_state=0,
    ).fit(X)
    rbm.components_ = np.array([[3.0]])
    for _ in range(150):
        rbm.partial_fit(X)
    oracle = EnumeratedGaussianRBM(
        rbm.components_.T, rbm.intercept_visible_, rbm.intercept_hidden_, rbm.noise_variance_
    )
    means = oracle.means.ravel()
    assert_allclose(np.sort(means), [-1, 2], atol=0.1)
    assert_allclose(oracle.variance, 0.25, atol=0.03)
    if algorithm == "pcd":
        assert_allclose(oracle.p_h[np.argmax(means)], (X > 0.5).mean(), atol=0.05)


# --- bounds of a step ---


def direction_of(variance, log_ratio, *gradient):
    layer = GaussianVisible(np.zeros(len(variance)), variance, log_ratio)
    return layer.direction(*(g.copy() for g in gradient))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_short_steps_are_left_alone_but_for_the_units_of_the_bias(dtype, rng):
    weights = rng.normal(size=(4, 3)).astype(dtype)
    weights *= dtype(1.999) / np.linalg.norm(weights, axis=0)  # sqrt(4) is the bound
    hidden, bias = rng.normal(0, 1e6, 3).astype(dtype), rng.normal(0, 1e6, 4).astype(dtype)
    log_ratio = rng.uniform(-1, 1, 4).astype(dtype)
    variance = VARIANCE.astype(dtype)
    gradient = (weights, hidden, bias, log_ratio)
    result = direction_of(variance, np.zeros(4, dtype), *gradient)
    for actual, given in zip(result, (weights, hidden, bias * variance, log_ratio), strict=True):
        assert_array_equal(actual, given, strict=True)
    assert len(direction_of(variance, None, *gradient[:3])) == 3


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_long_steps_are_shortened_to_their_bounds(dtype, rng):
    """Each hidden unit alone; the direction stays."""
    weights = rng.normal(size=(4, 3)).astype(dtype)
    weights *= np.array([0.5, 20, 1e6], dtype) / np.linalg.norm(weights, axis=0)
    log_ratio = np.array([-5, -1, 0.3, 1e30], dtype)
    nothing = np.zeros(3, dtype), np.zeros(4, dtype)
    result = direction_of(VARIANCE.astype(dtype), np.zeros(4, dtype), weights, *nothing, log_ratio)
    scale = np.array([1, 2 / 20, 2 / 1e6])
    assert_allclose(result[0], weights * scale, rtol=4 * np.finfo(dtype).eps)
    assert_array_equal(result[3], np.array([-1, -1, 0.3, 1], dtype), strict=True)
    assert {block.dtype for block in result} == {np.dtype(dtype)}


# --- learned variances ---


@pytest.mark.parametrize("algorithm", ["cd", "pcd"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_learned_variance_does_not_collapse(algorithm, dtype, rng):
    """A column that says what another says could be explained without noise."""
    X = np.repeat(rng.integers(0, 2, (200, 2)), 2, axis=1).astype(dtype)
    X[:, 3] *= 100
    rbm = GaussianBernoulliRBM(
        8,
        noise_variance="learned",
        algorithm=algorithm,
        learning_rate=0.1,
        batch_size=20,
        n_iter=300,
        random_state=0,
    ).fit(X)
    start = X.var(axis=0, dtype=np.float64)
    assert (rbm.noise_variance_ >= 0.001 * start * (1 - 1e-5)).all()
    assert (rbm.noise_variance_ < 0.1 * start).all()  # and yet it has learned
    for name in ("components_", "intercept_visible_", "intercept_hidden_"):
        assert np.isfinite(getattr(rbm, name)).all()


def test_the_bound_holds_after_every_step(arrays):
    _, b, _ = arrays
    state = state_of(np.zeros((4, 3)), b, np.full(3, -50.0), VARIANCE, learned=True)
    V = np.tile(b, (400, 1))  # no spread at all: the variance falls as fast as it can
    options = settings(learning_rate=0.9, batch_size=200, n_chains=200)
    for _ in range(20):
        train_epoch(state, options, Rows(V))
        assert (state.model.visible.noise_variance >= 0.000999999 * VARIANCE).all()
    assert state.model.visible.log_ratio.min() == math.log(0.001)


@pytest.mark.parametrize("value", [0.0, 5.0, -1e4, 1e-4, 0.1])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("algorithm", ["cd", "pcd"])
def test_a_constant_column_stays_finite(value, dtype, algorithm, rng):
    X = rng.normal(size=(300, 3)).astype(dtype)
    X[:, 1] = value
    rbm = GaussianBernoulliRBM(
        5, noise_variance="learned", algorithm=algorithm, random_state=0
    ).fit(X)
    start = rbm._reference_variance
    scale = 1.0 if value == 0 else value**2
    assert_allclose(start, [X[:, 0].var(), scale, X[:, 2].var()], rtol=1e-5)
    for result in (rbm.components_, rbm.noise_variance_, rbm.score_samples(X), rbm.sample(3)):
        assert result.dtype == dtype
        assert np.isfinite(result).all()
    assert (rbm.noise_variance_ > 0).all()


def test_one_row_and_one_feature():
    for X in ([[3.0, 0.0]], [[0.0], [1.0], [5.0]]):
        rbm = GaussianBernoulliRBM(2, noise_variance="learned", random_state=0).fit(X)
        assert np.isfinite(rbm.score_samples(X)).all()
        assert_allclose(rbm.intercept_visible_, np.mean(X, axis=0), atol=0.5)
