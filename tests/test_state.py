"""What an estimator holds, and who may change it: fits, chunks, failures, readers, seeds."""

import copy
import pickle
import re

import joblib
import numpy as np
import pytest
from scipy import sparse
from scipy.special import expit

from skrbm import BernoulliRBM, GaussianBernoulliRBM, SoftmaxRBM

from .comparison import assert_same_model, learned


@pytest.fixture(name="X")
def bits():
    """47 rows: a batch of 10 does not divide them."""
    return np.random.default_rng(0).integers(0, 2, (47, 6)).astype(float)


@pytest.fixture
def more():
    return np.random.default_rng(1).integers(0, 2, (50, 6)).astype(float)


def machine(model=BernoulliRBM, **parameters):
    return model(**{"n_components": 3, "n_iter": 3, "random_state": 0} | parameters)


# Every part of the training state: chains or none, steps, draws of each kind.
VARIANTS = {
    "pcd": {"momentum": 0.5, "weight_decay": 0.01},
    "pcd, 7 chains": {"n_chains": 7, "n_gibbs_steps": 2},
    "pcd, BLAS": {"n_chains": 50, "momentum": 0.5},
    "cd": {"algorithm": "cd", "momentum": 0.5},
    "cd, means": {"algorithm": "cd", "negative_visibles": "mean", "n_gibbs_steps": 2},
    "real values": {"model": GaussianBernoulliRBM, "batch_size": 10, "algorithm": "pcd"},
    "categories": {"model": SoftmaxRBM, "batch_size": 10, "conditional": True},
}
variants = pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS.keys())


# --- chunks ---


def test_fitting_returns_the_estimator(X):
    rbm = machine()
    assert rbm.fit(X) is rbm
    assert rbm.partial_fit(X) is rbm


@variants
def test_the_first_chunk_does_what_one_epoch_of_fit_does(X, variant):
    chunk = machine(**variant).partial_fit(X)
    assert_same_model(chunk, machine(n_iter=1, shuffle=False, **variant).fit(X))


@variants
def test_chunks_of_the_same_rows_do_what_epochs_of_fit_do(X, variant):
    chunks = machine(**variant).partial_fit(X).partial_fit(X)
    assert_same_model(chunks, machine(n_iter=2, shuffle=False, **variant).fit(X))


@variants
def test_partial_fit_goes_on_where_fit_stopped(X, variant):
    rbm = machine(n_iter=2, shuffle=False, **variant).fit(X).partial_fit(X)
    assert_same_model(rbm, machine(n_iter=3, shuffle=False, **variant).fit(X))


@variants
@pytest.mark.parametrize("n_rows", [1, 9, 10, 11, 47])
def test_a_chunk_may_have_any_size(X, variant, n_rows):
    rbm = machine(**variant).partial_fit(X).partial_fit(X[:n_rows])
    assert rbm.n_iter_ == 2
    assert np.isfinite(rbm.components_).all()
    if "h_samples_" in vars(rbm):
        assert rbm.h_samples_.shape == (variant.get("n_chains", 10), 3)


@variants
def test_a_cut_between_batches_changes_nothing(X, more, variant):
    whole = machine(**variant).partial_fit(X).partial_fit(more)
    parts = machine(**variant).partial_fit(X)
    for part in (more[:20], more[20:30], more[30:]):
        parts.partial_fit(part)
    assert parts.n_iter_ == 4
    assert_same_model(parts, whole, but=["n_iter_", "history_"])


def test_a_cut_inside_a_batch_makes_two_batches(X, more):
    """So that the test above could fail."""
    whole = machine().partial_fit(X).partial_fit(more)
    parts = machine().partial_fit(X).partial_fit(more[:15]).partial_fit(more[15:])
    assert (parts.components_ != whole.components_).any()


@variants
def test_pickling_between_chunks_changes_nothing(X, more, variant):
    expected = machine(**variant).partial_fit(X).partial_fit(more).partial_fit(X)
    rbm = machine(**variant)
    for chunk in (X, more, X):
        rbm = pickle.loads(pickle.dumps(rbm)).partial_fit(chunk)
    assert_same_model(rbm, expected)


def test_momentum_lives_on_between_chunks_and_in_pickles(X, more):
    def second_step(momentum, interlude):
        rbm = machine(momentum=momentum, batch_size=50).partial_fit(X)
        return interlude(rbm).partial_fit(more).components_

    plain = second_step(0.5, lambda rbm: rbm)
    pickled = second_step(0.5, lambda rbm: pickle.loads(pickle.dumps(rbm)))
    np.testing.assert_array_equal(pickled, plain)
    # One update per chunk: the first is the same with and without momentum, the second is not.
    assert (plain != second_step(0.0, lambda rbm: rbm)).any()


def test_learning_goes_on_from_read_only_memory(X, tmp_path):
    rbm = machine(momentum=0.5).partial_fit(X)
    joblib.dump(rbm, tmp_path / "rbm")
    mapped = joblib.load(tmp_path / "rbm", mmap_mode="r")
    np.testing.assert_array_equal(mapped.transform(X), rbm.transform(X))
    assert_same_model(mapped.partial_fit(X), rbm.partial_fit(X))


@pytest.mark.parametrize(
    ("parameters", "later"),
    [
        ({"n_chains": 4}, {"n_chains": 9}),
        ({"n_chains": 4}, {"n_chains": 2}),
        ({"n_chains": None}, {"batch_size": 20}),  # None means batch_size, 10 at first
    ],
    ids=str,
)
def test_the_first_chunk_fixes_the_number_of_chains(X, parameters, later):
    rbm, expected = (machine(**parameters).partial_fit(X) for _ in range(2))
    n_chains = parameters["n_chains"] or 10
    rbm.set_params(**later).partial_fit(X)
    expected.set_params(**later | {"n_chains": n_chains}).partial_fit(X)
    assert rbm.h_samples_.shape == (n_chains, 3)
    assert_same_model(rbm, expected)


def test_fit_starts_from_scratch(X, more):
    expected = machine().fit(X)
    assert_same_model(machine().fit(more).fit(X), expected)
    assert_same_model(machine().partial_fit(more[:, :4]).fit(X), expected)
    rbm = machine().fit(X).set_params(algorithm="cd").fit(X)
    assert_same_model(rbm, machine(algorithm="cd").fit(X))
    assert not rbm.h_samples_.any()


# --- failures ---

# Weight decay times learning rate above 2 makes every weight swing ever further.
DIVERGING = {"learning_rate": (0.25, 0.5), "weight_decay": 1e6}


def assert_all_finite(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for part in value:
            assert_all_finite(part)
    elif value is not None:
        assert np.isfinite(value).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("batch_size", [10, 40])
@pytest.mark.parametrize("algorithm", ["cd", "pcd"])
def test_divergence_in_fit_is_told_and_leaves_no_nan(X, dtype, batch_size, algorithm):
    parameters = {"batch_size": batch_size, "algorithm": algorithm, "n_iter": 100}
    rbm = machine(**parameters, **DIVERGING)
    with pytest.raises(ValueError, match="diverged") as raised:
        rbm.fit(X.astype(dtype))
    epoch, rate = re.search(r"epoch (\d+) .*learning_rate=(\S+):", str(raised.value)).groups()
    assert float(rate) == (0.25 if epoch == "1" else 0.5)
    assert not hasattr(rbm, "components_")
    # It stopped at the first epoch that went wrong: one fewer is still finite.
    rbm.set_params(n_iter=int(epoch) - 1).fit(X.astype(dtype))
    assert_all_finite(learned(rbm)["components_"])
    assert rbm.n_iter_ == int(epoch) - 1


def test_divergence_in_a_second_fit_leaves_no_nan(X):
    rbm = machine().fit(X).set_params(n_iter=100, **DIVERGING)
    with pytest.raises(ValueError, match="diverged"):
        rbm.fit(X)
    assert_all_finite(learned(rbm))


def test_a_failed_fit_to_other_features_leaves_no_mixture_of_two_models(X):
    """The weights of six features must not answer for four."""
    rbm = machine().fit(X).set_params(weight_decay=1e300)
    with pytest.raises(ValueError, match="diverged"):
        rbm.fit(X[:, :4])
    for n_rows in (20, 47):  # by the kernels of few rows, by BLAS
        with pytest.raises(ValueError):  # NotFittedError is one too
            rbm.transform(X[:n_rows, :4])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_divergence_in_a_later_chunk_leaves_the_estimator_unchanged(X, dtype):
    X = X.astype(dtype)
    rbm = machine(momentum=0.5).partial_fit(X)
    before = pickle.dumps(learned(rbm))
    rbm.set_params(learning_rate=1.0, weight_decay=1e300)
    with pytest.raises(ValueError, match=r"diverged in epoch 2 with learning_rate=1\.0"):
        rbm.partial_fit(X)
    assert pickle.dumps(learned(rbm)) == before


def test_a_refused_later_chunk_leaves_the_estimator_unchanged(X):
    rbm = machine(momentum=0.5).partial_fit(X)
    before = pickle.dumps(vars(rbm))
    for bad in (X[:, :5], np.full((3, 6), np.nan), X[:0], "text"):
        with pytest.raises(ValueError):
            rbm.partial_fit(bad)
        assert pickle.dumps(vars(rbm)) == before


@pytest.mark.parametrize("failure", ["divergence", "NaN"])
def test_a_failed_first_chunk_leaves_the_estimator_unchanged(X, failure):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=list("abcdef"))
    rbm = machine()
    if failure == "divergence":
        rbm.set_params(weight_decay=1e300)
    else:
        frame.iloc[2, 3] = np.nan
    before = set(vars(rbm))
    with pytest.raises(ValueError, match=r"diverged|NaN"):
        rbm.partial_fit(frame)
    assert set(vars(rbm)) == before


# --- readers ---


@pytest.mark.parametrize("algorithm", ["cd", "pcd"])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("random_state", [0, np.random.RandomState(0)], ids=["int", "state"])
def test_methods_that_read_leave_the_estimator_unchanged(X, algorithm, container, random_state):
    rbm = machine(algorithm=algorithm, momentum=0.5, random_state=random_state).fit(X)
    X, H = container(X), np.full((47, 3), 0.5)
    readers = {
        "transform": lambda: rbm.transform(X),
        "inverse_transform": lambda: rbm.inverse_transform(H),
        "reconstruct": lambda: rbm.reconstruct(X),
        "free_energy": lambda: rbm.free_energy(X),
        "energy": lambda: rbm.energy(X, H),
        "score_samples": lambda: rbm.score_samples(X),
        "score": lambda: rbm.score(X),
        "gibbs": lambda: rbm.gibbs(X, 2),
        "sample": lambda: rbm.sample(3, n_gibbs_steps=2),
        "sample, init": lambda: rbm.sample(3, n_gibbs_steps=2, init=X),
        "names": lambda: rbm.get_feature_names_out(),
        "repr": lambda: repr(rbm),
    }
    before = pickle.dumps(vars(rbm))
    for name, reader in readers.items():
        reader()
        assert pickle.dumps(vars(rbm)) == before, name


def test_results_are_arrays_of_their_own(X):
    """Writing to them must not reach the estimator."""
    rbm = machine().fit(X)
    before = pickle.dumps(vars(rbm))
    for result in (rbm.transform(X), rbm.sample(3, n_gibbs_steps=1), rbm.reconstruct(X)):
        result[...] = -1
    assert pickle.dumps(vars(rbm)) == before


def test_readers_follow_weights_that_the_user_replaces(X):
    rbm = machine().fit(X)
    rng = np.random.default_rng(3)
    rbm.components_ = rng.normal(size=(3, 6))
    rbm.intercept_hidden_ = rng.normal(size=3)
    rbm.intercept_visible_ = rng.normal(size=6)
    H = expit(X @ rbm.components_.T + rbm.intercept_hidden_)
    np.testing.assert_allclose(rbm.transform(X), H, rtol=1e-12)
    mean = expit(H @ rbm.components_ + rbm.intercept_visible_)
    np.testing.assert_allclose(rbm.reconstruct(X), mean, rtol=1e-12)


def test_learning_goes_on_from_weights_that_the_user_replaces(X):
    rbm = machine(learning_rate=1e-9).fit(X)
    W = np.random.default_rng(3).normal(size=(3, 6))
    rbm.components_ = W.copy()
    rbm.partial_fit(X)
    np.testing.assert_allclose(rbm.components_, W, atol=1e-7)
    assert (rbm.components_ != W).any()


# --- seeds ---


@variants
def test_the_same_seed_gives_the_same_bits(X, variant):
    expected = machine(**variant).fit(X)
    assert_same_model(machine(**variant).fit(X), expected)
    state = np.random.RandomState(0)
    assert_same_model(machine(**variant, random_state=state).fit(X), expected)
    # The state has moved on.
    moved = machine(**variant, random_state=state).fit(X)
    assert (moved.components_ != expected.components_).any()
    other = machine(**variant, random_state=1).fit(X)
    assert (other.components_ != expected.components_).any()


def test_no_seed_means_numpys_global_one(X):
    saved = np.random.get_state()
    try:
        np.random.seed(0)
        first, second = (machine(random_state=None).fit(X) for _ in range(2))
    finally:
        np.random.set_state(saved)
    assert_same_model(first, machine(random_state=0).fit(X))
    assert (first.components_ != second.components_).any()


def test_a_seed_for_draws_gives_the_same_draws(X):
    rbm = machine().fit(X)
    for draw in (
        lambda seed: rbm.gibbs(X, 2, random_state=seed),
        lambda seed: rbm.sample(47, n_gibbs_steps=2, random_state=seed),
        lambda seed: rbm.sample(47, n_gibbs_steps=2, init=X, random_state=seed),
    ):
        np.testing.assert_array_equal(draw(5), draw(5))
        np.testing.assert_array_equal(draw(5), draw(np.random.RandomState(5)))
        assert (draw(5) != draw(6)).any()
        assert (draw(None) != draw(None)).any()


@pytest.mark.parametrize("verbose", [1, 2, True])
def test_the_same_bits_whatever_verbose(X, verbose, capsys):
    assert_same_model(machine(verbose=verbose).fit(X), machine().fit(X))
    loud, silent = machine(verbose=verbose), machine()
    assert_same_model(loud.partial_fit(X).partial_fit(X), silent.partial_fit(X).partial_fit(X))
    assert len(capsys.readouterr().out.splitlines()) == 5


@pytest.mark.parametrize("name", ["h_samples_", "components_"])
def test_a_machine_of_another_shape_does_not_go_on_learning(X, name):
    """Chains and steps of other shapes would be read and written out of bounds."""
    rbm = machine(momentum=0.5).fit(X)
    if name == "h_samples_":
        rbm.h_samples_ = np.zeros((4, 50))
    else:
        rbm.components_ = np.zeros((50, X.shape[1]))
        rbm.intercept_hidden_ = np.zeros(50)
        rbm.h_samples_ = np.zeros((4, 50))
    with pytest.raises(ValueError, match="must stay the same"):
        rbm.partial_fit(X)


def test_base_rates_of_another_shape_are_no_start(X):
    rbm = machine().fit(X)
    rbm.components_ = np.zeros((3, 9))
    rbm.intercept_visible_ = np.zeros(9)
    holes = np.where(X == 0, np.nan, X)
    message = "the machine has 9 visible units, but the base rates .* were learned of 6"
    for start in (
        lambda: rbm.sample(2, n_gibbs_steps=1),
        lambda: rbm.sample(2, n_gibbs_steps=1, init=X, method="tempering"),
        lambda: rbm.sample(2, n_gibbs_steps=1, init=holes),
        lambda: rbm.impute(holes),
        lambda: rbm.log_partition("ais", n_betas=2),
        lambda: rbm.log_partition("reverse_ais", n_betas=2),
    ):
        with pytest.raises(ValueError, match=message):
            start()


@pytest.mark.parametrize("dtype", [int, np.float16])
def test_components_of_any_dtype_may_be_put_in(dtype):
    """The machine works in float32 or float64: integers must not round biases and steps."""
    X = np.eye(4)
    rbm = machine(n_components=2).fit(X)
    rbm.components_ = np.array([[3, 0, 0, 0], [0, 3, 0, 0]])
    rbm.intercept_visible_, rbm.intercept_hidden_ = np.full(4, -0.9), np.full(2, -0.5)
    other = copy.deepcopy(rbm)
    other.components_ = rbm.components_.astype(dtype)
    rbm.components_ = rbm.components_.astype(float)
    draws = [r.sample(50, n_gibbs_steps=3, random_state=0) for r in (rbm, other)]
    np.testing.assert_array_equal(*draws)
    assert 0 < draws[0].mean() < 1
    np.testing.assert_array_equal(other.partial_fit(X).components_, rbm.partial_fit(X).components_)
