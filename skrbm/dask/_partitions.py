"""Partitions: pieces of a Dask collection that hold whole rows; who reads and computes them."""

from dask import is_dask_collection
from dask.delayed import Delayed
from distributed import Client, Future, get_client

from .._estimator.base import BaseRBM

_KINDS = {
    2: "a dask array, a dask DataFrame, or a list of Delayed or Future objects that hold rows",
    1: "a dask array, a dask Series, or a list of Delayed or Future objects",
}


def partitions(X, name="X"):
    """The partitions of a table, as a list of Delayed or Future objects.

    Parameters
    ----------
    X : dask array, dask DataFrame, or list of Delayed or Future
        Blocks of a dask array may be dense or sparse.
    name : str, default="X"
        What messages call X.
    """
    if is_table(X):
        check_whole_rows(X, name)
    return _pieces(X, name, 2)


def row_partitions(values, name, n_partitions):
    """The partitions of one number a row, such as ``sample_weight``, as ``partitions`` gives them.

    How many rows a partition has is known where the partition is computed.
    """
    if is_table(values) and values.ndim != 1:
        raise ValueError(f"{name} must have one dimension, but {_described(values)}.")
    pieces = _pieces(values, name, 1)
    if len(pieces) != n_partitions:
        raise ValueError(
            f"{name} has {len(pieces)} partition{_s(len(pieces))}, but X has {n_partitions}. Each "
            f"partition of X needs its part of {name}: cut {name} as X is cut, for example by "
            f"{name}.rechunk((X.chunks[0],)) of a dask array."
        )
    return pieces


def is_table(X):
    """Whether X is a dask array, DataFrame or Series."""
    return (  # a Delayed object has every attribute
        is_dask_collection(X)
        and not isinstance(X, Delayed)
        and hasattr(X, "ndim")
        and hasattr(X, "to_delayed")
    )


def check_whole_rows(X, name="X"):
    """Refuse a dask array or DataFrame whose partitions are no tables of whole rows."""
    if X.ndim != 2:
        mend = f"one row a sample is {name}.reshape((len({name}), -1))"
        if X.ndim == 1:
            mend = (
                f"one feature is {name}{'.to_frame()' if hasattr(X, 'to_frame') else '[:, None]'}"
            )
        raise ValueError(
            f"Expected 2D array, got {X.ndim}D array instead: {name} {_described(X)}. Rows are "
            f"samples and columns are features; {mend}."
        )
    n_pieces = getattr(X, "numblocks", (1, 1))[1]  # a DataFrame is cut along rows alone
    if n_pieces != 1:
        raise ValueError(
            f"{name} is cut along its features: it has the shape {X.shape}, and its columns are "
            f"in {n_pieces} pieces. A partition must hold whole rows: pass "
            f"{name}.rechunk({{1: -1}})."
        )


def _pieces(X, name, n_dimensions):
    """Blocks, partitions or objects of a list, as a list of Delayed or Future objects."""
    if is_table(X):
        pieces = X.to_delayed()
        return pieces if isinstance(pieces, list) else pieces.ravel().tolist()
    if isinstance(X, Delayed | Future):
        raise TypeError(
            f"{name} must be {_KINDS[n_dimensions]}. Got one {type(X).__name__}: pass [{name}] if "
            "it holds all rows."
        )
    if isinstance(X, list | tuple) and len(X) == 0:
        raise ValueError(f"{name} has no partitions: the list is empty.")
    if isinstance(X, list | tuple) and any(
        is_dask_collection(piece) or isinstance(piece, Future) for piece in X
    ):
        for p, piece in enumerate(X):
            if not isinstance(piece, Delayed | Future):
                raise TypeError(
                    f"{name}[{p}] is of type {type(piece).__name__}, but all partitions in a list "
                    f"must be Delayed or Future objects: pass dask.delayed({name}[{p}])."
                )
        return list(X)
    given = f"{name} must be {_KINDS[n_dimensions]}. Got an object of type {type(X).__name__}"
    if is_dask_collection(X):
        raise TypeError(f"{given}: turn it into a dask array or a dask DataFrame first.")
    if name == "X":
        raise TypeError(
            f"{given}, which is in memory. What fits in memory is a case for the estimator's own "
            "methods, such as rbm.fit(X) and rbm.transform(X). To cut an array into partitions, "
            "pass dask.array.from_array(X, chunks=(rows, -1)) with the number of rows of each."
        )
    raise TypeError(
        f"{given}, which is in memory. dask.array.from_array({name}, chunks=X.chunks[0]) cuts "
        "it as a dask array X is cut."
    )


def as_block(partition):
    """A computed partition as the estimators read it: CSR in place of pydata's sparse arrays."""
    if not hasattr(partition, "to_scipy_sparse"):  # of COO and GCXS
        return partition
    if not partition.fill_value == 0:
        raise ValueError(
            f"X holds sparse blocks of fill value {partition.fill_value}, but the fill value "
            "of SciPy's CSR is 0. Make the blocks with fill_value=0, or dense by X.map_blocks("
            "lambda block: block.todense())."
        )
    return partition.to_scipy_sparse().tocsr()


def check_rbm(rbm):
    """Refuse what is no estimator that reads partitions."""
    if not isinstance(rbm, BaseRBM):
        raise TypeError(
            "rbm must be a BernoulliRBM, GaussianBernoulliRBM or SoftmaxRBM. Got "
            f"{' '.join(repr(rbm).split())[:80]} instead."
        )


def find_client(client=None):
    """The client that is given or, for None, the one of this process or of this task."""
    if client is None:
        try:
            client = get_client()
        except ValueError:
            raise ValueError(
                "there is no Dask client: make one first, for example with "
                "distributed.Client(address), or Client() for a cluster on this computer."
            ) from None
    if not isinstance(client, Client):
        raise TypeError(
            f"client must be a distributed.Client or None. Got {client!r} instead: pass "
            "distributed.Client(address) of the scheduler's address."
        )
    if client.asynchronous:
        raise ValueError(
            "the client is asynchronous, but skrbm.dask waits for results: make it with "
            "asynchronous=False, or call from another thread, as by asyncio.to_thread."
        )
    return client


def _described(X):
    """What a dask array, DataFrame or Series looks like; the shape of the last two is lazy."""
    return f"has the shape {X.shape}" if hasattr(X, "chunks") else f"is a {type(X).__name__}"


def _s(n):
    return "" if n == 1 else "s"
