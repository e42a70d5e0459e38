"""
=================================
Anomalies, and the entry to blame
=================================

An RBM that has learned from normal rows gives a low score to a row unlike them. ``score_samples``
is the score, and no anomaly is needed for training. The score is a sum over the entries of a row,
so each entry has its share, and the model can say which one is odd. This example detects tumours
and digits that are put together wrongly, chooses a threshold, and shows the entries to blame.
"""

# %%
# Tumours
# -------
# The breast cancer data of scikit-learn have 30 measurements of each of 569 tumours. The model
# learns from half of the benign ones, standardised, and knows no other. It scores the other half
# and all malignant tumours. The area under the ROC curve is the probability that a malignant
# tumour has a lower score than a benign one.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from skrbm import BernoulliRBM, GaussianBernoulliRBM
from skrbm.displays import SamplesDisplay

threadpool_limits(1, user_api="blas")  # the matrices are small


def area(model, normal, odd):
    """Area under the ROC curve."""
    scores = np.concatenate([model.score_samples(normal), model.score_samples(odd)])
    return roc_auc_score(np.repeat([0, 1], [len(normal), len(odd)]), -scores)


cancer = load_breast_cancer()
benign = np.random.default_rng(0).permutation(cancer.data[cancer.target == 1])
train, test = np.split(benign, [len(benign) // 2])
scaler = StandardScaler().fit(train)
train, test, malignant = map(scaler.transform, (train, test, cancer.data[cancer.target == 0]))
detectors = {
    "RBM": GaussianBernoulliRBM(random_state=0),
    "IsolationForest": IsolationForest(random_state=0),
}
for name, detector in detectors.items():
    print(f"{name:<16}area {area(detector.fit(train), test, malignant):.3f}")

# %%
# Both detectors have their default parameters. The task is an easy one: most measurements of a
# malignant tumour are large already by themselves. :doc:`The guide </guide/anomalies>` has the
# means of ten splits, which are as close together.
#
# A threshold turns scores into alarms. It is a quantile of scores of normal rows that training has
# not seen: the rate of false alarms that you accept. Here the benign test tumours serve.

rbm = detectors["RBM"]
scores = {"benign": rbm.score_samples(test), "malignant": rbm.score_samples(malignant)}
threshold = np.quantile(scores["benign"], 0.05)

figure, ax = plt.subplots(figsize=(8, 3.6), layout="constrained")
bins = np.linspace(-400, max(map(np.max, scores.values())), 60)
for name, values in scores.items():
    share = np.mean(values < threshold)
    ax.hist(
        np.maximum(values, bins[0]), bins, alpha=0.6, label=f"{name}, {100 * share:.0f} % alarms"
    )
ax.axvline(threshold, color="black", linestyle="--", label=f"threshold, {threshold:.0f} nats")
ax.set(xlabel="log pseudo-likelihood of a row (nats)", ylabel="rows")
ax.legend()
plt.show()

# %%
# Which measurement is odd?
# -------------------------
# The score is the sum of the logarithms of the densities of entries, each given all other entries.
# As a function of one entry, the density is proportional to exp(-F), with the free energy F of the
# row. So a grid of values of the entry gives its share. The picture shows the shares of one
# malignant tumour. An entry that is far from the mean need not be odd: given that the others are
# far from the mean, too, it may be what the model expects.


def shares(rbm, row, grid):
    """Log-densities of the entries of a row, each given the others."""
    found = []
    for i in range(len(row)):
        rows = np.tile(row, (len(grid), 1))
        rows[:, i] = grid
        log_integral = np.logaddexp.reduce(-rbm.free_energy(rows)) + np.log(grid[1] - grid[0])
        found.append(-rbm.free_energy([row])[0] - log_integral)
    return np.array(found)


row = malignant[np.argsort(scores["malignant"])[len(malignant) // 2]]
share = shares(rbm, row, np.linspace(-20, 20, 401))
print(f"sum of shares {share.sum():.2f}, score {rbm.score_samples([row])[0]:.2f}")

worst = np.argsort(share)[:12]
figure, ax = plt.subplots(figsize=(8, 3.8), layout="constrained")
bars = ax.barh(cancer.feature_names[worst], -share[worst])
ax.bar_label(bars, [f"value {value:+.1f}" for value in row[worst]], padding=3)
ax.invert_yaxis()
ax.set(xlabel="surprise, minus the log-density (nats)", xlim=(0, -1.2 * share.min()))
ax.set_title("A malignant tumour: its oddest measurements, standardised")
plt.show()

# %%
# Digits put together wrongly
# ---------------------------
# An RBM is for rows whose values are usual, but not together. Black and white digits are cut into
# halves, and the upper half of one stands over the lower half of another. Each pixel by itself is
# normal. A machine without training, whose features are independent, can only guess; so can
# IsolationForest, nearly.

X = (load_digits().data > 7).astype(float)
X = np.random.default_rng(0).permutation(X)
train, test = X[:900], X[900:]
upper = np.arange(64) < 32
mixed = np.where(upper, test, np.roll(test, 1, axis=0))
detectors = {
    "RBM": BernoulliRBM(n_iter=100, random_state=0),
    "IsolationForest": IsolationForest(random_state=0),
    "independent pixels": BernoulliRBM(1, n_iter=0),
}
for name, detector in detectors.items():
    print(f"{name:<20}area {area(detector.fit(train), test, mixed):.3f}")

# %%
# The pixel to blame
# ------------------
# One pixel of each test digit is flipped. ``conditional_proba`` gives the probability that a pixel
# is 1, given all others. The surprise of a pixel is minus the logarithm of the probability of what
# was there. In most digits the flipped pixel is the most surprising one, or among the first three;
# a red frame marks it. Elsewhere the digit was odd already.

rbm = detectors["RBM"]
rows, numbers = test.copy(), np.arange(len(test))
flipped = np.random.default_rng(1).integers(0, 64, len(test))
rows[numbers, flipped] = 1 - rows[numbers, flipped]
p = rbm.conditional_proba(rows)
surprise = -np.log(np.where(rows == 1, p, 1 - p))
place = (surprise > surprise[numbers, flipped][:, np.newaxis]).sum(axis=1)
print(f"the flipped pixel comes first in {np.mean(place == 0):.0%} of the rows,")
print(f"and among the first three in {np.mean(place < 3):.0%}")

figure, axes = plt.subplots(2, figsize=(9, 2.6), layout="compressed")
titles = "Digits with one flipped pixel", "The surprise of each pixel"
labels, maps = ("pixel", "surprise (nats)"), ("gray_r", "Blues")
for ax, title, label, cmap, images in zip(
    axes, titles, labels, maps, (rows, surprise), strict=True
):
    display = SamplesDisplay(images[:12], image_shape=(8, 8), label=label)
    display.plot(ax=ax, n_columns=12, cmap=cmap)
    ax.set_title(title)
    for i, pixel in enumerate(flipped[:12]):
        corner = 9 * i + 1 + pixel % 8 - 0.5, 1 + pixel // 8 - 0.5
        ax.add_patch(plt.Rectangle(corner, 1, 1, fill=False, color="red"))
plt.show()
