"""Sums over rows and steps of parameters, against plain twins."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skrbm._kernels import updates

from ..helpers.numbers import DTYPES, rounding
from ..oracles import common


@pytest.mark.parametrize("dtype", DTYPES)
def test_weigh_rows(dtype, rng):
    rows, weights = rng.normal(size=(6, 5)).astype(dtype), rng.normal(size=6).astype(dtype)
    weighted, total = np.full_like(rows, np.nan), np.full(5, np.nan, dtype)
    updates.weigh_rows(rows, weights, weighted, total)
    assert_allclose(weighted, [w * row for w, row in zip(weights, rows, strict=True)])
    plain = common.matmul(weights[np.newaxis], rows)[0]
    assert_allclose(total, plain, rtol=0, atol=rounding(dtype, 24))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("total_dtype", DTYPES)
def test_weighted_sum(dtype, total_dtype, rng):
    """Rows of float32 may be summed in float64."""
    rows, weights = rng.normal(size=(6, 5)).astype(dtype), rng.normal(size=6).astype(total_dtype)
    total = np.full(5, np.nan, total_dtype)
    updates.weighted_sum(rows, weights, total)
    plain = common.matmul(weights[np.newaxis], rows)[0]
    assert_allclose(total, plain, rtol=0, atol=rounding(total_dtype, 24))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n_rows", [1, 63, 64, 65, 128, 130])
def test_project(dtype, n_rows, rng):
    table = rng.normal(size=(n_rows, 7)).astype(dtype)
    left, right = rng.normal(size=n_rows).astype(dtype), rng.normal(size=7).astype(dtype)
    n_blocks = -(-n_rows // updates.BLOCK)
    at_right, at_left = np.full(n_rows, np.nan, dtype), np.full((n_blocks, 7), np.nan, dtype)
    updates.project(table, left, right, at_right, at_left)
    tolerance = {"rtol": 0, "atol": rounding(dtype, 400)}  # 64 terms of size 6
    assert_allclose(at_right, common.matmul(table, right[:, np.newaxis])[:, 0], **tolerance)
    for k, sums in enumerate(at_left):
        block = slice(k * updates.BLOCK, (k + 1) * updates.BLOCK)
        assert_allclose(sums, common.matmul(left[np.newaxis, block], table[block])[0], **tolerance)


@pytest.mark.parametrize("dtype", DTYPES)
def test_add_step(dtype, rng):
    sums, velocity, parameter = rng.normal(size=(3, 11)).astype(dtype)
    last, before = velocity.copy(), parameter.copy()
    parameter[3] = before[3] = 0  # where the L1 penalty has no slope
    rates = dtype(0.25), dtype(0.3), dtype(0.01), dtype(0.2), dtype(0.9)
    updates.add_step(sums, *rates, velocity, parameter)
    for i in range(11):
        penalty = 0.01 * before[i] + 0.2 * np.sign(before[i])
        step = 0.9 * last[i] + 0.3 * (0.25 * sums[i] - penalty)
        # Cancellation between terms of size 3 leaves an absolute error.
        assert_allclose(velocity[i], step, rtol=0, atol=rounding(dtype, 12))
        assert_allclose(parameter[i], before[i] + step, rtol=0, atol=rounding(dtype, 16))


@pytest.mark.parametrize("dtype", DTYPES)
def test_add_gradient(dtype, rng):
    sums, parameter = rng.normal(size=(2, 11)).astype(dtype)
    parameter[3] = 0  # where the L1 penalty has no slope
    before = parameter.copy()
    updates.add_gradient(sums, dtype(0.25), dtype(0.3), dtype(0.01), dtype(0.2), parameter)
    plain = [
        p + 0.3 * (0.25 * s - 0.01 * p - 0.2 * np.sign(p))
        for p, s in zip(before, sums, strict=True)
    ]
    assert_allclose(parameter, plain, rtol=0, atol=rounding(dtype, 12))


@pytest.mark.parametrize("dtype", DTYPES)
def test_straighten(dtype, rng):
    """Of one category, of two, of four; nothing but the sums is written."""
    offsets = np.array([0, 1, 3, 7])
    values = np.array([0, -1, 1, -1, -0.4, 0.3, 1], dtype)
    sums = rng.normal(size=(7, 5)).astype(dtype)
    before, given = sums.copy(), values.copy()
    updates.straighten(values, offsets, sums)
    assert_array_equal(values, given)
    for first, stop in ((0, 1), (1, 3), (3, 7)):
        for k in range(first, stop):
            plain = sum(
                (1 + values[k] * values[other]) * before[other] for other in range(first, stop)
            )
            assert_allclose(sums[k], plain, rtol=0, atol=rounding(dtype, 100))


@pytest.mark.parametrize("dtype", DTYPES)
def test_sums_of_deviations(dtype, rng):
    rows, weights = rng.normal(size=(6, 5)).astype(dtype), rng.normal(size=6).astype(dtype)
    center = rng.normal(size=5).astype(dtype)
    first, second = np.full((2, 5), np.nan, dtype)
    updates.moments(rows, center, weights, first, second)
    tolerance = {"rtol": 0, "atol": 50 * np.finfo(dtype).eps}  # sums of six terms of size 9
    for i in range(5):
        terms = [(w, row[i] - center[i]) for w, row in zip(weights, rows, strict=True)]
        assert_allclose(first[i], sum(w * d for w, d in terms), **tolerance)
        assert_allclose(second[i], sum(w * d * d for w, d in terms), **tolerance)


@pytest.mark.parametrize("dtype", DTYPES)
def test_row_dots(dtype, rng):
    a, b = rng.normal(size=(2, 6, 37)).astype(dtype)
    out = np.full(6, np.nan, dtype)
    updates.row_dots(a, b, out)
    plain = [
        sum(float(x) * float(y) for x, y in zip(*rows, strict=True))
        for rows in zip(a, b, strict=True)
    ]
    assert_allclose(out, plain, rtol=0, atol=200 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", DTYPES)
def test_center(dtype, rng):
    sums = rng.normal(size=(5, 7)).astype(dtype)
    center, statistic = rng.normal(size=(2, 5)).astype(dtype)
    hidden, hidden_center = rng.normal(size=(2, 7)).astype(dtype)
    before = sums.copy()
    updates.center(center, statistic, hidden, hidden_center, sums)
    for i in range(5):
        for j in range(7):
            taken = float(center[i]) * hidden[j] + float(statistic[i]) * hidden_center[j]
            # Three terms, of size 5 at most.
            assert_allclose(sums[i, j], before[i, j] - taken, rtol=0, atol=rounding(dtype, 30))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_approach(dtype, rng, share):
    parameter, average = rng.normal(size=(2, 11)).astype(dtype)
    before, given = average.copy(), parameter.copy()
    updates.approach(parameter, dtype(share), average)
    plain = [(1 - share) * a + share * p for a, p in zip(before, given, strict=True)]
    assert_allclose(average, plain, rtol=0, atol=rounding(dtype, 12))
    assert_array_equal(parameter, given)
    if share == 0:
        assert_array_equal(average, before)
