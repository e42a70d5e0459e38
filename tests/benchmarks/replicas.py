"""Replicas in one process: what ``skrbm.dask.fit`` makes, bit for bit, without a cluster."""

from itertools import pairwise

import dask
import numpy as np
from dask import delayed
from dask.delayed import Delayed

from skrbm._estimator.learning import learn, learner_of
from skrbm._input.checks import fit_context
from skrbm.dask._data import DistributedData


class OneProcess:
    """What training asks of a cluster, in this thread."""

    def compute(self, values, of_user=False):
        """Values of a dict of Delayed objects, as such."""
        return {k: _whole(value) for k, value in self.gather(values).items()}

    def gather(self, values):
        """Results of a dict of Delayed objects."""
        results = dask.compute(
            *values.values(), scheduler="synchronous", optimize_graph=False, traverse=False
        )
        return dict(zip(values, results, strict=True))

    def value(self, value):
        """The result of a Delayed object."""
        return self.gather({None: value})[None]

    def wait(self, values):
        """Nothing is under way."""

    def release(self):
        """Nothing is held."""

    def holders(self, values):
        """There are no workers."""
        return dict.fromkeys(values, ())


class Replicas(DistributedData):
    """Partitions in this process.

    Parameters
    ----------
    sync_every, warm_up : int
        As in ``skrbm.dask.fit``.
    momentum : float, default=0.0
        Outer momentum: the share of the last step from mean to mean that the next one goes beyond
        the mean (Chen & Huo, 2016, "BMUF"; Wang et al., 2020, "SlowMo"). Not in the package.
    """

    def __init__(self, sync_every=100, warm_up=1000, momentum=0.0):
        super().__init__(None, sync_every, warm_up)
        self._cluster, self._momentum, self._velocity = OneProcess(), momentum, None

    def _make(self, window, shared):
        mean = super()._make(window, shared)
        if self._momentum and len(window[0]) > 1:  # none while the first partition is alone
            n = self._n_parameters
            if self._velocity is None:
                self._velocity = [np.zeros_like(array) for array in shared.arrays[:n]]
            arrays = list(mean.arrays)
            for i, (old, velocity) in enumerate(
                zip(shared.arrays[:n], self._velocity, strict=True)
            ):
                velocity *= self._momentum
                velocity += arrays[i] - old
                arrays[i] = old + velocity
            mean = mean._replace(arrays=tuple(arrays))
            self._shared = _whole(mean)
        return mean

    def learn(self, state, settings):
        """All updates of an epoch."""
        self._n_parameters = len(state.model.parameters)
        super().learn(state, settings)

    def _adapt(self, seconds):
        """One round at a time."""


def cut(X, n_partitions, order=None):
    """Partitions of nearly as many rows each, of X in an order."""
    X = X if order is None else X[order]
    ends = np.linspace(0, X.shape[0], n_partitions + 1).astype(int)
    return [X[a:b] for a, b in pairwise(ends)]


@fit_context(prefer_skip_nested_validation=True)
def _fit(rbm, data, parts):
    learner = learner_of(rbm)
    data.read(learner, [_whole(part) for part in parts], None, reset=True)
    return learn(rbm, learner, data, {"X": None, "y": None}, go_on=False)


def fit_replicas(rbm, parts, **options):
    """The estimator fitted to partitions in memory; see :class:`Replicas` for options."""
    return _fit(rbm, Replicas(**options), parts)


class _Known(Delayed):
    """A value that is known, as one object that nobody looks into."""

    def __bool__(self):
        return True


def _whole(value):
    value = delayed(value, pure=False, traverse=False)
    return _Known(value.key, value.dask)
