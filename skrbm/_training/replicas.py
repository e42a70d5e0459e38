"""Replicas: states that learn side by side from parts of the data, and what they have in common.

A replica starts from what is common to all, and makes some updates by its own rows, chains and
random numbers. Then what is common is the mean of what the replicas have made of it, weighed by
the rows that they have seen (local updates: Zinkevich et al., 2010; McMahan et al., 2017). With
one update between two means that is one step along the mean gradient, momentum and averages
included; but for centring, whose hidden mean moves in each replica before its step, and for the
bounds on steps of real-valued units.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from .._machine.memory import copy
from .averaging import Average


class Shared(NamedTuple):
    """What replicas have in common: all that an update changes, but for chains.

    Parameters
    ----------
    arrays : tuple of ndarray
        Parameters; velocities, if there is momentum; the hidden mean of centring; parameters of
        the average, if there is one.
    n_updates, n_epochs : int
    averaged : tuple of int
        Counts of the average; empty if there is none.
    outer : tuple of ndarray
        Velocities of rounds, one per parameter; empty without outer momentum. Replicas do not see
        them.
    """

    arrays: tuple
    n_updates: int
    n_epochs: int
    averaged: tuple = ()
    outer: tuple = ()


def shared_of(state):
    """What a state has in common with other replicas: its arrays, not copies."""
    arrays = *state.model.parameters, *state.optimizer.velocity, state.centring.hidden_mean
    if state.average is None:
        return Shared(arrays, state.n_updates, state.n_epochs)
    average = state.average
    counts = average.n_updates, average.n_added
    return Shared((*arrays, *average.model.parameters), state.n_updates, state.n_epochs, counts)


def with_shared(state, shared):
    """A state like this one that goes on from what is common; its arrays are its own."""
    # What is common says whether there are velocities and an average: the state may have none.
    arrays, average = [copy(array) for array in shared.arrays], None
    n = len(state.model.parameters)
    if shared.averaged:
        arrays, averages = arrays[:-n], arrays[-n:]
        average = Average(state.model.with_parameters(averages), *shared.averaged)
    *velocity, hidden_mean = arrays[n:]
    return replace(
        state,
        model=state.model.with_parameters(arrays[:n]),
        optimizer=replace(state.optimizer, velocity=tuple(velocity)),
        centring=replace(state.centring, hidden_mean=hidden_mean),
        average=average,
        n_updates=shared.n_updates,
        n_epochs=shared.n_epochs,
    )


def weighted_sum(weights, parts):
    """The sum of what is common to parts, by weights, in the order given.

    The sum of sums of few parts is that of all parts, so that nobody has to hold them all.
    Counts are those of the part that has made the most updates. A single part of weight 1 keeps
    every bit.
    """
    arrays = None
    for weight, part in zip(weights, parts, strict=True):
        terms = [array * array.dtype.type(weight) for array in part.arrays]
        if arrays is None:
            arrays = terms
        else:
            for total, term in zip(arrays, terms, strict=True):
                np.add(total, term, out=total)
    most = max(parts, key=lambda part: part.n_updates)
    return most._replace(arrays=tuple(arrays))


def pushed(before, after, momentum, n_parameters):
    """What is common after a round, moved on as the rounds before it have moved.

    A round is to outer momentum what an update is to momentum: ``velocity = momentum * velocity +
    (mean - start)`` and ``parameter = start + velocity``. So the mean of many replicas, each of
    which has seen few rows, does not learn as slowly as one of them (Chen & Huo, 2016).

    Parameters
    ----------
    before, after : Shared
        What the replicas of a round began with, and their mean. Without velocities rounds are at
        rest.
    momentum : float
    n_parameters : int
        Number of the first arrays that are parameters of the machine: only these are moved.
    """
    outer, arrays = [], list(after.arrays)
    for k, start in enumerate(before.arrays[:n_parameters]):
        step = arrays[k] - start
        if before.outer:
            step += start.dtype.type(momentum) * before.outer[k]
        outer.append(step)
        arrays[k] = start + step
    return after._replace(arrays=tuple(arrays), outer=tuple(outer))


# --- chains, which travel as bits --------------------------------------------------------------


def packed(chains):
    """Chains of bits in an eighth of a byte each, with their shape; others as they are."""
    if not ((chains == 0) | (chains == 1)).all():  # somebody has set them
        return chains, None
    return np.packbits(chains.astype(bool, copy=False)), chains.shape


def unpacked(bits, shape, dtype):
    """Chains that have been packed: a copy."""
    if shape is None:
        return bits.copy()
    n = int(np.prod(shape))
    return np.unpackbits(bits, count=n).reshape(shape).astype(dtype)
