"""What the benchmarks share: the machine described, timing in turns, memory, tables."""

import argparse
import ctypes
import gc
import os
import platform
import sys
import time
import tracemalloc
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import scipy.linalg  # noqa: F401, loads SciPy's BLAS, which is described too
from standstill import print_pauses, without_pauses
from threadpoolctl import threadpool_info

PACKAGES = ("skrbm", "numpy", "scipy", "scikit-learn", "numba", "torch")
#: With these, OpenBLAS runs other kernels than on a user's machine. NumPy's loading reads them.
KERNEL_VARIABLES = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
#: Long enough for the waiting threads of the last competitor's BLAS to go to sleep.
PAUSE = 0.1


def cpu_model():
    """Name of the processor."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def describe_machine():
    """Lines on the processor, the versions and the BLAS libraries that figures depend on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = (
        f", load average {os.getloadavg()[0]:.1f} at the start"
        if hasattr(os, "getloadavg")
        else ""
    )
    rows = [("CPU", f"{cpu_model()}, {cores} cores{load}"), ("Python", platform.python_version())]
    for package in PACKAGES:
        try:
            rows.append((package, version(package)))
        except PackageNotFoundError:
            rows.append((package, "not installed"))
    for pool in threadpool_info():
        library = f"{pool['internal_api']} {pool['version'] or ''}".strip()
        threads = f"{pool['num_threads']} threads ({Path(pool['filepath']).parent.name})"
        if pool["user_api"] == "blas":
            why = "as --kernels says" if "OPENBLAS_CORETYPE" in os.environ else "as it chooses"
            kernels = f"{pool.get('architecture', 'unknown')} kernels, {why}"
            rows.append(("BLAS", f"{library}, {kernels}, {threads}"))
        else:
            rows.append((pool["user_api"], f"{library}, {threads}"))
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)


def turn_order(names, round_number):
    """Names in the order of their turns: each round starts with another one.

    So a drift of the machine's speed, or what the predecessor leaves behind, meets all alike.
    """
    names = list(names)
    first = round_number % len(names)
    return names[first:] + names[:first]


def seconds_of(function):
    """Seconds of a call."""
    begin = time.perf_counter()
    function()
    return time.perf_counter() - begin


def take_turns(competitors, rounds):
    """Seconds of each call of the competitors, a dict of functions; one warm-up call of each."""
    for function in competitors.values():
        function()
    seconds = {name: [] for name in competitors}
    for r in range(rounds):
        for name in turn_order(competitors, r):
            time.sleep(PAUSE)
            seconds[name].append(without_pauses(partial(seconds_of, competitors[name])))
    return seconds


def median(seconds):
    """Median; nothing for a competitor that did not run."""
    return float(np.median(seconds)) if seconds else None


def figure(value, form=".3g"):
    """A number as the tables show it; what is missing is a dash."""
    return "-" if value is None else f"{value:{form}}"


def with_minimum(seconds):
    """Median and, in brackets, minimum."""
    return f"{median(seconds):.3f} ({min(seconds):.3f})" if seconds else "-"


def ratio(seconds, other_seconds):
    """Ratio of the medians."""
    return median(seconds) / median(other_seconds) if seconds and other_seconds else None


def verdict(value, at_least=None, at_most=None):
    """Whether a figure meets its target."""
    if value is None or (at_least is None and at_most is None):
        return "-"
    return "yes" if (value >= at_least if at_most is None else value <= at_most) else "NO"


def table(title, header, rows, note=""):
    """A titled table as text: the first column flush left, the others flush right."""
    cells = [[str(cell) for cell in row] for row in [header, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    lines = [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
    rule = "  ".join("-" * width for width in widths)
    return "\n".join(["", title, "", lines[0], rule, *lines[1:], *([note] if note else [])])


def in_fresh_process(function, *args):
    """What ``function(*args)`` returns in a new Python process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *args).result()


def process_memory(field):
    """A figure of /proc/self/status in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return 1024 * int(line.split()[1])
    raise KeyError(field)


def resident_peak(function):
    """Bytes by which a call raises the resident memory of this process at its highest.

    None where the system cannot reset the high-water mark. Linux counts it to about 0.5 MB.
    """
    if not sys.platform.startswith("linux"):
        return None
    gc.collect()
    if hasattr(ctypes.CDLL(None), "malloc_trim"):
        ctypes.CDLL(None).malloc_trim(0)  # memory freed earlier must not hide new one
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return None
    before = process_memory("VmRSS")
    keep = function()
    peak = process_memory("VmHWM") - before
    del keep
    return peak


def traced_peak(function):
    """Bytes that a call allocates at its highest by Python and NumPy, without BLAS's own."""
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    keep = function()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del keep
    return peak - before


def parse(parser):
    """Options of a script, in a process where OpenBLAS runs the kernels that they name.

    These are the kernels of a user's machine unless ``--kernels`` says otherwise. OpenBLAS has
    read its variables by now: where they say something else, the script starts again.
    """
    parser.add_argument(
        "--kernels", help="OpenBLAS's kernels, such as Haswell (default: for this processor)"
    )
    options = parser.parse_args()
    wanted = {"OPENBLAS_CORETYPE": options.kernels} if options.kernels else {}
    found = {name: os.environ[name] for name in KERNEL_VARIABLES if name in os.environ}
    if found != wanted:
        others = {k: value for k, value in os.environ.items() if k not in KERNEL_VARIABLES}
        for word, variables in (("without", found), ("with", wanted)):
            for name, value in variables.items():
                print(f"Started again {word} {name}={value}.", flush=True)
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], others | wanted)
    pools = [pool for pool in threadpool_info() if pool["internal_api"] == "openblas"]
    running = {str(pool.get("architecture")).lower() for pool in pools}
    if options.kernels and running != {options.kernels.lower()}:
        parser.error(f"--kernels {options.kernels}: OpenBLAS runs {', '.join(running) or 'not'}")
    return options


def chosen(parser, options, sections):
    """The names after ``--only``, each of which is one of the sections."""
    names = options.only.split(",")
    if unknown := set(names) - set(sections):
        parser.error(f"there is no {', '.join(unknown)}, but {', '.join(sections)}")
    return names


def run_sections(sections, description, add_arguments=lambda parser: None):
    """The command line of a benchmark: run the sections, a dict of functions, asked for."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="small sizes, one round")
    parser.add_argument("--rounds", type=int, help="rounds per comparison (default 5)")
    parser.add_argument("--only", default=",".join(sections), help="sections, comma-separated")
    add_arguments(parser)
    options = parse(parser)
    names = chosen(parser, options, sections)
    options.rounds = options.rounds or (1 if options.quick else 5)
    print(describe_machine())
    print(f"\nRounds: {options.rounds}{'; quick, not a measurement' if options.quick else ''}")
    for name in names:
        sections[name](options)
    print_pauses()


def parsed(parser, sections, n_units=8):
    """Options of a study: ``names`` of sections, ``limits`` of a quick run, annealing's ``sizes``.

    The computer is described. Of fewer ``n_units`` and epochs the reader is told.
    """
    options = parse(parser)
    options.names = chosen(parser, options, sections)
    options.limits = {"n_components": n_units, "n_iter": 2} if options.quick else {}
    options.sizes = {"n_chains": 20, "n_betas": 200} if options.quick else {}
    given = {name: getattr(options, name, None) for name in ("n_chains", "n_betas")}
    options.sizes |= {name: number for name, number in given.items() if number}
    print(describe_machine())
    if options.quick:
        print(f"\nQuick: {n_units} hidden units, 2 epochs, few rows; not a measurement.")
    return options
