"""What SoftmaxRBM takes: containers, missing entries, categories, and what it refuses."""

import pickle

import numpy as np
import pytest
from scipy import sparse

from skrbm import SoftmaxRBM

from .comparison import assert_same_bits, assert_same_model

N_ROWS, N_FEATURES = 23, 6
HALF_STARS = np.arange(0, 5.5, 0.5)


def ratings(missing=0.4, seed=1, categories=HALF_STARS):
    """Half stars, 0 among them, exact in every dtype of floats; one row holds nothing."""
    rng = np.random.default_rng(seed)
    X = rng.choice(categories, (N_ROWS, N_FEATURES))
    X[rng.random(X.shape) < missing] = np.nan
    if missing:
        X[4] = np.nan
    return X


def machine(**parameters):
    """23 rows leave a short last batch."""
    defaults = {"n_components": 3, "n_iter": 2, "batch_size": 10, "random_state": 0}
    return SoftmaxRBM(**defaults | parameters)


def stored(X):
    """CSR of the entries that are no NaN; zeros are stored."""
    rows, columns = np.nonzero(~np.isnan(X))
    return sparse.csr_array((X[rows, columns], (rows, columns)), shape=X.shape)


@pytest.fixture(name="X")
def half_stars():
    return ratings()


# --- containers: the same model as from a plain array with NaN ---


def as_frame(X, path):
    return pytest.importorskip("pandas").DataFrame(X, columns=list("abcdef"))


def as_nullable_frame(X, path):
    pd = pytest.importorskip("pandas")
    columns = [pd.array(np.nan_to_num(c), dtype="Float64") for c in X.T]
    for column, values in zip(columns, X.T, strict=True):
        column[np.isnan(values)] = pd.NA
    return pd.DataFrame(dict(zip("abcdef", columns, strict=True)))


def as_memmap(X, path):
    np.save(path / "X.npy", X)
    return np.load(path / "X.npy", mmap_mode="r")


def as_read_only(X, path):
    X = X.copy()
    X.flags.writeable = False
    return X


def as_strided(X, path):
    larger = np.full((2 * X.shape[0], 3 * X.shape[1]), 77, X.dtype)
    larger[::2, ::3] = X
    return larger[::2, ::3]


def as_read_only_csr(X, path):
    X = stored(X)
    for part in (X.data, X.indices, X.indptr):
        part.flags.writeable = False
    return X


def as_csr_with_long_indices(X, path):
    X = stored(X)
    X.indices, X.indptr = X.indices.astype(np.int64), X.indptr.astype(np.int64)
    return X


def as_unsorted_csr(X, path):
    X = stored(X)
    for first, stop in zip(X.indptr[:-1], X.indptr[1:], strict=True):
        X.indices[first:stop] = X.indices[first:stop][::-1].copy()
        X.data[first:stop] = X.data[first:stop][::-1].copy()
    return sparse.csr_array((X.data, X.indices, X.indptr), shape=X.shape)


def as_csr_with_stored_nan(X, path):
    places = np.nonzero(np.ones(X.shape))
    return sparse.csr_array((X.ravel(), places), shape=X.shape)


def as_csr_with_room(X, path):
    """Arrays longer than what is stored, as scipy leaves behind before ``prune``."""
    X = stored(X)
    X.data, X.indices = np.append(X.data, [9, 9]), np.append(X.indices, np.int32([3, 3]))
    return X


def shuffled_coo(X, path):
    X = stored(X).tocoo()
    order = np.random.default_rng(0).permutation(X.nnz)
    return sparse.coo_array((X.data[order], (X.row[order], X.col[order])), shape=X.shape)


def in_format(form, kind):
    def convert(X, path):
        csr = stored(X)
        if form == "dok":  # whose constructors drop zeros
            dok = kind(csr.shape, dtype=X.dtype).asformat("dok")
            coo = csr.tocoo()
            dok._dict.update(
                {(int(i), int(j)): v for i, j, v in zip(coo.row, coo.col, coo.data, strict=True)}
            )
            return dok
        return kind(csr).asformat(form)

    return convert


CONTAINERS = {
    "list": lambda X, path: X.tolist(),
    "list with None": lambda X, path: np.where(np.isnan(X), None, X.astype(object)).tolist(),
    "frame": as_frame,
    "nullable frame": as_nullable_frame,
    "memmap": as_memmap,
    "read-only": as_read_only,
    "Fortran": lambda X, path: np.asfortranarray(X),
    "strided": as_strided,
    "reversed": lambda X, path: X[::-1, ::-1].copy()[::-1, ::-1],
    "big-endian": lambda X, path: X.astype(">f8"),
    "object": lambda X, path: X.astype(object),
    "object with None": lambda X, path: np.where(np.isnan(X), None, X.astype(object)),
    "float16": lambda X, path: X.astype(np.float16),
    "long double": lambda X, path: X.astype(np.longdouble),
    "read-only csr": as_read_only_csr,
    "long csr": as_csr_with_long_indices,
    "unsorted csr": as_unsorted_csr,
    "csr with NaN": as_csr_with_stored_nan,
    "csr with room": as_csr_with_room,
    "shuffled coo": shuffled_coo,
    **{
        f"{form}_{kind.__name__[4:]}": in_format(form, kind)
        for form in ("csr", "csc", "coo", "lil", "dok")
        for kind in (sparse.csr_array, sparse.csr_matrix)
    },
}
containers = pytest.mark.parametrize("container", CONTAINERS.values(), ids=CONTAINERS.keys())


def assert_same(actual, expected):
    """The same bits, but for the dtype that categories came in and the names of features."""
    assert_same_bits(
        [c.astype(float) for c in actual.categories_],
        [c.astype(float) for c in expected.categories_],
    )
    names = ["feature_names_in_", "categories_", "_categories", "_base_bias"]
    assert_same_model(actual, expected, but=names)


@containers
@pytest.mark.parametrize("categories", ["shared", "auto"])
def test_every_container_gives_the_same_model(X, container, categories, tmp_path):
    data = container(X, tmp_path)
    expected = machine(categories=categories, conditional=True).fit(X)
    assert_same(machine(categories=categories, conditional=True).fit(data), expected)


@containers
def test_methods_that_read_take_every_container(X, container, tmp_path):
    data = container(X, tmp_path)
    rbm, plain = machine().fit(data), machine().fit(X)
    for name in ("transform", "reconstruct", "free_energy", "score_samples", "predict_ratings"):
        assert_same_bits(getattr(rbm, name)(data), getattr(plain, name)(X), name)
    assert_same_bits(rbm.recommend(data, 3), plain.recommend(X, 3))
    H = plain.transform(X)
    assert_same_bits(rbm.energy(data, H), plain.energy(X, H))


@containers
def test_fit_leaves_the_data_alone(X, container, tmp_path):
    data = container(X, tmp_path)
    if sparse.issparse(data) and data.format == "dok":
        before = dict(data.items())
        machine().fit(data).predict_ratings(data)
        assert dict(data.items()) == before
        return
    arrays = [data]
    if sparse.issparse(data):  # to the order of the entries
        arrays = [value for value in vars(data).values() if isinstance(value, np.ndarray)]
        assert arrays
    before = [pickle.dumps(np.asarray(array)) for array in arrays]
    machine().fit(data).partial_fit(data).predict_ratings(data)
    assert [pickle.dumps(np.asarray(array)) for array in arrays] == before


@pytest.mark.parametrize("form", ["bsr", "dia"])
@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csr_matrix])
def test_formats_of_blocks_and_diagonals_store_zeros_too(form, kind):
    """Whatever the block holds is stored: with no entry missing all formats agree."""
    X = ratings(missing=0)
    assert (X == 0).any()
    if form == "bsr":
        rows = np.arange(N_ROWS * N_FEATURES).reshape(N_ROWS, N_FEATURES) // N_FEATURES
        full = kind((X.ravel(), (rows.ravel(), np.tile(np.arange(N_FEATURES), N_ROWS))), X.shape)
        data = full.tobsr((1, 3))
    else:
        offsets = np.arange(-N_ROWS + 1, N_FEATURES)
        diagonals = np.zeros((len(offsets), N_FEATURES))
        for d, k in enumerate(offsets):
            for j in range(N_FEATURES):
                if 0 <= j - k < N_ROWS:
                    diagonals[d, j] = X[j - k, j]
        data = sparse.dia_array((diagonals, offsets), shape=X.shape)
        data = data if kind is sparse.csr_array else sparse.dia_matrix(data)
    assert data.format == form
    assert_same_model(machine().fit(data), machine().fit(X))


def test_a_band_of_diagonals_misses_the_rest():
    X = np.full((5, 6), np.nan)
    i = np.arange(5)
    X[i, i], X[i, i + 1] = i % 3, (i + 1) % 3
    band = sparse.dia_array((np.array([[0, 1, 2, 0, 1, 0], [0, 1, 2, 0, 1, 2]]), [0, 1]), (5, 6))
    assert np.array_equal(band.toarray(), np.nan_to_num(X))
    assert_same(machine(categories=[0, 1, 2]).fit(band), machine(categories=[0, 1, 2]).fit(X))


def test_a_stored_zero_is_a_rating_and_an_absent_entry_is_not(X):
    with_zeros = stored(X)
    without = with_zeros.copy()
    without.eliminate_zeros()
    assert without.nnz < with_zeros.nnz
    rbm = machine().fit(X)
    absent = np.where(X == 0, np.nan, X)
    assert_same_bits(rbm.transform(without), rbm.transform(absent))
    differs = (rbm.transform(without) != rbm.transform(with_zeros)).any(axis=1)
    np.testing.assert_array_equal(differs, (X == 0).any(axis=1))
    np.testing.assert_array_equal(machine().fit(without).categories_[0], HALF_STARS[1:])


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


def test_neighbours_at_the_end_of_a_row_are_no_duplicates():
    X = np.full((4, 3), np.nan)
    X[0, 2] = X[1, 2] = X[3, 2] = 1
    X[2, 0] = 2
    assert_same(machine().fit(stored(X)), machine().fit(X))


@pytest.mark.parametrize(
    ("part", "value"), [("indices", 6), ("indices", -1), ("indptr", 10**6)], ids=str
)
def test_a_csr_matrix_that_points_outside_itself_is_refused(X, part, value):
    data = stored(X)
    getattr(data, part)[-1] = value
    rbm = machine().fit(X)
    for method in (rbm.fit, rbm.transform):
        with pytest.raises(ValueError, match="not a valid CSR matrix"):
            method(data)


# --- dtypes ---


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint8, np.int64, np.uint64, ">i4"])
@pytest.mark.parametrize("container", [np.asarray, lambda X: stored(X).astype(X.dtype)])
def test_integers_and_booleans_count_as_float64(dtype, container):
    X = np.random.default_rng(0).integers(0, 2, (N_ROWS, N_FEATURES)).astype(float)
    if dtype == ">i4" and container is not np.asarray:
        pytest.skip("scipy has no such sparse matrices")
    assert_same(machine().fit(container(X.astype(dtype))), machine().fit(X))


@pytest.mark.parametrize("container", [np.asarray, stored, as_frame])
def test_float32_stays_float32(X, container):
    X = X.astype(np.float32)
    data = container(X, None) if container is as_frame else container(X)
    rbm = machine(conditional=True, momentum=0.5).fit(data)
    H = rbm.transform(data)
    results = [rbm.components_, rbm.intercept_visible_, rbm.intercept_hidden_, rbm.h_samples_]
    results += [rbm.conditional_components_, *rbm.categories_, H, rbm.inverse_transform(H)]
    results += [rbm.reconstruct(data), rbm.gibbs(data, 2), rbm.free_energy(data)]
    results += [rbm.energy(data, H), rbm.score_samples(data), rbm.predict_ratings(data)]
    results += [rbm.predict_ratings(data, [0], [0]), rbm.conditional_proba(data)]
    results += [rbm.conditional_proba(data, [0], [0]), rbm.recommend(data, 2)[1]]
    results += [rbm.sample(3, n_gibbs_steps=2), rbm.sample(3, n_gibbs_steps=2, init=data)]
    assert {result.dtype for result in results} == {np.dtype(np.float32)}


@pytest.mark.parametrize("first", [np.float32, np.float64])
@pytest.mark.parametrize("second", [np.float32, np.float64])
@pytest.mark.parametrize("categories", ["shared", "auto", "given"])
def test_a_tenth_is_a_tenth_in_every_precision(first, second, categories):
    X = np.array([[0.1, 0.7], [0.3, 0.1], [np.nan, 0.3]])
    if categories == "given":
        categories = np.array([0.1, 0.3, 0.7], first)
    rbm = machine(categories=categories).fit(X.astype(first))
    np.testing.assert_allclose(
        rbm.transform(X.astype(second)), rbm.transform(X.astype(first)), rtol=1e-5
    )
    rbm.partial_fit(X.astype(second))
    assert rbm.components_.dtype == first


def test_one_list_may_mix_precisions():
    X = np.array([[1.0, 0.1], [2.0, 0.2]])
    expected = machine(categories=[[1.0, 2.0], [0.1, 0.2]]).fit(X)
    mixed = [np.array([1.0, 2.0]), np.array([0.1, 0.2], np.float32)]
    assert_same_bits(machine(categories=mixed).fit(X).components_, expected.components_)


def test_the_first_chunk_decides_the_dtype(X):
    rbm = machine().partial_fit(X.astype(np.float32)).partial_fit(X)
    expected = machine().partial_fit(X.astype(np.float32)).partial_fit(X.astype(np.float32))
    assert_same(rbm, expected)


# --- blocks ---


@pytest.mark.parametrize("container", [np.asarray, stored])
@pytest.mark.parametrize("categories", ["shared", "auto"])
@pytest.mark.parametrize("n_entries", [1, 5, 13])
def test_the_size_of_blocks_changes_no_bit(X, container, categories, n_entries, monkeypatch):
    options = {"categories": categories, "handle_unknown": "ignore"}
    expected = machine(**options).fit(X)
    other = np.where(X == 1.5, 99, X)
    proba = expected.conditional_proba(other)
    monkeypatch.setattr("skrbm._input.categories._BLOCK_ENTRIES", n_entries)
    rbm = machine(**options).fit(container(X))
    assert_same_model(rbm, expected)
    assert_same_bits(rbm.conditional_proba(container(other)), proba)
    rbm.set_params(handle_unknown="error")
    with pytest.raises(ValueError, match=r"99\.0 in feature"):
        rbm.transform(container(other))
