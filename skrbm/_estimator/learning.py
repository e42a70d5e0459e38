"""Learning: from checked training data to a fitted estimator, wherever the data are."""

from copy import deepcopy
from dataclasses import replace

from sklearn.utils import check_random_state

from .._input.parameters import check_parameters
from .._machine.keys import draw_seed
from .._training.epoch import train_epoch
from .._training.stopping import EarlyStopping
from .fitted import features_of, snapshot


def learner_of(estimator):
    """A snapshot that learns of the data what the estimator itself learns only at the end.

    Its parameters are checked, even where scikit-learn does not, and its whole numbers are those
    of Python, which do not overflow.
    """
    learner = snapshot(estimator)
    check_parameters(learner)
    return learner


def learn(estimator, learner, data, seen, *, go_on, resume=False):
    """All epochs of a fit, each a task of scikit-learn's callbacks.

    Parameters
    ----------
    estimator : estimator instance
        Changed in one step, at the end; or when one of the interruptions of the data, such as
        Ctrl-C, ends learning after some epochs.
    learner : estimator instance
        A snapshot of the estimator that has learned the features of the data.
    data : LocalData, or what has its attributes and methods
        The training data.
    seen : dict
        What callbacks see of the data.
    go_on : bool
        Whether to go on with the fitted machine.
    resume : bool, default=False
        Whether the fitted machine is one of the epochs of this very fit.

    Returns
    -------
    estimator : estimator instance
    """
    random_state = check_random_state(learner.random_state)
    state = learner._state(data.rows, data.n_parts).copy() if go_on else None
    seed = state.seed if go_on else draw_seed(random_state)
    settings, stopping = learner._settings(learner.shuffle, data.n_parts), None
    if learner.early_stopping:
        stopping = EarlyStopping(learner.n_iter_no_change, learner.tol)
    data.prepare(learner, settings, seed)
    if go_on:
        # A fit that fails after some epochs must not leave their records behind.
        state.records = state.records[: state.n_records]
        if stopping is not None:
            stopping.start_from(state, data.measure(state))
    else:
        state = learner._initial_state(data.rows, settings, seed, random_state)
    first, n_done = (0, state.n_epochs) if resume else (state.n_updates, 0)
    settings = replace(settings, span=(first, data.n_updates(settings, learner.n_iter, first)))

    def attributes():
        # What a callback does to its copy must not reach the fit. Records are never written.
        old_names = dict.fromkeys(features_of(estimator))
        found = old_names | features_of(learner) | learner._attributes(state)
        return {k: v if k == "_records" else deepcopy(v) for k, v in found.items()}

    def adopt(state):
        return estimator._adopt(learner, state if stopping is None else stopping.result(state))

    n_epochs = max(0, learner.n_iter - n_done)
    fit_task = estimator._init_callback_context(max_subtasks=n_epochs)
    fit_task.call_on_fit_task_begin(estimator=estimator, **seen)
    finished = None
    try:
        for epoch in range(n_epochs):
            task = fit_task.subcontext(task_name="epoch")
            task.call_on_fit_task_begin(estimator=estimator, **seen)
            if epoch:  # an interrupted epoch keeps the last one; no further copy exists then
                finished = state.copy()
            sums = train_epoch(state, settings, data, None if stopping is None else stopping.judge)
            finished = state
            learner._report(state, sums)
            stop = task.call_on_fit_task_end(
                estimator=estimator, **seen, reconstruction_attributes=attributes
            )
            if stop or (stopping is not None and stopping.is_over):
                break
        if stopping is not None:
            state = stopping.result(state)
        fit_task.call_on_fit_task_end(
            estimator=estimator, **seen, reconstruction_attributes=attributes
        )
        learner._warn_of_divergence(state)
    except data.interruptions:
        if finished is not None:
            adopt(finished)
        raise
    return adopt(state)
