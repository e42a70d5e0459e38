"""How good are samples? Figures that compare samples of any model with data."""

from ._correlations import PairCorrelations, pair_correlations
from ._neighbors import AdversarialAccuracy, adversarial_accuracy

__all__ = [
    "AdversarialAccuracy",
    "PairCorrelations",
    "adversarial_accuracy",
    "pair_correlations",
]
