"""
===========================
Data that live on a cluster
===========================

Rows in a Dask collection need not fit in memory. ``skrbm.dask.fit`` trains an estimator on them
where they are: each partition trains a replica of the machine, and every so many updates all go on
from the mean of the replicas. ``skrbm.dask.transform`` and ``skrbm.dask.score_samples`` are lazy:
partition by partition they say what the fitted machine finds. The cluster of this example is two
threads of this process. With the address of a larger one, in ``Client(address)``, all other lines
stay as they are, and so does what they print, but for the seconds.
"""

# %%
# Rows are made where they are needed
# -----------------------------------
# A partition here is 2,000 black and white digits, each at one of nine places of a canvas of 10 x
# 10 pixels. A task makes it, or reads it from a file in real life; the client never holds it. So
# the cluster can make it again after a worker has died. A fifth of scikit-learn's digits serve the
# partitions that are held out.

from time import perf_counter

import dask
import dask.array as da
import matplotlib.pyplot as plt
import numpy as np
from dask.distributed import Client
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import train_test_split

import skrbm.dask
from skrbm import BernoulliRBM

client = Client(processes=False, n_workers=2, threads_per_worker=1, dashboard_address=":0")

N_ROWS, SIDE = 2000, 10


def digits(held_out, p):
    """Rows and labels of a partition."""
    X, y = load_digits(return_X_y=True)
    parts = train_test_split(np.arange(len(y)), test_size=0.2, stratify=y, random_state=0)
    rng = np.random.default_rng((held_out, p))
    which, places = rng.choice(parts[held_out], N_ROWS), rng.integers(3, size=(N_ROWS, 2))
    canvas = np.zeros((N_ROWS, SIDE, SIDE), np.float32)
    for image, row, (top, left) in zip(canvas, which, places, strict=True):
        image[top : top + 8, left : left + 8] = X[row].reshape(8, 8) > 8
    return canvas.reshape(N_ROWS, -1), y[which]


def collection(held_out, n_partitions):
    """A dask array of rows, and one of labels."""
    make = dask.delayed(digits, nout=2)
    rows, labels = zip(*(make(held_out, p) for p in range(n_partitions)), strict=True)
    X = [da.from_delayed(part, (N_ROWS, SIDE**2), np.float32) for part in rows]
    return da.concatenate(X), da.concatenate([da.from_delayed(y, (N_ROWS,), int) for y in labels])


(X, y), (X_test, y_test) = collection(0, 8), collection(1, 2)
print(f"X: {X.shape[0]} rows in {X.npartitions} partitions, {X.nbytes / 1e6:.1f} MB when computed")

# %%
# Training
# --------
# The batch of one machine is divided by the number of partitions, and the learning rate is not: 96
# rows an update are 12 rows in each of 8 partitions. Persistent chains are not divided: each
# partition has 96. The first partition makes 1,000 updates alone, so that all replicas start from
# hidden units that have found their roles. After that there is a mean every 100 updates.

rbm = BernoulliRBM(200, batch_size=12, n_iter=20, random_state=0)
start = perf_counter()
skrbm.dask.fit(rbm, X, sync_every=100, warm_up=1000)
print(f"fit: {rbm.n_iter_} epochs in {perf_counter() - start:.1f} s")

# %%
# A classifier on lazy features
# -----------------------------
# The result is an ordinary estimator. Its features of a dask array are a dask array, of which
# nothing is computed yet. ``SGDClassifier.partial_fit`` takes one block after the other, so that
# the client never holds more than one. A second classifier sees the pixels themselves. After every
# block both are asked for the held-out digits.

H, H_test = (skrbm.dask.transform(rbm, rows) for rows in (X, X_test))
features = {"features of the RBM": (H, H_test), "pixels": (X, X_test)}
accuracies = {}
print(f"\n{'accuracy after':<22}{'1 block':>10}{'8 blocks':>10}")
for name, (train, test) in features.items():
    classifier = SGDClassifier(loss="log_loss", average=True, random_state=0)
    test, truth = dask.compute(test, y_test)
    found = accuracies[name] = []
    for rows, labels in zip(train.blocks, y.blocks, strict=True):
        classifier.partial_fit(*dask.compute(rows, labels), classes=np.arange(10))
        found.append(classifier.score(test, truth))
    print(f"{name:<22}{found[0]:>10.1%}{found[-1]:>10.1%}")

# %%
# What does not belong
# --------------------
# ``score_samples`` is lazy as well: here of digits, and of the same digits upside down, which are
# made from the first lazily, too. Both means need one pass over the rows. No row of scores leaves
# its worker unless somebody asks for it, as the picture does.

upside_down = X_test.map_blocks(lambda rows: rows[:, ::-1], dtype=X_test.dtype)
scores = {
    "held-out digits": skrbm.dask.score_samples(rbm, X_test),
    "turned by 180 degrees": skrbm.dask.score_samples(rbm, upside_down),
}
means = dask.compute(*(score.mean() for score in scores.values()))
print("\nMean log pseudo-likelihood in nats: ", end="")
print(", ".join(f"{name} {mean:.1f}" for name, mean in zip(scores, means, strict=True)))
scores = dict(zip(scores, dask.compute(*scores.values()), strict=True))
client.close()

# %%
# The picture
# -----------
# On the left the classifier on features is ahead from the first block on: the RBM has learned from
# all rows, and needed no label. On the right digits that are turned by 180 degrees are less
# probable than others, but for those that look alike both ways, such as 0 and 8.

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.4), layout="constrained")
for name, found in accuracies.items():
    left.plot(range(1, len(found) + 1), found, ".-", label=name)
left.set(xlabel="blocks of 2,000 rows", ylabel="accuracy", title="Held-out digits")
left.legend(loc="upper left")
bins = np.linspace(*np.percentile(np.concatenate(list(scores.values())), [0.1, 100]), 60)
for name, values in scores.items():
    right.hist(values, bins, alpha=0.6, label=name)
right.set(xlabel="log pseudo-likelihood of a row", ylabel="rows", title="What does not belong")
right.legend(loc="upper left")

plt.show()
