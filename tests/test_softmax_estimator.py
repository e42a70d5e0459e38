"""SoftmaxRBM keeps scikit-learn's contract; its attributes and the forms of its rows."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from skrbm import SoftmaxRBM

from .comparison import assert_same_bits, assert_same_model
from .test_softmax_input import HALF_STARS, machine, ratings, stored

BOTH = pytest.mark.parametrize("conditional", [False, True])
VARIANTS = {
    "cd": {},
    "conditional": {"conditional": True, "momentum": 0.5},
    "means": {"negative_visibles": "mean", "n_gibbs_steps": 2, "conditional": True},
    "auto": {"categories": "auto", "momentum": 0, "batch_size": 7},
}
variants = pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS.keys())


@pytest.fixture(name="X")
def half_stars():
    return ratings()


# --- scikit-learn's checks ---

CHECKED = [
    SoftmaxRBM(n_components=4, n_iter=2),
    SoftmaxRBM(n_components=4, n_iter=2, conditional=True, n_gibbs_steps=(1, 2)),
    SoftmaxRBM(n_components=4, n_iter=2, categories="auto", shuffle=False),
    SoftmaxRBM(n_components=4, n_iter=2, negative_visibles="mean", momentum=(0.0, 0.5)),
]


@parametrize_with_checks(CHECKED)
def test_scikit_learns_checks_pass(estimator, check):
    check(estimator)


def test_check_estimator_expects_no_failure():
    results = estimator_checks.check_estimator(CHECKED[1], on_skip=None)
    assert {result["status"] for result in results} <= {"passed", "skipped"}


# --- attributes ---


@BOTH
@pytest.mark.parametrize("algorithm", ["cd", "pcd"])
def test_attributes_have_the_shapes_documented(conditional, algorithm):
    X = np.array([[0.0, 7, 1], [0, 8, 2], [0, 7, 3], [0, 8, 1]])
    rbm = machine(categories=[[0], [7, 8], [1, 2, 3]], conditional=conditional)
    rbm.set_params(algorithm=algorithm, n_chains=5).fit(X)
    assert rbm.components_.shape == (3, 6)
    assert rbm.intercept_visible_.shape == (6,)
    assert rbm.intercept_hidden_.shape == (3,)
    assert rbm.h_samples_.shape == (5 if algorithm == "pcd" else 4, 3)
    assert rbm.h_samples_.any() == (algorithm == "pcd")
    assert rbm.n_features_in_ == 3
    assert rbm.n_iter_ == 2
    assert isinstance(rbm.categories_, list)
    assert (rbm.conditional_components_ is not None) == conditional
    if conditional:
        assert rbm.conditional_components_.shape == (3, 3)
        assert rbm.conditional_components_.any()


def test_components_of_one_feature_stand_side_by_side():
    """A weight on the second category of feature 1 moves nothing else."""
    X = np.array([[0.0, 7, 1], [0, 8, 2], [np.nan, np.nan, 3]])
    rbm = machine(categories=[[0], [7, 8], [1, 2, 3]]).fit(X)
    rbm.components_ = np.zeros((3, 6))
    rbm.components_[0] = [1, 2, 3, 4, 5, 6]
    rbm.intercept_hidden_ = np.zeros(3)
    sums = [1 + 2 + 4, 1 + 3 + 5, 6]
    assert_allclose(rbm.transform(X)[:, 0], expit(sums))
    rbm.intercept_visible_ = np.array([10.0, 20, 30, 40, 50, 60])
    energies = [-10 - 20 - 40, -10 - 30 - 50, -60]
    assert_allclose(rbm.energy(X, np.zeros((3, 3))), energies)
    assert_allclose(rbm.energy(X, np.ones((3, 3))), np.subtract(energies, sums))


def test_biases_start_at_the_frequencies(X):
    rbm = machine(n_iter=0).fit(X)
    for i, b in enumerate(rbm.intercept_visible_.reshape(6, -1)):
        counts = np.array([(X[:, i] == value).sum() for value in HALF_STARS])
        p = np.exp(b) / np.exp(b).sum()
        assert_allclose(p, (counts + 0.5) / (counts + 0.5).sum(), rtol=1e-12)
    assert rbm.n_iter_ == 0
    assert np.abs(rbm.components_).max() < 0.06


def test_a_refit_without_the_conditional_part_removes_it(X):
    rbm = machine(conditional=True).fit(X)
    rbm.set_params(conditional=False).fit(X)
    assert rbm.conditional_components_ is None
    assert_same_model(rbm, machine().fit(X))
    rbm.set_params(conditional=True).fit(X)
    assert_same_model(rbm, machine(conditional=True).fit(X))


def test_hidden_units_of_a_conditional_machine_see_what_is_observed(X):
    rbm = machine(conditional=True).fit(X)
    rbm.components_ = np.zeros_like(rbm.components_)
    U = rbm.conditional_components_ = np.random.default_rng(0).normal(size=(3, 6))
    x = ~np.isnan(X) @ U.T + rbm.intercept_hidden_
    assert_allclose(rbm.transform(X), expit(x), rtol=1e-12)
    assert_allclose(rbm.transform(stored(X)), expit(x), rtol=1e-12)


@variants
def test_history_has_a_figure_per_epoch(X, variant):
    rbm = machine(n_iter=4, learning_rate=(0.1, 0.05), **variant).fit(X)
    assert rbm.history_.keys() >= {"reconstruction_error", "learning_rate", "seconds"}
    assert {len(values) for values in rbm.history_.values()} == {4}
    assert rbm.history_["learning_rate"] == [0.1, 0.05, 0.05, 0.05]
    errors = np.square(rbm.reconstruct(X) - X)
    error = errors[~np.isnan(X)].mean()
    assert rbm.history_["reconstruction_error"][-1] == pytest.approx(error, rel=1e-12)


def test_schedules_go_from_epoch_to_epoch(X):
    schedules = {"learning_rate": (0.1, 0.05), "momentum": (0, 0.5), "n_gibbs_steps": (1, 3)}
    rbm = machine(shuffle=False, **schedules).fit(X)
    assert rbm.history_["n_gibbs_steps"] == [1, 3]
    assert rbm.history_["momentum"] == [0, 0.5]
    chunks = machine(**schedules).partial_fit(X).partial_fit(X)
    assert_same_model(chunks, rbm)
    assert (rbm.components_ != machine(shuffle=False).fit(X).components_).any()


# --- forms of rows ---


@BOTH
def test_dense_rows_come_back_dense_and_missing_entries_stay_missing(X, conditional):
    rbm = machine(conditional=conditional).fit(X)
    drawn = rbm.gibbs(X, 2, random_state=0)
    assert isinstance(drawn, np.ndarray)
    assert drawn.shape == X.shape
    assert_array_equal(np.isnan(drawn), np.isnan(X))
    assert np.isin(drawn[~np.isnan(drawn)], HALF_STARS).all()
    assert (drawn != X)[~np.isnan(X)].any()


@BOTH
@pytest.mark.parametrize("form", ["csr", "csc", "coo", "lil"])
def test_sparse_rows_come_back_as_csr_of_the_same_pattern(X, conditional, form):
    rbm, data = machine(conditional=conditional).fit(X), stored(X).asformat(form)
    dense = rbm.gibbs(X, 2, random_state=0)
    for drawn, expected in (
        (rbm.gibbs(data, 2, random_state=0), dense),
        (
            rbm.sample(30, n_gibbs_steps=2, init=data, random_state=0),
            rbm.sample(30, n_gibbs_steps=2, init=X, random_state=0),
        ),
    ):
        assert drawn.format == "csr"
        assert drawn.dtype == np.float64
        drawn.check_format()
        assert drawn.nnz == (~np.isnan(expected)).sum()  # zeros are stored
        assert_same_bits(drawn.indices, stored(expected).indices)
        assert_same_bits(drawn.data, stored(expected).data)


def test_samples_of_no_start_are_complete_rows(X):
    rbm = machine(conditional=True).fit(X)
    rows = rbm.sample(50, n_gibbs_steps=3, random_state=0)
    assert rows.shape == (50, 6)
    assert np.isin(rows, HALF_STARS).all()
    assert_array_equal(rows, rbm.sample(50, n_gibbs_steps=3, random_state=0))
    assert (rows != rbm.sample(50, n_gibbs_steps=3, random_state=1)).any()


@BOTH
@pytest.mark.parametrize("container", [np.asarray, stored])
def test_reconstructions_are_expectations_of_all_features(X, conditional, container):
    rbm = machine(categories="auto", conditional=conditional).fit(X)
    H = rbm.transform(container(X))
    mean = rbm.inverse_transform(H)
    assert isinstance(mean, np.ndarray)
    first = 0
    for i, values in enumerate(rbm.categories_):
        codes = slice(first, first + len(values))
        first += len(values)
        e = np.exp(H @ rbm.components_[:, codes] + rbm.intercept_visible_[codes])
        assert_allclose(mean[:, i], (e / e.sum(axis=1, keepdims=True)) @ values, rtol=1e-11)
    assert_same_bits(rbm.reconstruct(container(X)), mean)


def test_score_is_the_mean_score_of_rows(X):
    rbm = machine(conditional=True).fit(X)
    scores = rbm.score_samples(X)
    assert rbm.score(X) == pytest.approx(scores.mean(), rel=1e-14)
    assert scores[4] == 0
    assert (np.delete(scores, 4) < 0).all()
    many = np.tile(X, (30, 1))
    assert_same_bits(rbm.score_samples(many), np.tile(scores, 30))


@pytest.mark.parametrize("block", [1, 100])
def test_scores_do_not_depend_on_the_size_of_blocks(X, block, monkeypatch):
    rbm = machine().fit(X)
    expected = rbm.score_samples(X), rbm.reconstruct(X)
    monkeypatch.setattr("skrbm._softmax.BLOCK", block)
    monkeypatch.setattr("skrbm._machine.softmax.BLOCK", block)
    assert_allclose(rbm.score_samples(X), expected[0], rtol=1e-12)
    assert_allclose(rbm.reconstruct(X), expected[1], rtol=1e-12)


def test_before_fit_every_method_says_so(X):
    reads = ["transform", "reconstruct", "free_energy", "score_samples", "score", "gibbs"]
    calls = dict.fromkeys([*reads, "predict_ratings", "conditional_proba", "recommend"], (X,))
    calls |= {"inverse_transform": (X,), "energy": (X, X), "sample": (), "top_features": (0,)}
    for name, arguments in calls.items():
        with pytest.raises(NotFittedError, match="SoftmaxRBM"):
            getattr(machine(), name)(*arguments)


# --- tools ---


def test_repr_and_clone(X):
    assert repr(SoftmaxRBM()) == "SoftmaxRBM()"
    assert repr(SoftmaxRBM(3, conditional=True)) == "SoftmaxRBM(conditional=True, n_components=3)"
    for categories in ("auto", HALF_STARS, [HALF_STARS] * 6):
        rbm = machine(categories=categories).fit(X)
        twin = clone(rbm)
        assert not hasattr(twin, "components_")
        assert_same_model(twin.fit(X), rbm)


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


@pytest.mark.parametrize("container", [np.asarray, stored])
def test_grid_search_tunes_a_machine_alone_by_its_score(container):
    rng = np.random.default_rng(0)
    X = np.where(rng.random((90, 1)) < 0.5, 1.0, 5.0) + rng.integers(0, 2, (90, 6))
    X[rng.random(X.shape) < 0.3] = np.nan
    X = container(X)
    rbm = machine(n_iter=15, categories=[1, 2, 5, 6])
    grid = {"learning_rate": [1e-6, 0.1], "conditional": [False, True]}
    search = GridSearchCV(rbm, grid, cv=KFold(3)).fit(X)
    assert search.best_params_["learning_rate"] == 0.1
    best = clone(rbm).set_params(**search.best_params_)
    folds = [best.fit(X[train]).score(X[test]) for train, test in KFold(3).split(X)]
    assert search.best_score_ == pytest.approx(np.mean(folds), rel=1e-12)
    assert_same_model(search.best_estimator_, best.fit(X))


def test_set_output_gives_a_frame_with_names_and_index(X):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=list("abcdef"), index=np.arange(100, 123))
    rbm = machine().fit(frame)
    plain = rbm.transform(frame)
    H = rbm.set_output(transform="pandas").transform(frame)
    assert H.columns.tolist() == ["softmaxrbm0", "softmaxrbm1", "softmaxrbm2"]
    assert H.index.equals(frame.index)
    assert_array_equal(H.to_numpy(), plain)
    assert rbm.feature_names_in_.tolist() == list("abcdef")
    assert isinstance(rbm.predict_ratings(frame), np.ndarray)
    with pytest.raises(ValueError, match="same order"):
        rbm.predict_ratings(frame[list("fedcba")])


def test_learning_raises_the_score():
    rng = np.random.default_rng(0)
    X = np.where(rng.random((200, 1)) < 0.5, 1.0, 4.0) + rng.integers(0, 2, (200, 8))
    X[rng.random(X.shape) < 0.5] = np.nan
    start = SoftmaxRBM(8, n_iter=0, random_state=0).fit(X)
    for conditional in (False, True):
        rbm = SoftmaxRBM(8, conditional=conditional, learning_rate=0.1, random_state=0).fit(X)
        assert rbm.score(X) > start.score(X) + 0.5
