"""show_versions: what the report of a fault says of the computer."""

import platform
import sys
from importlib.metadata import PackageNotFoundError, version

from threadpoolctl import threadpool_info

from ._kernels import get_num_threads

# In the names of the package index. The tests compare them with setup.cfg.
_LIBRARIES = (
    "numpy",
    "scipy",
    "scikit-learn",
    "numba",
    "llvmlite",
    "narwhals",
    "joblib",
    "threadpoolctl",
)
_OPTIONAL = ("matplotlib", "pandas", "rich", "dask", "distributed", "pooch")


def show_versions():
    """Print the system, the versions of Python, skrbm and its libraries, and the thread pools.

    Please add the output to the report of a fault. The pools say which BLAS NumPy and SciPy use.

    See Also
    --------
    sklearn.show_versions : The same of scikit-learn.

    Examples
    --------
    >>> import skrbm
    >>> skrbm.show_versions()  # doctest: +ELLIPSIS
    System:
    ...
    """
    _print_table(
        "System",
        {
            "python": " ".join(sys.version.split()),
            "executable": sys.executable,
            "machine": platform.platform(),
        },
    )
    own = {"skrbm": sys.modules[__package__].__version__}
    _print_table("Libraries", own | {name: _version(name) for name in _LIBRARIES + _OPTIONAL})
    _print_table("Kernels", {"threads": get_num_threads()})
    for pool in threadpool_info():
        _print_table("Thread pool", pool)


def _version(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _print_table(title, rows):
    print(f"{title}:")
    for name, value in rows.items():
        print(f"{name:>16}: {value}")
    print()
