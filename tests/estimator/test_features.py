"""Methods that read leave the estimator as it is, and give arrays of their own."""

import pickle

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from ..helpers.comparison import assert_same_bits
from ..helpers.models import SOFTMAX, models, models_and_containers

READS_X = ("transform", "reconstruct", "free_energy", "score_samples", "score", "gibbs")


@models_and_containers
@pytest.mark.parametrize("algorithm", ["cd", "pcd"])
@pytest.mark.parametrize("random_state", [0, np.random.RandomState(0)], ids=["int", "state"])
def test_methods_that_read_leave_the_estimator_unchanged(
    model, container, algorithm, random_state
):
    X, H = model.complete(), np.full((47, 3), 0.5)
    rbm = model.machine(algorithm=algorithm, momentum=0.5, random_state=random_state).fit(X)
    X = container(model.rows())
    readers = {
        **{
            name: lambda name=name: getattr(rbm, name)(X) for name in (*READS_X, *model.predictors)
        },
        "gibbs, 2": lambda: rbm.gibbs(X, 2),
        "inverse_transform": lambda: rbm.inverse_transform(H),
        "energy": lambda: rbm.energy(X, H),
        "sample": lambda: rbm.sample(3, n_gibbs_steps=2),
        "sample, init": lambda: rbm.sample(3, n_gibbs_steps=2, init=X),
        "names": lambda: rbm.get_feature_names_out(),
        "repr": lambda: repr(rbm),
    }
    if model is SOFTMAX:
        for name in model.predictors:
            readers[f"{name}, queries"] = lambda name=name: getattr(rbm, name)(
                X, [1], [2], method="mean_field"
            )
        readers["recommend"] = lambda: rbm.recommend(X, 2)
        readers["top_features"] = lambda: rbm.top_features(0)
    before = pickle.dumps(vars(rbm))
    for name, reader in readers.items():
        reader()
        assert pickle.dumps(vars(rbm)) == before, name


@models
def test_results_are_arrays_of_their_own(model):
    """Writing to them must not reach the estimator."""
    X, H = model.rows(), np.full((47, 3), 0.5)
    rbm = model.machine().fit(X)
    before = pickle.dumps(vars(rbm))
    results = [rbm.transform(X), rbm.sample(3, n_gibbs_steps=1), rbm.reconstruct(X)]
    results += [rbm.inverse_transform(H), *(getattr(rbm, name)(X) for name in model.predictors)]
    if model is SOFTMAX:
        results += [rbm.recommend(X, 2)[0], rbm.top_features(0)[1]]
    for result in results:
        result[...] = -1
    assert pickle.dumps(vars(rbm)) == before


@models
def test_before_fit_every_method_that_reads_says_so(model):
    X = model.rows()
    calls = dict.fromkeys([*READS_X, *model.predictors, "inverse_transform"], (X,))
    calls |= {"energy": (X, X), "sample": (), "get_feature_names_out": ()}
    if model is SOFTMAX:
        calls |= {"recommend": (X,), "top_features": (0,)}
    for name, arguments in calls.items():
        with pytest.raises(NotFittedError, match=model.name):
            getattr(model.machine(), name)(*arguments)


@models
def test_hidden_rows_of_another_shape_are_refused(model):
    X = model.rows()
    rbm = model.machine().fit(X)
    with pytest.raises(ValueError, match=r"X has 4 columns.* 3 hidden units"):
        rbm.inverse_transform(np.zeros((2, 4)))
    with pytest.raises(ValueError, match=r"H has 2 columns.* 3 hidden units"):
        rbm.energy(X, np.zeros((47, 2)))
    with pytest.raises(ValueError, match="V has 47 rows but H has 46"):
        rbm.energy(X, np.zeros((46, 3)))
    with pytest.raises(ValueError, match="Expected 2D array"):
        rbm.inverse_transform(np.zeros(3))
    with pytest.raises(ValueError, match="NaN"):
        rbm.inverse_transform(np.full((2, 3), np.nan))


@models
def test_score_is_the_mean_score_of_rows(model):
    X = model.rows()
    rbm = model.machine().fit(X)
    scores = rbm.score_samples(X)
    assert rbm.score(X) == pytest.approx(scores.mean(), rel=1e-14)
    many = np.tile(X, (30, 1))  # more rows than are scored at a time
    assert_same_bits(rbm.score_samples(many), np.tile(scores, 30))
    if model is SOFTMAX:
        assert scores[4] == 0  # of the row that holds nothing
        assert (np.delete(scores, 4) < 0).all()
