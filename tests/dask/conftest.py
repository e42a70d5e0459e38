"""A cluster in this process, for tests of a module to share."""

import pytest
from distributed import Client, LocalCluster


@pytest.fixture(scope="module")
def client():
    """A client of two workers with one thread each, which are threads of this process."""
    with (
        LocalCluster(
            processes=False, n_workers=2, threads_per_worker=1, dashboard_address=":0"
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client
