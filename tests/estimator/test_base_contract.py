"""The estimators keep scikit-learn's contract."""

from inspect import signature

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn import neural_network
from sklearn.base import clone
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from skrbm import BernoulliRBM, GaussianBernoulliRBM, SoftmaxRBM

from ..helpers.comparison import assert_same_model
from ..helpers.gaussian_machines import badly_scaled_expected
from ..helpers.models import BERNOULLI, MODELS, SOFTMAX, models
from ..helpers.ratings import HALF_STARS

# Some of the checks' data are normal or badly scaled on purpose; that fit warns of it is tested
# elsewhere.
outside_unit_interval_expected = pytest.mark.filterwarnings(
    "ignore:BernoulliRBM reads values as probabilities:UserWarning"
)

CHECKED = [
    BernoulliRBM(n_components=4),
    BernoulliRBM(
        n_components=4,
        n_iter=3,
        algorithm="cd",
        negative_visibles="mean",
        positive_visibles="mean",
        centering=False,
        l1_penalty=0.01,
    ),
    BernoulliRBM(
        n_components=4,
        n_iter=3,
        learning_rate=(0.1, 0.05),
        learning_rate_schedule="linear",
        momentum=(0.0, 0.5),
        weight_decay=0.01,
        n_gibbs_steps=(1, 2),
        n_chains=7,
        centering=False,
        average=False,
        shuffle=False,
        warm_start=True,
    ),
    BernoulliRBM(n_components=4, n_iter=3, algorithm="pt", n_temperatures=3, n_chains=5),
    GaussianBernoulliRBM(n_components=4),
    GaussianBernoulliRBM(
        n_components=4, n_iter=3, negative_visibles="mean", average=0.5, l1_penalty=0.01
    ),
    GaussianBernoulliRBM(
        n_components=4,
        n_iter=3,
        noise_variance="learned",
        algorithm="pcd",
        n_chains=7,
        learning_rate_schedule="inverse_sqrt",
        centering=False,
        average=False,
        momentum=(0.0, 0.5),
        weight_decay=0.01,
    ),
    GaussianBernoulliRBM(
        n_components=4, n_iter=3, algorithm="pt", n_temperatures=3, warm_start=True
    ),
    SoftmaxRBM(n_components=4, n_iter=2),
    SoftmaxRBM(n_components=4, n_iter=2, conditional=True, n_gibbs_steps=(1, 2), centering=True),
    SoftmaxRBM(
        n_components=4, n_iter=2, categories="auto", shuffle=False, average=False, l1_penalty=0.01
    ),
    SoftmaxRBM(
        n_components=4,
        n_iter=2,
        negative_visibles="mean",
        learning_rate_schedule="linear",
        centering=False,
        momentum=(0.0, 0.5),
        warm_start=True,
    ),
    BernoulliRBM(n_components=4, n_iter=3, early_stopping=True, n_iter_no_change=1),
]

#: What makes a weight of 2 exactly two rows: a mini-batch of all rows in each update, none held
#: out, and no random bits of grey values. In the rows of the checks each value is a category of
#: its own, and transform meets values that a weight of 0 has kept from fit.
EXACT_WEIGHTS = {
    "batch_size": 100,
    "early_stopping": False,
    "handle_unknown": "ignore",
}

#: Parameters that a check needs, as scikit-learn has them for checks of its own estimators. The
#: last checks call partial_fit, or fit an estimator twice and expect the same.
CHECK_PARAMETERS = {
    "check_sample_weight_equivalence_on_dense_data": EXACT_WEIGHTS,
    "check_sample_weight_equivalence_on_sparse_data": EXACT_WEIGHTS,
    "check_fit_score_takes_y": {"early_stopping": False},
    "check_n_features_in_after_fitting": {"early_stopping": False},
    "check_pipeline_consistency": {"warm_start": False},
}

mistakes_expected = pytest.mark.filterwarnings(
    "ignore:the features of X hold different values|there is one category only:UserWarning"
)


@outside_unit_interval_expected
@mistakes_expected
@badly_scaled_expected
@parametrize_with_checks(CHECKED)
def test_scikit_learns_checks_pass(estimator, check):
    needed = CHECK_PARAMETERS.get(check.func.__name__, {})
    names = needed.keys() & estimator.get_params()
    check(clone(estimator).set_params(**{name: needed[name] for name in names}))


@outside_unit_interval_expected
@mistakes_expected
@badly_scaled_expected
@pytest.mark.parametrize(
    "estimator",
    [
        BernoulliRBM(),
        GaussianBernoulliRBM(),
        GaussianBernoulliRBM(noise_variance="learned"),
        SoftmaxRBM(handle_unknown="ignore"),
        SoftmaxRBM(handle_unknown="ignore", conditional=True, n_iter=2, n_gibbs_steps=(1, 2)),
    ],
    ids=str,
)
def test_check_estimator_expects_no_failure(estimator):
    """With the default parameters, but for what would make weights exact on average only."""
    results = estimator_checks.check_estimator(estimator, on_skip=None)
    assert {result["status"] for result in results} <= {"passed", "skipped"}


# Those that scikit-learn runs on its own estimators but not on other people's.
@outside_unit_interval_expected
@pytest.mark.filterwarnings("ignore:X does not have valid feature names:UserWarning")
@pytest.mark.filterwarnings("ignore:X has feature names, but .*RBM:UserWarning")
@mistakes_expected
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


# --- clone, repr ---

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
