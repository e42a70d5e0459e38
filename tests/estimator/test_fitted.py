"""Fitted attributes: read at one moment, replaced in one step, and checked before kernels."""

import inspect
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn import neural_network
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError

from skrbm import BernoulliRBM
from skrbm._estimator import fitted

from ..helpers.callbacks import Hook, needs_callbacks
from ..helpers.comparison import assert_same_bits, assert_same_model
from ..helpers.models import BERNOULLI, GAUSSIAN, SOFTMAX, models, variants

READS_X = ["transform", "reconstruct", "gibbs", "free_energy", "score_samples", "score", "impute"]


def calls(model):
    """What reads a fitted estimator, as functions of it and of rows, all with one seed."""
    seeded, few = {"random_state": 0}, {"n_gibbs_steps": 2, "random_state": 0}

    def of(name):
        options = seeded if name in ("gibbs", "impute") else {}
        return lambda rbm, X: getattr(rbm, name)(X, **options)

    found = {name: of(name) for name in (*READS_X, *model.predictors)}
    found["sample"] = lambda rbm, X: rbm.sample(5, **few)
    found["sample from rows"] = lambda rbm, X: rbm.sample(5, init=X, **few)
    found["inverse_transform"] = lambda rbm, X: rbm.inverse_transform(np.ones((4, 3)))
    found["energy"] = lambda rbm, X: rbm.energy(X, np.ones((len(X), 3)))
    if model is not SOFTMAX:
        found["log_likelihood"] = lambda rbm, X: rbm.log_likelihood(X)
        found["log_partition"] = lambda rbm, X: rbm.log_partition().value
        found["annealing"] = lambda rbm, X: (
            rbm.log_partition("ais", n_betas=5, random_state=0).value
        )
    else:
        found["recommend"] = lambda rbm, X: rbm.recommend(X)
        found["top_features"] = lambda rbm, X: rbm.top_features(0)
    return found


CALLS = [
    pytest.param(model, call, id=f"{model.name}, {name}")
    for model in (BERNOULLI, GAUSSIAN, SOFTMAX)
    for name, call in calls(model).items()
]


# --- one moment -------------------------------------------------------------------------------


@pytest.mark.parametrize(("model", "call"), CALLS)
def test_a_method_reads_one_moment(model, call, monkeypatch):
    """A thread may refit the estimator at any line of a method: here, right after it began."""
    X = model.rows()
    rbm = model.machine().fit(X)
    expected = call(rbm, X)
    other = model.rows(1)[:, :4] * (2 if model is SOFTMAX else 1)
    take = fitted.snapshot

    def snapshot_then_refit(estimator):
        copy = take(estimator)
        monkeypatch.setattr(fitted, "snapshot", take)
        estimator.set_params(n_components=5).fit(other)
        return copy

    monkeypatch.setattr(fitted, "snapshot", snapshot_then_refit)
    assert_same_bits(call(rbm, X), expected)
    assert rbm.components_.shape[0] == 5


@needs_callbacks
@models
def test_a_refit_shows_nothing_before_its_end(model):
    X, other = model.rows(), model.rows(1)[:, :4]
    rbm = model.machine().fit(X)
    expected = rbm.transform(X)
    hook = Hook(lambda *_: assert_same_bits(rbm.transform(X), expected))
    rbm.set_callbacks(hook).fit(other)
    assert rbm.transform(other).shape == (len(other), 3)


def interrupted(rbm, call, line):
    """Whether a call is interrupted before a line of the estimators' code: Ctrl-C at any time."""
    folder, seen = str(Path(fitted.__file__).parent), [0]

    def trace(frame, event, argument):
        if not frame.f_code.co_filename.startswith(folder):
            return None
        if event == "line":
            seen[0] += 1
            if seen[0] == line:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call(rbm)
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


@models
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_an_interrupt_leaves_the_old_machine_or_a_new_one(model, method):
    X = model.rows()
    other = X if method == "partial_fit" else X[:, :4]
    old = model.machine().fit(X)
    seen, line, states = set(), 1, {}
    fresh = pickle.loads(pickle.dumps(old)).set_params(n_iter=2)
    for n_iter in (1, 2):
        new = pickle.loads(pickle.dumps(fresh)).set_params(n_iter=n_iter)
        states[f"after {n_iter}"] = getattr(new, method)(other)
    states["old"] = old
    while True:
        rbm = pickle.loads(pickle.dumps(fresh))
        was_interrupted = interrupted(rbm, lambda rbm: getattr(rbm, method)(other), line)
        [found] = [name for name, state in states.items() if same_model(rbm, state)][:1]
        seen.add(found)
        if not was_interrupted:
            break
        line += 1
    assert line > 50
    assert seen == ({"old", "after 1", "after 2"} if method == "fit" else {"old", "after 1"})


def same_model(a, b):
    try:
        assert_same_model(a, b)
    except AssertionError:
        return False
    return True


@needs_callbacks
@variants
def test_ctrl_c_keeps_the_last_finished_epoch(variant):
    X = variant.rows()

    def press(epoch, *_):
        if epoch == 2:
            raise KeyboardInterrupt

    rbm = variant.machine(n_iter=5).set_callbacks(Hook(press))
    with pytest.raises(KeyboardInterrupt):
        rbm.fit(X)
    expected = variant.machine(n_iter=2).fit(X)
    assert_same_model(rbm, expected)
    rbm.set_callbacks()
    assert_same_model(rbm.partial_fit(X), expected.partial_fit(X))


# --- history ----------------------------------------------------------------------------------


@models
def test_history_is_not_copied_by_each_chunk(model):
    X = model.rows()
    rbm = model.machine().partial_fit(X)
    records = rbm._records
    for _ in range(3):
        rbm.partial_fit(X)
    assert rbm._records is records
    assert len(rbm.history_["seconds"]) == rbm.n_iter_ == 4


@models
def test_there_is_no_history_before_the_first_epoch(model):
    assert not hasattr(model.machine(), "history_")
    with pytest.raises(AttributeError, match="not fitted"):
        _ = model.machine().history_


# --- attributes that do not fit ---------------------------------------------------------------


@models
@pytest.mark.parametrize("algorithm", ["cd", "pcd", "pt"])
@pytest.mark.parametrize("n_features", [1, 2, 40])
def test_rows_are_held_against_the_machine_itself(model, algorithm, n_features):
    """n_features_in_ may be wrong. Kernels that trusted it would write beyond their arrays."""
    rbm = model.machine(algorithm=algorithm, batch_size=50).fit(model.complete())
    rbm.n_features_in_ = n_features
    before = pickle.dumps(vars(rbm))
    X = np.tile(model.complete(), (5, 7))[:, :n_features]
    for read in (rbm.partial_fit, *(getattr(rbm, name) for name in READS_X)):
        with pytest.raises(ValueError, match=r"features|fit together"):
            read(X)
    assert pickle.dumps(vars(rbm)) == before


@models
def test_one_column_does_not_stand_for_many(model):
    """NumPy would broadcast it, and kernels would write to rows that are too short."""
    X = model.complete()[:, :1]
    rbm, wide = model.machine(n_components=3).fit(X), model.machine().fit(np.tile(X, 50))
    for name in (*model.arrays, *(["categories_"] if model is SOFTMAX else [])):
        setattr(rbm, name, getattr(wide, name))
    for read in (rbm.partial_fit, *(getattr(rbm, name) for name in READS_X)):
        with pytest.raises(ValueError, match=r"features|fit together"):
            read(X)


WRONG = [None, [1.0, 2.0], "text", np.array(["a", "b"]), np.array([1, None])]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: str(wrong).replace("\n", ""))
@models
def test_attributes_that_are_no_arrays_of_numbers_are_named(model, wrong):
    X = model.complete()
    for name in (*model.arrays, "h_samples_"):
        rbm = model.machine().fit(X)
        setattr(rbm, name, wrong)
        if name == "conditional_components_" and wrong is None:
            continue  # which means a machine that is not conditional
        readers = [getattr(rbm, reader) for reader in ("transform", "score_samples", "gibbs")]
        for call in [rbm.partial_fit, *(readers if name != "h_samples_" else [])]:
            with pytest.raises(ValueError, match=f"^{name} of {model.name} must be a NumPy array"):
                call(X)


@models
def test_an_attribute_that_is_missing_is_named(model):
    X = model.complete()
    rbm = model.machine().fit(X)
    del rbm.intercept_hidden_
    with pytest.raises(ValueError, match=r"intercept_hidden_ of .* is missing"):
        rbm.transform(X)
    del rbm.components_
    with pytest.raises(NotFittedError):
        rbm.transform(X)


@pytest.mark.parametrize("name", ["categories_", "n_features_in_", "n_iter_"])
@models
def test_other_attributes_that_are_missing_are_named(model, name):
    X = model.complete()
    rbm = model.machine().fit(X)
    if not hasattr(rbm, name) or (name == "n_features_in_" and model is not SOFTMAX):
        pytest.skip("there is none, or the weights say the same")
    delattr(rbm, name)
    calls = [rbm.partial_fit]
    calls += [rbm.transform, rbm.gibbs] if name != "n_iter_" else []
    for call in calls:
        with pytest.raises((TypeError, ValueError), match=name):
            call(X)


@pytest.mark.parametrize("wrong", [np.array([]), np.array([6, 6]), "6", [6], 6.5])
@models
def test_a_number_of_features_that_is_none_is_named(model, wrong):
    X = model.complete()
    rbm = model.machine().fit(X)
    rbm.n_features_in_ = wrong
    for call in (rbm.transform, rbm.partial_fit):
        with pytest.raises(ValueError, match=r"n_features_in_ of .* must be an integer"):
            call(X)


@models
def test_numbers_beyond_the_dtype_of_rows_are_named(model):
    """They would be infinite in it, with a warning of NumPy."""
    X = model.complete()
    rbm = model.machine().fit(X)
    H = rbm.transform(X)
    for name in model.arrays:
        old = getattr(rbm, name)
        setattr(rbm, name, np.full_like(old, 1e60))
        with pytest.raises(ValueError, match=rf"^{name} holds numbers beyond float32"):
            rbm.transform(X.astype(np.float32))
        setattr(rbm, name, old)
    with pytest.raises(ValueError, match=r"^h holds numbers beyond float32"):
        rbm.energy(X.astype(np.float32), np.full_like(H, 1e60))


# --- machines of other makers -----------------------------------------------------------------


@models
def test_a_machine_made_by_hand_says_what_it_lacks(model):
    X = model.complete()
    rbm, source = model.machine(), model.machine().fit(X)
    categories = ["categories_"] if model is SOFTMAX else []
    for name in (*model.arrays, *categories, "n_features_in_", "h_samples_"):
        setattr(rbm, name, getattr(source, name))
    assert_same_bits(rbm.transform(X), source.transform(X))
    assert_same_bits(rbm.gibbs(X, random_state=0), source.gibbs(X, random_state=0))
    holes = X.copy()
    holes[0, 0] = np.nan
    for call in (lambda: rbm.sample(2), lambda: rbm.impute(holes), lambda: rbm.partial_fit(X)):
        with pytest.raises(ValueError, match="from_sklearn"):
            call()
    if model is not SOFTMAX:
        with pytest.raises(ValueError, match="from_sklearn"):
            rbm.log_partition("ais")
        assert rbm.log_partition("exact") == source.log_partition("exact")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_machine_of_scikit_learn_goes_on_here(dtype):
    X = BERNOULLI.rows().astype(dtype)
    theirs = neural_network.BernoulliRBM(3, n_iter=4, random_state=0, learning_rate=0.3).fit(X)
    before = pickle.dumps(theirs)
    ours = BernoulliRBM.from_sklearn(theirs)
    for name, value in theirs.get_params().items():
        assert getattr(ours, name) == value
    assert_same_bits(ours.transform(X).dtype, np.dtype(dtype))
    np.testing.assert_allclose(ours.transform(X), theirs.transform(X), rtol=1e-5)
    np.testing.assert_allclose(ours.free_energy(X), theirs._free_energy(X), rtol=1e-5)
    assert ours.n_features_in_ == 6
    assert ours.n_iter_ == 0
    assert ours.history_["seconds"] == []
    assert abs(ours.log_partition("exact").value - ours.log_partition("ais").value) < 0.1
    drawn = ours.sample(4000, n_gibbs_steps=50, random_state=0)
    states = np.arange(2**6)[:, np.newaxis] >> np.arange(6) & 1
    p = np.exp(ours.log_likelihood(states.astype(float)))
    np.testing.assert_allclose(drawn.mean(axis=0), p @ states, atol=4 * 0.5 / np.sqrt(4000))
    weights = ours.components_.copy()
    assert (ours.partial_fit(X).components_ != weights).any()
    assert pickle.dumps(theirs) == before
    assert ours.components_.dtype == dtype


def test_only_a_fitted_machine_of_scikit_learn_is_taken_over():
    with pytest.raises(NotFittedError):
        BernoulliRBM.from_sklearn(neural_network.BernoulliRBM())
    for other in (PCA(2).fit(np.eye(3)), GAUSSIAN.machine().fit(GAUSSIAN.rows()), None):
        with pytest.raises(TypeError, match=r"takes a fitted sklearn\.neural_network\.Bern"):
            BernoulliRBM.from_sklearn(other)


def test_taking_a_machine_over_trusts_the_machine_and_spends_no_random_number():
    X, state = BERNOULLI.rows(), np.random.RandomState(3)
    theirs = neural_network.BernoulliRBM(3, n_iter=1, random_state=state).fit(X)
    theirs.set_params(n_components=9)
    before = pickle.dumps(theirs)
    ours = BernoulliRBM.from_sklearn(theirs)
    assert pickle.dumps(theirs) == before
    assert ours.n_components == 3
    ours.partial_fit(X)
    assert pickle.dumps(theirs) == before
    theirs.intercept_visible_ = [0.0] * 6
    with pytest.raises(ValueError, match=r"^intercept_visible_ of BernoulliRBM must be"):
        BernoulliRBM.from_sklearn(theirs)


@models
def test_whoever_looks_around_meets_no_error(model):
    """Tab completion asks for every name, of estimators in any state."""
    rbm = model.machine()
    assert "fit" in dir(rbm)
    rbm.components_ = None
    assert "fit" in dict(inspect.getmembers(rbm))


def test_features_keep_the_names_that_scikit_learn_has_learned():
    pd = pytest.importorskip("pandas")
    X = pd.DataFrame(BERNOULLI.rows(), columns=list("abcdef"))
    ours = BernoulliRBM.from_sklearn(neural_network.BernoulliRBM(3, n_iter=1).fit(X))
    assert list(ours.feature_names_in_) == list("abcdef")
    assert ours.sample(2).shape == (2, 6)


@models
@pytest.mark.parametrize("algorithm", ["pcd", "pt"])
def test_chains_may_be_those_of_several_parts_of_the_rows(model, algorithm):
    """``n_chains`` is then the number in each part."""
    X = model.complete()
    rbm = model.machine(algorithm=algorithm, n_chains=4).fit(X)
    rows, _ = rbm._read(X)
    rbm.h_samples_ = np.concatenate([rbm.h_samples_] * 3, axis=-2)
    assert rbm._state(rows, 3).chains.shape[-2] == 12
    assert rbm._state(rows, 5).chains.shape[-2] == 12  # refused where they are shared out
    for n_parts, found in ((1, 12), (2, 6)):
        with pytest.raises(
            ValueError, match=f"n_chains=4 cannot go on .* Set n_chains={found} or"
        ):
            rbm._state(rows, n_parts)
