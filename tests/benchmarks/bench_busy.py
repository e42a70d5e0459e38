"""Does skrbm stay fast where others work as well? Seconds beside other work, as plain tables.

    python tests/benchmarks/bench_busy.py [--quick] [--rounds N] [--only SECTION,...]
        [--match WORD]

Epochs of 20,000 rows, and methods of 10,000 rows or of chains, each of which takes turns:

beside    beside one and beside two busy processes, which each want one CPU for ever; epochs of
          scikit-learn and of PyTorch too, if it is installed, in two rounds at most.
confined  within one CPU (as with ``taskset``), within a quota of one CPU (a control group, as of
          a container; a dash where none can be made), and twice at once, in two threads of one
          process.

Seconds are medians, with the largest in brackets, in which a collapse shows; "times" has both as
multiples of the quiet median. What skrbm takes should be at most three times the quiet median.
Full: about half an hour. ``--match`` takes only cases whose name contains the word.
"""

from contextlib import ExitStack
from importlib.util import find_spec

from timed_cases import SECTIONS as CASES
from timing import figure, median, run_sections, table, turn_order, verdict
from workers import ON_ONE_CPU, Worker, busy_processes, quota_of_one_cpu

#: Seconds beside other work / quiet seconds, at most.
MOST = 3
#: Shorter calls are repeated for so many seconds: schedulers think in tenths of a second.
LEAST = 0.3


def cases_of(section, options):
    """The name of the section for workers, and its cases asked for."""
    section += ", quick" if options.quick else ""
    names = [name for name in CASES[section] if options.match in name]
    return section, [name for name in names if "PyTorch" not in name or find_spec("torch")]


def measure(case, situations, rounds):
    """Seconds of a case by situation: a worker, a number of busy processes, one of threads."""
    for worker in {id(worker): worker for worker, _, _ in situations.values()}.values():
        if error := worker.ask(case).get("error"):
            raise SystemExit(f"{case}: {error}")
    seconds = {name: [] for name in situations}
    for r in range(rounds):
        for name in turn_order(situations, r):
            worker, n_busy, n_threads = situations[name]
            with busy_processes(n_busy):
                request = {"n_threads": n_threads, "least": LEAST}
                seconds[name].append(worker.seconds(case, **request))
    return seconds


def row(case, seconds, situations, most=None):
    """A line of a table: the first of the situations is the quiet one."""
    quiet, *others = (seconds.get(name) for name in situations)
    cells, medians, largest = [case, figure(median(quiet))], [], []
    for values in others:
        if values is None:
            cells += ["-", "-"]
            continue
        medians.append(median(values) / median(quiet))
        largest.append(max(values) / median(quiet))
        cells.append(f"{median(values):.3g} ({max(values):.3g})")
        cells.append(f"{medians[-1]:.3g} ({largest[-1]:.3g})")
    met = [verdict(max(times), at_most=most) for times in (medians, largest)]
    return [*cells, figure(most), *met]


def print_rows(title, situations, rows):
    """Print a table of lines; the first of the situations is the quiet one."""
    note = "Medians, with the largest in brackets. Times: multiples of the quiet median."
    header = [cell for name in situations[1:] for cell in (name, "times")]
    header = ["", "quiet", *header, "at most", "medians met", "largest met"]
    print(table(title, header, rows, note), flush=True)


def bench_beside(options):
    """Beside processes that want a CPU for ever."""
    names, rows = ("quiet", "one busy", "two busy"), []
    for section, most in (("busy", MOST), ("peers", None)):
        section, cases = cases_of(section, options)
        rounds = options.rounds if most else min(2, options.rounds)
        with Worker(section) as worker:
            situations = {name: (worker, n_busy, 1) for n_busy, name in enumerate(names)}
            for case in cases:
                rows.append(row(case, measure(case, situations, rounds), names, most))
    print_rows("Beside busy processes: seconds", names, rows)


def bench_confined(options):
    """Within one CPU, and twice at once."""
    section, cases = cases_of("busy", options)
    names, rows = ("quiet", "on one CPU", "quota of one CPU", "two at once"), []
    with quota_of_one_cpu() as enter_quota, ExitStack() as stack:
        free = stack.enter_context(Worker(section))
        one = stack.enter_context(Worker(section, prepare=ON_ONE_CPU))
        situations = {
            "quiet": (free, 0, 1),
            "two at once": (free, 0, 2),
            "on one CPU": (one, 0, 1),
        }
        if enter_quota:
            quota = stack.enter_context(Worker(section, prepare=enter_quota))
            situations["quota of one CPU"] = (quota, 0, 1)
        for case in cases:
            rows.append(row(case, measure(case, situations, options.rounds), names, MOST))
    print_rows("Confined, and two at once: seconds", names, rows)


SECTIONS = {"beside": bench_beside, "confined": bench_confined}


def add_arguments(parser):
    """What only this benchmark asks."""
    parser.add_argument("--match", default="", help="only cases whose name contains the word")


if __name__ == "__main__":
    run_sections(SECTIONS, __doc__.partition("\n")[0], add_arguments)
