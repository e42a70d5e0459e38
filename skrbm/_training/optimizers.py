"""Optimisers: how parameters follow a gradient, and what an optimiser remembers."""

from dataclasses import dataclass

import numpy as np

from .._kernels import updates
from .._machine.crew import together


@dataclass
class Momentum:
    """Gradient ascent with momentum (Polyak, 1964), weight decay and an L1 penalty.

    ``velocity = momentum * velocity + learning_rate * slope`` and ``parameter += velocity``, with
    ``slope = gradient - weight_decay * parameter - l1_penalty * sign(parameter)``. Weights are
    penalised, biases are not.

    Parameters
    ----------
    velocity : tuple of ndarray
        The last step of each parameter; empty if there is no momentum to remember it for.
    """

    velocity: tuple = ()

    def copy(self):
        """An optimiser that shares no array with this one."""
        return Momentum(tuple(velocity.copy() for velocity in self.velocity))

    def remember(self, parameters):
        """Make room for the velocity of these parameters, at rest, if there is none yet."""
        if not self.velocity:
            self.velocity = tuple(np.zeros_like(parameter) for parameter in parameters)

    def update(
        self, parameters, sums, n_rows, *, learning_rate, momentum, weight_decay=0, l1_penalty=0
    ):
        """One step of all parameters, in place, along the gradient ``sums / n_rows``."""
        dtype = parameters[0].dtype.type
        scale, rate, momentum = dtype(1 / n_rows), dtype(learning_rate), dtype(momentum)
        # By the number of dimensions.
        penalties = {1: (dtype(0), dtype(0)), 2: (dtype(weight_decay), dtype(l1_penalty))}
        for k, (parameter, total) in enumerate(zip(parameters, sums, strict=True)):
            rates = scale, rate, *penalties[parameter.ndim]
            flat_sums, flat = total.ravel(), parameter.ravel()
            if self.velocity:
                velocity = self.velocity[k].ravel()
                together(updates.add_step, flat_sums, *rates, momentum, velocity, flat)
            else:
                together(updates.add_gradient, flat_sums, *rates, flat)
