"""Partitions of Dask collections hold whole rows, in order; what is none is refused."""

import asyncio
import re

import dask
import dask.array as da
import dask.bag as db
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import sparse
from distributed import Client, Future
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array, csr_matrix, issparse

from skrbm.dask._partitions import as_block, find_client, partitions, row_partitions

X = np.arange(20.0).reshape(10, 2)
ARRAY = da.from_array(X, chunks=(3, -1))
FRAME = dd.from_pandas(pd.DataFrame(X, columns=["a", "b"]), npartitions=3)
LIST = [dask.delayed(X[:6]), dask.delayed(X[6:])]


# The first test: the client of the module is not there yet.
def test_without_a_client_the_message_says_how_to_make_one():
    with pytest.raises(ValueError, match=r"no Dask client.*distributed\.Client\(address\)"):
        find_client()
    with pytest.raises(TypeError, match=r"Got 'tcp://.*distributed\.Client\(address\)"):
        find_client("tcp://127.0.0.1:8786")


def rows_of(pieces):
    """The rows of all partitions, as the estimators read them."""
    blocks = [as_block(block) for block in dask.compute(*pieces)]
    return np.vstack([b.toarray() if issparse(b) else np.asarray(b) for b in blocks])


@pytest.mark.parametrize(
    ("collection", "n"),
    [
        (ARRAY, 4),
        (FRAME, 3),
        (FRAME.to_dask_array(), 3),
        (LIST, 2),
        (tuple(LIST), 2),
        *((ARRAY.map_blocks(kind), 4) for kind in (csr_array, csr_matrix)),
        *((ARRAY.map_blocks(kind), 4) for kind in (sparse.COO, sparse.GCXS)),
    ],
)
def test_partitions_hold_the_rows_in_order(collection, n):
    pieces = partitions(collection)
    assert len(pieces) == n
    assert_array_equal(rows_of(pieces), X)


def test_futures_are_partitions(client):
    futures = client.scatter([X[:6], X[6:]])
    assert partitions(futures) == futures
    assert all(isinstance(future, Future) for future in futures)


def test_an_array_cut_along_features_is_refused():
    cut = da.from_array(X, chunks=(3, 1))
    with pytest.raises(ValueError, match=r"\(10, 2\).* in 2 pieces.*X\.rechunk\(\{1: -1\}\)"):
        partitions(cut)
    assert_array_equal(rows_of(partitions(cut.rechunk({1: -1}))), X)


def test_so_is_one_of_unknown_chunk_sizes():
    unknown = FRAME.to_dask_array()
    cut = da.concatenate([unknown, unknown], axis=1, allow_unknown_chunksizes=True)
    with pytest.raises(ValueError, match=r"\(nan, 4\).* in 2 pieces"):
        partitions(cut)
    assert_array_equal(rows_of(partitions(cut.rechunk({1: -1}))), np.hstack([X, X]))


@pytest.mark.parametrize(
    ("collection", "mend"),
    [
        (ARRAY[:, 0], "X[:, None]"),
        (FRAME["a"], "X.to_frame()"),
        (ARRAY[:, :, None], "X.reshape("),
    ],
)
def test_other_dimensions_are_refused(collection, mend):
    with pytest.raises(ValueError, match=rf"Expected 2D array, got \dD.*{re.escape(mend)}"):
        partitions(collection)


@pytest.mark.parametrize("in_memory", [X, X.tolist(), pd.DataFrame(X), csr_array(X)])
def test_what_is_in_memory_is_refused(in_memory):
    with pytest.raises(TypeError, match=r"rbm\.fit\(X\).*from_array\(X, chunks=\(rows, -1\)\)"):
        partitions(in_memory)


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ([], ValueError, "the list is empty"),
        (LIST[0], TypeError, r"Got one Delayed.*pass \[X\]"),
        ([LIST[0], X], TypeError, r"X\[1\] is of type ndarray.*dask\.delayed\(X\[1\]\)"),
        ([ARRAY], TypeError, r"X\[0\] is of type Array"),
        (db.from_sequence([1, 2]), TypeError, "type Bag: turn it into a dask array"),
    ],
)
def test_other_objects_are_refused(wrong, error, message):
    with pytest.raises(error, match=message):
        partitions(wrong)


@pytest.mark.parametrize(
    "weights", [ARRAY[:, 0], FRAME["a"].repartition(npartitions=3), [LIST[0], LIST[1]]]
)
def test_weights_have_partitions_as_x_has(weights):
    n = len(weights) if isinstance(weights, list) else weights.npartitions
    assert len(row_partitions(weights, "sample_weight", n)) == n
    with pytest.raises(ValueError, match=rf"sample_weight has {n} .*X has 7.*rechunk"):
        row_partitions(weights, "sample_weight", 7)


@pytest.mark.parametrize("weights", [ARRAY, FRAME])
def test_weights_have_one_dimension(weights):
    with pytest.raises(ValueError, match="sample_weight must have one dimension, but"):
        row_partitions(weights, "sample_weight", 3)


@pytest.mark.parametrize("weights", [X[:, 0], X[:, 0].tolist()])
def test_weights_in_memory_are_refused(weights):
    with pytest.raises(TypeError, match=r"from_array\(sample_weight, chunks=X\.chunks\[0\]\)"):
        row_partitions(weights, "sample_weight", 3)


def test_sparse_blocks_with_another_fill_value_are_refused():
    block = sparse.COO.from_numpy(np.where(X > 9, X, np.nan), fill_value=np.nan)
    with pytest.raises(ValueError, match=r"fill value nan.*todense"):
        as_block(block)


def test_the_client_is_found(client):
    assert find_client() is client
    assert find_client(client) is client
    assert client.submit(lambda: find_client().id, pure=False).result()


def test_an_asynchronous_client_is_refused(client):
    async def find():
        async with Client(client.scheduler.address, asynchronous=True) as own:
            with pytest.raises(ValueError, match=r"asynchronous=False.*asyncio\.to_thread"):
                find_client(own)

    asyncio.run(find())
