"""Formulas of the guide, quoted beside a plain evaluation of each.

A page has a dict from the text of a formula, as it stands in the page, to a function. The function
evaluates the formula in plain loops, and compares the numbers with what an estimator returns. The
numbers are those of a case: arrays as the page names them, and an estimator that holds them.
"""

import re

import numpy as np

from ..helpers.project import ROOT

DISPLAY = r"(?m)^\.\. math::\n((?:   .*\n|\n)+)"
INLINE = r":math:`([^`]+)`"


def normalised(latex):
    """The text of a formula with single spaces, without the full stop or comma after it."""
    return re.sub(r" [.,]$", "", " ".join(latex.split()))


class Page:
    """A page of the guide and the formulas that are quoted from it."""

    def __init__(self, name):
        self.name = name
        self.checks = {}

    def says(self, latex, case=None):
        """Decorator of the function that evaluates this formula for a case of ``cases``."""

        def quoted(function):
            self.checks[normalised(latex)] = case or self.name, function
            return function

        return quoted

    @property
    def text(self):
        """The page as it stands in the guide."""
        return (ROOT / "docs" / "guide" / f"{self.name}.rst").read_text(encoding="utf-8")

    @property
    def displays(self):
        """The formulas of the page that stand on lines of their own, in their order."""
        return [normalised(latex) for latex in re.findall(DISPLAY, self.text + "\n")]

    @property
    def formulas(self):
        """All formulas of the page, those within sentences as well."""
        return self.displays + [normalised(latex) for latex in re.findall(INLINE, self.text)]


def same(returned, written):
    """What a method returns is what a formula says."""
    np.testing.assert_allclose(returned, written, rtol=1e-9, atol=1e-12)


def slope(estimator, name, index, function):
    """The derivative of ``function()`` by one number of a fitted attribute."""
    return slope_along(estimator, {name: (index, 1)}, function)


def slope_along(estimator, moves, function, step=1e-5):
    """The same as some attributes move together: a place and a speed of each."""
    held = {name: getattr(estimator, name) for name in moves}
    values = []
    for sign in (1, -1):
        for name, (index, speed) in moves.items():
            moved = held[name].copy()
            moved[index] += sign * step * speed
            setattr(estimator, name, moved)
        values.append(function())
    for name, array in held.items():
        setattr(estimator, name, array)
    return (values[0] - values[1]) / (2 * step)


def roughly(returned, written):
    """As ``same``, of a difference quotient or an integral, which have some ten digits."""
    np.testing.assert_allclose(returned, written, rtol=1e-6, atol=1e-8)
