"""Each unit of binary rows given the others: against enumeration, and in every form."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

from skrbm import BernoulliRBM

from ..helpers.comparison import assert_same_bits
from ..oracles.bernoulli import EnumeratedRBM


@pytest.fixture(name="rbm")
def machine_of_large_weights(rng):
    rbm = BernoulliRBM(3, n_iter=0, random_state=0).fit(rng.integers(0, 2, (9, 5)).astype(float))
    rbm.components_ = rng.normal(0, 1.5, (3, 5))
    rbm.intercept_visible_ = rng.normal(0, 1, 5)
    rbm.intercept_hidden_ = rng.normal(0, 1, 3)
    return rbm


@pytest.fixture(name="X")
def rows(rng):
    return rng.integers(0, 2, (37, 5)).astype(float)


def by_enumeration(rbm, X):
    oracle = EnumeratedRBM(rbm.components_.T, rbm.intercept_visible_, rbm.intercept_hidden_)
    return 1 / (1 + np.exp([-oracle.log_odds(row) for row in X]))


@pytest.mark.parametrize("factor", [1, 0.4], ids=["bits", "grey"])
def test_every_probability_is_the_one_enumerated(rbm, X, factor):
    X = factor * X
    X[0] = [0, 1, 0.3, 0, 1]
    expected = by_enumeration(rbm, X)
    proba = rbm.conditional_proba(X)
    assert_allclose(proba, expected, rtol=1e-11)
    assert_allclose(rbm.conditional_proba(sparse.csr_array(X)), proba, rtol=1e-13)
    terms = X * np.log(proba) + (1 - X) * np.log1p(-proba)
    assert_allclose(rbm.score_samples(X), terms.sum(axis=1), rtol=1e-11)


def test_an_entry_does_not_see_its_own_value(rbm, X):
    expected = rbm.conditional_proba(X)
    for i in range(5):
        for value in (0, 0.2, 1):
            given = X.copy()
            given[:, i] = value
            assert_allclose(rbm.conditional_proba(given)[:, i], expected[:, i], rtol=1e-11)


def test_steep_weights_do_not_overflow(rbm, X):
    """A difference of softplus then takes the place of a product."""
    rbm.components_ *= 1000
    log_odds = np.zeros(X.shape)
    for i in range(5):
        off, on = X.copy(), X.copy()
        off[:, i], on[:, i] = 0, 1
        log_odds[:, i] = rbm.free_energy(off) - rbm.free_energy(on)
    queries = np.indices(X.shape).reshape(2, -1)
    with np.errstate(over="ignore"):
        expected = 1 / (1 + np.exp(-log_odds))
    assert_allclose(rbm.conditional_proba(X), expected, rtol=1e-9)
    assert_allclose(rbm.conditional_proba(X, *queries), expected.ravel(), rtol=1e-9)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array, sparse.csc_matrix])
@pytest.mark.parametrize("grey", [False, True])
def test_queries_in_any_order_get_what_all_entries_get(rbm, X, container, grey, rng):
    X = X * rng.random(X.shape) if grey else X
    queries = rng.integers(0, 37, 200), rng.integers(0, 5, 200)  # some of them twice
    proba = rbm.conditional_proba(container(X), *queries)
    assert proba.shape == (200,)
    assert_allclose(proba, rbm.conditional_proba(X)[queries], rtol=1e-12)
    assert rbm.conditional_proba(X, [], []).shape == (0,)


def test_queries_outside_the_data_are_refused(rbm, X):
    with pytest.raises(ValueError, match=r"columns\[1\] is 5, but must be at least 0 and below 5"):
        rbm.conditional_proba(X, [0, 0], [1, 5])
    with pytest.raises(ValueError, match="rows and columns go together"):
        rbm.conditional_proba(X, [0])


def test_single_precision_is_nearly_double_precision(rbm, X):
    single, queries = X.astype(np.float32), ([3, 0], [4, 4])
    for given in ((), queries):
        proba = rbm.conditional_proba(single, *given)
        assert proba.dtype == np.float32
        assert_allclose(proba, rbm.conditional_proba(X, *given), rtol=1e-5)


@pytest.mark.parametrize("value", [-0.5, 2])
def test_values_outside_the_unit_interval_count_as_its_ends(rbm, X, value):
    """As in every method."""
    X[0, 0] = value
    read = np.clip(X, 0, 1)
    for given in ((), ([0, 0], [0, 1])):
        with pytest.warns(UserWarning, match="reads values as probabilities"):
            proba = rbm.conditional_proba(X, *given)
        assert_same_bits(proba, rbm.conditional_proba(read, *given))


@pytest.mark.parametrize("size", [1, 7, 50])
def test_the_size_of_blocks_changes_no_answer(rbm, X, size, monkeypatch, rng):
    queries = rng.integers(0, 37, 100), rng.integers(0, 5, 100)
    expected = rbm.conditional_proba(X), rbm.conditional_proba(X, *queries)
    monkeypatch.setattr("skrbm._estimator.bits._NUMBERS", size)
    monkeypatch.setattr("skrbm._input.numbers._BLOCK_NUMBERS", size)
    assert_allclose(rbm.conditional_proba(X), expected[0], rtol=1e-12)
    assert_allclose(rbm.conditional_proba(X, *queries), expected[1], rtol=1e-12)
