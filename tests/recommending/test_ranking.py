"""Measures of rankings against brute force, and the best places of rows."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skrbm._recommending.ranking import NAMES, best, measures

from ..oracles.recommending import MEASURES, mean_measures


@pytest.mark.parametrize("k", [1, 2, 5, 9])
def test_measures_are_those_of_brute_force(rng, k):
    rankings = {user: rng.permutation(9).tolist() for user in range(30)}
    relevant = {user: set(rng.permutation(12)[: 1 + user % 11].tolist()) for user in range(30)}
    hits = np.array([[item in relevant[u] for item in rankings[u][:k]] for u in range(30)])
    n_relevant = np.array([len(relevant[u]) for u in range(30)])
    assert_allclose(
        [measures(hits, n_relevant)[name] for name in NAMES],
        [mean_measures(rankings, relevant, k)[name] for name in NAMES],
    )
    assert set(NAMES) == set(MEASURES)


@pytest.mark.parametrize(("n", "k"), [(1, 3), (3, 3), (7, 3)])
def test_perfect_and_useless_rankings(n, k):
    n_relevant = np.array([n])
    hits = np.arange(k)[np.newaxis] < n
    perfect = measures(hits, n_relevant)
    assert perfect == {
        "precision": min(n, k) / k,
        "recall": pytest.approx(min(n, k) / n),
        "ndcg": pytest.approx(1),
        "map": pytest.approx(1),
    }
    assert set(measures(np.zeros((1, k), bool), n_relevant).values()) == {0}


def test_a_known_example():
    """One relevant item of two, in the second of three places."""
    got = measures(np.array([[False, True, False]]), np.array([2]))
    assert got == pytest.approx(
        {
            "precision": 1 / 3,
            "recall": 1 / 2,
            "ndcg": (1 / np.log2(3)) / (1 + 1 / np.log2(3)),
            "map": (1 / 2) / 2,
        }
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_best_come_first_and_of_equals_the_first(dtype):
    scores = np.array([[1, 3, 3, 2], [0, -np.inf, 0, -1], [-np.inf] * 4], dtype)
    places, highest = best(scores, 3)
    assert_array_equal(places, [[1, 2, 3], [0, 2, 3], [-1, -1, -1]])
    assert_array_equal(highest, [[3, 3, 2], [0, 0, -1], [-np.inf] * 3])
    assert highest.dtype == dtype


@pytest.mark.parametrize("n", [0, 1, 4, 9])
def test_there_are_no_more_places_than_scores(rng, n):
    places, highest = best(rng.random((2, 4)), n)
    assert places.shape == highest.shape == (2, min(n, 4))
