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
# Z alone, and do not cover the choice of held-out digits.

from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
from scipy import stats
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits

from skrbm import BernoulliRBM
from skrbm.displays import LikelihoodDisplay

threadpool_limits(1, user_api="blas")  # the matrices are small

X = (load_digits().data > 8).astype(np.float32)
X_train, X_test = train_test_split(X, test_size=0.2, random_state=0)
EPOCHS = [1, 2, 4, 6, 10, 15, 20, 30, 45, 60]


def mean_log_likelihood(log_z):
    """Of held-out digits in nats, with the ends of its interval."""
    values = (log_z, log_z.interval[1], log_z.interval[0])  # the larger log Z, the smaller
    return [rbm.log_likelihood(X_test, value).mean(dtype=float) for value in values]


rbm = BernoulliRBM(18, learning_rate=0.3, n_chains=100, random_state=0)
rng = np.random.default_rng(0)
curves = {"exact": [], "ais": [], "reverse_ais": []}
seconds = dict.fromkeys(curves, 0)
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
        curve.append(mean_log_likelihood(log_z))
    (truth, *_), *rest = (curve[-1] for curve in curves.values())
    estimates = "".join(f"{mean:>9.2f} ± {mean - lower:.2f}" for mean, lower, _ in rest)
    print(f"{epoch:>5}{truth:>9.2f}{estimates}")
print(", ".join(f"{method} {s / len(EPOCHS):.2f} s" for method, s in seconds.items()), "each")

# %%
# Above, the three curves can hardly be told apart: the likelihood grows by six nats, and the
# errors are tenths of a nat. Below, the exact value is subtracted. Nearly all intervals hold the
# exact value, and any bias is smaller than the random error of an estimate.

figure, (above, below) = plt.subplots(2, figsize=(7, 6.4), sharex=True, layout="constrained")
display = LikelihoodDisplay({"held-out digits": curves}, x=EPOCHS, xlabel="epoch")
display.plot(ax=above)
display.plot(ax=below, difference_from="exact")
display.legend_.remove()  # one is enough
above.set(title="Log-likelihood of held-out digits along the training", xlabel=None)
plt.show()

# %%
# Several sets of rows
# --------------------
# ``from_estimator`` computes what it draws, and the legend has the numbers. Held-out digits are
# one nat less probable than training digits: a machine of 18 hidden units learns little by heart.
# With 1,000 betas both estimates are within some hundredths of a nat of the exact value.

digits = {"training digits": X_train, "held-out digits": X_test}
LikelihoodDisplay.from_estimator(rbm, digits, n_betas=1000, random_state=0)
plt.show()

# %%
# From too few betas to enough
# ----------------------------
# For the model of the last epoch and for each number of betas, ``log_partition`` estimates log Z
# eight times, with 20 chains. Two betas mean plain importance sampling, without steps in between.
# On average AIS is then 2 nats too low, and reverse AIS is 2 nats too high. Many intervals miss
# the exact value, because a few chains have most of the weight. From 100 betas on, the mean errors
# are within a tenth of a nat.

N_BETAS = [2, 5, 20, 100, 300]
exact = rbm.log_partition("exact").value
errors = {"ais": [], "reverse_ais": []}
print("\nEight estimates of log Z")
print(f"{'':<12}{'betas':>6}{'mean error':>12}{'intervals that hold log Z':>27}")
for method, of_method in errors.items():
    for n_betas in N_BETAS:
        given = {"n_betas": n_betas, "n_chains": 20}
        runs = [rbm.log_partition(method, **given, random_state=seed) for seed in range(8)]
        of_method.append([run.value - exact for run in runs])
        mean = np.mean(of_method[-1])
        n_hold = sum(run.interval[0] <= exact <= run.interval[1] for run in runs)
        print(f"{method:<12}{n_betas:>6}{mean:>+12.2f}{n_hold:>27}")

# %%
# The picture shows the errors of the log-likelihood, which have the other sign: AIS approaches the
# exact value from above, and reverse AIS approaches it from below. Dots are single estimates. The
# curves are the means of eight, with their 95 % intervals. A large model has no exact value. Trust
# the estimates of such a model if both directions agree. Take more betas if the directions
# disagree.

curves = {"exact": np.zeros((len(N_BETAS), 3))}
for method, of_method in errors.items():
    means, stderrs = np.mean(of_method, axis=1), stats.sem(of_method, axis=1)
    ends = stats.t.interval(0.95, 7, means, stderrs)
    curves[method] = -np.transpose([means, *reversed(ends)])
display = LikelihoodDisplay({"error": curves}, x=N_BETAS, xlabel="number of betas").plot()
for method, side in [("ais", -1), ("reverse_ais", 1)]:
    colour = display.lines_["error"][method].get_color()
    places = np.array(N_BETAS) * np.exp(side * 0.05)
    display.ax_.plot(places, -np.array(errors[method]), ".", color=colour, alpha=0.4, zorder=0)
display.ax_.set(xscale="log", ylabel="error of the log-likelihood (nats)")
display.ax_.set(xticks=N_BETAS, xticklabels=N_BETAS, title="After 60 epochs, with 20 chains")
display.ax_.minorticks_off()
plt.show()
