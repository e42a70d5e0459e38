"""Every Numba function of the package; the only module that imports numba.

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
    "add_gradient",
    "add_step",
    "bernoulli",
    "bernoulli_pseudo_likelihood",
    "bernoulli_sigmoid",
    "get_num_threads",
    "philox",
    "product",
    "product_transposed",
    "product_with_transpose",
    "read_csr",
    "sigmoid",
    "weigh_rows",
]

_OPTIONS = {
    "cache": True,
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"contract", "arcp", "nsz"},
}
_INLINED = {key: _OPTIONS[key] for key in ("error_model", "fastmath")}
# Products over hidden units may be taken in any order, so that they use vector registers.
_REORDERED = _OPTIONS | {"fastmath": {"contract", "arcp", "nsz", "reassoc"}}


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


@njit(**_OPTIONS)
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


@overload(_uniform, jit_options=_INLINED)
def _overload_uniform(word, like):
    """The middle of one of 2^23 (float32) or 2^31 (float64) equal cells of (0, 1).

    Never 0 or 1, so that probabilities 0 and 1 are certainties, and without bias. Both are
    the leading bits of the same word: a float32 machine follows its float64 twin.
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


_float32_of_bits = _bitcast("_float32_of_bits", types.float32, types.int32, ir.FloatType())
_bits_of_float32 = _bitcast("_bits_of_float32", types.int32, types.float32, ir.IntType(32))
_float64_of_bits = _bitcast("_float64_of_bits", types.float64, types.int64, ir.DoubleType())
_bits_of_float64 = _bitcast("_bits_of_float64", types.int64, types.float64, ir.IntType(64))


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
    return y * _float32_of_bits((_bits_of_float32(shifted) << int32(23)) + int32(0x3F800000))


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
    return y * _float64_of_bits((_bits_of_float64(shifted) << int64(52)) + int64(0x3FF << 52))


def _logistic(x):  # pragma: no cover - typed by the overload below
    raise TypeError("compiled code only")


@overload(_logistic, jit_options=_INLINED)
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


@njit(**_OPTIONS)
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


@njit(**_OPTIONS)
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


@njit(**_OPTIONS)
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


# --- Reading rows -----------------------------------------------------------------------------


@njit(**_OPTIONS)
def read_csr(indptr, indices, data, rows, out):
    """Rows of a CSR matrix, dense; several entries at one place add up.

    Parameters
    ----------
    indptr, indices, data : ndarray                                                       IN
        The arrays of the matrix.
    rows : ndarray of shape (n,), int                                                     IN
    out : ndarray of shape (n, D)                                                         OUT
    """
    out[:] = 0
    for r in range(rows.shape[0]):
        for k in range(indptr[rows[r]], indptr[rows[r] + 1]):
            out[r, indices[k]] += data[k]


# --- Products of few rows ---------------------------------------------------------------------
#
# For a handful of rows a library's matrix product spends its time on packing the weights and
# on waking its threads. One thread that skips the zeros is faster (design_notes.rst). Four
# terms at a time, because then the target is read and written a quarter as often.


def _bits(x):  # pragma: no cover - typed by the overload below
    raise TypeError("compiled code only")


@overload(_bits, jit_options=_INLINED)
def _overload_bits(x):
    """The bits of a float: comparing them with 0 is cheaper, and -0.0 may count as non-zero."""
    bits = _bits_of_float32 if x == float32 else _bits_of_float64
    return lambda x: bits(x)


@njit(inline="always")
def _nonzero(row, where):
    """Write the indices of the non-zeros to ``where`` (size + 1, OUT); returns their number."""
    n = 0
    n_eights = row.shape[0] // 8 * 8
    for i in range(0, n_eights, 8):
        left = _bits(row[i]) | _bits(row[i + 1]) | _bits(row[i + 2]) | _bits(row[i + 3])
        right = _bits(row[i + 4]) | _bits(row[i + 5]) | _bits(row[i + 6]) | _bits(row[i + 7])
        if left | right != 0:
            for k in range(i, i + 8):
                where[n] = k  # overwritten by the next if the entry is 0: no branch to mispredict
                n += _bits(row[k]) != 0
    for i in range(n_eights, row.shape[0]):
        where[n] = i
        n += _bits(row[i]) != 0
    return n


@njit(**_REORDERED)
def product(v, W, out):
    """``out = v W``, skipping the zeros of v.

    Parameters
    ----------
    v : ndarray of shape (n, D)                                                           IN
    W : ndarray of shape (D, M)                                                           IN
    out : ndarray of shape (n, M)                                                         OUT
    """
    nonzero = np.empty(v.shape[1] + 1, np.int32)
    for r in range(v.shape[0]):
        n = _nonzero(v[r], nonzero)
        _weighted_rows(v[r], W, nonzero[:n], out[r])


@njit(**_REORDERED)
def product_transposed(v, h, out):
    """``out = v^T h``, skipping the zeros of v.

    Parameters
    ----------
    v : ndarray of shape (n, D)                                                           IN
    h : ndarray of shape (n, M)                                                           IN
    out : ndarray of shape (D, M)                                                         OUT
    """
    n_rows, n_visible = v.shape
    # Find the non-zeros along rows, as memory lies, then sort them by column (count, cumulate,
    # fill): the rows of column i end up in nonzero_rows[stop[i - 1] : stop[i]].
    nonzero = np.empty(v.size + 1, np.int32)
    row_stop = np.empty(n_rows, np.int64)
    total = 0
    for r in range(n_rows):
        total += _nonzero(v[r], nonzero[total:])
        row_stop[r] = total
    stop = np.zeros(n_visible, np.int64)
    for i in nonzero[:total]:
        stop[i] += 1
    start = 0
    for i in range(n_visible):
        count = stop[i]
        stop[i] = start
        start += count
    nonzero_rows = np.empty(total, np.int32)
    start = 0
    for r in range(n_rows):
        for i in nonzero[start : row_stop[r]]:
            nonzero_rows[stop[i]] = r
            stop[i] += 1
        start = row_stop[r]
    start = 0
    for i in range(n_visible):
        _weighted_rows(v[:, i], h, nonzero_rows[start : stop[i]], out[i])
        start = stop[i]


@njit(**_REORDERED)
def _weighted_rows(weights, rows, which, out):
    """``out = sum_k weights[k] rows[k]`` over the k in ``which``."""
    out[:] = 0
    n_columns = out.shape[0]
    n_fours = which.shape[0] // 4 * 4
    for k in range(0, n_fours, 4):
        k0, k1, k2, k3 = which[k], which[k + 1], which[k + 2], which[k + 3]
        w0, w1, w2, w3 = weights[k0], weights[k1], weights[k2], weights[k3]
        r0, r1, r2, r3 = rows[k0], rows[k1], rows[k2], rows[k3]
        for j in range(n_columns):
            out[j] += (w0 * r0[j] + w1 * r1[j]) + (w2 * r2[j] + w3 * r3[j])
    for k in which[n_fours:]:
        w0, r0 = weights[k], rows[k]
        for j in range(n_columns):
            out[j] += w0 * r0[j]


@njit(**_REORDERED)
def product_with_transpose(h, W, out):
    """``out = h W^T``.

    Parameters
    ----------
    h : ndarray of shape (n, M)                                                           IN
    W : ndarray of shape (D, M)                                                           IN
    out : ndarray of shape (n, D)                                                         OUT
    """
    n_rows, n_hidden = h.shape
    n_fours = n_rows // 4 * 4
    zero = h.dtype.type(0)
    for i in range(W.shape[0]):
        w = W[i]
        for r in range(0, n_fours, 4):
            h0, h1, h2, h3 = h[r], h[r + 1], h[r + 2], h[r + 3]
            s0 = s1 = s2 = s3 = zero
            for j in range(n_hidden):
                s0 += h0[j] * w[j]
                s1 += h1[j] * w[j]
                s2 += h2[j] * w[j]
                s3 += h3[j] * w[j]
            out[r, i], out[r + 1, i], out[r + 2, i], out[r + 3, i] = s0, s1, s2, s3
        for r in range(n_fours, n_rows):
            h0 = h[r]
            s0 = zero
            for j in range(n_hidden):
                s0 += h0[j] * w[j]
            out[r, i] = s0


@njit(**_OPTIONS)
def weigh_rows(rows, weights, weighted, total):
    """``weighted[r] = weights[r] rows[r]`` and their sum, in one pass.

    Parameters
    ----------
    rows : ndarray of shape (n, N)                                                        IN
    weights : ndarray of shape (n,)                                                       IN
    weighted : ndarray of shape (n, N)                                                    OUT
    total : ndarray of shape (N,)                                                         OUT
    """
    total[:] = 0
    for r in range(rows.shape[0]):
        for i in range(rows.shape[1]):
            weighted[r, i] = weights[r] * rows[r, i]
            total[i] += weights[r] * rows[r, i]


@njit(**_OPTIONS)
def add_step(gradient, learning_rate, momentum, weight_decay, step, parameter):
    """One step of gradient ascent with momentum and weight decay, in one pass over memory.

    ``step = momentum * step + learning_rate * (gradient - weight_decay * parameter)``, then
    ``parameter += step``.

    Parameters
    ----------
    gradient : ndarray of shape (size,)                                                   IN
    learning_rate, momentum, weight_decay : scalar of the arrays' dtype                   IN
    step, parameter : ndarray of shape (size,)                                            INOUT
    """
    for i in range(parameter.shape[0]):
        direction = gradient[i] - weight_decay * parameter[i]
        step[i] = momentum * step[i] + learning_rate * direction
        parameter[i] += step[i]


@njit(**_OPTIONS)
def add_gradient(gradient, learning_rate, weight_decay, parameter):
    """``add_step`` without momentum: nothing to remember, half the memory traffic.

    Parameters
    ----------
    gradient : ndarray of shape (size,)                                                   IN
    learning_rate, weight_decay : scalar of the arrays' dtype                             IN
    parameter : ndarray of shape (size,)                                                  INOUT
    """
    for i in range(parameter.shape[0]):
        direction = gradient[i] - weight_decay * parameter[i]
        parameter[i] += learning_rate * direction


# --- Pseudo-likelihood ------------------------------------------------------------------------


_TILE = 32  # rows whose p and q stay in the cache of one core


@njit(inline="always")
def _softplus(x):
    return max(x, 0.0) + np.log1p(np.exp(-abs(x)))


@njit(**_REORDERED)
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


@njit(**_OPTIONS)
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
                        logit += _softplus(rest + w) - _softplus(rest)
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
