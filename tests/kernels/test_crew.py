"""Kernels that a crew shares: the same bits in one thread, in parts, and by all together."""

import threading
import time
from itertools import pairwise

import numpy as np
import pytest
from numba import njit, types

from skrbm._kernels import blas, crew, onehot, onehot_rows, products, rows, units, updates

from ..helpers.comparison import assert_same_bits
from ..helpers.crews import (
    ASLEEP,
    AWAKE,
    KERNELS,
    NAMES,
    Call,
    calls,
    crew_of,
    in_parts,
    refuse_some,
    wait_at_gates,
)
from ..helpers.numbers import dtypes


def whole(kernel, arguments):
    kernel(*arguments)


def by(board, n_parts, patience=AWAKE):
    """Do a job with the helpers at a board."""

    def run(kernel, arguments):
        result = kernel.lead(board, kernel.bounds(n_parts, *arguments), patience, *arguments)
        assert result == crew.WELL

    return run


def test_every_divisible_kernel_is_tested():
    """By the calls of the helper module."""
    modules = (blas, onehot, onehot_rows, products, rows, units, updates)
    functions = [getattr(module, name) for module in modules for name in module.__all__]
    assert {f for f in functions if isinstance(f, crew.Divisible)} == KERNELS


# --- parts ------------------------------------------------------------------------------------


@pytest.mark.parametrize("work", [[0, 5, 10, 10, 10], [7, 7, 7, 90, 91], [3, 3]])
def test_parts_of_equal_work_are_of_all_items(work):
    """Also of those without work, at either end."""
    bounds = crew.of_equal_work(4, np.array(work))
    assert len(bounds) == 5
    assert bounds[0] == 0
    assert bounds[-1] == len(work) - 1
    assert (np.diff(bounds) >= 0).all()


@dtypes
@calls
@pytest.mark.parametrize("n_items", [1, 7, 33])
def test_parts_give_the_bits_of_the_whole(name, dtype, n_items):
    """However the items are cut.

    But for products of BLAS, and sums that the compiler rounds once or twice in vectors and beside
    them. So the sizes of the arguments decide how jobs are cut.
    """
    call = Call(name, dtype, n_items)
    n_items = call.n_items
    cuts = [
        [0, n_items],
        sorted({0, 1, 4, 5, 6, 17, n_items} & {*range(n_items + 1)}),  # uneven
        range(n_items + 1),  # one item each
        [0, 0, *range(n_items + 1), n_items],  # and some parts without any
    ]

    def by_cuts(kernel, arguments):
        for first, stop in pairwise(cut):
            kernel.part(*arguments, first, stop)

    expected = call.results(whole)
    assert np.isfinite(np.concatenate([out.ravel() for out in expected])).all()
    for cut in cuts:  # noqa: B007 - by_cuts reads it
        actual = call.results(by_cuts)
        if call.kernel in (blas.multiply, updates.weigh_rows):
            tolerance = 100 * np.finfo(dtype).eps
            for a, d in zip(actual, expected, strict=True):
                np.testing.assert_allclose(a, d, rtol=0, atol=tolerance)
        else:
            assert_same_bits(actual, expected)


# --- jobs -------------------------------------------------------------------------------------


@dtypes
@calls
def test_a_crew_gives_the_bits_of_the_parts(name, dtype):
    call = Call(name, dtype, 33)
    for n_helpers in (1, 3):
        with crew_of(n_helpers) as board:
            for n_parts in (1, 2, 5, 16, 33, 40):  # also more parts than items
                expected = call.results(lambda k, a, n=n_parts: in_parts(k, n, a))
                assert_same_bits(call.results(by(board, n_parts)), expected)


@pytest.mark.parametrize("n_helpers", [1, 3])
@pytest.mark.parametrize("patience", [ASLEEP, 30, AWAKE])
def test_thousands_of_jobs_in_a_row(n_helpers, patience, rng):
    """Of changing kernels, sizes and parts, by helpers who sleep at once, soon or hardly ever."""
    jobs = []
    for name in NAMES:
        for n_items in (1, 5, 40):
            call = Call(name, np.float32, n_items)
            for n_parts in (1, 2, 4, 7):
                expected = call.results(lambda k, a, n=n_parts: in_parts(k, n, a))
                jobs.append((call, n_parts, expected))
    with crew_of(n_helpers, patience) as board:
        for k in rng.integers(0, len(jobs), 4000):
            call, n_parts, expected = jobs[k]
            own = (ASLEEP, AWAKE)[k % 2]  # of the lead
            for actual, desired in zip(
                call.results(by(board, n_parts, own)), expected, strict=True
            ):
                assert actual.tobytes() == desired.tobytes()


def test_helpers_who_have_slept_long_come_back():
    call = Call("sigmoid", np.float32, 33)
    expected = call.results(lambda k, a: in_parts(k, 8, a))
    with crew_of(3, 10) as board:
        for _ in range(5):
            while not all(board[crew._THREADS + crew._SIZE * k] for k in (1, 2, 3)):
                time.sleep(0.001)
            assert_same_bits(call.results(by(board, 8)), expected)


def test_a_crew_of_one_does_all_the_work():
    call = Call("add_step", np.float32, 33)
    board = crew.new_board(0)
    expected = call.results(lambda k, a: in_parts(k, 4, a))
    assert_same_bits(call.results(by(board, 4)), expected)


def test_after_the_helpers_are_gone_the_lead_works_alone():
    call = Call("add_step", np.float32, 33)
    expected = call.results(lambda k, a: in_parts(k, 4, a))
    for patience in (ASLEEP, AWAKE):
        with crew_of(2, patience) as board:
            pass
        for _ in range(3):
            assert_same_bits(call.results(by(board, 4)), expected)


# --- kernels that wait, and kernels that fail -------------------------------------------------


@njit
def wake(board, thread):
    """Wake a thread; whether it slept."""
    asleep = crew._read(board, crew._THREADS + crew._SIZE * thread) != 0
    crew._wake(board, thread)
    return asleep


def test_the_lead_waits_for_all_parts_whoever_wakes_it():
    """A helper that was stopped after the last part of a job may wake the lead of the next."""
    gates, out = np.zeros(2, np.int64), np.zeros(8)
    with crew_of(1) as board:
        lead = threading.Thread(
            target=wait_at_gates.lead, args=(board, np.arange(9), ASLEEP, gates, out), daemon=True
        )
        lead.start()
        try:
            for _ in range(3):
                while lead.is_alive() and not wake(board, 0):
                    time.sleep(0.001)
            lead.join(0.01)
            assert lead.is_alive(), "the lead left before the last part was done"
            # Nobody else can be the lead meanwhile.
            assert refuse_some.lead(board, 2 * np.arange(9), AWAKE, 99, np.zeros(16)) == crew.TAKEN
        finally:
            gates[1] = 1
        lead.join()
    np.testing.assert_array_equal(out, 1)


@pytest.mark.parametrize("bad", [0, 3, 15])
@pytest.mark.parametrize("n_helpers", [0, 1, 3])
def test_an_error_in_a_part_is_told_and_forgotten(n_helpers, bad):
    with crew_of(n_helpers) as board:
        for _ in range(20):
            assert (
                refuse_some.lead(board, 2 * np.arange(9), AWAKE, bad, np.zeros(16)) == crew.FAILED
            )
            out = np.zeros(16)
            assert refuse_some.lead(board, 2 * np.arange(9), AWAKE, 99, out) == crew.WELL
            np.testing.assert_array_equal(out, 1)


def test_a_call_is_all_the_work():
    out = np.zeros(16)
    refuse_some(99, out)
    np.testing.assert_array_equal(out, 1)
    with pytest.raises(ValueError, match="bad item"):
        refuse_some(3, out)


def test_too_many_arguments_are_an_error(monkeypatch):
    """And do not write beyond the board."""
    monkeypatch.setattr(crew, "_divisible", [])  # warm_up shall not know of this kernel

    @crew.divisible(crew.per_number(1), nogil=True)
    def many(a, b, c, d, e, f, g, h, i, j, k, m, n, o, p, q, r, s, t, u, out, first, stop):
        out[first:stop] = 0

    arrays = [np.zeros((3, 1, 1))] * 21
    with pytest.raises(Exception, match="no room on the board"):
        many.lead(crew.new_board(0), np.array([0, 3]), 0, *arrays)


def test_calls_are_compiled_as_python_makes_them(monkeypatch):
    """Code for another type of tuple would be found on disk, but read anew at each call."""
    call = Call("center", np.float32, 33)
    call.results(whole)
    monkeypatch.setattr(crew, "_divisible", [call.kernel])  # and none that another test made
    crew.compile_leads()
    compiled = call.kernel.lead.signatures
    with crew_of(1) as board:
        call.results(by(board, 4))
    assert call.kernel.lead.signatures == compiled
    assert {type(signature[-1]) for signature in compiled} <= {types.Tuple, types.UniTuple}
