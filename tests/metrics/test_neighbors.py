"""Adversarial accuracy against plain loops, and where its value is known."""

import numpy as np
import pytest
from scipy import sparse

from skrbm import BernoulliRBM
from skrbm.metrics import adversarial_accuracy


def nearest(row, rows):
    """Squared distance of the nearest of rows, one number at a time."""
    return min(sum((a - b) ** 2 for a, b in zip(row, other, strict=True)) for other in rows)


def share(own, others):
    """How many of the rows have the nearest neighbour among their own kind; ties count half."""
    total = 0.0
    for i, row in enumerate(own):
        near = nearest(row, [*own[:i], *own[i + 1 :]])
        far = nearest(row, others)
        total += 1.0 if near < far else 0.5 if near == far else 0.0
    return total / len(own)


def rows(kind, n, seed):
    rng = np.random.default_rng(seed)
    if kind == "bits":
        return rng.integers(0, 2, (n, 6)).astype(float)
    return rng.normal(size=(n, 3 if kind == "few features" else 20))


@pytest.mark.parametrize("kind", ["bits", "few features", "many features"])
def test_shares_are_those_of_plain_loops(kind):
    X, samples = rows(kind, 40, 0), rows(kind, 40, 1) + (kind == "few features")
    found = adversarial_accuracy(X, samples)
    assert found == (share(X.tolist(), samples.tolist()), share(samples.tolist(), X.tolist()))
    assert (found.truth, found.synthetic) == found
    assert adversarial_accuracy(samples, X) == found[::-1]


@pytest.mark.parametrize("n_features", [8, 40])
@pytest.mark.parametrize("as_stored", [np.asarray, sparse.csr_array])
def test_equal_distances_count_half_though_rounding_tells_them_apart(n_features, as_stored):
    """Tenths are no binary fractions: as they are, shares must be those of whole numbers."""
    whole = np.random.default_rng(0).integers(0, 3, (2, 150, n_features)).astype(float)
    expected = adversarial_accuracy(*whole)
    assert adversarial_accuracy(*map(as_stored, whole / 10)) == expected
    assert expected == (share(*whole.tolist()), share(*whole[::-1].tolist()))


def test_rows_far_from_zero_are_as_near_each_other():
    X, samples = rows("many features", 100, 0), rows("many features", 100, 1)
    expected = adversarial_accuracy(X, samples)
    assert adversarial_accuracy(X + 1e8, samples + 1e8) == expected


@pytest.mark.parametrize("kind", ["bits", "few features", "many features"])
def test_draws_from_the_same_distribution_give_a_half(kind):
    """Bits fall on one of 64 rows: without halves for ties the shares would be near 0."""
    found = adversarial_accuracy(rows(kind, 800, 0), rows(kind, 800, 1))
    assert np.abs(np.subtract(found, 0.5)).max() < 4 * np.sqrt(0.5 / 800)


def test_copies_give_zero_and_rows_apart_give_one():
    X = rows("many features", 50, 0)
    assert adversarial_accuracy(X, X) == (0, 0)
    assert adversarial_accuracy(X, X[::-1] + 1e-6) == (0, 0)
    assert adversarial_accuracy(X, X + 100) == (1, 1)


def test_a_row_far_from_all_others_changes_no_other():
    X, samples = rows("many features", 100, 0), rows("many features", 100, 1)
    expected = adversarial_accuracy(X[1:], samples[1:])
    X[0], samples[0] = 1e7, 1e7 + 1
    assert adversarial_accuracy(X, samples) == tuple(0.99 * share for share in expected)


def test_samples_of_one_mode_of_two_are_near_each_other():
    """Half of the data has no sample near it; where samples are, they are twice as dense."""
    rng = np.random.default_rng(0)
    mode = np.repeat([0.0, 50], 500)[:, np.newaxis]
    X, samples = mode + rng.normal(size=(1000, 2)), rng.normal(size=(1000, 2))
    truth, synthetic = adversarial_accuracy(X, samples)
    assert truth == pytest.approx(0.5 + 1 / 6, abs=0.06)  # of the other half, 1 of 3 is data
    assert synthetic == pytest.approx(2 / 3, abs=0.06)


@pytest.mark.parametrize("spread", [0.7, 1.5])
def test_samples_that_vary_less_or_more_are_told_from_each_other(spread):
    """In many dimensions the inner rows are the nearest neighbours of most rows."""
    rng = np.random.default_rng(0)
    X, samples = rng.normal(size=(2, 400, 20))
    truth, synthetic = adversarial_accuracy(X, spread * samples)
    assert (synthetic > truth + 0.2) == (spread < 1)
    assert (truth > synthetic + 0.2) == (spread > 1)


def test_all_forms_of_rows_give_the_same():
    X, samples = rows("bits", 40, 0), rows("bits", 40, 1)
    found = adversarial_accuracy(X, samples)
    for form in (sparse.csr_array, sparse.csc_matrix, np.float32, np.ndarray.tolist):
        assert adversarial_accuracy(form(X), form(samples)) == found
    assert adversarial_accuracy(sparse.csr_array(X), samples) == found


def test_of_more_rows_as_many_are_taken_as_there_are_of_the_others():
    X, samples = rows("few features", 300, 0), rows("few features", 100, 1)
    first, second = (adversarial_accuracy(X, samples, random_state=seed) for seed in (0, 1))
    assert first == adversarial_accuracy(X, samples, random_state=0)
    assert first != second
    some = np.random.RandomState(0).permutation(300)[:100]
    assert first == adversarial_accuracy(X[some], samples)
    assert adversarial_accuracy(samples, X, random_state=0) == first[::-1]


def test_samples_of_a_machine_that_knows_nothing_but_base_rates_are_told_apart():
    """Of data with two far modes; and draws of the data themselves are not."""
    rng = np.random.default_rng(0)
    flipped = rng.random((1200, 12)) < 0.05
    X = (rng.integers(0, 2, (1200, 1)) ^ flipped).astype(float)
    rbm = BernoulliRBM(2, n_iter=0, random_state=0).fit(X[:400])
    samples = rbm.sample(400, n_gibbs_steps=1, random_state=0)
    assert min(adversarial_accuracy(X[400:800], samples)) > 0.8
    assert abs(np.mean(adversarial_accuracy(X[400:800], X[800:])) - 0.5) < 0.08


# --- errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("X", "samples", "message"),
    [
        (np.zeros((3, 2)), np.zeros((3, 4)), "X has 2 features but samples has 4"),
        (np.zeros((1, 2)), np.zeros((3, 2)), "minimum of 2 is required"),
        (np.zeros((3, 2)), np.zeros((1, 2)), "minimum of 2 is required"),
        (np.full((3, 2), np.nan), np.zeros((3, 2)), "X contains NaN"),
        (np.zeros((3, 2)), np.full((3, 2), np.inf), "samples contains infinity"),
        (np.zeros(3), np.zeros((3, 2)), "1D array"),
    ],
)
def test_what_cannot_be_compared_is_refused(X, samples, message):
    with pytest.raises(ValueError, match=message):
        adversarial_accuracy(X, samples)
