"""The crew: threads that share the work of one kernel, and how work is cut into parts.

Kernels take microseconds in training. So helpers wait for the next job awake, but for some tens of
microseconds only (``_kernels/crew.py``). A crew works for one thread at a time. Whoever finds it
at work does without.
"""

import atexit
import os
import threading
import time
from bisect import bisect
from functools import cache

import numpy as np

from .._kernels import crew as kernels
from .._kernels import get_num_threads

#: Multiplications, roughly, of two, four, ... parts. A part more costs BLAS some percent, as it
#: packs its arguments for each. The sizes of the arguments decide, and not the number of threads,
#: because the last digits of BLAS's sums depend on the parts.
PARTS = (2**19, 2**25, 2**29, 2**33)

# Pauses of some 20 ns between looks for work: longer than Python needs from one kernel to the
# next, and no longer, because somebody else may need the core.
_PATIENCE = 2000
# Seconds of sleep after that, for the lead: a helper has been stopped in the middle of a part.
_NAP = 5e-5


class _Crew:
    """A lead, whoever that is, and its helpers.

    Parameters
    ----------
    n_helpers : int
    """

    def __init__(self, n_helpers):
        self._board = np.zeros(kernels.BOARD, np.int64)
        self._free = threading.Lock()
        self._calls = [threading.Semaphore(0) for _ in range(n_helpers)]
        self._asleep = [True] * n_helpers
        self._threads = [
            threading.Thread(target=self._help, args=(k,), name=f"skrbm-helper-{k}", daemon=True)
            for k in range(n_helpers)
        ]
        for thread in self._threads:
            thread.start()
        atexit.register(self._stop)

    def _help(self, k):
        while not self._board[kernels.QUIT]:
            self._calls[k].acquire()
            kernels.help_out(self._board, _PATIENCE)
            self._asleep[k] = True

    def _stop(self):
        """Send the helpers home: a thread must not come back to an interpreter that has ended."""
        self._board[kernels.QUIT] = 1
        for call in self._calls:
            call.release()
        for thread in self._threads:
            thread.join()

    def do(self, kernel, n_items, n_parts, arguments):
        """Do a job together; whether the crew was free."""
        if not self._free.acquire(blocking=False):
            return False
        try:
            for k in range(min(n_parts - 1, len(self._calls))):
                if self._asleep[k]:
                    self._asleep[k] = False
                    self._calls[k].release()
            done = False  # as long as it is not known
            done = kernel.lead(self._board, n_items, n_parts, _PATIENCE, *arguments)
        finally:
            interruption = None
            while not done:  # nobody else may still write when this call is over
                try:
                    done = kernels.finish(self._board, 1) or time.sleep(_NAP)
                except BaseException as error:
                    interruption = error
            failed, self._board[kernels.FAILED] = self._board[kernels.FAILED], 0
            self._free.release()
        if interruption is not None:
            raise interruption
        if failed:
            raise MemoryError("a kernel found no memory to work in")
        return True


@cache
def _crew(process, n_threads):
    """Helpers to call again. A forked process inherits no threads, and starts its own."""
    return _Crew(n_threads - 1)


def together(kernel, *arguments):
    """Call a divisible kernel; the crew takes part if the work is worth it."""
    n_items = kernel.items(*arguments)
    n_parts = min(1 << bisect(PARTS, kernel.work(*arguments)), max(1, n_items))
    if n_parts > 1:
        n_threads = get_num_threads()
        if n_threads > 1 and _crew(os.getpid(), n_threads).do(kernel, n_items, n_parts, arguments):
            return
    for k in range(n_parts):
        kernel.part(*arguments, n_items * k // n_parts, n_items * (k + 1) // n_parts)
