"""The wing is optional: nothing else of the package imports it, or the library Dask."""

import sys
from importlib import import_module

import pytest

import skrbm.dask

from ..helpers.processes import run_python


def test_all_names_what_is_public():
    assert skrbm.dask.__all__ == sorted(skrbm.dask.__all__)
    for name in skrbm.dask.__all__:
        assert callable(getattr(skrbm.dask, name))


def test_the_package_does_not_import_dask():
    names = "{'dask', 'distributed', 'skrbm.dask'}"
    code = f"import sys, skrbm; print({names} & set(sys.modules))"
    assert run_python(code) == (0, "set()\n")


def import_without(monkeypatch, absent):
    """Import the wing anew, without a module that it needs."""
    for name in [name for name in sys.modules if name.startswith("skrbm.dask")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, absent, None)
    return import_module("skrbm.dask")


@pytest.mark.parametrize("absent", ["dask", "distributed"])
def test_without_dask_the_error_says_what_to_install(monkeypatch, absent):
    message = rf'skrbm\.dask needs {absent}, which is not installed: pip install "skrbm\[dask\]"\.'
    with pytest.raises(ImportError, match=message):
        import_without(monkeypatch, absent)


def test_the_error_of_another_module_is_its_own(monkeypatch):
    with pytest.raises(ModuleNotFoundError, match="operator"):
        import_without(monkeypatch, "operator")
