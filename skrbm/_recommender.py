"""RBMRecommender: ratings of items by users, as a regressor on pairs."""

import warnings
from copy import copy
from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ._bernoulli import BernoulliRBM
from ._input.checks import StrOptions, fit_context
from ._input.parameters import Range
from ._recommending.ids import distinct, joined
from ._recommending.machines import fit_sides, learned_weight
from ._recommending.pairs import (
    on_scale,
    overlaid,
    read_pairs,
    read_ratings,
    scale_of,
    table_of,
)
from ._recommending.prediction import PredictionMethods
from ._recommending.recommendation import RecommendationMethods
from ._softmax import SoftmaxRBM

#: The machines that stand for None.
_DEFAULTS = {
    "rating_rbm": lambda: SoftmaxRBM(n_components=100, conditional=True),
    "user_rbm": lambda: SoftmaxRBM(n_components=100, conditional=True, weight_decay=0.01),
    "interest_rbm": lambda: BernoulliRBM(n_components=100),
}
_MOST_SEED = 2**31 - 1


class RBMRecommender(PredictionMethods, RecommendationMethods, RegressorMixin, BaseEstimator):
    """Recommender of items to users by restricted Boltzmann machines of ratings.

    A regressor on pairs: X has two columns, the id of a user and the id of an item, and y holds
    the ratings. So scikit-learn's ``train_test_split``, ``cross_val_score`` and ``GridSearchCV``
    hold out ratings.

    Parameters
    ----------
    by : {"both", "items", "users"}, default="both"
    """

    _parameter_constraints = {
        "by": [StrOptions({"both", "items", "users"})],
        "rating_rbm": [SoftmaxRBM, None],
        "user_rbm": [SoftmaxRBM, None],
        "interest_rbm": [BernoulliRBM, None],
        "validation_fraction": [Range(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        by="both",
        *,
        rating_rbm=None,
        user_rbm=None,
        interest_rbm=None,
        validation_fraction=0.1,
        random_state=None,
    ):
        self.by = by
        self.rating_rbm = rating_rbm
        self.user_rbm = user_rbm
        self.interest_rbm = interest_rbm
        self.validation_fraction = validation_fraction
        self.random_state = random_state

    # --- learning ---

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Learn from ratings, or from what users have chosen."""
        learner = copy(self)
        learner._learn(X, y)
        self.__dict__ = learner.__dict__  # in one step: a fit that fails changes nothing
        return self

    def add(self, X, y=None):
        """Give predictions further pairs, without learning anew."""
        check_is_fitted(self)
        users, items = read_pairs(self, X)
        if (y is None) != (self.rating_scale_ is None):
            raise ValueError(
                f"fit was given {'no' if y is not None else 'some'} ratings y: give add "
                f"{'none' if y is not None else 'some'} either."
            )
        user_ids, users = joined(self.user_ids_, users, "user")
        item_ids, items = joined(self.item_ids_, items, "item")
        if y is None:
            values = np.ones(len(users), np.float32)
        else:
            values = on_scale(read_ratings(y, users), self.rating_scale_)
        new = table_of(users, items, values, user_ids, item_ids)
        ratings = overlaid(self.ratings_, new)
        vars(self).update(user_ids_=user_ids, item_ids_=item_ids, ratings_=ratings)
        return self

    def _learn(self, X, y):
        columns = read_pairs(self, X, reset=True)
        self.user_ids_, users = distinct(columns[0], "user")
        self.item_ids_, items = distinct(columns[1], "item")
        self.rating_scale_, values = None, np.ones(len(users), np.float32)
        if y is not None:
            self.rating_scale_, codes = scale_of(read_ratings(y, users))
            values = self.rating_scale_[codes]
        self.ratings_ = table_of(users, items, values, self.user_ids_, self.item_ids_)
        self.item_rbm_ = self.user_rbm_ = self.item_weight_ = None
        # Drawn at once: no machine's numbers depend on which others there are.
        seeds = check_random_state(self.random_state).randint(_MOST_SEED, size=4)
        if y is not None and len(self.rating_scale_) == 1:
            warnings.warn(
                f"all ratings in y are {self.rating_scale_[0]:g}: they do not tell what users "
                "like, only what interests them. predict returns this rating, and recommend ranks "
                "by interest. Pass y=None if the pairs are all that is known.",
                UserWarning,
                stacklevel=4,
            )
        elif y is not None:
            self._learn_ratings(seeds[:3])
        self.interest_rbm_ = self._machine("interest_rbm", seeds[3]).fit(
            self._seen(np.arange(len(self.user_ids_)), len(self.item_ids_))
        )

    def _learn_ratings(self, seeds):
        """Fit the machines of ratings and, of two, the weight of their blend."""
        machines = {}
        if self.by != "users":
            machines["items"] = self._machine("rating_rbm", seeds[0])
        if self.by != "items":
            machines["users"] = self._machine("user_rbm", seeds[1])
        ratings = self.ratings_.astype(np.float32)
        scale = self.rating_scale_.astype(np.float32)
        if self.by == "both":
            self.item_weight_ = learned_weight(
                machines, ratings, scale, self.validation_fraction, seeds[2]
            )
        fitted = fit_sides(machines, ratings, scale)
        self.item_rbm_, self.user_rbm_ = fitted.get("items"), fitted.get("users")

    def _machine(self, name, seed):
        """A new machine as a parameter describes it; its seed is its own if it has one."""
        given = getattr(self, name)
        machine = _DEFAULTS[name]() if given is None else clone(given)
        if machine.random_state is None:
            machine.random_state = int(seed)
        return machine

    # --- parameters ---

    def set_params(self, **params):
        """Set parameters, those of the machines as ``rating_rbm__n_components`` included.

        The default machine takes the place of None where a parameter of it is set.

        Parameters
        ----------
        **params : dict
            Names and values.

        Returns
        -------
        self : RBMRecommender
        """
        for name in {key.partition("__")[0] for key in params if "__" in key} - params.keys():
            if name in _DEFAULTS and getattr(self, name) is None:
                setattr(self, name, _DEFAULTS[name]())
        return super().set_params(**params)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # Pairs of ids are no table of numbers, which scikit-learn's general checks would pass.
        tags.input_tags.two_d_array = False
        tags.input_tags.string = tags.input_tags.categorical = True
        tags.target_tags.required = False
        return tags
