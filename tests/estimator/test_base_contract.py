"""The estimators keep scikit-learn's contract, alone and inside its tools."""

import pickle
from inspect import signature

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn import datasets, neural_network
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
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from skrbm import BernoulliRBM, GaussianBernoulliRBM, SoftmaxRBM

from ..helpers.comparison import assert_same_model
from ..helpers.gaussian_machines import badly_scaled_expected
from ..helpers.models import BERNOULLI, MODELS, SOFTMAX, models, variants
from ..helpers.ratings import HALF_STARS, stored

# Some of the checks' data are normal or badly scaled on purpose; that fit warns of it is tested
# elsewhere.
outside_unit_interval_expected = pytest.mark.filterwarnings(
    "ignore:BernoulliRBM reads values as probabilities:UserWarning"
)

CHECKED = [
    BernoulliRBM(n_components=4),
    BernoulliRBM(n_components=4, n_iter=3, algorithm="cd", negative_visibles="mean"),
    BernoulliRBM(n_components=4, n_iter=3, momentum=0.5, weight_decay=0.01, n_chains=7),
    BernoulliRBM(
        n_components=4,
        n_iter=3,
        learning_rate=(0.1, 0.05),
        momentum=(0.0, 0.5),
        n_gibbs_steps=(1, 2),
        shuffle=False,
    ),
    BernoulliRBM(n_components=4, n_iter=3, algorithm="pt", n_temperatures=3, n_chains=5),
    GaussianBernoulliRBM(n_components=4),
    GaussianBernoulliRBM(n_components=4, n_iter=3, noise_variance="learned"),
    GaussianBernoulliRBM(n_components=4, n_iter=3, negative_visibles="mean"),
    GaussianBernoulliRBM(
        n_components=4,
        n_iter=3,
        noise_variance="learned",
        algorithm="pcd",
        n_chains=7,
        momentum=(0.0, 0.5),
        weight_decay=0.01,
    ),
    GaussianBernoulliRBM(n_components=4, n_iter=3, algorithm="pt", n_temperatures=3),
    SoftmaxRBM(n_components=4, n_iter=2),
    SoftmaxRBM(n_components=4, n_iter=2, conditional=True, n_gibbs_steps=(1, 2)),
    SoftmaxRBM(n_components=4, n_iter=2, categories="auto", shuffle=False),
    SoftmaxRBM(n_components=4, n_iter=2, negative_visibles="mean", momentum=(0.0, 0.5)),
]

unlike_features_expected = pytest.mark.filterwarnings(
    "ignore:the features of X hold different values:UserWarning"
)


@outside_unit_interval_expected
@unlike_features_expected
@badly_scaled_expected
@parametrize_with_checks(CHECKED)
def test_scikit_learns_checks_pass(estimator, check):
    check(estimator)


@outside_unit_interval_expected
@unlike_features_expected
@badly_scaled_expected
@pytest.mark.parametrize(
    "estimator",
    [
        BernoulliRBM(n_components=4, n_iter=2),
        GaussianBernoulliRBM(n_components=4, n_iter=2),
        GaussianBernoulliRBM(n_components=4, n_iter=2, noise_variance="learned"),
        SoftmaxRBM(n_components=4, n_iter=2, conditional=True, n_gibbs_steps=(1, 2)),
    ],
    ids=str,
)
def test_check_estimator_expects_no_failure(estimator):
    results = estimator_checks.check_estimator(estimator, on_skip=None)
    assert {result["status"] for result in results} <= {"passed", "skipped"}


# Those that scikit-learn runs on its own estimators but not on other people's.
@outside_unit_interval_expected
@pytest.mark.filterwarnings("ignore:X does not have valid feature names:UserWarning")
@pytest.mark.filterwarnings("ignore:X has feature names, but .*RBM:UserWarning")
@unlike_features_expected
@badly_scaled_expected
@models
@pytest.mark.parametrize(
    "check",
    [
        estimator_checks.check_global_output_transform_pandas,
        estimator_checks.check_param_validation,
        estimator_checks.check_set_output_transform,
        estimator_checks.check_set_output_transform_pandas,
        estimator_checks.check_transformer_get_feature_names_out,
        estimator_checks.check_transformer_get_feature_names_out_pandas,
    ],
    ids=lambda check: check.__name__,
)
def test_scikit_learns_stricter_checks_pass(check, model):
    check(model.name, model.estimator(n_components=4, n_iter=2))


@models
def test_no_argument_is_taken_for_metadata(model):
    """Of a name that scikit-learn does not know, metadata routing makes a request."""
    requests = [n for n in dir(model.estimator) if n.startswith("set_") and n.endswith("_request")]
    assert requests == []


def test_methods_of_scikit_learns_estimator_have_the_same_arguments():
    """Ours is its drop-in superset."""
    theirs = neural_network.BernoulliRBM
    public = [name for name in dir(theirs) if name[0] != "_" and callable(getattr(theirs, name))]
    for name in (*public, "__init__"):
        ours = signature(getattr(BernoulliRBM, name)).parameters
        for argument, parameter in signature(getattr(theirs, name)).parameters.items():
            # Defaults of learning are ours.
            if name != "__init__":
                assert ours[argument].default == parameter.default, (name, argument)
    X = BERNOULLI.rows()
    rbm = BERNOULLI.machine().fit(X=X, y=None)
    H = rbm.transform(X=X)
    assert rbm.inverse_transform(X=H).shape == rbm.gibbs(v=X).shape == X.shape


# --- names and containers ---


@pytest.fixture(name="frame_of")
def any_frame():
    """Makes a frame with names and an index of its own."""
    pd = pytest.importorskip("pandas")
    return lambda X: pd.DataFrame(X, columns=list("abcdef"), index=np.arange(100, 100 + len(X)))


@models
def test_feature_names_out_are_numbered(model):
    names = model.machine().fit(model.rows()).get_feature_names_out()
    assert names.tolist() == [f"{model.name.lower()}{k}" for k in range(3)]


@models
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_feature_names_in_come_from_the_frame(model, method, frame_of):
    rbm = getattr(model.machine(), method)(frame_of(model.rows()))
    assert rbm.feature_names_in_.tolist() == list("abcdef")
    assert rbm.n_features_in_ == 6


@models
def test_feature_names_in_other_order_are_refused(model, frame_of):
    frame = frame_of(model.rows())
    rbm = model.machine().fit(frame)
    for name in ("transform", *model.predictors):
        with pytest.raises(ValueError, match="same order"):
            getattr(rbm, name)(frame[list("fedcba")])


@models
@pytest.mark.parametrize("method", ["transform", "fit_transform"])
def test_set_output_gives_a_frame_with_names_and_index(model, method, frame_of):
    pd = pytest.importorskip("pandas")
    frame = frame_of(model.rows())
    rbm = model.machine().fit(frame)
    plain = rbm.transform(frame)
    H = getattr(rbm.set_output(transform="pandas"), method)(frame)
    assert isinstance(H, pd.DataFrame)
    assert H.columns.tolist() == rbm.get_feature_names_out().tolist()
    assert H.index.equals(frame.index)
    assert_array_equal(H.to_numpy(), plain, strict=True)
    for name in model.predictors:
        assert isinstance(getattr(rbm, name)(frame), np.ndarray)


# --- clone, pickle, repr ---

RATES = [0.05, (0.1, 0.05), [0.1, 0.05], np.array([0.1, 0.05])]
rates = pytest.mark.parametrize("learning_rate", RATES, ids=["number", "tuple", "list", "array"])


@models
@rates
def test_clone_has_the_parameters_and_nothing_learned(model, learning_rate):
    X = model.rows()
    rbm = model.machine(learning_rate=learning_rate)
    twin = clone(rbm.fit(X))
    assert not hasattr(twin, "components_")
    assert type(twin.learning_rate) is type(learning_rate)
    assert_same_model(twin.fit(X), rbm)


@pytest.mark.parametrize("categories", ["auto", HALF_STARS, [HALF_STARS] * 6], ids=type)
def test_a_clone_has_the_categories_that_were_given(categories):
    X = SOFTMAX.rows()
    rbm = SOFTMAX.machine(categories=categories).fit(X)
    twin = clone(rbm)
    assert not hasattr(twin, "components_")
    assert_same_model(twin.fit(X), rbm)


@models
@rates
def test_fit_leaves_the_parameters_as_given(model, learning_rate):
    rbm = model.machine(learning_rate=learning_rate)
    before = rbm.get_params()
    after = rbm.fit(model.rows()).get_params()
    assert all(after[name] is before[name] for name in before)


@variants
def test_pickle_keeps_every_bit(variant):
    X = variant.rows()
    rbm = variant.machine().fit(X)
    twin = pickle.loads(pickle.dumps(rbm))
    assert_same_model(twin, rbm)
    assert_array_equal(twin.transform(X), rbm.transform(X), strict=True)
    draws = [r.sample(5, n_gibbs_steps=3, random_state=1) for r in (twin, rbm)]
    assert_array_equal(*draws, strict=True)


@pytest.mark.parametrize(
    ("estimator", "text"),
    [
        (
            BernoulliRBM(3, learning_rate=(0.1, 0.05), n_iter=2),
            "BernoulliRBM(learning_rate=(0.1, 0.05), n_components=3, n_iter=2)",
        ),
        (
            GaussianBernoulliRBM(3, noise_variance="learned"),
            "GaussianBernoulliRBM(n_components=3, noise_variance='learned')",
        ),
        (
            SoftmaxRBM(3, conditional=True),
            "SoftmaxRBM(conditional=True, n_components=3)",
        ),
    ],
    ids=MODELS,
)
def test_repr_shows_what_differs_from_the_defaults(estimator, text):
    model = next(m for m in MODELS.values() if m.estimator is type(estimator))
    assert repr(estimator) == text
    assert repr(estimator.fit(model.rows())) == text
    assert repr(model.estimator()) == f"{model.name}()"


# --- meta-estimators ---


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
