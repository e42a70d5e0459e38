"""How kernels are compiled: without the GIL, and into the cache."""

import numpy as np
import pytest
from numba.core.caching import FunctionCache
from numba.core.dispatcher import Dispatcher

from skrbm import BernoulliRBM
from skrbm._kernels import linear, onehot, pseudo_likelihood, sums, units, updates

MODULES = (linear, onehot, pseudo_likelihood, sums, units, updates)


def kernels():
    """The compiled functions that the other modules call."""
    functions = {name: getattr(module, name) for module in MODULES for name in module.__all__}
    return [
        pytest.param(function, id=name)
        for name, function in functions.items()
        if isinstance(function, Dispatcher)
    ]


def test_kernels_are_found():
    names = {kernel.id for kernel in kernels()}
    assert {"add_step", "bernoulli_pseudo_likelihood", "gaussian", "sigmoid"} <= names


@pytest.mark.parametrize("kernel", kernels())
def test_every_kernel_is_cached_and_frees_the_gil(kernel):
    assert kernel.targetoptions["nogil"] is True
    assert kernel.targetoptions["nopython"] is True
    assert isinstance(kernel._cache, FunctionCache)


def test_a_fit_is_compiled_into_the_cache():
    """A kernel that Numba silently refuses to cache would have no file to load from."""
    BernoulliRBM(n_components=3, n_iter=1, momentum=0.5).fit(np.eye(4))
    stats = [updates.add_step.stats, units.sigmoid.stats, units.bernoulli.stats]
    for stat in stats:
        assert stat.cache_path is not None
        assert sum(stat.cache_hits.values()) + sum(stat.cache_misses.values()) > 0
