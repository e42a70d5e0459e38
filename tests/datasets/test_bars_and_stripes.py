"""Bars and stripes, compared with a loop over all coins."""

import itertools
import math
import re

import numpy as np
import pytest

from skrbm.datasets import make_bars_and_stripes

from ..helpers.frequencies import assert_frequencies


def images(side):
    """Each result of the coins."""
    for vertical, *lines in itertools.product([0, 1], repeat=side + 1):
        image = [[lines[column if vertical else row] for column in range(side)]
                 for row in range(side)]  # fmt: skip
        yield tuple(itertools.chain(*image))


@pytest.mark.parametrize("side", [1, 2, 3, 4])
def test_all_results_of_the_coins_are_listed(side):
    X = make_bars_and_stripes(side)
    assert X.dtype == np.float64
    assert [tuple(row) for row in X] == list(images(side))


def test_draws_have_the_same_frequencies():
    X = make_bars_and_stripes(side=3, n_samples=8000, random_state=0)
    listed = list(images(3))
    table = sorted(set(listed))
    joint = np.array([listed.count(image) for image in table]) / len(listed)
    assert len(table) == 2 * 2**3 - 2
    assert_frequencies([tuple(row) for row in X], table, joint)


def test_the_entropy_is_the_documented_one():
    counts = np.unique(make_bars_and_stripes(), axis=0, return_counts=True)[1]
    p = counts / counts.sum()
    entropy = -(p * np.log(p)).sum()
    assert entropy == pytest.approx((4 + 1 - 2 ** (1 - 4)) * math.log(2))
    assert re.search(rf"{entropy:.3f} for\s+``side=4``", make_bars_and_stripes.__doc__)


def test_a_seed_decides_the_draws():
    draws = [make_bars_and_stripes(n_samples=9, random_state=seed) for seed in (1, 1, 2)]
    assert np.array_equal(draws[0], draws[1])
    assert not np.array_equal(draws[0], draws[2])


def test_too_many_images_are_refused():
    with pytest.raises(ValueError, match=r"side=13 has 16384 results.* Set n_samples"):
        make_bars_and_stripes(13)
    assert make_bars_and_stripes(13, n_samples=2).shape == (2, 169)
    with pytest.raises(ValueError, match="side must be at least 1"):
        make_bars_and_stripes(0)
