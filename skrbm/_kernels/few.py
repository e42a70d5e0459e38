"""Numba functions of linear algebra: products of few rows, dense.

For a handful of rows BLAS spends its time on packing the weights (design_notes.rst). These kernels
read the weights where they are. The house rules stand in ``inlined``.
"""

from llvmlite import ir
from numba import int64, types
from numba.core import cgutils
from numba.extending import intrinsic

from .crew import divisible
from .inlined import REORDERED

__all__ = ["product", "product_with_transpose"]

_LINE = 64  # bytes of a vector: one register, or two, or four
_TARGETS, _VECTORS = 4, 2  # of a tile: its sums, and what they are made of, fit into registers
_CONTRACT = ("contract",)


def _tile(n_targets, n_vectors):
    """A function that adds to a tile of ``out`` what some rows contribute."""

    @intrinsic
    def add(typingctx, left, rows, first, stop, out, target, column):
        """``out[target.., column..] += sum_k left[target.., k] rows[k, column..]``, k < stop."""

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

            places = [
                [
                    pointer(out, plus(target, t), plus(column, v * vector.count), vector)
                    for v in range(n_vectors)
                ]
                for t in range(n_targets)
            ]
            sums = [[cgutils.alloca_once(builder, vector) for _ in line] for line in places]
            for line, to in zip(places, sums, strict=True):
                for place, total in zip(line, to, strict=True):
                    builder.store(builder.load(place, align=size), total)
            with cgutils.for_range_slice(builder, first, stop, integer(1)) as (k, _):
                parts = [
                    builder.load(
                        pointer(rows, k, plus(column, v * vector.count), vector), align=size
                    )
                    for v in range(n_vectors)
                ]
                for t, line in enumerate(sums):
                    factor = builder.load(pointer(left, plus(target, t), k, real))
                    factor = builder.insert_element(nothing, factor, ir.IntType(32)(0))
                    factor = builder.shuffle_vector(factor, nothing, same)
                    for part, total in zip(parts, line, strict=True):
                        term = builder.fmul(factor, part, flags=_CONTRACT)
                        term = builder.fadd(builder.load(total), term, flags=_CONTRACT)
                        builder.store(term, total)
            for line, to in zip(places, sums, strict=True):
                for place, total in zip(line, to, strict=True):
                    builder.store(builder.load(total), place, align=size)
            return context.get_dummy_value()

        numbers = [int64] * 2
        return types.none(left, rows, *numbers, out, *numbers), codegen

    return add


_add_tile, _add_strip = _tile(_TARGETS, _VECTORS), _tile(1, 1)


def _rows_or_blocks(left, rows, out):
    return out.shape[1] if out.shape[0] == 1 else out.shape[0]


@divisible(lambda left, rows, out: left.size * rows.shape[1], _rows_or_blocks, **REORDERED)
def product(left, rows, out, first, stop):
    """``left rows = out.sum(axis=0)``.

    Parameters
    ----------
    left : ndarray of shape (n, K), in any order                                          IN
    rows : ndarray of shape (K, M)                                                        IN
    out : ndarray of shape (n_blocks, n, M)                                               OUT
        The sums over the rows of each block.
    first, stop : int                                                                     IN
        The blocks to do or, if there is but one, the rows of ``left``.
    """
    n_rows, n_blocks = rows.shape[0], out.shape[0]
    first_target, stop_target = 0, left.shape[0]
    if n_blocks == 1:
        first_target, stop_target, first, stop = first, stop, 0, 1
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
