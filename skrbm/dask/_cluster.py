"""The cluster: results of its tasks, and what is said when it cannot give them."""

from concurrent.futures import CancelledError
from contextlib import contextmanager, nullcontext
from sys import maxsize
from threading import Lock
from weakref import WeakSet

from dask import annotate, config
from distributed import Future, KilledWorker, rejoin, secede
from distributed.comm import CommClosedError

#: What says that data or the scheduler are gone.
_LOST = CancelledError, CommClosedError, TimeoutError
#: Dask's configuration is one of the process: two fits at once must not restore each other's.
_SETTING = Lock()


class ClusterError(RuntimeError):
    """The cluster cannot give a result, for reasons outside of the training data."""


class Cluster:
    """A client, as far as training needs it.

    Parameters
    ----------
    client : distributed.Client
    """

    def __init__(self, client):
        self._client, self._made = client, WeakSet()

    def compute(self, values, of_user=False):
        """Futures of a dict of Delayed objects, of which each keeps its result alive.

        Dask warns of large graphs if they are those ``of_user``, which may hold data. Others hold
        parameters, which have to travel.
        """
        with nullcontext() if of_user else _any_size():
            futures = self._client.compute(list(values.values()), optimize_graph=False)
        self._made.update(futures)
        return dict(zip(values, futures, strict=True))

    def release(self):
        """Let all results go. Whoever keeps an error keeps its frames, and these keep futures."""
        for future in self._made:
            future.release()

    def value(self, value):
        """The result of a Delayed object."""
        return self.gather(self.compute({None: value}))[None]

    def gather(self, futures):
        """Results of a dict of futures; errors say what to do."""
        try:
            return self._client.gather(futures)
        except Exception as error:
            _raise(error, any(future.status == "error" for future in futures.values()))

    def wait(self, futures):
        """Wait for the futures of a dict by partition; an error names its partition.

        One after the other, so that of two errors it is always the same one that is told.
        """
        for p, future in futures.items():
            try:
                error = future.exception()
            except Exception as lost:
                _raise(lost, False)
            if error is not None:
                if not str(error).startswith("partition "):  # else it is one of reading
                    error.add_note(f"This happened in the graph of partition {p} of X.")
                _raise(error, True)

    def holders(self, futures):
        """The workers that hold the results of a dict of futures, by its keys; [] of others."""
        held = [future for future in futures.values() if isinstance(future, Future)]
        try:
            workers = self._client.who_has(held) if held else {}
        except Exception as error:
            _raise(error, False)
        return {
            name: list(workers.get(getattr(future, "key", None), ()))
            for name, future in futures.items()
        }


def near(workers):
    """A context in which Delayed objects are asked to be at some workers, if there are any.

    They may go elsewhere: where a worker is lost, no task waits for it.
    """
    return annotate(workers=workers, allow_other_workers=True) if workers else nullcontext()


@contextmanager
def waiting():
    """A context that waits for tasks: a task that waits leaves its thread to them."""
    try:
        secede()
    except (KeyError, ValueError):  # a task that has left its thread already, or no task
        yield
        return
    try:
        yield
    finally:
        rejoin()


@contextmanager
def _any_size():
    """A context in which graphs may be large."""
    with _SETTING, config.set({"distributed.admin.large-graph-warning-threshold": maxsize}):
        yield


def _raise(error, of_task):
    """Raise an error of the cluster in words that say what to do; others as they are.

    ``of_task``: a task has raised it, which may be a TimeoutError of the user's own reading.
    """
    if isinstance(error, _LOST) and not of_task:
        sentence = (
            "the cluster has lost rows of X with a worker and cannot compute them again, as it "
            "can do if X is read from files or made by tasks; or the scheduler is gone; or X "
            f"belongs to the client of another cluster ({type(error).__name__}: {error})."
        )
    elif isinstance(error, KilledWorker):
        sentence = (
            f"workers died one after the other at the same task, {error.task!r}, most likely for "
            "want of memory: cut X into more and smaller partitions, give each worker fewer "
            "threads or more memory, or take fewer n_components."
        )
    else:
        raise error
    raise ClusterError(sentence) from error
