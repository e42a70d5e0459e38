"""The cluster: results of its tasks, and what is said when it cannot give them."""

from concurrent.futures import CancelledError

from distributed import KilledWorker
from distributed.comm import CommClosedError

#: What says that data or the scheduler are gone.
_LOST = CancelledError, CommClosedError, TimeoutError


class ClusterError(RuntimeError):
    """The cluster cannot give a result, for reasons outside of the training data."""


class Cluster:
    """A client, as far as training needs it.

    Parameters
    ----------
    client : distributed.Client
    """

    def __init__(self, client):
        self._client = client

    def compute(self, values):
        """Futures of Delayed objects, of which each keeps its result alive."""
        return self._client.compute(list(values), optimize_graph=False)

    def gather(self, futures, named=False):
        """Results of futures; errors say what to do.

        ``named``: there is one future per partition, and an error names the partition.
        """
        try:
            return self._client.gather(futures)
        except Exception as error:
            if named:
                failed = (p for p, future in enumerate(futures) if future.status == "error")
                for p in failed:
                    error.add_note(f"This happened in the graph of partition {p} of X.")
                    break
            raise _explained(error) from error


def _explained(error):
    """An error of the cluster in words that say what to do; others as they are."""
    if isinstance(error, _LOST):
        return ClusterError(
            "the cluster has lost rows of X with a worker and cannot compute them again, as it "
            "can do if X is read from files or made by tasks, or the scheduler is gone "
            f"({type(error).__name__}: {error})."
        )
    if isinstance(error, KilledWorker):
        return ClusterError(
            f"workers died one after the other at the same task, {error.task!r}, most likely for "
            "want of memory: cut X into more and smaller partitions, give each worker fewer "
            "threads or more memory, or take fewer n_components."
        )
    return error
