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
    """Partitions in this process; parameters as in ``skrbm.dask.fit``."""

    def __init__(self, sync_every=100, warm_up=1000, outer_momentum=0.0):
        super().__init__(None, sync_every, warm_up, outer_momentum)
        self._cluster = OneProcess()


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
