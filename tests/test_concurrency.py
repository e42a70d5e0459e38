"""Threads, forked children and workers learn what a process alone would have learned."""

import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor

import joblib
import numba
import numpy as np
import pytest
from numba.core.caching import FunctionCache
from numba.core.dispatcher import Dispatcher
from sklearn.model_selection import GridSearchCV, KFold

from skrbm import BernoulliRBM, GaussianBernoulliRBM, SoftmaxRBM
from skrbm._kernels import linear, onehot, pseudo_likelihood, units, updates

from .comparison import assert_same_bits, assert_same_model, learned

# A child that hangs, for example in a pool of threads it never had, fails instead of waiting.
PATIENCE = 120  # seconds


@pytest.fixture(name="X")
def bits():
    return np.random.default_rng(0).integers(0, 2, (300, 64)).astype(float)


# Few rows go through the kernels alone, many rows through matrix products with BLAS threads.
SIZES = {
    "few rows": {"batch_size": 10, "n_components": 16, "n_iter": 4},
    "many rows": {"batch_size": 150, "n_components": 128, "n_iter": 2},
    "real values": {"model": GaussianBernoulliRBM, "batch_size": 10, "noise_variance": "learned"},
    "categories": {"model": SoftmaxRBM, "batch_size": 100, "conditional": True},
}
sizes = pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())


def machine(model=BernoulliRBM, **parameters):
    return model(**{"n_iter": 2, "random_state": 0, "momentum": 0.5} | parameters)


# --- threads ---


@sizes
def test_two_threads_fit_two_estimators_as_if_alone(X, size):
    seeds = [1, 2]
    alone = [machine(random_state=seed, **size).fit(X) for seed in seeds]
    together = threading.Barrier(2, timeout=PATIENCE)

    def fit(seed):
        together.wait()
        return machine(random_state=seed, **size).fit(X)

    for _ in range(3):
        with ThreadPoolExecutor(2) as pool:
            fitted = list(pool.map(fit, seeds))
        for actual, expected in zip(fitted, alone, strict=True):
            assert_same_model(actual, expected)


def test_two_threads_read_one_estimator_as_if_alone(X):
    rbm = machine(n_components=16, batch_size=10).fit(X)
    X = np.tile(X, (10, 1))

    def read(seed):
        together.wait()
        return rbm.transform(X), rbm.score_samples(X), rbm.sample(50, random_state=seed)

    together = threading.Barrier(1)
    alone = [read(seed) for seed in (1, 2)]
    together = threading.Barrier(2, timeout=PATIENCE)
    with ThreadPoolExecutor(2) as pool:
        assert_same_bits(list(pool.map(read, (1, 2))), alone)


@pytest.fixture
def numba_threads():
    """Sets the number of threads of the kernels; the test's end restores it."""
    before = numba.get_num_threads()
    yield numba.set_num_threads
    numba.set_num_threads(before)


@sizes
def test_the_number_of_kernel_threads_changes_no_bit(X, size, numba_threads):
    if numba.config.NUMBA_NUM_THREADS == 1:
        pytest.skip("one core, or NUMBA_NUM_THREADS=1: there is no other number to compare")
    results = []
    for n_threads in (1, numba.config.NUMBA_NUM_THREADS):
        numba_threads(n_threads)
        rbm = machine(**size).fit(X)
        # More rows than one thread scores at a time.
        scores = rbm.score_samples(np.tile(X, (9, 1))[:2650])
        results.append([learned(rbm), scores])
    assert_same_bits(results[1], results[0])


def test_scores_use_the_kernel_threads(X, numba_threads, monkeypatch):
    """So that the test above compares what it says it does."""
    used = []

    class RecordingPool(ThreadPoolExecutor):
        def __init__(self, max_workers):
            used.append(max_workers)
            super().__init__(max_workers)

    monkeypatch.setattr("skrbm._estimator.features.ThreadPoolExecutor", RecordingPool)
    rbm = machine(n_iter=0, n_components=3).fit(X)
    for n_threads in {1, numba.config.NUMBA_NUM_THREADS}:
        numba_threads(n_threads)
        rbm.score_samples(X)
        assert used.pop() == n_threads


# --- processes ---


def fit_and_read(X, size):
    rbm = machine(**size).fit(X)
    draws = rbm.sample(40, n_gibbs_steps=3, random_state=0)
    return [learned(rbm), rbm.transform(X), rbm.score_samples(X), draws]


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="no fork on this system"
)
# Python 3.12 warns of any fork in a process with threads, which BLAS and scores have.
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@sizes
def test_a_forked_child_fits_what_its_parent_fitted(X, size):
    expected = fit_and_read(X, size)
    with multiprocessing.get_context("fork").Pool(1) as pool:
        actual = pool.apply_async(fit_and_read, (X, size)).get(timeout=PATIENCE)
    assert_same_bits(actual, expected)


GRID = {"algorithm": ["cd", "pcd"], "learning_rate": [0.01, (0.1, 0.05)]}


def grid_scores(X, n_jobs):
    rbm = machine(n_components=8, batch_size=10)
    search = GridSearchCV(rbm, GRID, cv=KFold(3), n_jobs=n_jobs, refit=False).fit(X)
    results = search.cv_results_
    return np.array([results[f"split{i}_test_score"] for i in range(3)])


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_grid_search_with_two_jobs_scores_like_one(X, backend):
    expected = grid_scores(X, None)
    assert len(np.unique(expected)) == expected.size
    with joblib.parallel_config(backend=backend):
        actual = grid_scores(X, 2)
    # Training on batches of 10 uses no BLAS and gives the same bits. Scores of a whole fold do:
    # joblib gives each worker fewer BLAS threads, so that sums may round otherwise.
    np.testing.assert_allclose(actual, expected, rtol=1e-12)


# --- how the kernels are compiled ---


MODULES = (linear, onehot, pseudo_likelihood, units, updates)


def kernels():
    """The compiled functions that the other modules call."""
    functions = {name: getattr(module, name) for module in MODULES for name in module.__all__}
    return [
        pytest.param(function, id=name)
        for name, function in functions.items()
        if isinstance(function, Dispatcher)
    ]


def test_kernels_are_found():
    names = {kernel.id for kernel in kernels()}
    assert {"add_step", "bernoulli_pseudo_likelihood", "gaussian", "sigmoid"} <= names


@pytest.mark.parametrize("kernel", kernels())
def test_every_kernel_is_cached_and_frees_the_gil(kernel):
    assert kernel.targetoptions["nogil"] is True
    assert kernel.targetoptions["nopython"] is True
    assert isinstance(kernel._cache, FunctionCache)


def test_a_fit_is_compiled_into_the_cache(X):
    """A kernel that Numba silently refuses to cache would have no file to load from."""
    machine(n_components=3, n_iter=1).fit(X)
    stats = [updates.add_step.stats, units.sigmoid.stats, units.bernoulli.stats]
    for stat in stats:
        assert stat.cache_path is not None
        assert sum(stat.cache_hits.values()) + sum(stat.cache_misses.values()) > 0
