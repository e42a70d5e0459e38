"""What a SoftmaxRBM holds, and who may change it: chains, chunks, failures, users."""

import copy
import pickle

import joblib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.special import expit
from sklearn.base import clone

from skrbm import SoftmaxRBM

from .comparison import assert_same_bits, assert_same_model, learned
from .test_softmax_estimator import variants
from .test_softmax_input import HALF_STARS, machine, ratings, stored

BOTH = pytest.mark.parametrize("conditional", [False, True])


@pytest.fixture(name="X")
def half_stars():
    return ratings()


@pytest.fixture
def more():
    return ratings(seed=2)


# --- persistent chains ---


@pytest.mark.parametrize("container", [np.asarray, stored])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_persistent_chains_refuse_missing_entries_and_say_why(X, container, method):
    rbm = machine(algorithm="pcd")
    before = set(vars(rbm))
    n_missing = np.isnan(X).sum()
    message = rf"needs complete rows, but {n_missing} entries .*Use algorithm='cd'"
    with pytest.raises(ValueError, match=message):
        getattr(rbm, method)(container(X))
    assert set(vars(rbm)) == before


def test_persistent_chains_learn_from_complete_rows_and_then_read_any(X):
    complete = ratings(missing=0)
    rbm = machine(algorithm="pcd", n_chains=4, conditional=True).fit(complete)
    assert_same_model(clone(rbm).fit(stored(complete)), rbm)
    assert np.isfinite(rbm.predict_ratings(X)).all()
    with pytest.raises(ValueError, match="complete rows"):
        rbm.partial_fit(X)
    chains = rbm.h_samples_.copy()
    assert (rbm.partial_fit(complete).h_samples_ != chains).any()


def test_an_ignored_unknown_value_makes_a_row_incomplete():
    X = ratings(missing=0)
    options = {"algorithm": "pcd", "handle_unknown": "ignore", "categories": HALF_STARS}
    X[0, 0] = 9
    with pytest.raises(ValueError, match="1 entries of X are missing"):
        machine(**options).fit(X)


# --- chunks ---


@variants
def test_chunks_do_what_epochs_do(X, variant):
    chunks = machine(**variant).partial_fit(X).partial_fit(X)
    assert_same_model(chunks, machine(n_iter=2, shuffle=False, **variant).fit(X))
    rbm = machine(n_iter=1, shuffle=False, **variant).fit(X).partial_fit(X)
    assert_same_model(rbm, chunks)


@variants
def test_pickling_between_chunks_changes_no_bit(X, more, variant):
    variant = variant | {"handle_unknown": "ignore"}
    straight, pickled, copied = (machine(**variant) for _ in range(3))
    for chunk in (X, more, X):
        straight.partial_fit(chunk)
        pickled = pickle.loads(pickle.dumps(pickled)).partial_fit(chunk)
        copied = copy.deepcopy(copied).partial_fit(chunk)
    assert_same_model(pickled, straight)
    assert_same_model(copied, straight)
    assert_same_bits(pickled.predict_ratings(X), straight.predict_ratings(X))


def test_learning_goes_on_from_read_only_memory(X, tmp_path):
    rbm = machine(conditional=True).partial_fit(X)
    joblib.dump(rbm, tmp_path / "rbm")
    mapped = joblib.load(tmp_path / "rbm", mmap_mode="r")
    assert_same_bits(mapped.predict_ratings(X), rbm.predict_ratings(X))
    assert_same_model(mapped.partial_fit(X), rbm.partial_fit(X))


def test_the_first_chunk_fixes_the_categories():
    first, later = np.array([[1.0, 2.0], [2.0, 3.0]]), np.array([[1.0, 4.0], [3.0, 2.0]])
    rbm = machine().partial_fit(first)
    assert_array_equal(rbm.categories_[0], [1, 2, 3])
    before = pickle.dumps(learned(rbm))
    with pytest.raises(ValueError, match=r"4\.0 in feature 1"):
        rbm.partial_fit(later)
    assert pickle.dumps(learned(rbm)) == before
    rbm.set_params(categories=[1, 2, 3, 4])  # too late
    with pytest.raises(ValueError, match=r"4\.0 in feature 1"):
        rbm.partial_fit(later)
    missing = np.where(later == 4, np.nan, later)
    twin = copy.deepcopy(rbm).partial_fit(missing)
    assert_same_model(rbm.set_params(handle_unknown="ignore").partial_fit(later), twin)
    assert_array_equal(rbm.fit(later).categories_[0], [1, 2, 3, 4])


@BOTH
def test_the_first_chunk_decides_whether_the_machine_is_conditional(X, conditional):
    rbm = machine(conditional=conditional).partial_fit(X)
    rbm.set_params(conditional=not conditional)
    before = pickle.dumps(vars(rbm))
    with pytest.raises(ValueError, match="first call of partial_fit decides"):
        rbm.partial_fit(X)
    assert pickle.dumps(vars(rbm)) == before
    assert (rbm.fit(X).conditional_components_ is not None) == (not conditional)


def test_a_refused_later_chunk_leaves_the_estimator_unchanged(X):
    rbm = machine(conditional=True).partial_fit(X)
    before = pickle.dumps(vars(rbm))
    for bad in (X[:, :5], np.full((3, 6), 9.0), X[:0], "text", np.full((3, 6), "a")):
        with pytest.raises(ValueError):
            rbm.partial_fit(bad)
        assert pickle.dumps(vars(rbm)) == before
    rbm.set_params(learning_rate=1.0, weight_decay=1e300)
    before = pickle.dumps(vars(rbm))
    with pytest.raises(ValueError, match="diverged in epoch 2"):
        rbm.partial_fit(X)
    assert pickle.dumps(vars(rbm)) == before


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_failed_first_fit_leaves_nothing_behind(X, method):
    for bad in ({"weight_decay": 1e300}, {"categories": [1, 2]}, {"algorithm": "pcd"}):
        rbm = machine(**bad)
        before = set(vars(rbm))
        with pytest.raises(ValueError):
            getattr(rbm, method)(X)
        assert set(vars(rbm)) == before


def test_a_failed_fit_to_other_categories_leaves_the_old_machine_whole(X):
    rbm = machine(conditional=True).fit(X)
    expected = rbm.predict_ratings(X)
    with pytest.raises(ValueError, match="diverged"):
        rbm.set_params(weight_decay=1e300, conditional=False).fit(X[:, ::-1] * 2 + 1)
    assert_same_bits(rbm.predict_ratings(X), expected)


def test_a_chunk_without_entries_is_a_chunk(X):
    rbm = machine(weight_decay=0, momentum=0).partial_fit(X)
    before = rbm.components_.copy()
    rbm.partial_fit(np.full((3, 6), np.nan)).partial_fit(sparse.csr_array((3, 6)))
    assert_same_bits(rbm.components_, before)
    assert rbm.n_iter_ == 3


# --- arrays that the user replaces ---


def test_methods_follow_arrays_that_the_user_replaces(X):
    rng = np.random.default_rng(3)
    rbm = machine(categories=HALF_STARS, conditional=True).fit(X)
    observed = ~np.isnan(X)
    one_hot = (X[:, :, np.newaxis] == HALF_STARS).reshape(23, -1)
    rbm.components_, rbm.intercept_hidden_ = rng.normal(size=(3, 66)), rng.normal(size=3)
    rbm.intercept_visible_ = rng.normal(size=66)
    rbm.conditional_components_ = rng.normal(size=(3, 6))
    x = rbm.intercept_hidden_ + one_hot @ rbm.components_.T
    x += observed @ rbm.conditional_components_.T
    assert_allclose(rbm.transform(X), expit(x), rtol=1e-12)
    F = -(one_hot @ rbm.intercept_visible_) - np.logaddexp(0, x).sum(axis=1)
    assert_allclose(rbm.free_energy(X), F, rtol=1e-12)
    names = ["components_", "intercept_visible_", "intercept_hidden_", "conditional_components_"]
    before = {name: getattr(rbm, name).copy() for name in names}
    rbm.set_params(learning_rate=1e-9, momentum=0).partial_fit(X)
    for name, array in before.items():
        assert_allclose(getattr(rbm, name), array, atol=1e-7)
        assert (getattr(rbm, name) != array).any()


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("components_", (3, 65)),
        ("components_", (3, 67)),
        ("components_", (2, 66)),
        ("components_", (198,)),
        ("components_", (66, 3)),
        ("intercept_visible_", (65,)),
        ("intercept_visible_", (67,)),
        ("intercept_visible_", (66, 1)),
        ("intercept_visible_", (6,)),
        ("intercept_hidden_", (2,)),
        ("intercept_hidden_", (3, 1)),
        ("conditional_components_", (3, 5)),
        ("conditional_components_", (2, 6)),
        ("conditional_components_", (6, 3)),
        ("conditional_components_", (18,)),
    ],
)
def test_arrays_of_other_shapes_are_refused(X, name, shape):
    """Kernels do not check bounds."""
    rbm = machine(categories=HALF_STARS, conditional=True).fit(X)
    setattr(rbm, name, np.ones(shape))
    before = pickle.dumps(vars(rbm))
    for method in (rbm.transform, rbm.score_samples, rbm.predict_ratings, rbm.partial_fit):
        with pytest.raises(ValueError):
            method(X)
    with pytest.raises(ValueError):
        rbm.sample(2, n_gibbs_steps=1)
    assert pickle.dumps(vars(rbm)) == before


def test_chains_and_steps_of_other_shapes_are_refused():
    X = ratings(missing=0)
    for name, value in (("h_samples_", np.zeros((4, 50))), ("_steps", (np.zeros((5, 5)),))):
        rbm = machine(algorithm="pcd", momentum=0.5).fit(X)
        setattr(rbm, name, value)
        with pytest.raises(ValueError, match="must stay the same"):
            rbm.partial_fit(X)


def test_hidden_rows_of_another_shape_are_refused(X):
    rbm = machine().fit(X)
    with pytest.raises(ValueError, match=r"H has 4 columns.* 3 hidden units"):
        rbm.inverse_transform(np.zeros((2, 4)))
    with pytest.raises(ValueError, match="V has 23 rows but H has 22"):
        rbm.energy(X, np.zeros((22, 3)))


def test_a_machine_of_public_attributes_alone(X):
    rbm, fitted = SoftmaxRBM(3), machine().fit(X)
    names = ["components_", "intercept_visible_", "intercept_hidden_", "categories_"]
    for name in (*names, "n_features_in_"):
        setattr(rbm, name, getattr(fitted, name))
    assert_same_bits(rbm.transform(X), fitted.transform(X))


# --- readers ---


@pytest.mark.parametrize("container", [np.asarray, stored])
def test_methods_that_read_leave_the_estimator_unchanged(X, container):
    rbm = machine(conditional=True, random_state=np.random.RandomState(0)).fit(X)
    X, H = container(X), np.full((23, 3), 0.5)
    before = pickle.dumps(learned(rbm)), pickle.dumps(rbm.get_params())
    for name in ("transform", "reconstruct", "free_energy", "score_samples", "score", "gibbs"):
        getattr(rbm, name)(X)
        assert pickle.dumps(learned(rbm)) == before[0], name
    for name in ("predict_ratings", "conditional_proba"):
        getattr(rbm, name)(X)
        getattr(rbm, name)(X, [1], [2], method="mean_field")
    for result in (rbm.recommend(X, 2)[0], rbm.top_features(0)[1], rbm.inverse_transform(H)):
        result[...] = -1
    rbm.sample(3, n_gibbs_steps=2)[...] = 7
    rbm.sample(3, n_gibbs_steps=2, init=X)
    rbm.energy(X, H)
    assert (pickle.dumps(learned(rbm)), pickle.dumps(rbm.get_params())) == before
