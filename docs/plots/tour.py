"""The pictures of tour.rst, drawn as the code of the page draws them."""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skrbm import BernoulliRBM
from skrbm.displays import CompletionDisplay, FiltersDisplay, SamplesDisplay

X, y = load_digits(return_X_y=True)
X_train, X_test, _, _ = train_test_split(X / 16, y, stratify=y, random_state=0)
rbm = BernoulliRBM(100, n_iter=50, random_state=0).fit(X_train)


def filters():
    """The largest filters."""
    FiltersDisplay.from_estimator(rbm, image_shape=(8, 8), order="norm", n=40, n_columns=10)


def samples():
    """Samples as means."""
    samples = rbm.sample(40, output="mean", random_state=0)
    SamplesDisplay(samples, image_shape=(8, 8)).plot(n_columns=10)


def completions():
    """Held-out digits completed from their upper halves."""
    known = np.arange(64) < 32
    CompletionDisplay.from_estimator(
        rbm, X_test[:12], known=known, image_shape=(8, 8), random_state=0
    )
