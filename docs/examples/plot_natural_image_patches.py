"""
================================
Edges from natural image patches
================================

Neighbouring pixels of a photograph are alike. Whitening removes this likeness: the features of
whitened patches have no correlations, so a normal distribution has nothing left to learn. The
edges remain. This example trains a :class:`~skrbm.GaussianBernoulliRBM` on whitened patches of the
two photographs that come with scikit-learn, a Chinese temple and a flower. Nobody tells the RBM
about edges, but most of its hidden units learn one edge each, at one place and in one direction.
Melchior, Wang & Wiskott (PLOS ONE 12, e0171015, 2017) found the same.
"""

# %%
# Patches of two photographs
# --------------------------
# Each photograph is cut into ten strips, and two of the ten are held out. Patches overlap, so a
# random split would put nearly the same patch into both parts. Every patch loses its mean grey
# value. Flat patches (sky, blurred background) are dropped. All other patches get the same
# contrast, so that a few patches of high contrast do not dominate the gradient.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_sample_images
from threadpoolctl import threadpool_limits

# The matrices are small. With one BLAS thread, the figures do not depend on the number of cores.
threadpool_limits(1, user_api="blas")

SIDE = 12
rng = np.random.default_rng(0)


def random_patches(image, n_patches):
    """Patches of an image at random places, one per row, each without its mean."""
    windows = np.lib.stride_tricks.sliding_window_view(image, (SIDE, SIDE))
    rows, columns = (rng.integers(n, size=n_patches) for n in windows.shape[:2])
    patches = windows[rows, columns].reshape(n_patches, -1)
    return patches - patches.mean(axis=1, keepdims=True)


train, held_out = [], []
for photograph in load_sample_images().images:
    grey = (photograph @ [0.299, 0.587, 0.114]).astype(np.float32)
    for number, strip in enumerate(np.split(grey, 10, axis=1)):
        if number in (2, 7):
            held_out.append(random_patches(strip, 150))
        else:
            train.append(random_patches(strip, 5000))
train, held_out = np.concatenate(train), np.concatenate(held_out)

flat = np.quantile(train.std(axis=1), 0.3)


def same_contrast(patches):
    """The patches that are not flat, each scaled to variance 1."""
    contrast = patches.std(axis=1, keepdims=True)
    return (patches / contrast)[contrast[:, 0] > flat]


train, held_out = same_contrast(train), same_contrast(held_out)
print(f"{len(train)} patches to learn from, {len(held_out)} held out")

# %%
# Whitening
# ---------
# The first half of the principal components has nine tenths of the variance. The other half is
# fine grain, and whitening would raise its variance to that of the first half. So the example
# drops the second half.

from sklearn.decomposition import PCA

whitening = PCA(SIDE**2 // 2, whiten=True, random_state=0).fit(train)
X_train, X_held_out = whitening.transform(train), whitening.transform(held_out)
print(f"{whitening.explained_variance_ratio_.sum():.0%} of the variance kept")

# %%
# The model
# ---------
# Three parameters matter here.
#
# ``noise_variance`` is the variance that the model leaves unexplained. Whitened data have variance
# 1 in every direction. With the default noise variance of 1, one normal distribution fits the data
# already, and four filters of five stay noise. With 0.7 the hidden units explain a share of 0.3.
# The values 0.6, 0.8 and "learned" give much the same filters.
#
# ``learning_rate`` and ``momentum`` are schedules, with one value per epoch. Filters form with
# large steps, and momentum makes the steps ten times as long again. Small steps at the end clean
# the filters.

from time import perf_counter

from skrbm import GaussianBernoulliRBM

rbm = GaussianBernoulliRBM(
    144,
    noise_variance=0.7,
    learning_rate=np.concatenate([np.full(20, 0.05), np.geomspace(0.05, 0.001, 20)]),
    learning_rate_schedule="constant",  # these rates need no further fall
    momentum=[0.5] * 5 + [0.9],
    n_iter=40,
    weight_decay=0.002,
    random_state=0,
)
start = perf_counter()
rbm.fit(X_train)
print(f"{rbm.n_iter_} epochs in {perf_counter() - start:.0f} s")
print(f"{rbm.transform(X_held_out).mean():.1%} of the hidden units on, on average")

# %%
# Does the RBM know more than a normal distribution?
# --------------------------------------------------
# ``score`` is the exact pseudo-likelihood: it measures how well the model predicts each feature
# from all other features. The features of whitened data are uncorrelated. So no normal
# distribution, whatever its covariance, fits the training data better than a normal distribution
# of independent features. What the RBM gains over this distribution does not come from
# correlations.

log_densities = -0.5 * (np.square(X_held_out - X_train.mean(axis=0)) / X_train.var(axis=0))
log_densities -= 0.5 * np.log(2 * np.pi * X_train.var(axis=0))
print("\npseudo-likelihood of a held-out patch, in nats")
print(f"{'normal distribution':<24}{log_densities.sum(axis=1).mean():>8.1f}")
print(f"{'RBM':<24}{rbm.score(X_held_out):>8.1f}")

# %%
# Are the filters edges?
# ----------------------
# An edge has a direction and a place. The measure of direction is the share of a filter's power in
# the Fourier plane that lies within 22.5 degrees of the filter's main orientation. The share is a
# quarter if the filter has no direction. The measure of place is the share of the filter's squares
# in the best window of a quarter of the patch. Random weights have no direction and no place.
# Principal components are waves: some have a direction, and none has a place.


def orientations(filters):
    """Main orientation of each filter in the Fourier plane, and the share of power near it."""
    power = np.abs(np.fft.fft2(filters.reshape(-1, SIDE, SIDE), (64, 64))) ** 2
    frequency = np.fft.fftfreq(64)
    angle = np.arctan2(frequency[:, None], frequency)
    power[:, 0, 0] = 0  # no direction
    main = np.angle((power * np.exp(2j * angle)).sum(axis=(1, 2))) / 2
    apart = np.abs((angle - main[:, None, None] + np.pi / 2) % np.pi - np.pi / 2)
    near = (power * (apart < np.pi / 8)).sum(axis=(1, 2))
    return main, near / power.sum(axis=(1, 2))


def places(filters):
    """Share of the sum of squares in the best window of half the height and width."""
    squares = np.square(filters.reshape(-1, SIDE, SIDE))
    windows = np.lib.stride_tricks.sliding_window_view(
        squares, (SIDE // 2, SIDE // 2), axis=(1, 2)
    )
    return windows.sum(axis=(3, 4)).max(axis=(1, 2)) / squares.sum(axis=(1, 2))


filters = rbm.components_ @ whitening.components_  # of whitened patches, as pixels
random_weights = rng.standard_normal(rbm.components_.shape) @ whitening.components_
print(f"\n{'median share':<24}{'direction':>10}{'place':>8}{'both > 0.6':>12}")
for title, images in [
    ("RBM filters", filters),
    ("random weights", random_weights),
    ("principal components", whitening.components_),
]:
    direction, place = orientations(images)[1], places(images)
    both = np.mean((direction > 0.6) & (place > 0.6))
    print(f"{title:<24}{np.median(direction):>10.2f}{np.median(place):>8.2f}{both:>12.0%}")

# %%
# The filters
# -----------
# A filter is the picture of a hidden unit's weights: what the unit, when it is on, adds to the
# whitened patch. Sorted by orientation, the filters turn once through half a circle. Most filters
# are a line beside a line of the other sign. Slanted gratings are the tiles of the temple's roofs.
#
# ``whitening.inverse_transform`` would show what a unit adds to the patch itself. There the first
# components have most of the variance, and all filters would be broad shades.

from skrbm.displays import FiltersDisplay, SamplesDisplay

image = {"image_shape": (SIDE, SIDE)}
FiltersDisplay.from_estimator(
    rbm,
    order=np.argsort(orientations(filters)[0]),
    inverse_transform=lambda rows: rows @ whitening.components_,
    normalize=True,
    **image,
).ax_.set_title("Filters, by orientation")
plt.show()

# %%
# Samples
# -------
# Given the hidden units, the model adds noise of variance 0.7 to a mean. A sample has both. The
# middle panel shows samples, whose contrast is nearly that of patches: over 2,000 samples the
# standard deviation of a pixel is 0.89, and of the patches on the left it is 0.95. The right panel
# shows the means of the same samples, on a scale of its own. Their strokes are what the hidden
# units know, but their standard deviation is 0.38. So means beside patches would make the model
# look flat: the noise is a part of the model, and stands for all that the units do not explain.
# The strokes are simple, because the model does not know the foliage around the temple.

chains = {"n_gibbs_steps": 1000, "random_state": 0}
panels = {
    "Held-out patches, less the grain": X_held_out[rng.permutation(len(X_held_out))[:50]],
    "Samples": rbm.sample(50, **chains),
    "Their means, without noise": rbm.sample(50, output="mean", **chains),
}
figure, axes = plt.subplots(1, 3, figsize=(12, 6.2), layout="compressed")
print("\nstandard deviation of pixels")
for ax, (title, rows) in zip(axes, panels.items(), strict=True):
    patches = whitening.inverse_transform(rows)
    limit = 1 if "means" in title else 2.5
    display = SamplesDisplay(patches, label="grey value / contrast", **image)
    display.plot(ax=ax, n_columns=5, cmap="gray", im_kw={"vmin": -limit, "vmax": limit})
    ax.set_title(title)
    print(f"{title:<34}{patches.std():.2f}")
plt.show()
