"""Rated cells: as many as asked for, each once, and as skewed as real ones."""

import numpy as np
import pytest

from skrbm.datasets._skew import SKEWS, rated_cells

#: Shares of the mean: the median, and the largest number, of users and of films.
REAL = {"movielens": (96 / 166, 2314 / 166, 124 / 270, 3428 / 270)}
#: A quarter of the users and of the films: as dense a table.
MOVIELENS = (1510, 926, 62_500)


@pytest.mark.parametrize("skew", SKEWS)
@pytest.mark.parametrize(
    "shape", [(200, 300, 5000), (1, 40, 3), (40, 1, 3), (7, 9, 1), (2000, 3, 600), (60, 60, 1300)]
)
def test_cells_are_as_many_as_asked_for(shape, skew):
    for seed in range(5):
        indptr, items = rated_cells(*shape, SKEWS[skew], np.random.default_rng(seed))
        assert indptr.dtype == items.dtype == np.int32
        assert len(indptr) == shape[0] + 1
        assert indptr[0] == 0
        assert indptr[-1] == len(items) == shape[2]
        assert 0 <= items.min() <= items.max() < shape[1]
        users = np.repeat(np.arange(shape[0]), np.diff(indptr))
        assert (np.diff(users * shape[1] + items) > 0).all()  # ascending, each cell once


@pytest.mark.parametrize(("n_ratings", "seed"), [(1, 2357), (2, 2808), (5, 387)])
def test_few_cells_of_which_many_were_drawn(n_ratings, seed):
    """At these seeds more than twice as many as are due on average."""
    rng = np.random.default_rng(seed)
    assert len(rated_cells(100, 60, n_ratings, SKEWS["movielens"], rng)[1]) == n_ratings


def test_the_skew_is_that_of_movielens():
    n_users, n_items, n_ratings = MOVIELENS
    rng = np.random.default_rng(0)
    indptr, items = rated_cells(n_users, n_items, n_ratings, SKEWS["movielens"], rng)
    found = []
    for counts in (np.diff(indptr), np.bincount(items, minlength=n_items)):
        found += [np.median(counts) / counts.mean(), counts.max() / counts.mean()]
    # A logit-normal share fits medians well, and the largest numbers roughly.
    assert found[::2] == pytest.approx(REAL["movielens"][::2], rel=0.05)
    assert found[1::2] == pytest.approx(REAL["movielens"][1::2], rel=0.3)


def test_blocks_do_not_change_the_cells(monkeypatch):
    shape = 50, 30, 300
    before = rated_cells(*shape, SKEWS["netflix"], np.random.Generator(np.random.SFC64(0)))
    monkeypatch.setattr("skrbm.datasets._skew._BLOCK", 100)
    after = rated_cells(*shape, SKEWS["netflix"], np.random.Generator(np.random.SFC64(0)))
    for one, other in zip(before, after, strict=True):
        assert np.array_equal(one, other)


def test_cells_are_those_of_earlier_measurements():
    """The benchmarks of ratings are about the cells of a seed."""
    indptr, items = rated_cells(
        6, 20, 12, SKEWS["netflix"], np.random.Generator(np.random.SFC64(3))
    )
    assert indptr.tolist() == [0, 2, 2, 5, 7, 8, 12]
    assert items.tolist() == [10, 17, 1, 8, 12, 10, 18, 0, 5, 6, 12, 18]
