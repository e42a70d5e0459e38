"""A method asked of each partition: once in the graph, at the call, of what can be asked."""

import cloudpickle
import dask
import dask.array as da
import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

import skrbm.dask
from skrbm import RBMRecommender
from skrbm._kernels import get_num_threads, set_num_threads

from ..helpers.comparison import assert_same_bits
from ..helpers.models import BERNOULLI, GAUSSIAN, SOFTMAX
from ..helpers.partitions import by_partition, cut

READING = ["transform", "score_samples", "free_energy"]


def test_nothing_runs_before_compute(fitted):
    rbm, X = fitted[SOFTMAX]

    def load(block):
        raise AssertionError("computed too early")

    lazy = da.map_blocks(load, cut(X), dtype=X.dtype, meta=X[:0])
    for name in (*READING, "recommend", "predict_ratings"):
        getattr(skrbm.dask, name)(rbm, lazy)
        getattr(skrbm.dask, name)(rbm, [dask.delayed(load)(0)])
    skrbm.dask.predict_ratings(rbm, lazy, [3, 30], [0, 1])
    skrbm.dask.recommend(rbm, lazy, columns=[1])
    with pytest.raises(AssertionError, match="too early"):
        skrbm.dask.transform(rbm, lazy).compute()


def test_the_estimator_is_in_the_graph_once_without_what_learning_needs(fitted):
    rbm, X = fitted[SOFTMAX]
    unpicklable = GAUSSIAN.machine(momentum=0.5, average=True).fit(GAUSSIAN.rows())
    unpicklable._skl_callbacks = [lambda: None]
    for name, estimator, rows in [
        ("score_samples", rbm, X),
        ("recommend", rbm, X),
        ("transform", unpicklable, GAUSSIAN.rows()),
    ]:
        lazy = getattr(skrbm.dask, name)(estimator, cut(rows, 5))
        lazy = lazy[0] if name == "recommend" else lazy
        (lazy,) = dask.optimize(lazy)
        tasks = [cloudpickle.dumps(task) for task in dict(lazy.dask).values()]
        holding = [task for task in tasks if b"components_" in task]
        assert len(holding) == 1
        assert b"_velocity" not in holding[0]
        assert b"_records" not in holding[0]


@pytest.mark.parametrize("change", ["fit", "partial_fit", "attribute"])
def test_answers_are_of_the_estimator_at_the_call(fitted, change):
    X = fitted[BERNOULLI][1]
    rbm = BERNOULLI.machine().fit(X)
    first, expected = skrbm.dask.transform(rbm, cut(X)), np.vstack(by_partition(rbm.transform, X))
    if change == "attribute":
        rbm.components_ = rbm.components_ + 1
    else:
        getattr(rbm.set_params(random_state=1), change)(X)
    second = skrbm.dask.transform(rbm, cut(X))
    again = np.vstack(by_partition(rbm.transform, X))
    assert not np.array_equal(expected, again)
    assert_same_bits(dask.compute(first, second), (expected, again))
    assert first.name != second.name


def test_a_task_takes_one_thread(fitted):
    rbm, X = fitted[BERNOULLI]
    threads = []

    class Block:
        shape = X.shape

        def __array__(self, dtype=None, copy=None):
            threads.append(get_num_threads())
            return X

    before = get_num_threads()
    set_num_threads(2)
    try:
        lazy = skrbm.dask.transform(rbm, [dask.delayed(Block)()])
        assert_same_bits(lazy.compute(scheduler="synchronous"), rbm.transform(X))
        assert get_num_threads() == 2
    finally:
        set_num_threads(before)
    assert set(threads) == {1}


def test_the_estimator_is_unchanged(fitted):
    rbm, X = fitted[BERNOULLI]
    before = dict(vars(rbm))
    skrbm.dask.recommend(rbm, cut(X))[0].compute()
    assert vars(rbm) == before


def test_other_numbers_of_features_are_refused_in_scikit_learns_words(fitted):
    rbm, X = fitted[BERNOULLI]
    with pytest.raises(ValueError) as ours:
        skrbm.dask.transform(rbm, cut(X[:, :4]))
    with pytest.raises(ValueError) as theirs:
        rbm.transform(X[:, :4])
    assert str(ours.value) == str(theirs.value)


def test_other_estimators_are_refused(fitted):
    X = cut(fitted[BERNOULLI][1])
    for other in (RBMRecommender(), make_pipeline(BERNOULLI.machine()), BERNOULLI.estimator):
        with pytest.raises(TypeError, match="rbm must be a BernoulliRBM, GaussianBernoulliRBM or"):
            skrbm.dask.transform(other, X)
    with pytest.raises(TypeError, match="BernoulliRBM has no method predict_ratings"):
        skrbm.dask.predict_ratings(fitted[BERNOULLI][0], X)
    with pytest.raises(TypeError, match="GaussianBernoulliRBM has no method recommend"):
        skrbm.dask.recommend(fitted[GAUSSIAN][0], X)
    with pytest.raises(NotFittedError):
        skrbm.dask.transform(BERNOULLI.machine(), X)
    with pytest.raises(TypeError, match="in memory"):
        skrbm.dask.transform(fitted[BERNOULLI][0], fitted[BERNOULLI][1])
    with pytest.raises(ValueError, match=r"rechunk\(\{1: -1\}\)"):
        skrbm.dask.transform(fitted[BERNOULLI][0], X.rechunk((20, 3)))
