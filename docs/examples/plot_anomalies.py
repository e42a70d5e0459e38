"""
=================================
Anomalies, and the entry to blame
=================================

``score_samples`` of a restricted Boltzmann machine (RBM) is low for a row unlike the rows that it
has learned from. So the RBM finds anomalies without having seen one. This example finds two kinds
of them among digits, chooses a threshold, and asks which pixel makes a row odd. Then it asks the
same of measurements of tumours. The page :doc:`/guide/anomalies` compares more detectors, and says
where an RBM is not the right tool.
"""

# %%
# Rows that are normal
# --------------------
# Normal rows are scikit-learn's digits without the digit 2, as bits. They are cut into three
# parts: rows to learn from, rows to choose the threshold by, and rows to test. The first kind of
# anomaly is the digit that no training row shows. The second kind is made of normal rows: the
# upper half of one test row over the lower half of another. Each of its pixels is normal by
# itself.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from threadpoolctl import threadpool_limits

threadpool_limits(1, user_api="blas")  # the matrices are small

X, y = load_digits(return_X_y=True)
X = (X > 7).astype(np.float32)
rng = np.random.default_rng(0)
normal = rng.permutation(X[y != 2])
train, held_out, test = normal[:800], normal[800:1200], normal[1200:]
upper, lower = rng.permutation(test), rng.permutation(test)
anomalies = {
    "the digit 2": X[y == 2],
    "halves of two digits": np.hstack([upper[:, :32], lower[:, 32:]]),
}

# %%
# Two detectors
# -------------
# ``IsolationForest`` has default parameters. The RBM learns for 100 epochs in place of 20, as 800
# rows give few updates. A curve shows the share of anomalies found against the share of false
# alarms, for all thresholds. The area under it is the probability that an anomaly has a lower
# score than a normal row. Guessing has 0.5. ``tests/benchmarks/study_anomalies.py`` repeats the
# comparison with each digit left out in turn.
#
# The forest looks at few pixels at a time. It is hardly better than guessing where halves do not
# go together. The RBM knows which pixels go together, and is well ahead in both panels.

from sklearn.ensemble import IsolationForest
from sklearn.metrics import RocCurveDisplay

from skrbm import BernoulliRBM

rbm = BernoulliRBM(n_iter=100, random_state=0).fit(train)
detectors = {"RBM": rbm, "IsolationForest": IsolationForest(random_state=0).fit(train)}

figure, axes = plt.subplots(1, 2, figsize=(9.5, 4.4), layout="constrained")
for ax, (kind, rows) in zip(axes, anomalies.items(), strict=True):
    is_anomaly = np.repeat([0, 1], [len(test), len(rows)])
    for name, detector in detectors.items():
        oddness = -detector.score_samples(np.concatenate([test, rows]))
        RocCurveDisplay.from_predictions(is_anomaly, oddness, name=name, ax=ax)
    ax.plot([0, 1], [0, 1], "k:", linewidth=1)
    ax.set(title=kind, xlabel="false alarms", ylabel="anomalies found")
plt.show()

# %%
# A threshold
# -----------
# The threshold is a quantile of the scores of normal rows that training has not seen, because a
# model scores its own training rows too well. The quantile is the rate of false alarms that you
# accept, here 5 %.

threshold = np.quantile(rbm.score_samples(held_out), 0.05)
scores = {"normal test rows": rbm.score_samples(test)}
scores |= {kind: rbm.score_samples(rows) for kind, rows in anomalies.items()}
print(f"share of rows below the threshold of {threshold:.1f} nats")
for kind, values in {"training rows": rbm.score_samples(train), **scores}.items():
    print(f"{kind:<22}{np.mean(values < threshold):>5.0%}")

figure, ax = plt.subplots(figsize=(8, 3.8), layout="constrained")
bins = np.linspace(*np.percentile(np.concatenate(list(scores.values())), [0.5, 100]), 30)
for (kind, values), colour in zip(scores.items(), ("0.6", "C0", "C1"), strict=True):
    filled = {"alpha": 0.5} if kind.startswith("normal") else {"histtype": "step", "linewidth": 2}
    ax.hist(values, bins, density=True, color=colour, label=kind, **filled)
ax.axvline(threshold, color="k", linestyle="--", label="threshold")
ax.set(xlabel="score_samples: log pseudo-likelihood of a row (nats)", ylabel="density of rows")
ax.legend(loc="upper left")
plt.show()

# %%
# The pixel to blame
# ------------------
# The score is a sum over pixels. The surprise of a pixel is minus the logarithm of its probability
# given all other pixels, and the score is minus the sum of the surprises. In each row below one
# pixel of a test row is flipped. One pixel hardly moves a sum over 64, and few of these rows are
# below the threshold. But the largest surprise of a row has a quantile of its own, and finds more.


def surprises(rows):
    """Minus log-probability of each pixel given all others."""
    p = rbm.conditional_proba(rows)
    return -np.log(np.where(rows == 1, p, 1 - p))


numbers = np.arange(len(test))
flipped = rng.integers(64, size=len(test))
odd = test.copy()
odd[numbers, flipped] = 1 - odd[numbers, flipped]
surprise = surprises(odd)
largest = np.quantile(surprises(held_out).max(axis=1), 0.95)
print(f"\n{len(odd)} rows with a flipped pixel")
print(f"below the threshold of the score      {np.mean(rbm.score_samples(odd) < threshold):>4.0%}")
print(f"largest surprise above its threshold  {np.mean(surprise.max(axis=1) > largest):>4.0%}")
print(f"largest surprise at the flipped pixel {np.mean(surprise.argmax(axis=1) == flipped):>4.0%}")

# %%
# The picture shows twelve rows with a flipped pixel, in a blue frame, and twelve of two halves.
# No single pixel is to blame for a row of two halves: surprises are larger all over the image.

from skrbm.displays import SamplesDisplay

N = 12
halves = anomalies["halves of two digits"]
rows = np.concatenate([odd[:N], halves[:N]])
shown = {"pixels": (rows, "gray_r"), "surprise (nats)": (surprises(rows), "Reds")}
figure, axes = plt.subplots(2, figsize=(9, 3.4), layout="compressed")
for ax, (label, (values, cmap)) in zip(axes, shown.items(), strict=True):
    display = SamplesDisplay(values, image_shape=(8, 8), label=label)
    display.plot(ax=ax, n_columns=N, cmap=cmap)
    for tile, pixel in enumerate(flipped[:N]):  # tiles have frames of one pixel
        corner = 9 * tile + 0.5 + pixel % 8, 0.5 + pixel // 8
        ax.add_patch(plt.Rectangle(corner, 1, 1, fill=False, color="C0", linewidth=1.5))
plt.show()

# %%
# Real values
# -----------
# The breast cancer data of scikit-learn have 30 measurements of each of 569 tumours. The model
# learns from half of the benign ones, standardised, and knows no other. It scores the other half
# and all malignant tumours. Most measurements of a malignant tumour are large by themselves, so
# that both detectors find most of them. Over ten such halves the areas are 0.958 and 0.955 on
# average, which is no difference.

from sklearn.datasets import load_breast_cancer
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from skrbm import GaussianBernoulliRBM

cancer = load_breast_cancer()
benign = np.random.default_rng(0).permutation(cancer.data[cancer.target == 1])
train, test = np.split(benign, [len(benign) // 2])
scaler = StandardScaler().fit(train)
train, test, malignant = map(scaler.transform, (train, test, cancer.data[cancer.target == 0]))
tumours, is_anomaly = np.concatenate([test, malignant]), np.repeat([0, 1], [len(test), 212])
rbm = GaussianBernoulliRBM(random_state=0).fit(train)
print("area under the ROC curve")
for detector in (rbm, IsolationForest(random_state=0).fit(train)):
    area = roc_auc_score(is_anomaly, -detector.score_samples(tumours))
    print(f"{type(detector).__name__:<22}{area:.3f}")

# %%
# The score is the sum of the logarithms of densities of entries, each given all other entries. As
# a function of one entry the density is proportional to exp(-F), with the free energy F of the
# row. So a grid of values of an entry gives its part of the score. The picture shows the most
# surprising measurements of a malignant tumour with a score in the middle. The order is not that
# of the values alone: area, radius and perimeter vouch for each other, and texture stands alone.


def entry_scores(rbm, row, grid):
    """Log-density of each entry of a row, given the others."""
    found = []
    for i in range(len(row)):
        rows = np.tile(row, (len(grid), 1))
        rows[:, i] = grid
        log_integral = np.logaddexp.reduce(-rbm.free_energy(rows)) + np.log(grid[1] - grid[0])
        found.append(-rbm.free_energy([row])[0] - log_integral)
    return np.array(found)


scores = rbm.score_samples(malignant)
row = malignant[np.argsort(scores)[len(scores) // 2]]
parts = entry_scores(rbm, row, np.linspace(-20, 20, 401))
print(f"sum of the parts {parts.sum():.2f}, score {rbm.score_samples([row])[0]:.2f}")

worst = np.argsort(parts)[:12]
figure, ax = plt.subplots(figsize=(8, 3.8), layout="constrained")
bars = ax.barh(cancer.feature_names[worst], -parts[worst])
ax.bar_label(bars, [f"{value:+.1f} deviations" for value in row[worst]], padding=3)
ax.invert_yaxis()
ax.set(xlabel="surprise, minus the log-density (nats)", xlim=(0, -1.25 * parts.min()))
ax.set_title("The oddest measurements of a malignant tumour")
plt.show()
