"""Epochs: how many, with which parameters, what they leave in history and on the screen."""

import re

import numpy as np
import pytest

from skrbm import BernoulliRBM
from skrbm._training.measures import ERROR_ROWS

from ..helpers.comparison import assert_same_model
from ..helpers.models import BERNOULLI, models, variants


@models
@pytest.mark.parametrize("algorithm", ["cd", "pcd"])
def test_no_epoch_leaves_the_start(model, algorithm):
    X = model.complete()
    rbm = model.machine(n_iter=0, algorithm=algorithm).fit(X)
    assert rbm.n_iter_ == 0
    assert all(len(figures) == 0 for figures in rbm.history_.values())
    if model is BERNOULLI:
        odds = (X.sum(axis=0) + 0.5) / (47 - X.sum(axis=0) + 0.5)
        np.testing.assert_allclose(rbm.intercept_visible_, np.log(odds), rtol=1e-12)
    assert rbm.transform(X).shape == (47, 3)
    assert rbm.sample(4, n_gibbs_steps=2).shape == (4, 6)
    assert_same_model(rbm.partial_fit(X), model.machine(algorithm=algorithm).partial_fit(X))


@variants
def test_history_has_a_figure_per_epoch(variant):
    X = variant.rows()
    rates = {"learning_rate": (0.1, 0.05), "learning_rate_schedule": "constant"}
    rbm = variant.machine(n_iter=4, **rates).fit(X)
    names = {"reconstruction_error", "learning_rate", "n_gibbs_steps", "momentum", "seconds"}
    assert names <= rbm.history_.keys()
    assert {len(figures) for figures in rbm.history_.values()} == {4}
    assert rbm.history_["learning_rate"] == [0.1, 0.05, 0.05, 0.05]
    assert rbm.n_iter_ == 4
    assert min(rbm.history_["seconds"]) >= 0
    rbm.partial_fit(X)
    assert {len(figures) for figures in rbm.history_.values()} == {5}
    assert rbm.n_iter_ == 5


@variants
@pytest.mark.parametrize("n_iter", [1, 3])
def test_the_last_reconstruction_error_is_that_of_the_model(variant, n_iter):
    """Of the entries that are there; of the parameters that learn, and not of averages."""
    X = variant.rows()
    rbm = variant.machine(n_iter=n_iter, average=False).fit(X)
    error = np.nanmean(np.square(rbm.reconstruct(X) - X))
    for fitted in (rbm, variant.machine(n_iter=n_iter).fit(X)):
        assert fitted.history_["reconstruction_error"][-1] == pytest.approx(error, rel=1e-12)


def test_an_epoch_is_measured_on_at_most_250_rows(rng):
    assert ERROR_ROWS == 250
    X = rng.integers(0, 2, (1000, 5)).astype(float)
    rbm = BernoulliRBM(3, n_iter=1, average=False, random_state=0).fit(X)
    watched = X[::4]
    expected = np.square(rbm.reconstruct(watched) - watched).mean()
    assert rbm.history_["reconstruction_error"][0] == pytest.approx(expected, rel=1e-12)


@models
def test_shuffling_changes_the_fit(model):
    shuffled, given = (
        model.machine(n_iter=1, shuffle=shuffle).fit(model.rows()).components_
        for shuffle in (True, False)
    )
    assert np.abs(shuffled - given).max() > 1e-4


# --- schedules ---

SCHEDULES = {"learning_rate": (0.1, 0.02), "n_gibbs_steps": (1, 3), "momentum": (0.2, 0.5)}


@models
@pytest.mark.parametrize(
    "names", [[name] for name in SCHEDULES] + [list(SCHEDULES)], ids=lambda names: ", ".join(names)
)
def test_schedules_change_per_epoch_and_their_last_values_go_on(model, names):
    X, options = model.rows(), {"momentum": 0.0}
    first, last = ({name: SCHEDULES[name][k] for name in names} for k in (0, 1))
    schedules = options | {name: SCHEDULES[name] for name in names}
    rbm = model.machine(**schedules, n_iter=4, shuffle=False).fit(X)
    for name in names:
        assert rbm.history_[name] == [first[name], *[last[name]] * 3]
    by_hand = model.machine(**options | first).partial_fit(X).set_params(**last)
    assert_same_model(by_hand.partial_fit(X).partial_fit(X).partial_fit(X), rbm)
    chunks = model.machine(**schedules)
    for _ in range(4):
        chunks.partial_fit(X)
    assert_same_model(chunks, rbm)
    constant = model.machine(**options | first, n_iter=4, shuffle=False).fit(X)
    assert (rbm.components_ != constant.components_).any()


@models
@pytest.mark.parametrize(("name", "value"), [(n, s[1]) for n, s in SCHEDULES.items()])
def test_a_constant_schedule_is_the_constant(model, name, value):
    X = model.rows()
    expected = model.machine(**{name: value}).fit(X)
    assert_same_model(model.machine(**{name: (value, value, value)}).fit(X), expected)
    assert_same_model(model.machine(**{name: (value,)}).fit(X), expected)


# --- verbose ---


def printed(output, name):
    """Of each line the epoch, the score and the seconds."""
    line = re.compile(
        rf"\[{name}\] Iteration (\d+), pseudo-likelihood = (-?\d+\.\d\d), time = (\d+\.\d\d)s"
    )
    return [line.fullmatch(text).groups() for text in output.splitlines()]


@variants
def test_verbose_prints_a_line_per_epoch_with_the_exact_score(variant, capsys):
    X = variant.rows()
    loud = variant.machine(verbose=1).fit(X)
    lines = printed(capsys.readouterr().out, variant.model.name)
    assert [epoch for epoch, _, _ in lines] == ["1", "2", "3"]
    for epoch, score, _ in lines:
        expected = variant.machine(n_iter=int(epoch)).fit(X)
        assert float(score) == pytest.approx(expected.score(X), abs=0.0051)  # two decimals
    assert_same_model(loud, expected)


@models
def test_verbose_prints_the_time_of_the_epoch(model, capsys):
    rbm = model.machine(verbose=1, n_iter=1).fit(model.rows())
    ((_, _, seconds),) = printed(capsys.readouterr().out, model.name)
    assert seconds == f"{rbm.history_['seconds'][0]:.2f}"


@models
def test_not_verbose_prints_nothing(model, capsys):
    X = model.rows()
    model.machine().fit(X).partial_fit(X)
    output = capsys.readouterr()
    assert output.out == output.err == ""


def test_the_score_printed_is_that_of_at_most_1000_rows(rng, capsys):
    X = rng.integers(0, 2, (2500, 5)).astype(float)
    rbm = BernoulliRBM(3, n_iter=1, verbose=1, random_state=0).fit(X)
    assert f"pseudo-likelihood = {rbm.score(X[::3]):.2f}, " in capsys.readouterr().out


@models
def test_y_is_ignored(model):
    X = model.rows()
    expected = model.machine().fit(X)
    assert_same_model(model.machine().fit(X, np.arange(47)), expected)
    assert_same_model(model.machine().fit(X, "whatever"), expected)
    chunk = model.machine().partial_fit(X)
    assert_same_model(model.machine().partial_fit(X, np.arange(47)), chunk)
    assert expected.score(X, np.arange(47)) == expected.score(X)
