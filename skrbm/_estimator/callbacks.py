"""Callbacks of scikit-learn 1.9 and later, or a twin without callbacks for earlier versions."""

import sklearn


class _Task:
    """A task that nobody watches: it takes all calls of ``fit``, and never stops it."""

    def subcontext(self, **description):
        """A part of the task: nobody watches it either."""
        return self

    def call_on_fit_task_begin(self, **data):
        """Nobody to tell."""

    def call_on_fit_task_end(self, **data):
        """Nobody to tell, and nobody who stops the fit."""
        return False


class CallbackFreeMixin:
    """The twin of scikit-learn's CallbackSupportMixin: training asks it for the task of a fit."""

    @property
    def set_callbacks(self):
        """Absent, as in scikit-learn's own estimators of such a version."""
        raise AttributeError(
            f"{type(self).__name__}.set_callbacks needs scikit-learn 1.9 or later, but version "
            f"{sklearn.__version__} is installed. Install a later version, or leave out callbacks."
        )

    def _init_callback_context(self, **description):
        return _Task()


try:
    from sklearn.callback import CallbackSupportMixin
except ModuleNotFoundError:
    CallbackSupportMixin = CallbackFreeMixin

__all__ = ["CallbackFreeMixin", "CallbackSupportMixin"]
