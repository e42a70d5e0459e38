"""Sparse matrices: whatever does not fit together is refused, and zeros nobody rated too."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from skrbm._input.sparse import ascends

from ..helpers.comparison import assert_same_bits, assert_same_model
from ..helpers.models import BERNOULLI, SOFTMAX
from ..helpers.ratings import N_FEATURES, N_ROWS, assert_same, machine, ratings, stored

READERS = pytest.mark.parametrize("model", [BERNOULLI, SOFTMAX], ids=["Bernoulli", "softmax"])
FORMS = ["csr", "csc", "bsr", "coo", "dia", "lil"]

# By format: an array, and what it is set to.
BROKEN = [
    (form, name, kind)
    for forms, names in (
        (("csr", "csc", "bsr"), ("indices", "indptr")),
        (("dia",), ("offsets",)),
        (("coo",), ("row",)),
    )
    for form in forms
    for name in names
    for kind in ("float", "bool", "object", "2-D", "list", "unsigned", "large", "negative")
]


def spoiled(values, kind):
    values = np.array(values)
    if kind == "list":
        return values.tolist()
    if kind == "2-D":
        return values[:, np.newaxis]
    if kind in ("large", "negative"):
        return values + (10**6 if kind == "large" else -1)
    dtype = {"float": float, "bool": bool, "object": object, "unsigned": np.uint32}[kind]
    return values.astype(dtype)


@pytest.fixture(name="X")
def half_stars():
    return ratings()


@READERS
@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csr_matrix])
@pytest.mark.parametrize(("form", "name", "fault"), BROKEN)
def test_broken_indices_are_refused(model, kind, form, name, fault):
    rbm = model.machine().fit(np.eye(4))
    X = kind(np.eye(4)).asformat(form)
    if form == "dia" and fault in ("large", "negative"):
        pytest.skip("diagonals beside the matrix are legal")
    broken = spoiled(getattr(X, name), fault)
    if name == "row" and hasattr(X, "coords"):  # since SciPy 1.13, whose setter of rows mends some
        X.coords = broken, X.col
    else:
        setattr(X, name, broken)
    for method in (rbm.fit, rbm.transform, rbm.score_samples):
        with pytest.raises(ValueError, match=f"not a valid {form.upper()} matrix.*Build X anew"):
            method(X)


@READERS
@pytest.mark.parametrize("form", ["csr", "csc", "bsr", "coo", "dia"])
@pytest.mark.parametrize("fault", ["short", "list", "more dimensions", "masked"])
def test_broken_values_are_refused(model, form, fault):
    rbm = model.machine().fit(np.eye(4))
    X = sparse.csr_array(np.eye(4)).asformat(form)
    X.data = {
        "short": X.data[:0],
        "list": X.data.tolist(),
        "masked": np.ma.masked_equal(X.data, 1),
        "more dimensions": X.data[..., np.newaxis],
    }[fault]
    with pytest.raises(ValueError, match=f"not a valid {form.upper()} matrix"):
        rbm.transform(X)


@READERS
def test_other_faults_are_refused(model):
    rbm = model.machine().fit(np.eye(4))
    lil, blocks = sparse.lil_array(np.eye(4)), sparse.bsr_array(np.eye(4), blocksize=(2, 2))
    lil.rows[1] = [7]
    blocks.data = np.ones((2, 3, 3))
    twice = sparse.dia_array((np.ones((2, 4)), [0, 1]), (4, 4))
    twice.offsets = np.zeros(2, np.int32)
    objects = sparse.csr_array(np.eye(4))
    objects.data = objects.data.astype(object)
    ragged = sparse.lil_array(np.eye(4))
    ragged.data[1] = []
    fractions, none = sparse.lil_array(np.eye(4)), sparse.lil_array(np.eye(4))
    fractions.rows[1], none.rows[2] = [0.5], None
    keys = sparse.dok_array(np.eye(4))
    keys._dict[9, 1] = 1.0
    for X in (lil, blocks, twice, ragged, fractions, none, keys):
        with pytest.raises(ValueError, match="not a valid"):
            rbm.transform(X)
    with pytest.raises(ValueError, match="sparse matrix of object"):
        rbm.transform(objects)


@READERS
@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csr_matrix])
@pytest.mark.parametrize("behind", [np.nan, np.inf, 7.5])
def test_what_lies_behind_the_last_row_does_not_count(model, kind, behind):
    """SciPy leaves it behind before ``prune``."""
    rows = model.complete()
    X = kind(rows if model is BERNOULLI else stored(rows))
    with_room = X.copy()
    with_room.data = np.append(X.data, [behind] * 3)
    with_room.indices = np.append(X.indices, np.full(3, 99, X.indices.dtype))
    rbm, same = model.machine(conditional=False) if model is SOFTMAX else model.machine(), None
    same = model.machine(**rbm.get_params()).fit(X)
    assert_same_model(rbm.fit(with_room), same)
    for name in ("transform", "score_samples", "free_energy", "log_likelihood", *model.predictors):
        assert_array_equal(getattr(rbm, name)(with_room), getattr(same, name)(X))
    for name in ("gibbs", "impute"):
        ours, theirs = (
            getattr(rbm, name)(data, random_state=0, **STEPS.get(name, {}))
            for data in (with_room, X)
        )
        assert_array_equal(*(r.toarray() if sparse.issparse(r) else r for r in (ours, theirs)))


STEPS = {"impute": {"n_gibbs_steps": 2, "n_chains": 2}}


@READERS
def test_sparse_float16_counts_as_float64(model):
    """SciPy has no such matrices, but does not refuse them either."""
    X = sparse.csr_array(np.diag([1, 0.5, 0.5, 1]))
    expected = model.machine().fit(X)
    X.data = X.data.astype(np.float16)
    rbm = model.machine().fit(X)
    assert rbm.components_.dtype == np.float64
    assert_array_equal(rbm.transform(X), expected.transform(X))
    assert_array_equal(rbm.components_, expected.components_)


def test_large_integers_behind_the_last_row_do_not_count(X):
    with_room = stored(np.nan_to_num(X)).astype(np.int64)
    expected = machine().fit(with_room)
    with_room.data = np.append(with_room.data, 2**60)
    with_room.indices = np.append(with_room.indices, with_room.indices[:1])
    assert_same_model(machine().fit(with_room), expected)


def test_a_likelihood_adds_up_entries_at_one_place():
    """Whatever a matrix says of itself."""
    halves = np.full(4, 0.5)
    X = sparse.csr_array((halves, [0, 0, 1, 1], [0, 2, 4]), shape=(2, 3))
    X.has_canonical_format = True
    rbm = BERNOULLI.machine().fit(np.eye(3))
    assert_array_equal(rbm.log_likelihood(X), rbm.log_likelihood(np.eye(3)[:2]))


# --- ratings ---


def as_blocks(X, kind):
    rows = np.arange(X.size).reshape(X.shape) // X.shape[1]
    full = kind((X.ravel(), (rows.ravel(), np.tile(np.arange(X.shape[1]), len(X)))), X.shape)
    return full.tobsr((1, 3))


def as_diagonals(X, kind):
    offsets = np.arange(-len(X) + 1, X.shape[1])
    diagonals = np.zeros((len(offsets), X.shape[1]))
    for d, k in enumerate(offsets):
        for j in range(X.shape[1]):
            if 0 <= j - k < len(X):
                diagonals[d, j] = X[j - k, j]
    data = sparse.dia_array((diagonals, offsets), shape=X.shape)
    return data if kind is sparse.csr_array else sparse.dia_matrix(data)


@pytest.mark.parametrize("convert", [as_blocks, as_diagonals])
@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csr_matrix])
def test_zeros_of_blocks_and_diagonals_are_refused(convert, kind):
    """They fill up what nobody rated, and look like ratings of 0."""
    X = 1 + ratings(missing=0)
    assert X.shape == (N_ROWS, N_FEATURES)
    rbm = machine().fit(X)
    assert_same_model(machine().fit(convert(X, kind)), rbm)
    X[2, 3] = 0
    data = convert(X, kind)
    for method in (rbm.fit, rbm.partial_fit, rbm.transform, rbm.predict_ratings):
        with pytest.raises(ValueError, match=r"that stores zeros.*X\.eliminate_zeros.*coo_array"):
            method(data)


def test_a_band_of_diagonals_misses_the_rest():
    """Corners of the diagonals lie outside the matrix and do not count, not even zeros."""
    X = np.full((5, 6), np.nan)
    i = np.arange(5)
    X[i, i], X[i, i + 1] = 1 + i % 3, 1 + (i + 1) % 3
    band = sparse.dia_array((np.array([[1, 2, 3, 1, 2, 0], [0, 2, 3, 1, 2, 3]]), [0, 1]), (5, 6))
    assert np.array_equal(band.toarray(), np.nan_to_num(X))
    assert_same(machine(categories=[1, 2, 3]).fit(band), machine(categories=[1, 2, 3]).fit(X))


@pytest.mark.parametrize("kind", ["array", "matrix"])
@pytest.mark.parametrize("form", ["csr", "csc", "coo", "lil", "dok"])
def test_sparse_arrays_and_matrices_come_back_as_they_are(X, kind, form):
    data = getattr(sparse, f"csr_{kind}")(stored(1 + X)).asformat(form)
    rbm = machine().fit(data)
    drawn = [
        rbm.gibbs(data, random_state=0),
        rbm.sample(30, init=data, n_gibbs_steps=1, random_state=0),
        rbm.sample(3, init=data, n_gibbs_steps=1, method="tempering", random_state=0),
    ]
    for rows in drawn:
        assert type(rows) is getattr(sparse, f"csr_{kind}")
    assert_same_bits(drawn[0].data, rbm.gibbs(stored(1 + X), random_state=0).data)


@pytest.mark.parametrize("form", ["coo", "csr", "csc"])
@pytest.mark.parametrize("values", [(1.0, 2.0), (1.0, 1.0), (1.0, 0.0)])
def test_two_entries_at_one_place_are_refused(X, form, values):
    rbm = machine().fit(X)
    rows, columns = [0, 2, 5, 2, 7], [1, 3, 0, 3, 5]
    ones = [1.0, values[0], 3.0, values[1], 4.0]
    if form == "coo":
        data = sparse.coo_array((ones, (rows, columns)), shape=X.shape)
    else:
        order = np.argsort(rows if form == "csr" else columns, kind="stable")
        major, minor = (rows, columns) if form == "csr" else (columns, rows)
        size = X.shape[0] if form == "csr" else X.shape[1]
        indptr = np.concatenate(([0], np.cumsum(np.bincount(major, minlength=size))))
        kind = sparse.csr_array if form == "csr" else sparse.csc_array
        parts = np.array(ones)[order], np.array(minor)[order], indptr
        data = kind(parts, shape=X.shape)
    assert data.nnz == 5
    for method in (rbm.fit, rbm.partial_fit, rbm.transform, rbm.predict_ratings):
        with pytest.raises(ValueError, match="2 entries at row 2, column 3"):
            method(data)


def test_a_stale_flag_of_sorted_indices_is_not_believed(X):
    rbm = machine().fit(X)
    rows, columns = np.nonzero(~np.isnan(X))
    order = np.lexsort((-columns, rows))
    entries = (X[rows, columns][order], (rows[order], columns[order]))
    unsorted = sparse.csr_array(
        (entries[0], columns[order], np.searchsorted(rows, np.arange(len(X) + 1))), shape=X.shape
    )
    unsorted.has_sorted_indices = True
    kept = unsorted.indices.copy()
    assert_array_equal(rbm.predict_ratings(unsorted), rbm.predict_ratings(X))
    assert_array_equal(unsorted.indices, kept)


def test_sparse_arrays_of_one_dimension_are_refused():
    X = sparse.coo_array(np.array([1.0, 2.0]))
    if X.ndim == 2:
        pytest.skip("before SciPy 1.13 every sparse array has two dimensions")
    with pytest.raises(ValueError, match="1 dimension"):
        machine().fit(X)


@pytest.mark.parametrize("block", [1, 2, 3, 7, 100])
def test_ascent_is_seen_across_blocks(block, monkeypatch):
    monkeypatch.setattr("skrbm._input.sparse._BLOCK", block)
    for seed in range(60):
        rng = np.random.default_rng(seed)
        X = sparse.csr_array((rng.random((7, 5)) < rng.uniform(0, 0.8)).astype(float))
        assert ascends(X)
        rows = np.repeat(np.arange(7), np.diff(X.indptr))
        k = rng.integers(max(X.nnz, 1))
        if X.nnz:
            X.indices[k] = rng.integers(5)
        pairs = [(a, b) for r in range(7) for a, b in pairwise(X.indices[rows == r])]
        assert ascends(X) == all(a < b for a, b in pairs)
