"""Numba functions of the models: random numbers, conditionals, pseudo-likelihoods.

Notation, as in the user guide: ``v`` visible rows (n, D), ``x`` inputs of hidden units (n, M),
``W`` weights (D, M), ``b`` visible bias (D,), ``c`` hidden bias (M,).

House rules for a kernel. It is pure: inputs first, outputs last, each marked IN, OUT or INOUT,
and an output never shares memory with an input (LLVM vectorises only what cannot overlap).
It releases the GIL, is cached on disk, and never touches BLAS. ``error_model="numpy"`` because
the check for a division by zero, which can raise, would stop the vectoriser. The fast-math
flags leave out ``nnan`` and ``ninf``: an infinite input is legal and means probability 0 or 1.
"""

import numpy as np
from llvmlite import ir
from numba import float32, float64, get_num_threads, int32, int64, njit, types
from numba.extending import intrinsic, overload

__all__ = [
    "bernoulli",
    "bernoulli_pseudo_likelihood",
    "bernoulli_sigmoid",
    "gaussian",
    "gaussian_pseudo_likelihood",
    "get_num_threads",
    "philox",
    "sigmoid",
]

OPTIONS = {
    "cache": True,
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"contract", "arcp", "nsz"},
}
INLINED = {key: OPTIONS[key] for key in ("error_model", "fastmath")}
# Sums and products may be taken in any order, so that they use vector registers.
REORDERED = OPTIONS | {"fastmath": {"contract", "arcp", "nsz", "reassoc"}}


# --- Random numbers: Philox4x32-10 (Salmon, Moraes, Dror & Shaw, SC 2011) -------------------
#
# A draw depends on which number it is, not on who computes it. Key: the 64-bit seed. Counter:
# (block of units, row, update, purpose). One counter gives four words; with Q = ceil(N / 4)
# blocks in a row of N units, unit i takes word i // Q of block i % Q, so that neighbouring
# units come from neighbouring counters and the ten rounds run in vector registers.

_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)
_MULTIPLIER_0, _MULTIPLIER_1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_WEYL_0, _WEYL_1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)


@njit(inline="always")
def _philox_rounds(c0, c1, c2, c3, k0, k1):
    """Ten rounds of Philox on a counter of four words held in 64-bit registers."""
    for _ in range(10):
        product_0 = _MULTIPLIER_0 * c0
        product_1 = _MULTIPLIER_1 * c2
        c0 = (product_1 >> _32) ^ c1 ^ k0
        c2 = (product_0 >> _32) ^ c3 ^ k1
        c1 = product_1 & _LOW
        c3 = product_0 & _LOW
        k0 = (k0 + _WEYL_0) & _LOW
        k1 = (k1 + _WEYL_1) & _LOW
    return c0, c1, c2, c3


@njit(inline="always")
def _random_row(seed, update, purpose, row, words):
    """Fill ``words`` (4 * Q, OUT), uint32, with the random words of one row of units."""
    k0 = np.uint64(seed) & _LOW
    k1 = np.uint64(seed) >> _32
    c1 = np.uint64(row) & _LOW
    c2 = np.uint64(update) & _LOW
    c3 = np.uint64(purpose) & _LOW
    n_blocks = words.shape[0] // 4
    for block in range(n_blocks):
        w0, w1, w2, w3 = _philox_rounds(np.uint64(block), c1, c2, c3, k0, k1)
        words[block] = w0
        words[block + n_blocks] = w1
        words[block + 2 * n_blocks] = w2
        words[block + 3 * n_blocks] = w3


@njit(**OPTIONS)
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
    _random_row(seed, update, purpose, row, words)


def _uniform(word, like):  # pragma: no cover - typed by the overload below
    raise TypeError("compiled code only")


@overload(_uniform, jit_options=INLINED)
def _overload_uniform(word, like):
    """The middle of one of 2^23 (float32) or 2^31 (float64) equal cells of (0, 1).

    Never 0 or 1, so that probabilities 0 and 1 are certainties; any other probability is
    rounded to a multiple of the cell. Both are the leading bits of the same word: a float32
    machine follows its float64 twin.
    """
    if like == float32:

        def impl(word, like):
            return (float32(int32(word >> np.uint32(9))) + float32(0.5)) * float32(2.0**-23)
    else:

        def impl(word, like):
            return (float64(int32(word >> np.uint32(1))) + 0.5) * 2.0**-31

    return impl


# --- exp and the logistic function, written out so that LLVM vectorises them ------------------
#
# Cephes' reduction exp(t) = 2^n exp(r), |r| <= log(2) / 2. Adding 1.5 * 2^(mantissa bits) rounds
# t / log(2) to the integer n and leaves n in the low bits of the sum, whence it is shifted into
# the exponent. Maximal relative error: 1e-7 (float32), 3e-16 (float64).


def _bitcast(name, to, of, llvm_type):
    """An intrinsic that reads the bits of one type as another's."""

    def typer(typingctx, value):
        def codegen(context, builder, signature, args):
            return builder.bitcast(args[0], llvm_type)

        return to(of), codegen

    typer.__name__ = name
    return intrinsic(typer)


float32_of_bits = _bitcast("float32_of_bits", types.float32, types.int32, ir.FloatType())
bits_of_float32 = _bitcast("bits_of_float32", types.int32, types.float32, ir.IntType(32))
float64_of_bits = _bitcast("float64_of_bits", types.float64, types.int64, ir.DoubleType())
bits_of_float64 = _bitcast("bits_of_float64", types.int64, types.float64, ir.IntType(64))


@njit(inline="always")
def _exp32(t):
    """exp(t) for float32 and |t| <= 87; NaN stays NaN."""
    shifted = t * float32(1.44269504088896341) + float32(12582912.0)
    n = shifted - float32(12582912.0)
    r = t - n * float32(0.693359375)
    r = r - n * float32(-2.12194440e-4)
    y = float32(1.9875691500e-4)
    y = y * r + float32(1.3981999507e-3)
    y = y * r + float32(8.3334519073e-3)
    y = y * r + float32(4.1665795894e-2)
    y = y * r + float32(1.6666665459e-1)
    y = y * r + float32(5.0000001201e-1)
    y = y * r * r + r + float32(1.0)
    return y * float32_of_bits((bits_of_float32(shifted) << int32(23)) + int32(0x3F800000))


@njit(inline="always")
def _exp64(t):
    """exp(t) for float64 and |t| <= 708; NaN stays NaN."""
    shifted = t * 1.4426950408889634074 + 6755399441055744.0
    n = shifted - 6755399441055744.0
    r = t - n * 6.93145751953125e-1
    r = r - n * 1.42860682030941723212e-6
    rr = r * r
    p = r * ((1.26177193074810590878e-4 * rr + 3.02994407707441961300e-2) * rr + 1.0)
    q = (3.00198505138664455042e-6 * rr + 2.52448340349684104192e-3) * rr
    q = (q + 2.27265548208155028766e-1) * rr + 2.0
    y = 1.0 + 2.0 * p / (q - p)
    return y * float64_of_bits((bits_of_float64(shifted) << int64(52)) + int64(0x3FF << 52))


def _logistic(x):  # pragma: no cover - typed by the overload below
    raise TypeError("compiled code only")


@overload(_logistic, jit_options=INLINED)
def _overload_logistic(x):
    """1 / (1 + exp(-x)), exactly 0 where the result would be below the normal numbers."""
    if x == float32:

        def impl(x):
            t = min(max(-x, float32(-87.0)), float32(87.0))
            p = float32(1.0) / (float32(1.0) + _exp32(t))
            return float32(0.0) if x < float32(-87.0) else p
    else:

        def impl(x):
            t = min(max(-x, -708.0), 708.0)
            p = 1.0 / (1.0 + _exp64(t))
            return 0.0 if x < -708.0 else p

    return impl


@njit(**OPTIONS)
def sigmoid(x, bias, out):
    """``out = 1 / (1 + exp(-(x + bias)))``.

    Parameters
    ----------
    x : ndarray of shape (n, N)                                                           IN
    bias : ndarray of shape (N,)                                                          IN
    out : ndarray of shape (n, N)                                                         OUT
    """
    for r in range(x.shape[0]):
        for i in range(x.shape[1]):
            out[r, i] = _logistic(x[r, i] + bias[i])


@njit(**OPTIONS)
def bernoulli(p, seed, update, purpose, out):
    """Independent draws: ``out[r, i]`` is 1 with probability ``p[r, i]``, else 0.

    Parameters
    ----------
    p : ndarray of shape (n, N)                                                           IN
    seed : uint64                                                                         IN
    update, purpose : int                                                                 IN
        With the row and the unit they say which random numbers these are.
    out : ndarray of shape (n, N)                                                         OUT
    """
    n_units = p.shape[1]
    words = np.empty(4 * ((n_units + 3) // 4), np.uint32)
    for r in range(p.shape[0]):
        _random_row(seed, update, purpose, r, words)
        for i in range(n_units):
            out[r, i] = _uniform(words[i], p[r, i]) < p[r, i]


@njit(**OPTIONS)
def bernoulli_sigmoid(x, bias, seed, update, purpose, out):
    """``sigmoid`` and ``bernoulli`` in one pass: the probabilities stay in the cache.

    Parameters
    ----------
    x : ndarray of shape (n, N)                                                           IN
    bias : ndarray of shape (N,)                                                          IN
    seed : uint64                                                                         IN
    update, purpose : int                                                                 IN
    out : ndarray of shape (n, N)                                                         OUT
    """
    n_units = x.shape[1]
    words = np.empty(4 * ((n_units + 3) // 4), np.uint32)
    p = np.empty(n_units, x.dtype)
    for r in range(x.shape[0]):
        _random_row(seed, update, purpose, r, words)
        for i in range(n_units):
            p[i] = _logistic(x[r, i] + bias[i])
        for i in range(n_units):
            out[r, i] = _uniform(words[i], p[i]) < p[i]


# --- Standard normal draws (Box & Muller, 1958) -----------------------------------------------
#
# With R = sqrt(-2 log U) and an angle A both R cos A and R sin A are standard normal. The
# series for log, sine and cosine are Taylor's, cut where they reach the precision of the dtype.


def _log(u):  # pragma: no cover - typed by the overload below
    raise TypeError("compiled code only")


@overload(_log, jit_options=INLINED)
def _overload_log(u):
    """log(u) of a normal number, u > 0.

    u = 2^e m with m between sqrt(1/2) and sqrt(2); with f = (m - 1) / (m + 1), |f| < 0.172,
    log(m) = 2 (f + f^3 / 3 + f^5 / 5 + ...).
    """
    if u == float32:

        def impl(u):
            bits = bits_of_float32(u)
            e = (bits - int32(0x3F3504F3)) >> int32(23)
            m = float32_of_bits(bits - (e << int32(23)))
            f = (m - float32(1)) / (m + float32(1))
            g = f * f
            s = float32(1 / 7) + g * float32(1 / 9)
            s = float32(1) + g * (float32(1 / 3) + g * (float32(1 / 5) + g * s))
            return float32(e) * float32(0.6931471805599453) + float32(2) * f * s
    else:

        def impl(u):
            bits = bits_of_float64(u)
            # The upper half will do, and AVX2 cannot shift signed 64-bit numbers.
            e = (int32(bits >> int64(32)) - int32(0x3FE6A09E)) >> int32(20)
            m = float64_of_bits(bits - (int64(e) << int64(52)))
            f = (m - 1.0) / (m + 1.0)
            g = f * f
            s = 1 / 15 + g * (1 / 17 + g * (1 / 19 + g * (1 / 21)))
            s = 1 / 7 + g * (1 / 9 + g * (1 / 11 + g * (1 / 13 + g * s)))
            s = 1.0 + g * (1 / 3 + g * (1 / 5 + g * s))
            return float64(e) * 0.6931471805599453 + 2.0 * f * s

    return impl


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
        return np.sqrt(abs(real(2) * _log(u)))

    return impl


def _direction(word, like):  # pragma: no cover - typed by the overload below
    raise TypeError("compiled code only")


@overload(_direction, jit_options=INLINED)
def _overload_direction(word, like):
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


@njit(**OPTIONS)
def _normal_pairs(radius_words, angle_words, radius, z0, z1):
    """Fill ``z0`` and ``z1`` (OUT) with standard normal numbers; ``radius`` (OUT) is room."""
    like = z0.dtype.type(0)
    for i in range(radius.shape[0]):  # one loop for all would not be vectorised in float64
        radius[i] = _radius(radius_words[i], like)
    for i in range(radius.shape[0]):
        c, s = _direction(angle_words[i], like)
        z0[i] = radius[i] * c
        z1[i] = radius[i] * s


@njit(**OPTIONS)
def gaussian(x, bias, scale, seed, update, purpose, out):
    """Independent draws ``out = bias + scale * (x + z)`` with standard normal ``z``.

    With Q = ceil(N / 4) units i and i + Q, and i + 2Q and i + 3Q, share two random words.

    Parameters
    ----------
    x : ndarray of shape (n, N)                                                           IN
    bias, scale : ndarray of shape (N,)                                                   IN
    seed : uint64                                                                         IN
    update, purpose : int                                                                 IN
    out : ndarray of shape (n, N)                                                         OUT
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
    for r in range(x.shape[0]):
        _random_row(seed, update, purpose, r, words)
        _normal_pairs(w0, w1, radius, z0, z1)
        _normal_pairs(w2, w3, radius, z2, z3)
        for i in range(n_units):
            out[r, i] = bias[i] + scale[i] * (x[r, i] + z[i])


# --- Pseudo-likelihood ------------------------------------------------------------------------


_TILE = 32  # rows whose p and q stay in the cache of one core


@njit(inline="always")
def _softplus(x):
    return max(x, 0.0) + np.log1p(np.exp(-abs(x)))


@njit(**REORDERED)
def _log_product(q, p, e, max_factors):
    """``sum_j log(q_j + p_j e_j)``, one logarithm for ``max_factors`` factors."""
    total = 0.0
    for start in range(0, q.shape[0], max_factors):
        # Slices, and a loop from 0: otherwise Numba's handling of negative indices stops
        # the vectoriser.
        stop = start + max_factors
        q_part, p_part, e_part = q[start:stop], p[start:stop], e[start:stop]
        product = 1.0
        for j in range(q_part.shape[0]):
            product *= q_part[j] + p_part[j] * e_part[j]
        total += np.log(product)
    return total


@njit(**OPTIONS)
def bernoulli_pseudo_likelihood(v, x, b, W, exp_W, exp_minus_W, max_factors, out):
    """Exact log pseudo-likelihood ``sum_i log p(v_i | v without i)`` of each row.

    With ``p = sigmoid(x)`` and ``q = sigmoid(-x)``, switching unit i from ``v_i`` to ``v_i + d``
    multiplies the unnormalised probability by ``exp(b_i d) prod_j (q_j + p_j exp(d W_ij))``.
    Every factor lies between 1 and ``exp(d W_ij)`` and is a sum of positive terms, so nothing
    cancels and nothing overflows within ``max_factors`` factors: one logarithm for so many.

    Parameters
    ----------
    v : ndarray of shape (n, D)                                                           IN
    x : ndarray of shape (n, M)                                                           IN
        Inputs of the hidden units, bias included.
    b : ndarray of shape (D,), float64                                                    IN
    W : ndarray of shape (D, M)                                                           IN
    exp_W, exp_minus_W : ndarray of shape (D, M), float64                                 IN
        ``exp(W)`` and ``exp(-W)``.
    max_factors : int                                                                     IN
        ``max_factors * max|W| < 700``; 0 where a single weight breaks it: then every term is
        a difference of two softplus. So it is for a value outside [0, 1], where the bound
        on the factors does not hold.
    out : ndarray of shape (n,), float64                                                  OUT
    """
    n_rows, n_visible = v.shape
    n_hidden = W.shape[1]
    p = np.empty((_TILE, n_hidden))
    q = np.empty((_TILE, n_hidden))
    on = np.empty(n_hidden)
    off = np.empty(n_hidden)
    ones = np.ones(n_hidden)
    out[:] = 0.0
    for first in range(0, n_rows, _TILE):
        rows = range(min(_TILE, n_rows - first))
        for r in rows:
            for j in range(n_hidden):
                p[r, j] = _logistic(float64(x[first + r, j]))
                q[r, j] = _logistic(-float64(x[first + r, j]))
        # Units outside, rows inside: a unit's weights are read once for the whole tile.
        for i in range(n_visible):
            for r in rows:
                vi = float64(v[first + r, i])
                logit = b[i]  # of p(v_i = 1 | v without i)
                if max_factors == 0 or vi < 0.0 or vi > 1.0:
                    for j in range(n_hidden):
                        w = float64(W[i, j])
                        rest = float64(x[first + r, j]) - vi * w
                        logit += w if rest == np.inf else _softplus(rest + w) - _softplus(rest)
                elif vi == 0.0:
                    logit += _log_product(q[r], p[r], exp_W[i], max_factors)
                elif vi == 1.0:
                    logit -= _log_product(q[r], p[r], exp_minus_W[i], max_factors)
                else:
                    for j in range(n_hidden):
                        off[j] = p[r, j] * _exp64(-vi * float64(W[i, j]))
                        on[j] = off[j] * exp_W[i, j]
                    logit += _log_product(q[r], on, ones, max_factors)
                    logit -= _log_product(q[r], off, ones, max_factors)
                # A term of weight 0 is left out: its logarithm may be infinite.
                if vi != 0.0:
                    out[first + r] -= vi * _softplus(-logit)
                if vi != 1.0:
                    out[first + r] -= (1.0 - vi) * _softplus(logit)


@njit(**OPTIONS)
def gaussian_pseudo_likelihood(d, x, W, first, n_nodes, spacing, out):
    """Exact log pseudo-likelihood of each row, up to the widths of the units.

    With ``d = (v - b) / s`` and ``p = sigmoid(x)``, ``q = sigmoid(-x)``, moving unit i from
    ``d_i`` to t multiplies the unnormalised density by
    ``exp((d_i^2 - t^2) / 2) prod_j (q_j + p_j exp(W_ij (t - d_i)))``. The density of unit i
    is a mixture of normal distributions of width 1; its integral is a sum over equidistant
    nodes, whose error for spacing h is the factor ``1 +- 2 exp(-2 pi^2 / h^2)``.

    Parameters
    ----------
    d : ndarray of shape (n, D), float64                                                  IN
    x : ndarray of shape (n, M), float64                                                  IN
        Inputs of the hidden units, bias included.
    W : ndarray of shape (D, M), float64                                                  IN
    first : ndarray of shape (D,), float64                                                IN
        The lowest node of each unit.
    n_nodes : ndarray of shape (D,), int64                                                IN
        Numbers of nodes, which together cover the mixture.
    spacing : float                                                                       IN
        Of the nodes.
    out : ndarray of shape (n,), float64                                                  OUT
        ``sum_i log p(d_i | v without i)``: a density of d; that of v is 1 / s of it.
    """
    n_rows, n_visible = d.shape
    n_hidden = W.shape[1]
    p = np.empty((_TILE, n_hidden))
    q = np.empty((_TILE, n_hidden))
    shifted = np.empty(n_hidden)
    exp_W = np.empty((n_nodes.max(), n_hidden))  # at the nodes of one unit: exp(W_ij t)
    log_terms = np.empty(n_nodes.max())
    out[:] = 0.0
    for tile in range(0, n_rows, _TILE):
        rows = range(min(_TILE, n_rows - tile))
        for r in rows:
            for j in range(n_hidden):
                p[r, j] = _logistic(x[tile + r, j])
                q[r, j] = _logistic(-x[tile + r, j])
        for i in range(n_visible):
            n, low = n_nodes[i], first[i]
            high = low + (n - 1) * spacing
            steepest = 0.0
            for j in range(n_hidden):
                steepest = max(steepest, abs(W[i, j]))
            # exp stays below exp(300) in a table, a product of factors below exp(600).
            tables = steepest * max(-low, high) < 300.0
            if tables:
                for k in range(n):
                    for j in range(n_hidden):
                        exp_W[k, j] = _exp64(W[i, j] * (low + k * spacing))
            for r in rows:
                di = d[tile + r, i]
                reach = steepest * max(abs(di - low), abs(high - di))
                if tables and steepest * abs(di) < 300.0 and reach < 300.0:
                    for j in range(n_hidden):
                        shifted[j] = p[r, j] * _exp64(-W[i, j] * di)
                    max_factors = n_hidden if reach * n_hidden < 600.0 else int(600.0 / reach)
                    for k in range(n):
                        log_terms[k] = _log_product(q[r], shifted, exp_W[k], max_factors)
                else:
                    for k in range(n):
                        log_terms[k] = 0.0
                        for j in range(n_hidden):
                            xj = x[tile + r, j]
                            w = W[i, j] * (low + k * spacing - di)
                            log_terms[k] += (
                                w if xj == np.inf else _softplus(xj + w) - _softplus(xj)
                            )
                for k in range(n):
                    t = low + k * spacing
                    log_terms[k] -= 0.5 * t * t
                largest = log_terms[:n].max()
                total = 0.0
                for k in range(n):
                    total += np.exp(log_terms[k] - largest)
                out[tile + r] -= 0.5 * di * di + largest + np.log(spacing * total)
