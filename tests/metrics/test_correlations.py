"""Covariances of pairs against plain loops, and where their comparison is known."""

import math

import numpy as np
import pytest
from sklearn.preprocessing import OneHotEncoder

from skrbm.metrics import pair_correlations

from ..helpers.machines import Categorical, some_cases

CASES = some_cases(scale=1.5)


def covariances(rows):
    """E[v_i v_j] - E[v_i] E[v_j] for i < j, one number at a time."""
    n, n_features = len(rows), len(rows[0])
    means = [sum(row[i] for row in rows) / n for i in range(n_features)]
    return [
        sum(row[i] * row[j] for row in rows) / n - means[i] * means[j]
        for j in range(n_features)
        for i in range(j)
    ]


def compared(X, samples):
    """The three figures in plain loops."""
    a, b = covariances(X), covariances(samples)
    mean_a, mean_b = sum(a) / len(a), sum(b) / len(b)
    product = sum((x - mean_a) * (y - mean_b) for x, y in zip(a, b, strict=True))
    square_a, square_b = sum((x - mean_a) ** 2 for x in a), sum((y - mean_b) ** 2 for y in b)
    rms = math.sqrt(sum((x - y) ** 2 for x, y in zip(a, b, strict=True)) / len(a))
    return product / math.sqrt(square_a * square_b), product / square_a, rms


@pytest.mark.parametrize("n_samples", [2, 7, 50])
def test_figures_are_those_of_plain_loops(n_samples, rng):
    mixing = rng.normal(size=(5, 5))
    X, samples = rng.normal(size=(30, 5)) @ mixing + 3, rng.normal(size=(n_samples, 5))
    found = pair_correlations(X, samples)
    assert found == pytest.approx(compared(X.tolist(), samples.tolist()), rel=1e-10)
    assert (found.pearson, found.slope, found.rms) == found


def test_limits(rng):
    X = rng.normal(size=(200, 4)) @ rng.normal(size=(4, 4))
    assert pair_correlations(X, X[::-1]) == pytest.approx((1, 1, 0), abs=1e-12)
    assert pair_correlations(X, X + 10) == pytest.approx((1, 1, 0), abs=1e-12)
    assert pair_correlations(X, X / 2)[:2] == pytest.approx((1, 0.25))
    mirrored = X * [1, -1, 1, -1]
    pairs = np.array(covariances(X.tolist()))
    sign = np.array([1 if (j - i) % 2 == 0 else -1 for j in range(4) for i in range(j)])
    expected = np.polyfit(pairs, sign * pairs, 1)[0]
    assert pair_correlations(X, mirrored).slope == pytest.approx(expected)


def test_covariances_that_are_all_equal_have_no_slope():
    X = np.array([[0.0, 0], [1, 1]])  # a single pair
    assert np.isnan(pair_correlations(X, X)[:2]).all()
    constant, varied = np.zeros((3, 3)), np.array([[0.0, 0, 1], [1, 0, 1], [1, 1, 0]])
    found = pair_correlations(varied, constant)
    assert math.isnan(found.pearson)
    assert found.slope == 0
    assert np.isnan(pair_correlations(constant, varied)[:2]).all()


@pytest.mark.parametrize(
    "equal",
    [
        np.tile([0.1, 0.7, 0.3, 0.9, 0.2, 0.6, 0.4], (10, 1)),  # their means are rounded
        np.eye(7) * 0.3 + 0.1,
        np.eye(7) + 1e3,
    ],
)
def test_covariances_that_rounding_alone_tells_apart_are_equal(equal, rng):
    varied = rng.normal(size=(20, 7))
    assert np.isnan(pair_correlations(equal, varied)[:2]).all()
    found = pair_correlations(varied, equal)
    assert math.isnan(found.pearson)
    assert found.slope == 0


def test_a_large_mean_hides_nothing(rng):
    X, samples = rng.normal(size=(2, 50, 4))
    expected = pair_correlations(X, samples)
    assert pair_correlations(X + 1e6, samples + 1e6) == pytest.approx(expected, rel=1e-6)


def test_draws_of_the_same_distribution_approach_it(rng):
    mixing = rng.normal(size=(6, 6))
    errors = []
    for n in (100, 10_000):
        X, samples = rng.normal(size=(2, n, 6)) @ mixing
        errors.append(pair_correlations(X, samples).rms)
    assert errors[1] < errors[0] / 4
    assert pair_correlations(X, samples)[:2] == pytest.approx((1, 1), abs=0.05)


def terms(rows, mean):
    """What a covariance of each pair of features is the mean of."""
    i, j = np.triu_indices(rows.shape[1], 1)
    return (rows - mean)[:, i] * (rows - mean)[:, j]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_means_of_the_last_step_have_the_covariances_of_samples(case, rng):
    """Units are independent given the hidden units. Variances would differ."""
    n = 10_000
    init, truth = (case.draw(1, n, rng) for _ in range(2))
    if isinstance(case, Categorical):
        init, truth = case.machine.dense(init), case.machine.dense(truth)
    means = case.estimator().sample(n, init=init, n_gibbs_steps=2, output="mean", random_state=0)
    mean = truth.mean(axis=0)
    ours, theirs = terms(means, mean), terms(truth, mean)
    error = np.sqrt((ours.var(axis=0) + theirs.var(axis=0)) / n)
    assert (np.abs(ours.mean(axis=0) - theirs.mean(axis=0)) <= 4.5 * error).all()
    moving = truth.std(axis=0) > 0
    assert (means.var(axis=0) < 0.97 * truth.var(axis=0))[moving].all()


def test_onehot_rows_compare_categories():
    X = np.array([["a", "x"], ["b", "y"], ["b", "x"], ["a", "x"], ["b", "y"]])
    rows = OneHotEncoder(sparse_output=False).fit_transform(X)
    assert pair_correlations(rows, rows[[0, 1, 2]]) == pytest.approx(
        compared(rows.tolist(), rows[[0, 1, 2]].tolist())
    )


@pytest.mark.parametrize(
    ("X", "samples", "message"),
    [
        (np.zeros((3, 2)), np.zeros((3, 4)), "X has 2 features but samples has 4"),
        (np.zeros((3, 1)), np.zeros((3, 1)), "minimum of 2 is required"),
        (np.zeros((1, 2)), np.zeros((3, 2)), "minimum of 2 is required"),
        (np.zeros((3, 2)), np.full((3, 2), np.nan), "samples contains NaN"),
    ],
)
def test_what_cannot_be_compared_is_refused(X, samples, message):
    with pytest.raises(ValueError, match=message):
        pair_correlations(X, samples)
