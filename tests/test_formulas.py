"""Each formula of the guide is true of the estimators, sign by sign."""

import re

import pytest

from .formulas import bernoulli, gaussian, softmax, training
from .formulas.cases import cases

DERIVED = [bernoulli.page, gaussian.page, softmax.page]
PAGES = [*DERIVED, training.options, training.likelihood, training.scores]
QUOTED = [(page, latex) for page in PAGES for latex in page.checks]
CASES, WRONG = cases(), [cases(wrong) for wrong in "Wbc"]

#: What the energy gains by a parameter depends on no parameter; a chain rule is true of any sum.
FREE = r"-\frac{\partial E}", "W_{ikj} = u", r"\frac{\partial \log p}{\partial u", r"\Lambda"


def each(quoted):
    ids = [f"{page.name}: {latex[:50]}" for page, latex in quoted]
    return pytest.mark.parametrize(("page", "latex"), quoted, ids=ids)


@each(QUOTED)
def test_the_page_holds_the_formula(page, latex):
    assert latex in page.formulas


@each(QUOTED)
def test_estimators_return_what_the_formula_says(page, latex):
    name, check = page.checks[latex]
    check(CASES[name])


@each([(page, latex) for page, latex in QUOTED if not latex.startswith(FREE)])
def test_an_estimator_of_another_sign_is_noticed(page, latex):
    """One that holds -W, -b or -c."""
    name, check = page.checks[latex]
    for wrong in WRONG:
        try:
            check(wrong[name])
        except AssertionError:
            return
    pytest.fail("the check holds for machines of all signs")


@pytest.mark.parametrize("page", DERIVED, ids=lambda page: page.name)
def test_every_displayed_formula_is_checked(page):
    assert page.displays == list(page.checks)


@pytest.mark.parametrize("page", DERIVED, ids=lambda page: page.name)
def test_another_sign_in_the_page_is_noticed(page, monkeypatch):
    """Every plus becomes a minus, and every minus a plus, one at a time."""
    text = "".join(f".. math::\n\n   {latex}\n\n" for latex in page.displays)
    signs = list(re.finditer(r"[+-]", text))
    assert len(signs) > 20
    for sign in signs:
        other = "-" if sign[0] == "+" else "+"
        monkeypatch.setattr(type(page), "text", text[: sign.start()] + other + text[sign.end() :])
        assert page.displays != list(page.checks)
