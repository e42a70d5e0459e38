"""Biases against plain loops, and against the equations that they solve."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

from skrbm._recommending.baselines import Biases

from ..oracles.recommending import biases, exact_biases


@pytest.fixture(name="ratings")
def table(rng):
    """Of 9 users and 6 items, as a dict; the last user and item have one rating alone."""
    seen = rng.random((9, 6)) < 0.6
    seen[:, 5] = seen[8] = False
    seen[8, 0] = seen[0, 5] = True
    cells = zip(*(codes.tolist() for codes in np.nonzero(seen)), strict=True)
    return {cell: float(rng.integers(1, 6)) for cell in cells}


def fitted(ratings, dtype=float):
    users, items = zip(*ratings, strict=True)
    return Biases(sparse.csr_array((np.array(list(ratings.values()), dtype), (users, items))))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_biases_are_those_of_plain_loops(ratings, dtype):
    mean, of_user, of_item = biases(ratings, 15, 10, 10)
    model = fitted(ratings, dtype)
    assert_allclose(model.mean, mean)
    assert_allclose(model.of_user, [of_user[u] for u in range(9)], rtol=1e-6)
    assert_allclose(model.of_item, [of_item[i] for i in range(6)], rtol=1e-6)


def test_biases_solve_their_equations(ratings):
    """Each round of the iterations shrinks the error at least five-fold here."""
    _, of_user, of_item = exact_biases(ratings, 15, 10)
    model = fitted(ratings)
    assert_allclose(model.of_user, [of_user[u] for u in range(9)], atol=5.0**-9)
    assert_allclose(model.of_item, [of_item[i] for i in range(6)], atol=5.0**-9)
    assert np.ptp(model.of_user) > 0.1


def test_what_is_unknown_has_no_bias(ratings):
    model = fitted(ratings)
    users, items = np.array([2, 2, -1, -1]), np.array([3, -1, 3, -1])
    expected = model.mean + np.array(
        [model.of_user[2] + model.of_item[3], model.of_user[2], model.of_item[3], 0]
    )
    assert_allclose(model.predict(users, items), expected)


def test_equal_ratings_have_no_biases():
    model = fitted({(0, 0): 4.0, (1, 0): 4.0, (1, 1): 4.0})
    assert model.mean == 4
    assert not model.of_user.any()
    assert not model.of_item.any()
