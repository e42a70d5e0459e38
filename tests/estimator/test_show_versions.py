"""What show_versions prints of the computer, and that it leaves out no library."""

import platform
import sys
from importlib.metadata import PackageNotFoundError, version

import numpy as np

import skrbm

from ..helpers.project import requirements


def printed(capsys):
    """What is printed, as pairs of a name and a value."""
    skrbm.show_versions()
    lines = capsys.readouterr().out.splitlines()
    return [tuple(part.strip() for part in line.split(":", 1)) for line in lines if line]


def test_system_python_and_versions_are_printed(capsys):
    lines = printed(capsys)
    assert ("machine", platform.platform()) in lines
    assert ("executable", sys.executable) in lines
    assert ("skrbm", skrbm.__version__) in lines
    assert ("numpy", np.__version__) in lines
    assert ("llvmlite", version("llvmlite")) in lines
    assert any(name == "python" and platform.python_version() in value for name, value in lines)


def test_no_library_is_left_out(capsys):
    named = {name for name, _ in printed(capsys)}
    assert requirements("install_requires", "plot", "progress", "dask").keys() <= named


def test_thread_pools_are_printed(capsys):
    lines = printed(capsys)
    assert ("Thread pool", "") in lines
    assert ("user_api", "blas") in lines
    threads = [int(value) for name, value in lines if name in ("threads", "num_threads")]
    assert len(threads) >= 2
    assert min(threads) >= 1


def test_a_library_that_is_absent_is_said_to_be(capsys, monkeypatch):
    def without_rich(name):
        if name == "rich":
            raise PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setitem(skrbm.show_versions.__globals__, "version", without_rich)
    lines = printed(capsys)
    assert ("rich", "not installed") in lines
    assert ("pandas", "1.0") in lines
