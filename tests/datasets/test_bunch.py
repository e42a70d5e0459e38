"""Pairs and ratings as arrays and as data frames, and what is said of missing libraries."""

import sys

import numpy as np
import pytest

from skrbm.datasets._bunch import bunch_of_pairs, library

COLUMNS = np.array([3, 1]), np.array([10, 20]), np.array([5, 1.5], np.float32)
TIMES = {"timestamp": np.array([7, 8])}


def test_arrays():
    bunch = bunch_of_pairs(*COLUMNS, False, TIMES, DESCR="what it is")
    assert bunch.data.tolist() == [[3, 10], [1, 20]]
    assert bunch.target.tolist() == [5, 1.5]
    assert bunch.timestamp.tolist() == [7, 8]
    assert bunch.frame is None
    assert bunch.DESCR == "what it is"
    assert bunch.feature_names == ["user", "item"]
    assert bunch.target_names == ["rating"]


def test_frames():
    pandas = pytest.importorskip("pandas")
    bunch = bunch_of_pairs(*COLUMNS, True, TIMES)
    assert bunch.frame.columns.tolist() == ["user", "item", "rating", "timestamp"]
    assert bunch.frame["rating"].dtype == np.float32
    assert bunch.data.columns.tolist() == bunch.feature_names
    assert bunch.data.to_numpy().tolist() == [[3, 10], [1, 20]]
    assert isinstance(bunch.target, pandas.Series)
    assert bunch.target.tolist() == [5, 1.5]
    assert bunch.timestamp.tolist() == [7, 8]


def test_the_error_names_what_needs_the_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r'as_frame=True needs pandas, .* "skrbm\[datasets\]"'):
        bunch_of_pairs(*COLUMNS, True)


def test_errors_of_a_library_itself_are_not_hidden(monkeypatch, tmp_path):
    """Something that the library imports is missing, not the library."""
    (tmp_path / "broken_library.py").write_text("import no_such_module\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        library("broken_library", "this test")
