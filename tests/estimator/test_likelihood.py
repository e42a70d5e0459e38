"""Log-likelihoods of rows: probabilities that add up to 1, and rows that have none."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.exceptions import NotFittedError

from skrbm import BernoulliRBM, GaussianBernoulliRBM, SoftmaxRBM

from ..helpers.partition_machines import (
    bernoulli_machine,
    gaussian_machine,
    machines,
    models,
    softmax_machine,
)
from ..helpers.softmax_machines import as_sparse, oracle_of, random_machine
from ..oracles import bernoulli
from ..oracles import partition as plain
from ..oracles.bernoulli import bars_and_stripes

EXACT = {"rtol": 1e-12, "atol": 1e-12}


# --- values -----------------------------------------------------------------------------------


@machines
def test_rows_have_the_log_likelihood_of_the_oracle(make):
    machine = make()
    expected = [-machine.oracle.free_energy(v) - machine.log_z for v in machine.states]
    log_p = machine.estimator.log_likelihood(machine.dense(machine.states))
    assert_allclose(log_p, expected, **EXACT)


@pytest.mark.parametrize("make", [bernoulli_machine, softmax_machine])
def test_probabilities_add_up_to_one(make):
    machine = make()
    log_p = machine.estimator.log_likelihood(machine.dense(machine.states))
    assert_allclose(np.exp(log_p).sum(), 1, **EXACT)


def test_a_density_integrates_to_one():
    """Noise variances other than 1: on a grid that holds all mass."""
    machine = gaussian_machine()
    oracle = machine.oracle
    V, volume = plain.grid(oracle.W, oracle.b, oracle.variance)
    log_p = machine.estimator.log_likelihood(V)
    assert_allclose(np.exp(log_p).sum() * volume, 1, **EXACT)
    # As a mixture of normal distributions: no energy and no Z.
    some = np.linspace(0, len(V) - 1, 50).astype(int)
    assert_allclose(log_p[some], [oracle.log_density(v) for v in V[some]], **EXACT)


def test_summed_log_likelihoods_of_the_oracles(rng):
    """Oracles that are no part of the tests of log Z."""
    machine = bernoulli_machine()
    W, b, c = machine.oracle.W, machine.oracle.b, machine.oracle.c
    X = rng.integers(0, 2, (20, 4)).astype(float)
    expected = bernoulli.log_likelihood(W, b, c, X)
    assert_allclose(machine.estimator.log_likelihood(X).sum(), expected, **EXACT)
    machine = gaussian_machine()
    X = machine.oracle.draw(rng, 20)
    expected = machine.oracle.log_likelihood(X)
    assert_allclose(machine.estimator.log_likelihood(X).sum(), expected, **EXACT)
    machine = softmax_machine()
    expected = machine.oracle.log_likelihood(machine.states)
    log_p = machine.estimator.log_likelihood(machine.dense(machine.states))
    assert_allclose(log_p.sum(), expected, **EXACT)


def test_differences_are_those_of_free_energies(rng):
    machine = bernoulli_machine()
    X = np.array(machine.states)
    log_p, energy = machine.estimator.log_likelihood(X), machine.estimator.free_energy(X)
    assert_allclose(log_p - log_p[0], energy[0] - energy, **EXACT)


def test_independent_units():
    """Without weights: the sum of the logarithms of the frequencies."""
    X = np.array([[0, 1], [0, 0], [1, 1], [0, 1]])
    estimator = BernoulliRBM(3, n_iter=0, random_state=0).fit(X)
    estimator.components_ *= 0
    p = (X.sum(axis=0) + 0.5) / 5
    expected = np.log(np.where(X, p, 1 - p)).sum(axis=1)
    assert_allclose(estimator.log_likelihood(X), expected, **EXACT)


def test_nothing_overflows():
    estimator = bernoulli_machine().estimator
    estimator.components_ = np.full((3, 4), 500.0)
    log_p = estimator.log_likelihood([[1, 1, 1, 1], [1, 1, 1, 0]])
    assert_allclose(log_p, [0, -1500 - estimator.intercept_visible_[3]], atol=1e-9)


# --- what was learned -------------------------------------------------------------------------

#: The summed log-likelihood of the frequencies of the patterns: no machine does better.
BOUND = -13.863


def test_no_machine_exceeds_the_bound_of_bars_and_stripes():
    """The 8 rows of 2 x 2 bars and stripes: learned well, and not beyond their entropy."""
    X = bars_and_stripes(2)
    options = {"batch_size": 8, "n_chains": 100, "learning_rate": 0.5, "n_gibbs_steps": 2}
    estimator = BernoulliRBM(8, n_iter=1500, random_state=0, **options)
    log_p = estimator.fit(X).log_likelihood(X)
    entropy = -8 * np.log(8) + 4 * np.log(2)  # two of the rows occur twice
    assert_allclose(entropy, BOUND, atol=5e-4)
    assert -16 < log_p.sum() < BOUND
    before = BernoulliRBM(8, n_iter=0, random_state=0).fit(X).log_likelihood(X)
    assert_allclose(before.sum(), -32 * np.log(2), rtol=1e-3)  # a fair coin per pixel


def test_learning_raises_the_likelihood_of_ratings(rng):
    X = np.repeat(rng.integers(1, 4, (3, 4)), 10, axis=0).astype(float)
    options = {"categories": [1, 2, 3], "random_state": 0}
    before, after = (
        SoftmaxRBM(4, n_iter=n_iter, learning_rate=0.1, batch_size=10, **options).fit(X)
        for n_iter in (0, 100)
    )
    for estimator in (before, after):
        expected = oracle_of(estimator).log_likelihood(codes(X, 3))
        assert_allclose(estimator.log_likelihood(X).sum(), expected, **EXACT)
    most = -len(X) * np.log(3)
    assert before.log_likelihood(X).sum() < after.log_likelihood(X).sum() <= most


def codes(X, n_categories):
    """Rows of ratings from 1 on as rows of codes."""
    return [tuple(n_categories * i + int(x) - 1 for i, x in enumerate(row)) for row in X]


# --- arguments --------------------------------------------------------------------------------


@models
def test_log_partition_may_be_given(make):
    """As a result, as a number of any kind, or not at all."""
    machine = make()
    X, result = machine.dense(machine.states), machine.estimator.log_partition()
    expected = machine.estimator.log_likelihood(X)
    for given in (result, result.value, np.float64(result.value)):
        assert_allclose(machine.estimator.log_likelihood(X, given), expected, rtol=0)
    shifted = machine.estimator.log_likelihood(X, log_partition=result.value + 1)
    assert_allclose(shifted, expected - 1, **EXACT)
    assert_allclose(machine.estimator.log_likelihood(X, 0), expected + result.value, **EXACT)


def test_an_estimate_of_log_partition_counts_with_its_value():
    machine = bernoulli_machine()
    X = np.array(machine.states)
    result = machine.estimator.log_partition("ais", n_chains=5, n_betas=5, random_state=0)
    expected = -machine.estimator.free_energy(X) - result.value
    assert_allclose(machine.estimator.log_likelihood(X, result), expected, **EXACT)


@pytest.mark.parametrize("given", ["exact", [1.0], (0.0, 1.0), True])
def test_log_partition_must_be_a_number(given):
    with pytest.raises(TypeError, match="log_partition must be what the method"):
        bernoulli_machine().estimator.log_likelihood(np.zeros((1, 4)), given)


@models
def test_the_dtype_of_rows_is_kept(make):
    """Computed in float64 in either case, if the machine is the same."""
    machine = make()
    X = machine.dense(machine.states)
    double = machine.estimator.log_likelihood(X)
    single = machine.estimator.log_likelihood(X.astype(np.float32))
    assert (double.dtype, single.dtype) == (np.float64, np.float32)
    assert double.shape == (len(X),)
    assert_allclose(single, double, rtol=1e-6 if machine.real_valued else 2e-7)


def test_integers_are_rows_too():
    machine = bernoulli_machine()
    X = np.array(machine.states)
    expected = machine.estimator.log_likelihood(X)
    for rows in (X.astype(int), X.astype(bool), X.tolist()):
        assert_allclose(machine.estimator.log_likelihood(rows), expected, rtol=0)


@pytest.mark.parametrize("make", [bernoulli_machine, softmax_machine])
@pytest.mark.parametrize("container", [sparse.csr_array, sparse.csc_array, sparse.coo_array])
def test_sparse_rows_equal_dense_rows(make, container):
    """For categories every entry is stored, a 0 as well."""
    machine = make()
    X = machine.dense(machine.states)
    given = container(X if make is bernoulli_machine else as_sparse(X))
    expected = machine.estimator.log_likelihood(X)
    assert_allclose(machine.estimator.log_likelihood(given), expected, **EXACT)


# --- rows that have no likelihood -------------------------------------------------------------


def masked(X):
    """What is unknown as masked entries, which hold a 0."""
    return np.ma.masked_array(np.nan_to_num(X), np.isnan(X))


@models
@pytest.mark.parametrize("form", [np.asarray, masked])
def test_missing_entries_have_no_likelihood(make, form):
    """Also where log Z is given; a mask that masks nothing is none."""
    machine = make()
    X = machine.dense(machine.states[:5])
    expected = machine.estimator.log_likelihood(X)
    assert_array_equal(machine.estimator.log_likelihood(masked(X)), expected)
    X[1, 1] = X[3, 0] = np.nan
    message = (
        r"2 entries of X are missing \(NaN; .* the likelihood is one of complete rows\. .* impute"
    )
    for given in (None, 1.0):
        with pytest.raises(ValueError, match=message):
            machine.estimator.log_likelihood(form(X), given)


def test_entries_at_one_place_add_up():
    """Two halves are a one, two ones are no state; X stays as it is."""
    rbm = BernoulliRBM(2, n_iter=1, random_state=0).fit(np.eye(2))
    halves = sparse.csr_array(([0.5, 0.5], [1, 1], [0, 2]), shape=(1, 2))
    assert_allclose(rbm.log_likelihood(halves), rbm.log_likelihood([[0, 1]]))
    assert halves.nnz == 2
    ones = sparse.csr_array(([1.0, 1.0], [1, 1], [0, 2]), shape=(1, 2))
    with pytest.raises(ValueError, match=r"X holds 2\.0 in feature 1"):
        rbm.log_likelihood(ones)


@pytest.mark.parametrize("model", [BernoulliRBM, SoftmaxRBM])
def test_a_large_sparse_table_is_refused_as_it_is(model, rng):
    """Dense, 5,000 x 5,000 entries would take 200 MB."""
    places = tuple(rng.integers(0, 5000, (2, 25_000)))
    X = sparse.csr_array((np.ones(25_000), places), shape=(5000, 5000))
    X.data[:] = np.arange(len(X.data)) % 2  # where two were at one place, too
    rbm = model(2, n_iter=1, random_state=0).fit(X[:50])
    X.data[0] = np.nan
    tracemalloc.start()
    with pytest.raises(ValueError, match="entries of X are missing"):
        rbm.log_likelihood(X, 0.0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6


@pytest.mark.parametrize("form", [np.asarray, as_sparse])
def test_missing_categories_have_no_likelihood(form):
    """An empty sparse matrix too; other rows are of no help."""
    machine = softmax_machine()
    X = machine.dense(machine.states[:5])
    X[1, 2] = X[3, 0] = np.nan
    with pytest.raises(ValueError, match="2 entries of X are missing"):
        machine.estimator.log_likelihood(form(X))
    with pytest.raises(ValueError, match="8 entries of X are missing"):
        machine.estimator.log_likelihood(form(np.full((2, 4), np.nan)))
    complete = X[[0, 2, 4]]
    assert np.isfinite(machine.estimator.log_likelihood(form(complete))).all()


def test_unknown_categories_have_no_likelihood():
    """They are refused, or ignored as missing, which is refused."""
    machine = softmax_machine()
    X = machine.dense(machine.states[:1])
    X[0, 1] = 77
    with pytest.raises(ValueError, match="77"):
        machine.estimator.log_likelihood(X)
    machine.estimator.handle_unknown = "ignore"
    with pytest.raises(ValueError, match="1 entries of X are missing"):
        machine.estimator.log_likelihood(X)


@pytest.mark.parametrize("make", [bernoulli_machine, gaussian_machine])
@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_numbers_must_be_finite(make, value):
    machine = make()
    X = np.array(machine.states)
    X[1, 1] = value
    with pytest.raises(ValueError, match="infinity"):
        machine.estimator.log_likelihood(X)


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array, sparse.csc_array])
@pytest.mark.parametrize("value", [0.25, -1.0, 2.0])
def test_grey_values_have_no_likelihood(form, value):
    """The error names the feature, also where log Z is known."""
    X = np.array(bernoulli_machine().states)
    X[4, 2] = value
    for given in (None, 1.0):
        with pytest.raises(ValueError, match=rf"rows of 0 and 1.*holds {value} in feature 2"):
            bernoulli_machine().estimator.log_likelihood(form(X), given)


def test_grey_values_are_named_by_the_column_of_a_table():
    table = pd.DataFrame({"left": [0, 1, 1.0], "right": [1, 0, 0.0]})
    estimator = BernoulliRBM(2, n_iter=0, random_state=0).fit(table)
    assert estimator.log_likelihood(table).shape == (3,)
    with pytest.raises(ValueError, match=r"holds 0\.5 in feature 'right'"):
        estimator.log_likelihood(table.assign(right=[1, 0, 0.5]))


def test_a_conditional_machine_gives_no_likelihood():
    """Whether or not a number is given for log Z, and also for complete rows."""
    arrays = random_machine((3, 3), conditional=True)
    X = arrays.dense(arrays.complete_rows)
    for given in (None, 1.0):
        with pytest.raises(ValueError, match="conditional"):
            arrays.estimator().log_likelihood(X, given)


@pytest.mark.parametrize("model", [BernoulliRBM, GaussianBernoulliRBM, SoftmaxRBM])
def test_unfitted_estimators(model):
    with pytest.raises(NotFittedError):
        model().log_likelihood([[0.0, 1.0]])


@models
def test_another_number_of_features(make):
    with pytest.raises(ValueError, match="features"):
        make().estimator.log_likelihood(np.zeros((2, 7)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_energy_beyond_the_dtype_is_infinite(dtype):
    """Of rows that are far from the narrow noise; NumPy would warn of the square."""
    limits = np.finfo(dtype)
    X = np.array([[-1, 1], [1, -1], [0, 0]], dtype) * limits.tiny ** dtype(0.5)
    rbm = GaussianBernoulliRBM(2, noise_variance=float(limits.tiny), n_iter=0).fit(X)
    far = np.full((1, 2), 1e3, dtype)
    for energy in (rbm.free_energy(far), rbm.energy(far, rbm.transform(far))):
        assert_array_equal(energy, [np.inf])
        assert energy.dtype == dtype
