"""Draws from a planted machine have the frequencies of its enumeration, whatever is rated."""

import numpy as np
import pytest

from skrbm import SoftmaxRBM
from skrbm._machine.onehot import Categories
from skrbm._machine.softmax import SoftmaxLayer
from skrbm.datasets import _planted
from skrbm.datasets._planted import as_estimator, draw, plant

from ..helpers.calls import machine_of
from ..helpers.frequencies import assert_frequencies
from ..oracles.softmax import EnumeratedSoftmaxRBM

PATTERNS = [(0, 1, 2), (0, 2), (1,)]
N_ROWS = 4000


@pytest.fixture
def oracle(rng):
    """Three items of three categories, two hidden units; no part of the energy is small."""
    offsets = [0, 3, 6, 9]
    return EnumeratedSoftmaxRBM(
        rng.normal(0, 1.5, (9, 2)), rng.normal(0, 1, 9), [0.7, -0.9], offsets
    )


@pytest.fixture
def machine(oracle):
    categories = Categories([np.arange(3.0)] * 3)
    return machine_of(SoftmaxLayer(oracle.b, categories), oracle.W, oracle.c)


def cells(patterns):
    """Patterns of rows in CSR form."""
    indptr = np.cumsum([0, *map(len, patterns)]).astype(np.int32)
    return indptr, np.concatenate(patterns).astype(np.int32)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_draws_have_the_frequencies_of_the_enumeration(oracle, machine, pattern, rng):
    """Of ratings together with hidden states, in rows of a pattern between other rows."""
    indptr, items = cells([pattern, (2,)] * N_ROWS)
    categories, hidden = draw(machine, indptr, items, rng)
    rows, joint = oracle.table(pattern)
    states = [tuple(h) for h in oracle.h_states]
    drawn = [
        (tuple(3 * np.array(pattern) + categories[first:stop]), tuple(h))
        for first, stop, h in zip(indptr[:-1:2], indptr[1::2], hidden[::2], strict=True)
    ]
    table = [(tuple(row), h) for row in rows for h in states]
    assert_frequencies(drawn, table, joint.ravel())


def test_rows_without_ratings_follow_the_hidden_biases(machine, rng):
    _, hidden = draw(machine, np.zeros(N_ROWS + 1, np.int32), np.empty(0, np.int32), rng)
    p = 1 / (1 + np.exp(-machine.hidden.bias))
    assert hidden.mean(axis=0) == pytest.approx(p, abs=5 * np.sqrt(0.25 / N_ROWS))


def test_blocks_follow_the_same_distribution(oracle, machine, rng, monkeypatch):
    monkeypatch.setattr(_planted, "_BLOCK", 50)
    indptr, items = cells([(0, 2)] * N_ROWS)
    categories = draw(machine, indptr, items, rng)[0].reshape(-1, 2)
    rows, joint = oracle.table((0, 2))
    drawn = [tuple(row) for row in categories + np.array([0, 6])]
    assert_frequencies(drawn, rows, joint.sum(axis=1))


def test_few_states_at_once_are_the_same_states(machine, rng, monkeypatch):
    """Rows without ratings are one block, however many they are."""
    empty = np.zeros(1001, np.int32), np.empty(0, np.int32)
    before = draw(machine, *empty, np.random.default_rng(0))[1]
    largest = []
    gumbel = np.random.default_rng(0)

    class Counting:
        def gumbel(self, size):
            largest.append(np.prod(size))
            return gumbel.gumbel(size=size)

        def random(self, *args):
            return gumbel.random(*args)

    monkeypatch.setattr(_planted, "_BLOCK", 50)
    assert np.array_equal(draw(machine, *empty, Counting())[1], before)
    assert max(largest) <= 50


def test_planted_weights_are_linear_in_the_stars(rng):
    machine = plant(4, 3, rng)
    weights = machine.weights.reshape(4, 5, 3)
    assert np.allclose(np.diff(weights, 2, axis=1), 0, atol=1e-12)


def test_states_are_about_equally_probable_whatever_is_rated(rng):
    """Levels of 0 instead would leave most users of many ratings in one state."""
    machine = plant(300, 3, rng)
    indptr, items = cells([sorted(rng.choice(300, 100, replace=False)) for _ in range(400)])
    _, hidden = draw(machine, indptr, items, rng)
    shares = np.bincount((hidden @ [1, 2, 4]).astype(int), minlength=8) / 400
    assert shares.max() < 0.5
    assert hidden.mean(axis=0) == pytest.approx(0.5, abs=0.2)


def test_ratings_look_like_ratings(rng):
    machine = plant(500, 5, rng)
    indptr, items = cells([sorted(rng.choice(500, 50, replace=False)) for _ in range(1000)])
    stars = 1 + draw(machine, indptr, items, rng)[0]
    assert stars.mean() == pytest.approx(3.5, abs=0.15)
    assert stars.std() == pytest.approx(1.1, abs=0.1)


def test_the_estimator_holds_the_machine(oracle, rng):
    machine = plant(3, 2, rng)
    rbm = as_estimator(machine)
    assert isinstance(rbm, SoftmaxRBM)
    assert np.array_equal(rbm.components_, machine.weights.T)
    W, b = machine.weights, machine.visible.bias
    oracle = EnumeratedSoftmaxRBM(W, b, np.zeros(2), [0, 5, 10, 15])
    X = np.array([[1.0, 4, 5], [2, 2, 3]])
    codes = [tuple(row) for row in (X - 1 + np.array([0, 5, 10])).astype(int)]
    expected = [-oracle.free_energy(row) for row in codes]
    assert -rbm.free_energy(X) == pytest.approx(expected)
    assert rbm.log_partition().value == pytest.approx(oracle.log_z())


def test_base_rates_are_means_over_all_states(rng):
    machine = plant(3, 2, rng)
    oracle = EnumeratedSoftmaxRBM(
        machine.weights, machine.visible.bias, np.zeros(2), [0, 5, 10, 15]
    )
    expected = np.mean([oracle.visible_proba(h) for h in oracle.h_states], axis=0)
    assert np.exp(as_estimator(machine)._base_rates()) == pytest.approx(expected)


def test_the_estimator_samples_and_goes_on_learning(rng):
    rbm = as_estimator(plant(3, 2, rng))
    X = rbm.sample(5, n_gibbs_steps=3, random_state=0)
    assert X.shape == (5, 3)
    assert set(X.ravel()) <= {1, 2, 3, 4, 5}
    rbm.partial_fit(X)
    assert rbm.n_iter_ == 1
