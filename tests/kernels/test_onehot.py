"""Kernels of categorical units, against plain twins."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, logsumexp

from skrbm._kernels import onehot, onehot_rows
from skrbm._machine.onehot import Categories
from skrbm._machine.softmax import SoftmaxInput, SoftmaxLayer

from ..helpers.numbers import SEED, dtypes
from ..helpers.softmax_layers import (
    CATEGORIES,
    N_CODES,
    N_HIDDEN,
    N_ROWS,
    OFFSETS,
    SIZES,
    asked,
    layer,
    rows_of_codes,
)
from ..helpers.softmax_machines import one_hot
from ..oracles import common
from ..oracles.softmax import accumulate, expected, forward, listed, logits, sample


@pytest.fixture(name="rows")
def some_rows():
    return one_hot(rows_of_codes())


def summed(dtype, n_terms, largest):
    """The rounding of a sum of so many terms up to so large, in any order."""
    return (n_terms + 2) * n_terms * largest * np.finfo(dtype).eps


# --- between the layers ---


def with_probabilities(rows, rng, dtype):
    """All categories of the observed features, with probabilities."""
    visible, weights, h = layer(rng, dtype)
    return visible.mean_rows(SoftmaxInput(h[: rows.shape[0]], weights), rows)


@dtypes
@pytest.mark.parametrize("weighted", [False, True])
def test_gather(rows, rng, dtype, weighted):
    """Adds to what is there; rows of any length, and such as do not begin at the first code."""
    rows = with_probabilities(rows, rng, dtype) if weighted else rows
    table = rng.normal(size=(N_CODES, N_HIDDEN)).astype(dtype)
    given = rng.normal(size=(N_ROWS, N_HIDDEN)).astype(dtype)
    plain = forward(rows.indptr, rows.codes, table, None, OFFSETS, rows.weights)
    assert set(np.diff(rows.indptr) % 4) == {0, 1, 2, 3}
    tolerance = summed(dtype, np.diff(rows.indptr).max() + 1, np.abs(table).max())
    for first in (0, 13):
        out = given[first:].copy()
        part = rows[first:]
        entry_weights = part.weights_of_entries(dtype)
        onehot.gather(part.indptr_of_entries, part.entries, entry_weights, table, out)
        assert_allclose(out, (given + plain)[first:], rtol=0, atol=tolerance)


@dtypes
@pytest.mark.parametrize("conditional", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_forward(rows, rng, dtype, conditional, weighted):
    visible, weights, _ = layer(rng, dtype, conditional)
    rows = with_probabilities(rows, rng, dtype) if weighted else rows
    plain = forward(rows.indptr, rows.codes, weights, visible.conditional, OFFSETS, rows.weights)
    atol = summed(dtype, 2 * np.diff(rows.indptr).max(), 4)
    assert_allclose(visible.forward(rows, weights), plain, rtol=0, atol=atol)
    assert_allclose(visible.forward(rows[17:], weights), plain[17:], rtol=0, atol=atol)


@dtypes
@pytest.mark.parametrize("conditional", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_accumulate(rows, rng, dtype, weighted, conditional):
    """Of both phases; only the features asked for are written, and those from scratch."""
    phases, plain = [], []
    for phase in (rows, rows[20:80]):
        phase = with_probabilities(phase, rng, dtype) if weighted else phase
        n_rows = phase.shape[0]
        h = rng.random((n_rows, N_HIDDEN)).astype(dtype)
        row_weights = rng.normal(size=n_rows).astype(dtype)
        order, weights = phase.by_feature(CATEGORIES), phase.weights_of_entries(dtype)
        weighted_h = h * row_weights[:, np.newaxis]
        phases.append(onehot.Phase(order, phase.entries, weights, weighted_h, row_weights))
        listed = phase.indptr_of_entries, phase.entries, phase.weights
        plain.append(accumulate(*listed, h, row_weights, N_CODES))
    G, g = np.full((N_CODES, N_HIDDEN), np.nan, dtype), np.full(N_CODES, np.nan, dtype)
    U = np.full((len(SIZES) if conditional else 0, N_HIDDEN), np.nan, dtype)
    arguments = *phases, OFFSETS, U, g, G
    onehot.accumulate.part(*arguments, 2, 5)
    assert_array_equal(np.isnan(g).nonzero()[0], [*range(6), *range(20, 26)])
    assert_array_equal(np.isnan(G).all(axis=1), np.isnan(g))
    if conditional:
        assert_array_equal(np.isnan(U).any(axis=1).nonzero()[0], [0, 1, 5, 6])
    onehot.accumulate(*arguments)
    atol = 2 * summed(dtype, N_ROWS, 1)
    assert_allclose(G, plain[0][0] + plain[1][0], rtol=0, atol=atol)
    assert_allclose(g, plain[0][1] + plain[1][1], rtol=0, atol=atol)
    assert_array_equal(G[22:], 0)  # of the feature without entries
    if conditional:
        sums = np.add.reduceat(G, OFFSETS[:-1], axis=0)
        assert_allclose(U, sums, rtol=0, atol=summed(dtype, max(SIZES), np.abs(G).max()))


# --- draws ---


def margins(rows, weights, b, h, update, purpose):
    """How far each draw is from the next boundary between categories, as a probability."""
    out = []
    for r, row in enumerate(listed(rows.indptr, rows.codes)):
        words = common.random_words(SEED, update, purpose, r, len(row))
        for code, word in zip(row, words, strict=True):
            _, inputs = logits(code, OFFSETS, weights, b, h[r])
            cumulative = np.cumsum(np.exp(np.array(inputs) - logsumexp(inputs)))[:-1]
            u = common.uniform(word, weights.dtype)
            out.append(np.abs(cumulative - u).min(initial=1))
    return np.array(out)


@dtypes
@pytest.mark.parametrize("scale", [0.3, 3.0])
def test_sample_draws_what_its_twin_draws(rows, rng, dtype, scale):
    """Where rounding (of logits of size 20, eight terms) may decide, either category will do."""
    visible, weights, h = layer(rng, dtype, scale=scale)
    plain = sample(rows.indptr, rows.codes, OFFSETS, weights, visible.bias, h, SEED, 6, 3)
    out = rows.copy()
    visible.sample(SoftmaxInput(h, weights), (SEED, 6, 3), out)
    decided = margins(rows, weights, visible.bias, h, 6, 3) > 200 * np.finfo(dtype).eps
    assert decided.mean() > 0.99
    assert_array_equal(out.entries[decided], plain[decided])
    assert (plain != rows.codes).mean() > 0.3
    features = CATEGORIES.feature_of
    assert_array_equal(features[out.entries], features[rows.entries])


def test_sample_writes_the_features_asked_for(rows, rng):
    visible, weights, h = layer(rng, float)
    order = rows.by_feature(CATEGORIES)
    words = np.empty(rows.n_entries, np.uint32)
    onehot_rows.random_words(rows.indptr, SEED, 0, 0, words)
    codes = np.full(rows.n_entries, -1, np.int32)
    softmax = onehot.Softmax(OFFSETS, weights, visible.bias, CATEGORIES.most)
    arguments = order, softmax, h, words, OFFSETS[:0], codes, h[0, :0]
    onehot.categorical.part(*arguments, 2, 5)
    whole = visible.sample(SoftmaxInput(h, weights), (SEED, 0, 0), rows.copy())
    written = (rows.codes >= OFFSETS[2]) & (rows.codes < OFFSETS[5])
    assert_array_equal(codes, np.where(written, whole.codes, -1))


def test_float32_draws_follow_float64_draws(rows, rng):
    visible, weights, h = layer(rng, np.float32)
    double = SoftmaxLayer(visible.bias.astype(float), CATEGORIES)
    single, twin = SoftmaxInput(h, weights), SoftmaxInput(h.astype(float), weights.astype(float))
    ours = visible.sample(single, (SEED, 0, 1), rows.copy()).codes
    theirs = double.sample(twin, (SEED, 0, 1), rows.copy()).codes
    assert (ours != theirs).mean() < 0.01


@dtypes
@pytest.mark.parametrize("words", [0, 2**32 - 1])
def test_extreme_words_draw_the_first_and_last_possible_category(dtype, words):
    """A category of probability 0 is never drawn."""
    categories = Categories([np.arange(5.0)])
    b = np.array([-np.inf, 0, 0, 0, -np.inf], dtype)
    codes = np.zeros(1, np.int32)
    one = np.zeros(1, np.int32)
    order = onehot.Order(np.array([0, 1]), one, one)
    softmax = onehot.Softmax(categories.offsets, np.zeros((5, 2), dtype), b, 5)
    h, words = np.zeros((1, 2), dtype), np.array([words], np.uint32)
    onehot.categorical(order, softmax, h, words, OFFSETS[:0], codes, b[:0])
    assert codes == (1 if words[0] == 0 else 3)


@dtypes
def test_equal_categories_have_equal_probabilities(rng, dtype):
    """To the last bit: so the compiler does the same for each, wherever the numbers lie."""
    categories = Categories([np.arange(30.0)])
    weights, h = np.zeros((30, 3), dtype), rng.normal(size=(200, 3)).astype(dtype)
    weights[0] = rng.normal(size=3)
    visible = SoftmaxLayer(np.zeros(30, dtype), categories)
    p = visible.mean(SoftmaxInput(h, weights))
    assert_array_equal(p[:, 1:], np.repeat(p[:, 1:2], 29, axis=1))


@dtypes
@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_expected_equals_its_twin(rows, rng, dtype, scale):
    visible, weights, h = layer(rng, dtype, scale=scale)
    h[::2] = rng.random((N_ROWS, N_HIDDEN))[::2]
    ours = visible.mean_rows(SoftmaxInput(h, weights), rows)
    indptr, codes, p = expected(rows.indptr, rows.codes, OFFSETS, weights, visible.bias, h)
    assert_array_equal(ours.indptr, indptr)
    assert_array_equal(ours.codes, codes)
    assert ours.weights.dtype == dtype
    # exp of a difference of two logits: the rounding of both, and its own.
    rtol = 2 * summed(dtype, N_HIDDEN + 1, np.abs(weights).max()) + 20 * np.finfo(dtype).eps
    least = math.exp(-87 if dtype == np.float32 else -708)  # what is smaller is 0
    assert_allclose(ours.weights, p, rtol=rtol, atol=least)
    sizes = np.array(SIZES)[CATEGORIES.feature_of[rows.codes]]
    totals = np.add.reduceat(ours.weights, np.cumsum(sizes) - sizes)
    assert_allclose(totals, 1, rtol=20 * np.finfo(dtype).eps)


@dtypes
def test_huge_logits(rows, dtype):
    """Thousands of nats: the largest has all, and equal ones share."""
    b = np.zeros(N_CODES, dtype)
    b[[1, 3]] = 1e4
    b[8:11] = [-1e4, 500, 0]
    visible = SoftmaxLayer(b, CATEGORIES)
    weights = np.zeros((N_CODES, 1), dtype)
    x = SoftmaxInput(np.zeros((1, 1), dtype), weights)
    ours = visible.mean_rows(x, one_hot([(0, 8)])).weights
    assert_allclose(ours, [0, 0.5, 0, 0.5, 0, 0, 1, 0], rtol=0, atol=1e-30)


# --- one entry given the others ---


def plain_conditional(t, feature, W, b, mean_field):
    """Log-probabilities from the inputs of the hidden units without the entry asked for."""
    inputs = []
    for code in range(OFFSETS[feature], OFFSETS[feature + 1]):
        if mean_field:
            inputs.append(b[code] + W[code] @ expit(t))
        else:
            inputs.append(b[code] + (np.logaddexp(0, t + W[code]) - np.logaddexp(0, t)).sum())
    return np.array(inputs) - logsumexp(inputs)


@dtypes
@pytest.mark.parametrize("conditional", [False, True])
@pytest.mark.parametrize("mean_field", [False, True])
@pytest.mark.parametrize(
    ("n_hidden", "scale"),
    [(7, 1.0), (100, 8.0), (5, 700.0)],
    ids=["one product", "many products", "softplus"],
)
def test_conditionals(rows, rng, dtype, conditional, mean_field, n_hidden, scale):
    """Of 100 hidden units, products hold 24 or fewer; beyond 600 there are none."""
    weights = rng.uniform(-scale, scale, (N_CODES, n_hidden)).astype(dtype)
    b, c = rng.normal(size=N_CODES).astype(dtype), rng.normal(size=n_hidden).astype(dtype)
    U = rng.normal(0, scale, (len(SIZES), n_hidden)).astype(dtype) if conditional else None
    visible = SoftmaxLayer(b, CATEGORIES, U)
    x = visible.forward(rows, weights) + c
    queries, features = asked(rng, rows)
    row, own = queries.row, queries.own
    assert 0.1 < (own < 0).mean() < 0.9
    result, first = visible.log_conditionals(queries, x, weights, mean_field)
    means = visible.conditional_means(queries, x, weights, mean_field)
    assert result.dtype == means.dtype == dtype

    W, b, x = (a.astype(float) for a in (weights, b, x))
    size = np.abs(x).max() + 2 * scale
    tolerance = 20 * n_hidden * size * np.finfo(dtype).eps
    for k, feature in enumerate(np.repeat(features, 70)):
        t = x[row[k]].copy()
        if own[k] >= 0:
            t -= W[own[k]]
        elif U is not None:
            t += U[feature]
        expected = plain_conditional(t, feature, W, b, mean_field)
        log_p = result[first[k] : first[k] + len(expected)]
        assert_allclose(log_p, expected, rtol=0, atol=tolerance)
        mean = np.exp(expected) @ np.arange(len(expected))
        assert_allclose(means[k], mean, rtol=0, atol=tolerance * len(expected))
    assert len(result) == first[-1] + len(expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1e4, np.inf])
@pytest.mark.parametrize("scale", [1, 1000])
def test_conditionals_at_infinite_inputs(rng, dtype, size, scale):
    """A hidden unit that is on or off for certain is a bias, or nothing."""
    visible, weights, _ = layer(rng, dtype, scale=scale)
    x = np.full((2, N_HIDDEN), size, dtype)
    x[1] = -size
    start = np.array([0, 2, 2, 2, 2, 2, 2, 2])
    queries = onehot.Queries(start, np.array([0, 1]), np.array([-1, -1]))
    log_p, first = visible.log_conditionals(queries, x, weights)
    for k, on in ((0, 1), (1, 0)):
        inputs = visible.bias[:5] + on * weights[:5].sum(axis=1, dtype=float)
        p = log_p[first[k] : first[k] + 5]
        tolerance = 1e2 * max(scale, 1 if np.isinf(size) else size) * np.finfo(dtype).eps
        assert_allclose(p, inputs - logsumexp(inputs), atol=tolerance)
