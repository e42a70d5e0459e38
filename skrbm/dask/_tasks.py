"""What workers do: pure functions, so that Dask may compute again what a lost worker held.

What replicas exchange are pairs ``(shared, chains)``: a :class:`Shared`, and packed chains. Arrays
that come from elsewhere are never written to.
"""

from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, replace

from .._estimator.parts import form_data, read_table
from .._input.encoding import merged_values
from .._machine.memory import Travelling, received
from .._machine.threads import one_thread
from .._training.epoch import row_order, run_updates
from .._training.measures import added, measure
from .._training.replicas import (
    packed,
    pushed,
    shared_of,
    unpacked,
    weighted_sum,
    with_shared,
)
from .._training.state import Settings, State
from ._partitions import as_block


@contextmanager
def naming(p):
    """Errors of validation name the partition."""
    try:
        yield
    except (TypeError, ValueError) as error:
        kind = ValueError if isinstance(error, ValueError) else TypeError
        raise kind(f"partition {p} of X: {error}") from error


# --- before training --------------------------------------------------------------------------


def read(reader, p, partition, sample_weight, reset):
    """Table, what it says of the form of rows, and facts, of a partition."""
    with naming(p), one_thread():
        return read_table(copy(reader), as_block(partition), sample_weight, reset)


def merge_found(*found):
    """What some partitions say of the form of rows together."""
    return None if found[0] is None else merged_values(found)


def form(reader, p, part, plan, seed):
    """Training data of a partition, their description, and their number of rows."""
    with naming(p), one_thread():
        data, description = form_data(reader, part[0], plan, seed)
    return data, description, description.n_rows


def merge_descriptions(*descriptions):
    """The description of some parts together."""
    first, *others = descriptions
    for other in others:
        first = first.merged(other)
    return first


# --- training ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Job(Travelling):
    """What all tasks of a fit have in common.

    Parameters
    ----------
    settings : Settings
    state : State
        Of the beginning. Tasks take from it what no update changes.
    seeds : dict
        The seed of each partition.
    shares : dict
        The share of all rows that each partition has.
    mean_weight : float or None
        Mean of the weights of all rows.
    """

    settings: Settings
    state: State
    seeds: dict
    shares: dict
    mean_weight: float | None

    def replica(self, p, shared, chains):
        """The state of a partition."""
        state = with_shared(self.state, shared)
        kept = self.state.chains if chains is None else unpacked(*chains, state.model.dtype)
        return replace(state, seed=self.seeds[p], chains=kept)

    def rows(self, data):
        """Rows of a partition, whose weights are relative to the mean of all weights."""
        return data.rows if self.mean_weight is None else data.rows.among(self.mean_weight)


def order_of(job, p, part, n_epochs):
    """The order of the rows of a partition in an epoch."""
    return row_order(job.settings, job.seeds[p], n_epochs, part[0].rows.n_rows)


def learn(job, p, part, order, common, own, batches):
    """Updates of a partition by some of its mini-batches, from what is common, and its chains."""
    (shared, _), (_, chains) = common, own
    state = job.replica(p, shared, chains)
    with one_thread():
        run_updates(state, job.settings, job.rows(part[0]), batches, received(order))
    keeps_chains = job.settings.algorithm != "cd"
    return shared_of(state), packed(state.chains) if keeps_chains else None


def mean(weights, *pairs):
    """The mean of what replicas have made, or a part of its sum; see ``weighted_sum``."""
    return weighted_sum(weights, [shared for shared, _ in pairs]), None


def push(job, before, after, momentum):
    """The mean of a round with outer momentum; parameters stay within their bounds."""
    model = job.state.model
    n_parameters = len(model.parameters)
    shared = pushed(before[0], after[0], momentum, n_parameters)
    model.with_parameters(shared.arrays[:n_parameters]).visible.constrain()
    return shared, None


def take_measures(job, p, part, shared, base_rate_misfit):
    """Sums over the rows of a partition at the end of an epoch."""
    state = replace(job.replica(p, shared, None), base_rate_misfit=base_rate_misfit)
    data = part[0]
    with one_thread():
        return measure(state, job.rows(data), data.held_out, data.n_scored, job.shares[p])


def add_measures(*sums):
    """The sums over some partitions."""
    return added(sums)
