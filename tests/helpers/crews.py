"""Crews to test with, and calls of every kernel that a crew can share."""

import threading
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import pytest

from skrbm._kernels import blas, crew, onehot, products, rows, units, updates
from skrbm._machine import crew as machine_crew

from . import onehot_calls
from .numbers import SEED

AWAKE, ASLEEP = 4000, 0  # looks for the next job


@contextmanager
def crew_of(n_helpers, patience=AWAKE):
    """The board of real helpers, who are gone at the end."""
    board = crew.new_board(n_helpers)
    helpers = [
        threading.Thread(target=crew.help_out, args=(board, k + 1, patience))
        for k in range(n_helpers)
    ]
    for helper in helpers:
        helper.start()
    try:
        yield board
    finally:
        crew.call_off(board)
        for helper in helpers:
            helper.join()


def in_parts(kernel, n_parts, arguments):
    """What a job does, one part after the other."""
    for first, stop in pairwise(kernel.bounds(n_parts, *arguments)):
        kernel.part(*arguments, first, stop)


def _numbers(rng, dtype, *shape):
    return rng.normal(size=shape).astype(dtype)


def _bits(rng, dtype, *shape):
    return (rng.random(shape) < 0.3).astype(dtype) * _numbers(rng, dtype, *shape)


def _rates(dtype, n):
    return [dtype(rate) for rate in (0.25, 0.3, 0.01, 0.2, 0.9)[:n]]


_KEY = SEED, 3, 2

#: By name: the kernel, and its arguments; the last ones are the outputs, as many as it says.
_CALLS = {
    "take_rows": (
        rows.take_rows,
        1,
        lambda r, t, n: [_numbers(r, t, 9, 5), r.integers(0, 9, n), _numbers(r, t, n, 5)],
    ),
    "skipping, blocks": (
        products.skipping,
        1,
        lambda r, t, n: [
            _bits(r, t, 5, 40 * n),
            _numbers(r, t, 40 * n, 6),
            np.empty((n, 5, 6), t),
        ],
    ),
    "skipping, rows": (
        products.skipping,
        1,
        lambda r, t, n: [_bits(r, t, n, 70), _numbers(r, t, 70, 6), np.empty((1, n, 6), t)],
    ),
    "skipping_transposed": (
        products.skipping_transposed,
        1,
        lambda r, t, n: [_bits(r, t, 70, n), _numbers(r, t, 70, 6), np.empty((n, 6), t)],
    ),
    "few, blocks": (
        products.few,
        1,
        lambda r, t, n: [
            _numbers(r, t, 6, 9 * n),
            _numbers(r, t, 9 * n, 37),
            np.empty((n, 6, 37), t),
        ],
    ),
    "few, rows": (
        products.few,
        1,
        lambda r, t, n: [_numbers(r, t, n, 9), _numbers(r, t, 9, 37), np.empty((1, n, 37), t)],
    ),
    "few, columns": (
        products.few,
        1,
        lambda r, t, n: [_numbers(r, t, 9, n).T, _numbers(r, t, 9, 37), np.empty((1, n, 37), t)],
    ),
    "product_with_transpose": (
        products.product_with_transpose,
        1,
        lambda r, t, n: [_numbers(r, t, 6, 37), _numbers(r, t, n, 37), np.empty((6, n), t)],
    ),
    "sigmoid": (
        units.sigmoid,
        1,
        lambda r, t, n: [_numbers(r, t, n, 7), _numbers(r, t, 7), np.empty((n, 7), t)],
    ),
    "bernoulli": (
        units.bernoulli,
        1,
        lambda r, t, n: [r.random((n, 7)).astype(t), *_KEY, np.empty((n, 7), t)],
    ),
    "bernoulli_sigmoid": (
        units.bernoulli_sigmoid,
        1,
        lambda r, t, n: [_numbers(r, t, n, 7), _numbers(r, t, 7), *_KEY, np.empty((n, 7), t)],
    ),
    "gaussian": (
        units.gaussian,
        1,
        lambda r, t, n: [
            _numbers(r, t, n, 7),
            *_numbers(r, t, 2, 7),
            *_KEY,
            np.empty((n, 7), t),
        ],
    ),
    "weigh_rows": (
        updates.weigh_rows,
        2,
        lambda r, t, n: [
            _numbers(r, t, 6, n),
            _numbers(r, t, 6),
            np.empty((6, n), t),
            np.empty(n, t),
        ],
    ),
    "weighted_sum": (
        updates.weighted_sum,
        1,
        lambda r, t, n: [_numbers(r, t, 6, n), _numbers(r, t, 6), np.empty(n, t)],
    ),
    "moments": (
        updates.moments,
        2,
        lambda r, t, n: [
            _numbers(r, t, 6, n),
            _numbers(r, t, n),
            _numbers(r, t, 6),
            *np.empty((2, n), t),
        ],
    ),
    "row_dots": (
        updates.row_dots,
        1,
        lambda r, t, n: [*_numbers(r, t, 2, n, 37), np.empty(n, t)],
    ),
    "add_step": (
        updates.add_step,
        2,
        lambda r, t, n: [_numbers(r, t, n), *_rates(t, 5), *_numbers(r, t, 2, n)],
    ),
    "add_gradient": (
        updates.add_gradient,
        1,
        lambda r, t, n: [_numbers(r, t, n), *_rates(t, 4), _numbers(r, t, n)],
    ),
    "center": (
        updates.center,
        1,
        lambda r, t, n: [*_numbers(r, t, 2, n), *_numbers(r, t, 2, 7), _numbers(r, t, n, 7)],
    ),
    "straighten": (
        updates.straighten,
        1,
        lambda r, t, n: [
            _numbers(r, t, 3 * n),
            np.arange(0, 3 * n + 1, 3),
            _numbers(r, t, 3 * n, 7),
        ],
    ),
    "project": (
        updates.project,
        2,
        lambda r, t, n: [
            _numbers(r, t, updates.BLOCK * n - 3, 7),
            _numbers(r, t, updates.BLOCK * n - 3),
            _numbers(r, t, 7),
            np.empty(updates.BLOCK * n - 3, t),
            np.empty((n, 7), t),
        ],
    ),
    "approach": (
        updates.approach,
        1,
        lambda r, t, n: [_numbers(r, t, n), t(0.3), _numbers(r, t, n)],
    ),
    "multiply, rows": (
        blas.multiply,
        1,
        lambda r, t, n: _multiplication(r, t, 16 * n - 5, 9),
    ),
    "multiply, columns": (
        blas.multiply,
        1,
        lambda r, t, n: _multiplication(r, t, 9, 16 * n - 5),
    ),
} | onehot_calls.CALLS

_INOUT = (
    onehot.gather,
    updates.add_step,
    updates.add_gradient,
    updates.approach,
    updates.center,
    updates.straighten,
)


def _multiplication(rng, dtype, n, m):
    left, right = _numbers(rng, dtype, n, 8), _numbers(rng, dtype, m, 8)
    address = blas.ADDRESSES[np.dtype(dtype).char]
    return [address, left, False, right, True, np.empty((n, m), dtype)]


class Call:
    """A call of a kernel; each run begins with the same numbers, and NaN for what is written."""

    def __init__(self, name, dtype, n_items, seed=0):
        self.kernel, self.n_outputs, arguments = _CALLS[name]
        self._arguments = arguments(np.random.default_rng(seed), dtype, n_items)
        self.n_items = self.kernel.items(*self._arguments)

    def arguments(self):
        """New ones."""
        n_inputs = len(self._arguments) - self.n_outputs
        outputs = [output.copy() for output in self._arguments[n_inputs:]]
        if self.kernel not in _INOUT:
            for output in outputs:
                output[...] = np.nan if output.dtype.kind == "f" else 7
        return [*self._arguments[:n_inputs], *outputs]

    def results(self, run):
        """The outputs after ``run(kernel, arguments)``."""
        arguments = self.arguments()
        run(self.kernel, arguments)
        return arguments[-self.n_outputs :]


#: Runs a test on a call of every kernel, as ``name``.
calls = pytest.mark.parametrize("name", _CALLS)
NAMES = tuple(_CALLS)
KERNELS = {kernel for kernel, *_ in _CALLS.values()}


@crew.divisible(crew.per_number(1), nogil=True)
def wait_at_gates(gates, out, first, stop):
    """The first item waits for the last to begin, and the last until gate 1 is open."""
    for i in range(first, stop):
        if i == out.shape[0] - 1:
            crew._write(gates, 0, 1)
        if i in (0, out.shape[0] - 1):
            while crew._read(gates, 0 if i == 0 else 1) == 0:
                crew._pause()
        out[i] = 1


@crew.divisible(crew.per_number(1), nogil=True)
def refuse_some(bad, out, first, stop):
    """An error at a bad item."""
    for i in range(first, stop):
        if i == bad:
            raise ValueError("bad item")
        out[i] = 1


@contextmanager
def always_a_crew(monkeypatch, n_threads, parts=(0, 2**10, 2**14)):
    """The least work is shared by so many threads; yields the jobs of the crew, as they come."""
    jobs, do = [], machine_crew._Crew.do

    def record(self, kernel, *arguments):
        done = do(self, kernel, *arguments)
        if done:
            jobs.append(kernel)
        return done

    with monkeypatch.context() as patch:
        patch.setattr(machine_crew, "PARTS", parts)
        patch.setattr(machine_crew, "WORTH_A_CREW", 0)
        patch.setattr(machine_crew, "get_num_threads", lambda: n_threads)
        patch.setattr(machine_crew._Crew, "do", record)
        yield jobs
