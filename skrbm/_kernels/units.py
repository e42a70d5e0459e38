"""Numba functions of units given their inputs: probabilities and samples.

Notation, as in the user guide: ``v`` visible rows (n, D), ``x`` inputs of units (n, N), ``b``
biases (N,). The house rules stand in ``inlined``.
"""

import numpy as np
from numba import float32, float64, int32
from numba.extending import overload

from .cache import kernel
from .crew import divisible, per_number
from .inlined import INLINED, OPTIONS, log, logistic, random_row, uniform

__all__ = ["bernoulli", "bernoulli_sigmoid", "gaussian", "philox", "sigmoid"]


@kernel(**OPTIONS)
def philox(seed, update, purpose, row, words):
    """The random words of one row.

    Parameters
    ----------
    seed : uint64                                                                         IN
        The key.
    update, purpose, row : int                                                            IN
        Counter words 2, 3 and 1; the block of units is word 0.
    words : ndarray of shape (4 * n_blocks,), uint32                                      OUT
        Word ``k`` of counter ``block`` goes to ``words[k * n_blocks + block]``.
    """
    random_row(seed, update, purpose, row, words)


@divisible(per_number(18), **OPTIONS)
def sigmoid(x, bias, out, first, stop):
    """``out = 1 / (1 + exp(-(x + bias)))``.

    Parameters
    ----------
    x : ndarray of shape (n, N)                                                           IN
    bias : ndarray of shape (N,)                                                          IN
    out : ndarray of shape (n, N)                                                         OUT
    first, stop : int                                                                     IN
        The rows to do.
    """
    for r in range(first, stop):
        for i in range(x.shape[1]):
            out[r, i] = logistic(x[r, i] + bias[i])


@divisible(per_number(30), **OPTIONS)
def bernoulli(p, seed, update, purpose, out, first, stop):
    """Independent samples: ``out[r, i]`` is 1 with probability ``p[r, i]``, else 0.

    Parameters
    ----------
    p : ndarray of shape (n, N)                                                           IN
    seed : uint64                                                                         IN
    update, purpose : int                                                                 IN
        With the row and the unit they say which random numbers these are.
    out : ndarray of shape (n, N)                                                         OUT
    first, stop : int                                                                     IN
        The rows to do.
    """
    n_units = p.shape[1]
    words = np.empty(4 * ((n_units + 3) // 4), np.uint32)
    for r in range(first, stop):
        random_row(seed, update, purpose, r, words)
        for i in range(n_units):
            out[r, i] = uniform(words[i], p[r, i]) < p[r, i]


@divisible(per_number(45), **OPTIONS)
def bernoulli_sigmoid(x, bias, seed, update, purpose, out, first, stop):
    """``sigmoid`` and ``bernoulli`` in one pass: the probabilities stay in the cache.

    Parameters
    ----------
    x : ndarray of shape (n, N)                                                           IN
    bias : ndarray of shape (N,)                                                          IN
    seed : uint64                                                                         IN
    update, purpose : int                                                                 IN
    out : ndarray of shape (n, N)                                                         OUT
    first, stop : int                                                                     IN
        The rows to do.
    """
    n_units = x.shape[1]
    words = np.empty(4 * ((n_units + 3) // 4), np.uint32)
    p = np.empty(n_units, x.dtype)
    for r in range(first, stop):
        random_row(seed, update, purpose, r, words)
        for i in range(n_units):
            p[i] = logistic(x[r, i] + bias[i])
        for i in range(n_units):
            out[r, i] = uniform(words[i], p[i]) < p[i]


# --- Standard normal samples (Box & Muller, 1958) ---------------------------------------------
#
# With R = sqrt(-2 log U) and an angle A both R cos A and R sin A are standard normal. The
# series for log, sine and cosine are Taylor's, cut where they reach the precision of the dtype.


def _cosine_sine(a):  # pragma: no cover - typed by the overload below
    raise TypeError("compiled code only")


@overload(_cosine_sine, jit_options=INLINED)
def _overload_cosine_sine(a):
    """Cosine and sine of an angle of at most 45 degrees."""
    if a == float32:

        def impl(a):
            g = a * a
            c = float32(-1 / 720) + g * float32(1 / 40320)
            c = float32(1) + g * (float32(-1 / 2) + g * (float32(1 / 24) + g * c))
            s = float32(-1 / 5040) + g * float32(1 / 362880)
            s = float32(1) + g * (float32(-1 / 6) + g * (float32(1 / 120) + g * s))
            return c, a * s
    else:

        def impl(a):
            g = a * a
            c = 1 / 479001600 + g * (-1 / 87178291200 + g * (1 / 20922789888000))
            c = -1 / 720 + g * (1 / 40320 + g * (-1 / 3628800 + g * c))
            c = 1.0 + g * (-1 / 2 + g * (1 / 24 + g * c))
            s = -1 / 39916800 + g * (1 / 6227020800 + g * (-1 / 1307674368000))
            s = -1 / 5040 + g * (1 / 362880 + g * s)
            s = 1.0 + g * (-1 / 6 + g * (1 / 120 + g * s))
            return c, a * s

    return impl


def _radius(word, like):  # pragma: no cover - typed by the overload below
    raise TypeError("compiled code only")


@overload(_radius, jit_options=INLINED)
def _overload_radius(word, like):
    """R of 31 bits: at most 6.66, beyond which lie 3e-11 of the normal distribution."""
    real = float32 if like == float32 else float64

    def impl(word, like):
        u = (real(int32(word >> np.uint32(1))) + real(0.5)) * real(2.0**-31)
        return np.sqrt(abs(real(2) * log(u)))

    return impl


def _angle(word, like):  # pragma: no cover - typed by the overload below
    raise TypeError("compiled code only")


@overload(_angle, jit_options=INLINED)
def _overload_angle(word, like):
    """Cosine and sine of an angle anywhere on the circle.

    30 bits give an angle within 45 degrees of an axis, one bit says which axis, one which side.
    """
    real = float32 if like == float32 else float64

    def impl(word, like):
        fraction = (real(int32(word & np.uint32(0x3FFFFFFF))) + real(0.5)) * real(2.0**-30)
        c, s = _cosine_sine((fraction - real(0.5)) * real(np.pi / 2))
        c = -c if word & np.uint32(0x40000000) else c
        swap = word >= np.uint32(0x80000000)
        return s if swap else c, c if swap else s

    return impl


@kernel(**OPTIONS)
def _normal_pairs(radius_words, angle_words, radius, z0, z1):
    """Fill ``z0`` and ``z1`` (OUT) with standard normal numbers; ``radius`` (OUT) is scratch."""
    like = z0.dtype.type(0)
    for i in range(radius.shape[0]):  # one loop for all would not be vectorised in float64
        radius[i] = _radius(radius_words[i], like)
    for i in range(radius.shape[0]):
        c, s = _angle(angle_words[i], like)
        z0[i] = radius[i] * c
        z1[i] = radius[i] * s


@divisible(per_number(100), **OPTIONS)
def gaussian(x, bias, scale, seed, update, purpose, out, first, stop):
    """Independent samples ``out = bias + scale * (x + z)`` with standard normal ``z``.

    With Q = ceil(N / 4) units i and i + Q, and i + 2Q and i + 3Q, share two random words.

    Parameters
    ----------
    x : ndarray of shape (n, N)                                                           IN
    bias, scale : ndarray of shape (N,)                                                   IN
    seed : uint64                                                                         IN
    update, purpose : int                                                                 IN
    out : ndarray of shape (n, N)                                                         OUT
    first, stop : int                                                                     IN
        The rows to do.
    """
    n_units = x.shape[1]
    n_blocks = (n_units + 3) // 4
    words = np.empty(4 * n_blocks, np.uint32)
    w0, w1 = words[:n_blocks], words[n_blocks : 2 * n_blocks]
    w2, w3 = words[2 * n_blocks : 3 * n_blocks], words[3 * n_blocks :]
    z = np.empty(4 * n_blocks, x.dtype)
    z0, z1 = z[:n_blocks], z[n_blocks : 2 * n_blocks]
    z2, z3 = z[2 * n_blocks : 3 * n_blocks], z[3 * n_blocks :]
    radius = np.empty(n_blocks, x.dtype)
    for r in range(first, stop):
        random_row(seed, update, purpose, r, words)
        _normal_pairs(w0, w1, radius, z0, z1)
        _normal_pairs(w2, w3, radius, z2, z3)
        for i in range(n_units):
            out[r, i] = bias[i] + scale[i] * (x[r, i] + z[i])
