"""Chunks do what epochs do, and every chunk goes on where the last one stopped."""

import copy
import pickle

import joblib
import numpy as np
import pytest

from ..helpers.comparison import assert_same_bits, assert_same_model, learned
from ..helpers.models import BERNOULLI, GAUSSIAN, MODELS, SOFTMAX, models, variants
from ..helpers.ratings import HALF_STARS


@models
def test_fitting_returns_the_estimator(model):
    rbm, X = model.machine(), model.rows()
    assert rbm.fit(X) is rbm
    assert rbm.partial_fit(X) is rbm


@variants
def test_the_first_chunk_does_what_one_epoch_of_fit_does(variant):
    X = variant.rows()
    chunk = variant.machine().partial_fit(X)
    assert_same_model(chunk, variant.machine(n_iter=1, shuffle=False).fit(X))


@variants
def test_chunks_of_the_same_rows_do_what_epochs_of_fit_do(variant):
    X = variant.rows()
    chunks = variant.machine().partial_fit(X)
    for n_iter in (2, 3):
        whole = variant.machine(n_iter=n_iter, shuffle=False).fit(X)
        assert_same_model(chunks.partial_fit(X), whole)


@variants
@pytest.mark.parametrize("n_iter", [1, 2])
def test_partial_fit_goes_on_where_fit_stopped(variant, n_iter):
    X = variant.rows()
    rbm = variant.machine(n_iter=n_iter, shuffle=False).fit(X).partial_fit(X)
    whole = variant.machine(n_iter=n_iter + 1, shuffle=False).fit(X)
    assert_same_model(rbm, whole)


@variants
@pytest.mark.parametrize("n_rows", [1, 9, 10, 11, 47])
def test_a_chunk_may_have_any_size(variant, n_rows):
    X = variant.rows()
    rbm = variant.machine().partial_fit(X).partial_fit(X[:n_rows])
    assert rbm.n_iter_ == 2
    assert np.isfinite(rbm.components_).all()
    assert rbm.h_samples_.shape == variant.shape


@variants
def test_a_cut_between_batches_changes_nothing(variant):
    X, more, size = variant.rows(), variant.rows(1, 50), variant.machine().batch_size
    whole = variant.machine().partial_fit(X).partial_fit(more)
    parts = variant.machine().partial_fit(X)
    for part in (more[: 2 * size], more[2 * size : 3 * size], more[3 * size :]):
        parts.partial_fit(part)
    assert parts.n_iter_ == 4
    assert_same_model(parts, whole, but=["n_iter_", "history_"])


@models
def test_a_cut_inside_a_batch_makes_two_batches(model):
    """So that the test above could fail."""
    X, more = model.rows(), model.rows(1, 50)
    whole = model.machine().partial_fit(X).partial_fit(more)
    parts = model.machine().partial_fit(X).partial_fit(more[:15]).partial_fit(more[15:])
    assert (parts.components_ != whole.components_).any()


@variants
def test_copying_between_chunks_changes_nothing(variant):
    X, more = variant.rows(), variant.rows(1)
    straight, copied = variant.machine(), variant.machine()
    for chunk in (X, more, X, more):
        straight.partial_fit(chunk)
        copied = copy.deepcopy(copied).partial_fit(chunk)
    assert_same_model(copied, straight)


@models
def test_momentum_lives_on_between_chunks_and_in_pickles(model):
    X, more = model.rows(), model.rows(1)

    def second_step(momentum, interlude):
        rbm = model.machine(momentum=momentum, batch_size=50).partial_fit(X)
        return interlude(rbm).partial_fit(more).components_

    plain = second_step(0.5, lambda rbm: rbm)
    pickled = second_step(0.5, lambda rbm: pickle.loads(pickle.dumps(rbm)))
    np.testing.assert_array_equal(pickled, plain)
    # One update per chunk: the first is the same with and without momentum, the second is not.
    assert (plain != second_step(0.0, lambda rbm: rbm)).any()


@models
def test_learning_goes_on_from_read_only_memory(model, tmp_path):
    X = model.rows()
    rbm = model.machine(momentum=0.5).partial_fit(X)
    joblib.dump(rbm, tmp_path / "rbm")
    mapped = joblib.load(tmp_path / "rbm", mmap_mode="r")
    for name in ("transform", *model.predictors):
        assert_same_bits(getattr(mapped, name)(X), getattr(rbm, name)(X))
    assert_same_model(mapped.partial_fit(X), rbm.partial_fit(X))


# --- what the first chunk decides ---


@models
def test_the_first_chunk_fixes_the_number_of_chains(model):
    """None means batch_size, which is 10 in the first chunk and may then change."""
    X, parameters = model.complete(), {"n_chains": None, "algorithm": "pcd"}
    rbm, expected = (model.machine(**parameters).partial_fit(X) for _ in range(2))
    rbm.set_params(batch_size=20).partial_fit(X)
    expected.set_params(batch_size=20, n_chains=10).partial_fit(X)
    assert rbm.h_samples_.shape == (10, 3)
    assert_same_model(rbm, expected)


#: Parameters that the first call decides: at first, then, and what else is set.
DECIDED = [
    (BERNOULLI, "n_components", 3, 9, {}),
    (GAUSSIAN, "n_components", 3, 9, {}),
    (SOFTMAX, "n_components", 3, 2, {}),
    *((model, "n_chains", 4, 9, {"algorithm": "pcd"}) for model in MODELS.values()),
    *((model, "n_chains", 4, 2, {"algorithm": "pt"}) for model in MODELS.values()),
    *((model, "n_temperatures", 4, 9, {"algorithm": "pt"}) for model in MODELS.values()),
    (GAUSSIAN, "noise_variance", "learned", 1.0, {}),
    (GAUSSIAN, "noise_variance", 1.0, "learned", {}),
    (GAUSSIAN, "noise_variance", 1.0, 2.0, {}),
    (GAUSSIAN, "noise_variance", np.ones(6), np.arange(1.0, 7), {}),
    (SOFTMAX, "conditional", False, True, {}),
    (SOFTMAX, "conditional", True, False, {}),
    (SOFTMAX, "categories", "shared", "auto", {}),
    (SOFTMAX, "categories", HALF_STARS, np.append(HALF_STARS, 9), {}),
    (SOFTMAX, "categories", [HALF_STARS] * 6, [HALF_STARS] * 5 + [np.append(HALF_STARS, 9)], {}),
]


@pytest.mark.parametrize(
    ("model", "name", "first", "then", "others"),
    DECIDED,
    ids=[f"{model.name}, {name}" for model, name, *_ in DECIDED],
)
def test_what_the_first_chunk_decides_cannot_change(model, name, first, then, others):
    X = model.complete()
    rbm = model.machine(**others | {name: first}).partial_fit(X).set_params(**{name: then})
    before = pickle.dumps(vars(rbm))
    with pytest.raises(ValueError, match=rf"{name}=.*first call of fit or partial_fit decides"):
        rbm.partial_fit(X)
    assert pickle.dumps(vars(rbm)) == before
    rbm.set_params(**{name: copy.deepcopy(first)}).partial_fit(X)  # an equal value goes on
    fresh = model.machine(**others | {name: then}).fit(X)
    assert_same_model(rbm.set_params(**{name: then}).fit(X), fresh)


@models
@pytest.mark.parametrize("other", ["cd", "pcd"])
def test_no_other_algorithm_goes_on_from_tempered_chains_nor_they_from_others(model, other):
    X = model.complete()
    for first, then in (("pt", other), (other, "pt")):
        rbm = model.machine(algorithm=first).partial_fit(X)
        before = pickle.dumps(learned(rbm))
        rbm.set_params(algorithm=then)
        with pytest.raises(ValueError, match=rf"algorithm='{then}' cannot go on with h_samples_"):
            rbm.partial_fit(X)
        assert pickle.dumps(learned(rbm)) == before
        assert_same_model(rbm.fit(X), model.machine(algorithm=then).fit(X))


# --- a fit from scratch ---


@models
def test_fit_starts_from_scratch(model):
    X, more = model.complete(), model.complete(1, 50)
    expected = model.machine().fit(X)
    assert_same_model(model.machine().fit(more).fit(X), expected)
    assert_same_model(model.machine().partial_fit(more[:, :4]).fit(X), expected)
    rbm = model.machine(algorithm="pcd").fit(X).set_params(algorithm="cd").fit(X)
    assert_same_model(rbm, model.machine(algorithm="cd").fit(X))
    assert not rbm.h_samples_.any()


@variants
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_chains_are_bits_of_the_dtype_of_the_data(variant, dtype):
    rbm = variant.machine().fit(variant.rows().astype(dtype))
    assert rbm.h_samples_.shape == variant.shape
    persistent = rbm.algorithm != "cd"
    assert set(np.unique(rbm.h_samples_)) == ({0, 1} if persistent else {0})
    for name in ("components_", "intercept_hidden_", "intercept_visible_", "h_samples_"):
        assert getattr(rbm, name).dtype == dtype
        assert np.isfinite(getattr(rbm, name)).all()


@models
@pytest.mark.parametrize("algorithm", ["pt", "pcd"])
@pytest.mark.parametrize("dtype", [int, np.float64])
def test_float32_stays_whatever_the_dtype_of_chains_put_in(model, algorithm, dtype):
    X = model.complete().astype(np.float32)
    rbm, expected = (model.machine(algorithm=algorithm).partial_fit(X) for _ in range(2))
    rbm.h_samples_ = rbm.h_samples_.astype(dtype)
    assert_same_model(rbm.partial_fit(X), expected.partial_fit(X))
    for name in ("components_", "intercept_hidden_", "intercept_visible_", "h_samples_"):
        assert getattr(rbm, name).dtype == np.float32


def test_the_first_chunk_fixes_the_categories():
    first, later = np.array([[1.0, 2.0], [2.0, 3.0]]), np.array([[1.0, 4.0], [3.0, 2.0]])
    rbm = SOFTMAX.machine(conditional=False).partial_fit(first)
    np.testing.assert_array_equal(rbm.categories_[0], [1, 2, 3])
    before = pickle.dumps(learned(rbm))
    with pytest.raises(ValueError, match=r"4\.0 in feature 1"):
        rbm.partial_fit(later)
    assert pickle.dumps(learned(rbm)) == before
    missing = np.where(later == 4, np.nan, later)
    twin = copy.deepcopy(rbm).partial_fit(missing)
    assert_same_model(rbm.set_params(handle_unknown="ignore").partial_fit(later), twin)
    rbm.set_params(categories=[1, 2, 3, 4])
    np.testing.assert_array_equal(rbm.fit(later).categories_[0], [1, 2, 3, 4])


def test_a_chunk_without_entries_is_a_chunk():
    rbm = SOFTMAX.machine(weight_decay=0, momentum=0).partial_fit(SOFTMAX.rows())
    before = rbm.components_.copy()
    nothing = np.full((3, 6), np.nan)
    rbm.partial_fit(nothing).partial_fit(SOFTMAX.containers[1](nothing))
    assert_same_bits(rbm.components_, before)
    assert rbm.n_iter_ == 3
