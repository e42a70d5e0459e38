"""500 hidden units on MNIST: what skrbm.BernoulliRBM reaches in minutes, beside the literature.

    python tests/benchmarks/study_mnist500.py --mnist FILE [--only SECTION,...] [--match WORD]
        [--save FILE] [--load FILE] [--n-chains N] [--n-betas N] [--picture FILE.png] [--quick]

Training rows are bits, drawn anew in each epoch with the grey values as probabilities; test rows
are one such draw of the test images. Sections:

tune    settings compared on the training rows only: trained on the first 50,000, judged by AIS on
        one draw of the last 10,000. This is how the settings of ``record`` were chosen.
record  The chosen settings, on all 60,000 rows, for two budgets of training time. Log Z by
        annealed importance sampling in both directions. ``--save`` keeps the machines, so that
        ``--load`` repeats the estimates without training.
curve   Nats of the rows of ``tune`` against seconds of training: plain, centred, averaged, and
        centred and averaged. Learning rates fall to 0 within a fit, so that every point is a fit
        of its own.

``--match`` takes only those settings, budgets or kinds whose name contains the word. Seconds are
those of the epochs, from ``history_``. Figures of the literature are from Grosse & Salakhutdinov
(ICML 2015), Carlson et al. (AISTATS 2015) and Salakhutdinov & Murray (ICML 2008).
"""

import argparse

import joblib
from likelihoods import comparison, duration, matching, means, print_annealed, train
from study_data import grey, load_mnist, one_draw
from timing import figure, parsed, table, verdict

LITERATURE = {
    "PCD, 2000 chains (Grosse & Salakhutdinov 2015)": -84.6,
    "spectral descent, a penalty (Carlson et al. 2015)": -85.65,
    "CD-25 (Salakhutdinov & Murray 2008)": -86.34,
    "spectral descent (Carlson et al. 2015)": -86.77,
    "CD-3 (Salakhutdinov & Murray 2008)": -105.5,
    "CD-1 (Salakhutdinov & Murray 2008)": -125.5,
}

#: Whatever a section changes.
BASE = {
    "n_components": 500,
    "batch_size": 100,
    "n_chains": 400,
    "learning_rate": 0.3,
    "learning_rate_schedule": "linear",
    "positive_visibles": "sample",
    "centering": True,
    "average": 0.2,
    "l1_penalty": 0.00012,
    "n_iter": 20,
}
TUNE = {
    "20 epochs, rate 0.3 to 0, batch 100, 400 chains, L1 0.00012": {},
    "rate 0.15": {"learning_rate": 0.15},
    "rate 0.4": {"learning_rate": 0.4},
    "L1 0": {"l1_penalty": 0.0},
    "L1 0.0002": {"l1_penalty": 0.0002},
    "decay 0.0003 in place of L1": {"weight_decay": 0.0003, "l1_penalty": 0.0},
    "averaged over 0.1 of the updates": {"average": 0.1},
    "averaged over 0.3 of the updates": {"average": 0.3},
    "not averaged": {"average": False},
    "grey values as they are": {"positive_visibles": "mean"},
    "five Gibbs steps in the last quarter": {"n_gibbs_steps": [1] * 15 + [5] * 5},
    "100 chains": {"n_chains": 100},
    "200 chains": {"n_chains": 200},
    "batch 50, rate 0.2": {"batch_size": 50, "learning_rate": 0.2},
    "batch 200, rate 0.4": {"batch_size": 200, "learning_rate": 0.4},
    "momentum 0.5, rate 0.15": {"momentum": 0.5, "learning_rate": 0.15},
}
#: Of each budget: what it changes, seconds of training at most, nats of test rows at least.
RECORD = {
    "8 minutes": ({"n_iter": 60}, 480, -84.6),
    "15 minutes": ({"n_iter": 95}, 900, -83.9),
}
#: The curve has no penalty, and as many chains as a mini-batch has rows.
CURVE_BASE = {"n_chains": 100, "l1_penalty": 0.0}
CURVE = {
    "plain": {"centering": False, "average": False, "learning_rate": 0.1},
    "centred": {"centering": True, "average": False, "learning_rate": 0.2},
    "averaged": {"centering": False, "average": True, "learning_rate": 0.1},
    "centred, averaged": {"centering": True, "average": True, "learning_rate": 0.2},
}
CURVE_EPOCHS = [5, 10, 20, 40]
#: Chains and temperatures: to compare settings, and to report.
COMPARED = {"n_chains": 100, "n_betas": 6000}
REPORTED = {"n_chains": 100, "n_betas": 20000}

# --- rows -------------------------------------------------------------------------------------


def inner_rows(options):
    """Grey rows to train on; as bits, some of these and the rows to choose by."""
    (images, _), _ = load_mnist(options.mnist, options.quick)
    X, n_train = grey(images), len(images) * 5 // 6
    return X[:n_train], [one_draw(X[: len(X) - n_train], 1), one_draw(X[n_train:], 2)]


def report(name, rbm, parts, options):
    """Print a line as soon as a machine is judged; log Z, the means and seconds."""
    log_z = rbm.log_partition("ais", random_state=0, **COMPARED | options.sizes)
    scores = means(rbm, log_z, parts)
    cells = ", ".join(f"{score:.2f}" for score in scores)
    print(f"{name}: {cells}, {duration(rbm):.0f} s", flush=True)
    return log_z, scores, duration(rbm)


# --- sections ---------------------------------------------------------------------------------


def tune(options):
    """Settings compared on validation rows."""
    X, parts = inner_rows(options)
    rows, validation = [], {}
    for name, changes in matching(TUNE, options.match).items():
        rbm = train(X, BASE | changes | options.limits, 0)
        log_z, scores, seconds = report(name, rbm, parts, options)
        chains, validation[name] = log_z.effective_sample_size, scores[-1]
        cells = [*(f"{score:.2f}" for score in scores), f"{log_z.stderr:.2f}", f"{chains:.0f}"]
        rows.append([name, *cells, f"{seconds:.0f}"])
    header = ["", "training", "validation", "s.e. of log Z", "eff. chains", "seconds"]
    note = (
        f"{len(X)} rows to train on; {len(parts[0])} of these, and {len(parts[1])} other training "
        f"rows to choose by.\nSeconds: training. Best: {max(validation, key=validation.get)}."
    )
    title = "MNIST, one setting changed at a time: log-likelihood of a row by AIS, in nats"
    print(table(title, header, rows, note), flush=True)


def record(options):
    """The chosen settings on all training rows, both directions of annealing."""
    (images, _), (test_images, _) = load_mnist(options.mnist, options.quick)
    X = grey(images)
    bits = one_draw(X[:10000], 1)
    parts = {"training": bits, "test": one_draw(grey(test_images), 0)}
    machines = joblib.load(options.load) if options.load else {}
    goals = []
    for name, (changes, most_seconds, least_score) in matching(RECORD, options.match).items():
        if not options.load:
            machines[name] = train(X, BASE | changes | options.limits, 0)
        elif name not in machines:
            raise SystemExit(f"{options.load} holds no machine of {name}: {'; '.join(machines)}")
        if options.save:
            joblib.dump(machines, options.save)
        rbm = machines[name]
        shape = f"{rbm.n_features_in_} x {rbm.n_components} machine"
        print(f"\n{name}: {shape}, {rbm.n_iter_} epochs of training in {duration(rbm):.0f} s")
        title = f"MNIST, {rbm.n_components} hidden units, {name}"
        sizes = REPORTED | options.sizes
        score = print_annealed(title, rbm, parts, bits, LITERATURE, sizes)
        print(f"By the least of them {comparison(score, max(LITERATURE.values()))}.", flush=True)
        met = [verdict(duration(rbm), at_most=most_seconds), verdict(score, at_least=least_score)]
        goals.append(
            [name, f"{duration(rbm):.0f}", most_seconds, f"{score:.2f}", least_score, *met]
        )
    header = ["", "seconds", "at most", "test, nats", "at least", "in time", "as good"]
    note = "Seconds: training. Nats: the least of the estimates."
    print(table("Goals", header, goals, note))


def curve(options):
    """Nats against seconds of training, a fit for each point."""
    X, parts = inner_rows(options)
    kinds, points = matching(CURVE, options.match), {}
    for n_iter in CURVE_EPOCHS[:2] if options.quick else CURVE_EPOCHS:
        for name, changes in kinds.items():
            settings = BASE | CURVE_BASE | changes | options.limits | {"n_iter": n_iter}
            rbm = train(X, settings, 0)
            label = f"{name}, {n_iter} epochs"
            _, scores, seconds = report(label, rbm, parts[1:], options)
            points.setdefault(name, []).append((n_iter, seconds, scores[-1]))
    rows = [
        [n_iter, *(f"{points[name][i][1]:.0f} s: {points[name][i][2]:.2f}" for name in kinds)]
        for i, (n_iter, *_) in enumerate(next(iter(points.values())))
    ]
    rates = ", ".join(
        f"{name} {figure(change['learning_rate'])}" for name, change in kinds.items()
    )
    note = f"The learning rate falls to 0 within each fit, from: {rates}. Nats by AIS."
    title = f"MNIST, {BASE['n_components']} hidden units: seconds of training, nats of other rows"
    print(table(title, ["epochs", *kinds], rows, note), flush=True)
    if options.picture:
        draw(points, options.picture)


def draw(points, path):
    """The curves of all kinds, with the literature's best."""
    try:
        import matplotlib

        matplotlib.use("Agg")
        import matplotlib.pyplot as plt
    except ImportError:
        print('\nNo picture without matplotlib: pip install "skrbm[plot]"')
        return
    figure_, ax = plt.subplots(figsize=(7, 4.6), layout="constrained")
    for name, runs in points.items():
        _, seconds, scores = zip(*runs, strict=True)
        ax.plot(seconds, scores, "o-", label=name)
    best = max(LITERATURE.values())
    ax.axhline(best, color="0.5", ls="--", lw=1, label=f"literature's best, test rows: {best}")
    ax.set(xlabel="seconds of training", ylabel="log-likelihood of a row, nats", xscale="log")
    ax.legend()
    figure_.savefig(path, dpi=150)
    print(f"\nPicture: {path}")


SECTIONS = {"tune": tune, "record": record, "curve": curve}


def main():
    """Run the sections asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--mnist", required=True, help="file with x_train and x_test")
    parser.add_argument("--only", default=",".join(SECTIONS), help="sections, comma-separated")
    parser.add_argument("--match", help="only settings whose name contains this")
    parser.add_argument("--save", help="file to keep the machines of section record in")
    parser.add_argument("--load", help="file of such machines, instead of training")
    parser.add_argument("--n-chains", type=int, help="chains of annealing")
    parser.add_argument("--n-betas", type=int, help="temperatures of annealing")
    parser.add_argument("--picture", help="file to draw section curve in")
    parser.add_argument("--quick", action="store_true", help="few units, epochs and rows")
    options = parsed(parser, SECTIONS)
    for name in options.names:
        SECTIONS[name](options)


if __name__ == "__main__":
    main()
