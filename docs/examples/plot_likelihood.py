"""
=====================================
The likelihood, exactly and estimated
=====================================

The natural measure of a model is the probability that it gives to held-out rows. This probability
needs the partition function Z, a sum over all states. If a layer is small, ``log_partition``
enumerates its states. For larger models ``log_partition`` estimates log Z with annealed importance
sampling (AIS). AIS moves rows from the base rates to the model, and reverse AIS moves samples of
the model back to the base rates. On average AIS yields a log Z that is too small. Reverse AIS
yields a log Z that is too large, if it starts from good samples. The log-likelihood is
-F(v) - log Z, with the free energy F, so AIS flatters the model. In this example a small model
shows how far you can trust both estimates.
"""

# %%
# Estimates along the training
# ----------------------------
# The digits of 8 x 8 pixels come with scikit-learn, and the example makes them black and white.
# Every few epochs ``log_partition`` computes log Z in three ways: exactly, by AIS and by reverse
# AIS. Both estimates use 100 chains and 30 inverse temperatures (betas). These are far fewer betas
# than the default of 10,000, so that errors become visible. Reverse AIS takes longest, because it
# makes 1,000 steps of parallel tempering to draw its starting rows. The intervals are those of log
# Z alone, and do not cover the choice of held-out digits. Nearly all intervals hold the exact
# value, and any bias is smaller than the random error of an estimate.

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

rbm = BernoulliRBM(18, learning_rate=0.3, n_chains=100, random_state=0)
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
# For the model of the last epoch and for each number of betas, ``log_partition`` estimates log Z
# eight times, with 20 chains. Two betas mean plain importance sampling, without steps in between.
# On average AIS is then 2 nats too low, and reverse AIS is one nat too high. Many intervals miss
# the exact value, because a few chains have most of the weight. From 100 betas on, the mean errors
# are within a tenth of a nat.

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
# On the left, the estimates scatter about the exact curve, and the three curves agree. On the
# right, AIS approaches the exact value from below and reverse AIS approaches it from above. A
# large model has no exact value. Trust the estimates of such a model if both directions agree.
# Take more betas if the directions disagree.

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
