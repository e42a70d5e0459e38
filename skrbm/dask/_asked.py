"""A method of a fitted estimator, asked of each partition of a Dask collection."""

from dataclasses import dataclass

import dask
import dask.array as da
import numpy as np
from dask.delayed import Delayed
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted, validate_data

from .._estimator.fitted import fitted_array, reading_copy
from .._input.checks import working_dtype
from .._input.tables import dense
from .._machine.threads import one_thread
from ._partitions import as_block, check_rbm, check_whole_rows, is_table, partitions
from ._tasks import naming


@dataclass(frozen=True)
class Asked:
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


def ask(rbm, X, method, options=None, ids=()):
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
    return Asked(
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
