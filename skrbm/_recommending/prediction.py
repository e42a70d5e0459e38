"""What a recommender says of pairs: expected ratings, their distributions, how good they are."""

import numpy as np
from sklearn.metrics import mean_absolute_error, root_mean_squared_error
from sklearn.utils import gen_batches
from sklearn.utils.validation import check_is_fitted

from .baselines import Biases
from .ids import look_up
from .machines import Side, blended
from .pairs import read_pairs, read_ratings, taken

_BLOCK = 2**22  # scores, or probabilities of ratings, that are held at a time


class PredictionMethods:
    """Mixin of the methods that take pairs of user and item; they read the estimator only."""

    def predict(self, X):
        """Expected rating of each pair.

        The prediction is given all ratings that ``fit`` and ``add`` have been told, except the
        rating of the pair itself.

        Parameters
        ----------
        X : {array-like, data frame} of shape (n_pairs, 2)
            Ids of users and of items, known or not.

        Returns
        -------
        ratings : ndarray of shape (n_pairs,)
            In units of y, and float32 if y was. Where y was None: the probability that the user
            is interested in the item, given all others that the user has seen.

        See Also
        --------
        predict_distribution : The whole distribution.
        rating_scores : How large the errors are.

        Examples
        --------
        Users of this example like items whose number is even or odd as their own number is.

        >>> from skrbm import RBMRecommender
        >>> X = [(user, item) for user in range(20) for item in range(6) if (user + item) % 5]
        >>> y = [1 if (user + item) % 2 else 5 for user, item in X]
        >>> recommender = RBMRecommender("items", random_state=0).fit(X, y)
        >>> recommender.predict([(0, 0), (0, 5)]).round()
        array([5., 1.])
        """
        users, items = self._codes(X)
        if self.rating_scale_ is None:
            return self._interest(users, items)
        return self._expectations(users, items)

    def predict_distribution(self, X):
        """Distribution of the rating of each pair over ``rating_scale_``.

        Parameters
        ----------
        X : {array-like, data frame} of shape (n_pairs, 2)
            Ids of users and of items, known or not.

        Returns
        -------
        proba : ndarray of shape (n_pairs, n_ratings)
            Probabilities of ``rating_scale_``.

        Raises
        ------
        ValueError
            If y was None: then there are no ratings.

        See Also
        --------
        predict : The expectation of this distribution.

        Examples
        --------
        Users of this example like items whose number is even or odd as their own number is.

        >>> from skrbm import RBMRecommender
        >>> X = [(user, item) for user in range(20) for item in range(6) if (user + item) % 5]
        >>> y = [1 if (user + item) % 2 else 5 for user, item in X]
        >>> recommender = RBMRecommender("items", random_state=0).fit(X, y)
        >>> recommender.rating_scale_
        array([1., 5.])
        >>> recommender.predict_distribution([(0, 0), (0, 5)]).round()
        array([[0., 1.],
               [1., 0.]])
        """
        users, items = self._codes(X)
        if self.rating_scale_ is None:
            raise ValueError(
                "there is no distribution of ratings, because fit was given none (y=None). Use "
                "predict, which gives the probability of interest."
            )
        return self._distributions(users, items, self._sides())

    def rating_scores(self, X, y):
        """Errors of ``predict`` on held-out ratings, beside those of biases.

        Parameters
        ----------
        X : {array-like, data frame} of shape (n_pairs, 2)
            Pairs that were not in the training data.
        y : array-like of shape (n_pairs,)
            Their ratings.

        Returns
        -------
        scores : dict
            "model" and "biases", each a dict of "rmse", the root of the mean squared error, and
            "mae", the mean absolute error. Biases are the mean rating plus a bias of the user
            and one of the item, by regularised least squares [1]_; a model worth its time must
            have smaller errors.

        Raises
        ------
        ValueError
            If y was None in ``fit``: then there are no ratings.

        See Also
        --------
        predict : The ratings whose errors these are.
        ranking_scores : How well the first recommendations meet held-out pairs.

        References
        ----------
        .. [1] Koren, Y. (2010). Factor in the neighbors: scalable and accurate collaborative
           filtering. ACM TKDD 4(1), section 2.1.

        Examples
        --------
        Users of this example like items whose number is even or odd as their own number is.

        >>> from skrbm import RBMRecommender
        >>> X = [(user, item) for user in range(20) for item in range(6) if (user + item) % 5]
        >>> y = [1 if (user + item) % 2 else 5 for user, item in X]
        >>> recommender = RBMRecommender("items", random_state=0).fit(X, y)
        >>> scores = recommender.rating_scores([(0, 0), (0, 5), (1, 4), (2, 3)], [5, 1, 1, 1])
        >>> scores["model"]["rmse"] < scores["biases"]["rmse"]
        True
        """
        users, items = self._codes(X)
        if self.rating_scale_ is None:
            raise ValueError("there is no error of ratings, because fit was given none (y=None).")
        y = read_ratings(y, users)
        biases = Biases(self.ratings_).predict(users, items)
        predictions = {
            "model": self._expectations(users, items),
            "biases": np.clip(biases, self.rating_scale_[0], self.rating_scale_[-1]),
        }
        return {
            name: {
                "rmse": float(root_mean_squared_error(y, predicted)),
                "mae": float(mean_absolute_error(y, predicted)),
            }
            for name, predicted in predictions.items()
        }

    # --- codes in place of ids ---

    def _codes(self, X):
        """The codes of users and of items; -1 for an unknown one."""
        check_is_fitted(self)
        users, items = read_pairs(self, X)
        return look_up(self.user_ids_, users, "user"), look_up(self.item_ids_, items, "item")

    def _sides(self):
        """The machines of ratings with their tables, by "items" or "users"."""
        scale, ratings = self.rating_scale_.astype(np.float32), self.ratings_.astype(np.float32)
        sides = {}
        if self.item_rbm_ is not None:
            sides["items"] = Side(self.item_rbm_, ratings.T.tocsr(), scale)
        if self.user_rbm_ is not None:
            sides["users"] = Side(self.user_rbm_, ratings, scale)
        return sides

    def _distributions(self, users, items, sides):
        """Distributions over ``rating_scale_`` for pairs of codes, in its dtype."""
        if not sides:  # one rating alone
            return np.ones((len(users), 1), self.rating_scale_.dtype)
        by = {"items": (items, users), "users": (users, items)}
        answers = [side.distributions(*by[name]) for name, side in sides.items()]
        p = blended(*answers, self.item_weight_) if len(answers) == 2 else answers[0][0]
        return p.astype(self.rating_scale_.dtype, copy=False)

    def _expectations(self, users, items):
        """Expected ratings of pairs of codes."""
        scale, sides = self.rating_scale_, self._sides()
        out = np.empty(len(users), scale.dtype)
        for block in blocks(len(users), len(scale)):
            out[block] = self._distributions(users[block], items[block], sides) @ scale
        return out

    def _interest(self, users, items):
        """Probabilities that users are interested in items, given what else they have seen."""
        n_known = self.interest_rbm_.n_features_in_
        known = (items >= 0) & (items < n_known)
        out = np.full(len(items), self.ratings_.nnz / np.prod(self.ratings_.shape, dtype=float))
        if known.any():
            needed, rows = np.unique(users[known], return_inverse=True)
            seen = self._seen(needed, n_known)
            out[known] = self.interest_rbm_.conditional_proba(seen, rows, items[known])
        return out

    def _seen(self, users, n_items):
        """Which of the first items users have seen, as ones; user -1 has seen none."""
        rows = taken(self.ratings_, users, n_items)
        rows.data = np.ones(rows.nnz, np.float32)
        return rows


def blocks(n, n_numbers):
    """Slices of n pairs, users or items, for each of which so many numbers are held."""
    return gen_batches(n, max(1, _BLOCK // n_numbers)) if n else ()
