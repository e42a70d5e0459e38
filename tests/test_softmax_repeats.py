"""A SoftmaxRBM learns the same bits in any number of threads, watched or not."""

import multiprocessing
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

from skrbm._machine import threads

from .comparison import assert_same_bits, assert_same_model, learned
from .test_callbacks import Hook
from .test_softmax_estimator import variants
from .test_softmax_input import machine, ratings, stored

PATIENCE = 120  # seconds, until a child or thread that hangs fails


@pytest.fixture(name="X")
def half_stars():
    return ratings()


# --- reproducibility ---


@variants
@pytest.mark.parametrize("verbose", [1, True])
def test_the_same_bits_whatever_verbose_and_callbacks(X, variant, verbose, capsys):
    expected = machine(**variant).fit(X)
    assert_same_model(machine(**variant).fit(X), expected)
    seen = []
    hook = Hook(lambda epoch, X, y, fitted: seen.append(fitted.score(X)))
    loud = machine(verbose=verbose, **variant).set_callbacks(hook).fit(X)
    assert_same_model(loud, expected)
    assert len(seen) == 2
    assert seen[-1] == expected.score(X)
    assert len(capsys.readouterr().out.splitlines()) == 2
    other = machine(random_state=1, **variant).fit(X)
    assert (other.components_ != expected.components_).any()


LINE = re.compile(
    r"\[SoftmaxRBM\] Iteration (\d+), pseudo-likelihood = (-?\d+\.\d\d), time = (\d+\.\d\d)s"
)


def test_verbose_prints_a_line_per_epoch_with_the_exact_score(X, capsys):
    rbm = machine(verbose=1, n_iter=3).fit(X)
    lines = [LINE.fullmatch(line).groups() for line in capsys.readouterr().out.splitlines()]
    assert [epoch for epoch, _, _ in lines] == ["1", "2", "3"]
    assert float(lines[-1][1]) == pytest.approx(rbm.score(X), abs=0.0051)


def test_a_callback_stops_training(X):
    hook = Hook(lambda epoch, *_: epoch == 2)
    rbm = machine(n_iter=6).set_callbacks(hook).fit(X)
    assert rbm.n_iter_ == 2
    assert hook.torn_down == 1
    assert_same_model(rbm, machine(n_iter=2).fit(X))


def test_a_callback_may_predict_while_training(X):
    truth = ratings(seed=9)
    errors = []

    def validate(epoch, X, y, fitted):
        errors.append(np.nanmean(np.square(fitted.predict_ratings(X) - truth)))

    rbm = machine(n_iter=3, conditional=True).set_callbacks(Hook(validate)).fit(X)
    assert len(errors) == 3
    assert errors[-1] == np.nanmean(np.square(rbm.predict_ratings(X) - truth))


@variants
def test_float32_training_follows_float64(X, variant):
    double = machine(learning_rate=0.01, **variant).fit(X)
    single = machine(learning_rate=0.01, **variant).fit(X.astype(np.float32))
    for name in ("components_", "intercept_visible_", "intercept_hidden_"):
        assert_allclose(getattr(single, name), getattr(double, name), atol=1e-4)
    assert_allclose(single.predict_ratings(X.astype(np.float32)), double.predict_ratings(X), 1e-3)


@pytest.fixture
def numba_threads(monkeypatch):
    """Sets the number of threads, of which the least work is worth one."""
    monkeypatch.setattr("skrbm._machine.threads.WORTH_A_THREAD", 10)
    threads._pool.cache_clear()
    before = numba.get_num_threads()
    yield numba.set_num_threads
    numba.set_num_threads(before)
    threads._pool.cache_clear()


several_threads = pytest.mark.skipif(
    numba.config.NUMBA_NUM_THREADS == 1, reason="one core, or NUMBA_NUM_THREADS=1"
)


def fit_and_read(X, variant):
    rbm = machine(**variant).fit(X).partial_fit(X)
    return [
        learned(rbm),
        rbm.transform(X),
        rbm.score_samples(X),
        rbm.conditional_proba(X),
        rbm.predict_ratings(X, [3, 1, 3], [0, 5, 2]),
        rbm.reconstruct(X),
        rbm.gibbs(X, 2, random_state=0),
        rbm.sample(20, n_gibbs_steps=2, random_state=0),
    ]


@several_threads
@variants
@pytest.mark.parametrize("container", [np.asarray, stored])
def test_the_number_of_threads_changes_no_bit(X, variant, container, numba_threads, monkeypatch):
    used = []

    class RecordingPool(ThreadPoolExecutor):
        def submit(self, *arguments):
            used.append(self._max_workers)
            return super().submit(*arguments)

    monkeypatch.setattr("skrbm._machine.threads.ThreadPoolExecutor", RecordingPool)
    numba_threads(1)
    alone = fit_and_read(container(X), variant)
    assert not used
    numba_threads(2)
    together = fit_and_read(container(X), variant)
    assert set(used) == {2}
    alone[-2], together[-2] = (
        part[-2].toarray() if sparse.issparse(part[-2]) else part[-2] for part in (alone, together)
    )
    assert_same_bits(together, alone)


@several_threads
@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="no fork on this system"
)
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@variants
def test_a_forked_child_fits_what_its_parent_fitted(X, variant, numba_threads):
    """The parent's threads do not exist in the child, which must make its own."""
    numba_threads(2)
    expected = fit_and_read(X, variant)
    with multiprocessing.get_context("fork").Pool(1) as pool:
        actual = pool.apply_async(fit_and_read, (X, variant)).get(timeout=PATIENCE)
    assert_same_bits(actual, expected)


@variants
def test_python_threads_fit_as_if_alone(X, variant, numba_threads):
    seeds = range(3)
    alone = [machine(random_state=seed, **variant).fit(X) for seed in seeds]
    together = threading.Barrier(3, timeout=PATIENCE)

    def fit(seed):
        together.wait()
        return machine(random_state=seed, **variant).fit(X)

    for _ in range(3):
        with ThreadPoolExecutor(3) as pool:
            for actual, expected in zip(pool.map(fit, seeds), alone, strict=True):
                assert_same_model(actual, expected)


def test_python_threads_read_one_estimator_as_if_alone(X, numba_threads):
    rbm = machine(conditional=True).fit(X)

    def read(seed):
        together.wait()
        draws = rbm.sample(9, n_gibbs_steps=2, random_state=seed)
        return rbm.transform(X), rbm.conditional_proba(X), rbm.score_samples(X), draws

    together = threading.Barrier(1)
    alone = [read(seed) for seed in (1, 2)]
    together = threading.Barrier(2, timeout=PATIENCE)
    with ThreadPoolExecutor(2) as pool:
        assert_same_bits(list(pool.map(read, (1, 2))), alone)
