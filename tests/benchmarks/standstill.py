"""Computers that stand still: virtual machines are paused at times, and no clock stops.

A process that sleeps a little again and again wakes up late then. Calls in between are measured
again or, if they take long, without the pause.
"""

import atexit
import os
import subprocess
import sys
import tempfile
import time
from functools import cache

#: A sleeper waits less for its turn, however many processes are busy.
LATE = 0.2
#: Beyond so many seconds a pause, known to some hundredths of a second, is subtracted.
LONG = 2
SLEEPER = f"""
import os, time
parent, last = os.getppid(), time.perf_counter()
while os.getppid() == parent:
    time.sleep(0.02)
    now = time.perf_counter()
    if now - last > {LATE}:
        print(now - last - 0.02, flush=True)
    last = now
"""


@cache
def record():
    """The file to which a process adds the seconds of each pause."""
    file = tempfile.TemporaryFile()  # noqa: SIM115, open until this process ends
    sleeper = subprocess.Popen([sys.executable, "-c", SLEEPER], stdout=file)
    atexit.register(sleeper.kill)
    time.sleep(LATE)
    return file


def position():
    """The end of the record."""
    return os.fstat(record().fileno()).st_size


def pauses(since=0):
    """Seconds of the pauses so far, from a position in the record."""
    written = os.pread(record().fileno(), position() - since, since)
    return [float(line) for line in written.split()]


def without_pauses(measure):
    """The seconds that ``measure()`` returns, without those at which the computer stood still."""
    while True:
        since = position()
        seconds = measure()
        time.sleep(0.05)  # the sleeper writes down what it has seen
        lost = sum(pauses(since))
        if lost == 0 or seconds - lost > LONG:
            return seconds - lost


def print_pauses():
    """Say so if the computer stood still."""
    if seconds := pauses():
        print(
            f"\nThe computer stood still {len(seconds)} times, for {sum(seconds):.0f} s in all. "
            f"Calls in between were\nmeasured again; from calls of more than {LONG} s the pauses "
            "were subtracted."
        )
