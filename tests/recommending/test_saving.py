"""A saved recommender holds its ratings as plain arrays."""

import copy
import pickle

import numpy as np
import pytest
from scipy import sparse

from skrbm import RBMRecommender

from ..helpers.comparison import assert_same_bits
from ..helpers.recommenders import pairs, recommender


@pytest.fixture(name="fitted", scope="module")
def fitted_recommender():
    return recommender("items").fit(*pairs())


def test_no_sparse_array_is_in_the_state(fitted):
    state = fitted.__getstate__()
    assert not any(sparse.issparse(value) for value in state.values())
    assert sparse.issparse(fitted.ratings_)  # which stays


def test_the_ratings_come_back(fitted):
    again = pickle.loads(pickle.dumps(fitted)).ratings_
    assert type(again) is type(fitted.ratings_)
    assert again.shape == fitted.ratings_.shape
    for name in ("data", "indices", "indptr"):
        assert_same_bits(getattr(again, name), getattr(fitted.ratings_, name))


def test_a_copy_shares_them(fitted):
    assert np.shares_memory(copy.copy(fitted).ratings_.data, fitted.ratings_.data)
    assert not np.shares_memory(copy.deepcopy(fitted).ratings_.data, fitted.ratings_.data)


def test_a_pickle_of_a_sparse_array_is_read(fitted):
    """As checkouts before 0.1.0 made them."""
    again = object.__new__(RBMRecommender)
    again.__setstate__(vars(fitted).copy())
    assert again.ratings_ is fitted.ratings_
    assert_same_bits(again.predict(pairs()[0]), fitted.predict(pairs()[0]))


def test_what_is_not_fitted_is_saved_as_well():
    again = pickle.loads(pickle.dumps(recommender("users")))
    assert again.by == "users"
    assert not hasattr(again, "ratings_")
