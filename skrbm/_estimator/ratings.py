"""What only a machine of categories can be asked: predictions of entries, recommendations."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_scalar
from sklearn.utils.validation import check_is_fitted

from .._input.parameters import check_option
from .._machine.onehot import Categories, cumulated
from .._machine.softmax import BLOCK
from .features import FittedMethods

_QUERY_ROWS = 4096  # whose hidden inputs are held at a time


class RatingMethods(FittedMethods):
    """Mixin of the methods that ask for one entry of a row given the others."""

    def predict_ratings(self, X, rows=None, columns=None, *, method="exact"):
        """Expectation of an entry over the values of its categories, given its row.

        Given are the observed entries of the row, without the entry asked for if it is one of
        them. Rows need not be those of the fit.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            What is known; NaN, or absent from a sparse matrix, is missing.
        rows, columns : array-like of int of shape (n_queries,), default=None
            Query q asks for entry (rows[q], columns[q]). None, both of them: all entries.
        method : {"exact", "mean_field"}, default="exact"
            How the hidden units are summed out. "exact": over all their states, at
            O(n_components) per category, as the sum factorises (Salakhutdinov, Mnih & Hinton,
            2007, section 2.3). "mean_field": they are set to their means given the row, which
            is an approximation.

        Returns
        -------
        ratings : ndarray of shape (n_samples, n_features), or (n_queries,)
            Expectations in units of X, in its float dtype.

        Raises
        ------
        ValueError
            If only one of rows and columns is given, they differ in length, or point outside X.
        """
        mean_field = _check_method(method)
        v, rbm = self._read(X)
        if rows is None and columns is None:
            out = np.empty((v.shape[0], rbm.visible.categories.n_features), rbm.weights.dtype)
            for batch, _, means in _all_means(v, rbm, mean_field):
                out[batch] = means.T
            return out
        out = np.empty(np.shape(rows), rbm.weights.dtype)
        for queries, _, asked in _queries(v, rbm, rows, columns):
            out[queries] = rbm.visible.conditional_means(*asked, mean_field)
        return out

    def conditional_proba(self, X, rows=None, columns=None, *, method="exact"):
        """Distribution of an entry over its categories, given its row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            As of ``predict_ratings``, which gives the expectations.
        rows, columns : array-like of int of shape (n_queries,), default=None
            Query q asks for entry (rows[q], columns[q]). None, both of them: all entries.
        method : {"exact", "mean_field"}, default="exact"
            As of ``predict_ratings``.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_features, n_categories), or (n_queries, \
n_categories)
            Probabilities of ``categories_[i]`` for feature i. ``n_categories`` is the largest
            number of categories of a feature; what others lack of it is 0.

        Raises
        ------
        ValueError
            As ``predict_ratings``.
        """
        mean_field = _check_method(method)
        v, rbm = self._read(X)
        categories = rbm.visible.categories
        if rows is None and columns is None:
            out = np.zeros((v.shape[0], categories.n_features, categories.most), rbm.weights.dtype)
            held = np.arange(categories.most) < categories.sizes[:, np.newaxis]
            for batch, asked in _all_entries(v, rbm, categories.most):
                n = batch.stop - batch.start
                p = np.zeros((categories.n_features, n, categories.most), out.dtype)
                log_p, _ = rbm.visible.log_conditionals(*asked, mean_field)
                p[np.repeat(held[:, np.newaxis], n, axis=1)] = np.exp(log_p)
                out[batch] = p.transpose(1, 0, 2)
            return out
        out = np.zeros((*np.shape(rows), categories.most), rbm.weights.dtype)
        for queries, features, asked in _queries(v, rbm, rows, columns):
            log_p, _ = rbm.visible.log_conditionals(*asked, mean_field)
            p = np.zeros((len(queries), categories.most), out.dtype)
            p[np.arange(categories.most) < categories.sizes[features, np.newaxis]] = np.exp(log_p)
            out[queries] = p
        return out

    def recommend(self, X, n_items=10, *, exclude_observed=True):
        """The features with the highest expectations for each row, best first.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            What is known; NaN, or absent from a sparse matrix, is missing.
        n_items : int, default=10
            Number of features for each row.
        exclude_observed : bool, default=True
            Whether to leave out what the row itself, as given here, has observed.

        Returns
        -------
        ids : ndarray of shape (n_samples, n_items)
            Numbers of features, of equal ones the first; -1 where a row has not so many left.
        scores : ndarray of shape (n_samples, n_items)
            Their expectations, as of ``predict_ratings``; -inf where the id is -1.
        """
        v, rbm = self._read(X)
        check_scalar(n_items, "n_items", Integral, min_val=1)
        ids = np.full((v.shape[0], n_items), -1, np.int64)
        scores = np.full((v.shape[0], n_items), -np.inf, rbm.weights.dtype)
        n_best = min(n_items, rbm.visible.categories.n_features)
        for batch, own, means in _all_means(v, rbm):
            if exclude_observed:
                means[own >= 0] = -np.inf
            for r, expectation in enumerate(np.ascontiguousarray(means.T), start=batch.start):
                best = _largest(expectation, n_best)
                ids[r, :n_best], scores[r, :n_best] = best, expectation[best]
        ids[np.isneginf(scores)] = -1
        return ids, scores

    def top_features(self, component, n=10, category=None):
        """The features that a hidden unit speaks for most strongly.

        Parameters
        ----------
        component : int
            Number of the hidden unit.
        n : int, default=10
            Number of features.
        category : float, default=None
            Speaks for this category: the score is by how much the unit, when on, raises the
            input of the category, compared with the mean over the categories of the feature.
            Features without the category are left out. None: speaks for high values: the score
            is the slope of the weights over the values of the categories (least squares), by
            how much a feature's log-odds grow per unit of X.

        Returns
        -------
        ids : ndarray of shape (n,)
            Numbers of features, the strongest first; fewer if fewer have the category.
        scores : ndarray of shape (n,)
            In nats, or nats per unit of X.

        Raises
        ------
        ValueError
            If there is no such hidden unit, or no feature has the category.
        """
        check_is_fitted(self)
        n_components = self.components_.shape[0]
        check_scalar(component, "component", Integral, min_val=0, max_val=n_components - 1)
        check_scalar(n, "n", Integral, min_val=1)
        categories = Categories(self.categories_)
        offsets, values = categories.offsets, categories.values
        sizes = categories.sizes

        def centred(a):
            return a - np.repeat(np.add.reduceat(a, offsets[:-1]) / sizes, sizes)

        weights = centred(self.components_[component].astype(np.float64))
        if category is None:
            spread = centred(values)
            squares = np.add.reduceat(spread**2, offsets[:-1])
            products = np.add.reduceat(spread * weights, offsets[:-1])
            # A feature of one category has nothing to say.
            scores = np.divide(products, squares, out=np.zeros_like(products), where=squares > 0)
            features = np.arange(len(sizes))
        else:
            check_scalar(category, "category", Real)
            dtype = categories.dtype.type
            if isinstance(category, np.floating) and category.itemsize < dtype().itemsize:
                dtype = type(category)
            codes = np.flatnonzero(values.astype(dtype) == dtype(category))
            if len(codes) == 0:
                raise ValueError(
                    f"category={category!r} is none of the categories of any feature, which are "
                    f"{np.array2string(np.unique(values), threshold=12, separator=', ')}."
                )
            scores, features = weights[codes], categories.feature_of[codes]
        best = np.argsort(-scores, kind="stable")[:n]
        return features[best].astype(np.int64), scores[best]


# --- entries asked for, a block at a time ----------------------------------------------------


def _all_entries(v, rbm, n_numbers):
    """Yield rows (a slice) and the arguments that ask for all their entries, feature by feature.

    Blocks are such that ``n_numbers`` per entry are few.
    """
    categories, n_hidden = rbm.visible.categories, rbm.weights.shape[1]
    n_features = categories.n_features
    for batch in v.blocks(max(n_features * n_numbers, n_hidden), 0, BLOCK):
        part = v[batch]
        n = part.shape[0]
        start, entry, row = part.by_feature(categories)
        own = np.full((n_features, n), -1, np.int32)
        own[np.repeat(np.arange(n_features), np.diff(start)), row] = part.entries[entry]
        every_row = np.tile(np.arange(n, dtype=np.int32), n_features)
        start = n * np.arange(n_features + 1)
        yield batch, (rbm.hidden_input(part), rbm.weights, start, every_row, own.ravel())


def _all_means(v, rbm, mean_field=False):
    """Yield rows (a slice), own codes (D, n) and the expectations (D, n) of all their entries."""
    for batch, asked in _all_entries(v, rbm, 1):
        shape = rbm.visible.categories.n_features, batch.stop - batch.start
        means = rbm.visible.conditional_means(*asked, mean_field)
        yield batch, asked[-1].reshape(shape), means.reshape(shape)


def _queries(v, rbm, rows, columns):
    """Yield numbers of queries, their features, and the arguments that ask for them."""
    categories = rbm.visible.categories
    n_features = categories.n_features
    rows, columns = _check_queries(rows, columns, v.shape[0], n_features)
    by_row = np.argsort(rows, kind="stable")
    most = max(1, BLOCK // categories.most)
    first = 0
    while first < len(rows):
        # Queries of so many rows, and not too many of them.
        last_row = rows[by_row[first]] + _QUERY_ROWS
        stop = np.searchsorted(rows, last_row, sorter=by_row)
        queries = by_row[first : min(stop, first + most)]
        first += len(queries)
        queries = queries[np.argsort(columns[queries], kind="stable")]
        needed, local = np.unique(rows[queries], return_inverse=True)
        features, part = columns[queries], v[needed]
        # The entry asked for, if the row holds it.
        place = np.repeat(np.arange(len(needed)), np.diff(part.indptr)) * n_features
        place += categories.feature_of[part.entries]
        asked = local * n_features + features
        found = np.minimum(np.searchsorted(place, asked), max(len(place) - 1, 0))
        own = np.full(len(asked), -1, np.int32)
        if len(place):
            held = place[found] == asked
            own[held] = part.entries[found[held]]
        start = cumulated(np.bincount(features, minlength=n_features))
        yield (
            queries,
            features,
            (rbm.hidden_input(part), rbm.weights, start, local.astype(np.int32), own),
        )


def _check_method(method):
    """Whether the method is the mean-field one."""
    check_option("method", method, ("exact", "mean_field"))
    return method == "mean_field"


def _check_queries(rows, columns, n_rows, n_features):
    """Queries as two arrays of numbers within range."""
    if rows is None or columns is None:
        raise ValueError("rows and columns go together: give both, or neither for all entries.")
    rows, columns = np.asarray(rows), np.asarray(columns)
    if rows.ndim != 1 or rows.shape != columns.shape:
        raise ValueError(
            "rows and columns must be flat and of one length, an entry of each per query. Got "
            f"shapes {rows.shape} and {columns.shape}."
        )
    for name, numbers, n in (("rows", rows, n_rows), ("columns", columns, n_features)):
        if len(numbers) and numbers.dtype.kind not in "iu":
            raise ValueError(f"{name} must hold integers. Got an array of {numbers.dtype}.")
        wrong = np.flatnonzero((numbers < 0) | (numbers >= n))
        if len(wrong):
            raise ValueError(
                f"{name}[{wrong[0]}] is {numbers[wrong[0]]}, but must be at least 0 and below {n}."
            )
    return rows.astype(np.int64), columns.astype(np.int64)


def _largest(scores, n):
    """Where the n largest scores are, in descending order; of equal ones the first are."""
    candidates = np.flatnonzero(scores >= np.partition(scores, -n)[-n])
    return candidates[np.argsort(-scores[candidates], kind="stable")[:n]]
