"""Matrix products by the BLAS that SciPy brings, each part in one thread of the crew.

BLAS must be limited to one thread meanwhile: its own threads wait for each other by spinning, and
where somebody else has a core they wait for milliseconds (``_machine/blas.py`` sets the limit).
"""

from llvmlite import ir
from numba import float32, int64, types
from numba.core import cgutils
from numba.extending import get_cython_function_address, intrinsic

from .crew import divisible
from .inlined import OPTIONS

__all__ = ["ADDRESSES", "multiply"]

#: Of the functions of BLAS, by the character of the dtype; an argument, as they differ between
#: processes and compiled code is kept.
ADDRESSES = {
    character: get_cython_function_address("scipy.linalg.cython_blas", name)
    for character, name in (("f", "sgemm"), ("d", "dgemm"))
}

# Rows or columns of a result that stay together: BLAS computes tiles of that size.
_TOGETHER = 16


@intrinsic
def _gemm(typingctx, address, like, left_t, right_t, m, n, k, a, lda, b, ldb, c, ldc):
    """``c = a b`` as Fortran sees it; ``a``, ``b`` and ``c`` are addresses."""

    def codegen(context, builder, signature, values):
        address, _, left_t, right_t, m, n, k, a, lda, b, ldb, c, ldc = values
        real = ir.FloatType() if like == float32 else ir.DoubleType()
        integer, character = ir.IntType(64), ir.IntType(8)

        def place(value, kind):
            pointer = cgutils.alloca_once(builder, kind)
            builder.store(value, pointer)
            return pointer

        def size(value):  # also right for a BLAS of 32-bit integers, as the low half comes first
            return place(value, integer)

        def order(transposed):
            name = builder.select(transposed, character(ord("T")), character(ord("N")))
            return place(name, character)

        def matrix(value):
            return builder.inttoptr(value, real.as_pointer())

        arguments = [order(left_t), order(right_t), size(m), size(n), size(k)]
        arguments += [place(real(1.0), real), matrix(a), size(lda), matrix(b), size(ldb)]
        arguments += [place(real(0.0), real), matrix(c), size(ldc)]
        gemm = ir.FunctionType(ir.VoidType(), [argument.type for argument in arguments])
        builder.call(builder.inttoptr(address, gemm.as_pointer()), arguments)
        return context.get_dummy_value()

    flags, sizes = [types.boolean] * 2, [int64] * 9
    return types.none(int64, like, *flags, *sizes), codegen


def _work(address, left, left_t, right, right_t, out):
    return out.size * left.shape[0 if left_t else 1]


def _blocks(*arguments):
    """Blocks of the longer side of the result, which parts are cut along."""
    return -(-max(arguments[-1].shape) // _TOGETHER)


@divisible(_work, _blocks, **OPTIONS)
def multiply(address, left, left_t, right, right_t, out, first, stop):
    """``out = left right``, either of them transposed if it is said.

    Parameters
    ----------
    address : int                                                                         IN
        Of the function of BLAS for this dtype.
    left, right : ndarray of two dimensions                                               IN
    left_t, right_t : bool                                                                IN
        Whether the transpose is meant.
    out : ndarray of shape (n, m)                                                         OUT
    first, stop : int                                                                     IN
        Blocks of rows of ``out``, or of its columns if these are more.
    """
    (n, m), size = out.shape, out.itemsize
    k = left.shape[0] if left_t else left.shape[1]
    n_left, n_right = left.shape[1], right.shape[1]
    a, b, c = left.ctypes.data, right.ctypes.data, out.ctypes.data
    first, stop = first * _TOGETHER, min(stop * _TOGETHER, max(n, m))
    width = m
    if n >= m:
        a += first * size * (1 if left_t else n_left)
        c += first * size * m
        n = stop - first
    else:
        b += first * size * (n_right if right_t else 1)
        c += first * size
        width = stop - first
    # BLAS counts in Fortran's order, where each of the three is its transpose.
    like = out.dtype.type(0)
    _gemm(address, like, right_t, left_t, width, n, k, b, n_right, a, n_left, c, m)
