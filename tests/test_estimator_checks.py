"""The estimator keeps scikit-learn's contract, alone and inside its tools."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from skrbm import BernoulliRBM, GaussianBernoulliRBM, SoftmaxRBM

from .comparison import assert_same_model

# The checks use normal data on purpose; that fit warns of it is tested in test_input.py.
outside_unit_interval_expected = pytest.mark.filterwarnings(
    "ignore:BernoulliRBM reads values as probabilities:UserWarning"
)


@pytest.fixture(name="X")
def rows():
    """Rows around two patterns, so that there is something to learn."""
    rng = np.random.default_rng(7)
    patterns = np.array([[1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]], float)
    return np.abs(patterns[np.arange(90) % 2] - (rng.random((90, 6)) < 0.1))


@pytest.fixture(name="y")
def labels():
    return np.arange(90) % 2


@outside_unit_interval_expected
@parametrize_with_checks(
    [
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
    ]
)
def test_scikit_learns_checks_pass(estimator, check):
    check(estimator)


# Some of the checks' data are badly scaled; what fit warns of is tested in
# test_gaussian_scales.py.
badly_scaled_expected = pytest.mark.filterwarnings(
    "ignore:GaussianBernoulliRBM has noise of standard deviation:UserWarning"
)


@badly_scaled_expected
@parametrize_with_checks(
    [
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
    ]
)
def test_scikit_learns_checks_pass_on_real_values(estimator, check):
    check(estimator)


@badly_scaled_expected
@pytest.mark.parametrize("noise_variance", [1.0, "learned"])
def test_check_estimator_expects_no_failure(noise_variance):
    results = estimator_checks.check_estimator(
        GaussianBernoulliRBM(n_components=4, n_iter=2, noise_variance=noise_variance),
        on_skip=None,
    )
    assert {result["status"] for result in results} <= {"passed", "skipped"}


# Those that scikit-learn runs on its own estimators but not on other people's.
@outside_unit_interval_expected
@pytest.mark.filterwarnings("ignore:X does not have valid feature names:UserWarning")
@pytest.mark.filterwarnings("ignore:X has feature names, but .*RBM:UserWarning")
@badly_scaled_expected
@pytest.mark.parametrize("estimator_class", [BernoulliRBM, GaussianBernoulliRBM, SoftmaxRBM])
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
def test_scikit_learns_stricter_checks_pass(check, estimator_class):
    check(estimator_class.__name__, estimator_class(n_components=4, n_iter=2))


# --- names and containers ---


def test_feature_names_out_are_numbered(X):
    names = BernoulliRBM(n_components=3, n_iter=1).fit(X).get_feature_names_out()
    assert names.tolist() == ["bernoullirbm0", "bernoullirbm1", "bernoullirbm2"]


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_feature_names_in_come_from_the_frame(X, method):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=list("abcdef"))
    rbm = getattr(BernoulliRBM(n_components=3, n_iter=1), method)(frame)
    assert rbm.feature_names_in_.tolist() == list("abcdef")
    assert rbm.n_features_in_ == 6


def test_feature_names_in_other_order_are_refused(X):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=list("abcdef"))
    rbm = BernoulliRBM(n_components=3, n_iter=1).fit(frame)
    with pytest.raises(ValueError, match="same order"):
        rbm.transform(frame[list("fedcba")])


@pytest.mark.parametrize("method", ["transform", "fit_transform"])
def test_set_output_gives_a_frame_with_names_and_index(X, method):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=list("abcdef"), index=np.arange(100, 190))
    rbm = BernoulliRBM(n_components=3, n_iter=1, random_state=0).fit(frame)
    plain = rbm.transform(frame)
    H = getattr(rbm.set_output(transform="pandas"), method)(frame)
    assert isinstance(H, pd.DataFrame)
    assert H.columns.tolist() == rbm.get_feature_names_out().tolist()
    assert H.index.equals(frame.index)
    np.testing.assert_array_equal(H.to_numpy(), plain, strict=True)


# --- clone, pickle, repr ---


SCHEDULES = [0.05, (0.1, 0.05), [0.1, 0.05], np.array([0.1, 0.05])]


@pytest.mark.parametrize("learning_rate", SCHEDULES, ids=["number", "tuple", "list", "array"])
def test_clone_has_the_parameters_and_nothing_learned(X, learning_rate):
    rbm = BernoulliRBM(n_components=3, n_iter=2, learning_rate=learning_rate, random_state=0)
    twin = clone(rbm.fit(X))
    assert not hasattr(twin, "components_")
    assert type(twin.learning_rate) is type(learning_rate)
    assert_same_model(twin.fit(X), rbm)


@pytest.mark.parametrize("learning_rate", SCHEDULES, ids=["number", "tuple", "list", "array"])
def test_fit_leaves_the_parameters_as_given(X, learning_rate):
    rbm = BernoulliRBM(n_components=3, n_iter=2, learning_rate=learning_rate)
    before = rbm.get_params()
    after = rbm.fit(X).get_params()
    assert all(after[name] is before[name] for name in before)


@pytest.mark.parametrize("algorithm", ["cd", "pcd"])
def test_pickle_keeps_every_bit(X, algorithm):
    rbm = BernoulliRBM(n_components=3, n_iter=2, algorithm=algorithm, momentum=0.5).fit(X)
    twin = pickle.loads(pickle.dumps(rbm))
    assert_same_model(twin, rbm)
    np.testing.assert_array_equal(twin.transform(X), rbm.transform(X), strict=True)
    np.testing.assert_array_equal(
        twin.sample(5, n_gibbs_steps=3, random_state=1),
        rbm.sample(5, n_gibbs_steps=3, random_state=1),
        strict=True,
    )


def test_repr_shows_what_differs_from_the_defaults(X):
    rbm = BernoulliRBM(3, learning_rate=(0.1, 0.05), n_iter=2)
    text = "BernoulliRBM(learning_rate=(0.1, 0.05), n_components=3, n_iter=2)"
    assert repr(rbm) == text
    assert repr(rbm.fit(X)) == text
    assert repr(BernoulliRBM()) == "BernoulliRBM()"


# --- meta-estimators ---


def test_pipeline_does_what_its_steps_do(X, y):
    X = 5 * X - 2
    rbm = BernoulliRBM(n_components=3, n_iter=2, random_state=0)
    pipeline = make_pipeline(MinMaxScaler(), clone(rbm), LogisticRegression()).fit(X, y)
    scaled = MinMaxScaler().fit_transform(X)
    assert_same_model(pipeline.named_steps["bernoullirbm"], rbm.fit(scaled))
    classifier = LogisticRegression().fit(rbm.transform(scaled), y)
    np.testing.assert_array_equal(pipeline.predict(X), classifier.predict(rbm.transform(scaled)))
    assert pipeline[:-1].get_feature_names_out().tolist() == rbm.get_feature_names_out().tolist()


def test_feature_union_puts_features_beside_pixels(X):
    rbm = BernoulliRBM(n_components=3, n_iter=2, random_state=0)
    union = FeatureUnion(
        [
            ("pixels", FunctionTransformer(feature_names_out="one-to-one")),
            ("rbm", clone(rbm)),
        ]
    )
    both = union.fit_transform(X)
    np.testing.assert_array_equal(both[:, :6], X)
    np.testing.assert_array_equal(both[:, 6:], rbm.fit(X).transform(X))
    assert union.get_feature_names_out()[-1] == "rbm__bernoullirbm2"


def test_fit_transform_is_fit_then_transform(X):
    rbm = BernoulliRBM(n_components=3, n_iter=2, random_state=0)
    H = clone(rbm).fit_transform(X)
    np.testing.assert_array_equal(H, rbm.fit(X).transform(X), strict=True)


def test_grid_search_tunes_a_machine_alone_by_its_score(X):
    rbm = BernoulliRBM(n_components=3, n_iter=60, random_state=0)
    grid = {"learning_rate": [1e-6, 0.5], "algorithm": ["cd", "pcd"]}
    search = GridSearchCV(rbm, grid, cv=KFold(3)).fit(X)
    # A machine that cannot move stays at the base rates and misses how the pixels go together.
    assert search.best_params_["learning_rate"] == 0.5
    best = clone(rbm).set_params(**search.best_params_)
    folds = [best.fit(X[train]).score(X[test]) for train, test in KFold(3).split(X)]
    assert search.best_score_ == pytest.approx(np.mean(folds), rel=1e-12)
    assert_same_model(search.best_estimator_, best.fit(X))


def test_grid_search_over_a_number_and_a_schedule(X, y):
    pipeline = Pipeline(
        [
            ("scale", MinMaxScaler()),
            ("rbm", BernoulliRBM(n_components=3, n_iter=3, random_state=0)),
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
