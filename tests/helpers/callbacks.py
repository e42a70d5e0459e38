"""Callbacks that write down or decide what happens in a fit."""

from importlib.util import find_spec

import pytest

needs_callbacks = pytest.mark.skipif(
    find_spec("sklearn.callback") is None, reason="scikit-learn < 1.9 has no callbacks"
)


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
