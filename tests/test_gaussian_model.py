"""The machine of real-valued units against enumeration: a mixture of 2^M normals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as np_arrays
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from skrbm import GaussianBernoulliRBM
from skrbm._machine import products
from skrbm._machine.gaussian import GaussianVisible
from skrbm._machine.rbm import RBM

from .reference_gaussian import EnumeratedGaussianRBM

EXACT = {"rtol": 1e-12, "atol": 1e-12}
VARIANCE = np.array([0.3, 1.0, 2.5, 0.8])
N_CHAINS = 20_000


@pytest.fixture(name="arrays")
def gaussian_arrays(arrays):
    """Weights (4, 3), visible and hidden biases, noise variances."""
    return *arrays, VARIANCE.copy()


@pytest.fixture(name="oracle")
def mixture(arrays):
    return EnumeratedGaussianRBM(*arrays)


def machine(W, b, c, variance, learned=False, dtype=float):
    """The same variance, fixed or as reference and ratio."""
    W, b, c, variance = (np.array(a, dtype) for a in (W, b, c, variance))
    ratio = np.linspace(-1, 1, len(b), dtype=dtype)
    layer = (variance / np.exp(ratio), ratio) if learned else (variance,)
    return RBM(GaussianVisible(b, *layer), W, c)


@pytest.fixture(name="model", params=[False, True], ids=["fixed", "learned"])
def either_model(arrays, request):
    return machine(*arrays, learned=request.param)


@pytest.fixture(name="estimator")
def fitted(arrays):
    """A fitted estimator that holds the same machine."""
    W, b, c, variance = arrays
    X = np.random.default_rng(0).normal(size=(9, 4))
    estimator = GaussianBernoulliRBM(n_components=3, n_iter=1, random_state=0).fit(X)
    estimator.components_, estimator.intercept_visible_ = W.T.copy(), b.copy()
    estimator.intercept_hidden_, estimator.noise_variance_ = c.copy(), variance.copy()
    return estimator


# --- energies and conditionals ---


def test_energy_of_pairs(model, oracle, rng):
    V = np.repeat(oracle.draw(rng, 6), 8, axis=0)
    H = np.tile(oracle.h_states, (6, 1))
    expected = [oracle.energy(v, h) for v, h in zip(V, H, strict=True)]
    assert_allclose(model.energy(V, H), expected, **EXACT)


def test_free_energy_sums_out_the_hidden_units(model, oracle, rng):
    V = oracle.draw(rng, 20)
    assert_allclose(model.free_energy(V), [oracle.free_energy(v) for v in V], **EXACT)


def test_free_energy_is_that_of_the_mixture(model, oracle, rng):
    """-F - log Z is the log density, by two roads."""
    V = np.vstack([oracle.draw(rng, 20), 10 * rng.normal(size=(5, 4))])
    density = [oracle.log_density(v) for v in V]
    assert_allclose(-model.free_energy(V) - oracle.log_z, density, **EXACT)


def test_conditionals(model, oracle, rng):
    V = oracle.draw(rng, 20)
    assert_allclose(model.hidden_mean(V), [oracle.hidden_mean(v) for v in V], **EXACT)
    H = np.vstack([oracle.h_states, rng.random((5, 3))])
    assert_allclose(model.visible_mean(H), [oracle.visible_mean(h) for h in H], **EXACT)


def test_samples_follow_the_conditionals(model, oracle):
    h, v = oracle.h_states[5], np.array([0.3, -1.0, 2.0, 0.0])
    draws = model.sample_visible(np.tile(h, (N_CHAINS, 1)), (np.uint64(1), 0, 0))
    for i in range(4):
        law = stats.norm(oracle.visible_mean(h)[i], np.sqrt(VARIANCE[i]))
        assert stats.kstest(draws[:, i], law.cdf).pvalue > 1e-3
    draws = model.sample_hidden(np.tile(v, (N_CHAINS, 1)), (np.uint64(1), 0, 1))
    p = oracle.hidden_mean(v)
    assert (np.abs(draws.mean(axis=0) - p) < 4 * np.sqrt(p * (1 - p) / N_CHAINS)).all()


def test_pseudo_likelihood(model, oracle, rng):
    V = oracle.draw(rng, 20)
    expected = [oracle.pseudo_likelihood_of_mixture(v) for v in V]
    assert_allclose(model.pseudo_likelihood(V), expected, **EXACT)
    by_quadrature = [oracle.pseudo_likelihood(v) for v in V[:3]]
    assert_allclose(by_quadrature, expected[:3], rtol=1e-10)


finite = st.floats(-3, 3, width=32)


@settings(max_examples=30, deadline=None)
@given(
    W=np_arrays(float, (3, 2), elements=finite),
    b=np_arrays(float, 3, elements=finite),
    c=np_arrays(float, 2, elements=finite),
    log_variance=np_arrays(float, 3, elements=finite),
    v=np_arrays(float, 3, elements=st.floats(-30, 30, width=32)),
)
def test_any_small_machine(W, b, c, log_variance, v):
    variance = np.exp(log_variance)
    oracle, model = EnumeratedGaussianRBM(W, b, c, variance), machine(W, b, c, variance)
    V = v[np.newaxis]
    # energies of up to 30^2 / (2 exp(-3)) nats carry 1e-12 of rounding
    assert_allclose(model.free_energy(V), [oracle.free_energy(v)], rtol=1e-11, atol=1e-11)
    expected = oracle.pseudo_likelihood_of_mixture(v)
    assert_allclose(model.pseudo_likelihood(V), [expected], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("n_rows", [5, products.FEW_ROWS, products.FEW_ROWS + 1, 100])
def test_many_rows_equal_row_by_row(model, n_rows, rng):
    v, h = rng.normal(size=(n_rows, 4)), rng.integers(0, 2, (n_rows, 3)) * 1.0
    for method, rows in [
        (model.hidden_mean, v),
        (model.free_energy, v),
        (model.pseudo_likelihood, v),
        (model.visible_mean, h),
    ]:
        one_by_one = np.concatenate([method(row[np.newaxis]) for row in rows])
        assert_allclose(method(rows), one_by_one, **EXACT)


@pytest.mark.parametrize("learned", [False, True])
def test_float32_is_close_to_float64_and_stays_float32(arrays, oracle, rng, learned):
    single = machine(*arrays, learned=learned, dtype=np.float32)
    double = machine(*arrays, learned=learned)
    v, h = oracle.draw(rng, 10).astype(np.float32), oracle.h_states.astype(np.float32)
    for method, rows in [
        ("hidden_mean", v),
        ("free_energy", v),
        ("visible_mean", h),
        ("pseudo_likelihood", v),
    ]:
        result = getattr(single, method)(rows)
        assert result.dtype == (np.float64 if method == "pseudo_likelihood" else np.float32)
        expected = getattr(double, method)(rows.astype(float))
        assert_allclose(result, expected, rtol=2e-5, atol=2e-5)
    draws = [
        m.sample_visible(r, (np.uint64(1), 0, 0)) for m, r in ((single, h), (double, h * 1.0))
    ]
    assert draws[0].dtype == np.float32
    gradient = single.gradient(v, np.full((10, 3), 0.5, np.float32), np.full(10, 0.1, np.float32))
    assert {block.dtype for block in gradient} == {np.dtype(np.float32)}


def test_units_of_another_scale(arrays, rng):
    """Feature i in other units, with b_i and s_i in these, is the same feature."""
    W, b, c, variance = arrays
    unit = np.array([1e-6, 1.0, 1e3, 7.0])
    here, there = machine(*arrays), machine(W, b * unit, c, variance * unit**2)
    V = rng.normal(size=(10, 4))
    assert_allclose(there.hidden_mean(V * unit), here.hidden_mean(V), **EXACT)
    density = there.pseudo_likelihood(V * unit) + np.log(unit).sum()
    assert_allclose(density, here.pseudo_likelihood(V), **EXACT)


def test_vectors_that_do_not_fit_are_refused():
    for shapes in [(3, 2), (3, (3, 1)), ((3, 1), 3), (3, 3, 2)]:
        with pytest.raises(ValueError, match="flat and of one length"):
            GaussianVisible(*(np.ones(shape) for shape in shapes))


# --- gradient ---


def exact_gradient(model, oracle, V):
    """The package's gradient with both phases exact: data, and sigma points of each component."""
    v, h, p = oracle.sigma_points()
    return model.gradient(
        np.vstack([V, v]),
        np.vstack([model.hidden_mean(V), h]),
        np.concatenate([np.full(len(V), 1 / len(V)), -p]),
    )


def slopes(blocks, V, epsilon=1e-5):
    """Finite differences of the exact mean log-likelihood in (W, c, b, log variance)."""

    def log_likelihood(W, c, b, log_variance):
        oracle = EnumeratedGaussianRBM(W, b, c, np.exp(log_variance))
        return np.mean([oracle.log_density(v) for v in V])

    for k, block in enumerate(blocks):
        result = np.empty_like(block)
        for index in np.ndindex(block.shape):
            plus, minus = ([a.copy() for a in blocks] for _ in range(2))
            plus[k][index] += epsilon
            minus[k][index] -= epsilon
            result[index] = (log_likelihood(*plus) - log_likelihood(*minus)) / (2 * epsilon)
        yield result


def test_gradient_is_the_derivative_of_the_log_likelihood(model, arrays, oracle, rng):
    """For every parameter block, the logarithm of the variance too where it is learned."""
    V = oracle.draw(rng, 6) + 0.5
    W, b, c, variance = arrays
    gradient = exact_gradient(model, oracle, V)
    assert len(gradient) == len(model.parameters)
    exact = oracle.gradient(V)
    for block, slope in zip(exact, slopes([W, c, b, np.log(variance)], V), strict=True):
        assert_allclose(block, slope, atol=1e-8)
    for ours, block in zip(gradient, exact[: len(gradient)], strict=True):
        assert_allclose(ours, block, **EXACT)


def test_gradient_vanishes_at_the_model(model, oracle):
    """Data that are the model: every block is 0."""
    v, h, p = oracle.sigma_points()
    gradient = model.gradient(np.vstack([v, v]), np.vstack([h, h]), np.concatenate([p, -p]))
    for block in gradient:
        assert_allclose(block, 0, atol=1e-13)


def test_gradient_adds_up_over_parts_of_a_batch(model, rng):
    v, weights = rng.normal(size=(40, 4)), rng.normal(size=40)
    h = model.hidden_mean(v)
    whole = model.gradient(v, h, weights)
    first = model.gradient(v[:3], h[:3], weights[:3])
    second = model.gradient(v[3:], h[3:], weights[3:])
    for w, f, s in zip(whole, first, second, strict=True):
        assert_allclose(w, f + s, **EXACT)


def test_gradient_leaves_its_inputs(model, rng):
    inputs = rng.normal(size=(5, 4)), rng.random((5, 3)), rng.normal(size=5)
    before = [a.copy() for a in inputs]
    parameters = [a.copy() for a in model.parameters]
    model.gradient(*inputs)
    for a, b in zip((*inputs, *model.parameters), (*before, *parameters), strict=True):
        assert_array_equal(a, b)


# --- chains: what starts in p(v) stays in p(v) ---

DIRECTIONS = np.vstack([np.eye(4), np.ones(4), [1, -1, 1, -1], [0.5, 1, -0.3, 0.2]])


def assert_distributed(v, oracle):
    """Mean and covariance within Monte-Carlo error, projections by Kolmogorov and Smirnov."""
    n = len(v)
    centred = v - oracle.mean()
    assert (np.abs(centred.mean(axis=0)) < 4.5 * v.std(axis=0) / np.sqrt(n)).all()
    products = centred[:, :, np.newaxis] * centred[:, np.newaxis]
    error = products.std(axis=0) / np.sqrt(n)
    assert (np.abs(products.mean(axis=0) - oracle.covariance()) < 4.5 * error).all()
    for direction in DIRECTIONS:
        assert stats.kstest(v @ direction, oracle.distribution(direction)).pvalue > 1e-4


@pytest.mark.parametrize("n_steps", [1, 3])
def test_gibbs_is_stationary(estimator, oracle, rng, n_steps):
    v = oracle.draw(rng, N_CHAINS)
    assert_distributed(v, oracle)
    assert_distributed(estimator.gibbs(v, n_steps, random_state=1), oracle)


def without_s(self, input, draw, out):
    z = (GAUSSIAN_SAMPLE(self, input, draw, out) - self.bias) / self.scale - input
    out[...] = self.bias + input + self.scale * z


def with_variance_for_s(self, input, draw, out):
    z = (GAUSSIAN_SAMPLE(self, input, draw, out) - self.bias) / self.scale - input
    out[...] = self.bias + self.scale * input + self.noise_variance * z


GAUSSIAN_SAMPLE = GaussianVisible._sample
WRONG = {
    "mean without s": ("_sample", without_s),
    "variance for s": ("_sample", with_variance_for_s),
    "sign of the weights": ("features", lambda self, v: -v / self.scale),
    "statistic without s": ("features", lambda self, v: v),
    "statistic centred": ("features", lambda self, v: (v - self.bias) / self.scale),
}


@pytest.mark.parametrize(("name", "method"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_conditional_is_found_out(estimator, oracle, rng, monkeypatch, name, method):
    monkeypatch.setattr(GaussianVisible, name, method)
    with pytest.raises(AssertionError):
        assert_distributed(estimator.gibbs(oracle.draw(rng, N_CHAINS), 3, random_state=1), oracle)


def test_sample_reaches_the_model_distribution(estimator, oracle):
    v = estimator.sample(N_CHAINS, n_gibbs_steps=100, random_state=3)
    assert_distributed(v, oracle)


def test_sample_from_init_is_stationary(estimator, oracle, rng):
    init = oracle.draw(rng, N_CHAINS)
    assert_distributed(
        estimator.sample(N_CHAINS, n_gibbs_steps=2, init=init, random_state=4), oracle
    )


@pytest.mark.parametrize("noise_variance", [0.25, "learned"])
def test_sample_starts_at_the_column_means(noise_variance, rng):
    """A machine that copies the visible units shows where its chains started."""
    X = rng.normal([3.0, -2.0, 0.5], 1, (400, 3))
    estimator = GaussianBernoulliRBM(2, noise_variance=noise_variance, n_iter=0).fit(X)
    variance = X.var(axis=0) if noise_variance == "learned" else np.full(3, 0.25)
    estimator.components_ = 200 * np.eye(2, 3)
    estimator.intercept_hidden_ = -200 * X.mean(axis=0)[:2] / np.sqrt(variance[:2])
    n = 10_000
    # The hidden units say whether the start was above the mean: half of the starts are.
    above = estimator.sample(n, n_gibbs_steps=1, random_state=5)[:, :2] > 50
    assert (np.abs(above.mean(axis=0) - 0.5) < 4 * np.sqrt(0.25 / n)).all()


@pytest.mark.parametrize("columns", [1, 5])
def test_two_steps_are_not_the_same_step_twice(columns):
    X = np.random.default_rng(0).normal(size=(50, columns))
    estimator = GaussianBernoulliRBM(2, n_iter=0).fit(X)
    estimator.components_ *= 0  # all that a step leaves is its noise
    v = np.zeros((1000, columns))
    one, two = (estimator.gibbs(v, n, random_state=0) for n in (1, 2))
    correlation = np.corrcoef(one.ravel(), two.ravel())[0, 1]
    assert abs(correlation) < 4 / np.sqrt(one.size)
