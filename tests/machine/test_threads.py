"""Work by any number of threads: the same bits, and no error lost."""

import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np
import pytest

from skrbm._machine import crew, threads
from skrbm._machine.onehot import OneHotPhases
from skrbm._machine.softmax import SoftmaxInput

from ..helpers.comparison import assert_same_bits
from ..helpers.numbers import SEED, dtypes
from ..helpers.processes import run_python
from ..helpers.softmax_layers import CATEGORIES, N_ROWS, asked, layer, rows_of_codes
from ..helpers.softmax_machines import one_hot


@pytest.fixture(name="rows")
def some_rows():
    return one_hot(rows_of_codes())


@pytest.fixture(name="use_threads")
def any_number_of_threads(monkeypatch):
    """Sets how many there are, as if every task were worth all of them."""
    monkeypatch.setattr(threads, "WORTH_A_THREAD", 1)

    def use(n_threads):
        for module in (crew, threads):
            monkeypatch.setattr(module, "get_num_threads", lambda: n_threads)

    return use


@dtypes
@pytest.mark.parametrize("conditional", [False, True])
def test_results_do_not_depend_on_the_number_of_threads(
    rows, rng, use_threads, dtype, conditional
):
    visible, weights, h = layer(rng, dtype, conditional)
    row_weights = rng.normal(size=2 * N_ROWS).astype(dtype)
    queries, _ = asked(rng, rows)

    def everything():
        fresh = rows[5:].copy()
        order = fresh.by_feature(CATEGORIES)
        drawn = visible.sample(SoftmaxInput(h[5:], weights), (SEED, 1, 2), fresh.copy())
        mean = visible.mean_rows(SoftmaxInput(h[5:], weights), fresh)
        t = visible.forward(rows, weights)
        phases = OneHotPhases(rows, visible.mean_rows(SoftmaxInput(h, weights), rows))
        return [
            *order,
            drawn.codes,
            mean.indptr,
            mean.codes,
            mean.weights,
            t,
            visible.forward(phases.both, weights),
            *visible.gradient(phases, np.vstack([h, h]), row_weights, weights),
            visible.log_conditionals(queries, t, weights),
            visible.pseudo_likelihood(rows, t, weights),
        ]

    use_threads(1)
    alone = everything()
    for n_threads in (2, 3, 7, 40):  # 40: more than there are features
        use_threads(n_threads)
        assert_same_bits(everything(), alone)


def test_shares_have_equal_work(use_threads):
    work = np.concatenate(([50], 50 + np.cumsum([10, 0, 10, 20, 1, 1, 1, 37])))
    use_threads(4)
    assert threads.shares(work, 1) == [(0, 3), (3, 4), (4, 8), (8, 8)]
    use_threads(1)
    assert threads.shares(work, 1) == [(0, 8)]
    use_threads(4)
    assert threads.shares(np.array([3, 3, 3]), 1) == [(0, 2)]


def test_every_item_is_in_one_share(use_threads, rng):
    for n_threads in (1, 2, 5, 16):
        use_threads(n_threads)
        for n_items in (1, 2, 30):
            work = np.cumsum(rng.integers(0, 3, n_items + 1))
            ranges = threads.shares(work, 1)
            assert len(ranges) <= n_threads
            assert [k for r in ranges for k in range(*r)] == list(range(n_items))


def test_small_work_stays_in_one_thread():
    before = numba.get_num_threads()
    numba.set_num_threads(numba.config.NUMBA_NUM_THREADS)
    try:
        worth = threads.WORTH_A_THREAD
        assert len(threads.shares(np.arange(1001), worth / 1001)) == 1
        n_threads = numba.get_num_threads()
        assert len(threads.shares(np.arange(1001), n_threads * worth / 1000)) == n_threads
        numba.set_num_threads(1)
        assert len(threads.shares(np.arange(1001), n_threads * worth / 1000)) == 1
    finally:
        numba.set_num_threads(before)


@pytest.fixture(name="all_threads")
def as_many_threads_as_there_can_be():
    before, most = numba.get_num_threads(), numba.config.NUMBA_NUM_THREADS
    numba.set_num_threads(most)
    yield most
    numba.set_num_threads(before)


def in_another_thread(function):
    """The result of a call in a thread of its own."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function).result()


def test_work_of_one_thread_is_limited_in_this_thread_alone(all_threads):
    work = np.arange(1001), all_threads * threads.WORTH_A_THREAD / 1000
    with threads.one_thread():
        assert numba.get_num_threads() == 1
        assert len(threads.shares(*work)) == 1
        assert in_another_thread(numba.get_num_threads) == all_threads
        assert len(in_another_thread(lambda: threads.shares(*work))) == all_threads
    assert numba.get_num_threads() == all_threads
    assert len(threads.shares(*work)) == all_threads


def test_work_of_one_thread_may_be_within_another(all_threads):
    with threads.one_thread():
        with threads.one_thread():
            assert numba.get_num_threads() == 1
        assert numba.get_num_threads() == 1
    assert numba.get_num_threads() == all_threads


def test_after_an_error_there_are_as_many_threads_as_before(all_threads):
    with pytest.raises(KeyboardInterrupt), threads.one_thread():
        raise KeyboardInterrupt
    assert numba.get_num_threads() == all_threads


@pytest.mark.parametrize("where", [0, 1, 3])
def test_an_exception_in_a_thread_is_raised_when_all_are_done(use_threads, where):
    use_threads(4)
    all_begun, done = threading.Barrier(4, timeout=60), []

    def work(k):
        all_begun.wait()
        if k == where:
            raise RuntimeError(f"in share {k}")
        done.append(k)

    with pytest.raises(RuntimeError, match=f"in share {where}"):
        threads.in_threads(work, [(k,) for k in range(4)])
    assert sorted(done) == [k for k in range(4) if k != where]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
@pytest.mark.parametrize("in_main_thread", [True, False])
def test_after_an_error_no_thread_begins_another_call(use_threads, error, in_main_thread):
    """So Ctrl-C, which the main thread alone hears, does not wait for all the work of others."""
    use_threads(2)
    both_begun, raised, begun = threading.Barrier(2, timeout=60), threading.Event(), []

    def work(k):
        begun.append(k)
        if k < 2:
            both_begun.wait()
        is_main = threading.current_thread() is threading.main_thread()
        if is_main == in_main_thread:
            raised.set()
            raise error("stop")
        assert raised.wait(60)
        time.sleep(0.01)  # the error is on its way

    with pytest.raises(error, match="stop"):
        threads.in_threads(work, [(k,) for k in range(1000)])
    assert len(begun) < 1000


def test_a_call_is_short_enough_to_hear_an_interrupt(use_threads, rng):
    """As far as items can be parted."""
    longest = threads.LONGEST_CALL
    work = np.concatenate(([0], np.cumsum(rng.integers(1, 10, 1000))))
    for n_threads in (1, 2, 5):
        use_threads(n_threads)
        for cost in (longest / work[-1] / 2, longest / 100, 10 * longest):
            ranges = threads.shares(work, cost)
            assert [k for r in ranges for k in range(*r)] == list(range(1000))
            for first, stop in ranges:
                within = (work[stop] - work[first]) * cost <= longest + 20 * cost
                assert within or stop == first + 1


@pytest.mark.parametrize("n_rows", [1, 100, 3_000])
@pytest.mark.parametrize("cost", [1.0, 1e5, 1e7, 1e10])
def test_tiles_are_all_rows_and_columns(use_threads, n_rows, cost, rng):
    costs = cost * rng.random(30)
    parts = set()
    for n_threads in (1, 3):
        use_threads(n_threads)
        columns, tiles = threads.tiles(n_rows, costs, 64)
        parts.add(tuple(columns))
        assert [i for r in columns for i in range(*r)] == list(range(30))
        for k in range(len(columns)):
            rows = [r for own, *part in tiles if own == k for r in range(*part)]
            assert rows == list(range(n_rows))
        for k, first, stop in tiles:
            work = (stop - first) * costs[slice(*columns[k])].sum()
            assert work <= 2 * threads.LONGEST_CALL or stop - first == 1
    assert len(parts) == 1


def test_shares_run_at_the_same_time(use_threads):
    """Each waits for the other."""
    use_threads(2)
    barrier = threading.Barrier(2, timeout=60)
    threads.in_threads(lambda _: barrier.wait(), [(0,), (1,)])


def test_a_thread_that_finds_no_call_left_stops(use_threads, monkeypatch):
    """Another was faster between its look at the queue and its grasp."""

    class Promising(deque):
        def __bool__(self):
            return True

    use_threads(2)
    monkeypatch.setattr(threads, "deque", Promising)
    done = []
    threads.in_threads(done.append, [(i,) for i in range(5)])
    assert sorted(done) == list(range(5))


AT_EXIT = """
import atexit
import numpy as np
from skrbm._machine import crew, threads
from tests.helpers.comparison import assert_same_bits
from tests.helpers.models import MODELS

class Pool(threads.ThreadPoolExecutor):
    refusals = 0

    def submit(self, *arguments):
        try:
            return super().submit(*arguments)
        except RuntimeError:
            Pool.refusals += 1
            raise

threads.WORTH_A_THREAD, threads.ThreadPoolExecutor = 1, Pool

def everything(model, n_threads):
    crew.get_num_threads = threads.get_num_threads = lambda: n_threads
    X, complete = model.rows(), model.complete()
    plain = {"conditional": False} if "conditional" in model.parameters else {}  # log Z exists
    rbm = model.machine(**plain).fit(X).partial_fit(X)
    H = rbm.transform(X)
    names = "free_energy", "score_samples", "score", *model.predictors
    results = [getattr(rbm, name)(X) for name in names]
    if hasattr(rbm, "recommend"):
        results += [rbm.recommend(X, 1)]
    if hasattr(rbm, "top_features"):
        results += [rbm.top_features(0)]
    gaps = complete.copy()
    gaps[0, 0] = np.nan
    ais = rbm.log_partition(method="ais", n_chains=4, n_betas=5, random_state=0)
    return results + [
        rbm.h_samples_,
        rbm.inverse_transform(H),
        rbm.reconstruct(X),
        rbm.energy(complete, np.round(H)),
        rbm.log_likelihood(complete, rbm.log_partition()),
        ais.value,
        rbm.gibbs(X, random_state=0),
        rbm.sample(5, n_gibbs_steps=2, random_state=0),
        rbm.impute(gaps, n_gibbs_steps=2, n_chains=2, random_state=0),
    ]

def check():
    for name, model in MODELS.items():
        Pool.refusals = 0
        assert_same_bits(everything(model, 3), before[name])
        print(name, Pool.refusals > 0)

atexit.register(check)
before = {name: everything(model, 1) for name, model in MODELS.items()}
"""


@pytest.mark.long
def test_everything_goes_on_while_the_interpreter_stops():
    """It starts no more threads then, and the one that is left does all the work."""
    code, output = run_python(AT_EXIT)
    assert code == 0, output
    assert output.splitlines() == [f"{name} True" for name in ("Bernoulli", "Gaussian", "softmax")]
