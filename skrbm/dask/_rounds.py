"""Rounds: which partitions make which updates between two means."""

from typing import NamedTuple

from .._training.epoch import n_batches_of

#: Results that one task adds up.
FAN_IN = 8


class Turn(NamedTuple):
    """The part of a partition in a round.

    Parameters
    ----------
    p : int
        Number of the partition.
    batches : range
        Numbers of its mini-batches.
    n_rows : int
        Number of rows in them.
    """

    p: int
    batches: range
    n_rows: int


def warm_up_rounds(sizes, sync_every, n_updates):
    """Rounds of the first partition alone, which may go through its rows several times."""
    p = min(sizes)
    for first in range(0, n_updates, sync_every):
        batches = range(first, min(first + sync_every, n_updates))
        yield [Turn(p, batches, 1)]  # alone it has all the weight, over however many rows


def rounds(sizes, settings, sync_every):
    """The rounds of an epoch.

    Every round has as many mini-batches of each partition; a partition that has none left is
    left out.

    Parameters
    ----------
    sizes : dict
        Number of rows of each partition.
    settings : Settings
    sync_every : int
    """
    n_batches = {p: n_batches_of(n, settings) for p, n in sizes.items()}
    batch_size = settings.batch_size
    for first in range(0, max(n_batches.values()), sync_every):
        turns = []
        for p, n_rows in sizes.items():
            batches = range(first, min(first + sync_every, n_batches[p]))
            if batches:
                seen = min(batches.stop * batch_size, n_rows) - first * batch_size
                turns.append(Turn(p, batches, seen))
        yield turns


def tree(function, items):
    """``function(*items)``, a few items at a time; the number of items decides the order."""
    while len(items) > 1:
        items = [function(*items[cut]) for cut in _cuts(len(items))]
    return items[0]


def mean_tree(mean, turns, replicas):
    """The mean of what the replicas of a round have made, by the rows that they have seen."""
    n_rows = sum(turn.n_rows for turn in turns)
    weights = [turn.n_rows / n_rows for turn in turns]
    while len(replicas) > 1:
        replicas = [mean(weights[cut], *replicas[cut]) for cut in _cuts(len(replicas))]
        weights = [1.0] * len(replicas)
    return replicas[0]


def _cuts(n):
    return [slice(first, first + FAN_IN) for first in range(0, n, FAN_IN)]
