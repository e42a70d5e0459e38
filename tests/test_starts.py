"""Where chains start: reverse annealing at draws from the model, other chains at rows given."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from skrbm._estimator import generation
from skrbm._estimator.generation import GenerativeMethods
from skrbm._inference import chains, partition

from .partition_machines import MODELS, bernoulli_machine, models, softmax_machine
from .softmax_machines import as_sparse
from .test_tempering import Categorical, some_cases

# --- reverse annealing ------------------------------------------------------------------------


def annealed_rows(estimator, monkeypatch, **options):
    """The rows from which reverse annealing starts, as X."""
    starts, annealed = [], partition.annealed

    def record(model, tempered, v, *rest):
        starts.append(estimator._as_given(v, model, None).copy())
        return annealed(model, tempered, v, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(partition, "annealed", record)
        estimator.log_partition("reverse_ais", n_betas=2, **options)
    (rows,) = starts
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
    monkeypatch.setattr(generation, "_N_STEPS", 20)
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
    monkeypatch.setattr(generation, "_N_STEPS", 50)  # enough for so few units
    assert_starts_in_the_model(case, monkeypatch)


@strong
@pytest.mark.parametrize("wrong", ["base rates", "a single step"])
def test_a_start_elsewhere_is_found_out(case, wrong, monkeypatch):
    if wrong == "base rates":

        def draw(self, rbm, rows, known, n, n_steps, n_temperatures, random_state):
            return self._base_rows(rbm, n, np.uint64(0))

        monkeypatch.setattr(GenerativeMethods, "_draw", draw)
    else:
        monkeypatch.setattr(generation, "_N_STEPS", 1)
        monkeypatch.setattr(generation, "_N_TEMPERATURES", 2)
    with pytest.raises(AssertionError):
        assert_starts_in_the_model(case, monkeypatch)


# --- init of reverse annealing ----------------------------------------------------------------


def chosen_rows(estimator, monkeypatch, **options):
    """The rows at which the chains start that draw from the model, at all temperatures."""
    starts = []

    def record(tempered, v, betas, *rest):
        starts.append(v.reshape(len(betas), -1, v.shape[1]).copy())
        return v[: starts[0].shape[1]]

    with monkeypatch.context() as patch:
        patch.setattr(chains, "tempering", record)
        estimator.log_partition("reverse_ais", n_betas=2, **options)
    (rows,) = starts
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
    monkeypatch.setattr(generation, "_N_STEPS", 1)
    monkeypatch.setattr(generation, "_N_TEMPERATURES", 2)
    if same:
        monkeypatch.setattr(partition, "REVERSE", partition.FORWARD)
        monkeypatch.setattr(generation, "draw_seed", lambda s: np.uint64(s.get_state()[1][0]))
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
