"""The machines of ratings: both orientations, priors of what is unknown, and the blend."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone

from skrbm import SoftmaxRBM
from skrbm._recommending.machines import Side, blended, fit_sides, learned_weight

from ..helpers.comparison import assert_same_model
from ..oracles.recommending import product, shrunk_frequencies
from ..oracles.softmax import EnumeratedSoftmaxRBM

SCALE = np.array([1, 2, 4], np.float32)
N_ROWS, N_COLUMNS = 5, 4


def table(rng, shape=(N_ROWS, N_COLUMNS)):
    """Ratings with gaps; row 3 holds nothing."""
    dense = np.where(rng.random(shape) < 0.7, rng.choice(SCALE, shape), 0)
    dense[3] = 0
    dense[0] = rng.choice(SCALE, shape[1])
    return sparse.csr_array(dense.astype(np.float32))


def machine(**parameters):
    return SoftmaxRBM(**{"n_components": 2, "n_iter": 2, "random_state": 0, **parameters})


def fitted(ratings, seed=4):
    """A machine of large weights, and the same by enumeration."""
    rbm = machine(conditional=True, categories=SCALE.tolist()).fit(ratings)
    rng = np.random.default_rng(seed)
    for name in ("components_", "intercept_visible_", "intercept_hidden_"):
        setattr(rbm, name, rng.normal(0, 1, getattr(rbm, name).shape).astype(np.float32))
    shape = rbm.conditional_components_.shape
    rbm.conditional_components_ = rng.normal(0, 1, shape).astype(np.float32)
    oracle = EnumeratedSoftmaxRBM(
        rbm.components_.T,
        rbm.intercept_visible_,
        rbm.intercept_hidden_,
        np.arange(ratings.shape[1] + 1) * len(SCALE),
        np.tile(SCALE, ratings.shape[1]),
        rbm.conditional_components_.T,
    )
    return rbm, oracle


def codes_of(row):
    """What a row of ratings, 0 where there is none, observes."""
    columns = np.flatnonzero(row)
    return tuple((columns * len(SCALE) + np.searchsorted(SCALE, row[columns])).tolist())


def test_distributions_are_those_of_enumeration(rng):
    ratings = table(rng)
    rbm, oracle = fitted(ratings)
    side = Side(rbm, ratings, SCALE)
    rows, columns = np.divmod(rng.permutation((N_ROWS + 1) * N_COLUMNS), N_COLUMNS)
    rows -= 1
    p, known = side.distributions(rows, columns)
    assert known.all()
    assert p.dtype == np.float32
    dense = np.vstack([ratings.toarray(), np.zeros(N_COLUMNS)])  # row -1 holds nothing
    expected = [
        oracle.conditional_proba(codes_of(dense[row]), column)
        for row, column in zip(rows, columns, strict=True)
    ]
    assert_allclose(p, expected, atol=1e-5)


def test_new_rows_are_asked_and_new_columns_have_frequencies(rng):
    """Row 5 and column 4 came after the machine had learned."""
    ratings = table(rng)
    rbm, oracle = fitted(ratings)
    dense = np.zeros((N_ROWS + 1, N_COLUMNS + 1), np.float32)
    dense[:N_ROWS, :N_COLUMNS] = ratings.toarray()
    dense[5, [0, 2]] = 4, 2
    dense[[1, 5], 4] = 1, 4
    larger = sparse.csr_array(dense)
    rows = np.array([5, 5, 1, 1, 3, -1, 5, -1])
    columns = np.array([1, 2, 4, 0, 4, 4, -1, -1])
    p, known = Side(rbm, larger, SCALE).distributions(rows, columns)
    assert_array_equal(known, [1, 1, 0, 1, 0, 0, 0, 0])
    everything = dense[dense > 0].tolist()
    for row, column, got in zip(rows, columns, p, strict=True):
        if 0 <= column < N_COLUMNS:
            expected = oracle.conditional_proba(codes_of(dense[row, :N_COLUMNS]), column)
        else:
            own = [] if row < 0 else dense[row][dense[row] > 0].tolist()
            expected = shrunk_frequencies(own, everything, SCALE, 10)
        assert_allclose(got, expected, atol=1e-5)


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_a_blend_is_a_product_where_both_know(rng, weight):
    p, q = rng.dirichlet(np.ones(3), (2, 4)).astype(np.float32)
    known_p, known_q = np.array([1, 1, 0, 0], bool), np.array([1, 0, 1, 0], bool)
    got = blended((p, known_p), (q, known_q), weight)
    expected = [product(p[0], q[0], weight), p[1], q[2], product(p[3], q[3], weight)]
    assert_allclose(got, expected, rtol=1e-5)
    assert got.dtype == np.float32


def test_impossible_ratings_stay_so():
    p = np.array([[0.5, 0.5, 0]], np.float32)
    known = np.array([True])
    got = blended((p, known), (p, known), 0.4)
    assert_allclose(got, p, atol=1e-30)
    other = np.array([[0, 0, 1]], np.float32)
    assert np.isfinite(blended((p, known), (other, known), 0.4)).all()


def test_sides_are_fitted_in_their_orientation(rng):
    ratings = table(rng)
    sides = fit_sides({"items": machine(), "users": machine()}, ratings, SCALE)
    expected = machine(categories=SCALE.tolist())
    assert_same_model(sides["users"], clone(expected).fit(ratings))
    assert_same_model(sides["items"], clone(expected).fit(ratings.T.tocsr()))


def test_categories_are_the_scale_also_where_a_rating_is_missing(rng):
    ratings = sparse.csr_array(np.array([[1, 4], [4, 0]], np.float32))
    rbm = fit_sides({"users": machine()}, ratings, SCALE)["users"]
    assert [c.tolist() for c in rbm.categories_] == [SCALE.tolist()] * 2


# --- the weight of the blend ---


def test_the_weight_makes_held_out_ratings_most_likely(rng):
    ratings = table(rng, (30, 12))
    strong = {"learning_rate": 0.5, "average": False, "n_iter": 9}  # 3 epochs of 9 here
    machines = {"items": machine(**strong), "users": machine(conditional=True, **strong)}
    weight = learned_weight(machines, ratings, SCALE, 0.4, 7)
    assert not any(hasattr(m, "components_") for m in machines.values())
    # The same by a search over a grid.
    triples = ratings.tocoo()
    order = np.random.default_rng(7).permutation(ratings.nnz)
    n_held_out = round(0.4 * ratings.nnz)
    held_out, kept = order[:n_held_out], order[n_held_out:]
    users, items = triples.row, triples.col
    part = sparse.csr_array((triples.data[kept], (users[kept], items[kept])), shape=ratings.shape)
    short = {by: clone(m).set_params(n_iter=3) for by, m in machines.items()}
    fit_sides(short, part, SCALE)
    p = short["items"].conditional_proba(part.T.tocsr(), items[held_out], users[held_out])
    q = short["users"].conditional_proba(part, users[held_out], items[held_out])
    codes = np.searchsorted(SCALE, triples.data[held_out])

    def log_likelihood(w):
        return sum(
            np.log(product(p[n].astype(float), q[n].astype(float), w)[code])
            for n, code in enumerate(codes)
        )

    grid = np.linspace(0, 1, 101)
    assert 0.05 < weight < 0.95
    assert abs(weight - max(grid, key=log_likelihood)) < 0.01


def test_the_weight_is_learned_without_the_held_out_ratings(rng, monkeypatch):
    ratings = table(rng, (30, 12))
    given, answer = [], SoftmaxRBM.conditional_proba

    def spy(self, X, rows, columns):
        given.append(X.nnz)
        return answer(self, X, rows, columns)

    monkeypatch.setattr(SoftmaxRBM, "conditional_proba", spy)
    learned_weight({"items": machine(), "users": machine()}, ratings, SCALE, 0.4, 7)
    assert given == [ratings.nnz - round(0.4 * ratings.nnz)] * 2


def test_without_ratings_to_hold_out_the_weight_is_a_half(rng):
    ratings = table(rng)
    machines = {"items": machine(), "users": machine()}
    for fraction in (1e-6, 1 - 1e-6):
        assert learned_weight(machines, ratings, SCALE, fraction, 0) == 0.5
