"""The estimator of real-valued data: its parameters, chunks, tools and replaced arrays."""

import pickle
import re

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from scipy.special import expit, logit
from sklearn import datasets
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils._param_validation import InvalidParameterError

from skrbm import GaussianBernoulliRBM

from .comparison import assert_same_bits, assert_same_model
from .gaussian_machines import ARRAYS, correlated_rows, machine, noise_variances
from .test_callbacks import Hook


@pytest.fixture(name="X")
def rows(rng):
    return correlated_rows(rng)


# --- parameters ---


@pytest.mark.parametrize("method", ["fit", "partial_fit", "transform", "free_energy", "gibbs"])
def test_sparse_data_are_refused(X, method):
    rbm = machine() if "fit" in method else machine().fit(X)
    with pytest.raises(TypeError, match=r"[Ss]parse"):
        getattr(rbm, method)(sparse.csr_array(X))


BAD = [0, 0.0, -1.0, np.nan, np.inf, None, "auto", "Learned", [], [1.0, 1.0], np.ones((1, 4))]
BAD += [[1.0, 1.0, 0.0, 1.0], [1.0, -1.0, 1.0, 1.0], [1.0, np.nan, 1.0, 1.0], [np.inf] * 4]


@pytest.mark.parametrize("value", BAD, ids=repr)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_noise_variances_out_of_range_are_refused_by_name(X, method, value):
    rbm = machine(noise_variance=value)
    before = set(vars(rbm))
    message = "'noise_variance' parameter of GaussianBernoulliRBM"
    with pytest.raises(InvalidParameterError, match=message):
        getattr(rbm, method)(X)
    assert set(vars(rbm)) == before


def test_the_message_on_a_noise_variance_names_value_and_feature(X):
    with pytest.raises(InvalidParameterError, match=r"-2\.0 for feature 2"):
        machine(noise_variance=[1, 1, -2, 1]).fit(X)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_variance_is_not_learned_from_means(X, method):
    rbm = machine(noise_variance="learned", negative_visibles="mean")
    with pytest.raises(InvalidParameterError, match="noise_variance='learned'"):
        getattr(rbm, method)(X)
    machine(negative_visibles="mean").fit(X)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("given", [2, 0.5, [0.5, 1, 2, 3], np.array([1, 2, 1, 2]), "learned"])
def test_noise_variance_is_one_number_per_feature(X, dtype, given):
    X = X.astype(dtype)
    rbm = machine(noise_variance=given).fit(X).partial_fit(X)
    assert rbm.noise_variance_.shape == (4,)
    assert rbm.noise_variance_.dtype == dtype
    if isinstance(given, str):
        assert (rbm.noise_variance_ != X.var(axis=0)).all()
        assert_allclose(rbm.noise_variance_, X.var(axis=0), rtol=0.2)
    else:
        assert_allclose(rbm.noise_variance_, np.broadcast_to(given, 4))


def test_a_number_serves_all_features(X):
    expected = machine(noise_variance=2.0).fit(X)
    for given in ([2, 2, 2, 2], np.full(4, 2.0, np.float32), np.float32(2)):
        assert_same_model(machine(noise_variance=given).fit(X), expected)


def test_an_array_of_variances_is_left_alone(X):
    given = np.array([0.5, 1, 2, 3])
    rbm = machine(noise_variance=given).fit(X)
    rbm.noise_variance_[:] = 7
    assert given.tolist() == [0.5, 1, 2, 3]


@noise_variances
@pytest.mark.parametrize("algorithm", ["cd", "pcd"])
def test_training_starts_at_means_and_variances(X, noise_variance, algorithm):
    rbm = machine(n_iter=0, noise_variance=noise_variance, algorithm=algorithm).fit(X + 3)
    assert_allclose(rbm.intercept_visible_, X.mean(axis=0) + 3, rtol=1e-12)
    start = X.var(axis=0) if noise_variance == "learned" else np.ones(4)
    assert_allclose(rbm.noise_variance_, start, rtol=1e-12)
    # One active unit weighs a tenth of none: its input at the mean is log(0.1) - |W_j|^2 / 2.
    inputs = logit(rbm.transform(rbm.intercept_visible_[np.newaxis]))[0]
    squares = np.square(rbm.components_).sum(axis=1)
    assert_allclose(inputs, np.log(0.1) - squares / 2, rtol=1e-10)
    assert np.abs(rbm.components_).max() < np.sqrt(6 / (4 + rbm.n_components))
    assert rbm.n_iter_ == 0
    assert_same_model(
        rbm.partial_fit(X + 3),
        machine(noise_variance=noise_variance, algorithm=algorithm).partial_fit(X + 3),
    )


@noise_variances
def test_float32_stays_float32(X, noise_variance):
    X = X.astype(np.float32)
    rbm = machine(noise_variance=noise_variance, momentum=0.5).fit(X)
    H = rbm.transform(X)
    results = [getattr(rbm, name) for name in (*ARRAYS, "h_samples_")]
    results += [H, rbm.inverse_transform(H), rbm.reconstruct(X), rbm.gibbs(X, 2)]
    results += [rbm.free_energy(X), rbm.energy(X, H), rbm.score_samples(X)]
    results += [rbm.sample(3, n_gibbs_steps=2), rbm.sample(3, n_gibbs_steps=2, init=X)]
    assert {result.dtype for result in results} == {np.dtype(np.float32)}
    double = rbm.transform(X.astype(float))
    assert double.dtype == np.float64
    assert_allclose(H, double, rtol=1e-5)


@noise_variances
def test_float32_training_follows_float64(X, noise_variance):
    double, single = (
        machine(noise_variance=noise_variance).fit(X.astype(dtype))
        for dtype in (np.float64, np.float32)
    )
    for name in ARRAYS:
        assert_allclose(getattr(single, name), getattr(double, name), atol=1e-4)


# --- chunks, epochs, tools ---


@noise_variances
def test_chunks_do_what_epochs_do(X, noise_variance):
    options = {"noise_variance": noise_variance, "shuffle": False, "momentum": 0.5}
    chunks = machine(**options)
    for epoch in range(1, 4):
        chunks.partial_fit(X)
        whole = machine(n_iter=epoch, **options).fit(X)
        if epoch == 1 or noise_variance != "learned":
            assert_same_model(chunks, whole)
        for name in ARRAYS:  # between chunks a learned variance leaves the logarithmic scale
            assert_allclose(getattr(chunks, name), getattr(whole, name), rtol=1e-10)


@noise_variances
@pytest.mark.parametrize("algorithm", ["cd", "pcd"])
def test_pickling_between_chunks_changes_no_bit(X, noise_variance, algorithm):
    options = {"noise_variance": noise_variance, "algorithm": algorithm, "momentum": 0.5}
    straight, pickled = machine(**options), machine(**options)
    for _ in range(4):
        straight.partial_fit(X)
        pickled = pickle.loads(pickle.dumps(pickled.partial_fit(X)))
    assert_same_model(pickled, straight)
    assert_same_bits(pickled.score_samples(X), straight.score_samples(X))


def test_score_is_the_mean_score_of_rows(X):
    rbm = machine().fit(X)
    assert rbm.score(X) == pytest.approx(rbm.score_samples(X).mean(), rel=1e-14)
    many = np.tile(X, (30, 1))  # more rows than are scored at a time
    assert_same_bits(rbm.score_samples(many), np.tile(rbm.score_samples(X), 30))


def test_learning_raises_the_score():
    X = StandardScaler().fit_transform(datasets.load_iris().data)
    rates = {"learning_rate": 0.05, "n_iter": 100, "random_state": 0}
    for noise_variance in (1.0, "learned"):
        rbm = GaussianBernoulliRBM(8, noise_variance=noise_variance, **rates).fit(X)
        start = GaussianBernoulliRBM(8, noise_variance=noise_variance, n_iter=0, random_state=0)
        assert rbm.score(X) > start.fit(X).score(X) + 0.4


@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
def test_grid_search_over_a_pipeline():
    X, y = datasets.load_breast_cancer(return_X_y=True)
    pipeline = Pipeline(
        [
            ("scale", StandardScaler()),
            ("rbm", GaussianBernoulliRBM(32, n_iter=5, random_state=0)),
            ("classify", LogisticRegression(max_iter=1000)),
        ]
    )
    grid = {"rbm__noise_variance": [1.0, "learned"], "rbm__learning_rate": [0.001, (0.05, 0.02)]}
    search = GridSearchCV(pipeline, grid, cv=3).fit(X, y)
    assert len(search.cv_results_["params"]) == 4
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_score_ > 0.9
    assert search.best_estimator_.predict(X).shape == y.shape


def test_a_callback_stops_training(X):
    hook = Hook(lambda epoch, *_: epoch == 2)
    rbm = machine(n_iter=6, noise_variance="learned").set_callbacks(hook).fit(X)
    assert rbm.n_iter_ == 2
    assert hook.torn_down == 1
    assert_same_model(rbm, machine(n_iter=2, noise_variance="learned").fit(X))


LINE = re.compile(
    r"\[GaussianBernoulliRBM\] Iteration (\d+), pseudo-likelihood = (-?\d+\.\d\d), "
    r"time = (\d+\.\d\d)s"
)


@noise_variances
def test_verbose_prints_a_line_per_epoch_with_the_exact_score(X, noise_variance, capsys):
    rbm = machine(verbose=1, noise_variance=noise_variance).fit(X)
    lines = [LINE.fullmatch(line).groups() for line in capsys.readouterr().out.splitlines()]
    assert [epoch for epoch, _, _ in lines] == ["1", "2", "3"]
    assert float(lines[-1][1]) == pytest.approx(rbm.score(X), abs=0.0051)
    assert_same_model(machine(noise_variance=noise_variance).fit(X), rbm)


def test_the_last_reconstruction_error_is_that_of_the_model(X):
    rbm = machine().fit(X)
    error = np.square(rbm.reconstruct(X) - X).mean()
    assert rbm.history_["reconstruction_error"][-1] == pytest.approx(error, rel=1e-12)


# --- arrays that the user replaces ---


@noise_variances
def test_readers_follow_arrays_that_the_user_replaces(X, rng, noise_variance):
    rbm = machine(noise_variance=noise_variance).fit(X)
    rbm.components_, rbm.intercept_hidden_ = rng.normal(size=(3, 4)), rng.normal(size=3)
    rbm.intercept_visible_ = rng.normal(size=4)
    rbm.noise_variance_ = rng.uniform(0.2, 3, 4)
    s = np.sqrt(rbm.noise_variance_)
    H = expit((X / s) @ rbm.components_.T + rbm.intercept_hidden_)
    assert_allclose(rbm.transform(X), H, rtol=1e-12)
    mean = rbm.intercept_visible_ + s * (H @ rbm.components_)
    assert_allclose(rbm.reconstruct(X), mean, rtol=1e-12)
    before = {name: getattr(rbm, name).copy() for name in ARRAYS}
    rbm.set_params(learning_rate=1e-9).partial_fit(X)
    for name, array in before.items():
        assert_allclose(getattr(rbm, name), array, atol=1e-7)
    assert (rbm.components_ != before["components_"]).any()


@noise_variances
@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("noise_variance_", (3,)),
        ("noise_variance_", (1,)),
        ("noise_variance_", (4, 1)),
        ("intercept_visible_", (5,)),
        ("intercept_hidden_", (2,)),
        ("components_", (3, 5)),
    ],
)
def test_arrays_of_other_shapes_are_refused(X, noise_variance, name, shape):
    rbm = machine(noise_variance=noise_variance).fit(X)
    setattr(rbm, name, np.ones(shape))
    before = pickle.dumps(vars(rbm))
    for method in (rbm.transform, rbm.score_samples, rbm.partial_fit):
        with pytest.raises(ValueError):
            method(X)
    assert pickle.dumps(vars(rbm)) == before


@pytest.mark.parametrize(("first", "then"), [("learned", 1.0), (1.0, "learned")])
def test_chunks_cannot_change_whether_the_variance_is_learned(X, first, then):
    rbm = machine(noise_variance=first).partial_fit(X).set_params(noise_variance=then)
    with pytest.raises(ValueError, match="first call of partial_fit decides"):
        rbm.partial_fit(X)
    rbm.fit(X)


def test_noise_variances_of_no_number_or_beyond_the_dtype_are_refused(X):
    with pytest.raises(InvalidParameterError, match="noise_variance"):
        machine(noise_variance=["learned"] * 4).fit(X)
    for value in (1e-50, 1e60):
        machine(noise_variance=np.full(4, value), n_iter=0).fit(X * value**0.5)
        with pytest.raises(InvalidParameterError, match="float32"):
            machine(noise_variance=value).fit(X.astype(np.float32))


@noise_variances
@pytest.mark.parametrize("wrong", [0.0, -1.0, np.nan])
def test_a_replaced_variance_that_is_none_is_refused(X, noise_variance, wrong):
    rbm = machine(noise_variance=noise_variance).fit(X)
    rbm.noise_variance_ = np.array([1, 1, wrong, 1])
    with pytest.raises(ValueError, match="must be positive"):
        rbm.transform(X)


def test_a_machine_of_public_attributes_alone(X):
    rbm, fitted = GaussianBernoulliRBM(3), machine().fit(X)
    for name in (*ARRAYS, "n_features_in_"):
        setattr(rbm, name, getattr(fitted, name))
    assert_same_bits(rbm.transform(X), fitted.transform(X))
