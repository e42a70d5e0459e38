"""Clusters for tests to share: one in this process, and one of processes."""

import logging

import dask
import pytest
from distributed import Client, LocalCluster

from ..helpers.clusters import in_this_process
from ..helpers.models import MODELS


@pytest.fixture(scope="module")
def client():
    """A client of two workers with one thread each, which are threads of this process."""
    with in_this_process(2, default=True) as client:
        yield client


@pytest.fixture
def quiet_workers(client):
    """Workers log the errors of tasks."""
    logger = logging.getLogger("distributed.worker")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(before)


@pytest.fixture(scope="session")
def all_processes():
    """A client of two workers with one thread each, which are processes."""
    # A local cluster looks for a killed worker after a while, and gives it up for ever if it has
    # been killed once more by then.
    with (
        dask.config.set({"distributed.deploy.lost-worker-timeout": "1 hour"}),
        LocalCluster(
            processes=True,
            n_workers=2,
            threads_per_worker=1,
            dashboard_address=":0",
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield client


@pytest.fixture
def processes(all_processes):
    """The same, when both are there: the last test may have killed some."""
    all_processes.wait_for_workers(2, timeout=60)
    return all_processes


@pytest.fixture(scope="module")
def fitted():
    """An estimator of each model, and rows that it reads."""
    return {
        model: (model.machine(algorithm="cd").fit(model.rows(1)), model.rows())
        for model in MODELS.values()
    }
