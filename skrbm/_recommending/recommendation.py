"""What a recommender suggests: items for users, items like others, how good rankings are."""

from numbers import Real

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._estimator.recommendations import best
from .._input.parameters import check_flag, check_integer, check_option
from .ids import flat, joined, look_up, shown
from .pairs import cells, frame, read_column, read_pairs, read_ratings
from .prediction import blocks
from .ranking import measures


class RankingMethods:
    """Mixin of the methods that rank items; they read the estimator only."""

    def recommend(
        self,
        users,
        n_items=10,
        *,
        exclude_seen=True,
        rank_by="liking",
        items=None,
        titles=None,
        as_frame=False,
    ):
        """The best items for each user, best first.

        Parameters
        ----------
        users : array-like of shape (n_users,)
            Ids. To a user without ratings the items are recommended that suit most users.
        n_items : int, default=10
            Number of items for each user.
        exclude_seen : bool, default=True
            Whether to leave out the items of the user's pairs in ``fit`` and ``add``.
        rank_by : {"liking", "interest", "rating"}, default="liking"
            - "interest": the probability that the user sees (rates, buys) the item at all, given
              what else the user has seen.
            - "rating": the expected rating, if the user rated the item. By itself it finds few
              of the items that users choose and like: it does not say whether the user would
              ever choose the item.
            - "liking": the probability that the user sees the item and rates it with
              ``liked_from_`` or more. Where ``fit`` was given no ratings, or equal ones alone,
              it is interest.
        items : array-like of shape (n_candidates,), default=None
            Ids of the only items to choose from. None: all.
        titles : dict or None, default=None
            Titles of items by id, for a column of the frame.
        as_frame : bool or {"pandas", "polars"}, default=False
            Whether to return a data frame; True means one of pandas.

        Returns
        -------
        items : ndarray of shape (n_users, n_items)
            Ids, as ``fit`` met them. None where there is no further item for the user. There
            are no more columns than items to choose from.
        scores : ndarray of shape (n_users, n_items)
            Probabilities or expected ratings; -inf where there is no item.
        frame : DataFrame
            In place of both, with ``as_frame``. One row per recommendation, with columns
            ``user``, ``rank`` (from 1), ``item``, ``title`` if titles are given, and ``score``.

        Raises
        ------
        ValueError
            If ``rank_by="rating"``, but ``fit`` was given no ratings, or equal ones alone.

        See Also
        --------
        predict : Expected ratings of chosen pairs.
        ranking_scores : How well the first recommendations meet held-out pairs.

        Examples
        --------
        Users of this example like items whose number is even or odd as their own number is.

        >>> from skrbm import RBMRecommender
        >>> X = [(user, item) for user in range(20) for item in range(6) if (user + item) % 5]
        >>> y = [1 if (user + item) % 2 else 5 for user, item in X]
        >>> recommender = RBMRecommender("items", random_state=0).fit(X, y)
        >>> items, scores = recommender.recommend([0, 1], n_items=1)
        >>> items
        array([[0],
               [4]])
        """
        check_is_fitted(self)
        n_items = check_integer("n_items", n_items, 1)
        self._check_rank_by(rank_by)
        check_flag("exclude_seen", exclude_seen)
        if not isinstance(as_frame, bool | np.bool_) and not (
            isinstance(as_frame, str) and as_frame in ("pandas", "polars")
        ):
            raise ValueError(f"as_frame must be a bool, 'pandas' or 'polars'. Got {as_frame!r}.")
        if titles is not None and not as_frame:
            raise ValueError("titles are a column of the frame: pass as_frame=True with them.")
        if titles is not None and not hasattr(titles, "get"):
            raise TypeError(
                "titles must be a dict from ids of items to titles, or a series with ids as "
                f"index. Got a {type(titles).__name__}."
            )
        ids = read_column(users, "users")
        codes = look_up(self.user_ids_, ids, "user")
        chosen, scores = self._best(codes, n_items, exclude_seen, rank_by, self._candidates(items))
        items = self.item_ids_[chosen]
        if (chosen < 0).any():
            items = np.where(chosen < 0, None, items)
        if not as_frame:
            return items, scores
        rows, ranks = np.nonzero(chosen >= 0)
        columns = {"user": ids[rows], "rank": ranks + 1, "item": items[rows, ranks]}
        if titles is not None:
            columns["title"] = _titles(titles, columns["item"])
        columns["score"] = scores[rows, ranks]
        return frame(columns, as_frame)

    def similar_items(self, items, n_items=10):
        """The items that are most like each item, for those who see them.

        The similarity of two items is the cosine of the angle between their weights in
        ``interest_rbm_``: what the one says about a user's interests, and the other.

        Parameters
        ----------
        items : array-like of shape (n_queries,)
            Ids of items that ``fit`` has seen.
        n_items : int, default=10
            Number of similar items for each; the item itself is none of them.

        Returns
        -------
        items : ndarray of shape (n_queries, n_items)
            Ids, the most similar first. No more columns than there are other items.
        similarities : ndarray of shape (n_queries, n_items)
            From -1 to 1.

        Raises
        ------
        ValueError
            If ``fit`` has not seen an item.

        See Also
        --------
        recommend : Items for a user, by all that the user has seen.

        Examples
        --------
        Users of this example see the items 0 and 5 together, or neither of them.

        >>> from skrbm import RBMRecommender
        >>> X = [(user, item) for user in range(20) for item in range(6) if (user + item) % 5]
        >>> recommender = RBMRecommender(random_state=0).fit(X)
        >>> items, similarities = recommender.similar_items([0, 5], n_items=1)
        >>> items
        array([[5],
               [0]])
        """
        check_is_fitted(self)
        n_items = check_integer("n_items", n_items, 1)
        ids = read_column(items, "items")
        codes = look_up(self.item_ids_, ids, "item")
        weights = self.interest_rbm_.components_.T
        unknown = (codes < 0) | (codes >= len(weights))
        if unknown.any():
            raise ValueError(
                f"nothing was learned of the item {shown(ids, np.argmax(unknown))}: no pair in "
                "fit has it. Fit again with pairs of this item."
            )
        lengths = np.linalg.norm(weights, axis=1, keepdims=True)
        directions = weights / np.where(lengths > 0, lengths, 1)
        places = np.empty((len(codes), min(n_items, len(weights) - 1)), np.int64)
        similarities = np.empty(places.shape, weights.dtype)
        for block in blocks(len(codes), len(weights)):
            own = codes[block]
            scores = directions[own] @ directions.T
            scores[np.arange(len(own)), own] = -np.inf
            places[block], similarities[block] = best(scores, places.shape[1])
        return self.item_ids_[places], similarities

    def ranking_scores(self, X, y=None, k=10, *, relevant_from=None, rank_by="liking"):
        """How well the first k recommendations meet held-out pairs, beside popularity.

        Each user of X is recommended k items among all that ``fit`` knows and the user has not
        seen. An item is relevant to the user if X holds the pair. The scores are means over the
        users with at least one relevant item.

        Parameters
        ----------
        X : {array-like, data frame} of shape (n_pairs, 2)
            Pairs that were not in the training data. A pair that the user has seen in ``fit`` or
            ``add`` is left out, for it is not recommended either. An item that ``fit`` has not
            seen stays, as one that no ranking finds.
        y : array-like of shape (n_pairs,), default=None
            Ratings of the pairs, for ``relevant_from``.
        k : int, default=10
            Number of recommendations.
        relevant_from : float, default=None
            The lowest rating of a relevant item. None: all pairs are relevant.
        rank_by : {"liking", "interest", "rating"}, default="liking"
            As in ``recommend``.

        Returns
        -------
        scores : dict
            "model" and "popularity", each a dict of the measures below. Popularity recommends to
            everybody the items with the most pairs.

        Raises
        ------
        ValueError
            If X holds no relevant pair that is new; if ``relevant_from`` is given without y; if
            ``rank_by="rating"``, but ``fit`` was given no ratings, or equal ones alone.

        See Also
        --------
        recommend : The recommendations that are judged.
        rating_scores : Errors of predicted ratings.

        Notes
        -----
        For a user with n relevant items, of which the places 1 to k of the ranking hold some:

        - "precision": the share of the k places that hold a relevant item;
        - "recall": the share of the n relevant items that are in these places;
        - "ndcg": the sum of ``1 / log2(place + 1)`` over the places of relevant items, as a
          share of the largest sum that is possible [1]_;
        - "map": average precision: the sum, over the places of relevant items, of the precision
          up to the place, divided by ``min(n, k)`` [2]_.

        References
        ----------
        .. [1] Järvelin, K. & Kekäläinen, J. (2002). Cumulated gain-based evaluation of IR
           techniques. ACM TOIS 20(4).
        .. [2] Manning, C., Raghavan, P. & Schütze, H. (2008). Introduction to information
           retrieval. Cambridge University Press, section 8.4.

        Examples
        --------
        Users of this example like items whose number is even or odd as their own number is.

        >>> from skrbm import RBMRecommender
        >>> X = [(user, item) for user in range(20) for item in range(6) if (user + item) % 5]
        >>> y = [1 if (user + item) % 2 else 5 for user, item in X]
        >>> recommender = RBMRecommender("items", random_state=0).fit(X, y)
        >>> scores = recommender.ranking_scores([(0, 0), (1, 4), (2, 3)], k=1)
        >>> sorted(scores["model"])
        ['map', 'ndcg', 'precision', 'recall']
        >>> scores["model"]["recall"]
        1.0
        """
        check_is_fitted(self)
        k = check_integer("k", k, 1)
        self._check_rank_by(rank_by)
        users, items = read_pairs(self, X)
        kept = _relevant(y, relevant_from, users)
        # Unknown users, too, are told apart.
        users = joined(self.user_ids_, users[kept], "user")[1]
        item_ids, items = joined(self.item_ids_, items[kept], "item")
        relevant = np.setdiff1d(users * len(item_ids) + items, cells(self.ratings_, len(item_ids)))
        if len(relevant) == 0:
            raise ValueError(
                "X holds no relevant pair that is not in the training data: there is nothing to "
                "find. Pass held-out pairs, or a lower relevant_from."
            )
        users, n_relevant = np.unique(relevant // len(item_ids), return_counts=True)
        known = np.where(users < len(self.user_ids_), users, -1)
        everything = self._candidates(None)
        ranked = {
            "model": self._best(known, k, True, rank_by, everything)[0],
            "popularity": self._best(known, k, True, "popularity", everything)[0],
        }
        scores = {}
        for name, chosen in ranked.items():
            hits = (chosen >= 0) & np.isin(users[:, np.newaxis] * len(item_ids) + chosen, relevant)
            short = k - hits.shape[1]  # where there are fewer items than k
            scores[name] = measures(np.pad(hits, ((0, 0), (0, short))), n_relevant)
        return scores

    # --- codes in place of ids ---

    def _candidates(self, items):
        """Codes of the items to choose from, ascending."""
        if items is None:
            return np.arange(len(self.item_ids_))
        ids = read_column(items, "items")
        codes = look_up(self.item_ids_, ids, "item")
        if (codes < 0).any():
            raise ValueError(
                f"items holds {shown(ids, np.argmin(codes))}, which no pair in fit or add has: "
                "nothing is known of the item. Leave it out."
            )
        return np.unique(codes)

    def _best(self, users, n_items, exclude_seen, rank_by, candidates):
        """Codes of the best items for user codes, -1 where there is none, and their scores."""
        n_items = min(n_items, len(candidates))
        chosen = np.empty((len(users), n_items), np.int64)
        dtype = np.float64 if self.rating_scale_ is None else self.rating_scale_.dtype
        scores = np.empty(chosen.shape, dtype)
        score = self._scorer(rank_by, candidates)
        n_ratings = 1 if self.rating_scale_ is None else len(self.rating_scale_)
        for block in blocks(len(users) if n_items else 0, len(self.item_ids_) * n_ratings):
            own = score(users[block])
            if exclude_seen:
                seen = self._seen(users[block], len(self.item_ids_))
                own[seen.toarray()[:, candidates] > 0] = -np.inf
            places, scores[block] = best(own, n_items)
            chosen[block] = np.where(places >= 0, candidates[places], -1)
        return chosen, scores

    def _scorer(self, rank_by, candidates):
        """A function that gives scores (n_users, n_candidates) for codes of users."""
        if rank_by == "popularity":
            counts = np.bincount(self.ratings_.indices, minlength=len(self.item_ids_))
            return lambda users: np.tile(counts[candidates].astype(float), (len(users), 1))
        if rank_by == "interest" or not self._tells_ratings():
            return lambda users: self._interests(users)[:, candidates]
        sides = self._sides()
        liked = self.rating_scale_ >= self.liked_from_

        def score(users):
            pairs = np.repeat(users, len(candidates)), np.tile(candidates, len(users))
            p = self._distributions(*pairs, sides)
            if rank_by == "rating":
                return (p @ self.rating_scale_).reshape(len(users), len(candidates))
            interest = self._interests(users)[:, candidates]
            likes = (p @ liked).reshape(interest.shape)
            return np.multiply(interest, likes, out=interest, where=interest >= 0)

        return score

    def _interests(self, users):
        """Probabilities of interest in all items; -inf for items of ``add``."""
        n_known = self.interest_rbm_.n_features_in_
        p = self.interest_rbm_.conditional_proba(self._seen(users, n_known))
        new = len(self.item_ids_) - n_known
        return np.pad(p, ((0, 0), (0, new)), constant_values=-np.inf)

    def _tells_ratings(self):
        """Whether there are ratings that differ."""
        return self.rating_scale_ is not None and len(self.rating_scale_) > 1

    def _check_rank_by(self, rank_by):
        check_option("rank_by", rank_by, ("liking", "interest", "rating"))
        if rank_by == "rating" and not self._tells_ratings():
            given = "no ratings (y=None)" if self.rating_scale_ is None else "equal ratings alone"
            raise ValueError(
                f"rank_by='rating' cannot tell items apart, because fit was given {given}. Use "
                "rank_by='interest'."
            )


def _relevant(y, relevant_from, users):
    """Which pairs are of relevant items."""
    ratings = None if y is None else read_ratings(y, users)
    if relevant_from is None:
        return np.ones(len(users), bool)
    if y is None or not isinstance(relevant_from, Real):
        raise ValueError(
            "relevant_from is the lowest rating of a relevant item, a number, and needs the "
            f"ratings y of the pairs. Got {relevant_from!r} and {'no' if y is None else 'some'} y."
        )
    return ratings >= relevant_from


def _titles(titles, items):
    """Titles of items; None where there is no title."""
    return flat([titles.get(item) for item in items.tolist()])
