"""What the estimator takes: containers, dtypes, memory, and what it refuses."""

import tracemalloc

import numba
import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import NotFittedError

from skrbm import BernoulliRBM

from .comparison import assert_same_bits, assert_same_model

# 47 rows leave a short last batch; a batch of 40 is too large for the products of few rows.
N_ROWS, N_FEATURES = 47, 8
BATCH_SIZES = [10, 40]


@pytest.fixture(name="X")
def grey_rows():
    """Quarters, exact in every dtype of floats, with zeros for the sparse formats."""
    rng = np.random.default_rng(1)
    return rng.integers(0, 5, (N_ROWS, N_FEATURES)) * rng.integers(0, 2, (N_ROWS, 1)) / 4


@pytest.fixture
def bits():
    return np.random.default_rng(2).integers(0, 2, (N_ROWS, N_FEATURES)).astype(float)


@pytest.fixture
def fitted(bits):
    return machine(n_iter=1).fit(bits)


def machine(**parameters):
    defaults = {"n_components": 3, "n_iter": 3, "momentum": 0.5, "random_state": 0}
    return BernoulliRBM(**defaults | parameters)


# --- containers: the same model as from a plain array ---


def as_frame(X, path):
    return pytest.importorskip("pandas").DataFrame(X, columns=list("abcdefgh"))


def as_memmap(X, path):
    file = path / f"{len(list(path.iterdir()))}.npy"
    np.save(file, X)
    return np.load(file, mmap_mode="r")


def as_read_only(X, path):
    X = X.copy()
    X.flags.writeable = False
    return X


def as_strided(X, path):
    larger = np.full((2 * X.shape[0], 3 * X.shape[1]), 0.5, X.dtype)
    larger[::2, ::3] = X
    return larger[::2, ::3]


def as_read_only_csr(X, path):
    """The way joblib hands large data to its workers."""
    X = sparse.csr_array(X)
    for part in (X.data, X.indices, X.indptr):
        part.flags.writeable = False
    return X


def as_csr_with_long_indices(X, path):
    X = sparse.csr_array(X)
    X.indices, X.indptr = X.indices.astype(np.int64), X.indptr.astype(np.int64)
    return X


def as_unsorted_csr(X, path):
    """Duplicate entries, which add up, and columns in no order."""
    parts = sparse.csr_array(X / 2)
    data = np.concatenate((parts.data, parts.data))
    row_ends = [slice(parts.indptr[r], parts.indptr[r + 1]) for r in range(X.shape[0])]
    indices = [np.concatenate((parts.indices[s][::-1], parts.indices[s])) for s in row_ends]
    data = [np.concatenate((parts.data[s][::-1], parts.data[s])) for s in row_ends]
    return sparse.csr_array(
        (np.concatenate(data), np.concatenate(indices), 2 * parts.indptr), shape=X.shape
    )


CONTAINERS = {
    "list": lambda X, path: X.tolist(),
    "frame": as_frame,
    "memmap": as_memmap,
    "read-only": as_read_only,
    "Fortran": lambda X, path: np.asfortranarray(X),
    "strided": as_strided,
    "reversed": lambda X, path: X[::-1, ::-1].copy()[::-1, ::-1],
    "big-endian": lambda X, path: X.astype(">f8"),
    "object": lambda X, path: X.astype(object),
    "long double csr": lambda X, path: sparse.csr_array(X.astype(np.longdouble)),
    "read-only csr": as_read_only_csr,
    "long csr": as_csr_with_long_indices,
    "unsorted csr": as_unsorted_csr,
    **{
        f"{form}_{kind.__name__[4:]}": lambda X, path, form=form, kind=kind: kind(X).asformat(form)
        for form in ("csr", "csc", "coo", "lil", "dok", "dia", "bsr")
        for kind in (sparse.csr_array, sparse.csr_matrix)
    },
}
FLOAT64_ONLY = {"list", "big-endian", "object", "long double csr"}
containers = pytest.mark.parametrize("container", CONTAINERS.values(), ids=CONTAINERS.keys())


@containers
@pytest.mark.parametrize("batch_size", BATCH_SIZES)
def test_every_container_gives_the_same_model(X, container, batch_size, tmp_path):
    # Mini-batches are copied into one buffer, so that even matrix products see no difference.
    expected = machine(batch_size=batch_size).fit(X)
    actual = machine(batch_size=batch_size).fit(container(X, tmp_path))
    assert_same_model(actual, expected, but=["feature_names_in_"])


@pytest.mark.parametrize("name", sorted(CONTAINERS.keys() - FLOAT64_ONLY))
def test_every_float32_container_gives_the_same_float32_model(X, name, tmp_path):
    X = X.astype(np.float32)
    expected = machine().fit(X)
    assert expected.components_.dtype == np.float32
    actual = machine().fit(CONTAINERS[name](X, tmp_path))
    assert_same_model(actual, expected, but=["feature_names_in_"])


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array, sparse.coo_matrix])
@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int8, np.int64])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_integers_and_booleans_count_as_float64(bits, dtype, container, method):
    expected = getattr(machine(), method)(bits)
    actual = getattr(machine(), method)(container(bits.astype(dtype)))
    assert_same_model(actual, expected)


def test_float16_counts_as_float64(bits):
    assert_same_model(machine().fit(bits.astype(np.float16)), machine().fit(bits))


@containers
def test_methods_that_read_take_every_container(X, container, tmp_path):
    data = container(X, tmp_path)
    rbm, plain = machine().fit(data), machine().fit(X)
    # Here rows go into the matrix products as they lie in memory: equal up to rounding.
    for name in ("transform", "reconstruct", "free_energy", "score_samples"):
        actual, expected = getattr(rbm, name)(data), getattr(plain, name)(X)
        np.testing.assert_allclose(actual, expected, rtol=1e-12, err_msg=name)
    H = plain.transform(X)
    np.testing.assert_allclose(rbm.energy(data, H), plain.energy(X, H), rtol=1e-12)
    np.testing.assert_array_equal(
        rbm.gibbs(data, 2, random_state=0), plain.gibbs(X, 2, random_state=0)
    )
    options = {"n_gibbs_steps": 1, "random_state": 0}
    np.testing.assert_array_equal(
        rbm.sample(60, init=data, **options), plain.sample(60, init=X, **options)
    )


@containers
def test_fit_leaves_the_data_alone(X, container, tmp_path):
    data, untouched = container(X, tmp_path), container(X, tmp_path)
    machine().fit(data)
    machine().partial_fit(data)
    if sparse.issparse(data) and data.format == "dok":
        assert dict(data.items()) == dict(untouched.items())
    elif sparse.issparse(data):  # to the order of the entries
        data, untouched = vars(data), vars(untouched)
        data = {k: v for k, v in data.items() if isinstance(v, np.ndarray)}
        untouched = {k: untouched[k] for k in data}
        assert data
        assert_same_bits(data, untouched)
    else:
        np.testing.assert_array_equal(np.asarray(data), np.asarray(untouched))


def test_y_is_ignored(bits):
    expected = machine().fit(bits)
    assert_same_model(machine().fit(bits, np.arange(N_ROWS)), expected)
    assert_same_model(machine().fit(bits, "whatever"), expected)
    assert_same_model(machine().partial_fit(bits, np.arange(N_ROWS)), machine().partial_fit(bits))
    assert expected.score(bits, np.arange(N_ROWS)) == expected.score(bits)


# --- dtypes ---


def arrays_in(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [array for part in value for array in arrays_in(part)]
    return [value] if isinstance(value, np.ndarray) else []


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_the_dtype_is_kept_in_every_attribute_and_result(bits, dtype, container, method):
    bits = bits.astype(dtype)
    rbm = getattr(machine(), method)(container(bits))
    arrays = arrays_in(vars(rbm))
    assert len(arrays) >= 4
    assert {array.dtype for array in arrays} == {np.dtype(dtype)}
    data, H = container(bits), rbm.transform(bits)
    results = {
        "transform": rbm.transform(data),
        "inverse_transform": rbm.inverse_transform(H),
        "reconstruct": rbm.reconstruct(data),
        "free_energy": rbm.free_energy(data),
        "energy": rbm.energy(data, H),
        "energy, float64 H": rbm.energy(data, H.astype(float)),
        "score_samples": rbm.score_samples(data),
        "gibbs": rbm.gibbs(data, 2, random_state=0),
        "sample": rbm.sample(3, n_gibbs_steps=2, random_state=0),
        "sample, init": rbm.sample(3, n_gibbs_steps=2, init=data, random_state=0),
    }
    assert {name: r.dtype for name, r in results.items()} == dict.fromkeys(results, dtype)
    assert isinstance(rbm.score(data), float)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("first", [np.float32, np.float64])
@pytest.mark.parametrize("second", [np.float32, np.float64, np.uint8])
def test_the_first_chunk_decides_the_dtype(bits, first, second, container):
    expected = machine().partial_fit(bits.astype(first)).partial_fit(bits.astype(first))
    rbm = machine().partial_fit(bits.astype(first)).partial_fit(container(bits.astype(second)))
    assert {array.dtype for array in arrays_in(vars(rbm))} == {np.dtype(first)}
    # The error is measured in the dtype of the chunk.
    error = rbm.history_.pop("reconstruction_error")
    assert error == pytest.approx(expected.history_.pop("reconstruction_error"), rel=1e-5)
    assert_same_model(rbm, expected)


# --- memory ---


def peak_of(function, *arguments):
    """The most bytes allocated at a time, beyond those at the start."""
    tracemalloc.start()
    try:
        function(*arguments)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


LARGE_DENSE = {
    "float32": lambda X, path: X.astype(np.float32),
    "float64": lambda X, path: X.astype(np.float64),
    "Fortran float32": lambda X, path: np.asfortranarray(X, np.float32),
    "uint8": lambda X, path: X,
    "bool": lambda X, path: X.astype(bool),
    "memmap": as_memmap,
    "frame": lambda X, path: pytest.importorskip("pandas").DataFrame(X.astype(np.float32)),
}


@pytest.mark.parametrize("container", LARGE_DENSE.values(), ids=LARGE_DENSE.keys())
def test_fit_never_copies_dense_data(container, tmp_path):
    X = np.random.default_rng(0).integers(0, 2, (20_000, 200), dtype=np.uint8)
    data = container(X, tmp_path)
    rbm = BernoulliRBM(n_components=2, n_iter=1, batch_size=50, verbose=0)
    rbm.fit(data[:100])  # compile first
    # Tightest for bytes, 4 MB in all: as floats they would be 32 MB.
    assert peak_of(rbm.fit, data) < X.nbytes / 4
    assert peak_of(rbm.partial_fit, data) < X.nbytes / 4


@pytest.fixture
def sparse_rows():
    """4,000 rows x 1,000 columns with 1 % ones: 0.5 MB, where 32 MB would be dense."""
    rng = np.random.default_rng(0)
    where = [rng.integers(0, n, 40_000) for n in (4000, 1000)]
    X = sparse.csr_array((np.ones(40_000), where), shape=(4000, 1000))
    X.data[:] = 1
    return X


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "bsr"])
def test_fit_never_makes_sparse_data_dense(sparse_rows, form):
    X = sparse_rows.asformat(form)
    rbm = BernoulliRBM(n_components=2, n_iter=1, batch_size=20).fit(sparse_rows[:100])
    assert peak_of(rbm.fit, X) < 32e6 / 4
    assert peak_of(rbm.partial_fit, X) < 32e6 / 4


def test_methods_that_read_never_make_sparse_data_dense(sparse_rows):
    rbm = BernoulliRBM(n_components=2, n_iter=0).fit(sparse_rows)
    assert peak_of(rbm.transform, sparse_rows) < 32e6 / 8
    assert peak_of(rbm.free_energy, sparse_rows) < 32e6 / 8
    # Scores need a dense block of 1,000 rows, 8 MB here, for each thread; allow two of one.
    numba_threads = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        assert peak_of(rbm.score_samples, sparse_rows) < 32e6 / 2
    finally:
        numba.set_num_threads(numba_threads)


# --- values ---


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array, sparse.coo_matrix])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(("value", "told"), [(-3.5, "-3.5 to 1"), (2.25, "0 to 2.25")])
def test_values_outside_the_unit_interval_are_warned_of_once(bits, container, method, value, told):
    bits[5, 3] = value
    with pytest.warns(UserWarning, match="BernoulliRBM reads values as prob") as warned:
        getattr(machine(), method)(container(bits))
    assert len(warned) == 1
    message = str(warned[0].message)
    for part in (told, "MinMaxScaler", "GaussianBernoulliRBM"):
        assert part in message


def test_methods_that_read_are_silent_outside_the_unit_interval(fitted, bits):
    # A scaled test fold may step over the edge; a warning would be an error here.
    H = fitted.transform(bits)
    bits[0, 0], bits[1, 1] = -0.2, 1.3
    for name in ("transform", "reconstruct", "free_energy", "score_samples", "gibbs"):
        assert np.isfinite(getattr(fitted, name)(bits)).all()
    assert np.isfinite(fitted.energy(bits, H)).all()


READS_X = ["transform", "reconstruct", "free_energy", "score_samples", "score", "gibbs"]


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("method", ["fit", "partial_fit", *READS_X])
def test_nan_and_infinity_are_refused(fitted, bits, method, value, container):
    bits[3, 2] = value
    with pytest.raises(ValueError, match="NaN" if np.isnan(value) else "infinity"):
        getattr(fitted, method)(container(bits))


@pytest.mark.parametrize("method", [*READS_X, "partial_fit"])
def test_another_number_of_features_is_refused(fitted, bits, method):
    with pytest.raises(ValueError, match="X has 7 features, but BernoulliRBM is expecting 8"):
        getattr(fitted, method)(bits[:, :7])


def test_hidden_rows_of_another_shape_are_refused(fitted, bits):
    with pytest.raises(ValueError, match=r"H has 4 columns.* 3 hidden units"):
        fitted.inverse_transform(np.zeros((2, 4)))
    with pytest.raises(ValueError, match=r"H has 2 columns.* 3 hidden units"):
        fitted.energy(bits, np.zeros((N_ROWS, 2)))
    with pytest.raises(ValueError, match="V has 47 rows but H has 46"):
        fitted.energy(bits, np.zeros((N_ROWS - 1, 3)))
    with pytest.raises(ValueError, match="Expected 2D array"):
        fitted.inverse_transform(np.zeros(3))
    with pytest.raises(ValueError, match="NaN"):
        fitted.inverse_transform(np.full((2, 3), np.nan))


@pytest.mark.parametrize(("count", "error"), [(0, ValueError), (-1, ValueError), (1.5, TypeError)])
def test_counts_of_draws_are_whole_and_positive(fitted, bits, count, error):
    with pytest.raises(error, match="n_steps"):
        fitted.gibbs(bits, count)
    with pytest.raises(error, match="n_samples"):
        fitted.sample(count)
    with pytest.raises(error, match="n_gibbs_steps"):
        fitted.sample(1, n_gibbs_steps=count)


def test_draws_refuse_what_is_no_random_state_and_no_start(fitted, bits):
    with pytest.raises(ValueError, match="seed"):
        fitted.gibbs(bits, random_state="seed")
    with pytest.raises(ValueError, match="X has 7 features"):
        fitted.sample(2, init=bits[:, :7])
    with pytest.raises(ValueError, match="0 sample"):
        fitted.sample(2, init=bits[:0])


def test_before_fit_every_method_that_reads_says_so(bits):
    calls = dict.fromkeys([*READS_X, "inverse_transform"], (bits,))
    calls |= {"energy": (bits, bits), "sample": (), "get_feature_names_out": ()}
    for name, arguments in calls.items():
        with pytest.raises(NotFittedError, match="BernoulliRBM"):
            getattr(machine(), name)(*arguments)
