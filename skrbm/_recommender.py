"""RBMRecommender: ratings of items by users, as a regressor on pairs."""

import warnings
from copy import copy
from functools import partial
from numbers import Real
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.utils import check_random_state

from ._bernoulli import BernoulliRBM
from ._input.checks import StrOptions, fit_context
from ._input.parameters import Range
from ._recommending.addition import AdditionMethods
from ._recommending.ids import distinct
from ._recommending.machines import fit_sides, learned_weight
from ._recommending.pairs import read_pairs, read_ratings, scale_of, table_of
from ._recommending.prediction import PredictionMethods
from ._recommending.recommendation import RankingMethods
from ._recommending.saving import SavedRatings
from ._softmax import SoftmaxRBM

_MANY_ROWS = 1600  # of a table, for batches of 100


def _of_ratings(weight_decay, n_rows=_MANY_ROWS):
    """A machine of ratings for a table: an epoch of 16 updates or more, or few rows learn little.

    The learning rate follows the square root of the size of the batches.
    """
    batch_size = min(_MANY_ROWS, n_rows + 15) // 16
    return SoftmaxRBM(
        ordinal=True,
        batch_size=batch_size,
        learning_rate=round(0.006 * batch_size**0.5, 4),
        weight_decay=weight_decay,
    )


def _of_interest(n_rows=_MANY_ROWS):
    """The machine of interest, for a table of any size: smaller batches rank worse."""
    return BernoulliRBM(
        n_components=200, algorithm="cd", learning_rate=0.5, weight_decay=0.015, n_iter=30
    )


#: The machines that stand for None.
_DEFAULTS = {
    "rating_rbm": partial(_of_ratings, 0.003),
    "user_rbm": partial(_of_ratings, 0.008),
    "interest_rbm": _of_interest,
}
_MOST_SEED = 2**31 - 1


class RBMRecommender(
    AdditionMethods,
    PredictionMethods,
    RankingMethods,
    SavedRatings,
    RegressorMixin,
    BaseEstimator,
):
    """Recommender of items to users, by restricted Boltzmann machines of their ratings.

    A regressor on pairs: X has two columns, the id of a user and the id of an item, and y holds
    the ratings. So ``train_test_split``, ``cross_val_score`` and ``GridSearchCV`` of scikit-learn
    hold out ratings, not users. Ids are whatever can be a key: numbers, texts, tuples. Without y
    the pairs count alike, as what users have seen, bought or clicked (implicit feedback).

    Inside are up to three machines. Two predict ratings: a :class:`SoftmaxRBM` whose rows are
    items and whose visible units are users, and one whose rows are users. What is predicted is a
    blend of their distributions, with a weight learned on ratings that ``fit`` holds out for a
    while [1]_. The third, a :class:`BernoulliRBM` of which items each user has seen, tells the
    probability that the user is interested in an item. Recommendations are the items that the
    user is most likely to see and to like, by all three.

    Parameters
    ----------
    by : {"both", "items", "users"}, default="both"
        Which machines predict ratings: both and their blend, the one with items as rows, or the
        one with users as rows. "items" predicts better than "users" as a rule, and takes less
        than half of the time of "both".

    rating_rbm : SoftmaxRBM, default=None
        The machine of ratings with items as rows, not yet fitted. ``fit`` fits a clone. None
        means ``SoftmaxRBM(batch_size=100, learning_rate=0.06, ordinal=True, weight_decay=0.003)``
        and, where there are fewer than 1,600 items, batches of a sixteenth of the items with a
        learning rate of 0.006 times the square root of their size. Parameters of the machine are
        set as ``rating_rbm__n_components``, also in a grid search, and also those of the default
        machine, which is then that of many items: set ``rating_rbm__batch_size`` as well if there
        are few. Its ``categories`` become the distinct values of y.

    user_rbm : SoftmaxRBM, default=None
        The machine of ratings with users as rows. None means ``SoftmaxRBM(batch_size=100,
        learning_rate=0.06, ordinal=True, weight_decay=0.008)``, and smaller batches where there
        are fewer than 1,600 users, as for items.

    interest_rbm : BernoulliRBM, default=None
        The machine of seen items, with users as rows. None means ``BernoulliRBM(algorithm='cd',
        learning_rate=0.5, n_components=200, n_iter=30, weight_decay=0.015)``.

    validation_fraction : float, default=0.1
        Share of the ratings, drawn at random, that are held out while the weight of the blend is
        learned. All ratings are learned from afterwards. The weight is 0.5 if there are so few
        ratings that none would be held out.

    random_state : int, RandomState instance or None, default=None
        Draws the ratings to hold out, and the seed of each machine whose own ``random_state`` is
        None. An int gives the same result in each call.

    Attributes
    ----------
    user_ids_ : ndarray of shape (n_users,)
        Ids of users that have pairs, ascending if they have an order.

    item_ids_ : ndarray of shape (n_items,)
        Ids of items that have pairs.

    rating_scale_ : ndarray of shape (n_ratings,) or None
        The distinct ratings, ascending; None if y was None.

    liked_from_ : float or None
        The lowest rating of an item that the user likes: the median of ``ratings_`` after
        ``fit``, but not the lowest of several ratings; None without y.

    ratings_ : csr_array of shape (n_users, n_items)
        The ratings that predictions are given; ones if y was None.

    item_rbm_, user_rbm_ : SoftmaxRBM or None
        The fitted machines of ratings with items and with users as rows; None where there is no
        such machine.

    item_weight_ : float or None
        The share of ``item_rbm_`` in the blend of both machines.

    interest_rbm_ : BernoulliRBM
        The fitted machine of seen items.

    n_features_in_ : int
        2, the number of columns of X.

    feature_names_in_ : ndarray of shape (2,)
        Names of the columns of X in ``fit``. The attribute exists if all are strings.

    See Also
    --------
    SoftmaxRBM : The model of a table of ratings.
    BernoulliRBM : The model of a table of bits.

    Notes
    -----
    A prediction is given the ratings of ``fit`` and ``add``, without the rating of the pair
    itself. What is unknown gets a prior of what is known: a pair of an unknown user and a known
    item is predicted by the machine of users for a user without ratings, a pair of a known user
    and an unknown item by the machine of items for an item without ratings. If that machine is
    left out (``by``), the frequencies of the item's, or the user's, own ratings answer, shrunk
    towards those of all ratings as if there were ten more. Where nothing is known, the
    frequencies of all ratings do. (For a new user and a new item that ``add`` told of, the blend
    is of the frequencies of both.) Where y was None, the interest in an unknown item is the share
    of all pairs of users and items that are in X.

    Ratings that only rounding tells apart (0.3 and ``0.1 * 3``) are one rating. A pair that
    occurs twice with the same rating counts once.

    References
    ----------
    .. [1] Salakhutdinov, R., Mnih, A. & Hinton, G. (2007). Restricted Boltzmann machines for
       collaborative filtering. ICML. (The machine with users as rows.)
    .. [2] Georgiev, K. & Nakov, P. (2013). A non-IID framework for collaborative filtering with
       restricted Boltzmann machines. ICML. (Both kinds of rows.)

    Examples
    --------
    >>> from skrbm import RBMRecommender
    >>> X = [("ann", "Alien"), ("ann", "Brazil"), ("bob", "Alien"), ("bob", "Casablanca"),
    ...      ("cleo", "Brazil"), ("cleo", "Casablanca"), ("cleo", "Dune")]
    >>> y = [5, 3, 4, 2, 4, 1, 5]
    >>> recommender = RBMRecommender(random_state=0).fit(X, y)
    >>> recommender.predict([("ann", "Dune"), ("dan", "Alien")]).shape
    (2,)
    >>> items, scores = recommender.recommend(["ann", "dan"], n_items=2)
    >>> items.shape
    (2, 2)
    """

    _parameter_constraints: ClassVar = {
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
        """Learn from ratings, or from what users have seen.

        Parameters
        ----------
        X : {array-like, data frame} of shape (n_pairs, 2)
            Ids of users and of items, a pair a row: a frame of pandas or polars, an array, or a
            list of pairs.
        y : array-like of shape (n_pairs,), default=None
            Ratings, of at most 100 distinct values. None: the pairs are all that is known.

        Returns
        -------
        self : RBMRecommender
            The fitted recommender; unchanged if an error is raised.

        Raises
        ------
        ValueError
            If X has not two columns, or an id is missing; if a rating is missing, if there are
            too many distinct ratings, or if one pair has two of them.

        Warns
        -----
        UserWarning
            If all ratings are equal: then they say nothing, and only interest is learned.

        See Also
        --------
        add : Further pairs, without a new fit.

        Examples
        --------
        >>> from skrbm import RBMRecommender
        >>> X = [("ann", "Alien"), ("ann", "Brazil"), ("bob", "Alien"), ("cleo", "Brazil")]
        >>> recommender = RBMRecommender(by="items", random_state=0).fit(X, [5, 3, 4, 1])
        >>> recommender.rating_scale_
        array([1., 3., 4., 5.])
        >>> recommender.fit(X).interest_rbm_.components_.shape  # without ratings
        (200, 2)
        """
        learner = copy(self)
        learner._learn(X, y)
        self.__dict__ = learner.__dict__  # in one step: a fit that fails changes nothing
        return self

    def _learn(self, X, y):
        columns = read_pairs(self, X, reset=True)
        self.user_ids_, users = distinct(columns[0], "user")
        self.item_ids_, items = distinct(columns[1], "item")
        self.rating_scale_ = self.liked_from_ = None
        values = np.ones(len(users), np.float32)
        if y is not None:
            self.rating_scale_, codes = scale_of(read_ratings(y, users))
            values = self.rating_scale_[codes]
        self.ratings_ = table_of(users, items, values, self.user_ids_, self.item_ids_)
        if y is not None:
            # The lowest of several ratings is no praise, however frequent it is.
            self.liked_from_ = float(
                max(np.median(self.ratings_.data), self.rating_scale_[:2][-1])
            )
        self.item_rbm_ = self.user_rbm_ = self.item_weight_ = None
        # Drawn at once: no machine's numbers depend on which others there are.
        seeds = check_random_state(self.random_state).randint(_MOST_SEED, size=4)
        interest_rbm = self._machine("interest_rbm", seeds[3], len(self.user_ids_))
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
        self.interest_rbm_ = interest_rbm.fit(
            self._seen(np.arange(len(self.user_ids_)), len(self.item_ids_))
        )

    def _learn_ratings(self, seeds):
        """Fit the machines of ratings and, of two, the weight of their blend."""
        machines = {}
        if self.by != "users":
            machines["items"] = self._rating_machine("rating_rbm", seeds[0], len(self.item_ids_))
        if self.by != "items":
            machines["users"] = self._rating_machine("user_rbm", seeds[1], len(self.user_ids_))
        ratings = self.ratings_.astype(np.float32)
        scale = self.rating_scale_.astype(np.float32)
        if self.by == "both":
            self.item_weight_ = learned_weight(
                machines, ratings, scale, self.validation_fraction, seeds[2]
            )
        fitted = fit_sides(machines, ratings, scale)
        self.item_rbm_, self.user_rbm_ = fitted.get("items"), fitted.get("users")

    def _machine(self, name, seed, n_rows):
        """A new machine as a parameter describes it; its seed is its own if it has one."""
        given = getattr(self, name)
        machine = _DEFAULTS[name](n_rows) if given is None else clone(given)
        if machine.random_state is None:
            machine.random_state = int(seed)
        machine._validate_params()  # before other machines have learned for minutes
        return machine

    def _rating_machine(self, name, seed, n_rows):
        machine = self._machine(name, seed, n_rows)
        if not (isinstance(machine.categories, str) and machine.categories == "shared"):
            raise ValueError(
                f"{name} lists categories={machine.categories!r}, but in a recommender the "
                "categories are the distinct ratings of y. Leave them at 'shared'."
            )
        return machine

    # --- parameters ---

    def set_params(self, **params):
        """Set parameters, those of the machines as ``rating_rbm__n_components`` included.

        The default machine, that of many rows, takes the place of None where a parameter of it
        is set.

        Parameters
        ----------
        **params : dict
            Names and values.

        Returns
        -------
        self : RBMRecommender
            The recommender.

        See Also
        --------
        fit : Learn with these parameters.

        Examples
        --------
        >>> from skrbm import RBMRecommender
        >>> recommender = RBMRecommender().set_params(rating_rbm__n_components=50)
        >>> recommender.rating_rbm.n_components
        50
        """
        for name in {key.partition("__")[0] for key in params if "__" in key} & _DEFAULTS.keys():
            if params.get(name, getattr(self, name)) is None:
                params[name] = _DEFAULTS[name]()
        return super().set_params(**params)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # Pairs of ids are no table of numbers, which scikit-learn's general checks would pass.
        tags.input_tags.two_d_array = False
        tags.input_tags.string = tags.input_tags.categorical = True
        tags.target_tags.required = False
        return tags
