"""Compiled functions: the only importers of Numba."""

from numba import get_num_threads

__all__ = ["get_num_threads"]
