"""
=====================================
The likelihood, exactly and estimated
=====================================

How probable a machine finds held-out rows is the natural measure of it, but takes the partition
function Z, a sum over all states. ``log_partition`` enumerates them where a layer is small, and
else estimates log Z by annealed importance sampling (AIS), on a way from the base rates to the
model; reverse AIS takes the way back, from draws of the model. On average AIS gives too little,
and reverse AIS, if its draws are good, too much. As the log-likelihood is -F(v) - log Z, with the
free energy F, AIS flatters a machine. A small one shows how far both are to be trusted.
"""

# %%
# Estimates along the training
# ----------------------------
# The digits of 8 x 8 pixels come with scikit-learn; here they are black and white. Every few
# epochs log Z is computed three times, by AIS with 100 chains and 30 inverse temperatures (betas),
# far fewer than the default of 10,000, so that errors can be seen. Reverse AIS takes longest: to
# draw where it starts, it makes 1,000 steps of parallel tempering. Intervals are those of log Z
# alone, not of the choice of held-out digits. Nearly all hold the exact value, and any bias is
# less than the chance in an estimate.

from time import perf_counter

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits

from skrbm import BernoulliRBM

threadpool_limits(1, user_api="blas")  # the matrices are small

X = (load_digits().data > 8).astype(np.float32)
X_train, X_test = train_test_split(X, test_size=0.2, random_state=0)
METHODS = {"exact": "black", "ais": "C0", "reverse_ais": "C1"}
EPOCHS = [1, 2, 4, 6, 8, 10, 15, 20, 30, 40, 50, 60]

rate = 2 / (20 + np.arange(60))
rbm = BernoulliRBM(18, learning_rate=rate, batch_size=10, n_chains=100, random_state=0)
rng = np.random.default_rng(0)
seconds = dict.fromkeys(METHODS, 0)
curves = {method: [] for method in METHODS}
print("Mean log-likelihood of held-out digits in nats, with 95 % intervals")
print(f"epoch{'exact':>9}{'AIS':>16}{'reverse AIS':>16}")
for epoch in range(1, EPOCHS[-1] + 1):
    rbm.partial_fit(rng.permutation(X_train))
    if epoch not in EPOCHS:
        continue
    for method, curve in curves.items():
        start = perf_counter()
        log_z = rbm.log_partition(method, n_betas=30, n_chains=100, random_state=epoch)
        seconds[method] += perf_counter() - start
        mean = rbm.log_likelihood(X_test, log_z).mean(dtype=float)
        curve.append((mean, log_z.interval[1] - log_z.value))
    (truth, _), *rest = (curve[-1] for curve in curves.values())
    print(f"{epoch:>5}{truth:>9.2f}" + "".join(f"{mean:>9.2f} ± {r:.2f}" for mean, r in rest))
print(", ".join(f"{method} {s / len(EPOCHS):.2f} s" for method, s in seconds.items()), "each")

# %%
# From too few betas to enough
# ----------------------------
# For the last machine, log Z is estimated eight times by 20 chains for each number of betas. Two
# betas are plain importance sampling: no steps between. On average AIS is then 2.5 nats too low,
# reverse AIS one too high, and most intervals miss the truth, as they are built on the few chains
# that have most of the weight. From 100 betas on, the mean errors are within a tenth of a nat.

N_BETAS = [2, 5, 20, 100, 300]
exact = rbm.log_partition("exact").value
errors = {}
print("\nEight estimates of log Z")
print(f"{'':<12}{'betas':>6}{'mean error':>12}{'intervals that hold log Z':>27}")
for method in ("ais", "reverse_ais"):
    for n_betas in N_BETAS:
        given = {"n_betas": n_betas, "n_chains": 20}
        runs = [rbm.log_partition(method, **given, random_state=seed) for seed in range(8)]
        error = np.array([run.value - exact for run in runs])
        reach = np.array([run.interval[1] - run.value for run in runs])
        errors[method, n_betas] = error, reach
        n_hold = (np.abs(error) <= reach).sum()
        print(f"{method:<12}{n_betas:>6}{error.mean():>+12.2f}{n_hold:>27}")

# %%
# The picture
# -----------
# On the left the estimates waver about the exact curve, all telling the same story. On the right
# AIS comes from below and reverse AIS from above, and they meet. Where no exact value is to be
# had, their agreement is the reason to trust them; where they disagree, take more betas.

try:
    import matplotlib.pyplot as plt
except ImportError:
    print('\nNo picture without matplotlib: pip install "skrbm[plot]"')
else:
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained")
    for method, colour in METHODS.items():
        mean, reach = np.transpose(curves[method])
        left.plot(EPOCHS, mean, ".-", color=colour, label=method)
        left.fill_between(EPOCHS, mean - reach, mean + reach, color=colour, alpha=0.25, lw=0)
    left.set(xlabel="epoch", ylabel="nats", title="Mean log-likelihood of held-out digits")
    left.legend(loc="lower right")
    right.axhline(0, color="black", label="exact")
    for method, side in [("ais", -1), ("reverse_ais", 1)]:
        colour, spread = METHODS[method], np.exp(side * np.linspace(0.04, 0.2, 8))
        for n in N_BETAS:
            right.errorbar(n * spread, *errors[method, n], fmt=".", color=colour, lw=1, alpha=0.5)
        means = [errors[method, n][0].mean() for n in N_BETAS]
        right.plot(N_BETAS, means, "o-", color=colour, label=f"{method}, mean of 8")
    right.set(xscale="log", xticks=N_BETAS, xticklabels=N_BETAS, xlabel="number of betas")
    right.set(ylabel="nats", ylim=(-7, 7), title="Error of log Z after 60 epochs, 20 chains")
    right.minorticks_off()
    right.legend()

    if __name__ == "__main__":
        from pathlib import Path

        path = Path(__file__).with_suffix(".png")
        figure.savefig(path, dpi=150)
        print(f"\nPicture: {path}")
