"""Fixtures that every test module may use."""

import gc
import math
from pathlib import Path

import numpy as np
import pytest

from skrbm import BernoulliRBM
from skrbm._machine import crew
from skrbm._machine.bernoulli import BernoulliLayer

from .helpers.calls import machine_of
from .helpers.gaussian_machines import VARIANCE
from .oracles.bernoulli import EnumeratedRBM
from .oracles.gaussian import EnumeratedGaussianRBM

TESTS = Path(__file__).parent
#: Tests that reach the lines of the package: all others run without the tracing of coverage.
TRACED = ("dask", "datasets", "displays", "estimator", "input", "metrics", "recommending")


def pytest_collection_modifyitems(items):
    """Trace no more than coverage needs: a traced test takes half as long again."""
    for item in items:
        wing = item.path.parent.name
        if wing not in TRACED or item.path.parent.parent != TESTS or "contract" in item.path.name:
            item.add_marker("no_cover")


def pytest_collection_finish():
    """The garbage collector need not look at thousands of collected tests each time."""
    gc.freeze()


@pytest.fixture(autouse=True)
def no_crew(monkeypatch):
    """Processes that test side by side would wait for each other; a test may ask for a crew."""
    monkeypatch.setattr(crew, "WORTH_A_CREW", math.inf)


@pytest.fixture
def rng():
    return np.random.default_rng(20240229)


@pytest.fixture
def arrays(rng):
    """Weights (4, 3), visible and hidden biases of a machine of no special shape."""
    return rng.normal(0, 1, (4, 3)), rng.normal(0, 0.7, 4), rng.normal(0, 0.7, 3)


@pytest.fixture
def oracle(arrays):
    return EnumeratedRBM(*arrays)


@pytest.fixture
def gaussian_arrays(arrays):
    """Weights (4, 3), visible and hidden biases, noise variances."""
    return *arrays, VARIANCE.copy()


@pytest.fixture
def mixture(gaussian_arrays):
    return EnumeratedGaussianRBM(*gaussian_arrays)


@pytest.fixture
def model(arrays):
    W, b, c = arrays
    return machine_of(BernoulliLayer(b.copy()), W.copy(), c.copy())


@pytest.fixture
def estimator(arrays):
    """A fitted estimator that holds the same machine."""
    W, b, c = arrays
    X = np.array([[0, 1, 0, 1], [1, 1, 0, 0]], dtype=float)
    estimator = BernoulliRBM(n_components=3, n_iter=1, random_state=0).fit(X)
    estimator.components_, estimator.intercept_visible_ = W.T.copy(), b.copy()
    estimator.intercept_hidden_ = c.copy()
    return estimator
