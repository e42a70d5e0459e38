"""scikit-learn's callbacks see the epochs, may stop them, and never change what is learned."""

import re

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from ..helpers.callbacks import Hook, PropagatedRecorder, Recorder
from ..helpers.comparison import assert_same_model
from ..helpers.models import BERNOULLI, SOFTMAX, bits, models
from ..helpers.ratings import ratings

callback = pytest.importorskip("sklearn.callback", reason="scikit-learn < 1.9 has no callbacks")
ProgressBar, ScoringMonitor = callback.ProgressBar, callback.ScoringMonitor


@pytest.fixture(name="X")
def rows():
    return bits(n_rows=48)


@pytest.fixture(name="y")
def labels():
    return np.arange(48) % 2


def machine(model=BERNOULLI, **parameters):
    return model.machine(**{"momentum": 0.5} | parameters)


# --- the tasks ---


@models
def test_there_is_one_task_per_epoch_inside_that_of_fit(model):
    X = model.rows()
    recorder = Recorder()
    machine(model).set_callbacks(recorder).fit(X)
    epochs = [(hook, "epoch", epoch) for epoch in range(3) for hook in ("begin", "end")]
    assert recorder.events == [
        "setup",
        ("begin", "fit", 0),
        *epochs,
        ("end", "fit", 0),
        "teardown",
    ]


@models
def test_the_number_of_epochs_is_announced(model):
    X = model.rows()
    announced = []

    class Announcements(Recorder):
        def on_fit_task_begin(self, estimator, context):
            announced.append((context.task_name, context.max_subtasks))

    machine(model).set_callbacks(Announcements()).fit(X)
    assert announced == [("fit", 3), *[("epoch", 0)] * 3]


@pytest.mark.parametrize("algorithm", ["cd", "pcd", "pt"])
@models
def test_each_epoch_hands_over_the_model_of_so_many_epochs(model, algorithm):
    X = model.complete()
    recorder = Recorder()
    machine(model, algorithm=algorithm).set_callbacks(recorder).fit(X)
    assert [e[2] for e in recorder.events if e[:2] == ("end", "epoch")] == [0, 1, 2]
    assert len(recorder.fitted) == 3
    for epoch, fitted in enumerate(recorder.fitted, start=1):
        expected = machine(model, algorithm=algorithm, n_iter=epoch).fit(X)
        assert_same_model(fitted, expected)
        np.testing.assert_array_equal(fitted.transform(X), expected.transform(X))
        assert fitted.n_iter_ == epoch
        assert fitted.h_samples_.shape == expected.h_samples_.shape


@models
def test_a_second_fit_hands_over_nothing_of_the_first(model):
    X = model.complete()
    rbm = machine(model, algorithm="pcd").fit(X)
    recorder = Recorder()
    rbm.set_params(algorithm="cd").set_callbacks(recorder).fit(X[:, :4])
    assert_same_model(recorder.fitted[0], machine(model, algorithm="cd", n_iter=1).fit(X[:, :4]))


@models
def test_the_fit_task_hands_over_the_final_model(model):
    X = model.rows()
    final = []

    class Final(Recorder):
        def on_fit_task_end(self, estimator, context, *, fitted_estimator):
            if context.task_name == "fit":
                final.append(fitted_estimator)

    rbm = machine(model).set_callbacks(Final()).fit(X)
    assert_same_model(final[0], rbm)


@models
def test_without_epochs_there_is_only_the_task_of_fit(model):
    X = model.rows()
    recorder = Recorder()
    machine(model, n_iter=0).set_callbacks(recorder).fit(X)
    assert recorder.events == ["setup", ("begin", "fit", 0), ("end", "fit", 0), "teardown"]


@models
def test_data_and_target_are_handed_over(model):
    X, y = model.rows(), np.arange(47) % 2
    seen = []
    rbm = machine(model, n_iter=1).set_callbacks(Hook(lambda e, X, y, fitted: seen.append((X, y))))
    rbm.fit(X, y)
    rbm.fit(X)
    (X_first, y_first), (X_second, y_second) = seen
    np.testing.assert_array_equal(X_first, X)
    np.testing.assert_array_equal(y_first, y)
    # The target of a generative model is its own input: scorers ask for one.
    np.testing.assert_array_equal(X_second, X)
    np.testing.assert_array_equal(y_second, X)


# --- what callbacks may and may not do ---


@models
def test_callbacks_leave_no_trace_in_the_model(model):
    X = model.rows()
    rbm = machine(model).set_callbacks(Recorder(), scoring_monitor()).fit(X)
    assert_same_model(rbm, machine(model).fit(X))
    assert vars(rbm).keys() - vars(machine(model).fit(X)).keys() == {"_skl_callbacks"}


@models
def test_a_callback_that_spoils_its_copy_does_not_reach_the_fit(model):
    X = model.rows()

    def spoil(epoch, X, y, fitted):
        fitted.partial_fit(X[::-1])
        fitted.gibbs(X)
        fitted.history_["learning_rate"].append("nonsense")
        for name in (*model.arrays, "h_samples_"):
            getattr(fitted, name)[...] = np.nan

    rbm = machine(model).set_callbacks(Hook(spoil)).fit(X)
    assert_same_model(rbm, machine(model).fit(X))


@pytest.mark.parametrize("algorithm", ["cd", "pcd"])
@models
def test_a_callback_that_returns_true_stops_after_the_epoch(model, algorithm):
    X = model.complete()
    stop = Hook(lambda epoch, X, y, fitted: epoch == 2)
    rbm = machine(model, algorithm=algorithm, n_iter=5).set_callbacks(stop).fit(X)
    assert rbm.n_iter_ == 2
    assert len(rbm.history_["learning_rate"]) == 2
    assert_same_model(rbm, machine(model, algorithm=algorithm, n_iter=2).fit(X))
    assert stop.torn_down == 1


@models
def test_one_of_several_callbacks_is_enough_to_stop(model):
    X = model.rows()
    recorder = Recorder()
    stop = Hook(lambda epoch, X, y, fitted: True)
    rbm = machine(model).set_callbacks(stop, recorder).fit(X)
    assert rbm.n_iter_ == 1
    assert recorder.events[-2:] == [("end", "fit", 0), "teardown"]


@models
def test_callbacks_are_torn_down_when_training_diverges(model):
    X = model.rows()
    recorder = Recorder()
    rbm = machine(model, weight_decay=1e300).set_callbacks(recorder)
    with pytest.raises(ValueError, match="diverged"):
        rbm.fit(X)
    assert recorder.events == ["setup", ("begin", "fit", 0), ("begin", "epoch", 0), "teardown"]
    assert vars(rbm).keys() & {"_callback_fit_ctx", "_skl_callbacks_to_teardown"} == set()


@models
def test_an_error_in_a_callback_leaves_the_last_model(model):
    X = model.rows()

    def fail(epoch, X, y, fitted):
        if epoch == 2:
            raise RuntimeError("callback failed")

    hook = Hook(fail)
    rbm = machine(model).fit(X).set_callbacks(hook)
    with pytest.raises(RuntimeError, match="callback failed"):
        rbm.fit(X)
    assert hook.torn_down == 1
    assert_same_model(rbm, machine(model).fit(X))


@models
def test_callbacks_live_through_clone(model):
    X = model.rows()
    recorder = Recorder()
    clone(machine(model).set_callbacks(recorder)).fit(X)
    assert len(recorder.fitted) == 3


def test_a_callback_may_predict_while_training():
    X, truth = SOFTMAX.rows(), ratings(seed=9, n_rows=47)
    errors = []

    def validate(epoch, X, y, fitted):
        errors.append(np.nanmean(np.square(fitted.predict_ratings(X) - truth)))

    rbm = SOFTMAX.machine().set_callbacks(Hook(validate)).fit(X)
    assert len(errors) == 3
    assert errors[-1] == np.nanmean(np.square(rbm.predict_ratings(X) - truth))


@models
def test_callbacks_of_a_refit_do_not_see_old_names(model):
    """A frame had names, and an array of other features has none."""
    pd = pytest.importorskip("pandas")
    X, seen = model.rows()[:, :4], []

    def look(epoch, X, y, fitted):
        seen.append((fitted.feature_names_in_, fitted.n_features_in_))
        with pytest.raises(ValueError, match="feature 0"):
            fitted.transform(np.full((2, 4), np.inf))

    rbm = model.machine(n_iter=1).fit(pd.DataFrame(model.rows(), columns=list("abcdef")))
    rbm.set_callbacks(Hook(look)).fit(X)
    assert seen == [(None, 4)]
    assert not hasattr(rbm, "feature_names_in_")


@pytest.mark.parametrize("n_components", [3, 5])
def test_callbacks_of_a_refit_see_the_new_machine(n_components):
    X = SOFTMAX.rows()

    def scores(rbm):
        values = []

        def score(rbm, X, y):
            values.append(rbm.score(X))
            return values[-1]

        monitor = ScoringMonitor(scoring={"score": score})
        rbm.set_callbacks(monitor)
        rbm.fit(X)
        return values

    refitted = SOFTMAX.machine(learning_rate=1.0).fit(X)
    refitted.set_params(conditional=False, n_components=n_components)
    fresh = SOFTMAX.machine(learning_rate=1.0, n_components=n_components, conditional=False)
    assert scores(refitted) == scores(fresh)
    assert_same_model(refitted, fresh)


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
