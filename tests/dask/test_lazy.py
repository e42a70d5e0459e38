"""Lazy answers are those of the methods, for every kind of collection; errors come early."""

import copy

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import sparse
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array, csr_matrix

import skrbm.dask

from ..helpers.comparison import assert_same_bits
from ..helpers.models import BERNOULLI, SOFTMAX, models
from ..helpers.partitions import ROWS, by_partition, cut

READING = ["transform", "score_samples", "free_energy"]


def recorded(X):
    """A dask array, and a list that grows by the number of each partition that is computed."""
    computed = []

    def load(block, block_id=None):
        computed.append(block_id[0])
        return block

    return cut(X).map_blocks(load, meta=X[:0]), computed


@pytest.mark.parametrize("name", READING)
@models
def test_answers_are_those_of_the_method(fitted, model, name):
    rbm, X = fitted[model]
    lazy = getattr(skrbm.dask, name)(rbm, cut(X))
    expected = np.concatenate(by_partition(getattr(rbm, name), X))
    assert isinstance(lazy, da.Array)
    assert (lazy.shape, lazy.dtype) == (expected.shape, expected.dtype)
    assert lazy.chunks[0] == (20, 20, 7)
    assert isinstance(lazy._meta, np.ndarray)
    assert_same_bits(lazy.compute(), expected)
    np.testing.assert_allclose(lazy.compute(), getattr(rbm, name)(X), rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int8, bool])
def test_dtypes_are_those_of_the_method(fitted, dtype):
    rbm, X = fitted[BERNOULLI]
    lazy = skrbm.dask.transform(rbm, cut(X.astype(dtype)))
    expected = rbm.transform(X.astype(dtype))
    assert lazy.dtype == lazy.compute().dtype == expected.dtype


@pytest.mark.parametrize("kind", [csr_array, csr_matrix, sparse.COO, sparse.GCXS])
@pytest.mark.parametrize("name", [*READING, "recommend"])
def test_blocks_may_be_sparse(fitted, kind, name):
    rbm, X = fitted[BERNOULLI]
    lazy = getattr(skrbm.dask, name)(rbm, cut(X).map_blocks(kind))
    expected = [getattr(rbm, name)(csr_array(X[k : k + ROWS])) for k in (0, 20, 40)]
    if name == "recommend":
        lazy, expected = lazy[1], [scores for _, scores in expected]
    assert_same_bits(lazy.compute(), np.concatenate(expected))


@pytest.mark.parametrize(
    "dtype", ["float32", "float64", "int64", "Float32", "bool", {"b": "float32"}]
)
def test_frames_are_read_with_their_names(dtype):
    X = pd.DataFrame(BERNOULLI.rows(), columns=list("abcdef"))
    rbm = BERNOULLI.machine().fit(X)
    X = X.astype(dtype)
    frame = dd.from_pandas(X, npartitions=2)
    lazy, expected = skrbm.dask.transform(rbm, frame), rbm.transform(X)
    assert lazy.dtype == lazy.compute().dtype == expected.dtype
    np.testing.assert_allclose(lazy.compute(), expected, rtol=1e-6)
    assert np.isnan(lazy.shape[0])
    with pytest.raises(ValueError, match="feature names"):
        skrbm.dask.transform(rbm, frame[list("fedcba")])


def test_features_are_arrays_whatever_the_output_of_transform(fitted):
    rbm, X = fitted[BERNOULLI]
    rbm = copy.copy(rbm).set_output(transform="pandas")
    lazy = skrbm.dask.transform(rbm, cut(X)).compute()
    assert isinstance(lazy, np.ndarray)
    assert_same_bits(lazy, np.concatenate(by_partition(fitted[BERNOULLI][0].transform, X)))


def test_lists_have_the_dtype_of_the_machine(fitted):
    rbm, X = fitted[BERNOULLI]
    parts = [dask.delayed(X[:30]), dask.delayed(X[30:].tolist())]
    lazy = skrbm.dask.transform(rbm, parts)
    assert lazy.dtype == rbm.components_.dtype
    assert_same_bits(lazy.compute(), np.vstack([rbm.transform(X[:30]), rbm.transform(X[30:])]))
    parts = [dask.delayed(X.astype(np.float32))]
    assert skrbm.dask.transform(rbm, parts).compute().dtype == rbm.components_.dtype


@pytest.mark.parametrize("name", [*READING, "recommend", "predict_ratings"])
def test_empty_partitions_give_empty_blocks(fitted, name):
    rbm, X = fitted[SOFTMAX]
    parts = [X[:0], X[:20], X[:0], X[20:]]
    known = da.from_array(X, chunks=((0, 20, 0, 27), -1))
    for collection in (known, [dask.delayed(part) for part in parts]):
        lazy, expected = getattr(skrbm.dask, name)(rbm, collection), getattr(rbm, name)(X)
        if name == "recommend":
            expected = [np.asarray(array) for array in expected]
            for one, array in zip(lazy, expected, strict=True):
                assert one.compute().dtype == array.dtype
            lazy, expected = lazy[0], expected[0]
        assert lazy.compute().shape == expected.shape
        assert_array_equal(lazy.blocks[0].compute(), expected[:0])


# --- ratings and recommendations --------------------------------------------------------------


@pytest.mark.parametrize("method", ["exact", "mean_field"])
def test_all_ratings(fitted, method):
    rbm, X = fitted[SOFTMAX]
    lazy = skrbm.dask.predict_ratings(rbm, cut(X), method=method)
    expected = rbm.predict_ratings(X, method=method)
    assert (lazy.shape, lazy.dtype) == (expected.shape, expected.dtype)
    assert_same_bits(
        lazy.compute(), np.vstack(by_partition(rbm.predict_ratings, X, method=method))
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [0, 1, 50])
def test_queries_are_answered_in_their_order(fitted, rng, n, dtype):
    rbm, X = fitted[SOFTMAX]
    X = X.astype(dtype)
    rows, columns = rng.integers(0, len(X), n), rng.integers(0, X.shape[1], n)
    lazy = skrbm.dask.predict_ratings(rbm, cut(X), rows, columns, method="mean_field")
    assert (lazy.shape, lazy.dtype) == ((n,), dtype)
    expected = rbm.predict_ratings(X, rows, columns, method="mean_field")
    np.testing.assert_allclose(
        lazy.compute(), expected, rtol=1e-5 if dtype == np.float32 else 1e-13
    )
    alone = np.concatenate(
        [
            rbm.predict_ratings(X[r // ROWS * ROWS :][:ROWS], [r % ROWS], [c])
            for r, c in zip(rows, columns, strict=True)
        ]
        or [np.empty(0)]
    )
    exact = skrbm.dask.predict_ratings(rbm, cut(X), rows, columns).compute()
    np.testing.assert_allclose(exact, alone, rtol=1e-5 if dtype == np.float32 else 1e-13)


def test_queries_compute_only_the_partitions_that_they_ask(fitted):
    rbm, X = fitted[SOFTMAX]
    lazy, computed = recorded(X)
    skrbm.dask.predict_ratings(rbm, lazy, [45, 41, 3], [0, 1, 2]).compute()
    assert sorted(computed) == [0, 2]


@pytest.mark.parametrize("model", [BERNOULLI, SOFTMAX])
def test_recommendations(fitted, model):
    rbm, X = fitted[model]
    for options in ({}, {"n_items": 3}, {"n_items": 99, "exclude_observed": False}):
        ids, scores = skrbm.dask.recommend(rbm, cut(X), **options)
        expected = by_partition(rbm.recommend, X, **options)
        assert (ids.dtype, scores.dtype) == (np.int64, X.dtype)
        for lazy, place in ((ids, 0), (scores, 1)):
            of_all = np.vstack([both[place] for both in expected])
            assert lazy.shape == of_all.shape
            assert_same_bits(lazy.compute(), of_all)


def test_both_results_are_computed_in_one_pass(fitted):
    rbm, X = fitted[SOFTMAX]
    lazy, computed = recorded(X)
    dask.compute(*skrbm.dask.recommend(rbm, lazy))
    assert sorted(computed) == [0, 1, 2]


@pytest.mark.parametrize("n_items", [1, 4, 99])
@pytest.mark.parametrize("exclude_observed", [True, False])
def test_columns_get_the_best_rows_of_all_partitions(fitted, n_items, exclude_observed):
    """Equal rows stand in all partitions, and have equal scores: the first comes first."""
    rbm, X = fitted[SOFTMAX]
    X = np.vstack([X[:10], X[5:8], X[:10], X[:10]])
    options = {"n_items": n_items, "columns": [4, 0, 4], "exclude_observed": exclude_observed}
    array = da.from_array(X, chunks=((0, 9, 9, 9, 6), -1))
    lazy = skrbm.dask.recommend(rbm, array, **options)
    expected = rbm.recommend(X, **options)
    for one, whole in zip(lazy, expected, strict=True):
        assert (one.shape, one.dtype) == (whole.shape, whole.dtype)
    assert_same_bits(dask.compute(*lazy), expected)
    if n_items == 99:
        assert (expected[0] < 0).any() == exclude_observed


def test_recommendations_by_name():
    X = pd.DataFrame(BERNOULLI.rows(), columns=list("abcdef"))
    rbm = BERNOULLI.machine().fit(X)
    frame = dd.from_pandas(X, npartitions=2)
    ids, scores = skrbm.dask.recommend(rbm, frame, 2, as_names=True)
    expected = rbm.recommend(X, 2, as_names=True)
    assert ids.dtype == object
    assert_array_equal(ids.compute(), expected[0])
    np.testing.assert_allclose(scores.compute(), expected[1], rtol=1e-12)
    with pytest.raises(ValueError, match="as_names=True goes without columns"):
        skrbm.dask.recommend(rbm, frame, as_names=True, columns=[0])
    with pytest.raises(ValueError, match="as_names=True needs names of features"):
        skrbm.dask.recommend(
            BERNOULLI.machine().fit(X.to_numpy()), cut(X.to_numpy()), as_names=True
        )


# --- refusals ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("predict_ratings", {"rows": [0], "columns": [0]}), ("recommend", {"columns": [0]})],
)
def test_numbers_of_rows_need_known_sizes(fitted, name, arguments):
    rbm, X = fitted[SOFTMAX]
    frame = dd.from_pandas(pd.DataFrame(X), npartitions=2)
    for unknown in (frame, frame.to_dask_array(), [dask.delayed(X)]):
        with pytest.raises(ValueError, match=r"compute_chunk_sizes\(\).*lengths=True"):
            getattr(skrbm.dask, name)(rbm, unknown, **arguments)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("predict_ratings", {"rows": [0]}, "rows and columns go together"),
        ("predict_ratings", {"rows": [47], "columns": [0]}, r"rows\[0\] is 47.*below 47"),
        ("predict_ratings", {"rows": [0], "columns": [6]}, r"columns\[0\] is 6.*below 6"),
        ("predict_ratings", {"rows": [0.5], "columns": [6]}, "rows must hold integers"),
        ("predict_ratings", {"method": "wrong"}, "method must be"),
        ("recommend", {"columns": [6]}, r"columns\[0\] is 6.*below 6"),
        ("recommend", {"n_items": 0}, "n_items must be at least 1"),
    ],
)
def test_arguments_are_checked_at_once(fitted, name, arguments, message):
    rbm, X = fitted[SOFTMAX]
    with pytest.raises(ValueError, match=message):
        getattr(skrbm.dask, name)(rbm, cut(X), **arguments)


def test_flags_are_checked_at_once(fitted):
    rbm, X = fitted[SOFTMAX]
    for name in ("as_names", "exclude_observed"):
        with pytest.raises(TypeError, match=f"{name} must be"):
            skrbm.dask.recommend(rbm, cut(X), **{name: "yes"})


def test_columns_of_no_rows_get_nothing(fitted):
    rbm, X = fitted[SOFTMAX]
    with pytest.raises(ValueError, match="X has no rows"):
        skrbm.dask.recommend(rbm, cut(X)[:0], columns=[0])
