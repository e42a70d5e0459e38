"""Where chains start: at rows given, at base rates, or at draws from the model."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from skrbm import BernoulliRBM, GaussianBernoulliRBM
from skrbm._inference import partition, sampler, starts

from ..helpers.machines import Categorical, some_cases
from ..helpers.partition_machines import MODELS, bernoulli_machine, models, softmax_machine
from ..helpers.softmax_machines import as_sparse

# --- reverse annealing ------------------------------------------------------------------------


def annealed_rows(estimator, monkeypatch, **options):
    """The rows from which reverse annealing starts, as X."""
    first, log_importance = [], partition.log_importance

    def record(tempered, v, betas, *rest):
        assert_array_equal(betas, [1, 0])
        first.append(tempered.visible.values(v).copy())
        return log_importance(tempered, v, betas, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(partition, "log_importance", record)
        estimator.log_partition("reverse_ais", n_betas=2, **options)
    (rows,) = first
    return rows


@models
def test_reverse_annealing_starts_at_what_sample_draws(make, monkeypatch):
    """With the defaults of ``sample``: as many steps and temperatures, bit for bit."""
    estimator = make().estimator
    rows = annealed_rows(estimator, monkeypatch, n_chains=5, random_state=3)
    assert_array_equal(rows, estimator.sample(5, method="tempering", random_state=3))


@models
@pytest.mark.parametrize("n_rows", [1, 3, 20])
def test_reverse_annealing_starts_at_what_sample_draws_from_init(make, n_rows, monkeypatch, rng):
    monkeypatch.setattr(partition, "N_GIBBS_STEPS", 20)
    machine = make()
    init = machine.dense(machine.exact_draws(rng, n_rows))
    rows = annealed_rows(machine.estimator, monkeypatch, init=init, n_chains=5, random_state=3)
    state = np.random.RandomState(3)
    init = init[state.permutation(n_rows)[np.arange(5) % n_rows]]
    expected = machine.estimator.sample(
        5, n_gibbs_steps=20, init=init, method="tempering", random_state=state
    )
    assert_array_equal(rows, expected)


STRONG = {k: case for k, case in some_cases(scale=2.5).items() if not case.conditional}


strong = pytest.mark.parametrize("case", STRONG.values(), ids=STRONG)


def assert_starts_in_the_model(case, monkeypatch):
    """Of a strong machine: rows of its base rates are few of its own."""
    rows = annealed_rows(case.estimator(), monkeypatch, n_chains=2000, random_state=0)
    case.assert_drawn(case.machine.codes(rows) if isinstance(case, Categorical) else rows)


@strong
def test_reverse_annealing_starts_at_draws_from_the_model(case, monkeypatch):
    monkeypatch.setattr(partition, "N_GIBBS_STEPS", 50)  # enough for so few units
    assert_starts_in_the_model(case, monkeypatch)


@strong
@pytest.mark.parametrize("wrong", ["base rates", "a single step"])
def test_a_start_elsewhere_is_found_out(case, wrong, monkeypatch):
    if wrong == "base rates":

        def draw(self, start, n, random_state):
            bias = self.base_rate_bias
            return starts.base_rate_rows(self.model.visible, bias, n, np.uint64(0)), None

        monkeypatch.setattr(sampler.Sampler, "draw", draw)
    else:
        monkeypatch.setattr(partition, "N_GIBBS_STEPS", 1)
        monkeypatch.setattr(partition, "N_TEMPERATURES", 2)
    with pytest.raises(AssertionError):
        assert_starts_in_the_model(case, monkeypatch)


# --- init of reverse annealing ----------------------------------------------------------------


def chosen_rows(estimator, monkeypatch, **options):
    """The rows at which the chains start that draw from the model, at all temperatures."""
    first = []

    def record(tempered, v, betas, *rest):
        first.append(v.reshape(len(betas), -1, v.shape[1]).copy())
        return [
            (None, np.empty((first[0].shape[1], 0)))
        ]  # of one step, whose hidden rows nobody reads

    with monkeypatch.context() as patch:
        patch.setattr(sampler, "tempering", record)
        estimator.log_partition("reverse_ais", n_betas=2, **options)
    (rows,) = first
    assert_array_equal(rows, np.broadcast_to(rows[:1], rows.shape))
    return rows[0]


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_init_in_the_order_of_its_modes_gives_starts_in_all_of_them(form, monkeypatch):
    """Its first rows would all be in the one: 20 of 600, of which half are on."""
    init = form(np.repeat([[0.0] * 4, [1.0] * 4], 300, axis=0))
    estimator, n_on = bernoulli_machine().estimator, set()
    for seed in range(5):
        rows = chosen_rows(estimator, monkeypatch, init=init, n_chains=20, random_state=seed)
        n_on.add(int(rows[:, 0].sum()))
    assert 3 <= min(n_on) < max(n_on) <= 17


@pytest.mark.parametrize("n_chains", [5, 16, 40])
def test_no_row_of_init_is_taken_twice_before_all_are_taken_once(n_chains, monkeypatch):
    machine = bernoulli_machine()
    init = np.array(machine.states)
    rows = chosen_rows(
        machine.estimator, monkeypatch, init=init, n_chains=n_chains, random_state=0
    )
    counts = (rows[:, np.newaxis] == init).all(axis=2).sum(axis=0)
    assert counts.sum() == n_chains
    assert np.ptp(counts) <= 1


@models
def test_init_is_incomplete_whether_or_not_the_row_is_chosen(make, rng):
    machine = make()
    init = machine.dense(machine.exact_draws(rng, 50))
    init[-1, 0] = np.nan
    forms = [init, as_sparse(init)] if make is softmax_machine else [init]
    for form, seed in itertools.product(forms, range(5)):
        with pytest.raises(ValueError, match="complete rows, but some entries are unknown"):
            machine.estimator.log_partition(
                "reverse_ais", init=form, n_chains=2, n_betas=2, random_state=seed
            )


# --- the two directions -----------------------------------------------------------------------


def correlation_of_directions(machine, n):
    """Between forward and reverse estimates of the same random_state, over so many of them."""
    init = machine.dense(machine.exact_draws(np.random.default_rng(0), 1))
    options = {"n_betas": 5, "n_chains": 2}
    pairs = [
        [
            machine.estimator.log_partition(method, random_state=seed, **options, **start).value
            for method, start in (("ais", {}), ("reverse_ais", {"init": init}))
        ]
        for seed in range(n)
    ]
    return np.corrcoef(np.transpose(pairs))[0, 1]


@pytest.mark.parametrize(
    ("make", "same"),
    [*((make, False) for make in MODELS.values()), (bernoulli_machine, True)],
)
def test_both_directions_have_random_numbers_of_their_own(make, same, monkeypatch):
    """Else an estimate and its check would err together. A single row of init is no choice."""
    monkeypatch.setattr(partition, "N_GIBBS_STEPS", 1)
    monkeypatch.setattr(partition, "N_TEMPERATURES", 2)
    if same:
        monkeypatch.setattr(partition, "REVERSE", partition.FORWARD)
        for module in (partition, sampler, starts):
            monkeypatch.setattr(module, "draw_seed", lambda s: np.uint64(s.get_state()[1][0]))
    r = correlation_of_directions(make(), 200)
    assert (abs(r) > 4 / np.sqrt(200)) == same


# --- sample -----------------------------------------------------------------------------------


@models
@pytest.mark.parametrize("method", ["gibbs", "tempering"])
def test_all_rows_of_init_decide_whether_known_entries_stay(make, method, rng):
    """Also if no incomplete one of them is taken; without it, the same rows are but a start."""
    machine = make()
    X = machine.dense(machine.exact_draws(rng, 4))
    holes = X.copy()
    holes[3, 0] = np.nan
    forms = {"dense": np.asarray}
    if not machine.real_valued:
        forms["sparse"] = as_sparse if make is softmax_machine else sparse.csr_array
    for form in forms.values():
        options = {"n_gibbs_steps": 20, "method": method, "random_state": 0}
        stay, move = (machine.estimator.sample(3, init=form(V), **options) for V in (holes, X))
        stay, move = (V.toarray() if sparse.issparse(V) else V for V in (stay, move))
        assert_array_equal(stay, X[:3])
        assert (move != X[:3]).any()


def test_sample_starts_at_rows_of_init(estimator):
    """Chain i starts at row i modulo the number of rows: frozen weights keep it there."""
    init = np.array([[0, 0, 1, 1], [1, 0, 0, 1]], dtype=float)
    # Hidden unit j copies visible unit j, with certainty, and back; unit 3 is tied to unit 2.
    estimator.components_ = 200 * np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 1.0]])
    estimator.intercept_hidden_ = np.array([-100.0, -100, -100])
    estimator.intercept_visible_ = np.array([-100.0, -100, -100, -100])
    tied = init.copy()
    tied[:, 3] = tied[:, 2] = np.maximum(init[:, 2], init[:, 3])
    v = estimator.sample(5, n_gibbs_steps=3, init=init, random_state=0)
    assert_array_equal(v, tied[[0, 1, 0, 1, 0]])
    from_sparse = estimator.sample(5, n_gibbs_steps=3, init=sparse.csr_array(init), random_state=0)
    assert_array_equal(from_sparse, v)


def test_sample_starts_at_base_rates_otherwise(rng):
    """With weights that ignore the visible units, one step hides the start; look before it."""
    X = (rng.random((400, 3)) < [0.1, 0.5, 0.9]).astype(float)
    estimator = BernoulliRBM(n_components=2, n_iter=3, random_state=0).fit(X)
    base_rates = 1 / (1 + np.exp(-estimator._base_rate_bias))
    assert_allclose(base_rates, (X.sum(axis=0) + 0.5) / 401)
    # A machine that copies the visible units shows where its chains started.
    estimator.components_ = 200 * np.eye(2, 3)
    estimator.intercept_hidden_ = np.full(2, -100.0)
    estimator.intercept_visible_ = np.array([-100.0, -100, 0])
    n = 10_000
    v = estimator.sample(n, n_gibbs_steps=1, random_state=5)[:, :2]
    p = base_rates[:2]
    assert (np.abs(v.mean(axis=0) - p) < 4 * np.sqrt(p * (1 - p) / n)).all()


@pytest.mark.parametrize("noise_variance", [0.25, "learned"])
def test_sample_starts_at_the_column_means(noise_variance, rng):
    """A machine that copies the visible units shows where its chains started."""
    X = rng.normal([3.0, -2.0, 0.5], 1, (400, 3))
    estimator = GaussianBernoulliRBM(2, noise_variance=noise_variance, n_iter=0).fit(X)
    variance = X.var(axis=0) if noise_variance == "learned" else np.full(3, 0.25)
    estimator.components_ = 200 * np.eye(2, 3)
    estimator.intercept_hidden_ = -200 * X.mean(axis=0)[:2] / np.sqrt(variance[:2])
    n = 10_000
    # The hidden units say whether the start was above the mean: half of the starts are.
    above = estimator.sample(n, n_gibbs_steps=1, random_state=5)[:, :2] > 50
    assert (np.abs(above.mean(axis=0) - 0.5) < 4 * np.sqrt(0.25 / n)).all()
