"""Pseudo-likelihoods of binary units, against enumeration."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skrbm._kernels import pseudo_likelihood


@pytest.mark.parametrize("max_factors", [0, 1, 2, 100])
@pytest.mark.parametrize("grey", [False, True])
def test_pseudo_likelihood_kernel_equals_its_twin(max_factors, grey, oracle, rng):
    W, b, c = oracle.W, oracle.b, oracle.c
    v = rng.random((37, 4)) if grey else rng.integers(0, 2, (37, 4)).astype(float)
    v[0, 0], v[0, 1] = 0.0, 1.0  # certain units within a grey row
    out = np.empty(37)
    pseudo_likelihood.bernoulli_pseudo_likelihood(
        v, v @ W + c, b, W, np.exp(W), np.exp(-W), max_factors, out
    )
    assert_allclose(out, [oracle.pseudo_likelihood(row) for row in v], rtol=1e-13)
