"""
=====================================
Bars and stripes: how good can it be?
=====================================

An image of bars and stripes has lines that run horizontally or vertically, each of them all on or
all off. There are few such images, so that everything about them is known: no model has a larger
mean log-likelihood than minus their entropy. This example trains the same restricted Boltzmann
machine (RBM) by contrastive divergence (CD), by persistent contrastive divergence (PCD), and by
parallel tempering (PT). It watches the exact likelihood all along, and compares samples with the
data.
"""

# %%
# The data
# --------
# Images of 4 x 4 pixels have 32 results: 16 of horizontal lines and 16 of vertical ones. The empty
# and the full image occur among both. The entropy is 3.379 nats.

import matplotlib.pyplot as plt
import numpy as np
from threadpoolctl import threadpool_limits

from skrbm import BernoulliRBM
from skrbm.datasets import make_bars_and_stripes

threadpool_limits(1, user_api="blas")  # the matrices are small

SIDE = 4
X = make_bars_and_stripes(SIDE).astype(np.float32)
images, counts = np.unique(X, axis=0, return_counts=True)
p = counts / len(X)
optimum = np.sum(p * np.log(p))
print(f"{len(X)} rows, {len(images)} different images, optimum {optimum:.3f} nats")

# %%
# The likelihood along the training
# ---------------------------------
# Sixteen hidden units have 65,536 states, and ``log_partition("exact")`` sums over them. All 32
# rows are one batch, so all noise of the gradient is that of the Gibbs chains. With
# ``warm_start=True`` each ``fit`` adds epochs to the machine that is there.

from time import perf_counter

EPOCHS = np.arange(100, 1001, 50)
curves, machines = {}, {}
print("\nmean log-likelihood less the optimum, in nats")
for algorithm in ("cd", "pcd", "pt"):
    rbm = BernoulliRBM(16, algorithm=algorithm, learning_rate=0.5, batch_size=32)
    rbm.set_params(warm_start=True, random_state=0)
    if algorithm != "cd":
        rbm.set_params(n_chains=100)
    curve, seconds = [], 0
    for n_epochs in np.diff(EPOCHS, prepend=0):
        start = perf_counter()
        rbm.set_params(n_iter=n_epochs).fit(X)
        seconds += perf_counter() - start
        log_likelihood = rbm.log_likelihood(X, rbm.log_partition("exact"))
        curve.append(log_likelihood.mean(dtype=float) - optimum)
    name = algorithm.upper()
    machines[name], curves[name] = rbm, curve
    print(f"{name:<4}best {max(curve):.2f}, in the end {curve[-1]:.2f}; {seconds:.1f} s")

# %%
# CD starts its chains at the data, so it learns nothing of what the model believes far from the
# data. Its likelihood levels off 0.4 nats below the optimum. The persistent chains of
# PCD move on from update to update, and serve well as long as they move from image to image. As
# weights grow, the images become modes that chains hardly leave. The likelihood sways, and falls.
# PT swaps rows between chains at several temperatures, and the swaps carry rows from mode to mode.
# PT goes on to improve, and takes two to three times as long as PCD.

figure, ax = plt.subplots(figsize=(7, 3.8), layout="constrained")
for name, curve in curves.items():
    ax.plot(EPOCHS, curve, ".-", label=name)
ax.axhline(0, color="k", linewidth=1, linestyle=":", label="minus the entropy")
ax.set(xlabel="epoch", ylabel="mean log-likelihood,\nless the optimum (nats)")
ax.set(xlim=(200, 1010), ylim=(-2.5, 0.1))
ax.legend(loc="lower right")
plt.show()

# %%
# Images that a model forgets
# ---------------------------
# Tempered chains draw 1,000 samples of each machine. ``pair_correlations`` compares how pixels
# vary together in samples and in other draws of the data: a slope of 1 is right. The last column
# is exact. It shows the smallest and the largest probability of an image under the model, each
# divided by the probability in the data.
#
# Most samples of all machines are bars or stripes. But CD and PCD have nearly forgotten some
# images, and draw others too often. PT is close to the right proportions.

from skrbm.displays import SamplesDisplay
from skrbm.metrics import pair_correlations

data, other = (make_bars_and_stripes(SIDE, n_samples=1000, random_state=i) for i in range(2))
samples = {"data": other}
print(
    f"\n{'1,000 samples':<15}{'bars or stripes':>16}{'slope':>8}{'probability / that in data':>30}"
)
is_image = {}
for name, rbm in {"data": None, **machines}.items():
    if rbm is None:
        ratios = np.ones(len(p))
    else:
        samples[name] = rbm.sample(1000, method="tempering", n_gibbs_steps=200, random_state=0)
        ratios = np.exp(rbm.log_likelihood(images, rbm.log_partition("exact"))) / p
    is_image[name] = (samples[name][:, np.newaxis] == images).all(axis=2).any(axis=1)
    slope = pair_correlations(data, samples[name]).slope
    print(f"{name:<15}{is_image[name].mean():>16.1%}{slope:>8.2f}", end="")
    print(f"{ratios.min():>22.2f} to {ratios.max():.2f}")

# %%
# The picture shows the first 24 samples. Red frames mark those that are neither bars nor stripes.

N = 24
rows = np.concatenate([drawn[:N] for drawn in samples.values()])
_, ax = plt.subplots(figsize=(10, 1.9), layout="constrained")
display = SamplesDisplay(rows, image_shape=(SIDE, SIDE)).plot(ax=ax, n_columns=N)
display.colorbar_.remove()  # pixels are black or white
ax.set_yticks(SIDE / 2 + (SIDE + 1) * np.arange(len(samples)), list(samples))
ax.tick_params(length=0)
for line, of_samples in enumerate(is_image.values()):
    for tile in np.flatnonzero(~of_samples[:N]):
        corner = (SIDE + 1) * tile, (SIDE + 1) * line
        frame = {"fill": False, "color": "C3", "linewidth": 2}
        ax.add_patch(plt.Rectangle(corner, SIDE + 1, SIDE + 1, **frame))
plt.show()
