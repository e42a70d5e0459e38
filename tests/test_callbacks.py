"""scikit-learn's callbacks see the epochs, may stop them, and never change what is learned."""

import re

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skrbm import BernoulliRBM

from .comparison import assert_same_model


@pytest.fixture(name="X")
def bits():
    return np.random.default_rng(0).integers(0, 2, (48, 6)).astype(float)


@pytest.fixture(name="y")
def labels():
    return np.arange(48) % 2


def machine(**parameters):
    defaults = {"n_components": 3, "n_iter": 3, "momentum": 0.5, "random_state": 0}
    return BernoulliRBM(**defaults | parameters)


class Recorder:
    """Writes down every hook in the order of the calls."""

    def __init__(self):
        self.events = []
        self.fitted = []

    def setup(self, estimator, context):
        self.events.append("setup")

    def teardown(self, estimator, context):
        self.events.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.events.append(("begin", context.task_name, context.task_id))

    def on_fit_task_end(self, estimator, context, *, X, y, fitted_estimator):
        self.events.append(("end", context.task_name, context.task_id))
        if context.task_name == "epoch":
            self.fitted.append(fitted_estimator)


class PropagatedRecorder(Recorder):
    """One that a meta-estimator hands down."""

    max_propagation_depth = None

    def epochs(self):
        return [event[2] for event in self.events if event[:2] == ("end", "epoch")]


class Hook:
    """A callback made of one function, called at the end of every epoch."""

    def __init__(self, function):
        self.function = function
        self.torn_down = 0

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        self.torn_down += 1

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, X, y, fitted_estimator):
        if context.task_name == "epoch":
            return self.function(context.task_id + 1, X, y, fitted_estimator)
        return None


# --- the tasks ---


def test_there_is_one_task_per_epoch_inside_that_of_fit(X):
    recorder = Recorder()
    machine().set_callbacks(recorder).fit(X)
    epochs = [(hook, "epoch", epoch) for epoch in range(3) for hook in ("begin", "end")]
    assert recorder.events == [
        "setup",
        ("begin", "fit", 0),
        *epochs,
        ("end", "fit", 0),
        "teardown",
    ]


def test_the_number_of_epochs_is_announced(X):
    announced = []

    class Announcements(Recorder):
        def on_fit_task_begin(self, estimator, context):
            announced.append((context.task_name, context.max_subtasks))

    machine().set_callbacks(Announcements()).fit(X)
    assert announced == [("fit", 3), *[("epoch", 0)] * 3]


@pytest.mark.parametrize("algorithm", ["cd", "pcd"])
def test_each_epoch_hands_over_the_model_of_so_many_epochs(X, algorithm):
    recorder = Recorder()
    machine(algorithm=algorithm).set_callbacks(recorder).fit(X)
    assert len(recorder.fitted) == 3
    for epoch, fitted in enumerate(recorder.fitted, start=1):
        expected = machine(algorithm=algorithm, n_iter=epoch).fit(X)
        assert_same_model(fitted, expected)
        np.testing.assert_array_equal(fitted.transform(X), expected.transform(X))
        assert fitted.n_iter_ == epoch


def test_a_second_fit_hands_over_nothing_of_the_first(X):
    rbm = machine(algorithm="pcd").fit(X)
    recorder = Recorder()
    rbm.set_params(algorithm="cd").set_callbacks(recorder).fit(X[:, :4])
    assert_same_model(recorder.fitted[0], machine(algorithm="cd", n_iter=1).fit(X[:, :4]))


def test_the_fit_task_hands_over_the_final_model(X):
    final = []

    class Final(Recorder):
        def on_fit_task_end(self, estimator, context, *, fitted_estimator):
            if context.task_name == "fit":
                final.append(fitted_estimator)

    rbm = machine().set_callbacks(Final()).fit(X)
    assert_same_model(final[0], rbm)


def test_without_epochs_there_is_only_the_task_of_fit(X):
    recorder = Recorder()
    machine(n_iter=0).set_callbacks(recorder).fit(X)
    assert recorder.events == ["setup", ("begin", "fit", 0), ("end", "fit", 0), "teardown"]


def test_data_and_target_are_handed_over(X, y):
    seen = []
    rbm = machine(n_iter=1).set_callbacks(Hook(lambda e, X, y, fitted: seen.append((X, y))))
    rbm.fit(X, y)
    rbm.fit(X)
    (X_first, y_first), (X_second, y_second) = seen
    np.testing.assert_array_equal(X_first, X)
    np.testing.assert_array_equal(y_first, y)
    # The target of a generative model is its own input: scorers ask for one.
    np.testing.assert_array_equal(X_second, X)
    np.testing.assert_array_equal(y_second, X)


# --- what callbacks may and may not do ---


def test_callbacks_leave_no_trace_in_the_model(X):
    rbm = machine().set_callbacks(Recorder(), scoring_monitor()).fit(X)
    assert_same_model(rbm, machine().fit(X))
    assert vars(rbm).keys() - vars(machine().fit(X)).keys() == {"_skl_callbacks"}


def test_a_callback_that_spoils_its_copy_does_not_reach_the_fit(X):
    def spoil(epoch, X, y, fitted):
        fitted.partial_fit(1 - X)
        fitted.gibbs(X)
        fitted.history_["learning_rate"].append("nonsense")
        for name in ("components_", "intercept_hidden_", "intercept_visible_", "h_samples_"):
            getattr(fitted, name)[...] = np.nan

    rbm = machine().set_callbacks(Hook(spoil)).fit(X)
    assert_same_model(rbm, machine().fit(X))


@pytest.mark.parametrize("algorithm", ["cd", "pcd"])
def test_a_callback_that_returns_true_stops_after_the_epoch(X, algorithm):
    stop = Hook(lambda epoch, X, y, fitted: epoch == 2)
    rbm = machine(algorithm=algorithm, n_iter=5).set_callbacks(stop).fit(X)
    assert rbm.n_iter_ == 2
    assert len(rbm.history_["learning_rate"]) == 2
    assert_same_model(rbm, machine(algorithm=algorithm, n_iter=2).fit(X))
    assert stop.torn_down == 1


def test_one_of_several_callbacks_is_enough_to_stop(X):
    recorder = Recorder()
    stop = Hook(lambda epoch, X, y, fitted: True)
    rbm = machine().set_callbacks(stop, recorder).fit(X)
    assert rbm.n_iter_ == 1
    assert recorder.events[-2:] == [("end", "fit", 0), "teardown"]


def test_callbacks_are_torn_down_when_training_diverges(X):
    recorder = Recorder()
    rbm = machine(weight_decay=1e300).set_callbacks(recorder)
    with pytest.raises(ValueError, match="diverged"):
        rbm.fit(X)
    assert recorder.events == ["setup", ("begin", "fit", 0), ("begin", "epoch", 0), "teardown"]
    assert vars(rbm).keys() & {"_callback_fit_ctx", "_skl_callbacks_to_teardown"} == set()


def test_an_error_in_a_callback_leaves_the_last_model(X):
    def fail(epoch, X, y, fitted):
        if epoch == 2:
            raise RuntimeError("callback failed")

    hook = Hook(fail)
    rbm = machine().fit(X).set_callbacks(hook)
    with pytest.raises(RuntimeError, match="callback failed"):
        rbm.fit(X)
    assert hook.torn_down == 1
    assert_same_model(rbm, machine().fit(X))


def test_callbacks_live_through_clone(X):
    recorder = Recorder()
    clone(machine().set_callbacks(recorder)).fit(X)
    assert len(recorder.fitted) == 3


# --- meta-estimators ---

# Few of scikit-learn's own estimators take part yet.
no_callbacks_in_scaler = pytest.mark.filterwarnings(
    "ignore:The estimator MinMaxScaler does not support callbacks:UserWarning"
)


@no_callbacks_in_scaler
def test_epochs_are_seen_through_a_pipeline(X, y):
    recorder = PropagatedRecorder()
    pipeline = make_pipeline(MinMaxScaler(), machine(), LogisticRegression())
    pipeline.set_callbacks(recorder).fit(X, y)
    assert recorder.epochs() == [0, 1, 2]


def test_epochs_are_seen_through_a_grid_search(X):
    recorder = PropagatedRecorder()
    search = GridSearchCV(machine(), {"n_components": [2, 3]}, cv=KFold(2))
    search.set_callbacks(recorder).fit(X)
    assert recorder.epochs() == [0, 1, 2] * 5  # two candidates, two folds, and the last fit


# --- ProgressBar ---


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch):
    """Otherwise rich may shorten the descriptions."""
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def bars(monkeypatch):
    """What rich is told: for each bar its description, total and the steps it went through."""
    progress = pytest.importorskip("rich.progress").Progress
    bars = []
    add_task, update = progress.add_task, progress.update

    def recording_add_task(self, description, *, total=None, **options):
        bars.append({"name": description.strip(), "total": total, "steps": []})
        return add_task(self, description, total=total, **options)

    def recording_update(self, task_id, *, completed=None, **options):
        bars[task_id]["steps"].append(completed)
        return update(self, task_id, completed=completed, **options)

    monkeypatch.setattr(progress, "add_task", recording_add_task)
    monkeypatch.setattr(progress, "update", recording_update)
    return bars


def assert_complete(output):
    assert "100%" in output
    assert not re.search(r"\b\d{1,2}%", output)


def test_progress_bar_advances_by_epochs(X, bars, capsys):
    machine().set_callbacks(ProgressBar()).fit(X)
    (bar,) = bars
    assert bar["name"] == "BernoulliRBM - fit"
    assert bar["total"] == 3
    assert bar["steps"][:3] == pytest.approx([1, 2, 3])
    output = capsys.readouterr().out
    assert "BernoulliRBM - fit" in output
    assert_complete(output)


@no_callbacks_in_scaler
def test_progress_bar_shows_epochs_through_a_pipeline(X, y, bars, capsys):
    pipeline = make_pipeline(MinMaxScaler(), machine(), LogisticRegression())
    pipeline.set_callbacks(ProgressBar()).fit(X, y)
    (bar,) = [bar for bar in bars if "BernoulliRBM - fit" in bar["name"]]
    assert bar["total"] == 3
    assert bar["steps"][:3] == pytest.approx([1, 2, 3])
    output = capsys.readouterr().out
    assert "Pipeline - fit" in output
    assert re.search(r"Pipeline - .* \| BernoulliRBM - fit", output)
    assert_complete(output)


def test_progress_bar_shows_epochs_through_a_grid_search(X, bars, capsys):
    search = GridSearchCV(machine(), {"n_components": [2, 3]}, cv=KFold(2))
    search.set_callbacks(ProgressBar()).fit(X)
    fits = [bar for bar in bars if "BernoulliRBM - fit" in bar["name"]]
    assert len(fits) == 5  # two candidates, two folds, and the last fit
    for bar in fits:
        assert bar["total"] == 3
        assert bar["steps"][:3] == pytest.approx([1, 2, 3])
    output = capsys.readouterr().out
    assert "GridSearchCV - fit" in output
    assert_complete(output)


def test_progress_bar_is_full_when_the_fit_is_stopped(X, capsys):
    pytest.importorskip("rich")
    stop = Hook(lambda epoch, X, y, fitted: epoch == 1)
    machine().set_callbacks(stop, ProgressBar()).fit(X)
    assert_complete(capsys.readouterr().out)


# --- ScoringMonitor ---


def scoring_monitor():
    # scoring=None would say the same but fails in scikit-learn 1.9.1, with every estimator.
    return ScoringMonitor(scoring={"score": lambda rbm, X, y: rbm.score(X, y)})


def epoch_scores(monitor):
    return [row["score"] for row in monitor.get_logs().data if row["task_name"] == "epoch"]


@pytest.mark.parametrize("with_target", [True, False])
def test_scoring_monitor_has_a_score_per_epoch(X, y, with_target):
    monitor = scoring_monitor()
    machine().set_callbacks(monitor).fit(X, y if with_target else None)
    assert epoch_scores(monitor) == [machine(n_iter=n).fit(X).score(X) for n in (1, 2, 3)]


def test_scoring_monitor_works_inside_a_pipeline(X, y):
    monitor = scoring_monitor()
    pipeline = make_pipeline(
        MinMaxScaler(), machine().set_callbacks(monitor), LogisticRegression()
    )
    pipeline.fit(X, y)
    scaled = MinMaxScaler().fit_transform(X)
    expected = [machine(n_iter=n).fit(scaled).score(scaled) for n in (1, 2, 3)]
    assert epoch_scores(monitor) == expected


def test_scoring_monitor_works_inside_a_grid_search(X):
    monitor = scoring_monitor()
    search = GridSearchCV(machine().set_callbacks(monitor), {"n_components": [2, 3]}, cv=KFold(2))
    search.fit(X)
    assert len(epoch_scores(monitor)) == 3 * 5
