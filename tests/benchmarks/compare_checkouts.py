"""Two checkouts of the package side by side: the same bits, and the same speed?

    python tests/benchmarks/compare_checkouts.py BEFORE AFTER [--only SECTIONS] [--rounds N]

BEFORE and AFTER are folders that hold a ``skrbm`` package, such as two git worktrees. Section
``bits`` fits all models with both, and compares every fitted array and every result of a method
that both have. The other sections time both in turns, each checkout in a process of its own:
``epochs`` an epoch, with new options off; ``options`` an epoch of AFTER with centring and averages
against one of BEFORE without; ``scores`` the pseudo-likelihood of real-valued rows in one thread.
All cases set their parameters, so that other defaults change nothing. ``compare_speed.py`` times
more, in shorter forms.
"""

import argparse
import pickle
import tempfile
from pathlib import Path

import numpy as np
from standstill import print_pauses
from timed_cases import EPOCHS, SCORES, WITH_OPTIONS
from timing import chosen, describe_machine, figure, parse, ratio, table, with_minimum
from workers import Worker, in_turns, run_python


def compare_bits(options):
    """Print how many results differ, and how much."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("before", "after")]
        for checkout, path in zip((options.before, options.after), paths, strict=True):
            code = f"from checkout_cases import record_bits; record_bits({str(path)!r})"
            if run_python(code, checkout).wait() != 0:
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


def compare_scores(options):
    """Print the milliseconds that a row's pseudo-likelihood takes, and how far results differ."""
    one = {"NUMBA_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    # One thread, which others may stop: seconds of the processor.
    request = {"clock": "process_time", "result": True}
    workers = (Worker("scores", path, **one) for path in (options.before, options.after))
    rows = []
    with next(workers) as first, next(workers) as second:
        for case in SCORES:
            n_features, n_components, scale, dtype = case
            seconds, answers = in_turns((first, second), str(case), options.rounds, **request)
            scores = [np.array(answer["result"]) for answer in answers]
            columns = [[1e3 * s / len(scores[0]) for s in column] for column in seconds]
            cells = [*map(with_minimum, columns), figure(ratio(*columns))]
            cells += [f"{np.abs(scores[0]).max():.0f}"]
            cells += [f"{np.abs(scores[1] - scores[0]).max():.1e}"]
            rows.append([f"{n_features} x {n_components}", scale or "fitted", dtype, *cells])
    header = ["features x hidden", "weights", "", "before", "after", "before/after"]
    header += ["largest", "difference"]
    note = "Largest: of scores, absolutely. Difference: at most. Fitted: to digits with noise."
    title = "Pseudo-likelihood, one thread: ms of processor time a row, median (minimum)"
    print(table(title, header, rows, note))


def print_epochs(title, sections, cases, options):
    """Print the seconds of an epoch of both, in turns."""
    rows, workers = [], map(Worker, sections, (options.before, options.after))
    with next(workers) as first, next(workers) as second:
        for case in cases:
            (before, after), _ = in_turns((first, second), str(case), options.rounds)
            cells = [with_minimum(before), with_minimum(after)]
            cells += [figure(ratio(after, before)), figure(min(after) / min(before))]
            name, *sizes = case
            rows.append([f"{name} {sizes[0]} x {sizes[1]} x {sizes[2]}", *sizes[3:], *cells])
    header = ["", "batch", "dtype", "before, s", "after, s", "after/before", "of minima"]
    print(table(title, header, rows))


def compare_epochs(options):
    """New options off in both."""
    title = "A fit of one epoch: median (minimum)"
    print_epochs(title, ("epochs", "epochs"), EPOCHS, options)


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
    parser.add_argument("before")
    parser.add_argument("after")
    parser.add_argument("--only", default=",".join(SECTIONS), help="sections, comma-separated")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--show", type=int, default=10, help="names of differing results to show")
    options = parse(parser)
    names = chosen(parser, options, SECTIONS)
    print(describe_machine())
    for name in names:
        SECTIONS[name](options)
    print_pauses()


if __name__ == "__main__":
    main()
