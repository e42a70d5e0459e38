"""Pairs that a recommender is told of after ``fit``: given, but not learned from."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .ids import joined
from .pairs import on_scale, overlaid, read_pairs, read_ratings, table_of


class AdditionMethods:
    """Mixin of the method that takes further pairs; it changes no machine."""

    def add(self, X, y=None):
        """Tell the fitted machines of further pairs, without a new fit.

        No parameter is learned. All later predictions and recommendations are given the new pairs
        as they are given those of ``fit``:

        - a user of ``fit``, or a new one, with users as rows: the distribution of every rating
          and interest given the user's old and new pairs is exactly that of the machine;
        - an item of ``fit``, or a new one, with items as rows: likewise;
        - what the machine with items as rows has learned of a user (and the machine with users
          as rows of an item) stays as it was, and it knows nothing of a new user. Predictions for
          new users come from the machine with users as rows, those for new items from the other,
          and interest does not rank new items. Only a new fit learns from the new pairs.

        Parameters
        ----------
        X : {array-like, data frame} of shape (n_pairs, 2)
            Ids of users and of items.
        y : array-like of shape (n_pairs,), default=None
            Ratings on the scale of ``fit``; None if ``fit`` was given none. A new rating takes
            the place of an old one of the same pair.

        Returns
        -------
        self : RBMRecommender
            The recommender. The machines are as they were.

        Raises
        ------
        ValueError
            If a rating is not on the scale; otherwise as in ``fit``.

        See Also
        --------
        fit : Learn from all pairs.

        Examples
        --------
        Users of this example like items whose number is even or odd as their own number is. The
        user 99 is new, and likes even items.

        >>> from skrbm import RBMRecommender
        >>> X = [(user, item) for user in range(20) for item in range(6) if (user + item) % 5]
        >>> y = [1 if (user + item) % 2 else 5 for user, item in X]
        >>> recommender = RBMRecommender("users", random_state=0).fit(X, y)
        >>> recommender = recommender.add([(99, 0), (99, 1)], [5, 1])
        >>> recommender.predict([(99, 2), (99, 3)]).round()
        array([5., 1.])
        """
        check_is_fitted(self)
        users, items = read_pairs(self, X)
        if (y is None) != (self.rating_scale_ is None):
            raise ValueError(
                "fit was given no ratings (y=None): add pairs without y."
                if self.rating_scale_ is None
                else "fit was given ratings y: add pairs with their ratings."
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
