"""Centring: gradients as if units were counted from their means.

A machine does not change if its energy is written with statistics and hidden states less some
constants mu and lambda, and with other biases::

    E = E_vis(v) with bias b' - c' (h - lambda) - (phi(v) - mu) W (h - lambda)
    b = b' - s W lambda         c = c' - mu W         s the layer's scale, 1 but for real values

The gradient by W, b' and c' is another direction than the gradient by W, b and c, because a step
of W leaves the mean inputs of all units as they are. With the means of the data for mu and lambda
bits and flipped bits are learned alike (Montavon & Mueller, 2012; Cho, Raiko & Ilin, 2013;
Melchior, Fischer & Wiskott, JMLR 2016). The parameters of a machine stay W, b and c: an update
enters the coordinates W, b', c', makes its step, and leaves them. A learned scale follows its
gradient at fixed b and c, which depends on where the zero of the data is.
"""

from dataclasses import dataclass

import numpy as np

from .._kernels import updates
from .._machine.crew import together
from .._machine.memory import scratch

#: Share by which the hidden mean moves towards that of each mini-batch.
RATE = 0.01


@dataclass
class Centring:
    """Means of the data, where units are counted from.

    Parameters
    ----------
    data_mean : ndarray of shape (N,)
        Means of the visible units in the training data. They stay as they are.
    hidden_mean : ndarray of shape (M,)
        ``lambda``, a moving average of the hidden means of the data; updated in place.
    """

    data_mean: np.ndarray
    hidden_mean: np.ndarray

    @classmethod
    def at(cls, model, data_mean):
        """Centring of a machine that has seen no mini-batch yet."""
        center = model.visible.centers(data_mean)[0]
        x = np.einsum("i,ij->j", center, model.weights)  # without BLAS, and its threads
        return cls(data_mean, model.hidden.mean(x[np.newaxis])[0])

    def copy(self):
        """Centring that shares no array to which learning writes."""
        return Centring(self.data_mean, self.hidden_mean.copy())

    def follow(self, estimate):
        """Move the hidden mean by the rows of data of a mini-batch."""
        if estimate.weight > 0:
            share = min(1, RATE * estimate.weight / estimate.n_rows)  # 1: of one very heavy row
            mean = estimate.hidden / self.hidden_mean.dtype.type(estimate.weight)
            self.hidden_mean += self.hidden_mean.dtype.type(share) * (mean - self.hidden_mean)

    def coordinates(self, model):
        """The coordinates of one update."""
        visible = model.visible
        return Centred(model, visible.centers(self.data_mean), visible.scale, self.hidden_mean)


@dataclass(frozen=True)
class Centred:
    """Coordinates ``W, b', c'`` of a machine.

    Parameters
    ----------
    model : RBM
    centers : tuple of ndarray
        ``mu``; then the center of what meets each further table of weights.
    scale : ndarray or number
        The scale of the visible layer as it is before the step.
    hidden_mean : ndarray of shape (M,)
    """

    model: object
    centers: tuple
    scale: object
    hidden_mean: np.ndarray

    def gradient(self, sums):
        """Sums for ``W, b', c'``, made of those for ``W, b, c`` in place."""
        weights, hidden, visible, *others = sums
        statistic, means = self.scale * visible, self.hidden_mean
        together(updates.center, self.centers[0], statistic, hidden, means, weights)
        for table, center in zip(_tables(others), self.centers[1:], strict=True):
            unchanged = np.zeros_like(center)  # what meets the table is the same in both phases
            together(updates.center, center, unchanged, hidden, means, table)
        return sums

    def enter(self):
        """Put ``b', c'`` in the place of ``b, c``."""
        self._shift(1)

    def leave(self):
        """Put ``b, c`` back, with the weights as they are now."""
        self._shift(-1)

    def _shift(self, sign):
        weights, hidden, visible, *others = self.model.parameters
        at_hidden, at_visible = _projections(weights, self.centers[0], self.hidden_mean)
        hidden += sign * at_hidden
        at_visible *= sign * self.scale
        visible += at_visible
        for table, center in zip(_tables(others), self.centers[1:], strict=True):
            hidden += sign * _projections(table, center, self.hidden_mean)[0]


def _projections(table, left, right):
    """``left^T table`` and ``table right``."""
    n_blocks = -(-len(table) // updates.BLOCK)
    at_left = scratch((n_blocks, len(right)), table.dtype)
    at_right = scratch(left.shape, left.dtype)
    together(updates.project, table, left, right, at_right, at_left)
    return at_left.sum(axis=0), at_right


def _tables(arrays):
    return [array for array in arrays if array.ndim == 2]


class Ordinary:
    """The coordinates ``W, b, c`` themselves."""

    def gradient(self, sums):
        """The sums as they are."""
        return sums

    def enter(self):
        """Nothing to do."""

    def leave(self):
        """Nothing to do."""
