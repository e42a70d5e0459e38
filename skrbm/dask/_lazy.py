"""What a fitted estimator says of the rows of a Dask collection: lazy, partition by partition."""

from dataclasses import dataclass
from operator import itemgetter

import dask
import dask.array as da
import numpy as np
from dask.delayed import Delayed
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted, validate_data

from .._estimator.fitted import fitted_array, reading_copy
from .._estimator.queries import check_numbers, check_queries
from .._estimator.recommendations import best, names_of_features
from .._input.checks import working_dtype
from .._input.parameters import check_flag, check_integer, check_option
from .._input.tables import dense
from .._machine.threads import one_thread
from ._partitions import as_block, check_rbm, check_whole_rows, is_table, partitions
from ._tasks import naming

# --- public -----------------------------------------------------------------------------------


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
        ``rbm.transform`` of each partition, whatever ``set_output`` says. (Of all rows at once
        they may differ in the last digits, because matrix products of other sizes may add up in
        another order.)

    Raises
    ------
    TypeError
        If X is in memory, or ``rbm`` is another estimator.
    ValueError
        If X is cut along its features, or has another number of features.

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
    return _ask(rbm, X, "transform").by_rows(len(rbm.components_))


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
    """
    return _ask(rbm, X, "score_samples").by_rows(1)[:, 0]


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
    """
    return _ask(rbm, X, "free_energy").by_rows(1)[:, 0]


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
    """
    check_option("method", method, ("exact", "mean_field"))
    asked = _ask(rbm, X, "predict_ratings", {"method": method})
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
    """
    n_items = check_integer("n_items", n_items, 1)
    check_flag("exclude_observed", exclude_observed)
    check_flag("as_names", as_names)
    options = {"n_items": n_items, "exclude_observed": exclude_observed, "as_names": as_names}
    asked = _ask(rbm, X, "recommend", options, ids=[object if as_names else np.int64])
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


# --- the graph --------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Asked:
    """A method of a fitted estimator, asked of each partition of a Dask collection.

    Attributes
    ----------
    reader : Delayed
        The estimator.
    method : str
    options : dict
        Arguments of the method besides its X.
    X : dask array
        Its blocks may be frames or whatever the method reads: nothing else looks at them.
    n_features : int
    dtypes : tuple of dtype
        Of each of the results: of ids, if the method returns some, and of numbers.
    """

    reader: Delayed
    method: str
    options: dict
    X: da.Array
    n_features: int
    dtypes: tuple

    @property
    def dtype(self):
        """float32 or float64: the dtype of numbers in the results."""
        return self.dtypes[-1]

    @property
    def n_rows(self):
        """The number of rows, if it is known."""
        return self.X.shape[0]

    def by_rows(self, width):
        """A dask array of the results of all rows, ``width`` numbers of each."""
        return self.X.map_blocks(
            _answer,
            reader=self.reader,
            method=self.method,
            options=self.options,
            width=width,
            dtypes=self.dtypes,
            chunks=(self.X.chunks[0], (width,)),
            meta=np.empty((0, 0), self.dtype),
        )

    def of_partition(self, p, **options):
        """The results that a partition gives, with options of its own, as a Delayed object."""
        piece = self.X.blocks[p].to_delayed().item()
        answer = dask.delayed(_answer, pure=False)
        options = self.options | options
        return answer(piece, self.reader, self.method, options, None, self.dtypes, (p,))

    def starts(self, argument):
        """The number of the first row of each partition, and the number of rows."""
        sizes = np.asarray(self.X.chunks[0], np.float64)
        if np.isnan(sizes).any():
            raise ValueError(
                f"{argument} needs numbers of rows, but partitions of X have unknown sizes: call "
                "X.compute_chunk_sizes() of a dask array first, or pass "
                "X.to_dask_array(lengths=True) of a dask DataFrame."
            )
        return np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)


def _ask(rbm, X, method, options=None, ids=()):
    """A method of an estimator, with checks of what is known of both before anything runs."""
    _check_estimator(rbm, method)
    if isinstance(X, da.Array):
        check_whole_rows(X)
        _check_width(rbm, X)
        dtype = X.dtype
    else:
        pieces = partitions(X)
        dtype = (
            _dtype_of_frame(rbm, X) if is_table(X) else fitted_array(rbm, "components_", 2).dtype
        )
        shape = (np.nan, rbm.n_features_in_)
        X = da.concatenate(
            [da.from_delayed(piece, shape, dtype) for piece in pieces],
            allow_unknown_chunksizes=True,
        )
    return _Asked(
        # One object of the graph. Not pure: this key never stands for another estimator, nor for
        # this one fitted again, and nothing needs to be hashed.
        reader=dask.delayed(reading_copy(rbm), pure=False),
        method=method,
        options=options or {},
        X=X,
        n_features=rbm.n_features_in_,
        dtypes=(*map(np.dtype, ids), working_dtype(dtype)),
    )


def _check_estimator(rbm, method):
    """Refuse what is no fitted estimator with the method."""
    check_rbm(rbm)
    if not hasattr(rbm, method):
        raise TypeError(
            f"{type(rbm).__name__} has no method {method}, which skrbm.dask.{method} asks of each "
            "partition: pass an estimator that has it."
        )
    check_is_fitted(rbm)


def _check_width(rbm, X):
    """Refuse a dask array of another number of features, in scikit-learn's words."""
    n_features = X.shape[1]
    if not np.isnan(n_features) and n_features != rbm.n_features_in_:
        raise ValueError(
            f"X has {n_features} features, but {type(rbm).__name__} is expecting "
            f"{rbm.n_features_in_} features as input."
        )


def _dtype_of_frame(rbm, X):
    """The dtype of a dask DataFrame as the method reads it; its features are checked."""
    empty = X._meta  # a frame of its columns and dtypes
    validate_data(rbm, empty, reset=False, skip_check_array=True)
    options = {"dtype": None, "ensure_min_samples": 0, "ensure_all_finite": False}
    return check_array(dense(empty, False), **options).dtype


# --- tasks ------------------------------------------------------------------------------------


def _answer(block, reader, method, options, width, dtypes, block_id):
    """The results of a method for a block, of ``width`` columns; None: as the method has them."""
    n_rows = block.shape[0] if hasattr(block, "shape") else len(block)
    if n_rows:
        with naming(block_id[0]), one_thread():
            results = getattr(reader, method)(as_block(block), **options)
        results = results if isinstance(results, tuple) else (results,)
    else:
        results = [np.empty((0, width)) for _ in dtypes]
    # What set_output makes of a block is an array here.
    arrays = [np.asarray(*pair) for pair in zip(results, dtypes, strict=True)]
    if width is not None:
        arrays = [array.reshape(n_rows, width) for array in arrays]
    return tuple(arrays) if len(arrays) > 1 else arrays[0]


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
