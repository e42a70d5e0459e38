"""Averages of parameters over updates (Polyak & Juditsky, 1992).

Parameters wander about their optimum as long as gradients are noisy. Their average over the last
part of learning is closer to it. The average here has weights that grow as a power of the number
of the update (Shamir & Zhang, 2013): so it is an average over the last part at any time, and does
not need to know when learning ends. (Measured beside others: design_notes.rst.)
"""

from dataclasses import dataclass

from .._kernels import updates
from .._machine.crew import together
from .._machine.rbm import RBM

#: Share of all updates over which parameters are averaged, if the user leaves the choice to us.
SHARE = 0.3
#: Update t is left out if no more than ``t // _SPANS`` updates have been since one that was not.
_SPANS = 200


@dataclass
class Average:
    """The machine of averaged parameters.

    Parameters
    ----------
    model : RBM
        Its arrays are its own; updated in place.
    n_updates : int
        Number of updates averaged over so far.
    n_added : int
        Of these, up to where parameters have been added.
    """

    model: RBM
    n_updates: int = 0
    n_added: int = 0

    def copy(self):
        """An average that shares no array with this one."""
        return Average(self.model.copy(), self.n_updates, self.n_added)

    def add(self, model, share):
        """Add the parameters after an update.

        The update number t has the weight ``t^p - (t - 1)^p``. With ``p = 2 / share - 1`` the mean
        age of what is averaged is that of the last ``share`` of all updates. Late in learning
        parameters change slowly, and one of a few updates stands for all of them.
        """
        self.n_updates += 1
        t = self.n_updates
        if t - self.n_added <= t // _SPANS:
            return
        weight = model.dtype.type(1 - (self.n_added / t) ** (2 / share - 1))
        self.n_added = t
        for average, parameter in zip(self.model.parameters, model.parameters, strict=True):
            together(updates.approach, parameter.ravel(), weight, average.ravel())
