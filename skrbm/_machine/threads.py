"""Threads for kernels that release the GIL; results do not depend on their number."""

import os
from concurrent.futures import ThreadPoolExecutor, wait
from functools import lru_cache
from itertools import pairwise

import numpy as np

from .._kernels import get_num_threads

#: Multiplications, roughly, that are worth a second thread: to wake it and to wait costs 0.3 ms.
WORTH_A_THREAD = 4 * 10**6


@lru_cache(maxsize=1)
def _pool(process, n_threads):
    """Threads to reuse. A forked process inherits no threads, so it starts threads of its own."""
    return ThreadPoolExecutor(n_threads, thread_name_prefix="skrbm")


def shares(cumulative_work, cost):
    """Ranges of items with nearly equal work, as many as are worth a thread.

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
    n_shares = max(1, min(get_num_threads(), int((last - first) * cost / WORTH_A_THREAD)))
    inner = np.linspace(first, last, n_shares + 1)[1:-1]
    cuts = np.searchsorted(cumulative_work, inner).tolist() if n_shares > 1 else []
    return list(pairwise([0, *cuts, len(cumulative_work) - 1]))


def in_threads(function, arguments):
    """Call ``function(*a)`` for each ``a`` of a list; it must not call ``in_threads`` itself."""
    mine, pending = list(arguments[:1]), []
    for others in arguments[1:]:
        try:
            pending.append(_pool(os.getpid(), get_num_threads()).submit(function, *others))
        except RuntimeError:  # the interpreter is about to stop, and gives no more threads
            mine.append(others)
    try:
        for own in mine:
            function(*own)
    finally:
        wait(pending)  # nobody else may still write when this call is over
    for future in pending:
        future.result()
