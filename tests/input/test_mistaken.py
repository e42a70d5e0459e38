"""Tables that are most likely a mistake: features of no scale, zeros for gaps, triples."""

import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.model_selection import cross_val_score

from ..helpers.ratings import machine, stored

# --- features that share no scale ---


def films(rng, n_rows, n_features, step=1.0, missing=0.5, users=False):
    """Ratings around a mean of each film or, of users, with whole stars alone in every second."""
    mean = rng.normal(3.6, 0.7, n_features)
    X = np.clip(np.round(rng.normal(mean, 1, (n_rows, n_features)) / step) * step, step, 5)
    if users:
        X[:, ::2] = np.ceil(X[:, ::2])
    X[rng.random(X.shape) < missing] = np.nan
    return X


@pytest.mark.parametrize("container", [np.asarray, stored])
@pytest.mark.parametrize(
    ("n_rows", "n_features", "missing"), [(40, 8, 0.5), (500, 30, 0.9), (2000, 20, 0.2)]
)
@pytest.mark.parametrize("step", [1.0, 0.5])
def test_films_that_lack_a_rare_rating_share_the_scale(
    rng, n_rows, n_features, missing, step, container
):
    X = films(rng, n_rows, n_features, step, missing)
    X[:, 0][X[:, 0] < 4] = np.nan  # nobody dislikes the first film
    assert len(np.unique(X[~np.isnan(X[:, 0]), 0])) < len(np.unique(X[~np.isnan(X)]))
    machine(n_iter=0).fit(container(X))


def test_users_of_whole_stars_share_the_scale_with_users_of_half_stars(rng):
    machine(n_iter=0).fit(films(rng, 300, 40, 0.5, users=True))


def test_one_user_of_many_may_give_the_same_rating_throughout(rng):
    X = films(rng, 300, 20)
    X[:, 3] = 5
    machine(n_iter=0).fit(X)


UNLIKE = {
    "binary beside many": [(0, 2), (0, 21)],
    "binary beside several": [(0, 21), (0, 2), (0, 21), (0, 21), (0, 21)],
    "disjoint": [(0, 3), (10, 13)],
    "sizes of an ordinal encoder": [(0, 2), (0, 3), (0, 5), (0, 8)],
}


@pytest.mark.parametrize("ranges", UNLIKE.values(), ids=UNLIKE.keys())
@pytest.mark.parametrize("container", [np.asarray, stored])
@pytest.mark.parametrize("n_rows", [60, 1000])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_columns_of_other_values_are_warned_of(rng, ranges, container, n_rows, method):
    X = np.stack([rng.integers(*limits, n_rows) for limits in ranges], axis=1) * 1.0
    with pytest.warns(UserWarning, match=r"feature . holds \[.*categories='auto'") as told:
        getattr(machine(n_iter=0), method)(container(X))
    assert len(told) == 1
    for categories in ("auto", np.unique(X)):  # both say what is meant
        getattr(machine(n_iter=0, categories=categories), method)(container(X))


def test_the_warning_names_the_feature_and_its_values(rng):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"age": rng.integers(0, 21, 100), "sex": rng.integers(0, 2, 100)})
    with pytest.warns(UserWarning, match=r"feature 'sex' holds \[0, 1\] only, .* all 21 values"):
        machine(n_iter=0).fit(frame)


def test_few_entries_do_not_say_what_a_feature_lacks(rng):
    machine(n_iter=0).fit(np.stack([np.arange(29) % 2, np.arange(29) % 20], axis=1))


# --- zeros in place of missing ratings ---


def pivot(rng, values, p, zeros=0.8, shape=(150, 20)):
    X = rng.choice(values, shape, p=p)
    X[rng.random(X.shape) < zeros] = 0
    return X


STARS = [0.05, 0.1, 0.25, 0.35, 0.25]
RATINGS = {
    "stars": ([1, 2, 3, 4, 5], STARS),
    "equal stars": ([1, 2, 3, 4, 5], [0.2] * 5),
    "half stars": (
        np.arange(0.5, 5.5, 0.5),
        [0.02, 0.04, 0.02, 0.1, 0.08, 0.2, 0.14, 0.2, 0.1, 0.1],
    ),
}


@pytest.mark.parametrize("ratings", ["stars", "equal stars", "half stars"])
@pytest.mark.parametrize("kind", [np.array, np.float32, list, "frame"])
def test_zeros_that_stand_for_missing_ratings_are_warned_of(ratings, kind, rng):
    X = pivot(rng, *RATINGS[ratings])
    if kind == "frame":
        kind = pytest.importorskip("pandas").DataFrame
    data = X.tolist() if kind is list else kind(X)
    share = int(100 * (X == 0).mean())
    with pytest.warns(UserWarning, match=f"{share} % of the 3000 entries of X are 0") as told:
        machine(n_iter=0).fit(data)
    assert len(told) == 1
    assert "scipy.sparse.csr_array(X), or NaN" in str(told[0].message)
    assert "If 0 is a category, list it: categories=[0" in str(told[0].message)
    # All that the sentence offers is silent.
    gaps = np.where(X == 0, np.nan, X)
    for given in (sparse.csr_array(X), gaps):
        machine(n_iter=0).fit(given)
    machine(n_iter=0, categories=np.unique(X)).fit(X)


def test_a_chunk_of_zeros_that_stand_for_missing_ratings_is_warned_of(rng):
    X = pivot(rng, *RATINGS["stars"])
    with pytest.warns(UserWarning, match="If 0 means 'not rated'"):
        rbm = machine().partial_fit(X)
    rbm.partial_fit(X)  # once is enough
    rbm.transform(X)


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng: rng.integers(0, 2, (60, 20)) * rng.integers(0, 2, (60, 20)),
        lambda rng: 5 * (rng.random((60, 20)) < 0.1),
        lambda rng: rng.poisson(0.4, (400, 20)),
        lambda rng: rng.negative_binomial(0.5, 0.4, (400, 20)),
        lambda rng: rng.geometric(0.6, (400, 20)) - 1,
        lambda rng: rng.binomial(2, 0.2, (400, 20)),  # copies of a rare allele
        lambda rng: 2 * (rng.random((400, 20)) < 0.2),
        lambda rng: pivot(rng, *RATINGS["stars"], zeros=0.3),
        lambda rng: pivot(rng, [-2, -1, 1, 2], [0.25] * 4),
        lambda rng: rng.integers(1, 6, (60, 20)),
        lambda rng: np.where(rng.random((150, 20)) < 0.1, np.nan, pivot(rng, *RATINGS["stars"])),
        lambda rng: np.array([[0, 0, 0], [0, 3, 0], [2, 0, 3]]),
    ],
    ids=[
        "bits",
        "two values",
        "Poisson",
        "wide counts",
        "geometric",
        "alleles",
        "inbred",
        "few zeros",
        "both signs",
        "full",
        "gaps",
        "few",
    ],
)
def test_other_tables_of_zeros_are_not_warned_of(draw, rng):
    machine(n_iter=0).fit(draw(rng))


# --- one category ---


@pytest.mark.parametrize("categories", ["shared", "auto", [1]], ids=str)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_one_category_is_warned_of(categories, method, rng):
    X = np.where(rng.random((20, 6)) < 0.4, 1, np.nan)
    X[0] = 1
    with pytest.warns(UserWarning, match=r"one category only, \[1.*fit BernoulliRBM") as told:
        getattr(machine(categories=categories), method)(stored(X))
    assert len(told) == 1


def test_one_category_of_some_features_is_not_warned_of(rng):
    X = np.stack([np.ones(40), rng.integers(0, 2, 40)], axis=1)
    machine(categories="auto").fit(X)
    machine(categories=[1, 2]).fit(np.ones((5, 2)))


# --- triples ---


def triples(rng, n_users, n_items, n_ratings):
    chosen = rng.choice(n_users * n_items, n_ratings, replace=False)
    return np.stack([*divmod(chosen, n_items), rng.integers(1, 6, n_ratings)], axis=1)


@pytest.mark.parametrize("categories", ["shared", "auto"])
@pytest.mark.parametrize("size", [(100, 80, 1000), (12, 10, 60), (900, 700, 20_000)], ids=str)
@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1], [1, 2, 0]], ids=str)
def test_triples_are_warned_of(categories, size, order, rng):
    X = triples(rng, *size)[:, order]
    with pytest.warns(
        UserWarning, match="look like user, item and rating.*RBMRecommender.*coo_array"
    ) as told:
        machine(categories=categories, n_iter=0).fit(X)
    assert len(told) == 1


def test_three_features_are_seldom_triples(rng):
    """Ages and regions of people: pairs occur twice, or are too few to say so."""
    for n_rows in (40, 100, 2000):
        people = [rng.integers(20, 70, n_rows), rng.integers(0, 30, n_rows)]
        people.append(rng.integers(0, 2, n_rows))
        machine(categories="auto", n_iter=0).fit(np.stack(people, axis=1))
    films = rng.integers(1, 6, (500, 3))
    machine(n_iter=0).fit(films)
    machine(n_iter=0).fit(sparse.csr_array(triples(rng, 12, 10, 60)[:, [2, 2, 2]]))


# --- categories that occur in a test fold alone ---


def test_a_category_of_a_test_fold_is_to_be_listed():
    X = np.array([[1.0, 2], [2, 1], [1, 1], [2, 2], [1, 2], [2, 3]])
    with pytest.raises(ValueError, match=r"categories=\[1\.0, 2\.0, 3\.0\] .*cross-val"):
        machine().fit(X[:5]).score(X[5:])
    with pytest.warns(UserWarning, match=r"categories=\[1\.0, 2\.0, 3\.0\]"):
        assert np.isnan(cross_val_score(machine(), X, cv=3)).any()
    assert np.isfinite(cross_val_score(machine(categories=[1.0, 2, 3]), X, cv=3)).all()


# --- precision ---


@pytest.mark.parametrize("categories", ["shared", "auto", "given"])
@pytest.mark.parametrize(
    ("dtype", "first"), [(np.float16, 2040), (np.float32, 2**24 - 10), (np.float16, 2040.0)]
)
def test_an_entry_is_the_category_that_it_equals(dtype, first, categories, rng):
    """Its neighbours round to the same number in the dtype of X."""
    ids = first + np.arange(20)
    X = rng.choice(ids, (60, 4)).astype(float)
    X[:20] = np.tile(ids[:, np.newaxis], 4)
    rbm = machine(categories=ids if categories == "given" else categories).fit(X)
    exact = X[(X.astype(dtype) == X).all(axis=1)]
    assert len(exact) > 4
    if dtype == np.float32:  # results would be rounded too
        with pytest.raises(ValueError, match="are one number in float32, the dtype of X"):
            rbm.transform(exact.astype(dtype))
        with pytest.raises(ValueError, match="of feature 0 are one number in float32"):
            machine(categories=ids).fit(exact.astype(dtype))
        return
    given = exact.astype(dtype)
    given[:, 1] = np.nan
    completed = rbm.impute(given, n_gibbs_steps=2, n_chains=2)
    assert_array_equal(completed[:, [0, 2, 3]], exact[:, [0, 2, 3]])
    assert_array_equal(rbm.transform(exact.astype(dtype)), rbm.transform(exact))


def test_an_integer_that_the_dtype_rounds_is_no_category():
    rbm = machine(categories=[2047, 2049, 2051]).fit([[2047, 2049], [2051, 2047]])
    with pytest.raises(ValueError, match=r"2048\.0 in feature 1"):
        rbm.transform(np.array([[2047, 2049]], np.float16))


# --- memory ---


def test_gaps_of_a_dense_table_are_counted_block_by_block():
    """30 MB of bytes, as floats 240 MB; a mask of all entries would take 30 MB."""
    X = np.full((30_000, 1000), np.nan, np.float32)
    X[:, ::500] = np.arange(30_000)[:, np.newaxis] % 5
    rbm = machine(n_iter=1, batch_size=1000).fit(X[:2000])
    tracemalloc.start()
    try:
        rbm.fit(X)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < X.size / 2
