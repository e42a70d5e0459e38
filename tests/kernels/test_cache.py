"""Files of compiled kernels: what fits is loaded, and nothing else, whatever becomes of a file."""

import errno
import importlib.util
import os
import shutil
import sys
import warnings
from pathlib import Path
from typing import NamedTuple

import numba
import numpy as np
import pytest

from skrbm import BernoulliRBM
from skrbm._kernels import inlined
from skrbm._kernels.cache import KernelCache

from ..helpers.processes import copy_of_the_package, run_python

SOURCE = """
from skrbm._kernels.cache import kernel

@kernel()
def double(x):
    return 2 * x

@kernel()
def third(x):
    return x[2]
"""


class Kernels:
    """A module of kernels in a folder, and the folder that keeps what is compiled."""

    def __init__(self, folder):
        self.file, self.kept = folder / "small.py", folder / "kept"
        self.file.write_text(SOURCE)

    def load(self):
        """The module, as another process would import it."""
        spec = importlib.util.spec_from_file_location("small", self.file)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    @property
    def files(self):
        return sorted(path for path in self.kept.rglob("*") if path.is_file())


@pytest.fixture(name="kernels")
def kernels_of_a_process(tmp_path, monkeypatch):
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "kept"))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(KernelCache, "has_warned", False)
    return Kernels(tmp_path)


def hits(kernel):
    return sum(kernel.stats.cache_hits.values())


def assert_kept(kernels, *arguments):
    """A new process loads the code for each argument."""
    double = kernels.load().double
    assert [double(x) for x in arguments] == [2 * x for x in arguments]
    assert hits(double) == len(arguments)


def test_a_kernel_is_compiled_once(kernels):
    double = kernels.load().double
    assert double(3) == 6
    assert hits(double) == 0
    assert_kept(kernels, 3)


class Point(NamedTuple):
    x: int
    y: int
    z: int


class Place(NamedTuple):
    x: int
    y: int
    z: int


def test_types_that_differ_at_all_have_files_of_their_own(kernels):
    square = np.eye(3)
    constant = square.copy()
    constant.flags.writeable = False
    arrays = [square, square.astype(np.float32), square.astype(int), square[0], square[:, ::2]]
    tuples = [(1, 2, 3), (1, 2, 3.0), Point(1, 2, 3), Place(1, 2, 3)]
    third = kernels.load().third
    for x in (*arrays, np.asfortranarray(square), constant, *tuples):
        third(x)
    assert len(kernels.files) == len(third.signatures) == 11


# --- files that do not fit ---

DAMAGES = {
    "empty": lambda content: b"",
    "cut off in the digest": lambda content: content[:10],
    "cut off in the code": lambda content: content[: len(content) // 2],
    "one byte short": lambda content: content[:-1],
    "one bit changed": lambda content: content[:-9] + bytes([content[-9] ^ 1]) + content[-8:],
    "something else": lambda content: b"\x80\x05N." * 100,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_is_written_anew(kernels, damage):
    kernels.load().double(3)
    (file,) = kernels.files
    content = file.read_bytes()
    file.write_bytes(damage(content))
    double = kernels.load().double
    assert double(3) == 6
    assert hits(double) == 0
    assert_kept(kernels, 3)
    assert kernels.files == [file]


def test_code_for_other_types_is_not_loaded(kernels):
    """Whatever exchanged the files: names alone prove nothing."""
    double = kernels.load().double
    double(3), double(3.0)
    first, second = kernels.files
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)
    double = kernels.load().double
    assert (double(3), double(3.5)) == (6, 7.0)
    assert hits(double) == 0
    assert_kept(kernels, 3, 3.5)


def test_processes_that_compile_at_once_do_not_mix_their_files(kernels, monkeypatch):
    """One writes its file after the other has begun, and before the other has ended."""
    first, second = kernels.load().double, kernels.load().double
    replace = Path.replace

    def replace_later(self, target):
        monkeypatch.setattr(Path, "replace", replace)
        assert second(3.5) == 7.0
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", replace_later)
    assert first(3) == 6
    assert_kept(kernels, 3, 3.5)


def edit(file, old, new):
    """Change a file and keep its time and size, so that only the text tells."""
    text, time = file.read_text(), file.stat().st_mtime_ns
    assert text.count(old) >= 1
    assert len(old) == len(new)
    file.write_text(text.replace(old, new))
    os.utime(file, ns=(time, time))


def test_code_of_an_earlier_source_is_not_loaded(kernels):
    kernels.load().double(3)
    edit(kernels.file, "2 * x", "5 * x")
    double = kernels.load().double
    assert double(3) == 15
    assert len(kernels.files) == 1  # the new file replaces the old one
    again = kernels.load().double
    assert again(3) == 15
    assert hits(again) == 1


def test_code_compiled_before_an_edit_belongs_to_the_source_before(kernels):
    """An edit while a process runs: the process knows only the source that it has read."""
    double = kernels.load().double
    edit(kernels.file, "2 * x", "5 * x")
    assert double(3) == 6
    assert kernels.load().double(3) == 15


PHILOX = """
import numpy as np
from skrbm._kernels.units import philox
words = np.zeros(4, np.uint32)
philox(np.uint64(1), 2, 3, 4, words)
print(words.tolist(), sum(philox.stats.cache_hits.values()))
"""


@pytest.mark.long
def test_an_edit_of_what_is_inlined_compiles_its_kernels_anew(tmp_path):
    package = copy_of_the_package(tmp_path)
    (package / "__init__.py").write_text("")  # the kernels alone are imported faster
    environment = {"NUMBA_CACHE_DIR": str(tmp_path / "kept")}
    cold, warm = (run_python(PHILOX, tmp_path, **environment) for _ in range(2))
    assert (cold[0], warm[0]) == (0, 0)
    assert warm[1] == cold[1].replace("] 0", "] 1")
    edit(package / "_kernels" / Path(inlined.__file__).name, "range(10)", "range( 9)")
    edited = run_python(PHILOX, tmp_path, **environment)
    assert edited[0] == 0
    assert edited[1].endswith("] 0\n")
    assert edited[1] != cold[1]


def test_checked_and_unchecked_code_are_kept_apart(kernels, monkeypatch):
    """NUMBA_BOUNDSCHECK=1."""
    short = np.arange(3.0)[:2]  # the third element is there
    monkeypatch.setattr(numba.config, "BOUNDSCHECK", None)
    assert kernels.load().third(short) == 2
    monkeypatch.setattr(numba.config, "BOUNDSCHECK", 1)
    for expected in (0, 1):
        third = kernels.load().third
        with pytest.raises(IndexError):
            third(short)
        assert hits(third) == expected
    monkeypatch.setattr(numba.config, "BOUNDSCHECK", None)
    third = kernels.load().third
    assert third(short) == 2
    assert hits(third) == 1


# --- no place for files ---


def one_warning(call, *more):
    """What the first call warns of; the others do not."""
    with pytest.warns(RuntimeWarning, match="NUMBA_CACHE_DIR") as caught:
        assert call() == 6
    assert len(caught) == 1
    for other in more:
        other()
    return str(caught[0].message)


def test_without_a_folder_kernels_work_and_one_of_them_says_so(kernels, monkeypatch):
    """A path below a file cannot be made, not even by root."""
    for name in ("HOME", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(kernels.file / "home"))
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(kernels.file / "kept"))
    (kernels.file.parent / "__pycache__").write_text("")
    module = kernels.load()
    message = one_warning(
        lambda: module.double(3), lambda: module.double(3.0), lambda: module.third((1, 2, 3))
    )
    assert "no locator available" in message


def test_on_a_full_disk_kernels_work_and_leave_no_parts_of_files(kernels, monkeypatch):
    def write_a_part(self, content):
        with self.open("wb") as file:
            file.write(content[:100])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    module = kernels.load()
    with monkeypatch.context() as full:
        full.setattr(Path, "write_bytes", write_a_part)
        message = one_warning(lambda: module.double(3), lambda: module.third((1, 2, 3)))
    assert os.strerror(errno.ENOSPC) in message
    assert kernels.files == []
    kernels.load().double(3)
    assert_kept(kernels, 3)


def test_a_file_that_can_be_neither_read_nor_written(kernels):
    kernels.load().double(3)
    (file,) = kernels.files
    file.unlink()
    file.mkdir()
    double = kernels.load().double
    one_warning(lambda: double(3))


def test_a_warning_that_is_an_error_does_no_lasting_harm(kernels):
    kernels.load().double(3)
    (file,) = kernels.files
    file.unlink()
    file.mkdir()
    double = kernels.load().double
    with warnings.catch_warnings(action="error"), pytest.raises(RuntimeWarning):
        double(3)
    assert double(3) == 6


def test_a_folder_that_disappears_is_made_again(kernels):
    double = kernels.load().double
    double(3)
    shutil.rmtree(kernels.kept)
    assert double(3.5) == 7.0
    assert_kept(kernels, 3.5)


def test_a_file_that_another_process_has_written_is_as_good(kernels, monkeypatch):
    """Windows does not replace a file while it is being read."""

    def refuse(self, target):
        shutil.copy(self, target)
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(target))

    with monkeypatch.context() as windows:
        windows.setattr(Path, "replace", refuse)
        assert kernels.load().double(3) == 6
    assert len(kernels.files) == 1
    assert_kept(kernels, 3)


FIT = """
import numpy as np
from skrbm import BernoulliRBM
print(BernoulliRBM(n_components=1, n_iter=1, random_state=0).fit(np.eye(2)).components_.tolist())
"""


@pytest.mark.long
def test_a_package_that_cannot_keep_its_kernels_can_be_imported_and_fits(tmp_path):
    """Site-packages and the home folder of a container can often not be written."""
    package = copy_of_the_package(tmp_path)
    (package / "_kernels" / "__pycache__").write_text("")
    nowhere = str(package / "__init__.py" / "home")
    names = ("HOME", "XDG_CACHE_HOME", "LOCALAPPDATA", "NUMBA_CACHE_DIR")
    code, output = run_python(FIT, tmp_path, **dict.fromkeys(names, nowhere))
    assert code == 0, output
    assert output.count("RuntimeWarning") == output.count("NUMBA_CACHE_DIR") == 1
    fitted = BernoulliRBM(n_components=1, n_iter=1, random_state=0).fit(np.eye(2))
    assert output.endswith(f"\n{fitted.components_.tolist()}\n")
