"""Work on many queries is done in calls of a kernel that are short enough for Ctrl-C."""

import pytest
from numpy.testing import assert_array_equal

from skrbm._machine import softmax

from ..helpers.softmax_machines import machines


@machines
@pytest.mark.parametrize("scale", [1, 1000])
def test_predictions_in_calls_of_few_queries(machine, scale, monkeypatch):
    """As for one feature of many categories. Weights of 1000 go without tables."""
    estimator, X = machine.estimator(), machine.dense(machine.all_rows)
    estimator.components_ = scale * estimator.components_
    whole = estimator.score_samples(X), estimator.predict_ratings(X)
    conditionals, calls = softmax.onehot.conditionals, []

    def record(features, queries, *others):
        calls.append(queries.start[features[1]] - queries.start[features[0]])
        conditionals(features, queries, *others)

    monkeypatch.setattr(softmax.onehot, "conditionals", record)
    monkeypatch.setattr(softmax, "LONGEST_CALL", 400)
    assert_array_equal(estimator.score_samples(X), whole[0])
    assert_array_equal(estimator.predict_ratings(X), whole[1])
    assert max(calls) <= 100
