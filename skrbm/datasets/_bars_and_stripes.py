"""Bars and stripes: small images of lines, whose distribution is known."""

import numpy as np
from sklearn.utils import check_random_state

from .._input.parameters import MOST, check_integer

_MOST_LINES = 12  # of images that are all listed: 8,192 rows of 144 pixels


def make_bars_and_stripes(side=4, *, n_samples=None, random_state=None):
    """Make images of horizontal or vertical lines, a small data set of many modes.

    An image is drawn in two steps [1]_. A coin decides whether the lines run horizontally or
    vertically. Then a coin for each line decides whether all pixels of the line are on or off.

    Parameters
    ----------
    side : int, default=4
        Number of lines, and of pixels in a line.
    n_samples : int, default=None
        Number of images to draw, independently. None: each result of the coins once. These are
        ``2 ** (side + 1)`` rows, first those with horizontal lines.
    random_state : int, RandomState instance or None, default=None
        Draws the images. An int gives the same images at every call. Without ``n_samples``
        nothing is drawn.

    Returns
    -------
    X : ndarray of shape (n_samples, side * side), float64
        Pixels, 0 or 1, row by row of the image: ``X[i].reshape(side, side)`` is an image.

    Raises
    ------
    ValueError
        If ``side`` is larger than 12 and ``n_samples`` is None.

    See Also
    --------
    make_ratings : Ratings that a known machine has drawn.

    Notes
    -----
    There are ``2 * 2 ** side - 2`` distinct images, as the empty and the full image occur with
    lines of either direction. For this reason these two have twice the probability of each other
    image, in draws and in the list of all results. The entropy of an image is ``(side + 1 - 2 **
    (1 - side)) * log(2)`` nats, 3.379 for ``side=4``. No model has a larger expected
    log-likelihood than minus the entropy; on the list of all results no model has a larger mean.

    References
    ----------
    .. [1] MacKay, D. J. C. (2003). Information Theory, Inference, and Learning Algorithms.
       Cambridge University Press, chapter 43.

    Examples
    --------
    >>> from skrbm.datasets import make_bars_and_stripes
    >>> X = make_bars_and_stripes(side=3)
    >>> X.shape
    (16, 9)
    >>> print(X[6].reshape(3, 3))
    [[1. 1. 1.]
     [1. 1. 1.]
     [0. 0. 0.]]
    """
    side = check_integer("side", side, 1)
    if n_samples is None:
        if side > _MOST_LINES:
            raise ValueError(
                f"side={side} has {2 ** (side + 1)} results, which are too many to list them. Set "
                f"n_samples to draw some of them, or side to at most {_MOST_LINES}."
            )
        numbers = np.arange(2**side)[:, np.newaxis]
        lines = numbers >> np.arange(side)[::-1] & 1
        lines = np.concatenate([lines, lines])
        vertical = np.repeat([False, True], 2**side)
    else:
        n_samples = check_integer("n_samples", n_samples, 1, MOST)
        random_state = check_random_state(random_state)
        vertical = random_state.randint(2, size=n_samples) == 1
        lines = random_state.randint(2, size=(n_samples, side))
    images = np.repeat(lines[:, :, np.newaxis], side, axis=2)
    images[vertical] = images[vertical].transpose(0, 2, 1)
    return images.reshape(len(images), -1).astype(np.float64)
