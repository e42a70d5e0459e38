"""What is special to SoftmaxRBM: its attributes, the forms of its rows, gaps, extreme numbers."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit
from sklearn.base import clone

from skrbm import SoftmaxRBM

from ..helpers.comparison import assert_same_bits, assert_same_model
from ..helpers.models import bits
from ..helpers.ratings import HALF_STARS, machine, ratings, stored

BOTH = pytest.mark.parametrize("conditional", [False, True])


@pytest.fixture(name="X")
def half_stars():
    return ratings()


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
        shares = np.array([[(x == value).sum() for value in HALF_STARS] for x in X.T])
        counts = shares[i]
        shares = np.delete(shares / shares.sum(axis=1, keepdims=True), i, axis=0)
        # An entry for each of the 11 categories, shared out as elsewhere on average, one feature
        # of equal shares included.
        expected = counts + 11 * (shares.sum(axis=0) + 1 / 11) / 6
        p = np.exp(b) / np.exp(b).sum()
        assert_allclose(p, expected / expected.sum(), rtol=1e-12)
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


@pytest.mark.parametrize("block", [1, 100])
def test_scores_do_not_depend_on_the_size_of_blocks(X, block, monkeypatch):
    rbm = machine().fit(X)
    expected = rbm.score_samples(X), rbm.reconstruct(X)
    monkeypatch.setattr("skrbm._input.categories._BLOCK_NUMBERS", block)
    monkeypatch.setattr("skrbm._machine.softmax.BLOCK", block)
    assert_allclose(rbm.score_samples(X), expected[0], rtol=1e-12)
    assert_allclose(rbm.reconstruct(X), expected[1], rtol=1e-12)


def test_learning_raises_the_score():
    rng = np.random.default_rng(0)
    X = np.where(rng.random((200, 1)) < 0.5, 1.0, 4.0) + rng.integers(0, 2, (200, 8))
    X[rng.random(X.shape) < 0.5] = np.nan
    start = SoftmaxRBM(8, n_iter=0, random_state=0).fit(X)
    for conditional in (False, True):
        rbm = SoftmaxRBM(8, conditional=conditional, learning_rate=0.1, random_state=0).fit(X)
        assert rbm.score(X) > start.score(X) + 0.5


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


# --- extreme numbers ---


@pytest.mark.parametrize(("weight", "bias"), [(79, -87.4), (75, -87.4), (-79.5, 87.5), (61, -80)])
def test_products_near_the_limit_of_float32(weight, bias):
    n_hidden = 100
    X = np.array([[0, 1], [1, np.nan]])
    results = {}
    for dtype in (np.float32, np.float64):
        rbm = machine(n_components=n_hidden, n_iter=0).fit(X.astype(dtype))
        rbm.components_ = np.tile([0, weight, 0, 0], (n_hidden, 1)).astype(dtype)
        rbm.intercept_hidden_ = np.full(n_hidden, bias, dtype)
        rbm.intercept_visible_ = np.zeros(4, dtype)
        results[dtype] = rbm.conditional_proba(np.full((1, 2), np.nan, dtype))
    assert_allclose(results[np.float32], results[np.float64], atol=1e-4)


def test_an_infinite_bias_is_a_certainty():
    X = ratings(categories=np.arange(1.0, 6), n_rows=60)
    rbm = machine().fit(X)
    rbm.intercept_visible_[1], rbm.intercept_visible_[5] = np.inf, -np.inf
    p = rbm.conditional_proba(X)
    assert_array_equal(p[:, 0], np.tile([0, 1, 0, 0, 0], (60, 1)))
    assert not p[:, 1, 0].any()
    assert_allclose(p.sum(axis=2), 1)
    V = rbm.sample(50, n_gibbs_steps=2, random_state=0)
    assert (V[:, 0] == 2).all()
    assert (V[:, 1] > 1).all()
    assert_array_equal(rbm.score_samples([[2, *[np.nan] * 5]]), [0])
    assert rbm.recommend(X, 2, exclude_observed=False)[0].min() >= 0


persistent = pytest.mark.parametrize("algorithm", ["pcd", "pt"])


@persistent
@pytest.mark.parametrize("container", [np.asarray, stored])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("gaps", ["one", "many"])
def test_persistent_chains_refuse_missing_entries_and_say_why(algorithm, container, method, gaps):
    X = ratings(missing=0.4 if gaps == "many" else 0)
    if gaps == "one":
        X[3, 1] = np.nan
    rbm = machine(algorithm=algorithm)
    before = set(vars(rbm))
    message = (
        rf"algorithm='{algorithm}' needs complete rows, but {np.isnan(X).sum()} entries of X are "
        r"missing.*Use algorithm='cd'"
    )
    with pytest.raises(ValueError, match=message):
        getattr(rbm, method)(container(X))
    assert set(vars(rbm)) == before


@persistent
def test_stored_zeros_of_complete_categories_are_data_too(algorithm):
    X, options = bits(), {"algorithm": algorithm, "categories": [0, 1]}
    assert_same_model(machine(**options).fit(stored(X)), machine(**options).fit(X))


# --- units that are certain to be on or off ---


@BOTH
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1, 5, 300, 3000])
@pytest.mark.parametrize("sign", [1, -1])
def test_an_infinite_hidden_bias_makes_a_unit_certain(X, conditional, dtype, scale, sign):
    """A unit that is off is none; the weights of one that is on are biases of the others."""
    X = X.astype(dtype)
    rbm, rng = machine(conditional=conditional, n_iter=0).fit(X), np.random.default_rng(0)
    rbm.components_ = scale * rng.choice([-1, 0.25, 0.5], rbm.components_.shape).astype(dtype)
    rbm.components_[0, 5:30] = 0  # the row knows something of the other units
    rbm.intercept_hidden_[:] = 0.5, sign * np.inf, -0.25
    without = machine(conditional=conditional, n_components=2, n_iter=0).fit(X.astype(float))
    without.components_ = rbm.components_[[0, 2]].astype(float)
    without.intercept_hidden_ = np.array([0.5, -0.25])
    if conditional:
        without.conditional_components_ = rbm.conditional_components_[[0, 2]].astype(float)
    without.intercept_visible_ = rbm.intercept_visible_.astype(float)
    if sign > 0:
        without.intercept_visible_ = without.intercept_visible_ + rbm.components_[1]
    precision = {"rtol": 1e-4, "atol": 1e-5 * scale} if dtype == np.float32 else {"rtol": 1e-9}
    for method in ("exact", "mean_field"):
        for name in ("predict_ratings", "conditional_proba"):
            actual = getattr(rbm, name)(X, method=method)
            expected = getattr(without, name)(X.astype(float), method=method)
            assert_allclose(actual, expected, **precision | {"atol": 1e-4})
    assert_allclose(rbm.score_samples(X), without.score_samples(X.astype(float)), **precision)
    assert_allclose(rbm.transform(X)[:, 1], sign > 0)


# --- categories_ that a user has replaced ---


@pytest.mark.parametrize(
    "categories", [None, 5, [], [[1, 2]] * 5, [None] * 6, [["a"]] * 6, [[2, 1]] * 6, {"a": [1]}]
)
def test_what_cannot_be_categories_is_refused_by_every_method(X, categories):
    rbm = machine().fit(X)
    H = rbm.transform(X)
    rbm.categories_ = categories
    for method, argument in (("transform", X), ("inverse_transform", H), ("top_features", 0)):
        with pytest.raises(ValueError, match="categories_ "):
            getattr(rbm, method)(argument)


def test_lists_may_take_the_place_of_arrays(X):
    rbm = machine().fit(X)
    expected = rbm.predict_ratings(X), rbm.top_features(0)
    rbm.categories_ = [values.tolist() for values in rbm.categories_]
    assert_same_bits((rbm.predict_ratings(X), rbm.top_features(0)), expected)
