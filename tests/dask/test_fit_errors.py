"""Bad input: the message names the partition and the mend, and the estimator stays as it was."""

import re
import warnings

import dask
import dask.array as da
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

import skrbm.dask

from ..helpers.comparison import assert_same_bits, assert_same_model, learned
from ..helpers.models import BERNOULLI, GAUSSIAN, SOFTMAX
from ..helpers.ratings import stored

pytestmark = pytest.mark.usefixtures("quiet_workers")

BITS, RATINGS = BERNOULLI.rows(), SOFTMAX.rows()
FRAME = pd.DataFrame(BITS, columns=list("abcdef"))
ONES = np.ones(47)


def fit(rbm, X, *args, **options):
    return skrbm.dask.fit(rbm, X, *args, **{"warm_up": 3} | options)


def parts(*blocks):
    return [dask.delayed(block, traverse=False) for block in blocks]


def thirds(X):
    return parts(*np.array_split(X, 3))


def with_nan():
    X = BITS.copy()
    X[25, 3] = np.nan
    return X


@dask.delayed
def fails(error):
    raise error


@dask.delayed
def gives(value):
    return value


WHOLE_ROWS = r"X\.rechunk\(\{1: -1\}\)"
#: Model, parameters, X, options of fit, error and its message.
CASES = {
    "cut along features": (da.from_array(BITS, chunks=(20, 3)), {}, WHOLE_ROWS),
    "all empty": (parts(BITS[:0], BITS[:0]), {}, "all its 2 partitions are empty, or the weights"),
    "columns": (parts(BITS[:20], BITS[20:, :4]), {}, "partition 1 of X has 4 features .* 0 has 6"),
    "names": (
        parts(FRAME[:20], FRAME[20:][list("bacdef")]),
        {},
        r"partition 1 of X has 6 features named \[b, a.* but partition 0 .* \[a, b",
    ),
    "no names": (
        parts(FRAME[:20], BITS[20:]),
        {},
        "partition 1 of X has .* without names",
    ),
    "NaN": (thirds(with_nan()), {}, "partition 1 of X: X contains NaN in feature 3: .* impute"),
    "text": (parts(BITS, [["a"] * 6]), {}, "partition 1 of X: feature 0 of X holds 'a', which is"),
    "one row": (parts(BITS, BITS[0]), {}, "partition 1 of X: Expected 2D array, got 1D array"),
    "a number": ([*parts(BITS), gives(3)], {}, "partition 1 of X: Expected 2D array, got scalar"),
    "no array": ([*parts(BITS), gives(np.array(3))], {}, "partition 1 of X: Expected 2D array"),
    "None": ([*parts(BITS), gives(None)], {}, "partition 1 of X: "),
    "its own error": ([*parts(BITS), fails(KeyError("mine"))], {}, "mine.*partition 1 of X"),
    "number of weights": (
        thirds(BITS),
        {"sample_weight": parts(ONES)},
        "sample_weight has 1 partition, but X has 3",
    ),
    "lengths of weights": (
        thirds(BITS),
        {"sample_weight": parts(ONES[:16], ONES[:16], ONES[:16])},
        "partition 2 of X: sample_weight must hold one number for each of the 15 rows",
    ),
    "negative weights": (
        thirds(BITS),
        {"sample_weight": parts(*np.array_split(ONES * np.where(np.arange(47) > 20, -1, 1), 3))},
        "partition 1 of X: sample_weight must hold finite numbers of at least 0. Got -1.0 for row",
    ),
    "weights of 0": (
        thirds(BITS),
        {"sample_weight": thirds(ONES * 0)},
        "the weights of all rows are 0",
    ),
    "heavy weights": (
        thirds(BITS),
        {"sample_weight": thirds(ONES * 1e307)},
        "adds up to more than a float can hold",
    ),
    "weights in memory": (thirds(BITS), {"sample_weight": ONES}, "from_array"),
    "memory": (BITS, {}, r"which is in memory.*rbm\.fit\(X\)"),
    "outer_momentum": (thirds(BITS), {"outer_momentum": 1}, "outer_momentum must be .* below 1"),
    "sync_every": (thirds(BITS), {"sync_every": 0}, "sync_every must be at least 1. Got 0"),
    "sync_every, text": (thirds(BITS), {"sync_every": "1"}, "sync_every must be an integer"),
    "warm_up": (thirds(BITS), {"warm_up": -1}, "warm_up must be at least 0. Got -1"),
    "warm_up, half": (thirds(BITS), {"warm_up": 0.5}, "warm_up must be an integer. Got 0.5"),
    "resume": (thirds(BITS), {"resume": 1}, "resume must be True or False. Got 1"),
    "client": (thirds(BITS), {"client": "here"}, "client must be a distributed.Client or None"),
}

PARAMETERS = {
    "n_components": (BERNOULLI, {"n_components": 0}, BITS, {}, "'n_components' parameter"),
    "noise_variance": (
        GAUSSIAN,
        {"noise_variance": [1, 2]},
        GAUSSIAN.rows(),
        {},
        "one number per feature, 6 in all",
    ),
    "sparse": (GAUSSIAN, {}, csr_array(BITS), {}, "partition 0 of X: Sparse data was passed"),
    "missing": (
        SOFTMAX,
        {"algorithm": "pcd"},
        RATINGS,
        {},
        "complete rows, but 105 entries",
    ),
    "nothing": (SOFTMAX, {}, RATINGS * np.nan, {}, "X has no observed entry"),
    "categories": (
        SOFTMAX,
        {"categories": [[1, 2]] * 6},
        RATINGS,
        {},
        "partition 0 of X: X holds 4.5 in feature 0, which is none of its categories",
    ),
    "held out": (
        BERNOULLI,
        {"early_stopping": True},
        BITS,
        {},
        "partition 1 of X: early_stopping=True .* holds out 1 rows of n_samples=1",
    ),
    "diverged": (BERNOULLI, {"learning_rate": 1e300}, BITS, {}, "training diverged in epoch 1"),
    "resume, warm_start": (
        BERNOULLI,
        {"warm_start": True},
        BITS,
        {"resume": True},
        "resume=True .* warm_start=True .* choose one",
    ),
    "resume, early_stopping": (
        BERNOULLI,
        {"early_stopping": True},
        BITS,
        {"resume": True},
        "resume=True cannot go on with early_stopping=True",
    ),
}


def assert_refused(rbm, match, X, **options):
    """With its notes a message says what and where; the estimator is the same."""
    before = dict(vars(rbm))
    with pytest.raises((TypeError, ValueError, KeyError)) as caught:
        fit(rbm, X, **options)
    said = " ".join([str(caught.value), *getattr(caught.value, "__notes__", [])])
    assert re.search(match, said), said
    assert vars(rbm).keys() == before.keys()
    assert all(vars(rbm)[name] is value for name, value in before.items())
    assert said.count(" of X: ") + said.count("graph of partition") <= 1  # it is named once


@pytest.mark.parametrize(("X", "options", "match"), CASES.values(), ids=CASES)
def test_bad_collections_are_refused(X, options, match):
    assert_refused(BERNOULLI.machine(), match, X, **options)


@pytest.mark.parametrize(
    ("model", "parameters", "X", "options", "match"), PARAMETERS.values(), ids=PARAMETERS
)
def test_bad_parameters_are_refused(model, parameters, X, options, match):
    blocks = parts(X) if "partition 0" in match else parts(X[:-1], X[-1:])
    assert_refused(model.machine(**parameters), match, blocks, **options)


def test_a_fitted_estimator_stays_as_it_was():
    rbm = BERNOULLI.machine(n_iter=1).fit(BITS)
    for name in ("columns", "NaN", "its own error", "weights of 0"):
        X, options, match = CASES[name]
        assert_refused(rbm, match, X, **options)


def test_nothing_is_refused_that_is_sound():
    """Unknown chunk sizes, empty partitions, partitions that do not count."""
    rbm = BERNOULLI.machine(n_iter=1)
    expected = fit(clone(rbm), parts(BITS[:20], BITS[20:40], BITS[40:]))
    array = da.from_array(BITS, chunks=(20, -1))
    unknown = array[da.from_array(np.ones(47, bool), chunks=20)]
    assert np.isnan(unknown.shape[0])
    assert_same_model(fit(clone(rbm), unknown), expected)
    late = parts(BITS[:20], BITS[20:40], BITS[40:], BITS[:0])
    assert_same_model(fit(clone(rbm), late), expected)
    alone = fit(clone(rbm), parts(BITS[:0], BITS, BITS[:0]))
    assert_same_model(alone, clone(rbm).fit(BITS))
    weights = np.arange(47) % 3 + 0.5
    one = fit(
        clone(rbm),
        parts(BITS[:20], BITS[:0], BITS[20:]),
        sample_weight=parts(weights[:20], weights[:0], weights[20:]),
    )
    two = fit(
        clone(rbm),
        parts(BITS[:20], BITS[:7], BITS[20:]),
        sample_weight=parts(weights[:20], np.zeros(7), weights[20:]),
    )
    assert_same_model(one, two)


@pytest.mark.parametrize("categories", ["shared", "auto"])
@pytest.mark.parametrize("container", [np.asarray, stored], ids=["dense", "sparse"])
def test_categories_are_those_of_all_partitions(categories, container):
    X = np.sort(SOFTMAX.rows(), axis=0)  # each partition has others
    blocks = [container(block) for block in (X[:20], X[20:40], X[:3] * np.nan, X[40:])]
    rbm = SOFTMAX.machine(categories=categories, n_iter=1)
    fit(rbm, parts(*blocks))
    expected = SOFTMAX.machine(categories=categories, n_iter=1).fit(container(X))
    assert_same_bits(list(rbm.categories_), list(expected.categories_))
    np.testing.assert_array_equal(rbm.transform(X).shape, (47, 3))


def zero_filled(rng):
    X = rng.choice([1, 2, 3, 4, 5], (150, 20), p=[0.05, 0.1, 0.25, 0.35, 0.25])
    X[rng.random(X.shape) < 0.8] = 0
    return X


def triples(rng):
    chosen = rng.choice(40 * 30, 400, replace=False)
    return np.stack([*divmod(chosen, 30), rng.integers(1, 6, 400)], axis=1)


#: Model, parameters and rows, of which one computer warns.
WARNED = {
    "outside": (BERNOULLI, {}, lambda rng: BITS * 3),
    "one value outside": (BERNOULLI, {}, lambda rng: np.where(np.arange(282) == 200, 2, 0.5)),
    "badly scaled": (GAUSSIAN, {}, lambda rng: GAUSSIAN.rows() * 100),
    "shifted": (GAUSSIAN, {"noise_variance": 1.0}, lambda rng: GAUSSIAN.rows() + 40),
    "zero-filled": (SOFTMAX, {}, zero_filled),
    "one category": (SOFTMAX, {}, lambda rng: np.ones((30, 6))),
    "unlike features": (
        SOFTMAX,
        {},
        lambda rng: np.stack([rng.integers(0, 21, 300), rng.integers(0, 2, 300)], axis=1),
    ),
}


@pytest.mark.parametrize(("model", "parameters", "draw"), WARNED.values(), ids=WARNED)
def test_warnings_of_one_computer_are_raised_in_the_client(model, parameters, draw, rng):
    """Once, though each partition might give cause; from the line that calls fit."""
    X = draw(rng).astype(float)
    X = X.reshape(-1, 6) if X.ndim == 1 else X
    rbm = model.machine(n_iter=0, **parameters)
    told = []
    for learn in (rbm.fit, lambda X: fit(clone(rbm), thirds(X))):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            learn(X)
        assert len(caught) == 1
        told.append(str(caught[0].message))
    numbers = re.compile(r"[0-9.]+(e[+-]?[0-9]+)?")
    assert numbers.sub("#", told[0]) == numbers.sub("#", told[1])  # sums may round


def test_triples_are_warned_of_as_unlike_features(rng):
    """No worker has all pairs: nobody knows whether one occurs twice."""
    with pytest.warns(UserWarning, match="hold different values: .*Triples of user, item and"):
        fit(SOFTMAX.machine(n_iter=0), thirds(triples(rng)))


def test_a_fit_that_hardly_converges_warns():
    with pytest.warns(ConvergenceWarning, match="Training does not converge") as caught:
        fit(BERNOULLI.machine(learning_rate=30.0), thirds(BITS))
    assert len(caught) == 1


@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_fit_that_diverges_later_keeps_the_epoch_before(early_stopping):
    rbm = BERNOULLI.machine(
        learning_rate=(0.1, 1e300), n_iter=3, early_stopping=early_stopping, n_iter_no_change=9
    )
    mend = "the best of 1 epochs; .*warm_start=True" if early_stopping else "epoch 1; .*resume"
    with pytest.raises(ValueError, match=f"(?s)diverged in epoch 2.*The estimator holds {mend}"):
        fit(rbm, thirds(BITS))
    expected = BERNOULLI.machine(n_iter=1, early_stopping=early_stopping)
    fit(expected, thirds(BITS))
    assert_same_model(rbm, expected)


def test_a_fit_that_goes_on_and_fails_says_how_to_go_on():
    rbm = fit(BERNOULLI.machine(n_iter=1, warm_start=True), thirds(BITS))
    before = learned(rbm)
    with pytest.raises(ValueError, match=r"(?s)feature 3.*estimator is as it was"):
        fit(rbm, thirds(with_nan()))
    assert_same_bits(learned(rbm), before)
