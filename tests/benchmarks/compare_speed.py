"""Is one checkout of the package faster or slower than another? All benchmarks in short.

    python tests/benchmarks/compare_speed.py BEFORE AFTER [--only SECTION,...] [--match WORD]
        [--rounds N]

BEFORE and AFTER are folders that hold a ``skrbm`` package, such as two git worktrees. Each has a
process of its own, and the two take turns. Some five minutes, once both have compiled their
kernels. Sections:

fits     epochs of all models: algorithms, batches, dtypes, sparse rows, and with all defaults
methods  transform, scores, free energies, AIS, samples, tempering, predictions of ratings
start    import and first fit in a new process, with compiled kernels on disk
busy     an epoch, transform and AIS beside one busy process

A case is called "slower" or "faster" if the ratio of the medians and that of the minima are both
beyond 1.1, and are so again when all rounds are repeated at once. "Unsteady" is who sometimes
takes three times as long as at other times: threads that wait for one another, as a rule.
``--match`` takes only cases whose name contains the word. What BEFORE or AFTER cannot do is named
at the end.
"""

import argparse
import time
from functools import partial

from bench_start import MOST_COLD, code_of
from standstill import print_pauses, without_pauses
from timed_cases import SECTIONS as CASES
from timing import chosen, describe_machine, figure, median, parse, ratio, seconds_of, table
from workers import Worker, busy_processes, in_turns, run_python

#: Ratios nearer to 1 are noise.
NOISE = 1.1
#: A largest number of seconds that is so many times the least is no noise.
UNSTEADY = 3
#: A shorter call is repeated for so many seconds.
LEAST = 0.03
#: What is timed beside a busy process.
BUSY = (
    "BernoulliRBM, pcd, 100, float32",
    "BernoulliRBM, pcd, 500, float64",
    "GaussianBernoulliRBM, pcd, 100, float32",
    "BernoulliRBM, transform, float32",
    "BernoulliRBM, ais, float32",
)


def remark(before, after):
    """What is to be said of seconds before and after: "slower", "faster" or nothing."""
    ratios = ratio(after, before), min(after) / min(before)
    return "slower" if min(ratios) > NOISE else "faster" if max(ratios) < 1 / NOISE else ""


def unsteady(before, after):
    """A remark on who takes much longer at times."""
    both = {"before": before, "after": after}
    names = [name for name, seconds in both.items() if max(seconds) > UNSTEADY * min(seconds)]
    return f"unsteady {' and '.join(names)}" if names else ""


def twice(measure):
    """Seconds before and after, and a remark that holds of a second measurement as well."""
    before, after = measure()
    if said := remark(before, after):
        again = measure()
        said = said if remark(*again) == said else ""
        before, after = before + again[0], after + again[1]
    return before, after, said or unsteady(before, after)


class Report:
    """Lines of tables, and what could not be measured."""

    def __init__(self, options):
        self.match, self.rows, self.missing, self.remarks = options.match, [], [], []

    def add(self, name, measure):
        """Measure a case that is asked for; ``measure`` may give up with a LookupError."""
        if self.match not in name:
            return
        try:
            before, after, said = twice(measure)
        except LookupError as error:
            self.missing.append(f"{name}: {error.args[0]}")
            return
        milliseconds = [f"{1e3 * value:.3g}" for value in map(median, (before, after))]
        ratios = [figure(ratio(after, before)), figure(min(after) / min(before))]
        self.rows.append([name, *milliseconds, *ratios, said])
        self.remarks.append(said.partition(" ")[0])

    def print_table(self, title):
        """Print the lines since the last table."""
        header = ["", "before, ms", "after, ms", "after/before", "of minima", ""]
        if self.rows:
            print(table(title, header, self.rows), flush=True)
        self.rows = []

    def print_end(self):
        """Print how many cases changed, and which were left out."""
        slower, faster, waited = map(self.remarks.count, ("slower", "faster", "unsteady"))
        counts = f"Slower: {slower}. Faster: {faster}. Unsteady: {waited}."
        print(f"\nCases: {len(self.remarks)}. {counts} Left out: {len(self.missing)}.")
        for line in self.missing:
            print(f"  {line}")


def seconds_in_turns(workers, name, rounds):
    """Seconds before and after; LookupError where a checkout cannot run the case."""
    seconds, answers = in_turns(workers, name, rounds, least=LEAST)
    for answer, which in zip(answers, ("before", "after"), strict=True):
        if "error" in answer:
            raise LookupError(f"{which}, {answer['error']}")
    return seconds


def compare_cases(section, names, title, options, report):
    """Time cases of a section of ``timed_cases.py``."""
    workers = (Worker(section, path) for path in (options.before, options.after))
    with next(workers) as before, next(workers) as after:
        for name in names:
            report.add(name, partial(seconds_in_turns, (before, after), name, options.rounds))
    report.print_table(title)


def compare_fits(options, report):
    """Epochs."""
    compare_cases("fits", CASES["fits"], "Fits of one epoch: medians", options, report)


def compare_methods(options, report):
    """What fitted machines offer."""
    compare_cases("methods", CASES["methods"], "Methods: medians", options, report)


def compare_busy(options, report):
    """Beside a busy process."""
    with busy_processes(1):
        for section in ("fits", "methods"):
            names = [name for name in BUSY if name in CASES[section]]
            title = f"Beside one busy process, {section}: medians"
            compare_cases(section, names, title, options, report)


def run(code, checkout):
    """Run code with the package of a checkout."""
    if run_python(code, checkout).wait() != 0:
        raise LookupError("the process failed")


def process_seconds(checkouts, code, rounds):
    """Seconds of whole processes before and after; the first of each is not counted."""
    seconds = [[], []]
    for r in range(rounds + 1):
        for which in (0, 1) if r % 2 else (1, 0):
            elapsed = without_pauses(partial(seconds_of, partial(run, code, checkouts[which])))
            seconds[which] += [elapsed] if r else []
    return seconds


def compare_start(options, report):
    """New processes; kernels are where each checkout keeps them."""
    checkouts, rounds = (options.before, options.after), min(3, options.rounds)
    for name in MOST_COLD:
        report.add(name, partial(process_seconds, checkouts, code_of(name), rounds))
    report.print_table("Import and first fit in a new process: medians")


SECTIONS = {
    "fits": compare_fits,
    "methods": compare_methods,
    "start": compare_start,
    "busy": compare_busy,
}


def main():
    """Run the sections asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before")
    parser.add_argument("after")
    parser.add_argument("--only", default=",".join(SECTIONS), help="sections, comma-separated")
    parser.add_argument("--match", default="", help="only cases whose name contains the word")
    parser.add_argument("--rounds", type=int, default=4, help="(default 4)")
    options = parse(parser)
    names = chosen(parser, options, SECTIONS)
    print(describe_machine())
    begin, report = time.perf_counter(), Report(options)
    for name in names:
        SECTIONS[name](options, report)
    report.print_end()
    print_pauses()
    print(f"{(time.perf_counter() - begin) / 60:.1f} minutes.")


if __name__ == "__main__":
    main()
