"""Compiled functions: the only importers of Numba."""

from numba import config, get_num_threads, set_num_threads

__all__ = ["get_num_threads", "set_num_threads"]

if config.DISABLE_JIT:
    raise ImportError(
        "skrbm exists as compiled code only, and NUMBA_DISABLE_JIT forbids to compile. Unset "
        "NUMBA_DISABLE_JIT. To run a compiled function of your own as Python, for its coverage, "
        "call its attribute py_func."
    )
