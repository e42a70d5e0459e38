"""What the estimators refuse to read, and what they read with a warning."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.datasets import load_digits

from skrbm import BernoulliRBM, GaussianBernoulliRBM
from skrbm._input.checks import outside_unit_interval

from ..helpers.comparison import assert_same_model
from ..helpers.containers import as_frame
from ..helpers.models import BERNOULLI, GAUSSIAN, MODELS, SOFTMAX, models

READS_X = ["transform", "reconstruct", "free_energy", "score_samples", "score", "gibbs"]


BOTH_CONTAINERS = [np.asarray, sparse.csr_array]


@pytest.fixture
def bits():
    return BERNOULLI.rows()


@pytest.fixture
def fitted(bits):
    return BERNOULLI.machine().fit(bits)


# To a model of categories NaN is a gap.
@pytest.mark.parametrize(
    ("model", "container", "value"),
    [
        pytest.param(model, container, value, id=f"{name}, {container.__name__}, {value}")
        for name, model in MODELS.items()
        for container in model.containers
        for value in (np.nan, np.inf, -np.inf)
        if model is not SOFTMAX or np.isinf(value)
    ],
)
@pytest.mark.parametrize("method", ["fit", "partial_fit", *READS_X])
def test_nan_and_infinity_are_refused(model, container, value, method):
    X = model.rows()
    rbm = model.machine().fit(X)
    X[3, 2] = value
    with pytest.raises(ValueError, match="NaN" if np.isnan(value) else "infinity"):
        getattr(rbm, method)(container(X))


@models
@pytest.mark.parametrize("method", [*READS_X, "partial_fit"])
def test_another_number_of_features_is_refused(model, method):
    X = model.rows()
    rbm = model.machine().fit(X)
    names = [method, *model.predictors]
    for name in names:
        message = f"X has 5 features, but {model.name} is expecting 6"
        with pytest.raises(ValueError, match=message):
            getattr(rbm, name)(X[:, :5])


@pytest.mark.parametrize("method", ["fit", "partial_fit", "transform", "free_energy", "gibbs"])
def test_sparse_data_are_refused_by_real_values(method):
    X = GAUSSIAN.rows()
    rbm = GAUSSIAN.machine() if "fit" in method else GAUSSIAN.machine().fit(X)
    with pytest.raises(TypeError, match=r"[Ss]parse"):
        getattr(rbm, method)(sparse.csr_array(X))


MALFORMED = {
    "column too large": ("indices", [0, 9, 1]),
    "column negative": ("indices", [0, -1, 1]),
    "last column too large": ("indices", [0, 1, 3]),
    "last column negative": ("indices", [0, 1, -1]),
    "decreasing": ("indptr", [0, 2, 1, 3]),
    "not from 0": ("indptr", [1, 1, 2, 3]),
    "beyond the data": ("indptr", [0, 1, 2, 10**7]),
    "big-endian": ("indices", np.array([0, 2, 1], ">i4")),
}


@pytest.mark.parametrize("model", [BERNOULLI, SOFTMAX], ids=["Bernoulli", "softmax"])
@pytest.mark.parametrize("method", ["fit", "transform", "score_samples", "free_energy", "gibbs"])
@pytest.mark.parametrize(("name", "values"), MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_csr_matrix_is_refused(model, name, values, method):
    rbm = model.machine().fit(np.eye(3))
    X = sparse.csr_array((np.ones(3), [0, 1, 2], [0, 1, 2, 3]), shape=(3, 3))
    setattr(X, name, np.asarray(values))
    with pytest.raises(ValueError, match="not a valid CSR matrix"):
        getattr(rbm, method)(X)


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array, sparse.coo_matrix])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(("value", "told"), [(-3.5, "-3.5 to 1"), (2.25, "0 to 2.25")])
def test_values_outside_the_unit_interval_are_warned_of_once(bits, container, method, value, told):
    bits[5, 3] = value
    with pytest.warns(UserWarning, match="BernoulliRBM reads values as prob") as warned:
        getattr(BERNOULLI.machine(), method)(container(bits))
    assert len(warned) == 1
    message = str(warned[0].message)
    parts = (told, "MinMaxScaler", "GaussianBernoulliRBM", "below 0 count as 0", "above 1 as 1")
    for part in parts:
        assert part in message
    assert "SoftmaxRBM" not in message


def outside(container):
    """Rows of which some values are no probabilities, and the same rows clipped."""
    X = np.random.default_rng(3).uniform(-0.5, 2, (47, 6))
    X[X < 0.2] *= np.array([0, 1])[np.arange((X < 0.2).sum()) % 2]  # zeros for a sparse matrix
    return container(X), container(np.clip(X, 0, 1))


@pytest.mark.parametrize("container", BOTH_CONTAINERS)
@pytest.mark.parametrize("name", [*READS_X, "sample", "energy"])
def test_values_outside_the_unit_interval_are_read_as_its_ends(name, container):
    """With a warning: a score must not reward data that are no data of the model."""
    rbm = BERNOULLI.machine().fit(BERNOULLI.rows())
    X, clipped = outside(container)

    def call(X):
        if name == "energy":
            return rbm.energy(X, np.ones((47, 3)))
        if name == "sample":
            return rbm.sample(60, init=X, n_gibbs_steps=1, random_state=0)
        seeded = {"random_state": 0} if name in ("gibbs", "impute") else {}
        return getattr(rbm, name)(X, **seeded)

    expected = call(clipped)
    with pytest.warns(UserWarning, match="below 0 count as 0, and values above 1 as 1") as told:
        actual = call(X)
    assert len(told) == 1
    assert_array_equal(actual, expected)


@pytest.mark.parametrize("container", BOTH_CONTAINERS)
@pytest.mark.parametrize("algorithm", ["cd", "pcd"])
def test_learning_reads_values_outside_the_unit_interval_as_its_ends(container, algorithm):
    X, clipped = outside(container)
    rbm, expected = (BERNOULLI.machine(algorithm=algorithm) for _ in range(2))
    with pytest.warns(UserWarning, match="below 0 count as 0, and values above 1 as 1"):
        rbm.fit(X).partial_fit(X)
    assert_same_model(rbm, expected.fit(clipped).partial_fit(clipped))


def test_entries_at_one_place_add_up_before_they_are_clipped():
    X = sparse.csr_array((np.full(4, 0.6), [0, 0, 1, 2], [0, 3, 4]), shape=(2, 3))
    X.has_canonical_format = False
    rbm = BERNOULLI.machine().fit(np.eye(3))
    with pytest.warns(UserWarning, match=r"from 0 to 1\.2"):
        actual = rbm.transform(X)
    assert_array_equal(actual, rbm.transform([[1, 0.6, 0], [0, 0, 0.6]]))


def test_a_score_does_not_reward_what_is_no_data_of_the_model():
    """Raw pixels from 0 to 16 had a score of +57,985. They now count as bits."""
    X = load_digits().data[:300]
    rbm = BernoulliRBM(16, n_iter=3, random_state=0).fit(X > 0)
    with pytest.warns(UserWarning, match="from 0 to 16"):
        score = rbm.score(X)
    assert score == rbm.score(np.minimum(X, 1)) < 0


def test_unknown_entries_are_left_out_of_the_range(bits):
    rbm = BERNOULLI.machine().fit(bits)
    holes = bits.copy()
    holes[0, 1] = np.nan
    rbm.impute(holes, random_state=0)
    holes[1, 1] = 2
    with pytest.warns(UserWarning, match="from 0 to 2"):
        completed = rbm.impute(holes, random_state=0)
    assert completed[1, 1] == 1


@pytest.mark.parametrize(
    ("largest", "named"), [(5, True), (2, True), (255, False), (4.5, False), (10**15, False)]
)
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_few_whole_numbers_may_be_ratings(bits, largest, named, container):
    """Of these SoftmaxRBM is the model."""
    bits[5, 3] = largest
    with pytest.warns(UserWarning, match="MinMaxScaler") as warned:
        BERNOULLI.machine().fit(container(bits))
    assert ("SoftmaxRBM for ratings" in str(warned[0].message)) == named


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_what_a_scaler_rounds_is_not_warned_of(dtype):
    """MinMaxScaler multiplies and adds: its results may leave [0, 1] by some last places."""
    X, eps = BERNOULLI.rows().astype(dtype), np.finfo(dtype).eps
    X[3, 2], X[4, 1] = 1 + 2 * eps, -2 * eps
    assert X.max() > 1
    BERNOULLI.machine().fit(X)
    X[3, 2] = 1.25
    with pytest.warns(UserWarning, match=r"to 1\.25"):
        BERNOULLI.machine().fit(X)


def test_integers_beside_the_interval_have_no_tolerance():
    assert outside_unit_interval(0, 2, np.int8)
    assert not outside_unit_interval(0, 1, np.int8)
    assert outside_unit_interval(-1, 1, np.int64)


# --- values that are not finite, or too large ---


@pytest.mark.parametrize("model", [BERNOULLI, GAUSSIAN], ids=["Bernoulli", "Gaussian"])
@pytest.mark.parametrize("method", ["fit", "partial_fit", *READS_X])
@pytest.mark.parametrize("names", [None, list("abcdef")])
def test_the_message_on_nan_names_the_feature_and_what_completes_it(model, method, names):
    X = model.rows()
    X[7, 4], X[8, 1] = np.nan, np.inf
    X = X if names is None else as_frame(X)
    rbm = model.machine()
    rbm = rbm if "fit" in method else rbm.fit(X[:7])
    feature = "4" if names is None else "'e'"
    message = rf"X contains NaN in feature {feature}: .*impute.* SoftmaxRBM reads NaN as missing"
    with pytest.raises(ValueError, match=message) as raised:
        getattr(rbm, method)(X)
    assert "HistGradientBoosting" not in str(raised.value)


@pytest.mark.parametrize("model", [BERNOULLI, GAUSSIAN], ids=["Bernoulli", "Gaussian"])
def test_the_message_on_infinity_names_the_feature(model, monkeypatch):
    X = model.rows()
    X[40, 2] = -np.inf
    rbm = model.machine().fit(X[:40])
    monkeypatch.setattr("skrbm._input.checks._BLOCK_ENTRIES", 12)
    for method, arguments in (("fit", {}), ("impute", {}), ("sample", {"init": X})):
        with pytest.raises(ValueError, match="X contains infinity in feature 2"):
            getattr(rbm, method)(**arguments or {"X": X})
    if model is BERNOULLI:
        with pytest.raises(ValueError, match="X contains infinity in feature 2"):
            rbm.fit(sparse.csr_array(X))


@pytest.mark.parametrize(("dtype", "value"), [(np.float32, 2e38), (np.float64, -1e308)])
@pytest.mark.parametrize("method", ["fit", "partial_fit", "impute", *READS_X])
def test_numbers_whose_squares_overflow_are_refused(dtype, value, method):
    """They would give NaN."""
    X = GAUSSIAN.rows().astype(dtype)
    rbm = GAUSSIAN.machine().fit(X)
    X[3, 2] = value
    if method == "impute":
        X[0, 0] = np.nan
    message = rf"X holds {value:.6g} in feature 2, .* in {np.dtype(dtype)} .*StandardScaler"
    with pytest.raises(ValueError, match=message.replace("+", r"\+")):
        getattr(rbm, method)(X)


@pytest.mark.parametrize("value", [2**62, -(2**62), 2**64 - 1])
def test_the_largest_integers_are_real_values(value):
    X = np.full((20, 6), value, np.uint64 if value > 2**63 else np.int64)
    rbm = GAUSSIAN.machine().fit(X)
    for method in READS_X:
        assert np.isfinite(getattr(rbm, method)(X)).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_largest_real_values_give_no_nan(dtype):
    X = GAUSSIAN.rows().astype(dtype)
    rbm = GAUSSIAN.machine().fit(X)
    X[3, 2] = 0.99 * np.sqrt(np.finfo(dtype).max) / 2**8
    for method in READS_X:
        assert np.isfinite(getattr(rbm, method)(X)).all()


# --- masked arrays ---


@pytest.mark.parametrize("model", [BernoulliRBM, GaussianBernoulliRBM])
@pytest.mark.parametrize("method", ["transform", "score_samples", "free_energy", "partial_fit"])
@pytest.mark.parametrize("dtype", [int, np.float32, np.float64])
def test_masked_entries_are_refused_where_all_must_be_known(model, method, dtype):
    X = np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]], dtype)
    rbm = model(2, n_iter=1, random_state=0).fit(X)
    with pytest.raises(ValueError, match=r"masks entries.*impute"):
        getattr(rbm, method)(np.ma.masked_array(X, X == 0))
    with pytest.raises(ValueError, match="masks entries"):
        model(2).fit(np.ma.masked_array(X, X == 0))


@pytest.mark.parametrize("model", [BernoulliRBM, GaussianBernoulliRBM])
@pytest.mark.parametrize("method", ["transform", "score_samples", "free_energy"])
@pytest.mark.parametrize("mask", [np.ma.nomask, False])
def test_a_mask_that_masks_nothing_is_none(model, method, mask):
    X = np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]], float)
    rbm = model(2, n_iter=1, random_state=0).fit(X)
    actual = getattr(rbm, method)(np.ma.masked_array(X, mask))
    assert not isinstance(actual, np.ma.MaskedArray)
    assert_array_equal(actual, getattr(rbm, method)(X))


@models
@pytest.mark.parametrize("container", [np.asarray, lambda X: X.astype(object), list])
def test_infinities_of_both_signs_are_refused_as_one_is(model, container):
    """scikit-learn adds them, of which NumPy would warn."""
    X = model.complete()
    rbm = model.machine().fit(X)
    H = rbm.transform(X)
    X[0, 1], X[1, 1] = np.inf, -np.inf
    H[0, 1], H[1, 1] = np.inf, -np.inf
    for method in (rbm.fit, rbm.transform):
        with pytest.raises(ValueError, match="infinity"):
            method(container(X))
    with pytest.raises(ValueError, match="infinity"):
        rbm.inverse_transform(container(H))


@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.int64])
def test_the_widest_range_of_integers_is_told(dtype):
    """Their difference is beyond their dtype."""
    limits = np.iinfo(dtype)
    X = np.array([[limits.min, limits.max], [0, 1]], dtype)
    told = f"ranges from {float(limits.min):.6g} to {float(limits.max):.6g}"
    with pytest.warns(UserWarning, match=told.replace("+", r"\+")):
        BERNOULLI.machine().fit(X)


@models
@pytest.mark.parametrize("part", ["data", "indices"])
def test_a_broken_sparse_array_where_a_dense_one_is_read(model, part):
    X = model.complete()
    rbm = model.machine().fit(X)
    broken = sparse.csr_array(rbm.transform(X))
    setattr(broken, part, None)
    calls = [rbm.inverse_transform, lambda H: rbm.energy(X, H)]
    calls += [rbm.fit, rbm.transform] if model is GAUSSIAN else []
    for call in calls:
        with pytest.raises(TypeError, match=r"Sparse data was passed for .* reads a dense array"):
            call(broken)


@pytest.mark.parametrize(("dtype", "value"), [(bool, 1), (np.int8, 100), (np.uint8, 200)])
def test_entries_at_one_place_add_up_as_floats_do(dtype, value):
    """In their own dtype two 1 are one, or a sum wraps around."""
    X = sparse.csr_array(
        (np.full(4, value, dtype), [0, 0, 1, 1], [0, 2, 4]), shape=(2, 2), dtype=dtype
    )
    Y = np.array([[2, 0], [0, 2]]) * value
    with pytest.warns(UserWarning, match=f"ranges from 0 to {2 * value}"):
        rbm = BERNOULLI.machine().fit(X)
    with pytest.warns(UserWarning, match=f"ranges from 0 to {2 * value}"):
        assert_same_model(rbm, BERNOULLI.machine().fit(Y))
    with pytest.raises(ValueError, match=f"X holds {2 * value}"):
        rbm.log_likelihood(X)
