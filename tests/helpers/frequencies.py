"""How often the rows of a table should be drawn."""

import numpy as np
from scipy import stats


def assert_frequencies(rows, table, joint):
    """Rows occur as often as a table says: chi-squared, seldom ones taken together."""
    expected = len(rows) * joint
    counts = dict.fromkeys(table, 0)
    for row in rows:
        counts[row] += 1  # a row that is not in the table is an error
    counts = np.array([counts[row] for row in table])
    seldom = expected < 10
    groups = np.where(seldom, -1, np.arange(len(table)))
    _, groups = np.unique(groups, return_inverse=True)
    observed, expected = np.bincount(groups, counts), np.bincount(groups, expected)
    if len(expected) > 1:
        assert stats.chisquare(observed, expected * observed.sum() / expected.sum()).pvalue > 1e-4
