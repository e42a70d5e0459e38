"""Fitted attributes that are averages: what learns, what shows, and what an edit of them means."""

import copy
import pickle

import joblib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skrbm._training.averaging import SHARE

from ..helpers.callbacks import Hook, needs_callbacks
from ..helpers.comparison import assert_same_bits, assert_same_model
from ..helpers.models import BERNOULLI, GAUSSIAN, MODELS, SOFTMAX, Variant

OPTIONS = {
    "centering": True,
    "average": 0.3,
    "momentum": 0.5,
    "learning_rate": 0.05,
    "batch_size": 10,
}
KINDS = {
    "bits": (BERNOULLI, OPTIONS | {"algorithm": "pcd"}),
    "fresh bits": (BERNOULLI, OPTIONS | {"algorithm": "cd", "positive_visibles": "sample"}),
    "tempered": (BERNOULLI, OPTIONS | {"algorithm": "pt", "n_temperatures": 3}),
    "real values": (GAUSSIAN, OPTIONS | {"noise_variance": 1.0, "algorithm": "pcd"}),
    "learned variance": (GAUSSIAN, OPTIONS | {"noise_variance": "learned", "algorithm": "cd"}),
    "categories": (SOFTMAX, OPTIONS | {"conditional": False, "algorithm": "cd"}),
    "conditional": (SOFTMAX, OPTIONS | {"conditional": True, "algorithm": "cd"}),
}
KINDS = {name: Variant(*kind) for name, kind in KINDS.items()}
kinds = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def learned_names(kind):
    """The names of fitted parameters that learning changes."""
    names = list(kind.model.arrays)
    if kind.parameters.get("noise_variance") == 1.0:
        names.remove("noise_variance_")
    if kind.parameters.get("conditional") is False:
        names.remove("conditional_components_")
    return names


def parameters_of(rbm, kind):
    return {name: getattr(rbm, name).copy() for name in learned_names(kind)}


def differ(a, b):
    return all((a[name] != b[name]).any() for name in a)


# --- what learns, what shows ---


@kinds
def test_learning_itself_does_not_notice_the_average(kind):
    """Parameters, chains, momentum and the hidden mean are those of a fit without average."""
    X = kind.rows()
    plain, averaged = (kind.machine(average=a, n_iter=3).fit(X) for a in (False, 0.3))
    assert differ(parameters_of(plain, kind), parameters_of(averaged, kind))
    assert_array_equal(averaged.h_samples_, plain.h_samples_)
    plain.partial_fit(X)
    averaged.set_params(average=False).partial_fit(X)
    assert_same_model(averaged, plain)


@kinds
@pytest.mark.parametrize("share", [0.3, 1.0])
def test_attributes_are_weighted_means_of_the_parameters(kind, share):
    """One update a chunk; a variance is averaged by its logarithm."""
    X = kind.rows()
    plain, averaged = (kind.machine(average=a, batch_size=50) for a in (False, share))
    seen = []
    for t in range(1, 6):
        seen.append(parameters_of(plain.partial_fit(X), kind))
        averaged.partial_fit(X)
        p = 2 / share - 1
        weights = np.diff(np.arange(t + 1.0) ** p) / t**p
        for name in learned_names(kind):
            f, inverse = (np.log, np.exp) if name == "noise_variance_" else (np.array, np.array)
            mean = sum(w * f(s[name]) for w, s in zip(weights, seen, strict=True))
            assert_allclose(getattr(averaged, name), inverse(mean), rtol=1e-9, atol=1e-12)


@kinds
def test_true_leaves_the_share_to_us(kind):
    X = kind.rows()
    assert_same_model(kind.machine(average=True).fit(X), kind.machine(average=SHARE).fit(X))


@kinds
def test_the_average_may_begin_and_end_between_chunks(kind):
    """What it is over begins where it is switched on."""
    X = kind.rows()
    plain, switched = (kind.machine(average=False, batch_size=50) for _ in range(2))
    seen = []
    for average in (False, False, 1.0, 1.0, 1.0, False, 1.0):
        seen.append(parameters_of(plain.partial_fit(X), kind))
        switched.set_params(average=average).partial_fit(X)
        last = {False: 1, 1.0: 3}[average] if len(seen) in (2, 5, 6) else None
        last = 1 if len(seen) == 7 else last
        for name in learned_names(kind) if last else ():
            f, inverse = (np.log, np.exp) if name == "noise_variance_" else (np.array, np.array)
            mean = np.mean([f(s[name]) for s in seen[-last:]], axis=0)
            assert_allclose(getattr(switched, name), inverse(mean), rtol=1e-9, atol=1e-12)
    assert_array_equal(switched.h_samples_, plain.h_samples_)


@needs_callbacks
@kinds
def test_callbacks_see_averages_and_disturb_nothing(kind):
    X, seen = kind.rows(), []

    def spoil(epoch, X, y, fitted):
        seen.append(copy.deepcopy(fitted))
        for name in learned_names(kind):
            getattr(fitted, name)[...] += 0.1
        fitted.partial_fit(X)

    rbm = kind.machine().set_callbacks(Hook(spoil)).fit(X)
    assert_same_model(rbm, kind.machine().fit(X))
    for epoch, fitted in enumerate(seen, start=1):
        expected = kind.machine(n_iter=epoch).fit(X)
        assert_same_model(fitted, expected)
        assert_same_model(fitted.partial_fit(X), expected.partial_fit(X))


@kinds
def test_printing_changes_no_bit(kind, capsys):
    X = kind.rows()
    silent, loud = (kind.machine(verbose=verbose).fit(X) for verbose in (0, 1))
    assert capsys.readouterr().out.count("pseudo-likelihood") == 3
    assert_same_model(loud, silent)


@kinds
def test_printed_scores_are_those_of_the_averages(kind, capsys):
    X = kind.rows()
    rbm = kind.machine(verbose=1).fit(X)
    last = capsys.readouterr().out.splitlines()[-1]
    assert f"pseudo-likelihood = {rbm.score_samples(X).mean():.2f}" in last


# --- edits ---


def of_edits(name):
    """Kinds that have a fitted parameter, fixed variances too."""
    absent = {"conditional_components_": ("categories",)}.get(name, ())
    return [
        pytest.param(kind, name, id=f"{id}, {name}")
        for id, kind in KINDS.items()
        if name in kind.model.arrays and id not in absent
    ]


NAMES = sorted({name for model in MODELS.values() for name in model.arrays})
edits = pytest.mark.parametrize(
    ("kind", "name"), [edit for name in NAMES for edit in of_edits(name)]
)


@edits
@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.filterwarnings("ignore:.*RBM. Training does not converge")
def test_learning_goes_on_from_averages_that_somebody_has_changed(kind, name, in_place):
    """One number is enough. The average is over what comes then."""
    X = kind.rows()
    rbm = kind.machine().fit(X)
    rbm.set_params(learning_rate=1e-9, momentum=0.0)
    untouched = copy.deepcopy(rbm)
    array = getattr(rbm, name)
    changed = array if in_place else array.copy()
    changed.flat[1] += 0.25
    setattr(rbm, name, changed)
    expected = {other: getattr(rbm, other).copy() for other in kind.model.arrays[:3]}
    expected[name] = changed.copy()
    rbm.partial_fit(X)
    for other, value in expected.items():
        assert_allclose(getattr(rbm, other), value, rtol=0, atol=1e-7, err_msg=other)
    # What nobody has changed is a mean of averages and of parameters, which are elsewhere.
    before = untouched.components_.copy()
    assert np.abs(untouched.partial_fit(X).components_ - before).max() > 1e-5


@edits
def test_an_edit_that_is_taken_back_is_none(kind, name):
    X = kind.rows()
    rbm = kind.machine().fit(X)
    expected = copy.deepcopy(rbm).partial_fit(X)
    array = getattr(rbm, name)
    last = array.flat[1]
    array.flat[1] = 7
    array.flat[1] = last
    for order in "CF":
        other = copy.deepcopy(rbm)
        setattr(other, name, np.array(array, order=order))
        assert_same_model(other.partial_fit(X), expected)


@kinds
@pytest.mark.parametrize(
    "change",
    [np.flipud, np.fliplr, np.negative, lambda W: np.roll(W, 1)],
    ids=["flipud", "fliplr", "negative", "roll"],
)
def test_the_same_numbers_in_another_order_or_sign_are_an_edit(kind, change):
    X = kind.rows()
    rbm = kind.machine(learning_rate=1e-9, momentum=0.0).fit(X)
    expected = change(rbm.components_).copy()
    rbm.components_ = expected.copy()
    assert_allclose(rbm.partial_fit(X).components_, expected, rtol=0, atol=1e-7)


@kinds
def test_reading_is_no_edit(kind):
    X = kind.rows()
    rbm = kind.machine().fit(X)
    expected = copy.deepcopy(rbm).partial_fit(X)
    for read in (rbm.transform, rbm.score_samples, rbm.reconstruct):
        read(X)
    rbm.sample(3, random_state=0)
    rbm = pickle.loads(pickle.dumps(rbm))
    assert_same_model(rbm.partial_fit(X), expected)


@pytest.mark.parametrize("kind", [KINDS["categories"], KINDS["conditional"]])
def test_categories_in_another_container_are_no_edit(kind):
    X = kind.rows()
    rbm = kind.machine().fit(X)
    expected = copy.deepcopy(rbm).partial_fit(X)
    rbm.categories_ = np.array(rbm.categories_)
    assert_same_model(rbm.partial_fit(X), expected)


def test_the_conditional_weights_may_be_taken_away():
    """The machine is then another one, whose average begins anew."""
    kind = KINDS["conditional"]
    X = kind.rows()
    rbm = kind.machine(momentum=0.0).fit(X)
    rbm.conditional_components_ = None
    rbm.partial_fit(X)
    assert rbm.conditional_components_ is None
    assert np.isfinite(rbm.components_).all()


# --- dtypes ---


@kinds
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_averages_have_the_dtype_of_the_machine(kind, dtype):
    """Whatever the dtype of later chunks."""
    X = kind.rows()
    rbm = kind.machine().fit(X.astype(dtype))
    other = copy.deepcopy(rbm).partial_fit(X.astype(np.float32))
    for fitted in (rbm, other, copy.deepcopy(rbm).partial_fit(X.astype(np.float64))):
        for name in learned_names(kind):
            assert getattr(fitted, name).dtype == dtype
    double = kind.machine().fit(X)
    for name in learned_names(kind):  # a draw that rounds otherwise may differ: none does here
        assert_allclose(getattr(rbm, name), getattr(double, name), rtol=0, atol=1e-3)


@kinds
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_machine_cast_to_another_dtype_goes_on_from_its_averages(kind, dtype):
    X = kind.rows()
    rbm = kind.machine().fit(X.astype(np.float32 if dtype == np.float64 else np.float64))
    rbm.set_params(learning_rate=1e-9, momentum=0.0)
    before = {name: getattr(rbm, name).astype(dtype) for name in kind.model.arrays[:3]}
    for name, array in before.items():
        setattr(rbm, name, array)
    rbm.partial_fit(X)
    for name, array in before.items():
        assert getattr(rbm, name).dtype == dtype
        assert_allclose(getattr(rbm, name), array, rtol=0, atol=1e-6)


# --- copies ---


@kinds
def test_a_copy_that_goes_on_leaves_the_first_as_it_is(kind):
    X = kind.rows()
    rbm = kind.machine().fit(X)
    before = pickle.loads(pickle.dumps(vars(rbm)))
    shallow = copy.copy(rbm)
    shallow.partial_fit(X)
    assert_same_bits(vars(rbm)["_averaged"], before["_averaged"])
    for name in (*learned_names(kind), "h_samples_", "_hidden_mean"):
        assert_array_equal(getattr(rbm, name), before[name])
    assert_same_model(rbm.partial_fit(X), shallow)


@kinds
def test_averages_go_on_from_read_only_memory(kind, tmp_path):
    X = kind.rows()
    rbm = kind.machine().fit(X)
    joblib.dump(rbm, tmp_path / "rbm")
    mapped = joblib.load(tmp_path / "rbm", mmap_mode="r")
    assert_same_model(mapped.partial_fit(X), rbm.partial_fit(X))
