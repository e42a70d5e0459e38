"""Threads for kernels that release the GIL; results do not depend on their number."""

import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import lru_cache
from itertools import pairwise

import numpy as np

from .._kernels import get_num_threads, set_num_threads

#: Multiplications, roughly, that are worth a second thread: to wake it and to wait costs 0.3 ms.
WORTH_A_THREAD = 4 * 10**6
#: Multiplications, roughly, of a call at most: the interpreter cannot hear Ctrl-C meanwhile.
LONGEST_CALL = 2**28
#: Multiplications that take as long as two softplus functions.
COST_OF_SOFTPLUS = 200


@contextmanager
def one_thread():
    """Work of one thread: who calls has other work for the other cores."""
    before = get_num_threads()
    set_num_threads(1)  # of this thread, and of no other
    try:
        yield
    finally:
        set_num_threads(before)


@lru_cache(maxsize=1)
def _pool(process, n_threads):
    """Threads to reuse. A forked process inherits no threads, so it starts threads of its own."""
    return ThreadPoolExecutor(n_threads, thread_name_prefix="skrbm")


def shares(cumulative_work, cost):
    """Ranges of items with nearly equal work: one for each thread that is worth it, or more.

    There are more where a thread would not come back to the interpreter for long.

    Parameters
    ----------
    cumulative_work : ndarray of shape (n_items + 1,)
        Work of all items before each.
    cost : float
        Multiplications, or what takes as long, per unit of work.

    Returns
    -------
    ranges : list of (first, stop)
    """
    first, last = int(cumulative_work[0]), int(cumulative_work[-1])
    work = (last - first) * cost
    n_threads = max(1, min(get_num_threads(), int(work / WORTH_A_THREAD)))
    n_shares = n_threads * max(1, -(-work // (n_threads * LONGEST_CALL)))
    n_shares = min(int(n_shares), max(n_threads, len(cumulative_work) - 1))
    inner = np.linspace(first, last, n_shares + 1)[1:-1]
    cuts = np.searchsorted(cumulative_work, inner).tolist() if n_shares > 1 else []
    return list(pairwise([0, *cuts, len(cumulative_work) - 1]))


def tiles(n_rows, costs, n_together):
    """Ranges of rows and of columns as ``shares``, of work that each column does for each row.

    The columns are cut only if they are so many that the work on few rows takes long.

    Parameters
    ----------
    n_rows : int
    costs : ndarray of shape (n_columns,)
        Multiplications, or what takes as long, of one row.
    n_together : int
        Number of rows below which one call would do work in vain.

    Returns
    -------
    columns : list of (first, stop)
        They depend neither on the number of threads nor on the number of rows.
    tiles : list of (k, first, stop)
        Ranges of rows, for the k-th range of columns.
    """
    total = np.concatenate(([0.0], np.cumsum(costs)))
    n_parts = min(len(costs), int(-(-n_together * total[-1] // LONGEST_CALL)))
    inner = np.linspace(0, total[-1], max(1, n_parts) + 1)[1:-1]
    cuts = np.unique([0, *np.searchsorted(total, inner), len(costs)]).tolist()
    columns, rows = list(pairwise(cuts)), np.arange(n_rows + 1)
    return columns, [
        (k, *part)
        for k, (first, stop) in enumerate(columns)
        for part in shares(rows, total[stop] - total[first])
    ]


def in_threads(function, arguments):
    """Call ``function(*a)`` for each ``a`` of a list; it must not call ``in_threads`` itself.

    After an error, or Ctrl-C in the main thread, no thread begins another call.
    """
    todo, pending = deque(arguments), []

    def work():
        try:
            while todo:
                try:
                    own = todo.popleft()
                except IndexError:  # another thread was faster
                    break
                function(*own)
        except BaseException:
            todo.clear()
            raise

    try:
        for _ in range(min(len(arguments), get_num_threads()) - 1):
            try:
                pending.append(_pool(os.getpid(), get_num_threads()).submit(work))
            except RuntimeError:  # the interpreter is about to stop, and gives no more threads
                break
        work()
    finally:
        todo.clear()
        wait(pending)  # nobody else may still write when this call is over
    for future in pending:
        future.result()
