"""What a machine of categories learns, and from which start."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import softmax

from skrbm import SoftmaxRBM

from ..helpers.softmax_machines import Machine, draw_rows, oracle_of, random_machine


def test_float32_learns_nearly_what_float64_learns():
    machine = random_machine((3, 2, 4), 3, conditional=True, scale=0.3)
    X = machine.dense(draw_rows(machine.oracle, (0, 1, 2), 60, np.random.default_rng(0)))
    X[::7, 1] = np.nan
    parameters = {"conditional": True, "categories": "auto", "learning_rate": 0.5, "n_iter": 5}
    parameters |= {"centering": False, "average": False, "learning_rate_schedule": "constant"}
    double, single = (
        SoftmaxRBM(3, **parameters, random_state=0).fit(Z) for Z in (X, X.astype(np.float32))
    )
    assert np.abs(double.components_).max() > 0.1
    for name in (
        "components_",
        "intercept_visible_",
        "intercept_hidden_",
        "conditional_components_",
    ):
        assert getattr(single, name).dtype == np.float32
        # A draw that rounding decides would change entries by 0.5 / 60.
        assert_allclose(getattr(single, name), getattr(double, name), rtol=0, atol=2e-5)


# --- where learning starts, and how it goes on ---


def test_visible_biases_start_at_log_frequencies():
    """No other feature has the same categories, so that the entries added are equal.

    The biases are centred, as a constant changes nothing.
    """
    X = np.array([[1, 5], [2, np.nan], [2, np.nan], [2, 5], [np.nan, 5]])
    rbm = SoftmaxRBM(2, n_iter=0, categories=[[1, 2, 3], [4, 5]], random_state=0).fit(X)
    first, second = np.split(rbm.intercept_visible_, [3])
    assert_allclose(softmax(first), np.array([2, 4, 1]) / 7, rtol=1e-14)
    assert_allclose(softmax(second), np.array([1, 4]) / 5, rtol=1e-14)
    assert_allclose([first.sum(), second.sum()], 0, atol=1e-14)
    rbm.components_ = 0 * rbm.components_
    empty = np.full((1, 2), np.nan)
    expected = [[(2 + 8 + 3) / 7, (4 + 20) / 5]]
    assert_allclose(rbm.predict_ratings(empty), expected, rtol=1e-14)


@pytest.mark.parametrize("conditional", [False, True])
@pytest.mark.parametrize("scale", [(0, 1), (1, 2, 3, 4, 5)])
def test_a_feature_that_nobody_has_observed_is_a_typical_one(scale, conditional):
    """Ids that count from 1 leave column 0 empty; most values are low."""
    rng = np.random.default_rng(0)
    p = np.array([0.8, 0.2] if len(scale) == 2 else [0.4, 0.3, 0.15, 0.1, 0.05])
    quality = rng.normal(0, 0.7, (1, 12, 1)) * np.arange(len(p))
    noise = rng.gumbel(size=(80, 12, len(p)))
    X = np.array(scale)[np.argmax(np.log(p) + quality + noise, axis=2)].astype(float)
    X[rng.random(X.shape) < 0.3] = np.nan
    typical = np.nanmean(X, axis=0).mean()
    X = np.insert(X, [0, 12], np.nan, axis=1)
    rbm = SoftmaxRBM(20, categories=scale, conditional=conditional, random_state=0).fit(X)
    predicted = rbm.predict_ratings(X)
    others = predicted[:, 1:-1].mean(axis=0)
    for empty in predicted[:, [0, -1]].T:
        # The middle of the scale is at 0.5, or at 3.
        assert_allclose(empty, typical, atol=0.05 * np.ptp(scale))
        assert others.min() < empty.min() <= empty.max() < others.max()
    # First only in rows that have observed what is better than typical.
    assert np.isin(rbm.recommend(X, 1)[0], [0, 13]).mean() < 0.2


def test_features_that_the_first_chunk_lacks_are_typical_ones_until_they_are_observed():
    """As in a stream of ratings by time. Later entries then teach what is special to them."""
    rng = np.random.default_rng(0)
    means = np.r_[1.5, 2, 2.5, 1.5, 2.5, 4.5, 1.0, 2]
    X = np.clip(np.rint(means + rng.normal(0, 0.5, (400, 8))), 1, 5)
    chunk = X[:40].copy()
    chunk[:, 5:] = np.nan
    rbm = SoftmaxRBM(10, categories=[1, 2, 3, 4, 5], random_state=0).partial_fit(chunk)
    predicted = rbm.predict_ratings(X[:40])
    assert_allclose(predicted[:, 5:], 2.0, atol=0.3)
    assert (np.ptp(predicted[:, 5:], axis=0) < 0.05).all()  # small weights say nothing of the row
    for _ in range(30):
        rbm.partial_fit(X[40:])
    assert_allclose(rbm.predict_ratings(X[:40]).mean(axis=0), X.mean(axis=0), atol=0.15)


def incomplete(rng, n_rows=47):
    X = rng.integers(1, 6, (n_rows, 6)).astype(float)
    X[rng.random(X.shape) < 0.4] = np.nan
    X[3] = np.nan
    return X


def test_a_chunk_is_cut_into_batches(rng):
    """So that chunks of whole batches learn what the rows learn at once."""
    X = incomplete(rng)
    whole, parts = (
        SoftmaxRBM(3, batch_size=10, random_state=0).partial_fit(X[:20]) for _ in range(2)
    )
    whole.partial_fit(X)
    for chunk in (X[:10], X[10:40], X[40:]):
        parts.partial_fit(chunk)
    assert whole._n_updates == parts._n_updates == 2 + 5
    for name in ("components_", "intercept_visible_", "intercept_hidden_"):
        assert_array_equal(getattr(parts, name), getattr(whole, name))
    larger = SoftmaxRBM(3, batch_size=20, random_state=0).partial_fit(X[:20]).partial_fit(X)
    assert larger._n_updates == 1 + 3


# --- what is learned ---

PLANTED = Machine(
    (3, 2, 3),
    np.array([[3, 0, -3, 2, -2, -2, 0, 2.0]]).T,
    np.array([-1.5, 0, 1.5, -1, 1, 1, 0.5, -1]),
    np.array([-0.5]),
)


def per_row(oracle, rows):
    return oracle.log_likelihood(rows) / len(rows)


@pytest.mark.parametrize(
    "parameters",
    [{"algorithm": "pcd", "n_chains": 200}, {"n_gibbs_steps": 5}],
    ids=["pcd", "cd-5"],
)
def test_learning_reaches_the_likelihood_of_the_planted_machine(parameters):
    rng = np.random.default_rng(0)
    rows = draw_rows(PLANTED.oracle, (0, 1, 2), 2000, rng)
    X = PLANTED.dense(rows)
    rbm = SoftmaxRBM(
        1,
        categories="auto",
        learning_rate=tuple(np.geomspace(0.3, 0.01, 60)),
        batch_size=100,
        momentum=0.5,
        weight_decay=0.0,
        n_iter=0,
        random_state=0,
        **parameters,
    )
    start = per_row(oracle_of(rbm.fit(X)), rows)
    rbm.set_params(n_iter=60).fit(X)
    counts = np.unique(rows, axis=0, return_counts=True)[1] / len(rows)
    bound = counts @ np.log(counts)  # of any model at all
    planted, learned = per_row(PLANTED.oracle, rows), per_row(oracle_of(rbm), rows)
    assert start < planted - 0.15
    assert planted - 0.01 < learned < bound


def masked(rng, n_rows):
    """Which features each row observes: at random, regardless of their values."""
    return [tuple(np.flatnonzero(rng.random(3) < 0.6)) for _ in range(n_rows)]


@pytest.mark.parametrize("conditional", [False, True])
def test_learning_from_rows_with_missing_entries(conditional):
    """Each row is drawn from the machine of its own pattern: the likelihood has its maximum."""
    rng = np.random.default_rng(1)
    U = np.array([[1.0], [-1.0], [2.0]]) if conditional else None
    machine = Machine(PLANTED.sizes, PLANTED.W, PLANTED.b, PLANTED.c, U)
    rows = [draw_rows(machine.oracle, pattern, 1, rng)[0] for pattern in masked(rng, 3000)]
    rbm = SoftmaxRBM(
        1,
        categories=machine.categories.by_feature,
        conditional=conditional,
        learning_rate=tuple(np.geomspace(0.3, 0.01, 60)),
        batch_size=100,
        n_gibbs_steps=5,
        momentum=0.5,
        weight_decay=0.0,
        n_iter=0,
        random_state=0,
    )
    X = machine.dense(rows)
    start = per_row(oracle_of(rbm.fit(X)), rows)
    rbm.set_params(n_iter=60).fit(X)
    planted, learned = per_row(machine.oracle, rows), per_row(oracle_of(rbm), rows)
    assert start < planted - 0.05
    # The planted machine is not the best for these rows, only about as good.
    assert planted - 0.01 < learned < planted + 0.01


def test_marginals_of_what_is_missing_at_random(rng):
    """Independent features: those observed tell the frequencies of all."""
    p = [np.array([0.1, 0.2, 0.7]), np.array([0.8, 0.2]), np.array([0.3, 0.3, 0.4])]
    offsets = [0, 3, 5]
    rows = [
        tuple(offsets[i] + rng.choice(len(p[i]), p=p[i]) for i in pattern)
        for pattern in masked(rng, 4000)
    ]
    rbm = SoftmaxRBM(
        2,
        categories=PLANTED.categories.by_feature,
        learning_rate=tuple(np.geomspace(0.1, 0.003, 30)),
        n_gibbs_steps=3,
        n_iter=30,
        random_state=0,
    ).fit(PLANTED.dense(rows))
    table, joint = oracle_of(rbm).table()
    marginals = np.zeros(8)
    for row, probability in zip(table, joint.sum(axis=1), strict=True):
        marginals[list(row)] += probability
    # 2,400 entries of a feature: a frequency is off by 0.01; noise of learning adds as much.
    assert_allclose(marginals, np.concatenate(p), rtol=0, atol=4 * np.hypot(0.01, 0.01))


# --- weights that are linear in the values of categories ---


def weights_by_feature(rbm):
    """Of each feature: its values, and the weights of its categories, (K, M)."""
    offsets = np.cumsum([len(values) for values in rbm.categories_])[:-1]
    return zip(rbm.categories_, np.split(rbm.components_.T, offsets), strict=True)


@pytest.mark.parametrize("conditional", [False, True])
@pytest.mark.parametrize("n_iter", [0, 5])
def test_ordinal_weights_are_linear_in_the_values(n_iter, conditional, rng):
    """From the start on; features of one category, of two, and of unequal steps."""
    X = incomplete(rng)
    X[:, 0] = 3
    X[:, 1] = np.where(X[:, 1] > 3, 2.5, -1)
    X[:, 2] **= 2
    rbm = SoftmaxRBM(
        3, categories="auto", ordinal=True, conditional=conditional, n_iter=n_iter, random_state=0
    ).fit(X)
    assert {len(values) for values in rbm.categories_} == {1, 2, 5}
    for values, weights in weights_by_feature(rbm):
        assert np.abs(weights).max() > 1e-3
        fit = np.polynomial.polynomial.polyfit(values, weights, min(1, len(values) - 1))
        line = np.polynomial.polynomial.polyval(values, fit).T
        assert_allclose(weights, line, rtol=0, atol=1e-12)


def liking(rng, n_rows, n_features=12):
    """Ratings of 1 to 5 that follow one taste, for or against each feature; half are missing."""
    taste, signs = rng.normal(size=(n_rows, 1)), np.where(np.arange(n_features) % 2, 1, -1)
    noise = rng.normal(size=(n_rows, n_features))
    X = np.clip(np.rint(3 + 1.2 * taste * signs + 0.7 * noise), 1, 5)
    return np.where(rng.random(X.shape) < 0.5, X, np.nan), X


def test_ordinal_weights_learn_from_few_ratings(rng):
    """They predict what is missing better than free weights do."""
    X, truth = liking(rng, 60)
    missing = np.isnan(X)
    parameters = {"categories": [1, 2, 3, 4, 5], "weight_decay": 0.01, "random_state": 0}
    parameters |= {"batch_size": 10, "n_iter": 100}

    def error(predicted):
        return np.sqrt(np.mean((predicted - truth)[missing] ** 2))

    free, linear = (
        error(SoftmaxRBM(20, ordinal=ordinal, **parameters).fit(X).predict_ratings(X))
        for ordinal in (False, True)
    )
    assert linear < free - 0.01 < error(np.nanmean(X, axis=0)) - 0.2


def test_an_l1_penalty_excludes_ordinal_weights(rng):
    with pytest.raises(ValueError, match=r"ordinal=True and l1_penalty=0\.1 exclude each other"):
        SoftmaxRBM(ordinal=True, l1_penalty=0.1).fit(incomplete(rng))


def test_the_first_call_decides_whether_weights_are_ordinal(rng):
    X = incomplete(rng)
    rbm = SoftmaxRBM(3, ordinal=True, random_state=0).partial_fit(X)
    with pytest.raises(ValueError, match="ordinal=False cannot go on with a machine that began"):
        rbm.set_params(ordinal=False).partial_fit(X)
