"""The crew at the end of a process, in forked children, and after Ctrl-C."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from ..helpers.callbacks import needs_callbacks
from ..helpers.processes import PACKAGE, run_python

FIT = """
import atexit, os, sys, threading

def tell():  # after the handlers of all who were imported later
    others = [t.name for t in threading.enumerate() if t is not threading.main_thread()]
    print("alive:", others, flush=True)

atexit.register(tell)
import numpy as np
from skrbm import BernoulliRBM, GaussianBernoulliRBM
from skrbm._machine import blas, crew
from tests.helpers.comparison import assert_same_model

crew.get_num_threads = lambda: 3
crew.WORTH_A_CREW = 0
X = (np.random.default_rng(0).random((200, 64)) < 0.5).astype(float)

def fit(n_iter=2, callback=None):
    rbm = BernoulliRBM(n_components=64, batch_size=100, n_iter=n_iter, random_state=0)
    if callback is not None:
        rbm.set_callbacks(callback)
    return rbm.fit(X)

"""
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")


@needs_callbacks
def test_a_process_may_leave_in_the_middle_of_a_fit():
    leave = """
from tests.helpers.callbacks import Hook
fit(10**6, Hook(lambda *_: sys.exit(7)))
"""
    code, output = run_python(FIT + leave)
    assert code == 7, output
    assert output.splitlines() == ["alive: []"]


@pytest.mark.long
def test_a_process_may_end_while_a_daemon_fits():
    """The interpreter stops the daemon wherever it is; the helpers have gone before."""
    end = """
fit()
daemon = threading.Thread(target=fit, args=(10**6,), daemon=True, name="daemon")
daemon.start()
before = crew._crew(os.getpid(), 3)._board[0]
while crew._crew(os.getpid(), 3)._board[0] == before:
    pass
"""
    code, output = run_python(FIT + end)
    assert code == 0, output
    assert output.splitlines() == ["alive: ['daemon']"]


@pytest.mark.long
def test_a_crew_can_begin_while_the_interpreter_stops():
    code, output = run_python(FIT + "atexit.register(fit)")
    assert code == 0, output
    assert "Traceback" not in output


def test_no_thread_outlives_the_exit_handlers():
    """Of the process or of a child that it spawns, which has a crew of its own."""
    spawn = """
import subprocess
fit()
print(threading.active_count(), flush=True)
if len(sys.argv) == 1:
    done = subprocess.run([sys.executable, "-c", sys.orig_argv[2], "child"])
    print(done.returncode)
"""
    code, output = run_python(FIT + spawn)
    assert code == 0, output
    assert output.splitlines() == ["3", "3", "alive: []", "0", "alive: []"]


@pytest.mark.long
@needs_fork
def test_a_forked_child_starts_a_crew_and_is_within_no_product():
    """Whatever its parent's threads did: they do not exist in the child."""
    fork = """
import signal, warnings
warnings.simplefilter("ignore")  # Python 3.12 warns of each fork beside threads
expected = fit()
limits = [get() for get, _ in blas.libraries()]
inside, leave = threading.Event(), threading.Event()

def product():
    with blas.OneThread(), blas.OneThread._lock:
        inside.set()
        leave.wait()

other = threading.Thread(target=product)
other.start()
inside.wait()
for way_out in (os._exit, sys.exit):
    child = os.fork()
    if child == 0:
        signal.alarm(120)  # whoever waits for a lock of the parent fails
        assert [get() for get, _ in blas.libraries()] == limits
        assert_same_model(fit(), expected)
        assert [get() for get, _ in blas.libraries()] == limits
        assert crew._crew(os.getpid(), 3)._board[0] != 0
        way_out(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
leave.set()
other.join()
assert [get() for get, _ in blas.libraries()] == limits
assert_same_model(fit(), expected)
"""
    code, output = run_python(FIT + fork, OPENBLAS_NUM_THREADS="2")
    assert code == 0, output
    assert output.splitlines() == ["0", "alive: []", "0", "alive: []"]


@pytest.mark.long
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers on this system")
def test_ctrl_c_at_any_moment_does_no_damage():
    """Hundreds of times during jobs and products: the crew is free, and BLAS as it was.

    Not in the process of the tests: the measurement of coverage would not survive it.
    """
    interrupt = """
import signal
from skrbm._kernels import updates

def interrupt(*_):
    raise KeyboardInterrupt

def work():
    crew.together(updates.weighted_sum, a, a[0], total)
    return blas.multiply(a, a)

limits = [get() for get, _ in blas.libraries()]
signal.signal(signal.SIGALRM, interrupt)
crew.PARTS = (0, 2**10)
a, total, n_interrupts = np.ones((40, 40)), np.empty(40), 0
work()
for seconds in np.random.default_rng(0).uniform(2e-5, 1e-3, 600):
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        while True:
            work()
    except KeyboardInterrupt:
        n_interrupts += 1
before = crew._crew(os.getpid(), 3)._board[0]
assert (work() == 40).all() and (total == 40).all()
assert crew._crew(os.getpid(), 3)._board[0] > before + 2**32, "both were jobs of the crew"
assert [get() for get, _ in blas.libraries()] == limits
print(n_interrupts, flush=True)
"""
    code, output = run_python(FIT + interrupt, OPENBLAS_NUM_THREADS="2")
    assert code == 0, output
    assert output.splitlines() == ["600", "alive: []"]


@pytest.mark.skipif(os.name == "nt", reason="no SIGINT for others on this system")
def test_ctrl_c_in_a_fit_is_heard_and_leaves_all_whole():
    interrupted = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # the parent may ignore it
expected = fit()
limits = [get() for get, _ in blas.libraries()]
for _ in range(20):
    try:
        print("begin", flush=True)
        fit(10**6)
    except KeyboardInterrupt:
        pass
assert [get() for get, _ in blas.libraries()] == limits
assert_same_model(fit(), expected)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", FIT + interrupted],
        env=os.environ | {"PYTHONPATH": str(PACKAGE.parent), "OPENBLAS_NUM_THREADS": "2"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        watchdog = threading.Timer(120, process.kill)  # a signal that is not heard would hang us
        watchdog.start()
        for _ in range(20):
            assert process.stdout.readline() == "begin\n"
            time.sleep(0.02)
            process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
        watchdog.cancel()
    assert process.returncode == 0, output
    assert output.splitlines() == ["alive: []"]
