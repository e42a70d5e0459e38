"""The twin of scikit-learn's callbacks for versions without them: a fit that nobody watches."""

import runpy
import sys

import pytest

from skrbm._estimator import callbacks

from ..helpers.callbacks import Hook, needs_callbacks
from ..helpers.comparison import assert_same_model
from ..helpers.models import models


class Twin(callbacks.CallbackFreeMixin):
    """A mixin of its own, as an estimator may have the twin among its bases already."""


def unwatched(model):
    """An estimator of a model, as with a version of scikit-learn that has no callbacks."""
    return type("Unwatched", (Twin, model.estimator), {})(**model.machine().get_params())


@needs_callbacks
def test_scikit_learns_own_mixin_is_used_where_there_is_one():
    from sklearn.callback import CallbackSupportMixin

    assert callbacks.CallbackSupportMixin is CallbackSupportMixin


def test_the_twin_is_used_where_there_is_none(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.callback", None)  # which makes the import fail
    names = runpy.run_path(callbacks.__file__)
    assert names["CallbackSupportMixin"] is names["CallbackFreeMixin"]


@models
def test_a_fit_without_callbacks_is_the_same_fit(model):
    X = model.rows()
    rbm = unwatched(model).fit(X)
    assert_same_model(rbm, model.machine().fit(X))
    assert rbm.n_iter_ == 3


@models
def test_callbacks_that_cannot_be_are_refused(model):
    assert not hasattr(unwatched(model), "set_callbacks")
    with pytest.raises(AttributeError, match=r"set_callbacks needs scikit-learn 1\.9 or later"):
        unwatched(model).set_callbacks(Hook(print))
