"""Functions that are inlined into kernels: random words, exponentials, logarithms.

A kernel may call kernels of its own file and the inlined functions of this file: the cache of
compiled code compares the text of both files, and of no other (``cache``). Only ``blas`` calls
BLAS.

House rules for a kernel. It is pure: inputs first, outputs last, each marked IN, OUT or INOUT,
and an output never shares memory with an input (LLVM vectorises only what cannot overlap).
It releases the GIL and is cached on disk (``cache.kernel`` decorates it).
``error_model="numpy"`` because the check for a division by zero, which can raise, would stop the
vectoriser. The fast-math flags leave out ``nnan`` and ``ninf``: an infinite input is legal and
means probability 0 or 1.
"""

import numpy as np
from llvmlite import ir
from numba import float32, float64, int32, int64, njit, types
from numba.extending import intrinsic, overload

__all__ = [
    "INLINED",
    "OPTIONS",
    "REORDERED",
    "bits_of_float32",
    "bits_of_float64",
    "exp",
    "exp64",
    "log",
    "logistic",
    "random_row",
    "softplus",
    "uniform",
]

OPTIONS = {
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"contract", "arcp", "nsz"},
}
INLINED = {key: OPTIONS[key] for key in ("error_model", "fastmath")}
# Sums and products may be taken in any order, so that they use vector registers.
REORDERED = OPTIONS | {"fastmath": {"contract", "arcp", "nsz", "reassoc"}}


# --- Random numbers: Philox4x32-10 (Salmon, Moraes, Dror & Shaw, SC 2011) -------------------
#
# A random number depends on its name alone, not on who computes it. Key: the 64-bit seed. Counter:
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
def random_row(seed, update, purpose, row, words):
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


def uniform(word, like):  # pragma: no cover - typed by the overload below
    raise TypeError("compiled code only")


@overload(uniform, jit_options=INLINED)
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
def exp32(t):
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
def exp64(t):
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


def logistic(x):  # pragma: no cover - typed by the overload below
    raise TypeError("compiled code only")


@overload(logistic, jit_options=INLINED)
def _overload_logistic(x):
    """1 / (1 + exp(-x)), exactly 0 where the result would be below the normal numbers."""
    if x == float32:

        def impl(x):
            t = min(max(-x, float32(-87.0)), float32(87.0))
            p = float32(1.0) / (float32(1.0) + exp32(t))
            return float32(0.0) if x < float32(-87.0) else p
    else:

        def impl(x):
            t = min(max(-x, -708.0), 708.0)
            p = 1.0 / (1.0 + exp64(t))
            return 0.0 if x < -708.0 else p

    return impl


def exp(t):  # pragma: no cover - typed by the overload below
    raise TypeError("compiled code only")


@overload(exp, jit_options=INLINED)
def _overload_exp(t):
    """exp(t) for t up to 87 (float32) or 708 (float64); NaN stays NaN."""
    if t == float32:
        return lambda t: float32(0) if t < float32(-87) else exp32(max(t, float32(-87)))
    return lambda t: 0.0 if t < -708.0 else exp64(max(t, -708.0))


# --- Logarithms -------------------------------------------------------------------------------


def log(u):  # pragma: no cover - typed by the overload below
    raise TypeError("compiled code only")


@overload(log, jit_options=INLINED)
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


@njit(inline="always")
def softplus(x):
    return max(x, 0.0) + np.log1p(np.exp(-abs(x)))
