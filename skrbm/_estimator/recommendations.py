"""Recommendations: the entries with the highest scores, of each row or of chosen columns."""

from abc import abstractmethod

import numpy as np

from .._input.parameters import check_flag, check_integer
from .queries import check_numbers

_NUMBERS = 2**22  # scores of all rows in some columns that are held at a time


class RecommendationMethods:
    """Mixin of models that score an entry given the other entries of its row."""

    @abstractmethod
    def _entry_scores(self, rows, machine, features):
        """Yield a slice of rows, which entries they observe (n, F), and scores of all (n, F).

        ``features`` are the numbers of F features, ascending. Scores may be written to.
        """

    def recommend(self, X, n_items=10, *, columns=None, exclude_observed=True, as_names=False):
        """The entries with the highest scores: of each row, or of chosen columns; best first.

        The score of an entry is given the other entries of its row, exactly. ``SoftmaxRBM``: the
        expectation, as in ``predict_ratings``. ``BernoulliRBM``: the probability of a 1, as in
        ``conditional_proba``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            What is known, such as the ratings of users (rows) for films (columns), or of films
            (rows) by users (columns).
        n_items : int, default=10
            Number of recommendations; no more than there are.
        columns : array-like of int of shape (n_columns,), default=None
            None: each row gets features, as users who are rows get films. Numbers of columns: each
            of these columns gets rows of X, as users who are columns get films. Only the scores
            in these columns are computed.
        exclude_observed : bool, default=True
            Whether to leave out the entries that X observes: in ``SoftmaxRBM`` those that are not
            missing, in ``BernoulliRBM`` those above 0.
        as_names : bool, default=False
            Whether to return names in place of numbers: names of features, if ``fit`` has seen
            some, or with ``columns`` the index of X, a pandas frame.

        Returns
        -------
        ids : ndarray of shape (n_samples, min(n_items, ``n_features_in_``)), or of shape \
(n_columns, min(n_items, n_samples))
            Numbers of features, or of rows of X. Of equal scores the first comes first. Where
            fewer are left than asked for, the last places hold -1 (or the name None): look at
            ``ids >= 0`` before you use ids as an index.
        scores : ndarray of the shape of ids
            Their scores, in the float dtype of X; -inf where the id is -1.

        Raises
        ------
        ValueError
            If ``as_names=True`` but there are no names; if an entry of ``columns`` is no number of
            a column.

        See Also
        --------
        RBMRecommender : Recommends items of pairs of user and item.
        conditional_proba : The scores of ``BernoulliRBM``, and distributions of ``SoftmaxRBM``.

        Examples
        --------
        >>> import numpy as np
        >>> from skrbm import BernoulliRBM
        >>> X = np.array([[1, 1, 0, 0], [0, 0, 1, 1]] * 50)
        >>> rbm = BernoulliRBM(n_components=2, batch_size=10, random_state=0).fit(X)
        >>> ids, scores = rbm.recommend([[1, 0, 0, 0], [0, 0, 0, 1]], n_items=1)
        >>> ids.ravel()
        array([1, 2])
        """
        fitted = self._fitted()
        rows, machine = fitted._read(X)
        n_choices = rows.n_features if columns is None else rows.n_rows
        n_items = min(check_integer("n_items", n_items, 1), n_choices)
        for name, given in (("exclude_observed", exclude_observed), ("as_names", as_names)):
            check_flag(name, given)
        names = _names(fitted, X, columns) if as_names else None
        if columns is None:
            features, n_answers = np.arange(rows.n_features), rows.n_rows
        else:
            columns = check_numbers("columns", columns, rows.n_features)
            features, which = np.unique(columns, return_inverse=True)
            n_answers = len(features)
        ids = np.empty((n_answers, n_items), np.int64)
        scores = np.empty(ids.shape, rows.dtype)
        if columns is None:
            for block, found in fitted._open_scores(rows, machine, features, exclude_observed):
                ids[block], scores[block] = best(found, n_items)
        else:
            step = max(1, _NUMBERS // rows.n_rows)
            for part in (slice(k, k + step) for k in range(0, n_answers, step)):
                found = np.empty((len(features[part]), rows.n_rows))
                for block, scored in fitted._open_scores(
                    rows, machine, features[part], exclude_observed
                ):
                    found[:, block] = scored.T
                ids[part], scores[part] = best(found, n_items)
            ids, scores = ids[which], scores[which]
        return ids if names is None else names[ids], scores

    def _open_scores(self, rows, machine, features, exclude_observed):
        """Yield slices of rows and their scores; -inf where an entry is left out."""
        for block, observed, scores in self._entry_scores(rows, machine, features):
            if exclude_observed:
                scores[observed] = -np.inf
            yield block, scores


def _names(estimator, X, columns):
    """Names of features, or of the rows of X; the last one is None, for the number -1."""
    if columns is not None:
        if not all(hasattr(X, name) for name in ("index", "columns")):
            raise ValueError(
                "as_names=True with columns takes names from the index of X, a pandas frame, but "
                f"X is of type {type(X).__name__}. Pass a frame, or as_names=False."
            )
        return np.append(np.asarray(X.index, object), None)
    return np.append(names_of_features(estimator), None)


def names_of_features(estimator):
    """Names of the features that ``fit`` has seen, as an array of objects."""
    names = vars(estimator).get("feature_names_in_")
    if names is None:
        raise ValueError(
            f"as_names=True needs names of features, but {type(estimator).__name__} was fitted "
            "without any. Fit it on a data frame whose columns are strings, or pass "
            "as_names=False."
        )
    return np.asarray(names, object)


def best(scores, n):
    """Where the n best scores of each row are, and these scores; of equal ones the first.

    A place is -1 where the row has no further score above -inf.
    """
    ids = np.empty((len(scores), n), np.int64)
    for r, row in enumerate(np.ascontiguousarray(scores)):
        ids[r] = _largest(row, n)
    highest = np.take_along_axis(scores, ids, axis=1)
    ids[np.isneginf(highest)] = -1
    return ids, highest


def _largest(scores, n):
    """Where the n largest scores are, in descending order; of equal ones the first are."""
    candidates = np.flatnonzero(scores >= np.partition(scores, -n)[-n])
    if len(candidates) < n:
        raise ValueError(
            "some scores are NaN, because fitted arrays hold NaN, or infinite weights: such "
            "scores have no order. Call fit with warm_start=False to start again."
        )
    return candidates[np.argsort(-scores[candidates], kind="stable")[:n]]
