"""Arrays cut into the partitions of a Dask collection."""

import dask.array as da

ROWS = 20  # of a partition


def cut(X, rows=ROWS):
    return da.from_array(X, chunks=(rows, -1))


def by_partition(ask, X, **options):
    """What a method says of each partition."""
    return [ask(X[k : k + ROWS], **options) for k in range(0, len(X), ROWS)]
