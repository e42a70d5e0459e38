"""Queries in an order of rows, a few at a time; what is no query is refused."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skrbm._estimator.queries import by_rows, check_numbers


@pytest.mark.parametrize("most_rows", [1, 3, 100])
@pytest.mark.parametrize("most", [1, 4, 100])
def test_every_query_comes_once_among_those_of_near_rows(most_rows, most, rng):
    rows = rng.integers(0, 20, 50)
    parts = list(by_rows(rows, most_rows, most))
    assert_array_equal(np.sort(np.concatenate(parts)), np.arange(50))
    assert (np.diff(rows[np.concatenate(parts)]) >= 0).all()
    for part in parts:
        assert len(part) <= most
        assert np.ptp(rows[part]) < most_rows


def test_numbers_are_flat_and_within_range():
    assert check_numbers("rows", (2, 0), 3).dtype == np.int64
    assert check_numbers("rows", [], 0).shape == (0,)
    with pytest.raises(ValueError, match=r"rows\[1\] is 3, but must be at least 0 and below 3"):
        check_numbers("rows", np.array([0, 3], np.uint8), 3)
