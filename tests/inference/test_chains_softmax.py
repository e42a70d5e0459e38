"""Chains of categorical units: they stay in the distribution given the observed features."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from skrbm._machine.softmax import SoftmaxLayer

from ..helpers.frequencies import assert_frequencies
from ..helpers.softmax_machines import MACHINES, as_sparse, draw_rows, machines

N_CHAINS = 20_000


# --- chains: what starts in p(v | observed features) stays there ---


def patterns(machine):
    """All features, and two sets of some."""
    features = machine.oracle.all_features
    return [features, features[:-1], (features[1],)]


def gibbs(machine, estimator, rng, n_steps, form=np.asarray):
    """The tables of some patterns, and where chains stop that start in them."""
    oracle = machine.oracle
    tables = [oracle.table(pattern) for pattern in patterns(machine)]
    rows = [
        row for pattern in patterns(machine) for row in draw_rows(oracle, pattern, N_CHAINS, rng)
    ]
    X = estimator.gibbs(form(machine.dense(rows)), n_steps, random_state=1)
    if sparse.issparse(X):
        assert X.format == "csr"
        dense = np.full(X.shape, np.nan)
        coo = X.tocoo()
        dense[coo.row, coo.col] = coo.data
        X = dense
    return tables, [machine.codes(X[k * N_CHAINS : (k + 1) * N_CHAINS]) for k in range(3)]


def assert_stationary(tables, drawn):
    for (table, joint), rows in zip(tables, drawn, strict=True):
        assert_frequencies(rows, table, joint.sum(axis=1))


@machines
@pytest.mark.parametrize(("n_steps", "form"), [(1, np.asarray), (3, as_sparse)])
def test_gibbs_is_stationary(machine, rng, n_steps, form):
    assert_stationary(*gibbs(machine, machine.estimator(), rng, n_steps, form))


SAMPLE, FORWARD = SoftmaxLayer.sample, SoftmaxLayer.forward


def without_bias(self, x, key, out):
    return SAMPLE(replace(self, bias=0 * self.bias), x, key, out)


def flipped_weights(self, x, key, out):
    return SAMPLE(self, x._replace(weights=-x.weights), key, out)


def largest_probability(self, x, key, out):
    p = self.mean_rows(x, out)
    sizes = np.diff(self.categories.offsets)[self.categories.feature_of[out.entries]]
    best = np.maximum.reduceat(p.weights, np.cumsum(sizes) - sizes)
    out.entries[:] = p.codes[p.weights == np.repeat(best, sizes)]
    return out


def missing_as_first_category(self, v, weights):
    """Which is what reading NaN as the lowest rating would be."""
    missing = np.ones((v.shape[0], self.categories.n_features))
    row = np.repeat(np.arange(v.shape[0]), np.diff(v.indptr))
    missing[row, self.categories.feature_of[v.entries]] = 0
    return FORWARD(self, v, weights) + missing @ weights[self.categories.offsets[:-1]]


def blind(self, v, weights):
    """To which features are observed."""
    return FORWARD(replace(self, conditional=None), v, weights)


WRONG = {
    "mode": ("sample", largest_probability),
    "bias forgotten": ("sample", without_bias),
    "sign of the weights": ("sample", flipped_weights),
    "missing is a category": ("forward", missing_as_first_category),
    "observed features forgotten": ("forward", blind),
}


@pytest.mark.parametrize(("name", "method"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_conditional_is_found_out(rng, monkeypatch, name, method):
    machine = MACHINES["1 to 4 categories, conditional"]
    monkeypatch.setattr(SoftmaxLayer, name, method)
    with pytest.raises(AssertionError):
        assert_stationary(*gibbs(machine, machine.estimator(), rng, 2))


@machines
def test_sample_reaches_the_model_distribution(machine):
    """From base rates that are those of a single row."""
    X = machine.estimator().sample(N_CHAINS, n_gibbs_steps=60, random_state=3)
    table, joint = machine.oracle.table()
    assert_frequencies(machine.codes(X), table, joint.sum(axis=1))


@machines
def test_sample_from_complete_rows_is_stationary(machine, rng):
    oracle = machine.oracle
    pattern = patterns(machine)[0]
    init = machine.dense(draw_rows(oracle, pattern, N_CHAINS, rng))
    assert not np.isnan(init).any()
    X = machine.estimator().sample(N_CHAINS, n_gibbs_steps=2, init=init, random_state=4)
    table, joint = oracle.table(pattern)
    assert_frequencies(machine.codes(X), table, joint.sum(axis=1))
