"""Data of the studies: files read, rows split, bits drawn, patches cut out of photographs."""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits, load_sample_images
from sklearn.decomposition import PCA

SIDE = 12  # pixels, of a patch


def load_mnist(path, quick=False):
    """Images as rows of 0 to 255, and digits: of training, then of test.

    The file holds ``x_train``, ``y_train``, ``x_test`` and ``y_test``.
    """
    parts = []
    for part, n_quick in (("train", 1200), ("test", 200)):
        with np.load(path) as arrays:
            X, y = arrays[f"x_{part}"], arrays[f"y_{part}"]
        n_rows = n_quick if quick else len(X)
        parts.append((X.reshape(len(X), -1)[:n_rows], y[:n_rows]))
    return parts


def grey(images):
    """Pixels of 0 to 255 as probabilities."""
    return images.astype(np.float32) / 255


def one_draw(probabilities, seed):
    """Bits of the given probabilities, the same for the same seed."""
    random = np.random.default_rng(seed).random(probabilities.shape, np.float32)
    return (random < probabilities).astype(np.float32)


def load_nade(path):
    """Rows of bits by ``train``, ``valid`` and ``test``.

    The file holds the parts as packed bits, and ``n_features``.
    """
    with np.load(path) as arrays:
        n_features = int(arrays["n_features"])
        return {
            part: np.unpackbits(arrays[part], axis=1)[:, :n_features].astype(np.float32)
            for part in ("train", "valid", "test")
        }


def nade_name(path):
    """Name of the data set in a file ``nade_NAME.npz``."""
    return Path(path).stem.removeprefix("nade_")


def digits():
    """scikit-learn's digits, between 0 and 1, and what they are."""
    X, y = load_digits(return_X_y=True)
    return (X / 16).astype(np.float32), y


def split(X, share, rng):
    """Rows without the share, and the share."""
    order = rng.permutation(len(X))
    n = round(share * len(X))
    return X[order[n:]], X[order[:n]]


def photographs(path=None):
    """Grey photographs of a file of arrays; without a file the two of scikit-learn."""
    if path is None:
        images = load_sample_images().images
        return [(image @ [0.299, 0.587, 0.114]).astype(np.float32) for image in images]
    with np.load(path) as arrays:
        return [arrays[name].astype(np.float32) for name in arrays.files]


def whitened_patches(images, n_train, n_held_out, seed=0):
    """About so many patches to learn from, and others held out, whitened.

    As in the example ``plot_natural_image_patches.py``: two of ten strips of each photograph are
    held out; patches lose their mean, and flat ones are dropped; all others get the same contrast;
    whitening keeps the first half of the principal components.
    """
    rng = np.random.default_rng(seed)
    parts = [], []
    for image in images:
        for number, strip in enumerate(np.array_split(image, 10, axis=1)):
            held_out = number in (2, 7)
            per_strip = n_held_out / 2 if held_out else n_train / 8
            parts[held_out].append(_patches(strip, round(per_strip / len(images)), rng))
    train, held_out = (np.concatenate(part) for part in parts)
    flat = np.quantile(train.std(axis=1), 0.3)
    train, held_out = _same_contrast(train, flat), _same_contrast(held_out, flat)
    whitening = PCA(SIDE**2 // 2, whiten=True, random_state=seed).fit(train)
    return whitening.transform(train), whitening.transform(held_out)


def _patches(image, n_patches, rng):
    """Patches at random places, one per row, each without its mean."""
    windows = np.lib.stride_tricks.sliding_window_view(image, (SIDE, SIDE))
    rows, columns = (rng.integers(n, size=n_patches) for n in windows.shape[:2])
    patches = windows[rows, columns].reshape(n_patches, -1)
    return patches - patches.mean(axis=1, keepdims=True)


def _same_contrast(patches, flat):
    """The patches that are not flat, each scaled to variance 1."""
    contrast = patches.std(axis=1, keepdims=True)
    kept = contrast[:, 0] > flat
    return patches[kept] / contrast[kept]
