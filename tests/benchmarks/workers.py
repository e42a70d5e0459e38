"""Processes that time cases for a benchmark, and what disturbs or confines them."""

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from standstill import without_pauses
from timing import PAUSE

#: Ends with the process that started it, should that one be killed.
LOOP = """
import os
parent = os.getppid()
while os.getppid() == parent:
    for _ in range(100_000):
        pass
"""
#: What a worker does before it imports anything: this confines all its threads.
ON_ONE_CPU = "import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])"
#: Files of a control group of one CPU: version 1, then version 2.
QUOTAS = {
    "/sys/fs/cgroup/cpu": {"cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": "100000"},
    "/sys/fs/cgroup": {"cpu.max": "100000 100000"},
}


def run_python(code, checkout=None, variables=(), **streams):
    """A started process whose code imports these modules, and the package of a checkout."""
    paths = [Path(__file__).parent, *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    if checkout is not None:
        if not (Path(checkout) / "skrbm" / "__init__.py").exists():
            raise SystemExit(f"{checkout} is no checkout: it holds no package skrbm")
        paths.insert(0, Path(checkout).resolve())
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, paths))} | dict(variables)
    return subprocess.Popen([sys.executable, "-P", "-c", code], env=environment, **streams)


class Worker:
    """A process that times the cases of a section of ``timed_cases.py``; a context manager."""

    def __init__(self, section, checkout=None, prepare="", **variables):
        code = f"{prepare}\nfrom timed_cases import serve\nserve({section!r})"
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = run_python(code, checkout, variables, **pipes)

    def ask(self, case, **request):
        """What the worker says of a case: ``seconds``, or an ``error``."""
        self.process.stdin.write(json.dumps({"case": case} | request) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"The process that timed {case!r} ended.")
        return json.loads(answer)

    def seconds(self, case, **request):
        """Seconds of a case, of a time at which the computer did not stand still."""
        return without_pauses(lambda: self.ask(case, **request)["seconds"])

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def in_turns(workers, case, rounds, **request):
    """Seconds of all rounds of each worker, and its first answer, that of a call to warm up."""
    answers = [worker.ask(case, **request) for worker in workers]
    seconds = [[] for _ in workers]
    if any("error" in answer for answer in answers):
        return seconds, answers
    for r in range(rounds):
        for k in range(len(workers)) if r % 2 else reversed(range(len(workers))):
            time.sleep(PAUSE)
            seconds[k].append(workers[k].seconds(case, **request))
    return seconds, answers


@contextmanager
def busy_processes(number):
    """So many processes that each want one CPU."""
    loops = []
    try:
        for _ in range(number):
            loops.append(subprocess.Popen([sys.executable, "-c", LOOP]))
        time.sleep(2 * PAUSE if loops else PAUSE)
        yield
    finally:
        for loop in loops:
            loop.kill()
        for loop in loops:
            loop.wait()


@contextmanager
def quota_of_one_cpu():
    """What a worker does to enter a control group of one CPU; None where none can be made.

    Its processes get a tenth of a second of all CPUs together in each tenth of a second.
    """
    for root, settings in QUOTAS.items():
        group = Path(root) / f"skrbm-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            # Files are only opened, never made: a folder that is no control group has none.
            for name, value in settings.items():
                with open(group / name, "r+") as file:
                    file.write(value)
        except OSError:
            group.rmdir()
            continue
        try:
            yield f"import os; open({str(group / 'cgroup.procs')!r}, 'w').write(str(os.getpid()))"
        finally:
            leave(group)
        return
    yield None


def leave(group):
    """Remove a control group, whose processes may take a moment to end."""
    for _ in range(20):
        try:
            return group.rmdir()
        except OSError:
            time.sleep(PAUSE)
    return print(f"{group} could not be removed.")
