"""What the studies of likelihood share: machines trained, log-likelihoods exact and estimated."""

import time

from plain import PLAIN_BERNOULLI
from threadpoolctl import threadpool_limits
from timing import figure, table

from skrbm import BernoulliRBM

#: Nats between the directions of annealing, at most, for both to be trusted.
AGREE = 0.2


def train(X, settings, seed):
    """A machine fitted with ``PLAIN_BERNOULLI`` as the settings change it."""
    rbm = BernoulliRBM(random_state=seed, **PLAIN_BERNOULLI | settings)
    # The matrices of small machines are tiny: more threads would only get in each other's way.
    n_threads = 1 if rbm.n_components < 100 else None
    with threadpool_limits(n_threads, user_api="blas"):
        return rbm.fit(X)


def duration(rbm):
    """Seconds of training, as the machine remembers them."""
    return sum(rbm.history_["seconds"])


def means(rbm, log_z, parts):
    """Mean log-likelihood of the rows of each part."""
    return [float(rbm.log_likelihood(X, log_z).mean(dtype=float)) for X in parts]


def comparison(ours, theirs):
    """How a log-likelihood compares with a published one, in words."""
    side = "above" if ours > theirs else "below"
    return f"{ours:.2f} is {abs(ours - theirs):.2f} nats {side} {theirs:.2f}"


def matching(variants, word):
    """Variants whose name contains a word, by name; all if the word is empty."""
    found = {name: changes for name, changes in variants.items() if (word or "") in name}
    if not found:
        raise SystemExit(f"no name contains {word!r}: {'; '.join(variants)}")
    return found


def print_annealed(title, rbm, parts, init, literature, sizes):
    """Print log Z by annealing in both directions, and what rows have by both.

    ``parts`` holds rows by name, those of test last; reverse annealing starts at rows of
    ``init``; ``literature`` holds mean log-likelihoods of test rows by name, and ``sizes`` the
    numbers of chains and of temperatures. Returns the lesser mean of the test rows, which is the
    one to report.
    """
    estimates = {
        "AIS": {"method": "ais"},
        "reverse AIS, from training rows": {"method": "reverse_ais", "init": init},
    }
    if rbm.n_components <= 20:  # with --quick: the truth is known
        estimates = {"exact": {"method": "exact"}} | estimates
    rows, scores, chains = [], [], []
    unnormalised = means(rbm, 0.0, parts.values())
    for name, arguments in estimates.items():
        begin = time.perf_counter()
        log_z = rbm.log_partition(random_state=0, **sizes, **arguments)
        seconds = figure(time.perf_counter() - begin, ".0f")
        values = [value - log_z.value for value in unnormalised]
        low, high = (unnormalised[-1] - bound for bound in log_z.interval[::-1])
        scores.append(values[-1])
        chains.append(log_z.effective_sample_size)
        cells = [f"{c:.2f}" for c in (log_z.value, log_z.stderr, chains[-1], *values)]
        rows.append([name, *cells, f"{low:.2f} to {high:.2f}", seconds])
    blank = ["-"] * (2 + len(parts))
    rows += [[name, *blank, f"{value:.2f}", "-", "-"] for name, value in literature.items()]
    header = ["", "log Z", "s.e.", "eff. chains", *parts, "95 % interval", "seconds"]
    counts = ", ".join(f"{len(X)} {name}" for name, X in parts.items())
    note = (
        f"{sizes['n_chains']} chains, {sizes['n_betas']} temperatures. Rows: {counts}.\n"
        "The interval is that of log Z, not of the choice of rows. Seconds: of log Z, reverse AIS "
        "with the draws where it starts."
    )
    print(table(f"{title}: log-likelihood of a row, in nats", header, rows, note))
    gap, least = max(scores) - min(scores), min(chains)
    print(
        f"The estimates differ by {gap:.2f} nats (at most {AGREE:g}: "
        f"{'yes' if gap <= AGREE else 'NO'}). Effective chains: at least {least:.0f} of "
        f"{sizes['n_chains']} (a third: {'yes' if 3 * least >= sizes['n_chains'] else 'NO'}).",
        flush=True,
    )
    return min(scores)
