"""The machine of categories against enumeration: every row it can see, missing entries too."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse, special
from scipy.special import logsumexp

from skrbm import BernoulliRBM
from skrbm._input import categories
from skrbm._machine import softmax
from skrbm._machine.onehot import OneHotPhases

from ..helpers.calls import hidden_mean, sample_hidden, sample_visible, weighted_gradient
from ..helpers.frequencies import assert_frequencies
from ..helpers.softmax_machines import as_sparse, machines, one_hot, random_machine
from ..oracles.common import finite_differences
from ..oracles.softmax import (
    EnumeratedSoftmaxRBM,
    accumulate,
    accumulate_conditional,
    feature_of,
    listed,
    pattern_of,
)

EXACT = {"rtol": 1e-12, "atol": 1e-12}


def padded(p, n):
    return np.concatenate((p, np.zeros(n - len(p))))


def probabilities(machine, rows, method="exact"):
    """Of every entry of rows, by the oracle: (n, D, largest number of categories)."""
    oracle = machine.oracle
    ask = oracle.conditional_proba if method == "exact" else oracle.mean_field_proba
    n = max(machine.sizes)
    return np.array([[padded(ask(v, i), n) for i in oracle.all_features] for v in rows])


def expectations(machine, proba):
    """Of the categories' values."""
    oracle = machine.oracle
    values = [[oracle.values[c] for c in oracle.feature_codes(i)] for i in oracle.all_features]
    n = max(machine.sizes)
    return np.einsum("...ik,ik->...i", proba, [padded(v, n) for v in values])


# --- energies and conditionals ---


@machines
def test_energy_of_pairs(machine):
    rows, oracle = machine.all_rows, machine.oracle
    V, H = np.repeat(machine.dense(rows), 8, axis=0), np.tile(oracle.h_states, (len(rows), 1))
    expected = [oracle.energy(v, h) for v in rows for h in oracle.h_states]
    assert_allclose(machine.estimator().energy(V, H), expected, **EXACT)


@machines
@pytest.mark.parametrize("form", [np.asarray, as_sparse])
def test_rows_are_scored_as_by_enumeration(machine, form):
    """Dense or sparse. The empty row: nothing is observed, and log p of nothing is 0."""
    rows, oracle, estimator = machine.all_rows, machine.oracle, machine.estimator()
    X = form(machine.dense(rows))
    assert_allclose(estimator.transform(X), [oracle.hidden_mean(v) for v in rows], **EXACT)
    assert_allclose(estimator.free_energy(X), [oracle.free_energy(v) for v in rows], **EXACT)
    scores = estimator.score_samples(X)
    assert_allclose(scores, [oracle.pseudo_likelihood(v) for v in rows], **EXACT)
    assert scores[rows.index(())] == 0
    assert_allclose(estimator.score(X), scores.mean(), **EXACT)


@machines
def test_free_energy_is_the_log_probability_of_the_table(machine):
    """-F - log Z by another road, for each pattern of observed features."""
    rows, oracle = machine.all_rows, machine.oracle
    free_energy = machine.estimator().free_energy(machine.dense(rows))
    log_z = [oracle.log_z(pattern_of(v, oracle.offsets)) for v in rows]
    assert_allclose(-free_energy - log_z, [oracle.log_likelihood([v]) for v in rows], **EXACT)


@machines
def test_expected_visible_units(machine, rng):
    """All categories of the features observed, given hidden states or their means."""
    oracle, model = machine.oracle, machine.model()
    rows = machine.all_rows
    H = np.vstack([oracle.h_states, rng.random((4, 3))])[rng.integers(0, 12, len(rows))]
    ours = model.visible.mean_rows(model.visible_input(H), one_hot(rows))
    for r, row in enumerate(rows):
        pattern = pattern_of(row, oracle.offsets)
        entries = slice(ours.indptr[r], ours.indptr[r + 1])
        assert ours.codes[entries].tolist() == [
            code for i in pattern for code in oracle.feature_codes(i)
        ]
        p = oracle.visible_proba(H[r], pattern)
        assert_allclose(ours.weights[entries], p[ours.codes[entries]], **EXACT)


@machines
def test_inverse_transform_gives_expected_values(machine, rng):
    oracle = machine.oracle
    H = np.vstack([oracle.h_states, rng.random((4, 3))])
    expected = []
    for h in H:
        p = oracle.visible_proba(h)
        expected.append(
            [oracle.expected_value(p[oracle.feature_codes(i)], i) for i in oracle.all_features]
        )
    estimator = machine.estimator()
    assert_allclose(estimator.inverse_transform(H), expected, **EXACT)
    X = machine.dense(machine.all_rows)
    assert_allclose(
        estimator.reconstruct(X), estimator.inverse_transform(estimator.transform(X)), **EXACT
    )


# --- predictions ---


@machines
@pytest.mark.parametrize("method", ["exact", "mean_field"])
def test_conditional_proba(machine, method):
    """Of every entry of every row, whether the row holds it or not."""
    rows, estimator = machine.all_rows, machine.estimator()
    expected = probabilities(machine, rows, method)
    for X in (machine.dense(rows), as_sparse(machine.dense(rows))):
        assert_allclose(estimator.conditional_proba(X, method=method), expected, **EXACT)
    values = expectations(machine, expected)
    assert_allclose(estimator.predict_ratings(X, method=method), values, **EXACT)


@machines
@pytest.mark.parametrize("method", ["exact", "mean_field"])
def test_queries_agree_with_all_entries(machine, method, rng):
    """In any order, some twice, some rows never."""
    rows, estimator = machine.all_rows, machine.estimator()
    X = machine.dense(rows)
    row = rng.integers(5, len(rows), 200)
    column = rng.integers(0, len(machine.sizes), 200)
    p = estimator.conditional_proba(X, row, column, method=method)
    assert_allclose(p, probabilities(machine, rows, method)[row, column], **EXACT)
    ratings = estimator.predict_ratings(X, row, column, method=method)
    assert_allclose(ratings, estimator.predict_ratings(X, method=method)[row, column], **EXACT)
    assert estimator.predict_ratings(X, [], [], method=method).shape == (0,)
    assert estimator.conditional_proba(X, [], [], method=method).shape == (0, max(machine.sizes))


@machines
def test_blocks_do_not_change_results(machine, monkeypatch):
    estimator, X = machine.estimator(), machine.dense(machine.all_rows)
    whole = estimator.score_samples(X), estimator.reconstruct(X)
    monkeypatch.setattr(categories, "_BLOCK_NUMBERS", 50)
    monkeypatch.setattr(softmax, "BLOCK", 50)
    for part, result in zip(
        (estimator.score_samples(X), estimator.reconstruct(X)), whole, strict=True
    ):
        assert_allclose(part, result, rtol=1e-14)


@machines
def test_float32_is_close_to_float64_and_stays_float32(machine):
    single, double = machine.estimator(np.float32), machine.estimator()
    X = machine.dense(machine.all_rows, np.float32)
    for method in ["transform", "free_energy", "score_samples", "predict_ratings", "reconstruct"]:
        result = getattr(single, method)(X)
        assert result.dtype == np.float32
        expected = getattr(double, method)(X.astype(float))
        assert_allclose(result, expected, rtol=2e-5, atol=2e-5)
    assert single.gibbs(X, random_state=0).dtype == np.float32
    model = machine.model(np.float32)
    v, half = one_hot(machine.complete_rows[:2]), np.full((2, 3), 0.5, np.float32)
    gradient = weighted_gradient(model, v, half, np.ones(2, np.float32))
    assert {block.dtype for block in gradient} == {np.dtype(np.float32)}


# --- gradient ---


def data_rows(machine):
    """Rows of four patterns; one of them twice, and one empty."""
    complete = machine.complete_rows
    return [complete[0], complete[-1], complete[-1], complete[5][:-1], complete[7][1:], ()]


def exact_gradient(machine, rows):
    """The package's gradient with both phases exact: data, and the tables of their patterns."""
    oracle, model = machine.oracle, machine.model()
    v, h = list(rows), [hidden_mean(model, one_hot(rows))]
    weights = [np.full(len(rows), 1 / len(rows))]
    for row in rows:
        table, joint = oracle.table(pattern_of(row, oracle.offsets))
        for state, p in zip(oracle.h_states, joint.T, strict=True):
            v += table
            h.append(np.tile(state, (len(table), 1)))
            weights.append(-p / len(rows))
    return weighted_gradient(model, one_hot(v), np.vstack(h), np.concatenate(weights))


def slopes(machine, rows):
    """Finite differences of the exact mean log-likelihood in each block."""

    def log_likelihood(W, c, b, U=None):
        oracle = EnumeratedSoftmaxRBM(W, b, c, machine.oracle.offsets, U=U)
        return oracle.log_likelihood(rows) / len(rows)

    return finite_differences(log_likelihood, machine.arrays)


@machines
def test_gradient_of_every_block(machine):
    """Exact expectations of data and model, rows of several patterns, an empty one too."""
    rows = data_rows(machine)
    gradient = exact_gradient(machine, rows)
    assert len(gradient) == len(machine.arrays)
    for ours, exact in zip(gradient, machine.oracle.gradient(rows), strict=True):
        assert_allclose(ours, exact, **EXACT)


@pytest.mark.parametrize("conditional", [False, True])
def test_exact_gradient_is_the_derivative_of_the_log_likelihood(conditional):
    machine = random_machine((2, 3, 1), 2, conditional)
    complete = machine.complete_rows
    rows = [complete[0], complete[-1], complete[2][:-1], complete[3][1:], ()]
    exact = machine.oracle.gradient(rows)
    for block, slope in zip(exact, slopes(machine, rows), strict=True):
        assert_allclose(block, slope, atol=1e-8)
    for ours, block in zip(exact_gradient(machine, rows), exact, strict=True):
        assert_allclose(ours, block, **EXACT)


@machines
def test_gradient_of_probabilities_is_the_mean_of_those_of_draws(machine, rng):
    """Rows with the categories' probabilities in place of one-hot units, and rows of ones."""
    model, offsets = machine.model(), machine.oracle.offsets
    rows = one_hot(machine.all_rows)
    n = rows.shape[0]
    below = model.visible.mean_rows(model.visible_input(rng.random((n, 3))), rows)
    phases, v = OneHotPhases(rows, below), rows.above(below)
    h, row_weights = rng.random((2 * n, 3)), rng.normal(size=2 * n)
    weighted = h * row_weights[:, np.newaxis]
    W, b, *U = model.visible.gradient(phases, weighted, row_weights, model.weights)
    arguments = v.indptr, v.codes
    expected = accumulate(*arguments, v.weights, h, row_weights, len(b))
    assert_allclose(W, expected[0], rtol=1e-12, atol=1e-11)
    assert_allclose(b, expected[1], rtol=1e-12, atol=1e-11)
    sums = model.gradient_sums(phases, h)  # both phases have n rows
    signs = np.repeat([1.0, -1.0], n)
    plain = accumulate(*arguments, v.weights, h, signs, len(b))
    assert_allclose(sums[0], plain[0], rtol=1e-12, atol=1e-11)
    assert_allclose(sums[1], signs @ h, rtol=1e-12, atol=1e-11)
    assert_allclose(sums[2], plain[1], rtol=1e-12, atol=1e-11)
    for block in U:
        plain = accumulate_conditional(*arguments, offsets, h, row_weights)
        assert_allclose(block, plain, rtol=1e-12, atol=1e-11)


# --- two categories and nothing missing: the machine of binary units ---


@pytest.fixture(name="twins")
def softmax_and_bernoulli():
    """Only differences between the two categories matter; the rest joins the hidden bias."""
    machine = random_machine((2,) * 4)
    machine.__dict__["categories"] = type(machine.categories)([np.array([0.0, 1.0])] * 4)
    V = machine.dense(machine.complete_rows)
    bernoulli = BernoulliRBM(3, n_iter=0).fit(V)
    bernoulli.components_ = (machine.W[1::2] - machine.W[::2]).T
    bernoulli.intercept_visible_ = machine.b[1::2] - machine.b[::2]
    bernoulli.intercept_hidden_ = machine.c + machine.W[::2].sum(axis=0)
    return machine.estimator(), bernoulli, V


def test_two_categories_agree_with_binary_units(twins, rng):
    ours, bernoulli, V = twins
    difference = ours.free_energy(V) - bernoulli.free_energy(V)
    assert_allclose(difference, difference[0], **EXACT)
    assert_allclose(ours.transform(V), bernoulli.transform(V), **EXACT)
    assert_allclose(ours.score_samples(V), bernoulli.score_samples(V), **EXACT)
    assert_allclose(ours.reconstruct(V), bernoulli.reconstruct(V), **EXACT)
    H = rng.random((10, 3))
    assert_allclose(ours.inverse_transform(H), bernoulli.inverse_transform(H), **EXACT)


def test_two_categories_predict_as_binary_units_do(twins):
    ours, bernoulli, V = twins
    expected = np.empty_like(V)
    for i in range(4):
        off, on = V.copy(), V.copy()
        off[:, i], on[:, i] = 0, 1
        ratio = bernoulli.free_energy(off) - bernoulli.free_energy(on)
        expected[:, i] = 1 / (1 + np.exp(-ratio))
    assert_allclose(ours.predict_ratings(V), expected, **EXACT)
    assert_allclose(ours.conditional_proba(V)[..., 1], expected, **EXACT)


# --- limits ---


@pytest.mark.parametrize("conditional", [False, True])
def test_without_weights_features_are_independent(conditional):
    machine = random_machine((2, 4, 1, 3), conditional=conditional, scale=0.0)
    rows, estimator = machine.all_rows, machine.estimator()
    X = machine.dense(rows)
    log_p = np.concatenate([b - logsumexp(b) for b in np.split(machine.b, [2, 6, 7])])
    expected = [log_p[list(row)].sum() for row in rows]
    assert_allclose(estimator.score_samples(X), expected, **EXACT)
    proba = estimator.conditional_proba(X)
    assert_allclose(proba, np.broadcast_to(proba[0], proba.shape), **EXACT)
    assert_allclose(proba[0, 1], np.exp(log_p[2:6]), **EXACT)
    if not conditional:
        constant = np.logaddexp(0, machine.c).sum()
        bias = [machine.b[list(row)].sum() for row in rows]
        assert_allclose(estimator.free_energy(X), -np.array(bias) - constant, **EXACT)


@pytest.mark.filterwarnings("ignore:there is one category only")
@pytest.mark.parametrize("sizes", [(3,), (1,), (1, 1)])
@pytest.mark.parametrize("conditional", [False, True])
def test_one_feature_or_one_category(sizes, conditional):
    """Alone, a feature is predicted by the prior; a single category is certain."""
    machine = random_machine(sizes, 2, conditional)
    rows, oracle, estimator = machine.all_rows, machine.oracle, machine.estimator()
    for X in (machine.dense(rows), as_sparse(machine.dense(rows))):
        expected = [oracle.pseudo_likelihood(v) for v in rows]
        assert_allclose(estimator.score_samples(X), expected, **EXACT)
        assert_allclose(estimator.conditional_proba(X), probabilities(machine, rows), **EXACT)
        assert_allclose(estimator.transform(X), [oracle.hidden_mean(v) for v in rows], **EXACT)
    drawn = machine.codes(estimator.sample(20, n_gibbs_steps=3, random_state=0))
    assert {len(row) for row in drawn} == {len(sizes)}
    if max(sizes) == 1:
        assert_array_equal(estimator.score_samples(X), 0)
        assert_array_equal(estimator.conditional_proba(X), 1)


@machines
def test_one_row_alone(machine):
    """Each as in the company of all others."""
    rows, estimator = machine.all_rows, machine.estimator()
    X = machine.dense(rows)
    together = estimator.score_samples(X), estimator.predict_ratings(X)
    for r in range(0, len(rows), 7):
        assert_allclose(estimator.score_samples(X[[r]]), together[0][[r]], rtol=1e-14)
        assert_allclose(estimator.predict_ratings(X[[r]]), together[1][[r]], rtol=1e-14)


@machines
def test_a_rating_of_0_is_not_a_missing_rating(machine):
    """Stored by a sparse matrix, it is observed."""
    oracle, estimator = machine.oracle, machine.estimator()
    zero = int(np.flatnonzero(oracle.values == 0)[0])
    column = feature_of(zero, oracle.offsets)
    X = machine.dense([(zero,)])
    assert X[0, column] == 0
    for rows in (X, as_sparse(X)):
        assert_allclose(estimator.transform(rows)[0], oracle.hidden_mean((zero,)), **EXACT)
    missing = sparse.csr_array(X.shape)
    assert_allclose(estimator.transform(missing)[0], oracle.hidden_mean(()), **EXACT)
    assert np.abs(estimator.transform(X) - estimator.transform(missing)).max() > 0.01


@machines
def test_samples_follow_the_conditionals(machine):
    oracle, model = machine.oracle, machine.model()
    h, draw = oracle.h_states[5], (np.uint64(1), 0, 0)
    for row in [machine.complete_rows[1], machine.complete_rows[2][1:], ()]:
        pattern = pattern_of(row, oracle.offsets)
        out = one_hot([row] * N_CHAINS)
        sample_visible(model, np.tile(h, (N_CHAINS, 1)), draw, out=out)
        table = oracle.visible_states(pattern)
        log_p = np.array([-oracle.energy(v, h) for v in table])
        drawn = listed(out.indptr, out.codes)
        assert_frequencies(drawn, table, special.softmax(log_p))
        p = oracle.hidden_mean(row)
        drawn = sample_hidden(model, one_hot([row] * N_CHAINS), (np.uint64(1), 0, 1))
        assert (np.abs(drawn.mean(axis=0) - p) < 4 * np.sqrt(p * (1 - p) / N_CHAINS)).all()


N_CHAINS = 20_000


@machines
def test_the_error_of_huge_categories_is_relative_to_their_range(machine):
    rows = one_hot(machine.all_rows)
    layer = machine.model().visible
    x = machine.model().visible_input(np.ones((rows.shape[0], machine.W.shape[1])))
    squares, misfit, n = layer.squared_error(rows, x)
    huge = replace(layer.categories, by_feature=[1e200 * c for c in layer.categories.by_feature])
    with np.errstate(over="ignore"):
        _, expected, _ = replace(layer, categories=huge).squared_error(rows, x)
    assert_allclose(expected, misfit, rtol=1e-12)
    span = np.ptp(layer.categories.values)
    assert_allclose(misfit, squares / span**2 + 1e-3 * n, rtol=1e-12)
