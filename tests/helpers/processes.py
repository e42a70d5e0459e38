"""Python in another process."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import skrbm

PACKAGE = Path(skrbm.__file__).parent


def run_python(code, folder=PACKAGE.parent, **environment):
    """Run code that imports skrbm from a folder; what it printed, also on the error channel.

    Its warnings are counted by the tests, not errors. It leaves no bytecode behind: bytecode
    goes by the time of its source, and some tests edit a source and keep the time.
    """
    environment = {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", **environment}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | environment,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    return done.returncode, done.stdout


def copy_of_the_package(folder, ignored=()):
    """A copy without bytecode and without compiled kernels, as a fresh installation."""
    ignore = shutil.ignore_patterns("__pycache__", *ignored)
    return Path(shutil.copytree(PACKAGE, Path(folder, "skrbm"), ignore=ignore))
