"""Clusters whose workers are threads of this process."""

from contextlib import contextmanager

from distributed import Client, LocalCluster


@contextmanager
def in_this_process(n_workers, n_threads=1, default=False):
    """A client of so many workers of so many threads each."""
    with (
        LocalCluster(
            processes=False,
            n_workers=n_workers,
            threads_per_worker=n_threads,
            dashboard_address=":0",
        ) as cluster,
        Client(cluster, set_as_default=default) as client,
    ):
        yield client
