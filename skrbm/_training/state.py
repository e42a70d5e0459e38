"""How to learn, and all that learning has to remember."""

from dataclasses import dataclass, field, replace

import numpy as np

from .._machine.rbm import RBM
from .averaging import Average
from .centring import Centring
from .optimizers import Momentum

#: What is recorded of each epoch.
FIGURES = (
    "reconstruction_error",
    "learning_rate",
    "n_gibbs_steps",
    "momentum",
    "seconds",
    "validation_score",
    "free_energy_gap",
)


@dataclass(frozen=True)
class Settings:
    """How to learn. A schedule is a number, or one value per epoch of which the last goes on."""

    algorithm: str  # a name in ``phases.ALGORITHMS``
    batch_size: int
    n_chains: int
    learning_rate: object  # schedule
    n_gibbs_steps: object  # schedule
    momentum: object  # schedule
    weight_decay: float
    mean_negative_visibles: bool
    shuffle: bool
    l1_penalty: float = 0.0
    sample_positive_visibles: bool = False
    learning_rate_schedule: str = "constant"  # a name in ``schedules.FALLS``
    span: tuple | None = None  # of a fit: number of updates before it, and in it
    centering: bool = False
    average: float | None = None  # share of all updates


@dataclass
class State:
    """All that a further epoch needs to know: going on from a copy gives the same bits."""

    model: RBM
    seed: np.uint64
    base_rate_bias: np.ndarray  # the visible layer's bias before training
    # Hidden states: (n_chains, M), or (n_temperatures, n_chains, M) of tempered chains.
    chains: np.ndarray
    centring: Centring
    optimizer: Momentum = field(default_factory=Momentum)
    average: Average | None = None
    n_updates: int = 0
    n_epochs: int = 0
    # The figures of each epoch. Copies share the list, each up to its own number of records.
    records: list = field(default_factory=list)
    n_records: int = 0
    # How far reconstructions are from the data, and how far their means are; known after an epoch.
    misfit: float | None = None
    base_rate_misfit: float | None = None

    @property
    def fitted(self):
        """The machine that learning has to show: that of averaged parameters, if there is one."""
        return self.model if self.average is None else self.average.model

    def copy(self):
        """A state that shares no array with this one to which learning writes."""
        return replace(
            self,
            model=self.model.copy(),
            centring=self.centring.copy(),
            optimizer=self.optimizer.copy(),
            average=None if self.average is None else self.average.copy(),
        )

    def record(self, figures):
        """Add the figures of an epoch: one step, however many epochs there were."""
        if len(self.records) > self.n_records:  # a copy has gone on
            self.records = self.records[: self.n_records]
        self.records[self.n_records :] = [dict.fromkeys(FIGURES, np.nan) | figures]
        self.n_records += 1
