"""sample_weight reaches fit, partial_fit, score and callbacks on scikit-learn's ways."""

from inspect import signature

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn import config_context
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing

from ..helpers.callbacks import needs_callbacks
from ..helpers.comparison import assert_same_model
from ..helpers.models import BERNOULLI, GAUSSIAN, MODELS, SOFTMAX, models

#: Methods that take sample_weight, and nothing else beside X and y.
WEIGHTED = ("fit", "partial_fit", "score")


@pytest.fixture(name="routing", autouse=True)
def enabled():
    with config_context(enable_metadata_routing=True):
        yield


@pytest.fixture(name="weights")
def some_weights():
    return np.random.default_rng(3).integers(0, 4, 47).astype(float)


def asking(model, **parameters):
    """A machine that asks for weights wherever it can."""
    rbm = model.machine(**parameters)
    for method in WEIGHTED:
        getattr(rbm, f"set_{method}_request")(sample_weight=True)
    return rbm


def last_step(pipeline):
    return pipeline.steps[-1][1]


@models
def test_sample_weight_is_the_only_metadata(model):
    """Of a name that scikit-learn does not know, metadata routing makes a request."""
    names = [n for n in dir(model.estimator) if n.startswith("set_") and n.endswith("_request")]
    assert names == sorted(f"set_{method}_request" for method in WEIGHTED)
    for name in names:
        parameters = signature(getattr(model.estimator, name)).parameters
        assert list(parameters) == ["self", "sample_weight"]


@models
def test_weights_that_nobody_asked_for_are_refused(model, weights):
    pipeline = make_pipeline(FunctionTransformer(), model.machine())
    with pytest.raises(ValueError, match=r"sample_weight.*not explicitly set as requested or not"):
        pipeline.fit(model.rows(), sample_weight=weights)


@models
def test_a_pipeline_hands_weights_to_fit_and_score(model, weights):
    X = model.rows()
    alone = model.machine().fit(X, sample_weight=weights)
    pipeline = make_pipeline(FunctionTransformer(), asking(model))
    pipeline.fit(X, sample_weight=weights)
    assert_same_model(last_step(pipeline), alone, but=("_metadata_request",))
    score = pipeline.score(X, sample_weight=weights)
    assert score == alone.score(X, sample_weight=weights) != alone.score(X)


@models
def test_a_transformer_within_a_pipeline_gets_its_weights(model, weights):
    """fit_transform asks for what fit asks for."""
    X, y = model.complete(), np.arange(47) % 2
    classifier = LogisticRegression().set_fit_request(sample_weight=False)
    pipeline = make_pipeline(asking(model), classifier).fit(X, y, sample_weight=weights)
    alone = model.machine().fit(X, sample_weight=weights)
    assert_same_model(pipeline.steps[0][1], alone, but=("_metadata_request",))
    expected = LogisticRegression().fit(alone.transform(X), y)
    assert_array_equal(pipeline.steps[1][1].coef_, expected.coef_)


# No rows of weight 0: a fold without a category could not be scored.
@pytest.mark.parametrize(
    ("model", "parameters"),
    [(BERNOULLI, {}), (GAUSSIAN, {}), (SOFTMAX, {"categories": np.arange(0, 5.5, 0.5)})],
    ids=MODELS,
)
def test_a_grid_search_hands_weights_to_fit_and_score(model, parameters, weights):
    X, weights = model.rows(), weights + 1
    grid = {"learning_rate": [1e-6, 0.05]}
    search = GridSearchCV(asking(model, **parameters), grid, cv=KFold(3))
    search.fit(X, sample_weight=weights)
    for rate, found in zip(
        grid["learning_rate"], search.cv_results_["mean_test_score"], strict=True
    ):
        rbm = model.machine(learning_rate=rate, **parameters)
        scores = [
            rbm.fit(X[train], sample_weight=weights[train]).score(
                X[test], sample_weight=weights[test]
            )
            for train, test in KFold(3).split(X)
        ]
        assert found == pytest.approx(np.mean(scores), rel=1e-12)
    best = model.machine(**search.best_params_ | parameters).fit(X, sample_weight=weights)
    assert_same_model(search.best_estimator_, best, but=("_metadata_request",))


@models
def test_weights_may_go_to_fit_alone(model, weights):
    """A request is a choice for each method."""
    X = model.complete()
    rbm = (
        model.machine().set_fit_request(sample_weight=True).set_score_request(sample_weight=False)
    )
    folds = cross_validate(rbm, X, cv=KFold(2), params={"sample_weight": weights})
    scores = [
        clone(rbm).fit(X[train], sample_weight=weights[train]).score(X[test])
        for train, test in KFold(2).split(X)
    ]
    assert_array_equal(folds["test_score"], scores)


class Learner(MetaEstimatorMixin, BaseEstimator):
    """Hands chunks down: scikit-learn's own meta-estimators do so for classifiers alone."""

    def __init__(self, estimator):
        self.estimator = estimator

    def partial_fit(self, X, y=None, **params):
        routed = process_routing(self, "partial_fit", **params)
        self.estimator.partial_fit(X, y, **routed.estimator.partial_fit)
        return self

    def get_metadata_routing(self):
        mapping = MethodMapping().add(caller="partial_fit", callee="partial_fit")
        return MetadataRouter(owner=self).add(estimator=self.estimator, method_mapping=mapping)


@models
def test_chunks_come_with_their_weights(model, weights):
    X = model.rows()
    learner, alone = Learner(asking(model)), model.machine()
    for _ in range(2):
        learner.partial_fit(X, sample_weight=weights)
        alone.partial_fit(X, sample_weight=weights)
    assert_same_model(learner.estimator, alone, but=("_metadata_request",))
    plain = model.machine().set_partial_fit_request(sample_weight=False)
    with pytest.raises(TypeError, match="not routed to any object"):
        Learner(plain).partial_fit(X, sample_weight=weights)


# --- callbacks ---


class Watcher:
    """Keeps what each task of a fit gives to its callbacks."""

    def __init__(self):
        self.seen = []

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context, *, X, y, metadata):
        self.seen.append((X, y, metadata))

    def on_fit_task_end(self, estimator, context, *, X, y, metadata, fitted_estimator):
        self.seen.append((X, y, metadata))


def watched(model, X, y=None, sample_weight=None, **parameters):
    watcher = Watcher()
    rbm = model.machine(**parameters).set_callbacks(watcher)
    rbm.fit(X, y, sample_weight=sample_weight)
    assert len(watcher.seen) == 2 * (1 + rbm.n_iter)
    return watcher.seen


@needs_callbacks
@models
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("kind", [np.asarray, list])
def test_callbacks_see_the_rows_that_count_with_their_weights(
    model, weights, early_stopping, kind
):
    X, y = model.complete(), np.arange(47)
    options = {"early_stopping": early_stopping, "n_iter": 2, "n_iter_no_change": 9}
    if model is SOFTMAX:  # held-out rows may have values that the others do not have
        options["categories"] = np.arange(0, 5.5, 0.5)
    counted = weights > 0
    assert 0 < counted.sum() < 47
    for rows, labels, metadata in watched(model, X, kind(y), weights, **options):
        assert metadata.keys() == {"sample_weight"}
        assert_array_equal(metadata["sample_weight"], weights[counted])
        assert_array_equal(labels, y[counted])
        assert len(rows) == counted.sum()
        if model is not SOFTMAX:  # its rows are codes of categories
            assert_array_equal(rows, X[counted])


@needs_callbacks
@models
def test_without_y_and_weights_callbacks_see_the_rows_alone(model):
    X = model.complete()
    for rows, labels, metadata in watched(model, X):
        assert rows is labels
        assert metadata is None


@needs_callbacks
@models
def test_the_scoring_monitor_scores_with_the_weights(model, weights):
    from sklearn.callback import ScoringMonitor

    def scoring(rbm, X, y, sample_weight=None):
        return {"score": rbm.score(X, sample_weight=sample_weight)}

    X, monitor = model.complete(), ScoringMonitor(scoring=scoring)
    rbm = model.machine().set_callbacks(monitor).fit(X, sample_weight=weights)
    last = [row["score"] for row in monitor.get_logs().data if row["task_name"] == "epoch"][-1]
    assert last == pytest.approx(rbm.score(X, sample_weight=weights), rel=1e-12)
