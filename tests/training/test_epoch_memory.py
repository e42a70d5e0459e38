"""An epoch that uses memory again: the same bits, and no memory of its own for each update."""

import numpy as np
import pytest

from skrbm._machine import memory
from skrbm._training import epoch
from skrbm._training.optimizers import Momentum

from ..helpers.comparison import assert_same_model
from ..helpers.models import models, variants


class Recorder:
    """Counts arrays on memory that serves again, and fills each with what is no number."""

    def __init__(self, monkeypatch):
        self.n_arrays, self.n_memories = 0, 0
        pool, fresh = memory._Pool.empty, memory._Memory.__new__

        def empty(own, shape, dtype, size):
            self.n_arrays += 1
            array = pool(own, shape, dtype, size)
            array.base[...] = 255
            return array

        def new(cls, size):
            self.n_memories += 1
            return fresh(cls, size)

        monkeypatch.setattr(memory._Pool, "empty", empty)
        monkeypatch.setattr(memory._Memory, "__new__", new)


@variants
def test_memory_that_serves_again_changes_no_bit(variant, monkeypatch):
    X = variant.rows()
    without = variant.machine()
    with monkeypatch.context() as patch:
        patch.setattr(memory, "LARGE", np.inf)
        without.fit(X)
    monkeypatch.setattr(memory, "LARGE", 100)
    recorder = Recorder(monkeypatch)
    with_memory = variant.machine().fit(X)
    assert recorder.n_arrays > 30
    assert_same_model(with_memory, without)


@models
@pytest.mark.parametrize("algorithm", ["cd", "pcd", "pt"])
def test_updates_after_the_first_use_its_memory(model, algorithm, monkeypatch):
    """Rows of categories have a few entries more or less."""
    monkeypatch.setattr(memory, "LARGE", 1000)
    recorder, step, n_memories = Recorder(monkeypatch), Momentum.update, []

    def update(*arguments, **rates):
        n_memories.append(recorder.n_memories)
        step(*arguments, **rates)

    monkeypatch.setattr(Momentum, "update", update)
    rows = model.rows if algorithm == "cd" else model.complete
    options = {"batch_size": 200, "n_components": 8, "n_iter": 1, "centering": True}
    model.machine(algorithm=algorithm, **options).fit(rows(n_rows=200 * 30))
    assert recorder.n_arrays > 5 * 30
    assert 3 < n_memories[2] == n_memories[-1]


@models
def test_an_epoch_lets_its_memory_go(model):
    rbm = model.machine(n_iter=1).fit(model.rows())
    assert memory._here.pool is None
    assert type(rbm.components_.base.base) is not memory._Memory
    with pytest.raises(AttributeError):
        epoch.train_epoch(None, None, None)
    assert memory._here.pool is None
