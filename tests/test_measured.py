"""The page on parameters shows what was measured: its curves draw, its tables agree."""

import csv
import importlib.util
import re

import numpy as np
import pytest

from .helpers.project import ROOT

GUIDE = ROOT / "docs" / "guide"
PAGE = (GUIDE / "parameters.rst").read_text(encoding="utf-8")
PICTURES = re.findall(r"^\.\. plot:: guide/plots/parameters\.py (\w+)$", PAGE, re.MULTILINE)


@pytest.fixture(scope="module")
def plots():
    spec = importlib.util.spec_from_file_location("parameters", GUIDE / "plots" / "parameters.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    module.plt.close("all")


@pytest.mark.parametrize("name", PICTURES)
def test_curves_are_drawn(plots, monkeypatch, name):
    """Each diagram has a line of at least three points, and all that it has are numbers."""
    monkeypatch.chdir(GUIDE / "plots")  # where Sphinx runs the script
    plots.plt.close("all")
    getattr(plots, name)()
    axes = plots.plt.gcf().axes
    assert len(axes) > 1
    for ax in axes:
        curves = [line.get_ydata() for line in ax.lines if len(line.get_ydata()) > 2]
        assert curves
        assert np.isfinite(np.concatenate(curves)).all()


def test_every_picture_is_in_the_page(plots):
    drawn = re.findall(r"(?m)^def (\w+)\(\):", (GUIDE / "plots" / "parameters.py").read_text())
    assert sorted(drawn) == sorted(PICTURES)


def test_tables_hold_what_was_measured():
    with (GUIDE / "measured" / "parameters.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    measured = {f"{float(row[key]):.2f}" for row in rows for key in ("score", "log_likelihood")}
    measured |= {f"{float(row['accuracy']):.3f}" for row in rows}
    tables, _ = PAGE.split("What it is worth\n")
    quoted = re.findall(r"(?m)^[\d.]+ +(-?\d.*)$", tables)
    assert len(quoted) > 20
    missing = {cell for line in quoted for cell in line.split()} - measured
    assert not missing
