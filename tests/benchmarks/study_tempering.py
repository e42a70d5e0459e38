"""Temperatures that choose themselves: of tempered samples, and of annealing.

    python tests/benchmarks/study_tempering.py [--mnist mnist.npz] [--only SECTION,...]
        [--match WORD] [--save FILE] [--load FILE] [--seeds N] [--n-chains N] [--n-betas N]
        [--quick]

Machines: 3 x 3 bars-and-stripes, its parameters times 3, whose modes are far apart; digits at a
threshold; digits standardised, real-valued, with learned noise; digits in four grades, as
categories; and, if its file is given, MNIST with 500 hidden units. Sections:

swaps      How often states travel from base rates to the model: at the temperatures that
           ``n_temperatures="auto"`` chooses, and at equidistant ones. A state that arrives from
           the base rates is a fresh sample of the model.
annealing  Log-weights of annealing with equidistant temperatures, and with half of them where
           log-weights come to differ, the chains that find out included: as many steps for both.
           Reverse annealing starts at training rows after 100 Gibbs steps.

``--match`` takes only those machines whose name contains the word. ``--save`` keeps the machines,
so that ``--load`` repeats the study without training.
"""

import argparse
import time

import joblib
import numpy as np
from likelihoods import matching, train
from sklearn.datasets import load_digits
from study_data import grey, load_mnist, one_draw
from study_mnist500 import BASE
from timing import figure, parsed, table

from skrbm import BernoulliRBM, GaussianBernoulliRBM, SoftmaxRBM
from skrbm._inference import partition
from skrbm._inference.chains import gibbs, tempering
from skrbm._inference.starts import Start, base_rate_rows
from skrbm._inference.temperatures import tuned
from skrbm._machine.keys import draw_seed
from skrbm._machine.tempered import TemperedRBM, ladder

# --- machines ---------------------------------------------------------------------------------


def bars(options):
    """Bars-and-stripes, times 3, as in ``study_likelihood.py``."""
    lines = np.indices((2, 2, 2)).reshape(3, -1).T.astype(float)
    rows = np.repeat(lines, 3, axis=1)
    X = np.concatenate((rows, rows.reshape(-1, 3, 3).transpose(0, 2, 1).reshape(-1, 9)))
    n_iter = 30 if options.quick else 3000
    settings = {"n_components": 9, "learning_rate": np.geomspace(0.1, 0.01, 3000)}
    rbm = train(X, settings | {"n_iter": n_iter, "batch_size": 16, "n_chains": 100}, 0)
    for name in ("components_", "intercept_hidden_", "intercept_visible_"):
        setattr(rbm, name, 3 * getattr(rbm, name))
    return rbm, X


def bits(options):
    """Digits at a threshold, 100 hidden units."""
    X = (load_digits().data > 7).astype(np.float32)
    settings = {"n_iter": 300, "batch_size": 20, "learning_rate": 0.1} | options.limits
    return BernoulliRBM(**{"n_components": 100} | settings, random_state=0).fit(X), X


def reals(options):
    """Digits standardised, 100 hidden units."""
    X = load_digits().data.astype(np.float32)
    X = (X - X.mean(axis=0)) / (X.std(axis=0) + 1)
    settings = {"n_components": 100, "n_iter": 100} | options.limits
    return GaussianBernoulliRBM(noise_variance="learned", **settings, random_state=0).fit(X), X


def categories(options):
    """Digits in four grades, 60 hidden units."""
    X = np.floor(load_digits().data / 4.01).astype(np.float32)
    settings = {"n_components": 60, "n_iter": 100, "algorithm": "pcd"} | options.limits
    return SoftmaxRBM(**settings, random_state=0).fit(X), X


def mnist(options):
    """MNIST, 500 hidden units, the settings of the record for 20 epochs."""
    (images, _), _ = load_mnist(options.mnist, options.quick)
    return train(grey(images), BASE | {"n_iter": 20} | options.limits, 0), one_draw(
        grey(images[:2000]), 0
    )


MACHINES = {
    "bars-and-stripes": bars,
    "digits, bits": bits,
    "digits, real-valued": reals,
    "digits, categories": categories,
    "MNIST": mnist,
}

# --- states that travel -----------------------------------------------------------------------


class Tracked(TemperedRBM):
    """A tempered machine that counts states which arrive at the model from the base rates.

    Swaps are as probable as otherwise, and decided by random numbers of NumPy.
    """

    def follow(self, n_temperatures, n_chains, seed):
        """Begin to count."""
        self.rng, self.n_arrived = np.random.default_rng(seed), 0
        self.state = np.arange(n_temperatures * n_chains).reshape(n_temperatures, n_chains)
        self.fresh = np.zeros(self.state.size, bool)

    def swapped(self, t, betas, parity, key):
        """The rows, each at the place of its new temperature."""
        first, p = self.acceptance(t, betas, parity)
        place = np.arange(len(t)).reshape(len(betas), -1)
        lower, upper = place[first], place[first + 1]
        accepted = self.rng.random(p.shape) < p
        place[first] = np.where(accepted, upper, lower)
        place[first + 1] = np.where(accepted, lower, upper)
        self.state = self.state.ravel()[place]
        self.fresh[self.state[-1]] = True
        self.n_arrived += self.fresh[self.state[0]].sum()
        self.fresh[self.state[0]] = False
        return t[place.ravel()]


def arrivals(machine, base_rate_bias, betas, options):
    """Fresh states per chain and 1000 steps, and seconds of 1000 steps of a chain."""
    tracked, n_chains = Tracked(machine, base_rate_bias), options.chains
    n_steps = max(50, options.steps // len(betas))
    v = base_rate_rows(machine.visible, base_rate_bias, n_chains * len(betas), np.uint64(1))
    tracked.follow(len(betas), n_chains, 0)
    steps = tempering(tracked, v, betas, n_steps, np.uint64(2))
    for _ in range(n_steps // 5):
        next(steps)
    tracked.n_arrived, n_counted, begin = 0, n_steps - n_steps // 5, time.perf_counter()
    for _ in steps:
        pass
    seconds, unit = time.perf_counter() - begin, 1000 / n_chains / n_counted
    return tracked.n_arrived * unit, seconds * unit


def study_swaps(name, rbm, X, options):
    """How often states travel."""
    machine, base_rate_bias = rbm._machine(rbm._dtype()), rbm._base_rates()
    begin = time.perf_counter()
    betas = tuned(machine, base_rate_bias, Start(), 100, np.random.RandomState(0))
    seconds = time.perf_counter() - begin
    ladders = {f"chosen in {seconds:.1f} s": betas}
    ladders |= {"equidistant": ladder(10)}
    ladders |= {"equidistant ": ladder(len(betas))}
    ladders |= {f"equidistant, {k}": ladder(k) for k in (5, 15, 20, 30)}
    rows = []
    for kind, own in ladders.items():
        fresh, cost = arrivals(machine, base_rate_bias, own, options)
        cells = [len(own), f"{fresh:.2f}", f"{1000 * cost:.0f}", f"{fresh / len(own):.3f}"]
        rows.append([kind.partition(", ")[0], *cells, figure(fresh / cost, ".2f")])
    header = ["", "temperatures", "fresh", "ms", "fresh / temperatures", "fresh a second"]
    note = (
        f"{options.chains} chains. Fresh: states that arrive from base rates at the model, per "
        "chain and 1000 steps;\nms: of 1000 steps of a chain at all temperatures."
    )
    print(table(f"{name}: states that travel", header, rows, note), flush=True)


# --- annealing --------------------------------------------------------------------------------


def starting_rows(rbm, X, n, reverse, seed):
    """Rows of the base rates or, in reverse, rows that data lead to."""
    machine, random_state = rbm._machine(rbm._dtype()), np.random.RandomState(seed)
    if not reverse:
        bias = rbm._base_rates()
        return base_rate_rows(machine.visible, bias, n, draw_seed(random_state))
    rows, _ = rbm._read(X[random_state.permutation(len(X))[:n]])
    v = rows.read(np.arange(n))
    for _ in gibbs(machine, v, 100, draw_seed(random_state)):
        pass
    return v


def study_annealing(name, rbm, X, options):
    """Log-weights at equidistant and at chosen temperatures, in turns."""
    machine, bias = rbm._machine(rbm._dtype()), rbm._base_rates()
    tempered = TemperedRBM(machine, bias)
    n, n_betas = (({"n_chains": 100, "n_betas": 4000} | options.sizes)[k] for k in NAMES)
    results = {}
    for seed in range(options.seeds):
        for reverse in (False, True):
            v, purposes = starting_rows(rbm, X, min(n, len(X)), reverse, seed), partition.FORWARD
            for kind in ("equidistant", "chosen"):
                random_state = np.random.RandomState(1000 + seed)
                begin = time.perf_counter()
                if kind == "chosen":
                    sizes = v.shape[0], round(n_betas / 1.1)
                    betas = partition.schedule(machine, bias, *sizes, random_state)
                else:
                    betas = np.linspace(0, 1, n_betas)
                if reverse:
                    betas, purposes = betas[::-1], partition.REVERSE
                w = partition.log_importance(
                    tempered, v[np.arange(v.shape[0])], betas, draw_seed(random_state), purposes
                )
                seconds = time.perf_counter() - begin
                e = np.exp(w - w.max())
                figures = np.log(e.mean()) + w.max(), e.sum() ** 2 / (e**2).sum(), w.var(), seconds
                results.setdefault(("reverse" if reverse else "forward", kind), []).append(figures)
    rows = []
    for (direction, kind), figures in results.items():
        values, sizes, variances, seconds = np.transpose(figures)
        cells = [f"{np.median(sizes):.1f}", f"{sizes.min():.1f}", f"{variances.mean():.3f}"]
        cells += [f"{values.std(ddof=1):.3f}", f"{np.median(seconds):.1f}"]
        rows.append([f"{direction}, {kind}", *cells])
    header = ["", "eff. chains", "least", "variance", "s.d. of log Z", "seconds"]
    note = (
        f"{n} chains, {n_betas} steps, {options.seeds} seeds. Effective chains: median and least "
        "over seeds. Variance: of log-weights, mean over seeds.\nSeconds: median."
    )
    print(table(f"{name}: weights of annealing", header, rows, note), flush=True)


NAMES = ("n_chains", "n_betas")
SECTIONS = {"swaps": study_swaps, "annealing": study_annealing}


def main():
    """Run the sections for all machines, MNIST's if its file is given."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--mnist", help="file with x_train")
    parser.add_argument("--only", default=",".join(SECTIONS), help="sections, comma-separated")
    parser.add_argument("--match", help="only machines whose name contains this")
    parser.add_argument("--save", help="file for the machines")
    parser.add_argument("--load", help="file of machines")
    parser.add_argument("--seeds", type=int, help="estimates of a figure (default 6)")
    parser.add_argument("--n-chains", type=int, help="rows to anneal (default 100)")
    parser.add_argument("--n-betas", type=int, help="steps of annealing (default 4000)")
    parser.add_argument("--quick", action="store_true", help="few units, epochs and steps")
    options = parsed(parser, SECTIONS)
    options.seeds = options.seeds or (2 if options.quick else 6)
    options.chains, options.steps = (5, 500) if options.quick else (20, 20000)
    machines = joblib.load(options.load) if options.load else {}
    for name, make in matching(MACHINES, options.match).items():
        if name == "MNIST" and not options.mnist and name not in machines:
            continue
        if name not in machines:
            machines[name] = make(options)
            if options.save:
                joblib.dump(machines, options.save)
        for section in options.names:
            SECTIONS[section](name, *machines[name], options)


if __name__ == "__main__":
    main()
