"""Means of visible units at the last step: those given the hidden units of that very step."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from skrbm._inference import sampler

from ..helpers.machines import Categorical, Real, some_cases
from ..helpers.softmax_machines import as_sparse

CASES = some_cases(scale=1.5)
NAN = np.nan


cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
methods = pytest.mark.parametrize("method", ["gibbs", "tempering"])


def options(method, **others):
    return {"method": method, "n_gibbs_steps": 4, "random_state": 3, **others}


def mean_given_hidden(case, h):
    """E[v | h] of one hidden state, by the oracle."""
    if not isinstance(case, Categorical):
        return case.at(1).visible_mean(h)
    oracle = case.machine.oracle
    p = oracle.visible_proba(h)
    codes = map(oracle.feature_codes, range(len(case.machine.sizes)))
    return np.array([oracle.expected_value(p[list(own)], i) for i, own in enumerate(codes)])


def marginal_mean(case):
    """E[v], from the distribution of hidden states."""
    if isinstance(case, Real):
        return case.at(1).mean()
    if isinstance(case, Categorical):
        rows, joint = case.machine.oracle.table()
        return joint.sum(axis=1) @ case.machine.dense(rows)
    return case.at(1).p_v @ case.at(1).v_states


def exact_rows(case, n, rng):
    rows = case.draw(1, n, rng)
    return case.machine.dense(rows) if isinstance(case, Categorical) else rows


def incomplete_rows(case, rng):
    X = exact_rows(case, 5, rng)
    X[[0, 0, 1, 3], [0, 2, 1, 3]] = NAN
    X[4] = NAN
    return X


def recorded_hidden(monkeypatch, draw):
    """What a call returns, and the hidden states of all steps of its chains."""
    steps = []
    with monkeypatch.context() as patch:
        for name in ("gibbs", "tempering"):
            run = getattr(sampler, name)

            def record(*args, run=run):
                for step in run(*args):
                    steps.append((step[1] if isinstance(step, tuple) else step).copy())
                    yield step

            patch.setattr(sampler, name, record)
        return draw(), steps


# --- against enumeration ----------------------------------------------------------------------


@cases
@methods
@pytest.mark.parametrize("gaps", [False, True])
def test_means_are_those_given_the_hidden_states_of_the_last_step(
    case, method, gaps, monkeypatch, rng
):
    rbm, init = case.estimator(), incomplete_rows(case, rng) if gaps else None
    given = options(method, init=init)
    means, steps = recorded_hidden(monkeypatch, lambda: rbm.sample(60, output="mean", **given))
    _, others = recorded_hidden(monkeypatch, lambda: rbm.sample(60, **given))
    assert_array_equal(steps, others)  # the chains are the same
    expected = np.array([mean_given_hidden(case, h) for h in steps[-1]])
    assert (steps[-1] != steps[-2]).any()
    if gaps:
        rows = np.tile(init, (12, 1))
        assert_array_equal(means[~np.isnan(rows)], rows[~np.isnan(rows)])
        expected = np.where(np.isnan(rows), expected, rows)
    assert_allclose(means, expected, rtol=1e-12, atol=1e-13)


def scores(x):
    """Means in units of their standard errors."""
    error = x.std(axis=0) / np.sqrt(len(x))
    return np.divide(x.mean(axis=0), error, out=np.zeros_like(error), where=error > 0)


@cases
@methods
def test_samples_scatter_about_the_means(case, method, rng):
    """E[v - mean] is 0, and so is E[(v - mean) f(mean)]: not of the means of another step."""
    rbm, init = case.estimator(), exact_rows(case, 4000, rng)
    given = options(method, init=init, n_temperatures=3)
    samples, means = (rbm.sample(4000, output=output, **given) for output in ("sample", "mean"))
    assert_array_equal(samples, rbm.sample(4000, **given))
    rest, centred = samples - means, means - means.mean(axis=0)
    assert np.abs(scores(rest)).max() < 4.5
    assert np.abs(scores(rest * centred)).max() < 4.5
    given["n_gibbs_steps"] += 1
    rest = rbm.sample(4000, **given) - means  # of the step after
    assert np.abs(scores(rest * centred)).max() > 4.5


@cases
@methods
def test_means_have_the_expectation_of_the_model(case, method, rng):
    """Of chains that start in p(v). Means vary less than samples."""
    rbm, init = case.estimator(), exact_rows(case, 4000, rng)
    given = options(method, init=init, n_temperatures=3)
    samples, means = (rbm.sample(4000, output=output, **given) for output in ("sample", "mean"))
    assert np.abs(scores(means - marginal_mean(case))).max() < 4.5
    moving = samples.std(axis=0) > 0  # a feature of one category never does
    assert (means.std(axis=0) < samples.std(axis=0))[moving].all()


# --- equivalences and limits ------------------------------------------------------------------


@cases
@methods
def test_means_without_weights_are_those_of_the_biases(case, method):
    rbm = case.estimator()
    rbm.components_ = np.zeros_like(rbm.components_)
    if isinstance(case, Categorical) and case.conditional:
        rbm.conditional_components_ = np.zeros_like(rbm.conditional_components_)
    means = rbm.sample(3, output="mean", **options(method))
    zeros = np.zeros((3, len(case.c)))
    assert_allclose(means, rbm.inverse_transform(zeros), rtol=1e-12)


@cases
@methods
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_means_have_the_dtype_of_the_start_or_of_the_machine(case, method, dtype, rng):
    rbm, init = case.estimator(dtype), incomplete_rows(case, rng)
    for given in ({}, {"init": init.astype(np.float32)}, {"init": init.astype(np.float64)}):
        means = rbm.sample(7, output="mean", **options(method, **given))
        assert means.dtype == given.get("init", rbm.components_).dtype
        assert means.shape == (7, init.shape[1])


@cases
@methods
def test_rows_known_entirely_come_back(case, method, rng):
    """If others are not, so that known entries stay."""
    init = exact_rows(case, 3, rng)
    init[2, 0] = NAN
    means = case.estimator().sample(2, init=init, output="mean", **options(method))
    assert_array_equal(means, init[:2])


@methods
def test_means_of_sparse_categories_are_dense(method, rng):
    """Samples are entries of categories; means are numbers, one for each feature."""
    case = CASES["softmax, conditional"]
    rbm, X = case.estimator(), incomplete_rows(case, rng)
    dense, from_sparse = (
        rbm.sample(9, init=init, output="mean", **options(method)) for init in (X, as_sparse(X))
    )
    assert sparse.issparse(rbm.sample(9, init=as_sparse(X), **options(method)))
    assert_array_equal(from_sparse, dense)


@cases
@pytest.mark.parametrize("output", ["means", None, 1])
def test_an_output_that_is_none_is_refused(case, output):
    with pytest.raises(ValueError, match=r"output must be 'sample' or 'mean'\. Got"):
        case.estimator().sample(output=output)
