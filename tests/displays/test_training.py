"""TrainingDisplay: which curves are drawn, and the epoch that was kept."""

import numpy as np
import pytest
from matplotlib import pyplot
from sklearn.exceptions import NotFittedError

from skrbm import BernoulliRBM
from skrbm.displays import TrainingDisplay

HISTORY = {
    "reconstruction_error": [3.0, 2.0, 1.0],
    "validation_score": [-3.0, -1.0, -2.0],
    "free_energy_gap": [np.nan] * 3,
    "my_own": [1.0, 2.0, 3.0],
}


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


@pytest.fixture
def rbm(rng):
    X = rng.integers(0, 2, (40, 6))
    return BernoulliRBM(4, n_iter=6, early_stopping=True, random_state=0).fit(X)


def test_curves_are_those_of_the_fit(rbm):
    display = TrainingDisplay.from_estimator(rbm)
    usual = ["validation_score", "free_energy_gap", "reconstruction_error", "learning_rate"]
    assert list(display.lines_) == usual
    assert len(display.ax_) == 4
    for quantity, line in display.lines_.items():
        np.testing.assert_array_equal(line.get_xdata(), np.arange(1, 7))
        np.testing.assert_array_equal(line.get_ydata(), rbm.history_[quantity])


def test_the_axes_say_what_they_show_and_in_which_units(rbm):
    display = TrainingDisplay.from_estimator(rbm)
    labels = [ax.get_ylabel() for ax in display.ax_]
    assert labels == [
        "validation score\n(nats per row)",
        "free-energy gap\n(nats per row)",
        "reconstruction error\n(squared units of X)",
        "learning rate",
    ]
    assert [ax.get_xlabel() for ax in display.ax_] == ["", "", "", "epoch"]


def test_the_best_epoch_is_marked(rbm):
    display = TrainingDisplay.from_estimator(rbm)
    best = 1 + np.argmax(rbm.history_["validation_score"])
    assert display.best_epoch_ == best
    assert legend(display.ax_[0]) == [f"best epoch: {best}"]
    for ax in display.ax_:
        assert list(ax.lines[1].get_xdata()) == [best, best]


def test_without_early_stopping_there_is_no_best_epoch(rbm, rng):
    rbm.set_params(early_stopping=False).fit(rng.integers(0, 2, (40, 6)))
    display = TrainingDisplay.from_estimator(rbm)
    assert list(display.lines_) == ["reconstruction_error", "learning_rate"]
    assert display.best_epoch_ is None
    assert display.ax_[0].get_legend() is None


def test_quantities_can_be_chosen():
    display = TrainingDisplay(HISTORY).plot(quantities=["my_own", "validation_score"])
    assert list(display.lines_) == ["my_own", "validation_score"]
    assert display.ax_[0].get_ylabel() == "my own"
    assert display.best_epoch_ == 2
    assert list(TrainingDisplay(HISTORY).plot(quantities="my_own").lines_) == ["my_own"]


def test_a_history_of_lists_of_ones_own_is_drawn():
    assert list(TrainingDisplay({"my_own": [1.0], "other": [2.0]}).plot().lines_) == [
        "my_own",
        "other",
    ]


def test_two_fits_share_their_axes():
    first = TrainingDisplay(HISTORY).plot(name="first")
    second = TrainingDisplay(HISTORY).plot(ax=first.ax_, name="second", color="red")
    assert second.figure_ is first.figure_
    assert legend(first.ax_[0]) == ["first, best epoch: 2", "second, best epoch: 2"]
    assert {line.get_color() for line in second.lines_.values()} == {"red"}


def test_axes_are_respected():
    figure, ax = pyplot.subplots()
    display = TrainingDisplay(HISTORY).plot(ax=ax, quantities=["my_own"])
    assert display.ax_[0] is ax
    assert display.figure_ is figure


# --- errors ---


def test_a_quantity_that_is_not_there():
    with pytest.raises(ValueError, match=r"has no 'free_energy_gap', or only NaN. It has recon"):
        TrainingDisplay(HISTORY).plot(quantities=["free_energy_gap"])


def test_no_quantity_is_refused():
    with pytest.raises(ValueError, match=r"quantities is empty. The history has reconstruction"):
        TrainingDisplay(HISTORY).plot(quantities=[])


def test_axes_must_be_as_many_as_quantities():
    with pytest.raises(ValueError, match=r"ax has 1 axes for 2 quantities \(validation_score, re"):
        TrainingDisplay(HISTORY).plot(ax=pyplot.subplots()[1])


@pytest.mark.parametrize("history", [{}, {"seconds": []}])
def test_a_history_without_epochs(history):
    with pytest.raises(ValueError, match="history has no epoch"):
        TrainingDisplay(history).plot()


def test_a_machine_that_is_not_fitted():
    with pytest.raises(NotFittedError):
        TrainingDisplay.from_estimator(BernoulliRBM())
