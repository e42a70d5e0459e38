"""make_ratings: its forms, its seed, and that the planted machine is the truth."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from skrbm import RBMRecommender
from skrbm.datasets import make_ratings

from ..helpers.frequencies import assert_frequencies
from ..oracles.softmax import EnumeratedSoftmaxRBM

SHAPE = 40, 30, 300


def test_pairs_and_table_hold_the_same_ratings():
    pairs = make_ratings(*SHAPE, random_state=0)
    table = make_ratings(*SHAPE, random_state=0, sparse=True)
    assert pairs.data.shape == (300, 2)
    assert pairs.target.dtype == table.data.dtype == np.float32
    assert isinstance(table.data, csr_array)
    assert table.data.has_canonical_format
    expected = csr_array((pairs.target, tuple(pairs.data.T)), shape=SHAPE[:2])
    assert (table.data != expected).nnz == 0
    assert table.target is table.frame is None
    assert set(pairs.target.tolist()) == {1, 2, 3, 4, 5}


def test_frames_hold_the_same_ratings():
    pytest.importorskip("pandas")
    arrays, frames = (make_ratings(*SHAPE, random_state=0, as_frame=f) for f in (False, True))
    assert np.array_equal(frames.data, arrays.data)
    assert np.array_equal(frames.target, arrays.target)
    assert frames.frame.columns.tolist() == ["user", "item", "rating"]


def test_a_recommender_reads_the_pairs():
    ratings = make_ratings(*SHAPE, random_state=0)
    recommender = RBMRecommender(by="items")
    recommender.set_params(rating_rbm__n_iter=1, interest_rbm__n_iter=1).fit(
        ratings.data, ratings.target
    )
    assert recommender.predict(ratings.data[:3]).shape == (3,)


def test_a_seed_decides_everything():
    one, same, other = (make_ratings(*SHAPE, random_state=seed) for seed in (1, 1, 2))
    for name in ("data", "target", "hidden"):
        assert np.array_equal(one[name], same[name])
        assert not np.array_equal(one[name], other[name])
    assert np.array_equal(one.model.components_, same.model.components_)
    drawn = [make_ratings(*SHAPE, random_state=np.random.RandomState(s)) for s in (1, 1)]
    assert np.array_equal(drawn[0].target, drawn[1].target)
    unlike = [make_ratings(*SHAPE).target for _ in range(2)]
    assert not np.array_equal(*unlike)


def test_complete_rows_have_the_frequencies_of_the_planted_machine():
    ratings = make_ratings(4000, 2, None, n_components=2, sparse=True, random_state=0)
    model = ratings.model
    oracle = EnumeratedSoftmaxRBM(
        model.components_.T, model.intercept_visible_, model.intercept_hidden_, [0, 5, 10]
    )
    assert ratings.data.indptr.dtype == ratings.data.indices.dtype == np.int32
    rows, joint = oracle.table()
    codes = ratings.data.toarray().astype(int) + np.array([-1, 4])
    drawn = [tuple(row) for row in codes]
    assert_frequencies(drawn, rows, joint.sum(axis=1))


def test_the_prediction_of_a_rating_given_all_others_is_exact():
    model = make_ratings(1, 3, None, n_components=2, random_state=0).model
    oracle = EnumeratedSoftmaxRBM(
        model.components_.T, model.intercept_visible_, model.intercept_hidden_, [0, 5, 10, 15]
    )
    rows, joint = oracle.table()
    stars, p = np.array(rows) - np.array([-1, 4, 9]), joint.sum(axis=1)
    for known in ([1, 5], [4, 2]):
        given = (stars[:, :2] == known).all(axis=1)
        expected = p[given] @ stars[given, 2] / p[given].sum()
        predicted = model.predict_ratings(np.array([[*known, np.nan]]), [0], [2])
        assert predicted == pytest.approx([expected])


def test_the_planted_machine_predicts_and_one_of_other_signs_does_not():
    ratings = make_ratings(300, 50, 4000, n_components=3, sparse=True, random_state=0)
    table = ratings.data.tocoo()
    held_out = np.arange(table.nnz) % 5 == 0
    cells = table.row[held_out], table.col[held_out]
    stars, others = table.data[held_out], ~held_out
    known = csr_array(
        (table.data[others], (table.row[others], table.col[others])), shape=table.shape
    )

    def error(predicted):
        return np.sqrt(np.mean((predicted - stars) ** 2))

    truth = error(ratings.model.predict_ratings(known, *cells))
    means = known.sum(axis=0) / np.maximum((known != 0).sum(axis=0), 1)
    assert truth < 0.9 * error(means[cells[1]])
    ratings.model.components_ *= -1
    assert error(ratings.model.predict_ratings(known, *cells)) > 1.1 * truth


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_users": 0}, "n_users must be at least 1"),
        ({"n_components": 11}, "n_components must be at least 1 and at most 10"),
        ({"skew": "flat"}, "skew must be 'movielens' or 'netflix'"),
        ({"n_ratings": 500}, "n_ratings=500 is too many for 40 users and 30 items.*1200 cells"),
        ({"n_ratings": 0}, "n_ratings must be at least 1"),
        ({"sparse": True, "as_frame": True}, "exclude each other"),
    ],
)
def test_invalid_parameters_are_refused(parameters, message):
    asked = dict(zip(("n_users", "n_items", "n_ratings"), SHAPE, strict=True)) | parameters
    if asked["n_ratings"] == 500:
        asked["skew"] = "netflix"
    with pytest.raises(ValueError, match=message):
        make_ratings(**asked)


@pytest.mark.parametrize("flag", ["sparse", "as_frame"])
def test_flags_are_true_or_false(flag):
    with pytest.raises(TypeError, match=f"{flag} must be True or False"):
        make_ratings(*SHAPE, **{flag: "yes"})


@pytest.mark.parametrize("skew", ["movielens", "netflix"])
def test_as_many_ratings_as_are_not_refused_are_drawn(skew):
    """Up to the limit, of tables of all shapes."""
    for shape in ((1, 200), (200, 1), (30, 30), (9, 14), (100, 7)):
        n_ratings = shape[0] * shape[1]
        for _ in range(100):
            try:
                ratings = make_ratings(*shape, n_ratings, skew=skew, random_state=0)
                break
            except ValueError:
                n_ratings -= max(1, n_ratings // 30)
        assert len(ratings.target) == n_ratings
