"""Pages of the site: their code runs, their links lead somewhere, the reference is complete.

Building the site takes too long for a test. ``.ci/run`` builds it.
"""

import ast
import importlib
import posixpath
import re
import runpy
import warnings
from pathlib import Path
from textwrap import dedent

import pytest
from threadpoolctl import threadpool_limits

import skrbm

from .helpers.project import ROOT

DOCS = ROOT / "docs"
EXAMPLES = DOCS / "examples"
NOT_PAGES = re.compile(r"_|auto_examples|generated|examples|sg_execution_times")
PAGES = {
    path.relative_to(DOCS).with_suffix("").as_posix(): path.read_text(encoding="utf-8")
    for path in sorted(DOCS.rglob("*.rst"))
    if not NOT_PAGES.match(path.relative_to(DOCS).as_posix())
}
#: A block of code and, if the page shows it, what the block prints.
BLOCK = r"(?m)^\.\. code-block:: python\n((?:   .*\n|\n)+)(?:::\n\n((?:    .*\n|\n)+))?"
CODE = {
    page: re.findall(BLOCK, text)
    for page, text in PAGES.items()
    if re.search(r"(?m)^\.\. code-block:: python$", text)
}
GALLERY = runpy.run_path(str(DOCS / "_ext" / "gallery.py"))
#: Public folders of skrbm, which hold further public names.
WINGS = sorted(
    path.parent.name
    for path in Path(skrbm.__file__).parent.glob("*/__init__.py")
    if not path.parent.name.startswith("_")
)


@pytest.mark.parametrize("page", CODE)
def test_code_of_a_page_runs_as_written(page, capsys):
    """One block after the other, as a reader would run them."""
    assert CODE[page]
    names = {}
    with threadpool_limits(1, user_api="blas"):  # half the time of two for each of two processes
        for block, shown in CODE[page]:
            exec(dedent(block), names)
            printed = capsys.readouterr().out
            assert printed
            assert not shown or words(shown) == words(printed)


def words(printed):
    """Without numbers and chosen values, which may be others on another computer."""
    return re.sub(r"'[^']*'|[-+\d.%]+|\s+", "", printed)


# --- links ---


def absolute(page, target):
    """The page that a link on a page leads to."""
    if target.startswith("/"):
        return target[1:]
    return posixpath.normpath(posixpath.join(posixpath.dirname(page), target))


def toctrees(page):
    """The pages that the toctrees of a page list."""
    blocks = re.findall(r"(?m)^\.\. toctree::\n((?:   .*\n|\n)+)", PAGES[page])
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    listed = [line for line in lines if line and not line.startswith(":")]
    return [absolute(page, re.sub(r".*<(\S+)>$", r"\1", line)) for line in listed]


def test_every_page_is_in_one_toctree():
    listed = [target for page in PAGES for target in toctrees(page)]
    assert sorted(listed) == sorted((PAGES.keys() - {"index"}) | {"auto_examples/index"})


MADE = {"auto_examples/index", *(f"auto_examples/{name[:-3]}" for name in GALLERY["EXAMPLES"])}


@pytest.mark.parametrize("page", PAGES)
def test_links_of_a_page_lead_to_a_page(page):
    targets = re.findall(r":doc:`(?:[^`<]*<)?([^`<>]+)>?`", PAGES[page])
    assert {absolute(page, target) for target in targets} <= PAGES.keys() | MADE
    examples = re.findall(r"sphx_glr_auto_examples_(\w+\.py)", PAGES[page])
    assert set(examples) <= GALLERY["EXAMPLES"].keys()


@pytest.mark.parametrize("page", PAGES)
def test_pictures_of_a_page_are_functions(page):
    for script, function in re.findall(r"(?m)^\.\. plot:: (\S+) (\w+)$", PAGES[page]):
        assert f"\ndef {function}():" in (DOCS / script).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_names_no_place_on_a_computer(page):
    assert not re.search(r"(?<![\w.>])/(home|tmp|work|root|Users)/|[A-Z]:\\\\", PAGES[page])


# --- examples ---


def test_the_gallery_has_all_examples():
    assert sorted(GALLERY["EXAMPLES"]) == sorted(path.name for path in EXAMPLES.glob("*.py"))
    order = GALLERY["Order"](EXAMPLES)
    assert [order(name) for name in GALLERY["EXAMPLES"]] == list(range(len(GALLERY["EXAMPLES"])))


def test_a_quick_build_executes_quick_examples_only():
    quick, complete = (re.compile(GALLERY["executed"](quick=only)) for only in (True, False))
    for name, is_quick in GALLERY["EXAMPLES"].items():
        assert complete.search(f"docs/examples/{name}")
        assert bool(quick.search(f"docs/examples/{name}")) == is_quick


def test_a_warning_in_an_example_is_an_error():
    strictness = GALLERY["Strictness"]()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = list(warnings.filters)
        strictness({}, None, "before")  # a folder
        assert list(warnings.filters) == before
        warnings.resetwarnings()
        strictness({}, "plot_dask.py", "before")
        with pytest.raises(UserWarning, match="doubtful"):
            warnings.warn("doubtful", stacklevel=1)
        strictness({}, "plot_dask.py", "after")
        assert not warnings.filters


@pytest.mark.parametrize("name", GALLERY["EXAMPLES"])
def test_an_example_is_a_script_of_the_gallery(name):
    """Its docstring begins with the title of a page. The gallery runs it without ``__file__``."""
    script = ast.parse((EXAMPLES / name).read_text(encoding="utf-8"))
    assert re.match(r"\n=+\n.+\n=+\n\n", ast.get_docstring(script, clean=False))
    assert "__file__" not in {node.id for node in ast.walk(script) if isinstance(node, ast.Name)}


# --- the command ---


def test_the_site_is_built_by_one_command():
    """CONTRIBUTING.md shows the same command, and CI builds in the same way."""
    (shown,) = re.findall(r"(?m)^   (python3 -m venv .venv-docs .*)$", PAGES["developer/index"])
    assert shown in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").splitlines()
    build = shown.rpartition("python ")[2]
    for path in (".ci/run", ".github/workflows/tests.yml"):
        text = (ROOT / path).read_text(encoding="utf-8")
        assert build in text.replace("-t quick ", "")


# --- the reference ---


def listed():
    """The names in the tables of the reference, as users import them."""
    module, names, in_table = "", [], False
    for line in PAGES["api"].splitlines():
        if heading := re.match(r"\.\. (?:currentmodule|module):: (\S+)", line):
            module = heading[1]
        elif line.strip():
            if in_table and re.fullmatch(r"   \w+", line):
                names.append(f"{module}.{line.strip()}")
            in_table = line.startswith(".. autosummary::") or (in_table and line.startswith(" "))
    return names


def test_the_reference_lists_all_public_names():
    modules = [skrbm, *(importlib.import_module(f"skrbm.{wing}") for wing in WINGS)]
    public = [f"{module.__name__}.{name}" for module in modules for name in module.__all__]
    assert sorted(listed()) == sorted(public)


@pytest.mark.parametrize(
    "estimator", [skrbm.BernoulliRBM, skrbm.GaussianBernoulliRBM, skrbm.SoftmaxRBM]
)
def test_the_picture_of_an_estimator_links_to_its_page(estimator):
    """Sphinx names the page of a name in a table with ``:toctree: generated`` after the name."""
    page = re.fullmatch(r".*/generated/(.*)\.html", estimator()._get_doc_link())[1]
    assert page in listed()
    assert set(re.findall(r":toctree: (\S+)", PAGES["api"])) == {"generated"}
