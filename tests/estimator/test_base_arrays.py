"""Fitted arrays that the user replaces: methods follow them, and refuse what does not fit."""

import copy
import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, softmax

from skrbm import BernoulliRBM, GaussianBernoulliRBM, SoftmaxRBM

from ..helpers.comparison import assert_same_bits
from ..helpers.models import BERNOULLI, GAUSSIAN, SOFTMAX, Variant, models
from ..helpers.ratings import HALF_STARS

#: The models with parameters that decide which arrays there are.
KINDS = {
    "Bernoulli": (BERNOULLI, {}),
    "Gaussian": (GAUSSIAN, {"noise_variance": 1.0}),
    "Gaussian, learned": (GAUSSIAN, {"noise_variance": "learned"}),
    "softmax": (SOFTMAX, {"categories": HALF_STARS}),
}
kinds = pytest.mark.parametrize("kind", [Variant(*kind) for kind in KINDS.values()], ids=KINDS)


@kinds
def test_methods_follow_arrays_that_the_user_replaces(kind):
    rng, X, arrays = np.random.default_rng(3), kind.rows(), kind.model.arrays
    rbm = kind.machine().fit(X)
    for name in arrays:
        setattr(rbm, name, rng.normal(size=getattr(rbm, name).shape))
    if kind.model is GAUSSIAN:
        rbm.noise_variance_ = rng.uniform(0.2, 3, 6)
    features, scale = X, 1.0
    if kind.model is GAUSSIAN:
        scale = np.sqrt(rbm.noise_variance_)
    if kind.model is SOFTMAX:
        features = (X[:, :, np.newaxis] == HALF_STARS).reshape(len(X), -1)
    x = (features / scale) @ rbm.components_.T + rbm.intercept_hidden_
    if kind.model is SOFTMAX:
        x += ~np.isnan(X) @ rbm.conditional_components_.T
    H = expit(x)
    assert_allclose(rbm.transform(X), H, rtol=1e-12)
    if kind.model is GAUSSIAN:
        expected = rbm.intercept_visible_ + scale * (H @ rbm.components_)
        own = -np.square((X - rbm.intercept_visible_) / scale).sum(axis=1) / 2
    else:
        inputs = H @ rbm.components_ + rbm.intercept_visible_
        expected = expit(inputs)
        if kind.model is SOFTMAX:
            expected = softmax(inputs.reshape(-1, 6, 11), axis=2) @ HALF_STARS
        own = features @ rbm.intercept_visible_
    assert_allclose(rbm.reconstruct(X), expected, rtol=1e-12)
    assert_allclose(rbm.free_energy(X), -own - np.logaddexp(0, x).sum(axis=1), rtol=1e-12)


@kinds
def test_learning_goes_on_from_arrays_that_the_user_replaces(kind):
    rng, X, arrays = np.random.default_rng(3), kind.rows(), kind.model.arrays
    rbm = kind.machine(learning_rate=1e-9, momentum=0).fit(X)
    before = {name: rng.uniform(0.2, 3, getattr(rbm, name).shape) for name in arrays}
    for name, array in before.items():
        setattr(rbm, name, array.copy())
    rbm.partial_fit(X)
    fixed = ["noise_variance_"] if kind.parameters.get("noise_variance") == 1.0 else []
    for name, array in before.items():
        assert_allclose(getattr(rbm, name), array, atol=1e-7)
        assert (getattr(rbm, name) != array).any() == (name not in fixed)


OF_OTHER_SHAPES = {
    "Bernoulli": [
        ("components_", (3, 7)),
        ("components_", (6, 3)),
        ("intercept_visible_", (5,)),
        ("intercept_visible_", (6, 1)),
        ("intercept_hidden_", (2,)),
    ],
    "Gaussian": [
        ("noise_variance_", (5,)),
        ("noise_variance_", (1,)),
        ("noise_variance_", (6, 1)),
        ("intercept_visible_", (7,)),
        ("intercept_hidden_", (2,)),
        ("components_", (3, 7)),
    ],
    "softmax": [
        ("components_", (3, 65)),
        ("components_", (3, 67)),
        ("components_", (2, 66)),
        ("components_", (198,)),
        ("components_", (66, 3)),
        ("intercept_visible_", (65,)),
        ("intercept_visible_", (67,)),
        ("intercept_visible_", (66, 1)),
        ("intercept_visible_", (6,)),
        ("intercept_hidden_", (2,)),
        ("intercept_hidden_", (3, 1)),
        ("conditional_components_", (3, 5)),
        ("conditional_components_", (2, 6)),
        ("conditional_components_", (6, 3)),
        ("conditional_components_", (18,)),
    ],
}
OF_OTHER_SHAPES["Gaussian, learned"] = OF_OTHER_SHAPES["Gaussian"]


@pytest.mark.parametrize(
    ("kind", "name", "shape"),
    [
        pytest.param(Variant(*KINDS[kind]), name, shape, id=f"{kind}, {name} {shape}")
        for kind, shapes in OF_OTHER_SHAPES.items()
        for name, shape in shapes
    ],
)
def test_arrays_of_other_shapes_are_refused(kind, name, shape):
    """Kernels do not check bounds."""
    X = kind.rows()
    rbm = kind.machine().fit(X)
    setattr(rbm, name, np.ones(shape))
    before = pickle.dumps(vars(rbm))
    readers = [getattr(rbm, name) for name in kind.model.predictors]
    for method in (rbm.transform, rbm.score_samples, *readers, rbm.partial_fit):
        with pytest.raises(ValueError):
            method(X)
    with pytest.raises(ValueError):
        rbm.sample(2, n_gibbs_steps=1)
    assert pickle.dumps(vars(rbm)) == before


@models
@pytest.mark.parametrize("name", ["h_samples_", "_velocity", "components_"])
def test_a_machine_of_another_shape_does_not_go_on_learning(model, name):
    """Chains and steps of other shapes would be read and written out of bounds."""
    X = model.complete()
    rbm = model.machine(momentum=0.5, algorithm="pcd").fit(X)
    if name == "_velocity":
        rbm._velocity = (np.zeros((5, 5)),)
    else:
        rbm.h_samples_ = np.zeros((4, 50))
    if name == "components_":
        rbm.components_ = np.zeros((50, rbm.components_.shape[1]))
        rbm.intercept_hidden_ = np.zeros(50)
        if model is SOFTMAX:
            rbm.conditional_components_ = np.zeros((50, X.shape[1]))
    with pytest.raises(ValueError, match="must stay the same"):
        rbm.partial_fit(X)


# The categories of a softmax machine say how many visible units it has.
@pytest.mark.parametrize("model", [BERNOULLI, GAUSSIAN], ids=["Bernoulli", "Gaussian"])
def test_a_machine_of_other_features_does_not_go_on_learning(model):
    """Its base rates, from which the hottest chains are drawn, are those of six."""
    rbm = model.machine(algorithm="pt", n_temperatures=4).partial_fit(model.rows())
    rbm.components_, rbm.intercept_visible_ = np.zeros((3, 9)), np.zeros(9)
    if model is GAUSSIAN:
        rbm.noise_variance_ = np.ones(9)
    rbm.n_features_in_ = 9
    with pytest.raises(ValueError, match="the shape of a fitted machine must stay the same"):
        rbm.partial_fit(np.zeros((10, 9)))


@pytest.mark.parametrize("model", [BERNOULLI, GAUSSIAN], ids=["Bernoulli", "Gaussian"])
def test_base_rates_of_another_shape_are_no_start(model):
    X = model.rows()
    rbm = model.machine().fit(X)
    rbm.components_ = np.zeros((3, 9))
    rbm.intercept_visible_, rbm.n_features_in_ = np.zeros(9), 9
    if model is GAUSSIAN:
        rbm.noise_variance_ = np.ones(9)
    X = np.tile(X, 2)[:, :9]
    holes = np.where(np.median(X) >= X, np.nan, X)
    message = "the machine has 9 visible units, but the base rates .* were learned of 6"
    for start in (
        lambda: rbm.sample(2, n_gibbs_steps=1),
        lambda: rbm.sample(2, n_gibbs_steps=1, init=X, method="tempering"),
        lambda: rbm.sample(2, n_gibbs_steps=1, init=holes),
        lambda: rbm.impute(holes),
        lambda: rbm.log_partition("ais", n_betas=2),
        lambda: rbm.log_partition("reverse_ais", n_betas=2),
    ):
        with pytest.raises(ValueError, match=message):
            start()


@models
def test_a_machine_of_public_attributes_alone(model):
    X = model.rows()
    rbm, fitted = model.estimator(3), model.machine().fit(X)
    categories = ["categories_"] if model is SOFTMAX else []
    for name in (*model.arrays, *categories, "n_features_in_"):
        setattr(rbm, name, getattr(fitted, name))
    assert_same_bits(rbm.transform(X), fitted.transform(X))


@pytest.mark.parametrize("dtype", [int, np.float16])
@pytest.mark.parametrize("model", [BernoulliRBM, GaussianBernoulliRBM, SoftmaxRBM])
def test_components_of_any_dtype_may_be_put_in(model, dtype):
    """The machine works in float32 or float64: integers must not round biases and steps."""
    X = np.eye(4)
    rbm = model(2, n_iter=3, random_state=0).fit(X)
    n_visible = rbm.components_.shape[1]
    rbm.components_ = 3 * np.eye(2, n_visible, dtype=int)
    rbm.intercept_visible_, rbm.intercept_hidden_ = np.full(n_visible, -0.9), np.full(2, -0.5)
    other = copy.deepcopy(rbm)
    other.components_ = rbm.components_.astype(dtype)
    rbm.components_ = rbm.components_.astype(float)
    draws = [r.sample(50, n_gibbs_steps=3, random_state=0) for r in (rbm, other)]
    assert_array_equal(*draws)
    assert -1 < draws[0].mean() < 1
    if model is BernoulliRBM:
        assert 0 < draws[0].mean() < 1
    assert_array_equal(other.partial_fit(X).components_, rbm.partial_fit(X).components_)


@pytest.mark.parametrize("noise_variance", [1.0, "learned"])
@pytest.mark.parametrize("wrong", [0.0, -1.0, np.nan])
def test_a_replaced_variance_that_is_none_is_refused(noise_variance, wrong):
    X = GAUSSIAN.rows()
    rbm = GAUSSIAN.machine(noise_variance=noise_variance).fit(X)
    rbm.noise_variance_ = np.array([1, 1, wrong, 1, 1, 1])
    with pytest.raises(ValueError, match="must be positive"):
        rbm.transform(X)


# --- arrays of categories ---


@pytest.mark.parametrize(
    "edit",
    [
        lambda categories: categories[:-1],
        lambda categories: categories[:1],
        lambda categories: [np.arange(1.0, 67)],
        lambda categories: [*categories[:-2], np.arange(1.0, 23), np.array([])],
        lambda categories: [*categories[:-1], categories[0][::-1]],
        lambda categories: [*categories[:-1], np.full(11, np.nan)],
        lambda categories: [*categories[:-1], np.arange(1.0, 11)],
    ],
)
def test_categories_that_do_not_fit_are_refused(edit):
    X = SOFTMAX.rows()
    rbm = SOFTMAX.machine(algorithm="cd").fit(X)
    assert sum(map(len, rbm.categories_)) == 66
    rbm.categories_ = edit(rbm.categories_)
    for call in (rbm.transform, rbm.predict_ratings, rbm.partial_fit, rbm.gibbs):
        with pytest.raises(ValueError, match="categories"):
            call(X)
    with pytest.raises(ValueError, match="categories"):
        rbm.sample()


def test_the_fit_does_not_share_the_parameter():
    X, categories = SOFTMAX.rows(), HALF_STARS.copy()
    rbm = SOFTMAX.machine(categories=categories).fit(X)
    expected = rbm.predict_ratings(X)
    categories[:] = 9
    assert_array_equal(rbm.predict_ratings(X), expected)


@models
def test_a_machine_cut_to_fewer_hidden_units_samples(model):
    X = model.rows()
    rbm = model.machine(n_components=5).fit(X)
    for name in ("components_", "conditional_components_", "intercept_hidden_"):
        if hasattr(rbm, name):
            setattr(rbm, name, getattr(rbm, name)[:3])
    assert rbm.transform(X).shape == (47, 3)
    assert rbm.sample(4, n_gibbs_steps=2, random_state=0).shape == (4, 6)
