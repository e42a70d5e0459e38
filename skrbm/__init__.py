"""Restricted Boltzmann machines for scikit-learn, compiled with Numba."""

from ._bernoulli import BernoulliRBM

__all__ = ["BernoulliRBM"]
__version__ = "0.1.0.dev0"
