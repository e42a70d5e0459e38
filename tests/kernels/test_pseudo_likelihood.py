"""Binary units given all others, against enumeration."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skrbm._kernels import pseudo_likelihood


@pytest.mark.parametrize("max_factors", [0, 1, 2, 100])
@pytest.mark.parametrize("grey", [False, True])
def test_kernels_equal_their_twins(max_factors, grey, oracle, rng):
    W, b, c = oracle.W, oracle.b, oracle.c
    v = rng.random((37, 4)) if grey else rng.integers(0, 2, (37, 4)).astype(float)
    v[0, 0], v[0, 1] = 0.0, 1.0  # certain units within a grey row
    out, log_odds = np.empty(37), np.empty((37, 4))
    arrays = b, W, np.exp(W), np.exp(-W), max_factors
    expected = [oracle.pseudo_likelihood(row) for row in v]
    for odds in (np.empty((0, 0)), log_odds):
        pseudo_likelihood.bernoulli_pseudo_likelihood(v, v @ W + c, *arrays, out, odds)
        assert_allclose(out, expected, rtol=1e-13)
    assert_allclose(log_odds, [oracle.log_odds(row) for row in v], rtol=1e-12, atol=1e-13)
    row, unit = rng.integers(0, 37, 60), rng.integers(0, 4, 60)
    row.sort()
    chosen = np.empty(60)
    pseudo_likelihood.bernoulli_log_odds(row, unit, v[row, unit], v @ W + c, *arrays, chosen)
    assert_allclose(chosen, log_odds[row, unit], rtol=1e-12, atol=1e-13)
