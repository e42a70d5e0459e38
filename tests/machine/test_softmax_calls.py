"""Work on many queries is done in calls of a kernel that are short enough for Ctrl-C."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skrbm import SoftmaxRBM
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


def test_the_work_on_one_feature_is_bounded(monkeypatch):
    """A kernel works on the queries of a feature, and meanwhile nobody hears Ctrl-C."""
    n_hidden, X = 1000, np.arange(20_000.0)[:, np.newaxis] % 1000
    estimator = SoftmaxRBM(n_hidden, n_iter=0, categories="auto").fit(X)
    sizes = []

    def record(features, queries, softmax, conditional, inputs, limit, values, position, out):
        out[:] = 0
        sizes.append(queries.start[features[1]] - queries.start[features[0]])

    monkeypatch.setattr(softmax.onehot, "conditionals", record)
    for call in (estimator.score_samples, estimator.predict_ratings):
        sizes.clear()
        call(X)
        assert sum(sizes) == len(X)
        assert max(sizes) * 1000 * n_hidden <= 2**28
