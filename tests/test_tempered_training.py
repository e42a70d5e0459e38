"""Learning by parallel tempering: the plain twin, expectations, and what an estimator keeps."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone

from skrbm import BernoulliRBM, GaussianBernoulliRBM, SoftmaxRBM
from skrbm._input.checks import InvalidParameterError
from skrbm._input.numbers import Rows
from skrbm._machine import threads
from skrbm._machine.tempered import TemperedRBM
from skrbm._training.epoch import train_epoch
from skrbm._training.phases import contrast, tempered_negatives
from skrbm._training.state import State

from . import reference_tempering
from .comparison import assert_same_model, learned
from .reference_tempering import Bits, OneHot, Reals
from .softmax_machines import draw_rows
from .test_callbacks import Recorder
from .test_softmax_training import data_of
from .test_tempering import Binary, Categorical, Real, some_cases
from .test_training import assert_expected, settings

SEED = 11
CASES = some_cases(scale=1)
cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def state_of(case, chains):
    return State(
        model=case.model(),
        seed=np.uint64(SEED),
        base_bias=case.base,
        chains=chains,
    )


def twin_of(case, rng, n_rows=11):
    """Training data, the same as the twin reads them, its weights and its units."""
    W, b, _ = case.arrays[:3]
    if isinstance(case, Categorical):
        rows = draw_rows(case.machine.oracle, None, n_rows, rng)
        U = case.machine.U
        units = OneHot(b, case.machine.sizes, U is not None)
        W = W if U is None else np.vstack([W, U])
        return data_of(case.machine, rows), units.rows(rows), W, units
    V = rng.random((n_rows, len(b))) if isinstance(case, Binary) else rng.normal(0.3, 1, (11, 4))
    log_ratio = case.log_ratio() if isinstance(case, Real) else None
    units = Reals(b, case.reference, log_ratio) if isinstance(case, Real) else Bits(b)
    return Rows(V), V, W, units


@cases
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"n_gibbs_steps": 2},
        {"n_gibbs_steps": 3, "momentum": 0.8, "weight_decay": 0.1},
        {"mean_negative_visibles": True},
        {"mean_negative_visibles": True, "n_gibbs_steps": 3, "batch_size": 50},
        {"n_chains": 5, "batch_size": 3, "n_temperatures": 2},
        {"n_chains": 1, "batch_size": 6, "n_temperatures": 5},
    ],
    ids=str,
)
def test_an_epoch_equals_the_plain_loops_draw_for_draw(case, changes, rng):
    """Batches of four of 11 rows: the last one is short."""
    changes = dict(changes)
    n_temperatures = changes.pop("n_temperatures", 4)
    options = settings(**changes)
    data, V, W, units = twin_of(case, rng)
    chains = np.zeros((n_temperatures, options.n_chains, len(case.c)))
    state = state_of(case, chains)
    train_epoch(state, options, data)
    plain_W, plain_c, plain_chains = reference_tempering.train(
        V,
        W,
        case.c,
        units,
        base=case.base,
        seed=SEED,
        n_temperatures=n_temperatures,
        n_chains=options.n_chains,
        batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        n_steps=options.n_gibbs_steps,
        momentum=options.momentum,
        weight_decay=options.weight_decay,
        means=options.mean_negative_visibles,
    )
    ours = list(state.model.parameters)
    if case.conditional:
        ours[0] = np.vstack([ours[0], ours.pop()])
    for actual, plain in zip(ours, (plain_W, plain_c, *units.parameters), strict=True):
        assert_allclose(actual, plain, rtol=1e-10, atol=1e-11)
    assert_array_equal(state.chains, plain_chains)


def draw_hidden(case, beta, n, rng):
    """Exact draws of the hidden units at a temperature."""
    oracle = case.at(beta)
    p_h = oracle.table()[1].sum(axis=0) if isinstance(case, Categorical) else oracle.p_h
    return oracle.h_states[rng.choice(len(p_h), n, p=p_h)]


def data_and_gradient(case, rng):
    """Five rows of data, and the exact gradient of their mean log-likelihood."""
    rows = case.draw(0.5, 5, rng)
    data = data_of(case.machine, rows) if isinstance(case, Categorical) else Rows(rows)
    return data, case.at(1).gradient(rows)


@cases
@pytest.mark.parametrize("n_steps", [1, 2])
def test_chains_at_equilibrium_estimate_the_gradient_of_the_likelihood(case, n_steps, rng):
    """At all temperatures, hidden states from the table: the negative phase is the model's."""
    betas, n_chains = np.linspace(1, 0, 3), 300
    data, exact = data_and_gradient(case, rng)
    state = state_of(case, None)
    state.seed = np.uint64(1)
    options = settings(n_chains=n_chains, batch_size=data.n_rows)
    draws = []
    for repeat in range(40):
        state.n_updates = repeat
        state.chains = np.array([draw_hidden(case, beta, n_chains, rng) for beta in betas])
        v = data.batch(slice(0, data.n_rows), np.dtype(float), n_chains)
        draws.append(contrast(state, options, v, data.n_rows, n_steps))
    blocks = [np.array(block) for block in zip(*draws, strict=True)]
    estimates = [(a.mean(axis=0), a.std(axis=0) / np.sqrt(len(a))) for a in blocks]
    assert_expected(estimates, exact[: len(estimates)])


def test_chains_stay_in_the_distributions_of_their_temperatures(rng):
    """Hidden units after an update have the means that they had before it."""
    case, betas, n = CASES["Bernoulli"], np.linspace(1, 0, 4), 10_000
    chains = np.array([draw_hidden(case, beta, n, rng) for beta in betas])
    state = state_of(case, chains)
    tempered_negatives(state, settings(), 3)
    assert state.chains.shape == chains.shape
    for h, beta in zip(state.chains, betas, strict=True):
        oracle = case.at(beta)
        p = oracle.p_h @ oracle.h_states
        assert (np.abs(h.mean(axis=0) - p) < 4.5 * np.sqrt(p * (1 - p) / n)).all()


@pytest.mark.parametrize("n_gibbs_steps", [1, 2, 3])
def test_exchanges_take_turns_between_the_pairs_from_update_to_update(n_gibbs_steps, monkeypatch):
    """Else, with two steps, some pairs would have only the first of them."""
    parities, exchange = [], TemperedRBM.exchanged

    def record(self, x, betas, parity, draw):
        parities.append(parity % 2)
        return exchange(self, x, betas, parity, draw)

    monkeypatch.setattr(TemperedRBM, "exchanged", record)
    machine(n_gibbs_steps=n_gibbs_steps, n_iter=1).fit(bits()).partial_fit(bits())
    assert parities == [step % 2 for step in range(10 * n_gibbs_steps)]


# --- what is learned ---


def two_patterns():
    """Twelve bits: four rows of five hold a pattern, the fifth its opposite."""
    pattern = np.tile([1.0, 1.0, 0.0], 4)
    return np.array([pattern] * 80 + [1 - pattern] * 20)


def mean_log_likelihood(algorithm, seed):
    rbm = BernoulliRBM(
        4,
        algorithm=algorithm,
        n_temperatures=5,
        learning_rate=tuple(np.geomspace(0.1, 0.005, 300)),
        batch_size=20,
        n_iter=300,
        random_state=seed,
    ).fit(two_patterns())
    return rbm.log_likelihood(two_patterns()).mean()


def test_two_opposite_patterns_are_learned_in_their_proportions():
    """Near the bound; chains of PCD, which seldom cross, end further away at either seed."""
    bound = 0.8 * np.log(0.8) + 0.2 * np.log(0.2)
    pt, pcd = (
        np.array([mean_log_likelihood(algorithm, seed) for seed in range(2)])
        for algorithm in ("pt", "pcd")
    )
    assert (pt < bound).all()
    assert (pt > bound - 0.8).all()  # seen: 0.6 and 0.5
    assert (pt > pcd).all()  # seen: 2.7 and 6.5 below the bound


# --- estimators ---


def bits(n_rows=47):
    return np.random.default_rng(0).integers(0, 2, (n_rows, 6)).astype(float)


VARIANTS = {
    "bits": {},
    "bits, 7 chains": {"n_chains": 7, "n_gibbs_steps": (1, 2), "momentum": 0.5},
    "bits, means": {"negative_visibles": "mean", "weight_decay": 0.1, "n_temperatures": 3},
    "real values": {"model": GaussianBernoulliRBM, "momentum": 0.5},
    "learned variance": {"model": GaussianBernoulliRBM, "noise_variance": "learned"},
    "categories": {"model": SoftmaxRBM},
    "categories, conditional": {"model": SoftmaxRBM, "conditional": True},
}
variants = pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)


def machine(model=BernoulliRBM, **parameters):
    defaults = {"n_components": 3, "n_iter": 3, "batch_size": 10, "random_state": 0}
    return model(**defaults | {"algorithm": "pt", "n_temperatures": 4} | parameters)


@variants
def test_fit_is_partial_fit_over_the_same_batches(variant):
    whole = machine(n_iter=3, shuffle=False, **variant).fit(bits())
    chunks = machine(**variant)
    for _ in range(3):
        chunks = pickle.loads(pickle.dumps(chunks)).partial_fit(bits())
    if variant.get("noise_variance") == "learned":  # whose logarithm is rounded between chunks
        assert_array_equal(chunks.h_samples_, whole.h_samples_)
        for name in ("components_", "noise_variance_"):
            assert_allclose(getattr(chunks, name), getattr(whole, name), rtol=1e-12, atol=1e-14)
    else:
        assert_same_model(chunks, whole)


@variants
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_chains_have_a_row_per_temperature_and_the_dtype_of_the_data(variant, dtype):
    rbm = machine(**variant).fit(bits().astype(dtype))
    shape = variant.get("n_temperatures", 4), variant.get("n_chains", 10), 3
    assert rbm.h_samples_.shape == shape
    assert set(np.unique(rbm.h_samples_)) == {0, 1}
    for name in ("components_", "intercept_hidden_", "intercept_visible_", "h_samples_"):
        assert getattr(rbm, name).dtype == dtype
        assert np.isfinite(getattr(rbm, name)).all()


@variants
def test_a_clone_learns_the_same_bits(variant):
    rbm = machine(**variant).fit(bits())
    assert_same_model(clone(rbm).fit(bits()), rbm)
    other = clone(rbm).set_params(random_state=1).fit(bits())
    assert (other.components_ != rbm.components_).any()


def test_float32_follows_float64():
    """Same seed, same draws: until rounding tips a draw, the machines stay together."""
    double, single = (machine(n_iter=2).fit(bits().astype(t)) for t in (np.float64, np.float32))
    assert_allclose(single.components_, double.components_, atol=1e-5)
    assert_array_equal(single.h_samples_, double.h_samples_)


@pytest.mark.parametrize("model", [BernoulliRBM, GaussianBernoulliRBM, SoftmaxRBM])
@pytest.mark.parametrize("algorithm", ["pt", "pcd"])
@pytest.mark.parametrize("dtype", [int, np.float64])
def test_float32_stays_whatever_the_dtype_of_chains_put_in(model, algorithm, dtype):
    X = bits().astype(np.float32)
    rbm, expected = (machine(model, algorithm=algorithm).partial_fit(X) for _ in range(2))
    rbm.h_samples_ = rbm.h_samples_.astype(dtype)
    assert_same_model(rbm.partial_fit(X), expected.partial_fit(X))
    for name in ("components_", "intercept_hidden_", "intercept_visible_", "h_samples_"):
        assert getattr(rbm, name).dtype == np.float32


@pytest.mark.parametrize("model", [BernoulliRBM, GaussianBernoulliRBM])
def test_a_machine_of_other_features_does_not_go_on_learning(model):
    """Its base rates, from which the hottest chains are drawn, are those of six."""
    rbm = machine(model).partial_fit(bits())
    rbm.components_, rbm.intercept_visible_ = np.zeros((3, 9)), np.zeros(9)
    if model is GaussianBernoulliRBM:
        rbm.noise_variance_ = np.ones(9)
    for n_features in (6, 9):
        rbm.n_features_in_ = n_features
        with pytest.raises(ValueError, match="the shape of a fitted machine must stay the same"):
            rbm.partial_fit(np.zeros((10, n_features)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sparse_data_give_the_same_model_draw_for_draw(dtype):
    X = bits().astype(dtype)
    assert_same_model(machine().fit(sparse.csr_array(X)), machine().fit(X))


def test_stored_zeros_of_complete_categories_are_data_too():
    X = bits()
    rows, columns = np.indices(X.shape).reshape(2, -1)
    stored = sparse.csr_array((X.ravel(), (rows, columns)), shape=X.shape)
    options = {"model": SoftmaxRBM, "categories": [0, 1]}
    assert_same_model(machine(**options).fit(stored), machine(**options).fit(X))


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_missing_entries_are_refused_by_the_name_of_the_algorithm(form):
    X = 1 + bits()
    X[3, 2] = np.nan if form is np.asarray else 0
    with pytest.raises(ValueError, match=r"algorithm='pt' needs complete rows, but 1 entries"):
        machine(model=SoftmaxRBM, categories=[1, 2]).fit(form(X))


@pytest.mark.parametrize("model", [BernoulliRBM, GaussianBernoulliRBM, SoftmaxRBM])
@pytest.mark.parametrize("other", ["cd", "pcd"])
def test_no_other_algorithm_goes_on_from_tempered_chains_nor_they_from_others(model, other):
    for first, then in (("pt", other), (other, "pt")):
        rbm = machine(model=model, algorithm=first).partial_fit(bits())
        before = pickle.dumps(learned(rbm))
        rbm.set_params(algorithm=then)
        with pytest.raises(ValueError, match=rf"algorithm='{then}' cannot go on with h_samples_"):
            rbm.partial_fit(bits())
        assert pickle.dumps(learned(rbm)) == before
        assert_same_model(rbm.fit(bits()), machine(model=model, algorithm=then).fit(bits()))


def test_the_first_chunk_fixes_the_number_of_temperatures_and_chains():
    rbm, expected = (machine(n_chains=4).partial_fit(bits()) for _ in range(2))
    rbm.set_params(n_temperatures=9, n_chains=2).partial_fit(bits())
    assert rbm.h_samples_.shape == (4, 4, 3)
    assert_same_model(rbm, expected.partial_fit(bits()))


@pytest.mark.parametrize("n_temperatures", [1, 0, -3, 2.5, None, "many"])
def test_fewer_than_two_temperatures_are_refused(n_temperatures):
    rbm = machine(n_temperatures=n_temperatures)
    with pytest.raises(InvalidParameterError, match="n_temperatures"):
        rbm.fit(bits())


@pytest.mark.parametrize("conditional", [False, True])
def test_the_same_bits_whatever_the_number_of_threads(monkeypatch, conditional):
    monkeypatch.setattr(threads, "WORTH_A_THREAD", 1)
    fitted = []
    for n_threads in (1, 2, 5):
        monkeypatch.setattr(threads, "get_num_threads", lambda n=n_threads: n)
        fitted.append(machine(model=SoftmaxRBM, conditional=conditional).fit(bits()))
    for rbm in fitted[1:]:
        assert_same_model(rbm, fitted[0])


def test_callbacks_see_the_epochs_and_change_nothing():
    recorder = Recorder()
    rbm = machine().set_callbacks(recorder).fit(bits())
    assert [e[2] for e in recorder.events if e[:2] == ("end", "epoch")] == [0, 1, 2]
    assert [f.n_iter_ for f in recorder.fitted] == [1, 2, 3]
    assert {f.h_samples_.shape for f in recorder.fitted} == {(4, 10, 3)}
    assert_same_model(rbm, machine().fit(bits()))


@pytest.mark.parametrize("model", [BernoulliRBM, GaussianBernoulliRBM, SoftmaxRBM])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_divergence_is_told(model, dtype):
    """Weight decay times learning rate above 2 makes every weight swing ever further."""
    X = bits().astype(dtype)
    rbm = machine(model=model).partial_fit(X)
    before = pickle.dumps(learned(rbm))
    rbm.set_params(learning_rate=0.5, weight_decay=1e300, n_gibbs_steps=3, n_iter=100)
    with pytest.raises(ValueError, match="training diverged in epoch 2"):
        rbm.partial_fit(X)
    assert pickle.dumps(learned(rbm)) == before
    rbm.set_params(weight_decay=1e6)
    fresh = clone(rbm)
    with pytest.raises(ValueError, match=r"training diverged .*learning_rate=0\.5"):
        fresh.fit(X)
    assert not hasattr(fresh, "components_")
