"""Training data in this process: what a fit asks of them."""

from sys import getsizeof

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skrbm._estimator.data import LocalData, hold_out
from skrbm._training.epoch import n_batches_of, row_order, run_updates
from skrbm._training.measures import measure

from ..helpers.comparison import assert_same_bits
from ..helpers.models import BERNOULLI, models

SEED = np.uint64(3)


def begun(model, X, *, weights=None, **parameters):
    """A fitted estimator, rows, settings and a state to go on with."""
    rbm = model.machine(**parameters).fit(X)
    rows, _ = rbm._read(X)
    state = rbm._state(rows).copy()
    rows.weights = weights
    return rbm, rows, rbm._settings(shuffle=rbm.shuffle), state


@models
def test_rows_are_held_out_if_learning_stops_early(model, rng):
    X, weights = model.complete(), rng.uniform(0.1, 5, 47)
    for early in (False, True):
        rbm, rows, settings, state = begun(model, X, weights=weights, early_stopping=early)
        data = LocalData(rows)
        data.prepare(rbm, settings, SEED)
        sums = data.measure(state)
        assert ("validation_score" in sums) == early
        if not early:
            assert data.rows is rows
            assert data.held_out is None
            continue
        training, held_out = hold_out(rbm, rows, SEED)
        for ours, expected in ((data.rows, training), (data.held_out, held_out)):
            assert_array_equal(ours.X, expected.X)
            assert_array_equal(ours.weights, expected.weights)
        assert_same_bits(sums, measure(state, training, held_out))


@models
@pytest.mark.parametrize(
    ("algorithm", "batch_size", "merged"),
    [("cd", 60, True), ("cd", 59, False), ("pcd", 60, False), ("pt", 60, False)],
)
def test_equal_rows_are_merged_where_it_does_not_matter(model, algorithm, batch_size, merged):
    """All in one mini-batch, and something is drawn for each row."""
    X = np.concatenate([model.complete()[:20]] * 3)
    options = {"algorithm": algorithm, "batch_size": batch_size}
    options |= {"positive_visibles": "mean"} if model is BERNOULLI else {}
    rbm, rows, settings, _ = begun(model, X, **options)
    data = LocalData(rows)
    data.prepare(rbm, settings, SEED)
    n_distinct = len(np.unique(X, axis=0))
    assert data.rows.n_rows == (n_distinct if merged else 60)
    assert (data.rows.weights is not None) == merged
    assert data.n_updates(settings, 5, 0) == 5 * (1 if batch_size == 60 else 2)
    if merged:
        assert data.rows.weights.sum() == 60


def test_fresh_bits_are_drawn_for_each_row():
    X = np.concatenate([BERNOULLI.rows()[:4]] * 2)
    options = {"algorithm": "pcd", "batch_size": 8}
    for positive, n_rows in (("sample", 4), ("mean", 8)):
        rbm, rows, settings, _ = begun(BERNOULLI, X, positive_visibles=positive, **options)
        data = LocalData(rows)
        data.prepare(rbm, settings, SEED)
        assert data.rows.n_rows == n_rows


@models
def test_rows_are_scored_if_somebody_reads_the_scores(model):
    X = model.rows()
    for verbose in (0, 1):
        rbm, rows, settings, state = begun(model, X, verbose=verbose)
        data = LocalData(rows)
        assert "pseudo_likelihood" not in data.measure(state)
        data.prepare(rbm, settings, SEED)
        sums = data.measure(state)
        assert ("pseudo_likelihood" in sums) == bool(verbose)
        assert_same_bits(sums, measure(state, rows, n_scored=rbm._n_scored))


@models
@pytest.mark.parametrize("n_rows", [10, 11, 47])
def test_an_epoch_is_all_its_updates_and_no_more(model, n_rows):
    """The number of the epoch is counted by whoever asks for one."""
    X = model.rows()[:n_rows]
    _, rows, settings, state = begun(model, X)
    data, other = LocalData(rows), state.copy()
    n_epochs, n_updates = state.n_epochs, state.n_updates
    data.learn(state, settings)
    assert state.n_epochs == n_epochs
    assert state.n_updates - n_updates == n_batches_of(n_rows, settings) == -(-n_rows // 10)
    assert data.n_updates(settings, 3, n_updates) == 3 * (state.n_updates - n_updates)
    order = row_order(settings, other.seed, n_epochs, n_rows)
    run_updates(other, settings, rows, range(-(-n_rows // 10)), order)
    assert_same_bits(state, other)


def test_data_here_are_of_one_part():
    assert LocalData(None).n_parts == 1


@models
def test_the_size_of_data_is_that_of_their_rows(model):
    """Those that are held out, too."""
    rbm, rows, settings, _ = begun(model, model.complete(0, 1000), early_stopping=True)
    data = LocalData(rows)
    assert getsizeof(data) > 1000 * 6
    data.prepare(rbm, settings, SEED)
    parts = getsizeof(data.rows), getsizeof(data.held_out)
    assert min(parts) > 100 * 6
    assert getsizeof(data) >= sum(parts)
