"""Work by any number of threads: the same bits, and no error lost."""

import threading

import numba
import numpy as np
import pytest

from skrbm._machine import threads
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
        monkeypatch.setattr(threads, "get_num_threads", lambda: n_threads)

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
        assert len(threads.shares(np.arange(1001), worth)) == n_threads
        numba.set_num_threads(1)
        assert len(threads.shares(np.arange(1001), worth)) == 1
    finally:
        numba.set_num_threads(before)


@pytest.mark.parametrize("where", [0, 1, 3])
def test_an_exception_in_a_thread_is_raised_when_all_are_done(use_threads, where):
    use_threads(4)
    begun, done = threading.Event(), []

    def work(k):
        if k == where:
            begun.set()
            raise RuntimeError(f"in share {k}")
        assert begun.wait(60)
        done.append(k)

    with pytest.raises(RuntimeError, match=f"in share {where}"):
        threads.in_threads(work, [(k,) for k in range(4)])
    assert sorted(done) == [k for k in range(4) if k != where]


def test_shares_run_at_the_same_time(use_threads):
    """Each waits for the other."""
    use_threads(2)
    barrier = threading.Barrier(2, timeout=60)
    threads.in_threads(lambda _: barrier.wait(), [(0,), (1,)])


AT_EXIT = """
import atexit
import numpy as np
from skrbm._machine import threads
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
    threads.get_num_threads = lambda: n_threads
    X, complete = model.rows(), model.complete()
    plain = {"conditional": False} if "conditional" in model.parameters else {}  # log Z exists
    rbm = model.machine(**plain).fit(X).partial_fit(X)
    H = rbm.transform(X)
    names = "free_energy", "score_samples", "score", *model.predictors
    results = [getattr(rbm, name)(X) for name in names]
    if hasattr(rbm, "recommend"):
        results += [rbm.recommend(X, 1), rbm.top_features(0)]
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


def test_everything_goes_on_while_the_interpreter_stops():
    """It starts no more threads then, and the one that is left does all the work."""
    code, output = run_python(AT_EXIT)
    assert code == 0, output
    assert output.splitlines() == [f"{name} True" for name in ("Bernoulli", "Gaussian", "softmax")]
