"""Epochs: how many, with which parameters, what they leave in history and on the screen."""

import re

import numpy as np
import pytest

from skrbm import BernoulliRBM

from .comparison import assert_same_model


@pytest.fixture(name="X")
def bits():
    return np.random.default_rng(0).integers(0, 2, (47, 6)).astype(float)


def machine(**parameters):
    return BernoulliRBM(**{"n_components": 3, "n_iter": 3, "random_state": 0} | parameters)


@pytest.mark.parametrize("algorithm", ["cd", "pcd"])
def test_no_epoch_leaves_the_start(X, algorithm):
    rbm = machine(n_iter=0, algorithm=algorithm).fit(X)
    assert rbm.n_iter_ == 0
    assert all(len(figures) == 0 for figures in rbm.history_.values())
    odds = (X.sum(axis=0) + 0.5) / (47 - X.sum(axis=0) + 0.5)
    np.testing.assert_allclose(rbm.intercept_visible_, np.log(odds), rtol=1e-12)
    assert rbm.transform(X).shape == (47, 3)
    assert rbm.sample(4, n_gibbs_steps=2).shape == (4, 6)
    assert_same_model(rbm.partial_fit(X), machine(algorithm=algorithm).partial_fit(X))


def test_history_has_a_figure_per_epoch(X):
    rbm = machine(n_iter=4).fit(X)
    names = {"reconstruction_error", "learning_rate", "n_gibbs_steps", "momentum", "seconds"}
    assert names <= rbm.history_.keys()
    assert {len(figures) for figures in rbm.history_.values()} == {4}
    assert rbm.n_iter_ == 4
    assert min(rbm.history_["seconds"]) >= 0
    rbm.partial_fit(X)
    assert {len(figures) for figures in rbm.history_.values()} == {5}
    assert rbm.n_iter_ == 5


def test_the_last_reconstruction_error_is_that_of_the_model(X):
    rbm = machine().fit(X)
    error = np.square(rbm.reconstruct(X) - X).mean()
    assert rbm.history_["reconstruction_error"][-1] == pytest.approx(error, rel=1e-12)


SCHEDULES = {"learning_rate": (0.1, 0.02), "n_gibbs_steps": (1, 3), "momentum": (0.2, 0.5)}


@pytest.mark.parametrize(("name", "schedule"), SCHEDULES.items())
def test_a_schedule_changes_per_epoch_and_its_last_value_goes_on(X, name, schedule):
    first, last = schedule
    rbm = machine(**{name: schedule}, n_iter=4, shuffle=False).fit(X)
    assert rbm.history_[name] == [first, last, last, last]
    by_hand = machine(**{name: first}).partial_fit(X).set_params(**{name: last})
    assert_same_model(by_hand.partial_fit(X).partial_fit(X).partial_fit(X), rbm)
    chunks = machine(**{name: schedule})
    for _ in range(4):
        chunks.partial_fit(X)
    assert_same_model(chunks, rbm)


@pytest.mark.parametrize(("name", "value"), [(n, s[1]) for n, s in SCHEDULES.items()])
def test_a_constant_schedule_is_the_constant(X, name, value):
    expected = machine(**{name: value}).fit(X)
    assert_same_model(machine(**{name: (value, value, value)}).fit(X), expected)
    assert_same_model(machine(**{name: (value,)}).fit(X), expected)


# --- verbose ---

LINE = re.compile(
    r"\[BernoulliRBM\] Iteration (\d+), pseudo-likelihood = (-?\d+\.\d\d), time = (\d+\.\d\d)s"
)


def test_verbose_prints_a_line_per_epoch_with_the_exact_score(X, capsys):
    machine(verbose=1).fit(X)
    lines = [LINE.fullmatch(line).groups() for line in capsys.readouterr().out.splitlines()]
    assert [epoch for epoch, _, _ in lines] == ["1", "2", "3"]
    for epoch, score, _ in lines:
        expected = machine(n_iter=int(epoch)).fit(X).score(X)
        assert float(score) == pytest.approx(expected, abs=0.0051)  # two decimals are shown


def test_verbose_prints_the_time_of_the_epoch(X, capsys):
    rbm = machine(verbose=1, n_iter=1).fit(X)
    assert LINE.search(capsys.readouterr().out)[3] == f"{rbm.history_['seconds'][0]:.2f}"


def test_not_verbose_prints_nothing(X, capsys):
    machine().fit(X).partial_fit(X)
    output = capsys.readouterr()
    assert output.out == output.err == ""
