"""Run cases by hand: ``python -m tests.fuzz 4711`` one, ``python -m tests.fuzz 0 1000`` many.

The number of a case is printed before the case runs, so that it is known which one crashed.
"""

import faulthandler
import sys

from .case import check
from .promises import BrokenPromiseError

PATIENCE = 60  # seconds for one case

first = int(sys.argv[1])
stop = int(sys.argv[2]) if len(sys.argv) > 2 else first + 1
n_broken = 0
for number in range(first, stop):
    print(f"\r{number}", end="", flush=True)
    faulthandler.dump_traceback_later(PATIENCE, exit=True)
    try:
        check(number)
    except BrokenPromiseError as error:
        n_broken += 1
        if stop == first + 1:
            raise
        print(f"\n{error}", flush=True)
print(f"\n{n_broken} of {stop - first} cases broke a promise")
