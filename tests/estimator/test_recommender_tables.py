"""scikit-learn's checks of regressors, by an adapter from tables of numbers to pairs."""

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import check_is_fitted, validate_data

from ..helpers.recommenders import recommender


class OnTables(RegressorMixin, BaseEstimator):
    """A recommender whose users are rows, whole as they are, and whose items are of one feature.

    Ratings are five steps between the lowest and the highest target.
    """

    def __init__(self, recommender=None):
        self.recommender = recommender

    def fit(self, X, y):
        X, y = validate_data(self, X, y, y_numeric=True)
        steps = np.linspace(y.min(), y.max(), 5)
        y = steps[np.abs(y[:, np.newaxis] - steps).argmin(axis=1)]
        self.recommender_ = clone(self.recommender).fit(_pairs(X), y)
        return self

    def predict(self, X):
        check_is_fitted(self)
        return self.recommender_.predict(_pairs(validate_data(self, X, reset=False)))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        return tags


def _pairs(X):
    return [(tuple(row), np.floor(row[0])) for row in X.tolist()]


@parametrize_with_checks([OnTables(recommender(by)) for by in ("both", "items", "users")])
def test_scikit_learns_checks_pass(estimator, check):
    check(estimator)
