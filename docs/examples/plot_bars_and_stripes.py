"""
==================================================
Bars and stripes, and how far training falls short
==================================================

Images of 4 x 4 pixels whose rows are all on or off, or whose columns are all on or off: there are
30 of them. This small data set is hard on Gibbs chains, because two images differ in many pixels
at once. The distribution is known, and no model can have a larger mean log-likelihood than minus
its entropy. If all images are equally frequent, this is -log 30 or -3.40 nats. A machine of 16
visible units has an exact likelihood. So this example can measure how far each algorithm of
training falls short of the optimum.
"""

# %%
# Thirty images
# -------------
# ``make_bars_and_stripes`` lists all images. The empty image and the full image occur twice there,
# as rows and as columns; here each image counts once.

import matplotlib.pyplot as plt
import numpy as np

from skrbm import BernoulliRBM
from skrbm.datasets import make_bars_and_stripes
from skrbm.displays import FiltersDisplay, LikelihoodDisplay, SamplesDisplay

X = np.unique(make_bars_and_stripes(4), axis=0)
optimum = -np.log(len(X))
print(f"{len(X)} images, optimum {optimum:.3f} nats")
display = SamplesDisplay(X, image_shape=(4, 4), label="pixel").plot(n_columns=10)
display.ax_.set_title("All bars and stripes")
plt.show()

# %%
# Three algorithms
# ----------------
# An update sees all images once. Contrastive divergence ("cd") starts its chains at the images,
# persistent contrastive divergence ("pcd") lets chains go on from update to update, and "pt" lets
# them swap states with chains at higher temperatures. All machines have 16 hidden units and the
# same learning rate, and make 2,400 updates. ``log_likelihood`` sums over all states of a layer,
# as a machine is small by default.

ALGORITHMS = {"cd": "CD-1", "pcd": "PCD-1", "pt": "PCD with tempering"}
N_UPDATES = 40  # between two values of a curve
epochs = np.arange(1, 61)
images = np.tile(X, (N_UPDATES, 1))
machines, curves = {}, {}
for algorithm, name in ALGORITHMS.items():
    rbm = BernoulliRBM(16, algorithm=algorithm, batch_size=len(X), n_chains=50, random_state=0)
    rbm.set_params(learning_rate=0.3, learning_rate_schedule="constant", shuffle=False)
    curve = []
    for _ in epochs:
        rbm.partial_fit(images)
        curve.append(rbm.log_likelihood(X).mean())
    machines[name], curves[name] = rbm, np.transpose([curve] * 3)  # exact: no interval
    print(f"{name:<20}{curve[-1]:.3f} nats, {optimum - curve[-1]:.3f} short of the optimum")

display = LikelihoodDisplay({"images": curves}, x=N_UPDATES * epochs, xlabel="update").plot()
display.ax_.axhline(optimum, color="black", linestyle=":", label="optimum, -log 30")
display.ax_.legend()
display.ax_.set(title="Exact likelihood of bars and stripes", ylim=(-6.5, -3.2))
plt.show()

# %%
# What is missing
# ---------------
# All three machines give more than nine tenths of the probability to the 30 images. But CD and PCD
# share it out unevenly. The rarest image has a tenth of its due, or a hundredth, and the commonest
# several times as much. A chain hardly ever moves from one image to another, so that nothing tells
# these algorithms how often a chain should be where. With tempering no image is forgotten.

print(f"{'':<20}{'all images':>12}{'rarest':>10}{'commonest':>12}")
for name, rbm in machines.items():
    p = np.exp(rbm.log_likelihood(X))
    print(f"{name:<20}{p.sum():>12.3f}{30 * p.min():>7.2f}/30{30 * p.max():>9.2f}/30")

# %%
# Samples tell of this, too. ``pair_correlations`` compares how pairs of pixels vary together in
# samples and in the data. The Pearson correlation of both is 0.99 with tempering, as good as that
# of other draws of the data, and less for CD and PCD. Nearest neighbours see hardly anything: both
# figures of ``adversarial_accuracy`` would be 0.5 for perfect samples. Each image occurs many
# times in samples and data, and a neighbour that is the same image counts half.

from skrbm.metrics import adversarial_accuracy, pair_correlations

data, other = (X[np.random.default_rng(i).integers(len(X), size=1000)] for i in range(2))
draws = {"data": other}
for name, rbm in machines.items():
    draws[name] = rbm.sample(1000, method="tempering", n_gibbs_steps=200, random_state=0)
print(f"\n{'1,000 samples':<20}{'images':>8}{'Pearson':>9}{'neighbours':>14}")
for name, rows in draws.items():
    is_image = (rows[:, np.newaxis] == X).all(axis=2).any(axis=1)
    pearson = pair_correlations(data, rows).pearson
    truth, synthetic = adversarial_accuracy(data, rows)
    print(f"{name:<20}{is_image.mean():>8.1%}{pearson:>9.2f}{truth:>8.2f}{synthetic:>6.2f}")

# %%
# Below are samples of the machine that has learned with tempering, as means of the last step of
# tempered chains, and the filters of its hidden units. Many filters excite one line of pixels and
# inhibit its neighbours.

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.6), layout="compressed")
rbm = machines["PCD with tempering"]
chains = {"method": "tempering", "random_state": 0}
SamplesDisplay.from_estimator(rbm, 16, image_shape=(4, 4), ax=left, **chains)
left.set_title("Samples")
FiltersDisplay.from_estimator(rbm, image_shape=(4, 4), order="norm", ax=right)
right.set_title("Filters, the largest first")
plt.show()
