"""skrbm.BernoulliRBM on the splits of NADE's and MADE's tables: 23 hidden units, and many.

    python tests/benchmarks/study_uci.py --data nade_dna.npz [--only SECTION,...] [--seeds N]
        [--jobs N] [--n-chains N] [--n-betas N] [--quick]

The file is called ``nade_NAME.npz``, and ``SMALL`` has settings of NAME. It holds the very parts
of the literature as packed bits, ``train``, ``valid`` and ``test``, and ``n_features``. Sections:

small  23 hidden units, as in the tables, exact. One setting is changed at a time; the settings
       with the best mean of the validation rows over ``TUNE_SEEDS`` seeds are taken.
large  A grid of numbers of hidden units, of epochs and of penalties on the weights, judged by AIS
       of the validation rows. Log Z of the best machine by annealing in both directions.

Machines learn from the training rows only. Validation rows choose, the number of epochs too, and
test rows are scored once. Figures of the literature are from Germain et al. (ICML 2015): the row
of RBMs with 23 hidden units, and the best row.

An earlier study of the DNA data, with a test log-likelihood of -96.09, trained on the first 1400
rows of a file whose training rows stand in another order than the literature's (the test rows are
the same). Its figures are replaced by those of this script.

Fits run in ``--jobs`` processes with one BLAS thread each, so that seconds are those of one core
beside another one that works.
"""

import argparse

import joblib
import numpy as np
from likelihoods import comparison, duration, means, print_annealed, train
from study_data import load_nade, nade_name
from timing import parsed, table

LITERATURE = {  # data: 23 hidden units, best row of the table
    "dna": (-96.74, -79.66),
    "mushrooms": (-15.15, -9.55),
}

#: Settings of 23 hidden units for each data set, and what is tried in their place.
SMALL = {
    "dna": {
        "n_components": 23,
        "learning_rate": 0.1,
        "learning_rate_schedule": "linear",
        "n_iter": 400,
        "batch_size": 20,
        "n_chains": 500,
        "centering": True,
        "average": True,
        "weight_decay": 0.008,
    },
    "mushrooms": {
        "n_components": 23,
        "learning_rate": 0.1,
        "learning_rate_schedule": "linear",
        "n_iter": 400,
        "batch_size": 20,
        "n_chains": 100,
        "n_gibbs_steps": 5,
        "centering": True,
        "average": True,
        "weight_decay": 0.0003,
    },
}
SMALL_VARIANTS = {
    "dna": {
        "rate 0.1 to 0 in 400 epochs, batch 20, 500 chains, decay 0.008": {},
        **{f"decay {decay}": {"weight_decay": decay} for decay in (0.004, 0.006, 0.012)},
        **{f"L1 {l1}": {"weight_decay": 0.0, "l1_penalty": l1} for l1 in (0.001, 0.002, 0.004)},
        **{f"{n} epochs": {"n_iter": n} for n in (100, 200)},
        "rate 0.2 to 0": {"learning_rate": 0.2},
        "not centred": {"centering": False},
        "not averaged": {"average": False},
    },
    "mushrooms": {
        "PCD-5, rate 0.1 to 0 in 400 epochs, batch 20, 100 chains, decay 0.0003": {},
        **{f"decay {decay}": {"weight_decay": decay} for decay in (0.0, 0.001)},
        "L1 0.0001": {"weight_decay": 0.0, "l1_penalty": 0.0001},
        "200 epochs": {"n_iter": 200},
        **{f"rate {rate} to 0": {"learning_rate": rate} for rate in (0.2, 0.4)},
        "PCD-1": {"n_gibbs_steps": 1},
        "500 chains": {"n_chains": 500},
        "not centred": {"centering": False},
        "not averaged": {"average": False},
    },
}
TUNE_SEEDS = 2

#: What many hidden units change of the above; then the grid.
LARGE = {
    "dna": {"n_chains": 200, "learning_rate": 0.2, "batch_size": 50},
    "mushrooms": {"n_chains": 200, "learning_rate": 0.2, "n_gibbs_steps": 2},
}
LARGE_UNITS = {"dna": [1000, 3000], "mushrooms": [400, 1000]}
LARGE_EPOCHS = {"dna": [200], "mushrooms": [200]}
LARGE_PENALTIES = {
    "dna": [
        *({"weight_decay": decay} for decay in (0.001, 0.002, 0.003)),
        *({"weight_decay": 0.0, "l1_penalty": l1} for l1 in (0.0002, 0.0003, 0.0005)),
    ],
    "mushrooms": [
        *({"weight_decay": decay} for decay in (0.0006, 0.0012)),
        *({"weight_decay": 0.0, "l1_penalty": l1} for l1 in (0.0005, 0.0007, 0.001)),
    ],
}
#: Chains and temperatures: to compare settings, and to report.
COMPARED = {"n_chains": 100, "n_betas": 3000}
REPORTED = {"n_chains": 100, "n_betas": 20000}

# --- in the processes -------------------------------------------------------------------------


def fit_exact(X, parts, settings, seed):
    """Exact mean log-likelihood of each part, and the seconds of training."""
    rbm = train(X, settings, seed)
    return [*means(rbm, rbm.log_partition("exact"), parts), duration(rbm)]


def fit_estimated(X, parts, settings, sizes):
    """The machine, log Z by AIS, and mean log-likelihoods of the parts by it."""
    rbm = train(X, settings, 0)
    log_z = rbm.log_partition("ais", random_state=0, **sizes)
    return rbm, log_z, means(rbm, log_z, parts)


def in_processes(function, arguments, options):
    """Yield the results of all calls in their order, by ``options.jobs`` processes."""
    calls = (joblib.delayed(function)(*given) for given in arguments)
    return joblib.Parallel(n_jobs=options.jobs, return_as="generator")(calls)


# --- sections ---------------------------------------------------------------------------------


def small(name, rows, options):
    """23 hidden units: settings chosen, then test rows over seeds."""
    X, valid, test = rows["train"], rows["valid"], rows["test"]
    base, variants = SMALL[name], SMALL_VARIANTS[name]
    settings = {key: base | changes | options.limits for key, changes in variants.items()}
    calls = [(X, [X, valid], s, seed) for s in settings.values() for seed in range(TUNE_SEEDS)]
    found = np.array(list(in_processes(fit_exact, calls, options)))
    found = found.reshape(len(settings), TUNE_SEEDS, 3)
    cells = [
        [key, *(f"{value:.2f}" for value in run[:, :2].mean(axis=0)), *spread(run[:, 1:])]
        for key, run in zip(settings, found, strict=True)
    ]
    best = list(settings)[found[:, :, 1].mean(axis=1).argmax()]
    header = ["", "training", "validation", "least", "most", "seconds"]
    note = (
        f"Means over {TUNE_SEEDS} seeds; least and most of the validation means. Best: {best}.\n"
        f"{len(X)} training rows, {len(valid)} validation rows, {X.shape[1]} bits."
    )
    title = f"{name}, {base['n_components']} hidden units: exact log-likelihood of a row, in nats"
    print(table(title, header, cells, note), flush=True)

    calls = [(X, [X, valid, test], settings[best], seed) for seed in range(options.seeds)]
    results = np.array(list(in_processes(fit_exact, calls, options)))
    average, deviation = results.mean(axis=0), results.std(axis=0, ddof=1)
    ours = [f"{m:.2f} ± {s:.2f}" for m, s in zip(average[:3], deviation, strict=False)]
    literature, _ = LITERATURE[name]
    cells = [
        [f"ours: {best}", *ours, f"{average[3]:.1f}"],
        ["RBM of the table", "-", "-", f"{literature:.2f}", "-"],
    ]
    header = ["", "training", "validation", "test", "seconds"]
    note = (
        f"Mean ± standard deviation over {options.seeds} seeds. Seconds: training.\n"
        f"Test: {comparison(average[2], literature)}."
    )
    print(table(f"{title}, over seeds", header, cells, note), flush=True)


def spread(run):
    """Least and most of the first column, mean of the second, as cells."""
    scores, seconds = run.T
    return [f"{scores.min():.2f}", f"{scores.max():.2f}", f"{seconds.mean():.1f}"]


def large(name, rows, options):
    """A grid by validation rows, then the test rows of the best machine."""
    X, valid = rows["train"], rows["valid"]
    base = SMALL[name] | LARGE[name]
    grid = [
        base | {"n_components": n_units, "n_iter": n_iter} | penalty | options.limits
        for n_units in LARGE_UNITS[name]
        for n_iter in LARGE_EPOCHS[name]
        for penalty in LARGE_PENALTIES[name]
    ]
    sizes = COMPARED | options.sizes
    calls = [(X, [X, valid], settings, sizes) for settings in grid]
    cells, found = [], []
    estimated = in_processes(fit_estimated, calls, options)
    for settings, (rbm, log_z, scores) in zip(grid, estimated, strict=True):
        found.append((scores[1], rbm))
        varied = ("n_components", "n_iter", "weight_decay", "l1_penalty")
        choice = [f"{settings.get(key, 0):g}" for key in varied]
        figures = [f"{score:.2f}" for score in scores]
        chains = f"{log_z.effective_sample_size:.0f}"
        cells.append([*choice, *figures, chains, f"{duration(rbm):.0f}"])
        print("{} units, {} epochs, decay {}, L1 {}: {}, {}".format(*cells[-1][:6]), flush=True)
    best = max(range(len(grid)), key=lambda i: found[i][0])
    words = "{} units, {} epochs, decay {}, L1 {}".format(*cells[best][:4])
    header = ["units", "epochs", "decay", "L1", "training", "validation", "eff. chains", "seconds"]
    title = f"{name}: log-likelihood of a row by AIS, in nats"
    print(table(title, header, cells, f"Best: {words}."), flush=True)

    parts = {"training": X, "validation": valid, "test": rows["test"]}
    _, best_row = LITERATURE[name]
    sizes = REPORTED | options.sizes
    literature = {"best row of the table": best_row}
    score = print_annealed(f"{name}, {words}", found[best][1], parts, X, literature, sizes)
    print(f"By the least of them {comparison(score, best_row)}.", flush=True)


SECTIONS = {"small": small, "large": large}


def main():
    """Run the sections asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", required=True, help="nade_NAME.npz")
    parser.add_argument("--only", default=",".join(SECTIONS), help="sections, comma-separated")
    parser.add_argument("--seeds", type=int, help="fits of the exact figure (default 5)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default 2)")
    parser.add_argument("--n-chains", type=int, help="chains of annealing")
    parser.add_argument("--n-betas", type=int, help="temperatures of annealing")
    parser.add_argument("--quick", action="store_true", help="few units, epochs and seeds")
    options = parsed(parser, SECTIONS)
    name = nade_name(options.data)
    if name not in SMALL:
        parser.error(f"no settings for {name!r} of {options.data}; there are: {', '.join(SMALL)}")
    options.seeds = options.seeds or (2 if options.quick else 5)
    rows = load_nade(options.data)
    for section in options.names:
        SECTIONS[section](name, rows, options)


if __name__ == "__main__":
    main()
