"""The error names what needs a library and how to get it, and hides no other error."""

import importlib.util
import sys

import pytest

from skrbm._input.optional import optional


def test_a_module_of_a_library_that_is_there():
    assert optional("importlib.util", "this test", "test") is importlib.util


@pytest.mark.parametrize("missing", ["no_such_library", "no_such_library.of_it"])
def test_the_error_names_purpose_library_and_extra(missing):
    error = r'^this test needs no_such_library, .*: pip install "skrbm\[extra\]"\.$'
    with pytest.raises(ImportError, match=error):
        optional(missing, "this test", "extra")


def test_errors_of_a_library_itself_are_not_hidden(monkeypatch, tmp_path):
    """Something that the library imports is missing, not the library."""
    (tmp_path / "broken_library.py").write_text("import no_such_module\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        optional("broken_library", "this test", "extra")
    assert "broken_library" not in sys.modules
