"""RBMRecommender keeps scikit-learn's contract, as far as pairs of ids can."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone, is_regressor
from sklearn.exceptions import NotFittedError, SkipTestWarning
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks, get_tags

from skrbm import BernoulliRBM, RBMRecommender, SoftmaxRBM

from ..helpers.comparison import assert_same_model
from ..helpers.recommenders import all_pairs, each_by, machines, pairs, recommender

#: Those of scikit-learn that need no table of numbers.
CHECKS = [
    estimator_checks.check_do_not_raise_errors_in_init_or_set_params,
    estimator_checks.check_estimator_cloneable,
    estimator_checks.check_estimator_repr,
    estimator_checks.check_estimator_tags_renamed,
    estimator_checks.check_get_params_invariance,
    estimator_checks.check_mixin_order,
    estimator_checks.check_no_attributes_set_in_init,
    estimator_checks.check_parameters_default_constructible,
    estimator_checks.check_set_params,
    estimator_checks.check_valid_tag_types,
]
#: What reads a fitted recommender.
READING = {
    "predict": lambda estimator, X, y: estimator.predict(X),
    "predict_distribution": lambda estimator, X, y: estimator.predict_distribution(X),
    "score": lambda estimator, X, y: estimator.score(X, y),
    "rating_scores": lambda estimator, X, y: estimator.rating_scores(X, y),
    "ranking_scores": lambda estimator, X, y: estimator.ranking_scores([(99, 10)]),
    "recommend": lambda estimator, X, y: estimator.recommend([1, 99]),
    "recommend by rating": lambda estimator, X, y: estimator.recommend([1], rank_by="rating"),
    "similar_items": lambda estimator, X, y: estimator.similar_items([10]),
}
reading = pytest.mark.parametrize("read", READING.values(), ids=READING)


@pytest.fixture(name="data")
def pairs_and_ratings():
    return pairs()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_scikit_learns_checks_pass(check):
    check("RBMRecommender", RBMRecommender(**machines()))


def test_no_further_check_of_scikit_learn_takes_pairs():
    """Pairs of ids are no table of numbers, and the tags say so."""
    with pytest.warns(SkipTestWarning, match="no 2D array|2D|two_d_array|data"):
        results = estimator_checks.check_estimator(RBMRecommender(), on_fail=None)
    assert {result["status"] for result in results or []} <= {"passed", "skipped"}


def test_tags():
    tags = get_tags(RBMRecommender())
    assert is_regressor(RBMRecommender())
    assert not tags.input_tags.two_d_array
    assert tags.input_tags.string
    assert not tags.target_tags.required
    assert not tags.input_tags.sparse


# --- fit ---


@each_by
def test_fit_changes_neither_parameters_nor_data(data, by):
    X, y = data
    estimator = recommender(by)
    before = {name: repr(value) for name, value in estimator.get_params().items()}
    X.flags.writeable = y.flags.writeable = False
    assert estimator.fit(X, y) is estimator
    assert {name: repr(value) for name, value in estimator.get_params().items()} == before
    new = vars(estimator).keys() - estimator.get_params(deep=False).keys()
    assert all(name.endswith("_") and not name.startswith("_") for name in new)


def test_a_fit_that_fails_changes_nothing(data):
    X, y = data
    estimator = recommender().fit(X, y)
    state = dict(vars(estimator))
    for wrong_X, wrong_y in (
        (X, y[1:]),
        (X[:, :1], y),
        (X.astype(str), np.where(y > 2, np.nan, y)),
    ):
        with pytest.raises(ValueError):
            estimator.fit(wrong_X, wrong_y)
        assert vars(estimator).keys() == state.keys()
        assert all(getattr(estimator, name) is value for name, value in state.items())


def test_a_fit_that_fails_late_changes_nothing(data, monkeypatch):
    """The last machine fails after the others have learned."""
    X, y = data
    estimator = recommender()
    monkeypatch.setattr(BernoulliRBM, "fit", None)
    with pytest.raises(TypeError):
        estimator.fit(X, y)
    assert vars(estimator).keys() == estimator.get_params(deep=False).keys()


# --- reading ---


@reading
def test_nothing_can_be_read_before_fit(data, read):
    with pytest.raises(NotFittedError, match="This RBMRecommender instance is not fitted yet"):
        read(RBMRecommender(), *data)


def test_nothing_can_be_added_before_fit(data):
    with pytest.raises(NotFittedError, match="not fitted yet"):
        RBMRecommender().add(*data)


@reading
def test_reading_changes_nothing(data, read):
    X, y = data
    estimator = recommender().fit(X, y)
    before = pickle.dumps(estimator)
    state = dict(vars(estimator))
    read(estimator, X, y)
    assert pickle.dumps(estimator) == before
    assert all(vars(estimator)[name] is value for name, value in state.items())


@each_by
def test_rows_are_predicted_alone_as_together(data, by):
    estimator = recommender(by).fit(*data)
    together = estimator.predict(all_pairs())
    alone = [estimator.predict([pair])[0] for pair in all_pairs()]
    np.testing.assert_allclose(alone, together, rtol=1e-6)
    order = np.random.default_rng(0).permutation(len(together))
    np.testing.assert_allclose(
        estimator.predict([all_pairs()[k] for k in order]), together[order], rtol=1e-6
    )


# --- names and containers ---


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_names_of_columns(data, library):
    frames = pytest.importorskip(library)
    X, y = data
    named = frames.DataFrame({"user": X[:, 0], "item": X[:, 1]})
    if not hasattr(StandardScaler().fit(named), "feature_names_in_"):
        pytest.skip("this scikit-learn reads no names from these frames")
    estimator = recommender().fit(named, y)
    assert estimator.feature_names_in_.tolist() == ["user", "item"]
    assert estimator.n_features_in_ == 2
    assert_array_equal(estimator.predict(named), recommender().fit(X, y).predict(X))
    for wrong in (named[["item", "user"]], frames.DataFrame({"user": X[:, 0], "film": X[:, 1]})):
        for method in (estimator.predict, estimator.ranking_scores):
            with pytest.raises(ValueError, match="feature names"):
                method(wrong)
        with pytest.raises(ValueError, match="feature names"):
            estimator.add(wrong, y)
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        estimator.predict(X)
    with pytest.warns(
        UserWarning, match="X has feature names, but RBMRecommender was fitted without"
    ):
        recommender().fit(X, y).predict(named)
    assert not hasattr(estimator.fit(X, y), "feature_names_in_")


def containers(X, y):
    """The same pairs and ratings, by name."""
    pd, pl = pytest.importorskip("pandas"), pytest.importorskip("polars")
    series = {"user": X[:, 0], "item": X[:, 1]}
    return {
        "list": (list(map(tuple, X.tolist())), y.tolist()),
        "floats": (X.astype(float), y.astype(int)),
        "unsigned": (X.astype(np.uint8), y.astype(np.uint8)),
        "objects": (X.astype(object), y.astype(object)),
        "columns first": (np.asfortranarray(X), y[:, np.newaxis][:, 0]),
        "masked": (np.ma.array(X), np.ma.array(y)),
        "pandas": (pd.DataFrame(series, index=np.arange(len(X))[::-1]), pd.Series(y)),
        "nullable": (pd.DataFrame(series).astype("Int64"), pd.Series(y).astype("Float64")),
        "categories": (pd.DataFrame(series).astype("category"), pd.Series(y).astype("category")),
        "polars": (pl.DataFrame(series), pl.Series(y)),
    }


def test_containers_give_the_same_result(data):
    X, y = data
    expected = recommender().fit(X, y)
    for name, (given_X, given_y) in containers(X, y).items():
        estimator = recommender().fit(given_X, given_y)
        assert_same_model(estimator.item_rbm_, expected.item_rbm_)
        assert_same_model(estimator.user_rbm_, expected.user_rbm_)
        assert_same_model(estimator.interest_rbm_, expected.interest_rbm_)
        assert_array_equal(estimator.predict(given_X), expected.predict(X), err_msg=name)
        assert estimator.user_ids_.tolist() == expected.user_ids_.tolist()


def test_texts_in_containers(data):
    pd, pl = pytest.importorskip("pandas"), pytest.importorskip("polars")
    X, y = data
    series = {"user": [f"u{u}" for u in X[:, 0]], "item": [f"i{i}" for i in X[:, 1]]}
    frames = [pd.DataFrame(series).astype(kind) for kind in ("object", "string", "category")]
    frames += [pl.DataFrame(series), pl.DataFrame(series).cast(pl.Categorical)]
    rows = list(zip(series["user"], series["item"], strict=True))
    expected = recommender().fit(rows, y)
    ratings = expected.predict(rows)
    for X_text in (*frames, np.array(rows), np.array(rows, object), [list(row) for row in rows]):
        estimator = recommender().fit(X_text, y)
        assert estimator.user_ids_.tolist() == expected.user_ids_.tolist()
        assert_array_equal(estimator.predict(X_text), ratings)
        assert estimator.recommend(["u5"])[0].tolist() == expected.recommend(["u5"])[0].tolist()


# --- model selection ---


@pytest.mark.parametrize("container", ["list", "floats", "objects", "pandas", "polars"])
def test_ratings_are_held_out(data, container):
    X, y = containers(*data)[container]
    X_train, X_test, y_train, _ = train_test_split(X, y, test_size=0.2, random_state=0)
    estimator = recommender().fit(X_train, y_train)
    assert estimator.predict(X_test).shape == (len(X_test),)
    scores = cross_val_score(
        estimator,
        X,
        y,
        cv=KFold(3, shuffle=True, random_state=0),
        scoring="neg_root_mean_squared_error",
        error_score="raise",
    )
    assert scores.shape == (3,)
    assert (scores < 0).all()


def test_a_grid_search_reaches_the_machines(data):
    grid = {
        "by": ["items", "both"],
        "rating_rbm__n_components": [2, 4],
        "interest_rbm__n_components": [2],
    }
    base = RBMRecommender(user_rbm=machines()["user_rbm"], random_state=0)
    base.set_params(rating_rbm__n_iter=1, interest_rbm__n_iter=1)
    search = GridSearchCV(
        base, grid, scoring="neg_root_mean_squared_error", cv=2, error_score="raise"
    ).fit(*data)
    best = search.best_estimator_
    assert len(search.cv_results_["params"]) == 4
    assert best.item_rbm_.n_components == search.best_params_["rating_rbm__n_components"]
    assert best.interest_rbm_.components_.shape[0] == 2
    assert base.rating_rbm.n_components != 2 or base.interest_rbm.n_components != 2


def test_the_last_step_of_a_pipeline(data):
    X, y = data
    pipeline = make_pipeline("passthrough", recommender()).fit(X, y)
    assert_array_equal(pipeline.predict(X), recommender().fit(X, y).predict(X))
    pipeline.set_params(rbmrecommender__rating_rbm__n_components=2)
    assert pipeline[-1].rating_rbm.n_components == 2


# --- parameters ---


@pytest.mark.parametrize(
    ("name", "kind"),
    [("rating_rbm", SoftmaxRBM), ("user_rbm", SoftmaxRBM), ("interest_rbm", BernoulliRBM)],
)
def test_a_parameter_of_the_machine_that_none_stands_for(name, kind):
    one, other = RBMRecommender(), RBMRecommender()
    one.set_params(**{f"{name}__n_components": 7})
    other.set_params(**{f"{name}__n_components": 9})
    machine = getattr(one, name)
    assert type(machine) is kind
    assert machine.n_components == 7
    assert getattr(other, name).n_components == 9
    assert getattr(RBMRecommender(), name) is None
    # All else is as in the machine that None stands for.
    untouched = RBMRecommender().set_params(**{f"{name}__verbose": machine.verbose})
    assert getattr(untouched, name).set_params(n_components=7).get_params() == machine.get_params()


def test_the_machine_set_in_the_same_call_comes_first():
    estimator = RBMRecommender().set_params(
        rating_rbm=SoftmaxRBM(n_components=5, n_iter=3), rating_rbm__n_iter=4
    )
    assert estimator.rating_rbm.get_params()["n_components"] == 5
    assert estimator.rating_rbm.n_iter == 4


def test_none_set_in_the_same_call_is_the_default_machine():
    """As in a grid that compares the default machine with others, and their parameters."""
    estimator = RBMRecommender(rating_rbm=SoftmaxRBM(n_components=5))
    estimator.set_params(rating_rbm=None, rating_rbm__n_iter=4)
    expected = RBMRecommender().set_params(rating_rbm__n_iter=4)
    assert estimator.get_params()["rating_rbm__n_iter"] == 4
    assert repr(estimator) == repr(expected)


@pytest.mark.parametrize("name", ["rating_rbm__nonsense", "nonsense", "nonsense__n_iter"])
def test_unknown_parameters_are_refused(name):
    with pytest.raises(ValueError, match="Invalid parameter 'nonsense' for estimator"):
        RBMRecommender().set_params(**{name: 1})


def test_clones_and_representations():
    estimator = recommender("items", validation_fraction=0.2)
    again = clone(estimator)
    assert again.rating_rbm is not estimator.rating_rbm
    assert repr(again) == repr(estimator)
    assert "validation_fraction=0.2" in repr(estimator)
    assert repr(RBMRecommender()) == "RBMRecommender()"
    assert "RBMRecommender" in estimator._repr_html_()
