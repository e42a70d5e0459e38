"""The estimators work inside scikit-learn's tools, which do with them what direct calls do."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn import datasets
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OrdinalEncoder,
    StandardScaler,
)

from skrbm import GaussianBernoulliRBM, SoftmaxRBM

from ..helpers.comparison import assert_same_model
from ..helpers.models import BERNOULLI, SOFTMAX, models
from ..helpers.ratings import stored


@pytest.fixture(name="X")
def rows():
    """Rows around two patterns, so that there is something to learn."""
    rng = np.random.default_rng(7)
    patterns = np.array([[1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]], float)
    return np.abs(patterns[np.arange(90) % 2] - (rng.random((90, 6)) < 0.1))


@pytest.fixture(name="y")
def labels():
    return np.arange(90) % 2


def test_pipeline_does_what_its_steps_do(X, y):
    X = 5 * X - 2
    rbm = BERNOULLI.machine(n_iter=2)
    pipeline = make_pipeline(MinMaxScaler(), clone(rbm), LogisticRegression()).fit(X, y)
    scaled = MinMaxScaler().fit_transform(X)
    assert_same_model(pipeline.named_steps["bernoullirbm"], rbm.fit(scaled))
    classifier = LogisticRegression().fit(rbm.transform(scaled), y)
    assert_array_equal(pipeline.predict(X), classifier.predict(rbm.transform(scaled)))
    assert pipeline[:-1].get_feature_names_out().tolist() == rbm.get_feature_names_out().tolist()


def test_a_pipeline_from_strings_to_a_classifier():
    rng = np.random.default_rng(0)
    y = np.arange(80) % 2
    words = np.array(["no", "perhaps", "yes"], dtype=object)
    X = words[np.where(rng.random((80, 5)) < 0.2, 1, 2 * y[:, np.newaxis])]
    X[rng.random(X.shape) < 0.2] = np.nan
    rbm = SoftmaxRBM(4, categories="auto", n_iter=30, learning_rate=0.1, random_state=0)
    pipeline = make_pipeline(OrdinalEncoder(), rbm, LogisticRegression()).fit(X, y)
    assert pipeline.score(X, y) > 0.9
    codes = OrdinalEncoder().fit_transform(X)
    assert np.isnan(codes).any()
    assert_same_model(pipeline.named_steps["softmaxrbm"], clone(rbm).fit(codes))
    assert pipeline[:-1].get_feature_names_out().tolist() == [f"softmaxrbm{k}" for k in range(4)]


@models
def test_feature_union_puts_features_beside_pixels(model):
    X, rbm = model.complete(), model.machine(n_iter=2)
    pixels = FunctionTransformer(feature_names_out="one-to-one")
    union = FeatureUnion([("pixels", pixels), ("rbm", clone(rbm))])
    both = union.fit_transform(X)
    assert_array_equal(both[:, :6], X)
    assert_array_equal(both[:, 6:], rbm.fit(X).transform(X))
    assert union.get_feature_names_out()[-1] == f"rbm__{model.name.lower()}2"


@models
def test_fit_transform_is_fit_then_transform(model):
    X, rbm = model.rows(), model.machine()
    H = clone(rbm).fit_transform(X)
    assert_array_equal(H, rbm.fit(X).transform(X), strict=True)


def ratings_of_two_tastes():
    rng = np.random.default_rng(0)
    X = np.where(rng.random((90, 1)) < 0.5, 1.0, 5.0) + rng.integers(0, 2, (90, 6))
    X[rng.random(X.shape) < 0.3] = np.nan
    return X


ALONE = {
    "bits": (
        BERNOULLI.machine(n_iter=60),
        None,
        {"learning_rate": [1e-6, 0.5], "algorithm": ["cd", "pcd"]},
    ),
    **{
        f"ratings, {container.__name__}": (
            SOFTMAX.machine(n_iter=15, categories=[1, 2, 5, 6]),
            container,
            {"learning_rate": [1e-6, 0.1], "conditional": [False, True]},
        )
        for container in (np.asarray, stored)
    },
}


@pytest.mark.parametrize(("rbm", "container", "grid"), ALONE.values(), ids=ALONE)
def test_grid_search_tunes_a_machine_alone_by_its_score(X, rbm, container, grid):
    if container is not None:
        X = container(ratings_of_two_tastes())
    search = GridSearchCV(rbm, grid, cv=KFold(3)).fit(X)
    # A machine that cannot move stays at the base rates and misses how the features go together.
    assert search.best_params_["learning_rate"] == grid["learning_rate"][1]
    best = clone(rbm).set_params(**search.best_params_)
    folds = [best.fit(X[train]).score(X[test]) for train, test in KFold(3).split(X)]
    assert search.best_score_ == pytest.approx(np.mean(folds), rel=1e-12)
    assert_same_model(search.best_estimator_, best.fit(X))


def test_grid_search_over_a_number_and_a_schedule(X, y):
    pipeline = Pipeline(
        [
            ("scale", MinMaxScaler()),
            ("rbm", BERNOULLI.machine()),
            ("classify", LogisticRegression()),
        ]
    )
    rates = [0.001, (0.5, 0.1, 0.02)]
    scoring = "neg_log_loss"  # unlike the accuracy it tells the two apart
    search = GridSearchCV(
        pipeline, {"rbm__learning_rate": rates}, cv=KFold(3), scoring=scoring
    ).fit(X, y)
    assert [p["rbm__learning_rate"] for p in search.cv_results_["params"]] == rates
    expected = [
        cross_val_score(
            clone(pipeline).set_params(rbm__learning_rate=rate), X, y, cv=KFold(3), scoring=scoring
        ).mean()
        for rate in rates
    ]
    assert expected[0] != expected[1]
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], expected, rtol=1e-12)
    assert search.best_params_["rbm__learning_rate"] == rates[int(np.argmax(expected))]


@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
def test_grid_search_over_a_pipeline_of_real_values():
    X, y = datasets.load_breast_cancer(return_X_y=True)
    pipeline = Pipeline(
        [
            ("scale", StandardScaler()),
            ("rbm", GaussianBernoulliRBM(32, n_iter=5, random_state=0)),
            ("classify", LogisticRegression(max_iter=1000)),
        ]
    )
    grid = {"rbm__noise_variance": [1.0, "learned"], "rbm__learning_rate": [0.001, (0.05, 0.02)]}
    search = GridSearchCV(pipeline, grid, cv=3).fit(X, y)
    assert len(search.cv_results_["params"]) == 4
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_score_ > 0.9
    assert search.best_estimator_.predict(X).shape == y.shape
