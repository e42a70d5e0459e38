"""Updates of a range of mini-batches: what follows the last one, and ranges in a row."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skrbm._training import epoch
from skrbm._training.epoch import n_batches_of, row_order, run_updates

from ..helpers.comparison import assert_same_bits
from ..helpers.models import variants


def begun(variant, **parameters):
    """A state to go on with, settings and rows: five mini-batches, of which the last is small."""
    X = variant.rows()
    rbm = variant.machine(**parameters).fit(X)
    rows, _ = rbm._read(X)
    rows.weights = np.random.default_rng(5).uniform(0.1, 5, rows.n_rows)
    return rbm._state(rows).copy(), rbm._settings(shuffle=rbm.shuffle), rows


def order_of(state, settings, rows):
    return row_order(settings, state.seed, state.n_epochs, rows.n_rows)


@variants
@pytest.mark.parametrize("shuffle", [False, True])
def test_ranges_in_a_row_do_what_one_range_does(variant, shuffle):
    """Beyond the last mini-batch as well."""
    state, settings, rows = begun(variant, shuffle=shuffle, batch_size=10)
    whole, n_updates, order = state.copy(), state.n_updates, order_of(state, settings, rows)
    run_updates(whole, settings, rows, range(13), order)
    for batches in (range(3), range(3, 4), range(4, 4), range(4, 11), range(11, 13)):
        run_updates(state, settings, rows, batches, order)
    assert state.n_updates == n_updates + 13
    assert_same_bits(state, whole)


@variants
def test_after_the_last_mini_batch_comes_the_first_one(variant, monkeypatch):
    state, settings, rows = begun(variant, shuffle=True, batch_size=10)
    seen, update = [], epoch.update

    def record(state, settings, rows, which, *rates):
        seen.append(which)
        update(state, settings, rows, which, *rates)

    monkeypatch.setattr(epoch, "update", record)
    order = order_of(state, settings, rows)
    run_updates(state, settings, rows, range(3, 13), order)
    assert n_batches_of(47, settings) == 5
    for b, which in zip(range(3, 13), seen, strict=True):
        assert_array_equal(which, order[b % 5 * 10 :][:10])
    assert [len(which) for which in seen] == [10, 7, 10, 10, 10, 10, 7, 10, 10, 10]


@variants
def test_without_an_order_mini_batches_are_slices(variant, monkeypatch):
    state, settings, rows = begun(variant, shuffle=False, batch_size=20)
    seen = []
    monkeypatch.setattr(epoch, "update", lambda *arguments: seen.append(arguments[3]))
    run_updates(state, settings, rows, range(1, 5))
    assert seen == [slice(20, 40), slice(40, 47), slice(0, 20), slice(20, 40)]


@variants
def test_rates_are_those_of_the_epoch_and_of_each_update(variant, monkeypatch):
    """A range that goes round stays in its epoch; a rate may fall with every update."""
    schedules = {"momentum": (0.1, 0.2, 0.3, 0.4, 0.5), "learning_rate": (0.1, 0.2, 0.3, 0.4)}
    more = {"n_gibbs_steps": (1, 1, 1, 3), "learning_rate_schedule": "inverse_sqrt"}
    state, settings, rows = begun(variant, n_iter=3, batch_size=10, **schedules, **more)
    seen = []

    def record(state, settings, rows, which, n_gibbs_steps, rates):
        seen.append((n_gibbs_steps, rates["momentum"], rates["learning_rate"]))
        state.n_updates += 1

    monkeypatch.setattr(epoch, "update", record)
    run_updates(state, settings, rows, range(4, 12))
    steps, momenta, rates = zip(*seen, strict=True)
    assert (set(steps), set(momenta)) == ({3}, {0.4})
    assert max(rates) < 0.4
    assert all(a > b for a, b in pairwise(rates))
