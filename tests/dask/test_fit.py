"""A fit of one partition is that of one computer, bit for bit; what is no RBM is refused."""

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import sparse
from scipy.sparse import csr_array, csr_matrix
from sklearn.base import clone

import skrbm.dask
from skrbm import RBMRecommender

from ..helpers.comparison import assert_same_model
from ..helpers.models import BERNOULLI, MODELS, SOFTMAX, VARIANTS, models

#: Each model with CD, PCD and PT, and each part of the training state.
CHOSEN = [
    ("bits, pcd", {"verbose": 1}),
    pytest.param("bits, cd, means", {"early_stopping": True}, marks=pytest.mark.cluster),
    pytest.param("bits, pt, 7 chains", {}, marks=pytest.mark.cluster),
    ("bits, cd, fresh bits", {"batch_size": 100}),
    ("bits, pcd, centred", {"early_stopping": True, "verbose": 1}),
    pytest.param("bits, pt, centred", {}, marks=pytest.mark.cluster),
    ("real values, pt", {"early_stopping": True}),
    pytest.param("real values, centred", {"shuffle": False}, marks=pytest.mark.cluster),
    pytest.param("learned variance, pcd", {"verbose": 1}, marks=pytest.mark.cluster),
    ("learned variance, centred", {"learning_rate_schedule": "linear"}),
    pytest.param("categories", {"early_stopping": True}, marks=pytest.mark.cluster),
    ("categories, conditional", {"batch_size": 100}),
    pytest.param("categories, auto", {}, marks=pytest.mark.cluster),
    ("categories, ordinal, pt", {}),
    ("categories, conditional, centred", {"verbose": 1}),
]


def test_a_client_is_needed():  # the first test: the client of the others comes later
    with pytest.raises(ValueError, match="there is no Dask client: make one first"):
        skrbm.dask.fit(BERNOULLI.machine(), [dask.delayed(BERNOULLI.rows())])


def fit_one(rbm, X, **options):
    return skrbm.dask.fit(rbm, [dask.delayed(X, traverse=False)], **options)


@pytest.mark.parametrize(("name", "options"), CHOSEN)
def test_one_partition_gives_the_bits_of_fit(client, capsys, name, options):
    variant = VARIANTS[name]
    X = variant.rows()
    rbm = variant.machine(n_iter=2, **options)
    expected = clone(rbm).fit(X)
    printed = [line.partition("time")[0] for line in capsys.readouterr().out.splitlines()]
    assert fit_one(rbm, X, sync_every=2) is rbm
    assert_same_model(rbm, expected)
    lines = [line.partition("time")[0] for line in capsys.readouterr().out.splitlines()]
    assert lines == printed


@pytest.mark.parametrize("batch_size", [10, 100])
@models
def test_row_weights_of_one_partition(client, model, batch_size, rng):
    X = model.rows()
    X[5:9] = X[4]
    weights = rng.integers(0, 4, len(X)) * 0.7
    for algorithm in ("cd", "pcd"):
        if algorithm == "pcd":
            X = model.complete()
        rbm = model.machine(algorithm=algorithm, batch_size=batch_size, n_iter=2)
        expected = clone(rbm).fit(X, sample_weight=weights)
        fit_one(rbm, X, sample_weight=[dask.delayed(weights)])
        assert_same_model(rbm, expected)


@pytest.mark.parametrize("dtype", [np.float32, np.int8, bool])
@models
def test_dtypes_of_one_partition(client, model, dtype):
    X = (model.complete() > 0.5).astype(dtype)
    rbm = model.machine(n_iter=1)
    assert_same_model(fit_one(clone(rbm), X), rbm.fit(X))


def _array(X):
    return da.from_array(X, chunks=(-1, -1))


#: Containers of one partition.
CONTAINERS = {
    "array": _array,
    "csr_array": lambda X: _array(X).map_blocks(csr_array),
    "csr_matrix": lambda X: _array(X).map_blocks(csr_matrix),
    "COO": lambda X: _array(X).map_blocks(sparse.COO),
    "GCXS": lambda X: _array(X).map_blocks(sparse.GCXS),
    "lists": lambda X: [dask.delayed(X.tolist())],
}


@pytest.mark.parametrize("container", CONTAINERS.values(), ids=CONTAINERS)
def test_containers_of_one_partition(client, container):
    X = BERNOULLI.rows()
    rbm = BERNOULLI.machine(algorithm="cd", n_iter=1)
    assert_same_model(skrbm.dask.fit(clone(rbm), container(X)), rbm.fit(X))


def test_futures_and_sparse_ratings(client):
    X = csr_array(SOFTMAX.complete() + 1)
    rbm = SOFTMAX.machine(n_iter=1)
    future = client.scatter(X)
    assert_same_model(skrbm.dask.fit(clone(rbm), [future]), rbm.fit(X))


@models
def test_frames_give_names(client, model):
    X = pd.DataFrame(model.complete(), columns=list("abcdef"))
    rbm = model.machine(n_iter=1)
    assert_same_model(skrbm.dask.fit(clone(rbm), dd.from_pandas(X, npartitions=1)), rbm.fit(X))


@pytest.mark.parametrize("seed", [None, np.random.RandomState(3)], ids=["None", "RandomState"])
def test_other_random_states(client, seed):
    X = BERNOULLI.rows()
    rbm = BERNOULLI.machine(n_iter=1, random_state=seed)
    if seed is None:  # other numbers each time
        one, two = (fit_one(clone(rbm), X).components_ for _ in range(2))
        assert not np.array_equal(one, two)
        return
    expected = BERNOULLI.machine(n_iter=1, random_state=np.random.RandomState(3)).fit(X)
    fit_one(rbm, X)
    assert_same_model(rbm, expected)
    assert seed.randint(2**31) == expected.random_state.randint(2**31)  # the caller's goes on


@models
def test_parts_have_the_base_rates_of_the_whole(client, model):
    """What is learned before the first update: features, categories, visible biases, centring."""
    X = model.rows()
    parts = [dask.delayed(X[k : k + 11]) for k in range(0, len(X), 11)]
    for options in ({}, {"centering": True}):
        rbm = model.machine(n_iter=1, learning_rate=1e-300, algorithm="cd", **options)
        expected = clone(rbm).fit(X)
        skrbm.dask.fit(rbm, parts, warm_up=3)
        for name in (*model.arrays, "categories_"):
            for one, other in zip(*(getattr(r, name, ()) for r in (rbm, expected)), strict=True):
                np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("what", [RBMRecommender(), "text", MODELS["softmax"].estimator])
def test_what_is_no_rbm_is_refused(what):
    with pytest.raises(TypeError, match="rbm must be a BernoulliRBM, GaussianBernoulliRBM or"):
        skrbm.dask.fit(what, [dask.delayed(BERNOULLI.rows())])
