"""States and settings of training, and estimates of gradients beside what they should be."""

import numpy as np

from skrbm._input.categories import CategoryRows
from skrbm._input.numbers import NumberRows
from skrbm._machine.bernoulli import BernoulliLayer
from skrbm._machine.gaussian import GaussianLayer
from skrbm._training.centring import Centring
from skrbm._training.phases import contrast
from skrbm._training.state import Settings, State

from ..oracles.tempering import Bits, OneHot, Reals
from .calls import machine_of
from .machines import Binary, Categorical, Real
from .softmax_machines import draw_rows, one_hot


def settings(**changes):
    defaults = {
        "algorithm": "pcd",
        "batch_size": 4,
        "n_chains": 3,
        "learning_rate": 0.1,
        "n_gibbs_steps": 1,
        "momentum": 0.0,
        "weight_decay": 0.0,
        "mean_negative_visibles": False,
        "shuffle": False,
        "l1_penalty": 0.0,
        "sample_positive_visibles": False,
        "learning_rate_schedule": "constant",
        "centering": False,
        "average": None,
    }
    return Settings(**defaults | changes)


def state_at_rest(model, n_chains, seed):
    chains, bias = np.zeros((n_chains, len(model.hidden.bias))), model.visible.bias.copy()
    return State(
        model=model,
        seed=np.uint64(seed),
        base_rate_bias=bias,
        chains=chains,
        centring=centring_of(model),
    )


def centring_of(model):
    """Centring about nothing in particular, for a machine of no data."""
    return Centring.at(model, np.zeros_like(model.visible.bias))


def binary_state(W, b, c, n_chains=3, seed=11):
    return state_at_rest(machine_of(BernoulliLayer(b.copy()), W.copy(), c.copy()), n_chains, seed)


def mean_contrast(state, options, v_pos, n_repeats):
    """Mean and standard error of the gradient estimate over independent random numbers."""
    chains, estimates = state.chains, []
    for repeat in range(n_repeats):
        state.n_updates, state.chains = repeat, chains
        estimates.append(gradient_estimate(state, options, NumberRows(v_pos)))
    blocks = [np.array(block) for block in zip(*estimates, strict=True)]
    return [(a.mean(axis=0), a.std(axis=0) / np.sqrt(n_repeats)) for a in blocks]


def assert_expected(estimates, expected):
    for (mean, error), exact in zip(estimates, expected, strict=True):
        assert (np.abs(mean - exact) < 4.5 * error + 1e-12).all()


def gaussian_state(W, b, c, variance, *, learned, n_chains=3, seed=11):
    log_ratio = np.zeros_like(b) if learned else None
    layer = GaussianLayer(b.copy(), variance.copy(), log_ratio)
    return state_at_rest(machine_of(layer, W.copy(), c.copy()), n_chains, seed)


SEED = 11


def softmax_state(machine, n_chains=1):
    return state_at_rest(machine.model(), n_chains, SEED)


def data_of(machine, rows):
    return CategoryRows(machine.dense(rows), one_hot(rows), machine.categories)


def some_rows(machine, n_rows=11, seed=0):
    """Rows with all, some and no entries; the fourth one is empty."""
    rows = machine.all_rows
    picked = np.random.default_rng(seed).integers(1, len(rows), n_rows)
    return [() if k == 3 else rows[r] for k, r in enumerate(picked)]


def tempered_state(case, chains):
    model = case.model()
    return State(
        model=model,
        seed=np.uint64(SEED),
        base_rate_bias=case.base,
        chains=chains,
        centring=centring_of(model),
    )


def gradient_estimate(state, options, rows):
    """The gradient that one update with all rows would follow; moves the chains."""
    n_neg = None if options.algorithm == "cd" else state.chains.shape[-2]
    phases = state.model.visible.phases(rows, slice(0, rows.n_rows), n_neg)
    estimate = contrast(state, options, phases, options.n_gibbs_steps)
    return [block / estimate.n_rows for block in estimate.sums]


def tempered_twin(case, rng, n_rows=11):
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
    return NumberRows(V), V, W, units
