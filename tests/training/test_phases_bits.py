"""Positive phases of bits that are drawn from grey values, anew in each update."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from skrbm._input.numbers import NumberRows
from skrbm._training import phases as phases_module
from skrbm._training.phases import sample_positive

from ..helpers.comparison import assert_same_model
from ..helpers.models import BERNOULLI
from ..helpers.numbers import dtypes
from ..helpers.training import SEED, binary_state
from ..oracles.common import bernoulli
from ..oracles.training import DATA

algorithms = pytest.mark.parametrize("algorithm", ["cd", "pcd", "pt"])


def grey_rows():
    """In the order in which CD reads them if a mini-batch holds all of them."""
    X = np.random.default_rng(0).random((47, 6))
    X[0], X[1] = 0, 1
    return np.unique(X, axis=0)


def machine(**parameters):
    return BERNOULLI.machine(**{"n_temperatures": 3, "n_chains": 5} | parameters)


@pytest.fixture
def drawn(monkeypatch):
    """The bits of each update, from now on."""
    seen = []

    def record(state, phases):
        sample_positive(state, phases)
        seen.append(phases.positive.copy())

    monkeypatch.setattr(phases_module, "sample_positive", record)
    return seen


@dtypes
def test_bits_are_those_of_the_plain_twin(arrays, dtype):
    """Row by row of the mini-batch, by random words that nothing else has."""
    state = binary_state(*(a.astype(dtype) for a in arrays))
    V = np.random.default_rng(0).random((9, 4)).astype(dtype)
    for update in (0, 7):
        state.n_updates = update
        phases = state.model.visible.phases(NumberRows(V), slice(0, 9), 3)
        below = phases.negative.copy()
        sample_positive(state, phases)
        assert_array_equal(phases.positive, bernoulli(V, SEED, update, DATA))
        assert_array_equal(phases.negative, below)


@algorithms
def test_the_mean_over_epochs_is_the_grey_value(algorithm, drawn):
    """One update an epoch. The bits of an epoch are new: no two epochs agree by and large."""
    X, n_epochs = grey_rows(), 400
    machine(
        algorithm=algorithm,
        positive_visibles="sample",
        batch_size=50,
        n_iter=n_epochs,
        shuffle=False,
        learning_rate=1e-6,
        early_stopping=False,
    ).fit(X)
    bits = np.array(drawn)
    assert bits.shape == (n_epochs, *X.shape)
    assert set(np.unique(bits)) == {0, 1}
    error = np.sqrt(X * (1 - X) / n_epochs)
    assert (np.abs(bits.mean(axis=0) - X) <= 4.5 * error).all()
    # Epochs and rows are independent: neighbours agree as often as two draws do.
    for one, other, agree in (
        (bits[:-1], bits[1:], X**2 + (1 - X) ** 2),
        (bits[:, :-1], bits[:, 1:], X[:-1] * X[1:] + (1 - X[:-1]) * (1 - X[1:])),
    ):
        excess = (one == other).sum() / len(one) - agree.sum()
        assert abs(excess) < 4.5 * np.sqrt((agree * (1 - agree)).sum() / len(one))


@algorithms
def test_rows_that_are_drawn_stay_grey(algorithm):
    """X is read, never written; a sparse X is drawn in the same way."""
    X = grey_rows()
    X.flags.writeable = False
    options = {"algorithm": algorithm, "positive_visibles": "sample"}
    dense = machine(**options).fit(X)
    assert_same_model(machine(**options).fit(sparse.csr_array(X)), dense)
    assert_same_model(machine(**options).fit(np.array(X)), dense)
    means = machine(**options | {"positive_visibles": "mean"}).fit(X)
    assert (dense.components_ != means.components_).any()


@algorithms
@dtypes
def test_bits_are_learned_as_they_are(algorithm, dtype):
    X = BERNOULLI.rows().astype(dtype)
    means, drawn = (
        machine(algorithm=algorithm, positive_visibles=p).fit(X) for p in ("mean", "sample")
    )
    assert_same_model(drawn, means)


@algorithms
def test_each_chunk_has_bits_of_its_own(algorithm, drawn):
    """Also in one and the same chunk twice; and they are those of the epochs of fit."""
    X = grey_rows()
    options = {"algorithm": algorithm, "positive_visibles": "sample", "batch_size": 50}
    machine(**options).partial_fit(X).partial_fit(X)
    assert (drawn[0] != drawn[1]).any()
    in_chunks = list(drawn)
    drawn.clear()
    machine(**options, n_iter=2, shuffle=False, early_stopping=False).fit(X)
    assert_array_equal(drawn, in_chunks)
