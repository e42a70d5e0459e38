"""Rows of which a part is unknown, against enumeration: completed, and drawn from."""

import itertools
import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse, stats
from scipy.stats import norm

from skrbm import BernoulliRBM, GaussianBernoulliRBM, SoftmaxRBM
from skrbm._inference import imputation

from ..helpers.frequencies import assert_frequencies
from ..helpers.machines import Categorical, Real, some_cases
from ..helpers.softmax_machines import as_sparse
from ..oracles.tempering import (
    binary_completions,
    category_proba,
    hidden_given_known,
    softmax_completions,
)

NAN = np.nan


CASES = some_cases(scale=1.5)


cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


#: All unknown, one, two or three, none; what is known may be grey.
BITS = np.array(
    [
        [NAN, NAN, NAN, NAN],
        [1, 0, NAN, 1],
        [NAN, 0, NAN, 0],
        [0, 1, 1, 0],
        [NAN, NAN, 1, NAN],
        [0.25, NAN, 0.7, NAN],
        [0.3, 0.6, 0.1, 1],
    ]
)


PATTERNS = np.where(np.isnan(BITS), NAN, 0.0)


def rows_of(case, dtype=float):
    """Rows of different patterns: of numbers as above, of categories all that there are."""
    if isinstance(case, Categorical):
        return case.machine.dense(case.machine.all_rows, dtype)
    if isinstance(case, Real):
        rng = np.random.default_rng(1)
        return (PATTERNS + case.draw(1, len(PATTERNS), rng)).astype(dtype)
    return BITS.astype(dtype)


def conditional_means(case, X):
    """E[v_unknown | v_known] in the place of what is unknown."""
    oracle, out = case.at(1), []
    for v in X:
        if isinstance(case, Real):
            means, p = oracle.means, hidden_given_known(oracle, v)
        else:
            means, p = binary_completions(oracle, v)
        out.append(np.where(np.isnan(v), p @ means, v))
    return np.array(out)


# --- impute -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in CASES if "softmax" not in name])
@pytest.mark.parametrize("method", ["few chains", "many chains"])
def test_unknown_numbers_become_their_conditional_means(name, method):
    """Copies of a row are independent estimates, whose spread is the Monte-Carlo error."""
    case, X, n_copies = CASES[name], rows_of(CASES[name]), 40
    n_chains, n_steps = (1, 200) if method == "few chains" else (50, 60)
    options = {"n_chains": n_chains, "n_gibbs_steps": n_steps, "random_state": 0}
    imputed = case.estimator().impute(np.tile(X, (n_copies, 1)), **options)
    imputed = imputed.reshape(n_copies, *X.shape)
    error = imputed.std(axis=0) / np.sqrt(n_copies)
    assert error[np.isnan(X)].min() > 0
    assert (np.abs(imputed.mean(axis=0) - conditional_means(case, X)) < 4.5 * error + 1e-12).all()


@pytest.mark.parametrize("name", [name for name in CASES if "softmax" in name])
def test_unknown_categories_become_the_most_probable_ones(name):
    """Where one leads by several times the Monte-Carlo error; the others are drawn with it."""
    case = CASES[name]
    machine, rows, n_clear = case.machine, case.machine.all_rows, 0
    X = machine.dense(rows)
    imputed = case.estimator().impute(X, n_chains=200, n_gibbs_steps=30, random_state=0)
    assert not np.isnan(imputed).any()
    for row, given, found in zip(rows, X, machine.codes(imputed), strict=True):
        p = category_proba(machine.oracle, row)
        for i in np.flatnonzero(np.isnan(given)):
            codes = machine.oracle.feature_codes(i)
            best = max(codes, key=lambda code, p=p: p[code])
            if all(p[best] > p[code] + 0.12 for code in codes if code != best):
                assert found[i] == best
                n_clear += 1
    assert n_clear > 0.7 * np.isnan(X).sum()


@cases
@dtypes
def test_what_is_known_stays_bit_for_bit(case, dtype):
    X = rows_of(case, dtype)
    before = X.copy()
    imputed = case.estimator(dtype).impute(X, n_gibbs_steps=3, n_chains=2, random_state=0)
    assert_array_equal(X, before)
    assert imputed is not X
    assert imputed.dtype == dtype
    assert np.isfinite(imputed).all()
    assert_array_equal(imputed[~np.isnan(X)], X[~np.isnan(X)])


@cases
@dtypes
def test_complete_rows_come_back_as_they_are(case, dtype):
    X = rows_of(case, dtype)
    X = X[~np.isnan(X).any(axis=1)]
    imputed = case.estimator(dtype).impute(X, random_state=0)
    assert_array_equal(imputed, X, strict=True)
    imputed += 1
    assert (imputed != X).any()  # a copy


@cases
def test_a_seed_gives_the_same_result(case):
    rbm, X = case.estimator(), np.tile(rows_of(case), (10, 1))  # too many to agree by chance
    first = rbm.impute(X, n_gibbs_steps=2, n_chains=1, random_state=5)
    assert_array_equal(rbm.impute(X, n_gibbs_steps=2, n_chains=1, random_state=5), first)
    state = np.random.RandomState(5)
    assert_array_equal(rbm.impute(X, n_gibbs_steps=2, n_chains=1, random_state=state), first)
    for random_state in (6, None, state):
        other = rbm.impute(X, n_gibbs_steps=2, n_chains=1, random_state=random_state)
        assert (other != first).any()


@cases
def test_small_blocks_of_rows_have_the_same_means(case, monkeypatch):
    """A row at a time: other draws, within the errors of both."""
    rbm, X = case.estimator(), rows_of(case)[:8]
    monkeypatch.setattr(imputation, "_UNITS", 1)
    imputed = rbm.impute(X, n_gibbs_steps=30, n_chains=200, random_state=0)
    assert_array_equal(imputed[~np.isnan(X)], X[~np.isnan(X)])
    if isinstance(case, Categorical):  # nothing is known
        empty = np.isnan(X).all(axis=1)
        p = category_proba(case.machine.oracle, ())
        best = [max(case.machine.oracle.feature_codes(i), key=lambda k: p[k]) for i in range(4)]
        assert case.machine.codes(imputed[empty]) == [tuple(best)]
        return
    variances = case.at(1).covariance().diagonal() if isinstance(case, Real) else 0.25
    bound = 4.5 * np.sqrt(variances / 200)  # of one step: the mean over steps is closer
    assert (np.abs(imputed - conditional_means(case, X)) < bound).all()


@cases
def test_blocks_of_rows_count_the_units_of_both_layers(case, monkeypatch):
    """Hidden rows take memory too."""
    rbm, X, n_chains = case.estimator(), np.full((30, 4), NAN), []
    gibbs = imputation.gibbs

    def count(model, v, *rest):
        n_chains.append(v.shape[0])
        return gibbs(model, v, *rest)

    monkeypatch.setattr(imputation, "gibbs", count)
    monkeypatch.setattr(imputation, "_UNITS", 100)
    rbm.impute(X, n_gibbs_steps=1, n_chains=2, random_state=0)
    assert sum(n_chains) == 2 * 30
    # As many as there is room for: 2 chains of a further row would be too many.
    most = 100 // sum(rbm.components_.shape)
    assert most - 2 < max(n_chains) <= most


def test_a_stored_nan_of_a_sparse_matrix_is_unknown_and_the_rest_is_zero():
    X = np.array([[0, 1, NAN, 0], [NAN, 0, 0, 0], [0, 0, 0, 0], [1, NAN, NAN, 1]])
    stored = sparse.csr_array(X)
    assert stored.nnz < X.size
    rbm = CASES["Bernoulli"].estimator()
    imputed = rbm.impute(stored, random_state=0)
    assert isinstance(imputed, np.ndarray)
    assert_array_equal(imputed, rbm.impute(X, random_state=0))


@pytest.mark.parametrize("form", ["csr", "csc", "coo"])
def test_what_a_sparse_matrix_of_categories_does_not_store_is_unknown(form):
    """A stored zero is known."""
    case = CASES["softmax"]
    X = rows_of(case)
    assert (X == 0).any()
    rbm = case.estimator()
    imputed = rbm.impute(as_sparse(X).asformat(form), random_state=0)
    assert isinstance(imputed, np.ndarray)
    assert_array_equal(imputed, rbm.impute(X, random_state=0))


@cases
def test_masked_entries_are_unknown(case):
    rbm, X = case.estimator(), rows_of(case)
    masked = np.ma.masked_array(np.nan_to_num(X, nan=7), np.isnan(X))
    assert_array_equal(rbm.impute(masked, random_state=0), rbm.impute(X, random_state=0))
    assert not np.isnan(masked.data).any()


@pytest.mark.parametrize("model", [BernoulliRBM, GaussianBernoulliRBM, SoftmaxRBM])
def test_integers_frames_and_lists(model):
    """Integers know no NaN; a frame may hold them beside NaN."""
    pd = pytest.importorskip("pandas")
    X = np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0], [0, 0, 0]])
    frame = pd.DataFrame(X, columns=list("abc"))
    rbm = model(n_components=2, n_iter=1, random_state=0).fit(X)
    assert_array_equal(rbm.impute(X), X)
    assert_array_equal(rbm.impute(X.tolist()), X)
    rbm = model(n_components=2, n_iter=1, random_state=0).fit(frame)
    holes = frame.astype(float)
    holes.iloc[1, 2] = NAN
    before = holes.copy()
    imputed = rbm.impute(holes, random_state=0)
    pd.testing.assert_frame_equal(holes, before)
    assert isinstance(imputed, np.ndarray)
    known = holes.notna().to_numpy()
    assert_array_equal(imputed[known], holes.to_numpy()[known])
    assert not np.isnan(imputed).any()


def test_an_unknown_category_is_imputed_if_it_is_ignored():
    case = CASES["softmax"]
    X = case.machine.dense(case.machine.complete_rows[:3])
    rbm, strange = case.estimator(), X.copy()
    strange[1, 1], X[1, 1] = 99, NAN
    with pytest.raises(ValueError, match=r"99\.0 in feature 1"):
        rbm.impute(strange)
    rbm.set_params(handle_unknown="ignore")
    assert_array_equal(rbm.impute(strange, random_state=0), rbm.impute(X, random_state=0))


@cases
def test_imputing_leaves_the_estimator_as_it_is(case):
    rbm = case.estimator()
    before = pickle.dumps(vars(rbm))
    rbm.impute(rows_of(case), n_gibbs_steps=2)
    rbm.sample(3, init=rows_of(case), n_gibbs_steps=2, method="tempering")
    assert pickle.dumps(vars(rbm)) == before


# --- sample, given what is known --------------------------------------------------------------


def assert_conditional(case, v, drawn):
    """Draws of the unknown part of one row have their distribution given the known part."""
    oracle = case.at(1)
    if isinstance(case, Categorical):
        (row,) = case.machine.codes(v[np.newaxis])
        assert_frequencies(case.machine.codes(drawn), *softmax_completions(oracle, row))
    elif isinstance(case, Real):
        unknown, p = np.isnan(v), hidden_given_known(oracle, v)
        n = unknown.sum()
        for direction in [*np.eye(n), np.ones(n)] if n else []:
            means = oracle.means[:, unknown] @ direction
            width = np.sqrt(direction**2 @ oracle.variance[unknown])
            projected = drawn[:, unknown] @ direction
            law = stats.kstest(
                projected, lambda t, m=means, w=width: p @ norm.cdf(np.subtract.outer(t, m) / w).T
            )
            assert law.pvalue > 1e-4
    else:
        rows, p = binary_completions(oracle, v)
        assert_frequencies(list(map(tuple, drawn)), list(map(tuple, rows)), p)


def some_rows(case):
    """Four rows of different patterns."""
    X = rows_of(case)
    return X[:: len(X) // 5][:4] if isinstance(case, Categorical) else X[[0, 1, 2, 4]]


def assert_all_conditional(case, method, n=1500):
    """Chain i starts at row i modulo the number of rows, whose known entries stay."""
    X = some_rows(case)
    draws = case.estimator().sample(
        n * len(X), init=X, n_gibbs_steps=30, method=method, n_temperatures=3, random_state=2
    )
    for i, v in enumerate(X):
        drawn, known = draws[i :: len(X)], ~np.isnan(v)
        assert_array_equal(drawn[:, known], np.tile(v[known], (n, 1)))
        assert_conditional(case, v, drawn)


@cases
@pytest.mark.parametrize("method", ["gibbs", "tempering"])
def test_draws_have_the_distribution_given_what_is_known(case, method):
    assert_all_conditional(case, method)


@cases
def test_draws_that_forget_what_is_known_are_found_out(case, monkeypatch):
    """Let every chain but the clamp be right: unknown units then see units that have moved."""
    layer, steps = type(case.model().visible), itertools.count(0)
    clamp = layer.clamp

    def late(self, v, given, known):  # at the start, and then only when all steps are made
        if next(steps) in (0, 30):
            clamp(self, v, given, known)

    monkeypatch.setattr(layer, "clamp", late)
    with pytest.raises(AssertionError):
        assert_all_conditional(case, "gibbs", n=6000)
    assert next(steps) == 31


@cases
@pytest.mark.parametrize("method", ["gibbs", "tempering"])
def test_a_row_without_gaps_is_a_start_and_all_its_units_move(case, method):
    X = rows_of(case)
    X = X[~np.isnan(X).any(axis=1)][:1]
    drawn = case.estimator().sample(
        2500, init=X, n_gibbs_steps=30, method=method, n_temperatures=3, random_state=1
    )
    case.assert_drawn(case.unform(drawn))


@pytest.mark.parametrize("method", ["gibbs", "tempering"])
def test_a_sparse_start_of_categories_gives_a_sparse_result(method):
    case = CASES["softmax, conditional"]
    rbm, X = case.estimator(), rows_of(case)
    options = {"n_gibbs_steps": 3, "method": method, "random_state": 0}
    drawn = rbm.sample(150, init=as_sparse(X), **options)
    assert sparse.issparse(drawn)
    assert drawn.format == "csr"
    assert drawn.nnz == 150 * 4  # complete, a stored 0 being an entry
    assert_array_equal(drawn.toarray(), rbm.sample(150, init=X, **options))


@cases
@dtypes
@pytest.mark.parametrize("method", ["gibbs", "tempering"])
def test_draws_keep_the_dtype_and_the_start(case, dtype, method):
    X = rows_of(case, dtype)
    before, rbm = X.copy(), case.estimator(dtype)
    options = {"n_gibbs_steps": 2, "method": method}
    for init in (X, X[~np.isnan(X).any(axis=1)], None):
        drawn = rbm.sample(20, init=init, random_state=0, **options)
        assert drawn.dtype == dtype
        assert_array_equal(rbm.sample(20, init=init, random_state=0, **options), drawn)
        assert (rbm.sample(20, init=init, random_state=1, **options) != drawn).any()
    assert_array_equal(X, before)
