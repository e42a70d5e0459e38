"""Callbacks, the line on each epoch, and who interrupts a fit."""

import signal
import threading

import dask
import numpy as np
import pytest

import skrbm.dask
from skrbm.dask import _data

from ..helpers.callbacks import Hook, Recorder, needs_callbacks
from ..helpers.comparison import assert_same_bits, assert_same_model, learned
from ..helpers.models import BERNOULLI, SOFTMAX

BITS = BERNOULLI.rows()


def fit(rbm, X, *args, **options):
    return skrbm.dask.fit(rbm, X, *args, **{"warm_up": 3} | options)


def thirds(X=BITS):
    return list(map(dask.delayed, np.array_split(X, 3)))


def fitted(**parameters):
    return fit(BERNOULLI.machine(**parameters), thirds())


@pytest.mark.cluster
@needs_callbacks
def test_each_epoch_is_a_task_with_a_fitted_estimator(client):
    recorder, X = Recorder(), thirds()
    rbm = BERNOULLI.machine().set_callbacks(recorder)
    fit(rbm, X)
    assert recorder.events == [
        "setup",
        ("begin", "fit", 0),
        *[(what, "epoch", epoch) for epoch in range(3) for what in ("begin", "end")],
        ("end", "fit", 0),
        "teardown",
    ]
    for n_iter, one in enumerate(recorder.fitted, 1):
        assert one.n_iter_ == n_iter
        assert_same_bits(one.transform(BITS), fitted(n_iter=n_iter).transform(BITS))


@pytest.mark.cluster
@needs_callbacks
def test_callbacks_see_the_collections(client):
    seen = []

    def look(epoch, X, y, fitted):
        seen.append((X, y))

    X = thirds()
    fit(BERNOULLI.machine(n_iter=1).set_callbacks(Hook(look)), X)
    fit(BERNOULLI.machine(n_iter=1).set_callbacks(Hook(look)), X, "labels")
    assert seen[0][0] is seen[0][1] is seen[1][0] is X
    assert seen[1][1] == "labels"


@needs_callbacks
def test_a_callback_ends_the_fit(client):
    hook = Hook(lambda epoch, X, y, fitted: epoch == 2)
    rbm = fit(BERNOULLI.machine(n_iter=9).set_callbacks(hook), thirds())
    assert_same_model(rbm, fitted(n_iter=2))
    assert hook.torn_down == 1


@pytest.mark.cluster
@needs_callbacks
def test_a_progress_bar_of_scikit_learn(client, capsys):
    pytest.importorskip("rich")
    from sklearn.callback import ProgressBar

    rbm = BERNOULLI.machine().set_callbacks(ProgressBar())
    assert_same_model(fit(rbm, thirds()), fitted())
    assert "BernoulliRBM - fit" in capsys.readouterr().out


@pytest.mark.parametrize("early_stopping", [False, True])
def test_the_line_on_an_epoch_is_about_all_partitions(client, capsys, early_stopping):
    model = SOFTMAX if early_stopping else BERNOULLI
    rbm = model.machine(n_iter=1, verbose=1, early_stopping=early_stopping)
    fit(rbm, thirds(model.rows()))
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"[{model.name}] Iteration 1, pseudo-likelihood = -")
    if early_stopping:
        assert f"validation score = {rbm.history_['validation_score'][0]:.2f}" in line
    else:
        score = float(line.split(" = ")[1].partition(",")[0])
        np.testing.assert_allclose(score, rbm.score_samples(BITS).mean(), atol=0.006)


def test_what_is_measured_is_about_all_partitions(client):
    """Of fewer rows than are looked at; weights do not count in the reconstruction error."""
    weights = [dask.delayed(np.full(n, 0.5)) for n in (16, 16, 15)]
    for options in ({}, {"sample_weight": weights}):
        rbm = fit(BERNOULLI.machine(n_iter=1), thirds(), **options)
        error = np.square(BITS - rbm.reconstruct(BITS)).mean()
        np.testing.assert_allclose(rbm.history_["reconstruction_error"], [error], rtol=1e-12)


@pytest.mark.cluster
def test_early_stopping_ends_where_scores_fall(client):
    rbm = fitted(n_iter=40, early_stopping=True, n_iter_no_change=2, tol=1.0)
    assert rbm.n_iter_ == 4  # the first, and three without so much improvement
    scores = rbm.history_["validation_score"]
    best = fitted(n_iter=int(np.argmax(scores)) + 1, early_stopping=True)
    assert_same_bits(rbm.components_, best.components_)


class Interrupt(Recorder):
    """Presses Ctrl-C when graphs of an epoch are on their way."""

    def __init__(self, monkeypatch, epoch, error):
        super().__init__()
        gather = _data.Cluster.gather

        def interrupted(cluster, futures):
            if ("begin", "epoch", epoch) in self.events:
                raise error("no room")
            return gather(cluster, futures)

        monkeypatch.setattr(_data.Cluster, "gather", interrupted)


@needs_callbacks
@pytest.mark.parametrize(
    "error", [KeyboardInterrupt, pytest.param(OSError, marks=pytest.mark.cluster)]
)
def test_an_interrupt_keeps_the_last_finished_epoch(client, monkeypatch, error):
    rbm = BERNOULLI.machine()
    before = learned(rbm)
    with monkeypatch.context() as patch:
        rbm.set_callbacks(Interrupt(patch, 0, error))
        with pytest.raises(error):
            fit(rbm, thirds())
    assert_same_bits(learned(rbm), before)
    with monkeypatch.context() as patch:
        rbm.set_callbacks(Interrupt(patch, 2, error))
        with pytest.raises(error) as caught:
            fit(rbm, thirds())
    if error is OSError:
        assert "The estimator holds epoch 2" in caught.value.__notes__[0]
    assert_same_model(rbm, fitted(n_iter=2))
    assert_same_model(fit(rbm.set_callbacks(), thirds(), resume=True), fitted())


@pytest.mark.cluster
@needs_callbacks
def test_an_error_of_a_callback_keeps_the_epoch(client):
    def fail(epoch, X, y, fitted):
        if epoch == 2:
            raise LookupError("my callback")

    rbm = BERNOULLI.machine().set_callbacks(Hook(fail))
    with pytest.raises(LookupError, match=r"(?s)my callback.*holds epoch 2; fit.*resume=True"):
        fit(rbm, thirds())
    assert_same_model(rbm, fitted(n_iter=2))


@needs_callbacks
def test_an_error_at_the_end_keeps_the_epochs(client):
    class FailsLast(Recorder):
        def on_fit_task_end(self, estimator, context, *, X, y, fitted_estimator):
            if context.task_name == "fit":
                raise LookupError("my callback")

    rbm = BERNOULLI.machine(n_iter=2).set_callbacks(FailsLast())
    with pytest.raises(LookupError, match=r"(?s)my callback.*holds epoch 2; fit"):
        fit(rbm, thirds())
    assert_same_model(rbm, fitted(n_iter=2))


STARTED, RELEASED = threading.Event(), threading.Event()


def slow_rows():
    """A task that waits; it shares the memory of the client."""
    STARTED.set()
    RELEASED.wait(60)
    return BITS


def test_ctrl_c_while_workers_are_at_work(client):
    """The signal itself; then the workers do other work."""
    main, rbm = threading.get_ident(), BERNOULLI.machine()

    def press():
        if STARTED.wait(60):
            signal.pthread_kill(main, signal.SIGINT)

    thread = threading.Thread(target=press)
    # A process that a script has put into the background ignores the signal.
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    thread.start()
    before = dict(vars(rbm))
    try:
        with pytest.raises(KeyboardInterrupt):
            fit(rbm, [dask.delayed(slow_rows, pure=False)()])
    finally:
        RELEASED.set()
        thread.join()
        signal.signal(signal.SIGINT, handler)
    assert vars(rbm) == before
    fitted(n_iter=1)
