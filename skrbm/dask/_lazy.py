"""What a fitted estimator says of the rows of a Dask collection: lazy, partition by partition."""

from operator import itemgetter

import dask
import dask.array as da
import numpy as np

from .._estimator.queries import check_numbers, check_queries
from .._estimator.recommendations import best, names_of_features
from .._input.parameters import check_flag, check_integer, check_option
from ._asked import ask


def transform(rbm, X):
    """Probabilities of the hidden units, ``P(h=1|v=X)``: lazy ``rbm.transform(X)``.

    Nothing is computed before ``compute``, and then one partition at a time. The estimator answers
    as it is now: to fit it again changes no result of this call.

    Parameters
    ----------
    rbm : BernoulliRBM, GaussianBernoulliRBM or SoftmaxRBM
        A fitted estimator.
    X : dask array, dask DataFrame, or list of Delayed or Future
        Visible rows; each partition holds whole rows. Blocks may be sparse. A list has no dtype:
        results are then in the dtype of the fitted arrays.

    Returns
    -------
    H : dask array of shape (n_samples, n_components)
        Probabilities, in the dtype of X, cut as X is cut. The numbers are those of
        ``rbm.transform`` of each partition, whatever ``set_output`` says. Of all rows at once
        they may differ in the last digits, because matrix products of other sizes may add up in
        another order.

    Raises
    ------
    TypeError
        If X is in memory, or ``rbm`` is another estimator.
    ValueError
        If X is cut along its features, or has another number of features.

    See Also
    --------
    skrbm.BernoulliRBM.transform : The method that is asked of each partition.
    score_samples : How well a machine fits rows.

    Notes
    -----
    A task takes one thread: workers have their own. The estimator is sent once for each call of
    ``compute``, without what only learning needs; of more than 10 MB Dask warns as of any large
    graph, which is harmless here.

    Examples
    --------
    >>> import dask.array as da
    >>> import skrbm.dask
    >>> from skrbm import BernoulliRBM
    >>> X = da.from_array([[0, 1, 1], [1, 0, 0], [0, 1, 0]], chunks=(2, -1))
    >>> rbm = BernoulliRBM(n_components=2, random_state=0).fit(X.compute())
    >>> H = skrbm.dask.transform(rbm, X)
    >>> H.chunks
    ((2, 1), (2,))
    """
    return ask(rbm, X, "transform").by_rows(len(rbm.components_))


def score_samples(rbm, X):
    """Exact log pseudo-likelihood of each row: lazy ``rbm.score_samples(X)``.

    Parameters
    ----------
    rbm : BernoulliRBM, GaussianBernoulliRBM or SoftmaxRBM
        A fitted estimator.
    X : dask array, dask DataFrame, or list of Delayed or Future
        As in :func:`transform`.

    Returns
    -------
    pseudo_likelihood : dask array of shape (n_samples,)
        In nats, in the dtype of X. ``.mean()`` is what ``rbm.score`` returns.

    See Also
    --------
    skrbm.BernoulliRBM.score_samples : The method that is asked of each partition.

    Examples
    --------
    >>> import dask.array as da
    >>> import skrbm.dask
    >>> from skrbm import BernoulliRBM
    >>> X = da.from_array([[0, 1, 1], [1, 0, 0], [0, 1, 0]], chunks=(2, -1))
    >>> rbm = BernoulliRBM(n_components=2, random_state=0).fit(X.compute())
    >>> skrbm.dask.score_samples(rbm, X).mean().compute().shape
    ()
    """
    return ask(rbm, X, "score_samples").by_rows(1)[:, 0]


def free_energy(rbm, X):
    """Free energy of each row: lazy ``rbm.free_energy(X)``.

    Parameters
    ----------
    rbm : BernoulliRBM, GaussianBernoulliRBM or SoftmaxRBM
        A fitted estimator.
    X : dask array, dask DataFrame, or list of Delayed or Future
        As in :func:`transform`.

    Returns
    -------
    free_energy : dask array of shape (n_samples,)
        In nats, in the dtype of X.

    See Also
    --------
    skrbm.BernoulliRBM.free_energy : The method that is asked of each partition.

    Examples
    --------
    >>> import dask.array as da
    >>> import skrbm.dask
    >>> from skrbm import BernoulliRBM
    >>> X = da.from_array([[0, 1, 1], [1, 0, 0], [0, 1, 0]], chunks=(2, -1))
    >>> rbm = BernoulliRBM(n_components=2, random_state=0).fit(X.compute())
    >>> skrbm.dask.free_energy(rbm, X).chunks
    ((2, 1),)
    """
    return ask(rbm, X, "free_energy").by_rows(1)[:, 0]


def predict_ratings(rbm, X, rows=None, columns=None, *, method="exact"):
    """Expectation of an entry given its row: lazy ``rbm.predict_ratings(X, ...)``.

    Parameters
    ----------
    rbm : SoftmaxRBM
        A fitted estimator.
    X : dask array, dask DataFrame, or list of Delayed or Future
        The observed entries, as in :func:`transform`. With ``rows`` and ``columns`` a dask array
        of known chunk sizes.
    rows, columns : array-like of int of shape (n_queries,), default=None
        Query q asks for entry (rows[q], columns[q]); a partition is computed only if a query asks
        for one of its rows. If both are None: all entries.
    method : {"exact", "mean_field"}, default="exact"
        As in ``SoftmaxRBM.predict_ratings``.

    Returns
    -------
    ratings : dask array of shape (n_samples, n_features), or (n_queries,)
        Expectations in units of X, in its float dtype. Those of queries are one piece, in the
        order of the queries.

    Raises
    ------
    ValueError
        As ``SoftmaxRBM.predict_ratings``; if queries need sizes of partitions that are unknown.

    See Also
    --------
    skrbm.SoftmaxRBM.predict_ratings : The method that is asked of each partition.

    Examples
    --------
    >>> import dask.array as da
    >>> import skrbm.dask
    >>> from skrbm import SoftmaxRBM
    >>> X = da.from_array([[5, 5, 1, 1], [1, 1, 5, 5]] * 50, chunks=(25, -1))
    >>> rbm = SoftmaxRBM(n_components=2, batch_size=10, random_state=0).fit(X.compute())
    >>> skrbm.dask.predict_ratings(rbm, X).chunks
    ((25, 25, 25, 25), (4,))
    >>> skrbm.dask.predict_ratings(rbm, X, rows=[0, 99], columns=[3, 3]).compute().round()
    array([1., 5.])
    """
    check_option("method", method, ("exact", "mean_field"))
    asked = ask(rbm, X, "predict_ratings", {"method": method})
    if rows is None and columns is None:
        return asked.by_rows(asked.n_features)
    starts = asked.starts("rows")
    rows, columns = check_queries(rows, columns, asked)
    partition = np.searchsorted(starts, rows, side="right") - 1
    places, answers = [], []
    for p in np.unique(partition):
        own = np.flatnonzero(partition == p)
        places.append(own)
        answers.append(asked.of_partition(p, rows=rows[own] - starts[p], columns=columns[own]))
    together = dask.delayed(_in_places, pure=False)(answers, places, len(rows), asked.dtype)
    return da.from_delayed(together, (len(rows),), asked.dtype)


def recommend(rbm, X, n_items=10, *, columns=None, exclude_observed=True, as_names=False):
    """The entries with the highest scores, best first: lazy ``rbm.recommend(X, ...)``.

    ``dask.compute(ids, scores)`` computes both in one pass over X.

    Parameters
    ----------
    rbm : BernoulliRBM or SoftmaxRBM
        A fitted estimator.
    X : dask array, dask DataFrame, or list of Delayed or Future
        What is known, as in :func:`transform`. With ``columns`` a dask array of known chunk sizes.
    n_items : int, default=10
        Number of recommendations; no more than there are.
    columns : array-like of int of shape (n_columns,), default=None
        None: each row gets features. Numbers of columns: each of these columns gets rows of X, the
        best of all partitions.
    exclude_observed : bool, default=True
        Whether to leave out the entries that X observes.
    as_names : bool, default=False
        Whether to return names of features in place of numbers. Rows of a Dask collection have
        numbers alone, so that ``columns`` goes without names.

    Returns
    -------
    ids : dask array of shape (n_samples, min(n_items, ``n_features_in_``)), or of shape \
(n_columns, min(n_items, n_samples))
        Numbers of features, or of rows of X, as ``rbm.recommend`` returns them.
    scores : dask array of the shape of ids
        Their scores, in the float dtype of X; -inf where the id is -1.

    Raises
    ------
    ValueError
        As ``rbm.recommend``; if ``columns`` need sizes of partitions that are unknown, or go with
        ``as_names=True``.

    See Also
    --------
    skrbm.SoftmaxRBM.recommend : The method that is asked of each partition.

    Examples
    --------
    >>> import dask.array as da
    >>> import skrbm.dask
    >>> from skrbm import BernoulliRBM
    >>> X = da.from_array([[1, 1, 0, 0], [0, 0, 1, 1]] * 50, chunks=(25, -1))
    >>> rbm = BernoulliRBM(n_components=2, batch_size=10, random_state=0).fit(X.compute())
    >>> basket = da.from_array([[1, 0, 0, 0], [0, 0, 0, 1]], chunks=(1, -1))
    >>> ids, scores = skrbm.dask.recommend(rbm, basket, n_items=1)
    >>> ids.compute().ravel()
    array([1, 2])
    """
    n_items = check_integer("n_items", n_items, 1)
    check_flag("exclude_observed", exclude_observed)
    check_flag("as_names", as_names)
    options = {"n_items": n_items, "exclude_observed": exclude_observed, "as_names": as_names}
    asked = ask(rbm, X, "recommend", options, ids=[object if as_names else np.int64])
    if columns is None:
        if as_names:
            names_of_features(rbm)
        answers = asked.by_rows(min(n_items, asked.n_features))  # blocks are pairs of arrays
        return tuple(
            answers.map_blocks(itemgetter(place), meta=np.empty((0, 0), dtype))
            for place, dtype in enumerate(asked.dtypes)
        )
    if as_names:
        raise ValueError(
            "as_names=True goes without columns, as rows of a Dask collection have no names. Pass "
            "as_names=False: ids are then numbers of rows of X."
        )
    starts = asked.starts("columns")
    columns = check_numbers("columns", columns, asked.n_features)
    if asked.n_rows == 0:
        raise ValueError("X has no rows, so that no row can be recommended to columns.")
    n_items = min(n_items, asked.n_rows)
    filled = np.flatnonzero(np.diff(starts))
    found = [asked.of_partition(p, columns=columns) for p in filled]
    together = dask.delayed(_best_of_all, nout=2, pure=False)(found, starts[filled], n_items)
    return tuple(
        da.from_delayed(result, (len(columns), n_items), dtype)
        for result, dtype in zip(together, asked.dtypes, strict=True)
    )


# --- answers of partitions together -----------------------------------------------------------


def _in_places(answers, places, n_queries, dtype):
    """Answers of partitions in the order of the queries."""
    out = np.empty(n_queries, dtype)
    for place, answer in zip(places, answers, strict=True):
        out[place] = answer
    return out


def _best_of_all(found, starts, n_items):
    """The best rows of all partitions, of the best of each: of equal scores the first."""
    numbered = [
        np.where(ids < 0, -1, ids + start) for (ids, _), start in zip(found, starts, strict=True)
    ]
    scores = np.hstack([scores for _, scores in found])
    places, scores = best(scores, n_items)
    return np.where(
        places < 0, -1, np.take_along_axis(np.hstack(numbered), places, axis=1)
    ), scores
