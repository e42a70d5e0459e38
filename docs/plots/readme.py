"""The picture of README.md. From the root of a checkout: ``python docs/plots/readme.py``."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skrbm import BernoulliRBM
from skrbm.displays import CompletionDisplay, FiltersDisplay, SamplesDisplay

PATH = Path(__file__).parents[1] / "_static" / "readme.png"


def picture():
    """Filters, samples and completions of one model of scikit-learn's digits."""
    X, y = load_digits(return_X_y=True)
    X_train, X_test, _, y_test = train_test_split(X / 16, y, stratify=y, random_state=0)
    rbm = BernoulliRBM(200, n_iter=200, random_state=0).fit(X_train)

    axes = plt.figure(figsize=(9, 4.1), layout="constrained").subplot_mosaic(
        [["filters", "samples"], ["completions", "completions"]], height_ratios=(6, 5)
    )
    images = {"image_shape": (8, 8), "n_columns": 8}
    FiltersDisplay.from_estimator(rbm, **images, order="norm", n=32, ax=axes["filters"])
    SamplesDisplay.from_estimator(
        rbm, 32, **images, output="mean", random_state=0, ax=axes["samples"]
    )
    held_out = [np.flatnonzero(y_test == digit)[:2] for digit in range(10)]
    CompletionDisplay.from_estimator(
        rbm,
        X_test[np.ravel(held_out)],
        known=np.arange(64) < 32,  # the upper half
        image_shape=(8, 8),
        random_state=0,
        ax=axes["completions"],
        name="held out",
    )
    axes["filters"].set_title("Largest of 200 filters")
    axes["samples"].set_title("Samples: means of their pixels")
    axes["completions"].set_title("Held-out digits, of which the model is given the upper half")
    return axes["filters"].figure


if __name__ == "__main__":
    picture().savefig(PATH, dpi=110)
    print(f"{PATH.stat().st_size / 1000:.0f} kB in {PATH}")
