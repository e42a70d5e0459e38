"""Visible layers: what a row of data is to the machine.

Notation: ``v`` rows of visible units (n, D); ``phi(v)`` the statistic that meets the weights
(n, D); ``W`` weights (D, M); ``input`` = ``h W^T`` (n, D), what the hidden units tell the
visible ones; ``x`` (n, M) the inputs of the hidden units, bias included. ``draw`` =
``(seed, update, purpose)`` names the random numbers of one call.

A layer is a frozen dataclass of arrays and the few functions of them in which the models of
this package differ. Its arrays may be updated in place (training does), never replaced.
"""

import numpy as np

from .products import product, product_transposed, product_with_transpose


class VisibleLayer:
    """What all layers have in common; each has a ``bias``."""

    #: Whether units are binary, as hidden units are.
    binary = False

    @property
    def n_units(self):
        """Number of visible units."""
        return len(self.bias)

    def direction(self, *gradient):
        """The direction of a step, from the gradient of all parameters of the machine."""
        return gradient

    def constrain(self):
        """Put the parameters back into their bounds after a step."""


class NumberVisible(VisibleLayer):
    """What layers have in common whose rows are arrays of numbers.

    A subclass adds ``features``, ``energy`` and what begins with an underscore here.
    """

    def forward(self, v, weights):
        """``phi(v) W``, shape (n, M)."""
        return product(self.features(v), weights)

    def mean(self, h, weights):
        """``E[v | h]``, shape (n, D)."""
        return self._mean(product_with_transpose(h, weights))

    def expected(self, h, weights, like):
        """``E[v | h]`` as rows for ``gradient``, of the form of the rows ``like``."""
        return self.mean(h, weights)

    def unit_means(self, h, weights):
        """``E[v | h]`` of each unit, shape (n, number of units)."""
        return self.mean(h, weights)

    def cells(self, v):
        """Complete rows as an array of one element per feature, a view."""
        return v

    def best_cells(self, unit_means):
        """The cells that stand for ``unit_means`` in a complete row: their values."""
        return unit_means

    def sample(self, h, weights, draw, out=None):
        """A draw from ``p(v | h)``, shape (n, D), into ``out`` or a new array."""
        input = product_with_transpose(h, weights)
        return self._sample(input, draw, np.empty_like(input) if out is None else out)

    def gradient(self, v, h, row_weights, weights):
        """``sum_r row_weights[r] d(-E(v_r, h_r))/d parameter``: weights, then the layer's own.

        ``h`` (n, M) holds the hidden rows, each times its weight.
        """
        interaction = product_transposed(self.features(v), h)
        return interaction, *self._gradient(v, row_weights, weights, interaction)

    def squared_error(self, v, h, weights):
        """Summed squared difference between ``v`` and ``E[v | h]``, and the number of terms."""
        difference = self.mean(h, weights) - v
        return float(np.square(difference).sum(dtype=np.float64)), difference.size
