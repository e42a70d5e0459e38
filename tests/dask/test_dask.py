"""The wing is optional: nothing else of the package imports it, or the library Dask."""

import skrbm.dask

from ..helpers.processes import run_python

#: Imports the wing without a library that it needs, directly or not.
ABSENT = """
import sys
import skrbm
print(sorted({"dask", "distributed", "skrbm.dask"} & set(sys.modules)))
for absent in ("dask", "distributed", "toolz"):
    sys.modules[absent] = None
    try:
        import skrbm.dask
    except ImportError as error:
        print(f"{type(error).__name__}: {error}")
    del sys.modules[absent]
import skrbm.dask
"""


def test_all_names_what_is_public():
    assert skrbm.dask.__all__ == sorted(skrbm.dask.__all__)
    for name in skrbm.dask.__all__:
        assert callable(getattr(skrbm.dask, name))


def test_the_package_works_without_dask_and_the_wing_says_what_to_install():
    status, printed = run_python(ABSENT)
    lines = printed.splitlines()
    assert lines[0] == "[]"
    for line, absent in zip(lines[1:3], ("dask", "distributed"), strict=True):
        assert line.startswith(f"ImportError: skrbm.dask needs {absent}, which is not installed")
        assert line.endswith('pip install "skrbm[dask]".')
    assert lines[3].startswith("ModuleNotFoundError")  # of Dask itself, which is broken
    assert "toolz" in lines[3]
    assert status == 0
