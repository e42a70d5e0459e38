"""Numba functions of products that BLAS is slow at: of few rows, and of rows with many zeros.

For a handful of rows BLAS spends its time on packing the weights. These kernels read the weights
where they are (how_fast.rst). Notation: ``v`` visible rows (n, D), ``h`` hidden rows (n, M),
``W`` weights (D, M). The house rules stand in ``inlined``.
"""

import numpy as np
from llvmlite import ir
from numba import float32, int64, njit, types, uint64
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.extending import intrinsic, overload

from .cache import kernel
from .crew import divisible
from .inlined import INLINED, REORDERED, bits_of_float32, bits_of_float64

__all__ = ["few", "product_with_transpose", "skipping", "skipping_transposed"]


# --- Tiles ------------------------------------------------------------------------------------
#
# A tile of the result is a few rows by a few vectors. Its sums stay in registers while the loop
# takes one row after the other; LLVM would write and read them each time.

_LINE = 64  # bytes of a vector: one register, or two, or four
_CONTRACT = ("contract",)


def _tile(n_targets, n_vectors):
    """A function that adds to a tile of ``out`` what some rows contribute."""

    @intrinsic
    def add(typingctx, left, rows, first, stop, out, target, column):
        """``out[target.., column..] += sum_k left[target.., k] rows[k, column..]``, k < stop."""
        if not rows.layout == out.layout == "C":  # numbers of a vector lie side by side
            raise TypingError(f"rows and sums must be C-contiguous, but are {rows} and {out}")

        def codegen(context, builder, signature, values):
            left, rows, out = (
                context.make_array(signature.args[k])(context, builder, values[k])
                for k in (0, 1, 4)
            )
            first, stop, target, column = values[2], values[3], values[5], values[6]
            integer, real = ir.IntType(64), out.data.type.pointee
            size = context.get_abi_sizeof(real)
            vector = ir.VectorType(real, _LINE // size)
            nothing, zeros = ir.Constant(vector, ir.Undefined), [0] * vector.count
            same = ir.Constant(ir.VectorType(ir.IntType(32), vector.count), zeros)

            def pointer(array, row, column, kind):
                strides = cgutils.unpack_tuple(builder, array.strides)
                steps = [builder.mul(i, s) for i, s in zip((row, column), strides, strict=True)]
                address = builder.ptrtoint(array.data, integer)
                address = builder.add(address, builder.add(*steps))
                return builder.inttoptr(address, kind.as_pointer())

            def plus(number, more):
                return builder.add(number, integer(more))

            def of_vector(v):
                return plus(column, v * vector.count)

            cells = [(t, v) for t in range(n_targets) for v in range(n_vectors)]
            places = {
                (t, v): pointer(out, plus(target, t), of_vector(v), vector) for t, v in cells
            }
            sums = {cell: cgutils.alloca_once(builder, vector) for cell in cells}
            for cell in cells:
                builder.store(builder.load(places[cell], align=size), sums[cell])
            with cgutils.for_range_slice(builder, first, stop, integer(1)) as (k, _):
                parts = [
                    builder.load(pointer(rows, k, of_vector(v), vector), align=size)
                    for v in range(n_vectors)
                ]
                for t in range(n_targets):
                    factor = builder.load(pointer(left, plus(target, t), k, real))
                    factor = builder.insert_element(nothing, factor, ir.IntType(32)(0))
                    factor = builder.shuffle_vector(factor, nothing, same)
                    for v, part in enumerate(parts):
                        term = builder.fmul(factor, part, flags=_CONTRACT)
                        total = builder.load(sums[t, v])
                        builder.store(builder.fadd(total, term, flags=_CONTRACT), sums[t, v])
            for cell in cells:
                builder.store(builder.load(sums[cell]), places[cell], align=size)
            return context.get_dummy_value()

        return types.none(left, rows, int64, int64, out, int64, int64), codegen

    return add


def _rows_or_blocks(left, rows, out):
    return out.shape[1] if out.shape[0] == 1 else out.shape[0]


@njit(inline="always")
def _blocks_and_rows(out, first, stop):
    """Which blocks of ``out`` some items are, and which rows of each."""
    if out.shape[0] == 1:
        return 0, 1, first, stop
    return first, stop, 0, out.shape[1]


# --- Few rows ---------------------------------------------------------------------------------

_TARGETS, _VECTORS = 4, 2  # what fits into the registers, with what the sums are made of
_add_tile, _add_strip = _tile(_TARGETS, _VECTORS), _tile(1, 1)


@divisible(lambda left, rows, out: left.size * rows.shape[1], _rows_or_blocks, **REORDERED)
def few(left, rows, out, first, stop):
    """``left rows = out.sum(axis=0)``.

    Parameters
    ----------
    left : ndarray of shape (n, K), in any order                                          IN
    rows : ndarray of shape (K, M), C order                                               IN
    out : ndarray of shape (n_blocks, n, M), C order                                      OUT
        The sums over the rows of each block. So who updates some rows of W reads them alone.
    first, stop : int                                                                     IN
        The blocks to do or, if there is but one, the rows of ``left``.
    """
    n_rows, n_blocks = rows.shape[0], out.shape[0]
    first, stop, first_target, stop_target = _blocks_and_rows(out, first, stop)
    width = _LINE // out.itemsize
    wide = _VECTORS * width
    n_columns = out.shape[2] // width * width
    for block in range(first, stop):
        sums = out[block]
        sums[first_target:stop_target] = 0
        begin, end = n_rows * block // n_blocks, n_rows * (block + 1) // n_blocks
        for column in range(0, n_columns, wide):
            target = first_target
            if column + wide <= n_columns:
                while target + _TARGETS <= stop_target:
                    _add_tile(left, rows, begin, end, sums, target, column)
                    target += _TARGETS
            for t in range(target, stop_target):
                for j in range(column, min(column + wide, n_columns), width):
                    _add_strip(left, rows, begin, end, sums, t, j)
        for t in range(first_target, stop_target):
            rest = sums[t, n_columns:]
            for k in range(begin, end):
                row, factor = rows[k, n_columns:], left[t, k]
                for j in range(rest.shape[0]):
                    rest[j] += factor * row[j]


@divisible(
    work=lambda h, W, out: h.size * W.shape[0], items=lambda h, W, out: W.shape[0], **REORDERED
)
def product_with_transpose(h, W, out, first, stop):
    """``out = h W^T``.

    Parameters
    ----------
    h : ndarray of shape (n, M)                                                           IN
    W : ndarray of shape (D, M)                                                           IN
    out : ndarray of shape (n, D)                                                         OUT
    first, stop : int                                                                     IN
        The rows of W to do.
    """
    n_rows, n_hidden = h.shape
    n_fours = n_rows // 4 * 4
    zero = h.dtype.type(0)
    for i in range(first, stop):
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


# --- Rows with zeros --------------------------------------------------------------------------
#
# A set of non-zeros is a word of 64 bits: it takes one comparison an entry, without a branch that
# could be mispredicted, and sorts what lies along a column. The loops take four terms at a time:
# the target is then read and written a quarter as often.

_SET = 64
_NONE, _ONE = np.uint64(0), np.uint64(1)


def _bits(x):  # pragma: no cover - typed by the overload below
    raise TypeError("compiled code only")


@overload(_bits, jit_options=INLINED)
def _overload_bits(x):
    """The bits of a float: comparing them with 0 is cheaper, and -0.0 may count as non-zero."""
    bits = bits_of_float32 if x == float32 else bits_of_float64
    return lambda x: bits(x)


@intrinsic
def _smallest(typingctx, numbers):
    """The smallest number of a set that is not empty."""

    def codegen(context, builder, signature, values):
        return builder.cttz(values[0], ir.IntType(1)(1))

    return int64(uint64), codegen


@kernel(**REORDERED)
def _add_rows(which, weights, rows, out):
    """``out += sum_k weights[k] rows[k]`` over the k of a set."""
    n_columns = out.shape[0]
    while which != _NONE:
        k0 = _smallest(which)
        which &= which - _ONE
        w0, r0 = weights[k0], rows[k0]
        if which == _NONE:
            for j in range(n_columns):
                out[j] += w0 * r0[j]
            return
        k1 = _smallest(which)
        which &= which - _ONE
        w1, r1 = weights[k1], rows[k1]
        if which == _NONE:
            for j in range(n_columns):
                out[j] += w0 * r0[j] + w1 * r1[j]
            return
        k2 = _smallest(which)
        which &= which - _ONE
        w2, r2 = weights[k2], rows[k2]
        if which == _NONE:
            for j in range(n_columns):
                out[j] += (w0 * r0[j] + w1 * r1[j]) + w2 * r2[j]
            return
        k3 = _smallest(which)
        which &= which - _ONE
        w3, r3 = weights[k3], rows[k3]
        for j in range(n_columns):
            out[j] += (w0 * r0[j] + w1 * r1[j]) + (w2 * r2[j] + w3 * r3[j])


def _quarter(v, h, out):
    """The work if a quarter of ``v`` is not zero."""
    return v.size * h.shape[1] // 4


@divisible(_quarter, _rows_or_blocks, **REORDERED)
def skipping(v, W, out, first, stop):
    """``v W = out.sum(axis=0)``, skipping the zeros of v.

    Parameters
    ----------
    v : ndarray of shape (n, D)                                                           IN
    W : ndarray of shape (D, M)                                                           IN
    out : ndarray of shape (n_blocks, n, M)                                               OUT
        As in ``few``.
    first, stop : int                                                                     IN
        The blocks to do or, if there is but one, the rows.
    """
    n_columns, n_blocks = v.shape[1], out.shape[0]
    first, stop, first_row, stop_row = _blocks_and_rows(out, first, stop)
    for block in range(first, stop):
        sums = out[block]
        sums[first_row:stop_row] = 0
        end = n_columns * (block + 1) // n_blocks
        for i in range(n_columns * block // n_blocks, end, _SET):
            rows = W[i : min(i + _SET, end)]
            for r in range(first_row, stop_row):
                values, members = v[r, i : min(i + _SET, end)], _NONE
                for k in range(values.shape[0]):
                    members |= np.uint64(_bits(values[k]) != 0) << np.uint64(k)
                _add_rows(members, values, rows, sums[r])


@divisible(_quarter, **REORDERED)
def skipping_transposed(v, h, out, first, stop):
    """``out = v^T h``, skipping the zeros of v.

    Parameters
    ----------
    v : ndarray of shape (n, D)                                                           IN
    h : ndarray of shape (n, M)                                                           IN
    out : ndarray of shape (D, M)                                                         OUT
    first, stop : int                                                                     IN
        The columns of v to do.
    """
    n_rows, out = v.shape[0], out[first:stop]
    out[:] = 0
    members = np.empty(stop - first, np.uint64)  # of the rows, for each column
    for begin in range(0, n_rows, _SET):
        end = min(begin + _SET, n_rows)
        members[:] = _NONE
        for r in range(begin, end):
            values, k = v[r, first:stop], np.uint64(r - begin)
            for i in range(values.shape[0]):
                members[i] |= np.uint64(_bits(values[i]) != 0) << k
        for i in range(members.shape[0]):
            _add_rows(members[i], v[begin:end, first + i], h[begin:end], out[i])
