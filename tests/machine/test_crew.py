"""Work that is shared: who takes part, how work is cut, and what goes wrong."""

import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skrbm._kernels import updates
from skrbm._machine import crew

from ..helpers.comparison import assert_same_bits
from ..helpers.crews import NAMES, Call, always_a_crew, refuse_some, wait_at_gates
from ..helpers.numbers import dtypes


def together(kernel, arguments):
    crew.together(kernel, *arguments)


def test_work_is_cut_by_its_size_alone():
    first, second, *_ = crew.PARTS
    assert crew.parts_of(0) == crew.parts_of(first - 1) == 1
    assert crew.parts_of(first) == crew.parts_of(second - 1) == 2
    assert crew.parts_of(second) == 4
    assert crew.parts_of(2**60) == 16


@dtypes
@pytest.mark.parametrize("name", NAMES)
def test_the_number_of_threads_changes_no_bit(name, dtype, monkeypatch):
    call = Call(name, dtype, 33)
    with always_a_crew(monkeypatch, 1) as jobs:
        expected = call.results(together)
        assert not jobs
    for n_threads in (2, 3, 5):
        with always_a_crew(monkeypatch, n_threads) as jobs:
            assert_same_bits(call.results(together), expected)
            assert jobs == [call.kernel]


@pytest.mark.parametrize(("longest", "n_jobs"), [(1, 4), (33 * 7 * 18 // 2, 2), (10**9, 1)])
def test_long_work_is_several_jobs(longest, n_jobs, monkeypatch):
    """Between which the interpreter hears Ctrl-C; the parts stay the same."""
    call = Call("sigmoid", np.float32, 33)
    monkeypatch.setattr(crew, "LONGEST_JOB", longest)
    with always_a_crew(monkeypatch, 1, parts=(0, 1, 2)):
        expected = call.results(together)
    with always_a_crew(monkeypatch, 2, parts=(0, 1, 2)) as jobs:
        assert_same_bits(call.results(together), expected)
        assert jobs == n_jobs * [call.kernel]


def test_small_work_is_one_call(monkeypatch):
    call = Call("sigmoid", np.float32, 33)
    with always_a_crew(monkeypatch, 2, parts=crew.PARTS) as jobs:
        call.results(together)
        assert not jobs


def test_work_on_nothing_is_no_error(monkeypatch):
    with always_a_crew(monkeypatch, 2):
        crew.together(refuse_some, 0, np.empty(0))


def test_helpers_are_called_again_until_they_are_called_off():
    assert crew._crew(0, 3) is crew._crew(0, 3)
    helpers = crew._crew(0, 3)._helpers
    assert [helper.is_alive() for helper in helpers] == [True, True]
    assert all(helper.daemon for helper in helpers)
    for _ in range(2):  # the handler at exit does so again
        crew._crew(0, 3)._call_off()
        assert not any(helper.is_alive() for helper in helpers)


# --- several leads ----------------------------------------------------------------------------


def test_whoever_finds_the_crew_at_work_does_without(monkeypatch):
    call = Call("sigmoid", np.float32, 33)
    gates, out = np.zeros(2, np.int64), np.zeros(8)
    with always_a_crew(monkeypatch, 2) as jobs:
        expected = call.results(together)
        jobs.clear()
        lead = threading.Thread(target=crew.together, args=(wait_at_gates, gates, out))
        lead.start()
        try:
            while gates[0] == 0:
                time.sleep(0.001)
            assert_same_bits(call.results(together), expected)
            assert not jobs
        finally:
            gates[1] = 1
            lead.join()
        assert jobs == [wait_at_gates]
    assert_array_equal(out, 1)


def test_jobs_of_many_threads_at_once(monkeypatch):
    calls = [Call(name, np.float32, 40) for name in NAMES]
    with always_a_crew(monkeypatch, 1):
        expected = [call.results(together) for call in calls]
    begin = threading.Barrier(4, timeout=60)

    def work(seed):
        begin.wait()
        for k in np.random.default_rng(seed).integers(0, len(calls), 300):
            for actual, desired in zip(calls[k].results(together), expected[k], strict=True):
                assert actual.tobytes() == desired.tobytes()

    with always_a_crew(monkeypatch, 3) as jobs, ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert jobs


# --- the number of threads --------------------------------------------------------------------


def test_who_is_steady_asks_once_for_the_number_of_threads(monkeypatch):
    asked, call = [], Call("sigmoid", np.float32, 33)

    def get_num_threads():
        asked.append(threading.get_ident())
        return 2

    with always_a_crew(monkeypatch, 2):
        monkeypatch.setattr(crew, "get_num_threads", get_num_threads)
        with crew.steady():
            with crew.steady():
                call.results(together)
            call.results(together)
            assert len(asked) == 2
            other = threading.Thread(target=call.results, args=(together,))
            other.start()
            other.join()
            assert len(asked) == 3
        with pytest.raises(KeyboardInterrupt), crew.steady():
            raise KeyboardInterrupt
        asked.clear()
        call.results(together)
        assert len(asked) == 1


def test_without_new_threads_the_work_is_done_all_the_same(monkeypatch):
    """Where the system, or an interpreter that is about to stop, gives none."""

    def refuse(self):
        raise RuntimeError("can't create new thread at interpreter shutdown")

    call = Call("sigmoid", np.float32, 33)
    forget_crews()
    with always_a_crew(monkeypatch, 1):
        expected = call.results(together)
    with always_a_crew(monkeypatch, 3), monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        for _ in range(3):
            assert_same_bits(call.results(together), expected)
    forget_crews()


def forget_crews():
    for made in (crew._crew, crew._started):
        made.cache_clear()


def test_no_crew_is_larger_than_the_number_of_parts(monkeypatch):
    """On a computer of many CPUs."""
    call, sizes = Call("sigmoid", np.float32, 33), []

    class Crew:
        def __init__(self, n_helpers):
            sizes.append(n_helpers)

        def do(self, *arguments):
            return True

    with always_a_crew(monkeypatch, 64), monkeypatch.context() as patch:
        patch.setattr(crew, "_crew", lambda process, n_threads: Crew(n_threads - 1))
        call.results(together)
    assert sizes == [2 ** len((0, 2**10, 2**14)) - 1]


def test_threads_that_ask_at_once_get_one_crew(monkeypatch):
    """And do not start helpers each, most of whom nobody would ever call."""
    made, begin = [], threading.Barrier(8, timeout=60)

    class Crew:
        def __init__(self, n_helpers):
            made.append(self)
            time.sleep(0.05)

    def ask(_):
        begin.wait()
        return crew._crew(-1, 3)

    with monkeypatch.context() as patch, ThreadPoolExecutor(8) as pool:
        patch.setattr(crew, "_Crew", Crew)
        found = {*pool.map(ask, range(8))}
    forget_crews()
    assert found == {*made}
    assert len(made) == 1


# --- what goes wrong --------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [0, 7, 15])
def test_an_error_in_a_part_is_an_error(monkeypatch, bad):
    out = np.zeros(16)
    with always_a_crew(monkeypatch, 3) as jobs:
        for _ in range(10):
            with pytest.raises(MemoryError, match="no memory"):
                crew.together(refuse_some, bad, out)
            jobs.clear()
            out[...] = 0
            crew.together(refuse_some, 99, out)
            assert_array_equal(out, 1)
            assert jobs == [refuse_some]


def test_a_crew_is_called_for_kernels_that_have_work(monkeypatch, rng):
    """To compile the call takes longer than a small fit."""
    jobs, do = [], crew._Crew.do

    def record(self, kernel, *arguments):
        jobs.append(kernel)
        return do(self, kernel, *arguments)

    monkeypatch.setattr(crew._Crew, "do", record)
    monkeypatch.setattr(crew, "get_num_threads", lambda: 2)
    monkeypatch.setattr(crew, "WORTH_A_CREW", 10**6)
    monkeypatch.setattr(crew, "_work_done", defaultdict(int))
    rows, weights, total = rng.normal(size=(400, 250)), np.ones(400), np.empty(250)
    work = updates.weighted_sum.work(rows, weights, total)
    for k in range(1, 6):
        crew.together(updates.weighted_sum, rows, weights, total)
        assert bool(jobs) == (k * work > 10**6)
    assert jobs
