"""RBMRecommender: what fit learns, seeds, and the answers to odd data."""

import numba
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from skrbm import BernoulliRBM, RBMRecommender, SoftmaxRBM

from ..helpers.comparison import assert_same_bits, assert_same_model
from ..helpers.recommenders import (
    ITEMS,
    USERS,
    all_pairs,
    each_by,
    machines,
    pairs,
    recommender,
)


@pytest.fixture(name="data")
def pairs_and_ratings():
    return pairs()


def same_machines(a, b, names=("item_rbm_", "user_rbm_", "interest_rbm_")):
    for name in names:
        assert_same_model(getattr(a, name), getattr(b, name))


def test_what_fit_learns(data):
    X, y = data
    estimator = recommender().fit(X, y)
    assert_array_equal(estimator.user_ids_, USERS)
    assert_array_equal(estimator.item_ids_, ITEMS)
    assert_array_equal(estimator.rating_scale_, [1, 2, 3, 4, 5])
    assert estimator.ratings_.shape == (len(USERS), len(ITEMS))
    stored = estimator.ratings_.tocoo()
    triples = zip(stored.row, stored.col, stored.data, strict=True)
    found = {(USERS[u], ITEMS[i]): r for u, i, r in triples}
    assert found == dict(zip(map(tuple, X.tolist()), y, strict=True))
    assert 0 <= estimator.item_weight_ <= 1
    assert estimator.n_features_in_ == 2
    assert not hasattr(estimator, "feature_names_in_")


@each_by
def test_machines_are_those_of_the_tables(data, by):
    """Each machine is a clone of its parameter, fitted to the table in its orientation."""
    estimator = recommender(by, random_state=3).fit(*data)
    seeds = np.random.RandomState(3).randint(2**31 - 1, size=4).tolist()
    ratings = estimator.ratings_.toarray()
    ratings[ratings == 0] = np.nan
    tables = {
        "item_rbm_": ("rating_rbm", ratings.T, seeds[0]),
        "user_rbm_": ("user_rbm", ratings, seeds[1]),
        "interest_rbm_": ("interest_rbm", np.isfinite(ratings), seeds[3]),
    }
    left_out = {"items": "user_rbm_", "users": "item_rbm_", "both": None}[by]
    for name, (parameter, table, seed) in tables.items():
        if name == left_out:
            assert getattr(estimator, name) is None
            continue
        expected = clone(getattr(estimator, parameter)).set_params(random_state=seed)
        if parameter != "interest_rbm":
            expected.set_params(categories=[1.0, 2.0, 3.0, 4.0, 5.0])
        assert_same_model(getattr(estimator, name), expected.fit(table.astype(np.float32)))
        assert not hasattr(getattr(estimator, parameter), "components_")
    assert (estimator.item_weight_ is None) == (by != "both")


def test_a_machine_is_the_same_whatever_others_there_are(data):
    X, y = data
    both, items, users = (recommender(by).fit(X, y) for by in ("both", "items", "users"))
    same_machines(both, items, ("item_rbm_", "interest_rbm_"))
    same_machines(both, users, ("user_rbm_", "interest_rbm_"))
    same_machines(both, recommender().fit(X), ("interest_rbm_",))


def test_the_machines_of_none():
    X, y = pairs()
    estimator = RBMRecommender(random_state=0)
    for name in ("rating_rbm", "user_rbm", "interest_rbm"):
        estimator.set_params(**{f"{name}__n_iter": 1, f"{name}__n_components": 2})
    estimator.fit(X, y)
    assert type(estimator.item_rbm_) is type(estimator.user_rbm_) is SoftmaxRBM
    assert type(estimator.interest_rbm_) is BernoulliRBM
    assert estimator.predict(X).shape == (len(X),)


# --- seeds and threads ---


def test_an_integer_gives_the_same_result_each_time(data):
    estimator = recommender(random_state=7)
    first = clone(estimator).fit(*data)
    same_machines(estimator.fit(*data), first)
    same_machines(estimator.fit(*data), first)
    assert estimator.item_weight_ == first.item_weight_
    other = clone(estimator).set_params(random_state=8).fit(*data)
    assert (other.item_rbm_.components_ != first.item_rbm_.components_).any()


def test_a_generator_goes_on(data):
    generator = np.random.RandomState(7)
    estimator = recommender(random_state=generator)
    first = clone(estimator).fit(*data)
    same_machines(first, recommender(random_state=7).fit(*data))
    estimator.fit(*data)
    again = estimator.item_rbm_
    estimator.fit(*data)
    assert (again.components_ != estimator.item_rbm_.components_).any()


def test_machines_keep_seeds_of_their_own(data):
    estimator = recommender()
    estimator.set_params(
        rating_rbm__random_state=1, user_rbm__random_state=2, interest_rbm__random_state=3
    )
    one, other = (clone(estimator).set_params(random_state=seed).fit(*data) for seed in (1, 2))
    same_machines(one, other)
    assert one.item_rbm_.random_state == 1
    assert recommender().fit(*data).item_rbm_.random_state is not None


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS == 1, reason="one core")
def test_the_number_of_threads_changes_nothing(data):
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        alone = recommender().fit(*data)
        ratings = alone.predict(all_pairs())
    finally:
        numba.set_num_threads(before)
    together = recommender().fit(*data)
    same_machines(together, alone)
    assert_array_equal(together.predict(all_pairs()), ratings)


# --- odd data ---


def test_equal_pairs_count_once(data):
    X, y = data
    once, twice = recommender().fit(X, y), recommender().fit(np.r_[X, X[:5]], np.r_[y, y[:5]])
    same_machines(once, twice)
    same_machines(recommender().fit(X), recommender().fit(np.r_[X, X]), ("interest_rbm_",))


LIKED = {
    "median of the pairs": (
        [("a", 1), ("b", 1), ("c", 1), ("c", 1), ("c", 1)],
        [1, 2, 5, 5, 5],
        2,
    ),
    "between two ratings": ([("a", 1), ("b", 1), ("c", 1), ("d", 1)], [1, 2, 4, 5], 3),
    "never the lowest": ([("a", 1), ("b", 1), ("c", 1)], [1, 1, 4], 4),
}


@pytest.mark.parametrize(("X", "y", "expected"), LIKED.values(), ids=LIKED)
def test_from_which_rating_on_items_are_liked(X, y, expected):
    assert recommender().fit(X, y).liked_from_ == expected


def test_a_pair_with_two_ratings_is_refused(data):
    X, y = data
    message = (
        rf"rows 0 and {len(X)} of X are one pair, user {X[0, 0]} and item {X[0, 1]}, .*kept = ~"
    )
    with pytest.raises(ValueError, match=message):
        recommender().fit(np.r_[X, X[:1]], np.r_[y, y[0] % 5 + 1])


def test_the_order_of_pairs_does_not_matter(data):
    X, y = data
    order = np.random.default_rng(4).permutation(len(X))
    same_machines(recommender().fit(X, y), recommender().fit(X[order], y[order]))
    texts = [(str(u) if u % 2 else u, f"i{i}") for u, i in X.tolist()]
    one = recommender().fit(texts, y)
    other = recommender().fit([texts[k] for k in order], y[order])
    assert one.user_ids_.tolist() == other.user_ids_.tolist()
    same_machines(one, other)


SMALL = {
    "one pair": ([(1, 2)], [3]),
    "one user": ([(1, i) for i in range(4)], [1, 2, 2, 1]),
    "one item": ([(u, 1) for u in range(4)], [1, 2, 2, 1]),
    "two users who share nothing": ([(1, 1), (2, 2)], [1, 2]),
}


@pytest.mark.filterwarnings("ignore:all ratings in y are 3:UserWarning")
@each_by
@pytest.mark.parametrize(("X", "y"), SMALL.values(), ids=SMALL)
def test_small_tables(X, y, by):
    for estimator in (recommender(by).fit(X, y), recommender(by).fit(X)):
        asked = [*X, (X[0][0], 99), (99, X[0][1]), (99, 99)]
        ratings = estimator.predict(asked)
        assert np.isfinite(ratings).all()
        if estimator.rating_scale_ is not None:
            assert ratings.min() >= min(y)
            assert ratings.max() <= max(y)
        items, _ = estimator.recommend([X[0][0], 99], 9)
        assert set(items[0]) - {None} == {i for _, i in X} - {i for u, i in X if u == X[0][0]}
        n_items = len({i for _, i in X})
        assert estimator.similar_items([X[0][1]])[0].shape == (1, n_items - 1)


@pytest.mark.parametrize("scale", [[0, 1], [-2, -1, 3], [0, 0.5, 2.5], [False, True]], ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scales_of_ratings(data, scale, dtype):
    """A rating of 0 is a rating, as is one below 0."""
    X, y = data
    codes = y.astype(int) % len(scale)
    estimator = recommender().fit(X, np.array(scale, dtype)[codes])
    assert_array_equal(estimator.rating_scale_, np.array(scale, dtype), strict=True)
    assert estimator.ratings_.nnz == len(X)
    as_codes = recommender().fit(X, codes)
    assert_allclose(estimator.predict_distribution(X), as_codes.predict_distribution(X), atol=1e-6)


def test_ratings_that_rounding_tells_apart(data):
    X, y = data
    exact = np.array([0.3, 0.6])[y.astype(int) % 2]
    rounded = exact.copy()
    rounded[::4] = np.where(exact[::4] == 0.3, 0.1 * 3, 0.2 * 3)
    assert len(np.unique(rounded)) > 2
    estimator = recommender().fit(X, rounded)
    assert len(estimator.rating_scale_) == 2
    same_machines(estimator, recommender().fit(X, exact))


def test_equal_ratings_warn_and_teach_interest_alone(data):
    X, _ = data
    with pytest.warns(UserWarning, match=r"all ratings in y are 4: .*Pass y=None") as caught:
        estimator = recommender().fit(X, np.full(len(X), 4))
    assert caught[0].filename == __file__
    assert estimator.item_rbm_ is estimator.user_rbm_ is estimator.item_weight_ is None
    same_machines(estimator, recommender().fit(X), ("interest_rbm_",))


def test_without_ratings(data):
    X, _ = data
    estimator = recommender().fit(X, None)
    assert estimator.rating_scale_ is None
    assert estimator.item_rbm_ is estimator.user_rbm_ is estimator.item_weight_ is None
    assert (estimator.ratings_.data == 1).all()
    assert estimator.ratings_.nnz == len(X)


def test_many_ratings_are_refused():
    X = np.column_stack(np.divmod(np.arange(1000), 50))
    with pytest.raises(ValueError, match=r"y holds 1000 distinct ratings.*half stars"):
        recommender().fit(X, np.arange(1000.0))


# --- parameters ---

WRONG = [
    ({"by": "x"}, "The 'by' parameter of RBMRecommender"),
    ({"rating_rbm": BernoulliRBM()}, "The 'rating_rbm' parameter"),
    ({"user_rbm": 3}, "The 'user_rbm' parameter"),
    ({"interest_rbm": SoftmaxRBM()}, "The 'interest_rbm' parameter"),
    ({"rating_rbm": SoftmaxRBM}, "The 'rating_rbm' parameter"),
    ({"validation_fraction": 0}, "The 'validation_fraction' parameter"),
    ({"validation_fraction": 1.0}, "The 'validation_fraction' parameter"),
    ({"validation_fraction": True}, "The 'validation_fraction' parameter"),
    ({"random_state": "a"}, "The 'random_state' parameter"),
    ({"rating_rbm": SoftmaxRBM(n_iter="a")}, "The 'n_iter' parameter of SoftmaxRBM"),
    ({"user_rbm": SoftmaxRBM(n_iter=2.5)}, "The 'n_iter' parameter of SoftmaxRBM.*Got 2.5"),
    ({"interest_rbm": BernoulliRBM(n_components=0)}, "The 'n_components' parameter of Bern"),
    (
        {"rating_rbm": SoftmaxRBM(categories=[1, 2])},
        r"rating_rbm lists categories=\[1, 2\].*shared",
    ),
    ({"user_rbm": SoftmaxRBM(categories="auto")}, "user_rbm lists categories='auto'.*'shared'"),
    ({"user_rbm": SoftmaxRBM(categories="x")}, "'categories' parameter of SoftmaxRBM"),
]


@pytest.mark.parametrize(("parameters", "message"), WRONG, ids=str)
def test_wrong_parameters_are_refused_before_anything_is_learned(
    data, parameters, message, monkeypatch
):
    monkeypatch.setattr(SoftmaxRBM, "fit", None)
    monkeypatch.setattr(BernoulliRBM, "fit", None)
    with pytest.raises(ValueError, match=message):
        recommender(**parameters).fit(*data)


def test_machines_of_other_parameters_are_left_alone(data):
    """Each fit makes clones: what was fitted before stays as it was."""
    given = machines()
    fitted_before = given["interest_rbm"].fit(np.eye(4, dtype=np.float32))
    weights = fitted_before.components_.copy()
    estimator = RBMRecommender(random_state=0, **given).fit(*data)
    assert estimator.interest_rbm is fitted_before
    assert_same_bits(fitted_before.components_, weights)


@pytest.mark.parametrize("name", ["rating_rbm", "user_rbm", "interest_rbm"])
def test_the_docstring_names_the_default_machines(name):
    """A parameter of the machine, set to its default, puts the machine in the place of None."""
    machine = getattr(RBMRecommender().set_params(**{f"{name}__shuffle": True}), name)
    documented = " ".join(RBMRecommender.__doc__.partition(f"    {name} :")[2].split())
    shown = " ".join(repr(machine).split()).replace("( ", "(")
    assert f"None means ``{shown}``" in documented


@pytest.mark.parametrize(("n", "batch_size", "rate"), [(16, 1, 0.006), (90, 6, 0.0147)])
def test_tables_of_few_rows_are_learned_by_small_batches(n, batch_size, rate):
    X = np.column_stack([np.arange(n) // 2, np.arange(n)])
    estimator = RBMRecommender(by="items", random_state=0).fit(X, 1 + np.arange(n) % 2)
    assert estimator.item_rbm_.batch_size == batch_size
    assert estimator.item_rbm_.learning_rate == rate
