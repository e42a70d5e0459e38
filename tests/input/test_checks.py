"""What the estimators read: the same model from every container, in the dtype of the data."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from ..helpers.comparison import assert_same_bits, assert_same_model
from ..helpers.containers import CONTAINERS, FLOAT64_ONLY, as_frame
from ..helpers.models import BERNOULLI, GAUSSIAN, MODELS, SOFTMAX, models
from ..helpers.ratings import assert_same as assert_same_ratings

# A batch of 40 is too large for the products of few rows.
SIZES = [{"batch_size": 10}, {"batch_size": 40}]
OPTIONS = {
    "Bernoulli": SIZES,
    "Gaussian": SIZES,
    "softmax": [{"categories": "shared"}, {"categories": "auto"}],
}


def rows_of(model):
    """Quarters, exact in every dtype of floats, with zeros for the sparse formats."""
    if model is SOFTMAX:
        return model.rows()
    rng = np.random.default_rng(1)
    X = rng.integers(0, 5, (47, 6)) * rng.integers(0, 2, (47, 1)) / 4
    return X if model is BERNOULLI else 4 * X - 1.5


def assert_same(model, actual, expected, but=()):
    """But for what a container says of itself."""
    if model is SOFTMAX:
        assert_same_ratings(actual, expected)
    else:
        assert_same_model(actual, expected, but=["feature_names_in_", *but])


def machine(model, **parameters):
    return model.machine(**{"momentum": 0.5} | parameters)


def containers(names=lambda name: True):
    return pytest.mark.parametrize(
        ("model", "container"),
        [
            pytest.param(MODELS[name], container, id=f"{name}, {what}")
            for name, some in CONTAINERS.items()
            for what, container in some.items()
            if names(what)
        ],
    )


# --- containers: the same model as from a plain array ---


@containers()
@pytest.mark.parametrize("k", [0, 1])
def test_every_container_gives_the_same_model(model, container, k, tmp_path):
    # Mini-batches are copied into one buffer, so that even matrix products see no difference.
    options = next(OPTIONS[name][k] for name in MODELS if MODELS[name] is model)
    X = rows_of(model)
    expected = machine(model, **options).fit(X)
    assert_same(model, machine(model, **options).fit(container(X, tmp_path)), expected)


@containers(lambda name: name not in FLOAT64_ONLY)
def test_every_float32_container_gives_the_same_float32_model(model, container, tmp_path):
    X = rows_of(model).astype(np.float32)
    expected = machine(model).fit(X)
    assert expected.components_.dtype == np.float32
    assert_same(model, machine(model).fit(container(X, tmp_path)), expected)


def dense(rows):
    """What a sparse result holds, NaN where nothing is stored."""
    if not sparse.issparse(rows):
        return rows
    out, coo = np.full(rows.shape, np.nan, rows.dtype), rows.tocoo()
    out[coo.row, coo.col] = coo.data
    return out


@containers()
def test_methods_that_read_take_every_container(model, container, tmp_path):
    X = rows_of(model)
    data = container(X, tmp_path)
    rbm, plain = machine(model).fit(data), machine(model).fit(X)
    H = plain.transform(X)
    # Rows of numbers go into the matrix products as they lie in memory: equal up to rounding.
    same = assert_same_bits if model is SOFTMAX else lambda a, b: assert_allclose(a, b, rtol=1e-12)
    for name in ("transform", "reconstruct", "free_energy", "score_samples", *model.predictors):
        same(getattr(rbm, name)(data), getattr(plain, name)(X))
    same(rbm.energy(data, H), plain.energy(X, H))
    if model is SOFTMAX:
        assert_same_bits(rbm.recommend(data, 3), plain.recommend(X, 3))
    drawn = rbm.gibbs(data, 2, random_state=0), rbm.sample(60, init=data, **DRAWS)
    expected = plain.gibbs(X, 2, random_state=0), plain.sample(60, init=X, **DRAWS)
    for actual, desired in zip(drawn, expected, strict=True):
        assert_array_equal(dense(actual), desired)


DRAWS = {"n_gibbs_steps": 1, "random_state": 0}


@containers()
def test_reading_leaves_the_data_alone(model, container, tmp_path):
    X = rows_of(model)
    data = container(X, tmp_path)

    def held():
        if not sparse.issparse(data):
            return pickle.dumps(np.asarray(data))
        if data.format == "dok":
            return dict(data.items())
        arrays = [value for value in vars(data).values() if isinstance(value, np.ndarray)]
        assert arrays
        return [pickle.dumps(array) for array in arrays]  # to the order of the entries

    before = held()
    rbm = machine(model).fit(data).partial_fit(data)
    for name in ("transform", *model.predictors):
        getattr(rbm, name)(data)
    assert held() == before


# --- dtypes ---


def array_and_sparse(more=()):
    """Each model with the containers of ``Model``, and more."""
    return pytest.mark.parametrize(
        ("model", "container"),
        [
            pytest.param(model, container, id=f"{name}, {container.__name__}")
            for name, model in MODELS.items()
            for container in (*model.containers, *more)
        ],
    )


@array_and_sparse()
@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int8, np.int64, np.uint64, ">i4"])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_integers_and_booleans_count_as_float64(model, container, dtype, method):
    if dtype == ">i4" and container is not np.asarray:
        pytest.skip("scipy has no such sparse matrices")
    X = BERNOULLI.rows()
    expected = getattr(machine(model), method)(X)
    assert_same(model, getattr(machine(model), method)(container(X.astype(dtype))), expected)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int8, np.int64])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_integers_of_a_coo_matrix_count_as_float64(dtype, method):
    X = BERNOULLI.rows()
    expected = getattr(machine(BERNOULLI), method)(X)
    actual = getattr(machine(BERNOULLI), method)(sparse.coo_matrix(X.astype(dtype)))
    assert_same_model(actual, expected)


@models
def test_float16_counts_as_float64(model):
    X = rows_of(model)
    actual = machine(model).fit(X.astype(np.float16))
    assert_same(model, actual, machine(model).fit(X))


def arrays_in(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [array for part in value for array in arrays_in(part)]
    return [value] if isinstance(value, np.ndarray) and value.dtype.kind == "f" else []


@array_and_sparse(more=[as_frame])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_the_dtype_is_kept_in_every_attribute_and_result(model, container, dtype, method):
    X = model.rows().astype(dtype)
    data = container(X)
    rbm = getattr(machine(model), method)(data)
    arrays = arrays_in(vars(rbm))
    assert len(arrays) >= 4
    assert {array.dtype for array in arrays} == {np.dtype(dtype)}
    H = rbm.transform(data)
    results = {
        "transform": H,
        "inverse_transform": rbm.inverse_transform(H),
        "reconstruct": rbm.reconstruct(data),
        "free_energy": rbm.free_energy(data),
        "energy": rbm.energy(data, H),
        "energy, float64 H": rbm.energy(data, H.astype(float)),
        "score_samples": rbm.score_samples(data),
        "gibbs": rbm.gibbs(data, 2, random_state=0),
        "sample": rbm.sample(3, n_gibbs_steps=2, random_state=0),
        "sample, init": rbm.sample(3, n_gibbs_steps=2, init=data, random_state=0),
        **{name: getattr(rbm, name)(data) for name in model.predictors},
        **{f"{name}, queries": getattr(rbm, name)(data, [0], [0]) for name in model.predictors},
        **({"recommend": rbm.recommend(data, 2)[1]} if model is SOFTMAX else {}),
        **{name: getattr(rbm, name) for name in (*model.arrays, "h_samples_")},
    }
    assert {name: r.dtype for name, r in results.items()} == dict.fromkeys(results, dtype)
    assert isinstance(rbm.score(data), float)
    if model is SOFTMAX:
        assert {values.dtype for values in rbm.categories_} == {np.dtype(dtype)}
    elif container is not as_frame:
        double = rbm.transform(container(X.astype(float)))
        assert double.dtype == np.float64
        assert_allclose(H, double, rtol=1e-5)


@array_and_sparse()
@pytest.mark.parametrize("first", [np.float32, np.float64])
@pytest.mark.parametrize("second", [np.float32, np.float64, np.uint8])
def test_the_first_chunk_decides_the_dtype(model, first, second, container):
    X = BERNOULLI.rows()  # integers to all models
    expected = machine(model).partial_fit(X.astype(first)).partial_fit(X.astype(first))
    rbm = machine(model).partial_fit(X.astype(first)).partial_fit(container(X.astype(second)))
    assert {array.dtype for array in arrays_in(vars(rbm))} == {np.dtype(first)}
    # The error is measured in the dtype of the chunk.
    error, expected_error = (r.history_["reconstruction_error"] for r in (rbm, expected))
    assert error == pytest.approx(expected_error, rel=1e-5)
    assert_same(model, rbm, expected, but=["history_"])


@pytest.mark.parametrize("method", ["transform", "score_samples", "gibbs"])
@pytest.mark.parametrize("kind", [">f4", ">f8"])
@models
def test_byte_order_does_not_matter(model, kind, method):
    X = model.rows().astype(kind)
    native = X.astype(X.dtype.newbyteorder("="))
    rbm = model.machine()
    arguments = {"random_state": 0} if method == "gibbs" else {}
    expected = getattr(rbm.fit(native), method)(native, **arguments)
    actual = getattr(rbm.fit(X), method)(X, **arguments)
    assert actual.dtype == expected.dtype == native.dtype
    assert_array_equal(actual, expected)
    frame = as_frame(X)
    actual = getattr(rbm.fit(frame), method)(frame, **arguments)
    # A frame keeps its columns side by side: products add up in another order.
    assert_allclose(actual, expected, rtol=1e-6, atol=1e-7 if model is GAUSSIAN else 0)
