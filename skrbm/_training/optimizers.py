"""Optimisers: how parameters follow a gradient, and what an optimiser remembers."""

from dataclasses import dataclass

import numpy as np

from .._kernels import updates


@dataclass
class Momentum:
    """Gradient ascent with momentum (Polyak, 1964) and weight decay.

    ``velocity = momentum * velocity + learning_rate * (gradient - weight_decay * parameter)`` and
    ``parameter += velocity``. Weights decay, biases do not.

    Parameters
    ----------
    velocity : tuple of ndarray
        The last step of each parameter; empty if there is no momentum to remember it for.
    """

    velocity: tuple = ()

    def remember(self, parameters):
        """Make room for the velocity of these parameters, at rest, if there is none yet."""
        if not self.velocity:
            self.velocity = tuple(np.zeros_like(parameter) for parameter in parameters)

    def update(self, parameters, sums, n_rows, learning_rate, momentum, weight_decay):
        """One step of all parameters, in place, along the gradient ``sums / n_rows``."""
        for k, (parameter, total) in enumerate(zip(parameters, sums, strict=True)):
            dtype = parameter.dtype.type
            decay = weight_decay if parameter.ndim == 2 else 0
            rates = dtype(1 / n_rows), dtype(learning_rate), dtype(decay)
            total, flat = total.ravel(), parameter.ravel()
            if self.velocity:
                updates.add_step(total, *rates, dtype(momentum), self.velocity[k].ravel(), flat)
            else:
                updates.add_gradient(total, *rates, flat)
