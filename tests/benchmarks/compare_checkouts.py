"""Two checkouts of the package side by side: the same bits, and the same speed?

    python tests/benchmarks/compare_checkouts.py BEFORE AFTER [--only SECTIONS] [--rounds N]

BEFORE and AFTER are folders that hold a ``skrbm`` package, such as two git worktrees. Section
``bits`` fits all models with both, and compares every fitted array and every result of a method
that both have. The other sections time both in turns, each checkout in a process of its own:
``epochs`` an epoch, with new options off; ``options`` an epoch of AFTER with centring and averages
against one of BEFORE without; ``scores`` the pseudo-likelihood of real-valued rows in one thread.
All cases set their parameters, so that other defaults change nothing. (``checkout_cases.py``)
"""

import argparse
import os
import pickle
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from checkout_cases import EPOCHS, SCORES, WITH_OPTIONS, record_bits, serve
from timing import describe_machine, figure, median, parse, table, with_minimum


def start(checkout, *arguments, variables=(), **streams):
    """This script in a process that imports the package of a checkout."""
    environment = os.environ | {"PYTHONPATH": str(Path(checkout).resolve())} | dict(variables)
    command = [sys.executable, str(Path(__file__).resolve()), *arguments]
    return subprocess.Popen(command, env=environment, text=True, cwd=checkout, **streams)


def compare_bits(options):
    """Print how many results differ, and how much."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("before", "after")]
        for checkout, path in zip((options.before, options.after), paths, strict=True):
            if start(checkout, "--record", str(path)).wait() != 0:
                raise SystemExit(f"the cases do not run in {checkout}")
        before, after = (pickle.loads(path.read_bytes()) for path in paths)
    differing = {}
    for name in before.keys() & after.keys():
        pair = before[name], after[name]
        same = [
            len(pair[0]) == len(pair[1]),
            *(
                a.dtype == b.dtype and np.array_equal(a, b, equal_nan=True)
                for a, b in zip(*pair, strict=False)
            ),
        ]
        if not all(same):
            differing[name] = max(map(difference, *pair), default=np.inf)
    print(f"\n{len(before)} results before, {len(after)} after; other bits in {len(differing)}.")
    for what, missing in (
        ("before", before.keys() - after.keys()),
        ("after", after.keys() - before.keys()),
    ):
        if missing:
            kinds = sorted({name.partition(": ")[2] for name in missing})
            print(f"Only {what}, not compared: {', '.join(kinds)} ({len(missing)} results).")
    by_method = {}
    for name, size in differing.items():
        key = name.split()[0] + name.partition(":")[2]
        by_method.setdefault(key, []).append(size)
    rows = [[key, len(sizes), figure(max(sizes))] for key, sizes in sorted(by_method.items())]
    if rows:
        print(table("Where bits differ", ["", "cases", "largest difference"], rows))
    for name in sorted(differing)[: options.show]:
        print(f"{differing[name]:.3g}  {name}")


def difference(a, b):
    """The largest difference between two arrays, relative to the largest number of the first."""
    if a.shape != b.shape:
        return np.inf
    a, b = a.astype(float), b.astype(float)
    if not np.array_equal(np.isnan(a), np.isnan(b)):
        return np.inf
    with np.errstate(invalid="ignore"):  # equal infinities
        distance = np.where(a == b, 0, np.abs(a - b))
    return float(np.nanmax(distance, initial=0) / max(np.nanmax(np.abs(a), initial=0), 1e-300))


def in_turns(options, sections, numbers, **variables):
    """For each case and checkout: seconds of all rounds, and the scores of the last.

    ``sections`` are those of the processes before and after, ``numbers`` those of the cases.
    """
    more = {"variables": variables, "stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    checkouts = zip((options.before, options.after), sections, strict=True)
    servers = [start(path, "--serve", section, **more) for path, section in checkouts]
    for k in numbers:
        seconds, scores = [[], []], [None, None]
        for r in range(options.rounds + 1):
            for which in (0, 1) if r % 2 else (1, 0):
                server = servers[which]
                server.stdin.write(f"{k}\n")
                server.stdin.flush()
                first, *rest = map(float, server.stdout.readline().split())
                seconds[which].append(first)
                scores[which] = np.array(rest)
                time.sleep(0.1)
        yield [s[1:] for s in seconds], scores
    for server in servers:
        server.stdin.close()
        server.wait()


def compare_scores(options):
    """Print the milliseconds that a row's pseudo-likelihood takes, and how far results differ."""
    one = {"NUMBA_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    rows, turns = [], in_turns(options, ("scores", "scores"), range(len(SCORES)), **one)
    for case, (seconds, scores) in zip(SCORES, turns, strict=True):
        n_features, n_components, scale, dtype = case
        before, after = ([1e3 * s / len(scores[0]) for s in column] for column in seconds)
        cells = [with_minimum(before), with_minimum(after), figure(median(before) / median(after))]
        cells += [f"{np.abs(scores[0]).max():.0f}", f"{np.abs(scores[1] - scores[0]).max():.1e}"]
        rows.append([f"{n_features} x {n_components}", scale or "fitted", dtype, *cells])
    header = ["features x hidden", "weights", "", "before", "after", "before/after"]
    header += ["largest", "difference"]
    note = "Largest: of scores, absolutely. Difference: at most. Fitted: to digits with noise."
    title = "Pseudo-likelihood, one thread: ms of processor time a row, median (minimum)"
    print(table(title, header, rows, note))


def print_epochs(title, sections, numbers, options):
    """Print the seconds of an epoch of both, in turns."""
    rows, turns = [], in_turns(options, sections, numbers)
    for k, ((before, after), _) in zip(numbers, turns, strict=True):
        name, *sizes = EPOCHS[k]
        ratio = median(after) / median(before)
        least = min(after) / min(before)
        cells = [with_minimum(before), with_minimum(after), figure(ratio), figure(least)]
        rows.append([f"{name} {sizes[0]} x {sizes[1]} x {sizes[2]}", *sizes[3:], *cells])
    header = ["", "batch", "dtype", "before, s", "after, s", "after/before", "of minima"]
    print(table(title, header, rows))


def compare_epochs(options):
    """New options off in both."""
    title = "A fit of one epoch: median (minimum)"
    print_epochs(title, ("epochs", "epochs"), range(len(EPOCHS)), options)


def compare_options(options):
    """Centring and averages on in AFTER."""
    title = "A fit of one epoch, AFTER with centring and averages: median (minimum)"
    print_epochs(title, ("epochs", "options"), WITH_OPTIONS, options)


SECTIONS = {
    "bits": compare_bits,
    "epochs": compare_epochs,
    "options": compare_options,
    "scores": compare_scores,
}


def main():
    """Run the sections asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before", nargs="?")
    parser.add_argument("after", nargs="?")
    parser.add_argument("--only", default=",".join(SECTIONS), help="sections, comma-separated")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--show", type=int, default=10, help="names of differing results to show")
    parser.add_argument("--record", help=argparse.SUPPRESS)
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    options = parse(parser)
    if options.record:
        record_bits(options.record)
    elif options.serve:
        serve(options.serve)
    elif options.after is None:
        parser.error("name two checkouts")
    else:
        print(describe_machine())
        for name in options.only.split(","):
            SECTIONS[name](options)


if __name__ == "__main__":
    main()
