"""Measures of rankings against brute force."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skrbm._recommending.ranking import NAMES, measures

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
