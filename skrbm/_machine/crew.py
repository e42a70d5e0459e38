"""The crew: threads that share the work of one kernel, and how work is cut into parts.

Kernels take microseconds in training. So helpers wait for the next job awake, but for some tens of
microseconds only (``_kernels/crew.py``). A crew works for one thread at a time. Whoever finds it
at work does without.
"""

import atexit
import os
import threading
from bisect import bisect
from collections import defaultdict
from contextlib import contextmanager
from functools import cache
from itertools import pairwise

from .._kernels import crew as kernels
from .._kernels import get_num_threads

#: Multiplications, roughly, of two, four, ... parts. A part more costs BLAS some percent, as it
#: packs its arguments for each. The sizes of the arguments decide, and not the number of threads,
#: because the last digits of BLAS's sums depend on the parts.
PARTS = (2**18, 2**25, 2**29, 2**33)

#: Multiplications that a kernel does alone in a process before the crew shares it: to compile the
#: call costs a third of a second, and to load what was compiled costs 10 ms.
WORTH_A_CREW = 2**31

#: Multiplications, roughly, of a job at most: the interpreter cannot hear Ctrl-C meanwhile.
LONGEST_JOB = 2**31

# Looks for work some 25 ns apart: longer than Python needs from one kernel to the next, and no
# longer, because somebody else may need the core.
_PATIENCE = 4000


class _Crew:
    """Helpers, for whoever is the lead.

    Parameters
    ----------
    n_helpers : int
    """

    def __init__(self, n_helpers):
        self._board = kernels.new_board(n_helpers)
        self._helpers = []
        for k in range(n_helpers):
            helper = threading.Thread(
                target=kernels.help_out, args=(self._board, k + 1, _PATIENCE), daemon=True
            )
            try:
                helper.start()
            except RuntimeError:  # the system, or an interpreter about to stop, gives no more
                break
            self._helpers.append(helper)
        atexit.register(self._call_off)

    def _call_off(self):
        """Send the helpers home: no thread may come back to an interpreter that has ended."""
        kernels.call_off(self._board)
        for helper in self._helpers:
            helper.join()

    def do(self, kernel, bounds, arguments):
        """Do a job together; whether the crew was free."""
        result = kernel.lead(self._board, bounds, _PATIENCE, *arguments)
        if result == kernels.FAILED:
            raise MemoryError("a kernel found no memory to work in")
        return result != kernels.TAKEN


_start = threading.RLock()
if hasattr(os, "register_at_fork"):  # no other thread holds it while a process forks
    os.register_at_fork(
        before=_start.acquire, after_in_parent=_start.release, after_in_child=_start.release
    )


@cache
def _crew(process, n_threads):
    """Helpers to call again. A forked process inherits no threads, and starts its own."""
    with _start:  # threads that ask at once get one crew
        return _started(process, n_threads)


@cache
def _started(process, n_threads):
    return _Crew(n_threads - 1)


_work_done = defaultdict(int)  # by kernel


class _Here(threading.local):
    """What this thread knows."""

    n_threads = None


_here = _Here()


@contextmanager
def steady():
    """Ask for Numba's number of threads once, and not again for each kernel, which takes 3 µs."""
    before, _here.n_threads = _here.n_threads, get_num_threads()
    try:
        yield
    finally:
        _here.n_threads = before


def parts_of(work):
    """How many parts work is cut into, given multiplications or what takes as long."""
    return 1 << bisect(PARTS, work)


def together(kernel, *arguments):
    """Call a divisible kernel; the crew takes part if the work is worth it."""
    n_items, work = kernel.items(*arguments), kernel.work(*arguments)
    n_parts = max(1, min(parts_of(work), n_items))
    if n_parts == 1:
        kernel.part(*arguments, 0, n_items)
        return
    bounds = kernel.bounds(n_parts, *arguments)
    n_threads, n_together, crew = _here.n_threads or get_num_threads(), n_parts, None
    _work_done[kernel] += work
    if n_threads > 1 and _work_done[kernel] > WORTH_A_CREW:
        # Nobody would ever have a part for more threads than there are parts.
        crew = _crew(os.getpid(), min(n_threads, 1 << len(PARTS)))
        n_together = max(n_threads, n_parts * LONGEST_JOB // work)
    for k in range(0, n_parts, n_together):
        job = bounds[k : k + n_together + 1]
        if crew is None or not crew.do(kernel, job, arguments):
            for first, stop in pairwise(job.tolist()):
                kernel.part(*arguments, first, stop)
