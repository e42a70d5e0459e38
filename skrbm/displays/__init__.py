"""Pictures of fitted machines, in the style of scikit-learn's displays.

``from_estimator`` computes what is to be drawn, and draws it. The class itself takes what is to be
drawn, and its method ``plot`` draws it. The pictures need matplotlib, which is an optional
dependency: ``pip install "skrbm[plot]"``.
"""

from ._completion import CompletionDisplay
from ._filters import FiltersDisplay
from ._likelihood import LikelihoodDisplay
from ._samples import SamplesDisplay
from ._training import TrainingDisplay

__all__ = [
    "CompletionDisplay",
    "FiltersDisplay",
    "LikelihoodDisplay",
    "SamplesDisplay",
    "TrainingDisplay",
]
