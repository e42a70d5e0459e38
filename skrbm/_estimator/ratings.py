"""What only a machine of categories can be asked: predictions of entries, top features."""

from numbers import Real

import numpy as np

from .._input.parameters import check_integer, check_option
from .._machine.onehot import cumulated
from .._machine.softmax import BLOCK, Queries
from .queries import by_rows, check_queries
from .recommendations import RecommendationMethods

_QUERY_ROWS = 4096  # hidden inputs of so many rows are held at a time


class RatingMethods(RecommendationMethods):
    """Mixin of the methods that ask for one entry of a row given the others."""

    def predict_ratings(self, X, rows=None, columns=None, *, method="exact"):
        """Expectation of an entry over the values of its categories, given its row.

        The prediction is given the observed entries of the row, without the entry asked for. The
        rows need not have been in the training data.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The observed entries. An entry is missing if it is NaN or not stored in a sparse X.
        rows, columns : array-like of int of shape (n_queries,), default=None
            Query q asks for entry (rows[q], columns[q]). If both are None: all entries.
        method : {"exact", "mean_field"}, default="exact"
            What becomes of the hidden units. "exact": a sum over all their states, at
            O(n_components) per category, because the sum factorises (Salakhutdinov, Mnih &
            Hinton, 2007, section 2.3). "mean_field": an approximation that sets the hidden units
            to their means given the row.

        Returns
        -------
        ratings : ndarray of shape (n_samples, n_features), or (n_queries,)
            Expectations in units of X, in its float dtype.

        Raises
        ------
        ValueError
            If only one of rows and columns is given; if rows and columns differ in length, or
            point outside X.

        See Also
        --------
        conditional_proba : The whole distribution.
        recommend : The missing entries with the highest expectations.
        impute : All missing entries of a row as parts of one complete row.

        Examples
        --------
        >>> import numpy as np
        >>> from skrbm import SoftmaxRBM
        >>> X = np.array([[5, 5, 1, 1], [1, 1, 5, 5]] * 50)
        >>> rbm = SoftmaxRBM(n_components=2, batch_size=10, random_state=0).fit(X)
        >>> rbm.predict_ratings([[5, np.nan, 1, np.nan]]).round()
        array([[5., 5., 1., 1.]])
        >>> rbm.predict_ratings([[5, np.nan, 1, np.nan]], rows=[0], columns=[3]).round()
        array([1.])
        """
        mean_field = _check_method(method)
        data, machine = self._fitted()._read(X)
        if rows is None and columns is None:
            out = np.empty((data.n_rows, data.n_features), data.dtype)
            for block, _, means in _means(data, machine, np.arange(data.n_features), mean_field):
                out[block] = means.T
            return out
        rows, columns = check_queries(rows, columns, data)
        out = np.empty(len(rows), data.dtype)
        for asked, _, queries, t in _chosen_entries(data, machine, rows, columns):
            out[asked] = machine.visible.conditional_means(queries, t, machine.weights, mean_field)
        return out

    def conditional_proba(self, X, rows=None, columns=None, *, method="exact"):
        """Distribution of an entry over its categories, given its row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The observed entries, as in ``predict_ratings``.
        rows, columns : array-like of int of shape (n_queries,), default=None
            Query q asks for entry (rows[q], columns[q]). If both are None: all entries.
        method : {"exact", "mean_field"}, default="exact"
            As in ``predict_ratings``.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_features, n_categories), or (n_queries, \
n_categories)
            Probabilities of ``categories_[i]`` for feature i. ``n_categories`` is the largest
            number of categories of a feature. A feature with fewer categories has zeros at the
            end.

        Raises
        ------
        ValueError
            As in ``predict_ratings``.

        See Also
        --------
        predict_ratings : The expectation of this distribution.

        Examples
        --------
        >>> import numpy as np
        >>> from skrbm import SoftmaxRBM
        >>> X = np.array([[5, 5, 1, 1], [1, 1, 5, 5]] * 50)
        >>> rbm = SoftmaxRBM(n_components=2, batch_size=10, random_state=0).fit(X)
        >>> rbm.categories_[3]
        array([1, 5])
        >>> rbm.conditional_proba([[5, np.nan, 1, np.nan]], rows=[0], columns=[3]).round()
        array([[1., 0.]])
        """
        mean_field = _check_method(method)
        data, machine = self._fitted()._read(X)
        layer, weights = machine.visible, machine.weights
        sizes, most = layer.categories.sizes, layer.categories.most
        if rows is None and columns is None:
            out = np.zeros((data.n_rows, data.n_features, most), data.dtype)
            held = np.arange(most) < sizes[:, np.newaxis]
            for block, queries, t in _blocks(data, machine, np.arange(len(sizes)), most):
                p = np.zeros((data.n_features, len(t), most), out.dtype)
                log_p, _ = layer.log_conditionals(queries, t, weights, mean_field)
                p[np.repeat(held[:, np.newaxis], len(t), axis=1)] = np.exp(log_p)
                out[block] = p.transpose(1, 0, 2)
            return out
        rows, columns = check_queries(rows, columns, data)
        out = np.zeros((len(rows), most), data.dtype)
        for asked, features, queries, t in _chosen_entries(data, machine, rows, columns):
            log_p, _ = layer.log_conditionals(queries, t, weights, mean_field)
            p = np.zeros((len(asked), most), out.dtype)
            p[np.arange(most) < sizes[features, np.newaxis]] = np.exp(log_p)
            out[asked] = p
        return out

    def top_features(self, component, n=10, category=None):
        """The features that a hidden unit speaks for most strongly.

        A unit speaks for a feature if the feature's high values, or one of its categories, are
        more probable when the unit is on.

        Parameters
        ----------
        component : int
            Number of the hidden unit.
        n : int, default=10
            Number of features.
        category : float, default=None
            A category: the score of a feature is by how much the unit, when on, raises the input
            of this category above the mean over the categories of the feature. Features without
            the category are left out. None: the score of a feature is the slope of the unit's
            weights over the values of the categories (least squares), by which the feature's
            log-odds grow per unit of X.

        Returns
        -------
        ids : ndarray of shape (n,)
            Numbers of features, the strongest first. There are fewer than n if fewer features
            have the category.
        scores : ndarray of shape (n,)
            In nats, or nats per unit of X.

        Raises
        ------
        ValueError
            If there is no such hidden unit, or no feature has the category.
        TypeError
            If ``category`` is not a number.

        See Also
        --------
        recommend : Features for rows, by what a row has observed.

        Examples
        --------
        >>> import numpy as np
        >>> from skrbm import SoftmaxRBM
        >>> X = np.array([[5, 5, 1, 1], [1, 1, 5, 5]] * 50)
        >>> rbm = SoftmaxRBM(n_components=2, batch_size=10, random_state=0).fit(X)
        >>> ids, scores = rbm.top_features(component=0, n=2)
        >>> sorted(ids.tolist()) in ([0, 1], [2, 3])  # columns that go together
        True
        """
        fitted = self._fitted()
        machine = fitted._machine(fitted._dtype())
        categories = machine.visible.categories
        component = check_integer("component", component, 0, machine.hidden.n_units - 1)
        n = check_integer("n", n, 1)
        offsets, values, sizes = categories.offsets, categories.values, categories.sizes

        def centred(a):
            return a - np.repeat(np.add.reduceat(a, offsets[:-1]) / sizes, sizes)

        weights = machine.weights[:, component].astype(np.float64)
        if not np.isfinite(weights).all():
            raise ValueError(
                f"components_[{component}] holds weights that are infinite or NaN, which have no "
                "order. Call fit with warm_start=False to start again."
            )
        weights = centred(weights)
        if category is None:
            spread = centred(values)
            squares = np.add.reduceat(spread**2, offsets[:-1])
            products = np.add.reduceat(spread * weights, offsets[:-1])
            # A feature of one category has nothing to say.
            scores = np.divide(products, squares, out=np.zeros_like(products), where=squares > 0)
            features = np.arange(len(sizes))
        else:
            # A boolean is the category 0 or 1, as in the parameter ``categories``.
            if not isinstance(category, Real | np.bool_):
                raise TypeError(f"category must be a number or None. Got {category!r} instead.")
            dtype = getattr(category, "dtype", np.dtype(np.float64))
            dtype = dtype if dtype.kind == "f" else np.float64
            asked = np.full(len(sizes), category, dtype)
            codes = categories.encode(asked, np.arange(len(sizes)))
            codes = codes[codes >= 0]
            if len(codes) == 0:
                raise ValueError(
                    f"category={category!r} is none of the categories of any feature, which are "
                    f"{np.array2string(np.unique(values), threshold=12, separator=', ')}."
                )
            scores, features = weights[codes], categories.feature_of[codes]
        best = np.argsort(-scores, kind="stable")[:n]
        return features[best].astype(np.int64), scores[best]

    def _entry_scores(self, rows, machine, features):
        for block, own, means in _means(rows, machine, features):
            yield block, own.T >= 0, means.T


# --- entries asked for, a block at a time ----------------------------------------------------


def _blocks(data, machine, features, n_numbers):
    """Yield a slice of rows, the queries for F features of the rows, and total hidden inputs.

    The features ascend. The queries are sorted by feature and, within a feature, by row.
    ``n_numbers`` is how many numbers the answer to a query holds.
    """
    place = np.full(data.n_features, -1)
    place[features] = np.arange(len(features))
    for block in data.blocks(max(len(features) * n_numbers, machine.hidden.n_units), 0):
        v = data.read(block)
        n = v.shape[0]
        order = v.by_feature(machine.visible.categories)
        own = np.full((len(features), n), -1, np.int32)
        where = np.repeat(place, np.diff(order.start))
        asked = where >= 0
        own[where[asked], order.row[asked]] = v.entries[order.entry[asked]]
        every_row = np.tile(np.arange(n, dtype=np.int32), len(features))
        queries = Queries(cumulated(n * (place >= 0)), every_row, own.ravel())
        yield block, queries, machine.hidden_input(v) + machine.hidden.bias


def _means(data, machine, features, mean_field=False):
    """Yield a slice of rows, their codes (F, n), and expectations (F, n), of F features."""
    for block, queries, t in _blocks(data, machine, features, 1):
        shape = len(features), len(t)
        means = machine.visible.conditional_means(queries, t, machine.weights, mean_field)
        yield block, queries.own.reshape(shape), means.reshape(shape)


def _chosen_entries(data, machine, rows, columns):
    """Yield numbers of chosen entries, their features, the queries, and total hidden inputs.

    Entry q is in row ``rows[q]`` and column ``columns[q]``.
    """
    categories, n_features = machine.visible.categories, data.n_features
    for asked in by_rows(rows, _QUERY_ROWS, max(1, BLOCK // categories.most)):
        asked = asked[np.argsort(columns[asked], kind="stable")]
        needed, local = np.unique(rows[asked], return_inverse=True)
        features, v = columns[asked], data.read(needed)
        own = _own_codes(v, categories, local, features)
        start = cumulated(np.bincount(features, minlength=n_features))
        queries = Queries(start, local.astype(np.int32), own)
        yield asked, features, queries, machine.hidden_input(v) + machine.hidden.bias


def _own_codes(v, categories, rows, features):
    """The codes that rows hold for features, -1 where the entry is missing."""
    place = v.row_of_entry * categories.n_features + categories.feature_of[v.entries]
    wanted = rows * categories.n_features + features
    found = np.minimum(np.searchsorted(place, wanted), max(len(place) - 1, 0))
    own = np.full(len(wanted), -1, np.int32)
    if len(place):
        held = place[found] == wanted
        own[held] = v.entries[found[held]]
    return own


def _check_method(method):
    """Whether the method is the mean-field one."""
    check_option("method", method, ("exact", "mean_field"))
    return method == "mean_field"
