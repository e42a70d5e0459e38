"""Fits that a crew shares: bits by any number of threads, and the user's limits of BLAS."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import threadpoolctl
from scipy import sparse

from skrbm import BernoulliRBM, GaussianBernoulliRBM, SoftmaxRBM
from skrbm._machine import blas, crew, threads

from ..helpers.callbacks import Hook, needs_callbacks
from ..helpers.comparison import assert_same_bits, assert_same_model, learned

ESTIMATORS = {
    "bits": (BernoulliRBM, {"momentum": 0.5}),
    "bits, pt": (BernoulliRBM, {"algorithm": "pt", "n_temperatures": 3}),
    "real values": (GaussianBernoulliRBM, {"noise_variance": "learned", "momentum": 0.5}),
    "categories": (SoftmaxRBM, {"conditional": False}),
}
#: Batches: of few rows the weights are many, or they are too little work for two.
SHAPES = {"few rows": (10, 700, 64), "many rows": (100, 40, 120)}
#: Share of zeros, so that both kinds of products are taken.
DENSITY = {"mostly zeros": 0.1, "half of them": 0.6}


def rows(estimator, n_rows, n_features, density=0.5, dtype=np.float32):
    rng = np.random.default_rng(0)
    X = (rng.random((n_rows, n_features)) < density).astype(dtype)
    return X * rng.normal(size=X.shape).astype(dtype) if estimator is GaussianBernoulliRBM else X


def cases():
    for name, (estimator, parameters) in ESTIMATORS.items():
        for size, shape in SHAPES.items():
            if name == "categories" and size == "few rows":
                continue  # no product of theirs is shared
            containers = [np.asarray]
            if estimator is BernoulliRBM:
                containers.append(sparse.csr_array)
            for container in containers:
                for density in DENSITY.values() if name == "bits" else (0.1,):
                    case = estimator, parameters, shape, container, density
                    id_ = f"{name}, {size}, {container.__name__}, {density}"
                    yield pytest.param(*case, id=id_)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("estimator", "parameters", "shape", "container", "density"), cases())
def test_the_number_of_threads_changes_no_bit(
    estimator, parameters, shape, container, density, dtype, monkeypatch
):
    batch_size, n_features, n_components = shape
    X = container(rows(estimator, 2 * batch_size + 3, n_features, density, dtype))
    jobs, do = [], crew._Crew.do

    def record(self, *arguments):
        done = do(self, *arguments)
        jobs.append(done)
        return done

    def everything(n_threads):
        monkeypatch.setattr(threads, "get_num_threads", lambda: n_threads)
        monkeypatch.setattr(crew, "get_num_threads", lambda: n_threads)
        monkeypatch.setattr(crew, "WORTH_A_CREW", 0)
        jobs.clear()
        rbm = estimator(
            n_components, batch_size=batch_size, n_iter=2, random_state=0, **parameters
        ).fit(X)
        assert any(jobs) == (n_threads > 1)
        return learned(rbm), rbm.transform(X), rbm.score_samples(X), rbm.gibbs(X, random_state=0)

    monkeypatch.setattr(crew._Crew, "do", record)
    alone = everything(1)
    for n_threads in (2, 3, 5):
        together = everything(n_threads)
        for actual, expected in zip(together, alone, strict=True):
            if sparse.issparse(expected):
                actual, expected = actual.toarray(), expected.toarray()
            assert_same_bits(actual, expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_number_of_threads_of_blas_changes_no_bit(dtype):
    """Of NumPy's neither, which share out the sums of a product of a vector."""
    X = rows(GaussianBernoulliRBM, 1100, 900, 0.9, dtype)
    bits, weights = np.abs(X) > 1, np.random.default_rng(1).random(len(X)) + 0.1

    def everything(n_threads):
        with threadpoolctl.threadpool_limits(n_threads, user_api="blas"):
            small = {"batch_size": 1100, "n_iter": 1, "random_state": 0, "learning_rate": 0.01}
            gaussian = GaussianBernoulliRBM(300, **small).fit(X)
            bernoulli = BernoulliRBM(9, **small).fit(bits.astype(dtype), sample_weight=weights)
            log_z = bernoulli.log_partition(method="exact").value
            return learned(gaussian), learned(bernoulli), np.array(log_z)

    assert_same_bits(everything(2), everything(1))


# --- the user's limits of BLAS ----------------------------------------------------------------

MODELS = {name: ESTIMATORS[name] for name in ("bits", "real values", "categories")}
models = pytest.mark.parametrize(("estimator", "parameters"), MODELS.values(), ids=MODELS)


def limits():
    """The number of threads of each BLAS."""
    found = threadpoolctl.ThreadpoolController().select(user_api="blas").lib_controllers
    return {library.filepath: library.get_num_threads() for library in found}


@pytest.fixture(params=[None, 1, 2], ids=lambda limit: f"limit {limit}")
def user(request, monkeypatch):
    """The limits that a user has set, or has not; two threads share the work."""
    monkeypatch.setattr(crew, "get_num_threads", lambda: 2)
    monkeypatch.setattr(crew, "WORTH_A_CREW", 0)
    with threadpoolctl.threadpool_limits(request.param, user_api="blas"):
        yield limits()


@pytest.fixture
def products(monkeypatch):
    """The limits of our BLAS within products, as they come."""
    seen, together = [], blas.together

    def record(*arguments):
        seen.extend(get() for get, _ in blas.libraries())
        together(*arguments)

    monkeypatch.setattr(blas, "together", record)
    return seen


def machine(estimator, parameters, **more):
    defaults = {"n_components": 20, "batch_size": 50, "n_iter": 2, "random_state": 0}
    return estimator(**defaults | parameters | more)


@models
def test_every_method_leaves_the_users_limits(user, products, estimator, parameters):
    X = rows(estimator, 120, 30, 0.7)
    rbm = machine(estimator, parameters).fit(X)
    assert limits() == user
    assert set(products) == ({1} if estimator is not SoftmaxRBM else set())
    for call in (
        lambda: rbm.partial_fit(X),
        lambda: rbm.transform(X),
        lambda: rbm.score_samples(X),
        lambda: rbm.reconstruct(X),
        lambda: rbm.gibbs(X, random_state=0),
        lambda: rbm.sample(40, n_gibbs_steps=2, random_state=0),
        lambda: rbm.log_partition(method="ais", n_chains=40, n_betas=4, random_state=0),
    ):
        call()
        assert limits() == user
    assert set(products) <= {1}


@needs_callbacks
@models
def test_a_callback_sees_the_users_limits(user, products, estimator, parameters):
    seen = []
    rbm = machine(estimator, parameters).set_callbacks(Hook(lambda *_: seen.append(limits())))
    rbm.fit(rows(estimator, 120, 30, 0.7))
    assert seen == [user, user]
    assert set(products) == ({1} if estimator is not SoftmaxRBM else set())


@needs_callbacks
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
@models
def test_a_fit_that_fails_leaves_the_users_limits(user, estimator, parameters, error):
    def stop(*_):
        raise error("stop")

    X = rows(estimator, 120, 30, 0.7)
    with pytest.raises(error, match="stop"):
        machine(estimator, parameters).set_callbacks(Hook(stop)).fit(X)
    assert limits() == user
    rbm = machine(estimator, parameters, learning_rate=1e30, n_iter=50)
    with pytest.raises(ValueError, match="diverged"):
        rbm.fit(X * np.float32(1))
    assert limits() == user


@models
def test_fits_that_overlap_leave_the_users_limits(user, estimator, parameters):
    X = rows(estimator, 120, 30, 0.7)
    expected = machine(estimator, parameters).fit(X)
    begin = threading.Barrier(2, timeout=60)

    def fit(_):
        begin.wait()
        return machine(estimator, parameters).fit(X)

    for _ in range(5):
        with ThreadPoolExecutor(2) as pool:
            for rbm in pool.map(fit, range(2)):
                assert_same_model(rbm, expected)
        assert limits() == user
