"""Threads, forked children and workers learn what a process alone would have learned."""

import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor

import joblib
import numba
import numpy as np
import pytest
from scipy import sparse
from sklearn.model_selection import GridSearchCV, KFold

from skrbm import BernoulliRBM, GaussianBernoulliRBM, SoftmaxRBM
from skrbm._machine import crew, threads

from ..helpers.comparison import assert_same_bits, assert_same_model, learned
from ..helpers.models import BERNOULLI, SOFTMAX, VARIANTS, models
from ..helpers.ratings import stored

# A child that hangs, for example in a pool of threads it never had, fails instead of waiting.
PATIENCE = 120  # seconds

# Few rows go through the kernels alone, many rows through matrix products with BLAS threads.
SIZES = {
    "few rows": (BernoulliRBM, {"batch_size": 10, "n_components": 16, "n_iter": 4}),
    "many rows": (BernoulliRBM, {"batch_size": 150, "n_components": 128, "n_iter": 2}),
    "real values": (GaussianBernoulliRBM, {"batch_size": 10, "noise_variance": "learned"}),
    "many categories": (SoftmaxRBM, {"batch_size": 100, "conditional": True}),
}
RATINGS = {name: variant for name, variant in VARIANTS.items() if variant.model is SOFTMAX}


class LargeTable:
    """A model that reads 300 rows of 64 features; its like are the variants of small tables."""

    def __init__(self, estimator, parameters):
        self.estimator, self.parameters = estimator, parameters

    def machine(self, **parameters):
        defaults = {"n_iter": 2, "random_state": 0, "momentum": 0.5}
        return self.estimator(**defaults | self.parameters | parameters)

    def rows(self):
        return np.random.default_rng(0).integers(0, 2, (300, 64)).astype(float)


TABLES = {name: LargeTable(*size) for name, size in SIZES.items()}
large_tables = pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)

several_threads = pytest.mark.skipif(
    numba.config.NUMBA_NUM_THREADS == 1, reason="one core, or NUMBA_NUM_THREADS=1"
)


@pytest.fixture
def numba_threads():
    """Sets the number of threads of the kernels; the test's end restores it."""
    before = numba.get_num_threads()
    yield numba.set_num_threads
    numba.set_num_threads(before)


@pytest.fixture
def least_work_counts(monkeypatch):
    """The least work is worth a thread."""
    monkeypatch.setattr("skrbm._machine.threads.WORTH_A_THREAD", 10)
    threads._pool.cache_clear()
    yield
    threads._pool.cache_clear()


@pytest.fixture(params=[*TABLES, *RATINGS], name="table")
def any_table(request):
    """Of the small ones, the least work counts."""
    if request.param in RATINGS:
        request.getfixturevalue("least_work_counts")
        return RATINGS[request.param]
    return TABLES[request.param]


# --- threads ---


def test_python_threads_fit_as_if_alone(table):
    X, seeds = table.rows(), range(3)
    alone = [table.machine(random_state=seed).fit(X) for seed in seeds]
    together = threading.Barrier(3, timeout=PATIENCE)

    def fit(seed):
        together.wait()
        return table.machine(random_state=seed).fit(X)

    for _ in range(3):
        with ThreadPoolExecutor(3) as pool:
            for actual, expected in zip(pool.map(fit, seeds), alone, strict=True):
                assert_same_model(actual, expected)


@models
def test_python_threads_read_one_estimator_as_if_alone(model, least_work_counts):
    X = model.rows()
    rbm = model.machine().fit(X)
    X = np.tile(X, (60, 1))

    def read(seed):
        together.wait()
        results = [getattr(rbm, name)(X) for name in model.predictors]
        draws = rbm.sample(50, n_gibbs_steps=2, random_state=seed)
        return rbm.transform(X), rbm.score_samples(X), draws, results

    together = threading.Barrier(1)
    alone = [read(seed) for seed in (1, 2)]
    together = threading.Barrier(2, timeout=PATIENCE)
    with ThreadPoolExecutor(2) as pool:
        assert_same_bits(list(pool.map(read, (1, 2))), alone)


@several_threads
@large_tables
def test_the_number_of_kernel_threads_changes_no_bit(table, numba_threads):
    X, results = table.rows(), []
    for n_threads in (1, numba.config.NUMBA_NUM_THREADS):
        numba_threads(n_threads)
        rbm = table.machine().fit(X)
        # More rows than one thread scores at a time.
        scores = rbm.score_samples(np.tile(X, (9, 1))[:2650])
        results.append([learned(rbm), scores])
    assert_same_bits(results[1], results[0])


def test_scores_use_the_kernel_threads(numba_threads, monkeypatch):
    """So that the test above compares what it says it does."""
    used = []

    def record(function, arguments):
        used.append(len(arguments))
        in_threads(function, arguments)

    in_threads = threads.in_threads
    monkeypatch.setattr(threads, "WORTH_A_THREAD", 1)
    monkeypatch.setattr("skrbm._machine.bernoulli.in_threads", record)
    X = TABLES["few rows"].rows()
    rbm = BERNOULLI.machine(n_iter=0).fit(X)
    for n_threads in {1, numba.config.NUMBA_NUM_THREADS}:
        numba_threads(n_threads)
        rbm.score_samples(X)
        assert used.pop() == n_threads


def fit_and_read(table, X):
    """All that is learned, and what every reader makes of it."""
    rbm = table.machine().fit(X).partial_fit(X)
    results = [
        learned(rbm),
        rbm.transform(X),
        rbm.score_samples(X),
        rbm.reconstruct(X),
        rbm.gibbs(X, 2, random_state=0),
        rbm.sample(40, n_gibbs_steps=3, random_state=0),
    ]
    if isinstance(rbm, SoftmaxRBM):
        results += [rbm.conditional_proba(X), rbm.predict_ratings(X, [3, 1, 3], [0, 5, 2])]
    return [part.toarray() if sparse.issparse(part) else part for part in results]


@several_threads
@pytest.mark.parametrize("table", RATINGS.values(), ids=RATINGS)
@pytest.mark.parametrize("container", [np.asarray, stored])
def test_the_number_of_threads_changes_no_bit(
    table, container, numba_threads, least_work_counts, monkeypatch
):
    used = []

    class RecordingPool(ThreadPoolExecutor):
        def submit(self, *arguments):
            used.append(self._max_workers)
            return super().submit(*arguments)

    monkeypatch.setattr("skrbm._machine.threads.ThreadPoolExecutor", RecordingPool)
    X = container(table.rows())
    numba_threads(1)
    alone = fit_and_read(table, X)
    assert not used
    numba_threads(2)
    together = fit_and_read(table, X)
    assert set(used) == {2}
    assert_same_bits(together, alone)


@pytest.mark.parametrize("conditional", [False, True])
def test_more_threads_than_cores_change_no_bit(monkeypatch, conditional):
    monkeypatch.setattr(threads, "WORTH_A_THREAD", 1)
    X, fitted, options = SOFTMAX.complete(), [], {"algorithm": "pt", "n_temperatures": 4}
    for n_threads in (1, 2, 5):
        for module in (crew, threads):
            monkeypatch.setattr(module, "get_num_threads", lambda n=n_threads: n)
        fitted.append(SOFTMAX.machine(conditional=conditional, **options).fit(X))
    for rbm in fitted[1:]:
        assert_same_model(rbm, fitted[0])


def test_without_new_threads_the_work_is_done_all_the_same(monkeypatch):
    X = SOFTMAX.rows()
    expected = SOFTMAX.machine().fit(X)

    def refuse(self, *args):
        raise RuntimeError("cannot schedule new futures after interpreter shutdown")

    monkeypatch.setattr(threads, "WORTH_A_THREAD", 1)
    for module in (crew, threads):
        monkeypatch.setattr(module, "get_num_threads", lambda: 3)
    monkeypatch.setattr(threads.ThreadPoolExecutor, "submit", refuse)
    assert_same_model(SOFTMAX.machine().fit(X), expected)


# --- processes ---


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="no fork on this system"
)
# Python 3.12 warns of any fork in a process with threads, which BLAS and scores have.
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_fits_what_its_parent_fitted(table, numba_threads):
    """The parent's threads do not exist in the child, which must make its own."""
    numba_threads(min(2, numba.config.NUMBA_NUM_THREADS))
    X = table.rows()
    expected = fit_and_read(table, X)
    with multiprocessing.get_context("fork").Pool(1) as pool:
        actual = pool.apply_async(fit_and_read, (table, X)).get(timeout=PATIENCE)
    assert_same_bits(actual, expected)


GRID = {"algorithm": ["cd", "pcd"], "learning_rate": [0.01, (0.1, 0.05)]}


def grid_scores(X, n_jobs):
    rbm = TABLES["few rows"].machine(n_components=8, n_iter=2)
    search = GridSearchCV(rbm, GRID, cv=KFold(3), n_jobs=n_jobs, refit=False).fit(X)
    results = search.cv_results_
    return np.array([results[f"split{i}_test_score"] for i in range(3)])


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_grid_search_with_two_jobs_scores_like_one(backend):
    X = TABLES["few rows"].rows()
    expected = grid_scores(X, None)
    assert len(np.unique(expected)) == expected.size
    with joblib.parallel_config(backend=backend):
        actual = grid_scores(X, 2)
    # Training on batches of 10 uses no BLAS and gives the same bits. Scores of a whole fold do:
    # joblib gives each worker fewer BLAS threads, so that sums may round otherwise.
    np.testing.assert_allclose(actual, expected, rtol=1e-12)
