"""The page of questions names all that a fitted estimator has."""

import inspect
import re

import numpy as np
import pytest

import skrbm

from .helpers.project import ROOT

QUESTIONS = (ROOT / "docs" / "guide" / "questions.rst").read_text(encoding="utf-8")
NAMED = set(re.findall(r"``(\w+)", QUESTIONS))
ESTIMATORS = [skrbm.BernoulliRBM, skrbm.GaussianBernoulliRBM, skrbm.SoftmaxRBM]
#: What all estimators of scikit-learn have, and what makes an estimator.
ELSEWHERE = (
    r"get_params|set_params|get_metadata_routing|set_\w+_request|set_callbacks|from_sklearn"
)


def methods_of(estimator):
    functions = inspect.getmembers(estimator, callable)
    return {name for name, _ in functions if not re.match(rf"_|{ELSEWHERE}", name)}


@pytest.mark.parametrize("estimator", [*ESTIMATORS, skrbm.RBMRecommender])
def test_all_methods_are_named(estimator):
    assert methods_of(estimator) <= NAMED


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_all_attributes_are_named(estimator):
    X = np.tile([[0.0, 1.0], [1.0, 0.0]], (10, 1))
    fitted = estimator(2, n_iter=1, random_state=0).fit(X)
    held = {name for name in dir(fitted) if re.fullmatch(r"[a-z]\w*[a-z]_", name)}
    assert held <= NAMED
    assert {"components_", "n_features_in_"} <= held
