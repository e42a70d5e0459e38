"""Restricted Boltzmann machines for scikit-learn, compiled with Numba."""

from ._bernoulli import BernoulliRBM
from ._gaussian import GaussianBernoulliRBM
from ._log_partition import LogPartition
from ._recommender import RBMRecommender
from ._show_versions import show_versions
from ._softmax import SoftmaxRBM
from ._warm_up import warm_up

__all__ = [
    "BernoulliRBM",
    "GaussianBernoulliRBM",
    "LogPartition",
    "RBMRecommender",
    "SoftmaxRBM",
    "show_versions",
    "warm_up",
]
__version__ = "0.1.0.dev0"
