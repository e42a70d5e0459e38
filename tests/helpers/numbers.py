"""The dtypes, the seed and the tolerances of the tests of kernels."""

import numpy as np
import pytest

DTYPES = [np.float32, np.float64]


SEED = np.uint64(0xFEDCBA9876543210)


def rounding(dtype, operations=8):
    """A relative tolerance of a few rounding errors."""
    return operations * np.finfo(dtype).eps


dtypes = pytest.mark.parametrize("dtype", DTYPES)
