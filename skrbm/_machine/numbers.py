"""What layers share if their rows are arrays of numbers. Notation as in ``layer``."""

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from .layer import Layer
from .memory import scratch
from .products import product, product_transposed, product_with_transpose


def room_for(x, out):
    """Where rows drawn from inputs ``x`` go: ``out``, if it is as large; None: new rows."""
    if out is None:
        return scratch(x.shape, x.dtype)
    if out.shape != x.shape:  # kernels do not check bounds
        raise ValueError(f"rows of shape {x.shape} do not fit into an array of {out.shape}.")
    return out


@dataclass
class NumberPhases:
    """Rows of data and, below them in the same array, rows of the model."""

    both: np.ndarray
    n_pos: int

    @property
    def positive(self):
        """The rows of data, a view."""
        return self.both[: self.n_pos]

    @property
    def negative(self):
        """The rows of the model, a view."""
        return self.both[self.n_pos :]

    def replace_negative(self, v):
        """Put other rows in the place of the rows of the model."""
        self.both[self.n_pos :] = v


class NumberLayer(Layer):
    """A layer whose rows are arrays (n, N) and whose units are its features.

    A subclass adds ``statistic``, ``_own_gradient`` and what is abstract in :class:`Layer`.
    """

    @abstractmethod
    def statistic(self, v):
        """``phi(v)``, shape (n, N)."""

    @abstractmethod
    def _own_gradient(self, v, row_weights, weights, weights_gradient):
        """The gradient of the layer's own parameters, as in ``gradient``.

        ``weights_gradient`` is the gradient of the weights. Some derivatives can be made of it.
        """

    def forward(self, v, weights):
        """``phi(v) W``."""
        return product(self.statistic(v), weights)

    def input(self, h, weights):
        """``h W^T``."""
        return product_with_transpose(h, weights)

    def values(self, v):
        """The rows themselves."""
        return v

    def feature_mean(self, x):
        """``mean``, as each unit is a feature."""
        return self.mean(x)

    def point_estimate(self, mean):
        """The means, in the dtype of the parameters."""
        return mean.astype(self.bias.dtype, copy=False)

    def clamp(self, v, given, known):
        """Copy known entries into ``v``."""
        np.copyto(v, given, where=known)

    def squared_error(self, v, x):
        """Of units whose values lie in [0, 1]: an error of a thousandth is negligible."""
        squares = float(np.square(self.mean(x) - v).sum(dtype=np.float64))
        return squares, squares + 1e-3 * v.size, v.size

    def phases(self, rows, which, n_neg):
        """Rows of data, read into an array that has room for the rows of the model."""
        n_pos = which.stop - which.start if isinstance(which, slice) else len(which)
        n_neg = n_pos if n_neg is None else n_neg
        both = scratch((n_pos + n_neg, self.n_units), self.bias.dtype)
        rows.read(which, out=both[:n_pos])
        return NumberPhases(both, n_pos)

    def mean_rows(self, x, like):
        """``mean``, as every entry of a row is observed."""
        return self.mean(x)

    def gradient(self, phases, h, row_weights, weights):
        """One product for both phases."""
        interaction = product_transposed(self.statistic(phases.both), h)
        return interaction, *self._own_gradient(phases.both, row_weights, weights, interaction)
