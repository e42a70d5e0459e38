"""Schedules: what changes from epoch to epoch as the user lists it, and from update to update."""

import numpy as np

#: After so many updates "inverse_sqrt" has made the rate smaller by a factor of sqrt(2) (the
#: value of Grosse & Salakhutdinov, ICML 2015).
_HALF_LIFE = 1000


def scheduled(value, epoch):
    """The value of a schedule in an epoch, counted from 0."""
    return value if np.ndim(value) == 0 else value[min(epoch, len(value) - 1)]


def _constant(n_updates, span):
    return 1.0


def _linear(n_updates, span):
    """From 1 to 0 within a fit. A call of ``partial_fit`` does not know when learning ends."""
    if span is None:
        return 1.0
    first, n_planned = span
    return 1 - (n_updates - first) / n_planned


def _inverse_sqrt(n_updates, span):
    return (_HALF_LIFE / (_HALF_LIFE + n_updates)) ** 0.5


#: How the learning rate falls from update to update, by the names that users give.
#:
#: A function takes the number of updates that the machine has seen and, within a fit, the number
#: at which the fit began and how many updates it will make. The result multiplies the rate.
FALLS = {"constant": _constant, "linear": _linear, "inverse_sqrt": _inverse_sqrt}
