"""Matrix products of visible and hidden rows, each by whoever is faster at it.

Notation as in ``rbm``: ``v`` (n, D), ``h`` (n, M), ``W`` (D, M).
"""

import numpy as np

from .._kernels import products
from .blas import multiply
from .crew import parts_of, together
from .memory import empty, scratch

# BLAS is slower than our own kernels for few rows, and for rows v whose zeros a kernel can skip
# (measured: how_fast.rst).
FEW_ROWS = 32
# Largest share of non-zero entries for which zeros are skipped, of few rows and of many.
HALF_ZERO, MOSTLY_ZERO = 0.5, 0.3


def _skips_zeros(v):
    """Whether the kernels that skip zeros suit dense ``v``; looks at some entries."""
    n_rows, n_columns = v.shape
    some = v[:: 1 + n_rows // 8, :: 1 + n_columns // 64]
    share = HALF_ZERO if n_rows <= FEW_ROWS else MOSTLY_ZERO
    return np.count_nonzero(some) <= share * some.size


def product(v, weights):
    """``v W``."""
    if v.shape[1] != weights.shape[0]:  # kernels do not check bounds
        raise ValueError(f"{v.shape[1]} features given to a machine of {weights.shape[0]}")
    v = v.astype(weights.dtype, copy=False)
    few, skip = v.shape[0] <= FEW_ROWS, _skips_zeros(v)
    if not few and not skip:
        return multiply(v, weights)
    kernel = products.skipping if skip else products.few
    # Many rows are cut, few are not: then each thread reads the weights that it updates.
    n_blocks = parts_of(kernel.work(v, weights, None)) if few else 1
    sums = empty((n_blocks, v.shape[0], weights.shape[1]), weights.dtype)
    together(kernel, v, weights, sums)
    if n_blocks == 1:
        return sums[0]
    return sums.sum(axis=0, out=scratch(sums.shape[1:], sums.dtype))


def product_transposed(v, h):
    """``v^T h``."""
    v = v.astype(h.dtype, copy=False)
    few, skip = v.shape[0] <= FEW_ROWS, _skips_zeros(v)
    if not few and not skip:
        return multiply(v, h, left_t=True)
    out = empty((v.shape[1], h.shape[1]), h.dtype)
    if skip:
        together(products.skipping_transposed, v, h, out)
    else:
        together(products.few, v.T, h, out[np.newaxis])
    return out


def product_with_transpose(h, weights):
    """``h W^T``."""
    if h.shape[1] != weights.shape[1]:  # kernels do not check bounds
        raise ValueError(f"{h.shape[1]} hidden units given to a machine of {weights.shape[1]}")
    h = h.astype(weights.dtype, copy=False)
    if h.shape[0] > FEW_ROWS:
        return multiply(h, weights, right_t=True)
    out = scratch((h.shape[0], weights.shape[0]), weights.dtype)
    together(products.product_with_transpose, h, weights, out)
    return out
