"""Lazy answers on a cluster: futures, and errors that name the partition."""

import dask
import dask.array as da
import numpy as np
import pytest

import skrbm.dask

from ..helpers.comparison import assert_same_bits
from ..helpers.models import BERNOULLI, SOFTMAX


def test_futures_are_partitions(client):
    X = SOFTMAX.rows()
    rbm = SOFTMAX.machine(algorithm="cd").fit(X)
    futures = client.scatter([X[:20], X[20:]])
    assert_same_bits(
        skrbm.dask.score_samples(rbm, futures).compute(),
        np.concatenate([rbm.score_samples(X[:20]), rbm.score_samples(X[20:])]),
    )
    lazy = skrbm.dask.recommend(rbm, da.from_array(X, chunks=(20, -1)), 3)
    assert_same_bits(dask.compute(*lazy), rbm.recommend(X, 3))


def test_the_partition_of_an_error_is_named(client):
    X = BERNOULLI.rows()
    rbm = BERNOULLI.machine().fit(X)
    X[25, 3] = np.nan
    for collection in (
        da.from_array(X, chunks=(20, -1)),
        [dask.delayed(X[:20]), dask.delayed(X[20:])],
    ):
        with pytest.raises(ValueError, match="partition 1 of X: X contains NaN in feature 3"):
            skrbm.dask.transform(rbm, collection).compute()
    text = dask.delayed(np.array([["text"] * 6], object))
    with pytest.raises(ValueError, match=r"partition 0 of X: .*'text', which is no number"):
        skrbm.dask.transform(rbm, [text]).compute()
