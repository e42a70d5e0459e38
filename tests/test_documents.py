"""Pages of the site: their code runs."""

import re
from textwrap import dedent

import pytest

from .helpers.project import ROOT

DOCS = ROOT / "docs"
PAGES = {
    path.relative_to(DOCS).with_suffix("").as_posix(): path.read_text(encoding="utf-8")
    for path in sorted(DOCS.rglob("*.rst"))
    if not {"_build", "auto_examples", "generated"} & set(path.relative_to(DOCS).parts)
}
CODE = {
    page: re.findall(r"(?m)^\.\. code-block:: python\n((?:   .*\n|\n)+)", text)
    for page, text in PAGES.items()
    if ".. code-block:: python" in text
}


@pytest.mark.parametrize("page", CODE)
def test_code_of_a_page_runs_as_written(page, capsys):
    """One block after the other, as a reader would run them."""
    assert CODE[page]
    names = {}
    for block in CODE[page]:
        exec(dedent(block), names)
        assert capsys.readouterr().out
