"""A call that breaks a promise is found, and the number of a case decides the case."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import NotFittedError

from skrbm import BernoulliRBM

from .case import Case
from .promises import BrokenPromiseError, assert_result, observed


def raises(error):
    def call(X, estimator):
        raise error

    return call


def writes(X, estimator):
    X[0, 0] = 2


def changes(X, estimator):
    estimator.components_ = 1


def warns(X, estimator):
    warnings.warn("overflow encountered in cast", RuntimeWarning, stacklevel=1)


BREAKS = {
    "another error": raises(KeyError("a sentence of some length")),
    "no memory": raises(MemoryError("a sentence of some length")),
    "a subclass": raises(UnicodeDecodeError("utf-8", b"", 0, 1, "a sentence of some length")),
    "words of NumPy": raises(ValueError("operands could not be broadcast together with shapes")),
    "no sentence": raises(ValueError("wrong")),
    "writes": writes,
    "changes": changes,
    "warns": warns,
}


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array, sparse.lil_matrix])
@pytest.mark.parametrize("call", BREAKS.values(), ids=BREAKS)
def test_a_broken_promise_is_found(call, container):
    X, estimator = container(np.ones((2, 3))), BernoulliRBM()
    with pytest.raises(BrokenPromiseError):
        observed(lambda: call(X, estimator), [X], estimator, reads=True)


@pytest.mark.parametrize("error", [ValueError, TypeError, NotFittedError])
def test_an_error_that_is_a_sentence_breaks_none(error):
    sentence = error("X has 3 features, but the machine has 4.")
    call = raises(sentence)
    assert observed(lambda: call(1, 2), [], BernoulliRBM(), reads=True) == (None, sentence)


@pytest.mark.parametrize(
    ("result", "finite"),
    [
        (np.ones((2, 4)), False),
        (np.ones((2, 3), np.float16), False),
        (np.ones((2, 3), np.float64), False),
        (np.full((2, 3), np.nan, np.float32), True),
    ],
)
def test_a_wrong_result_is_found(result, finite):
    with pytest.raises(BrokenPromiseError):
        assert_result(result, [(2, 3)], np.dtype(np.float32), finite)


def test_the_number_decides_the_case():
    for number in range(20):
        first, second = Case(number).run(), Case(number).run()
        assert [line.partition(" at 0x")[0] for line in first.log] == [
            line.partition(" at 0x")[0] for line in second.log
        ]
