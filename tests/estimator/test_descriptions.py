"""Descriptions that estimators share are in the docstring of each, in numpydoc's form."""

import html
import re
from collections import Counter
from inspect import cleandoc

import pytest
from sklearn.linear_model import LogisticRegression

from skrbm._estimator.descriptions import described

from ..helpers.models import MODELS, models
from ..helpers.processes import run_python


def sections(docstring):
    """The sections of a docstring by their titles."""
    parts = re.split(r"^(.+)\n-+\n", cleandoc(docstring), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def entries(section):
    """Type and description of each name of a section."""
    parts = re.split(r"^(\w+) : (.+)\n", section, flags=re.MULTILINE)
    assert not parts[0].strip()
    names = parts[1::3]
    assert len(set(names)) == len(names)
    return dict(zip(names, zip(parts[2::3], parts[3::3], strict=True), strict=True))


def parameters_of(model):
    return entries(sections(model.estimator.__doc__)["Parameters"])


def shared_text(name):
    """The description of a name that several estimators share, without additions."""
    bare = described(type("Bare", (), {"__doc__": f"Attributes\n----------\n${name}\n"}))
    return entries(sections(bare.__doc__)["Attributes"])[name][1].strip()


#: What estimators share in name alone.
OWN = {
    "components_": "a column belongs to a feature, or to one of its categories",
    "intercept_visible_": "base rates are log-odds, means or log-frequencies",
}


@pytest.mark.parametrize("section", ["Parameters", "Attributes"])
def test_what_estimators_share_has_one_description(section):
    """An estimator may add sentences of its own at the end."""
    found = [entries(sections(model.estimator.__doc__)[section]) for model in MODELS.values()]
    counts = Counter(name for described_names in found for name in described_names)
    shared = {name for name, count in counts.items() if count > 1}
    assert len(shared) > 5
    own = OWN.keys() if section == "Attributes" else set()
    for name in shared - own:
        kinds = {described_names[name][0] for described_names in found if name in described_names}
        assert len({re.sub(", default=.*", "", kind) for kind in kinds}) == 1, name
        for described_names in found:
            if name in described_names:
                assert described_names[name][1].strip().startswith(shared_text(name)), name
    for name in own:
        with pytest.raises(KeyError):
            shared_text(name)


@models
def test_every_description_is_an_indented_sentence(model):
    found = sections(model.estimator.__doc__)
    for title in ("Parameters", "Attributes"):
        for name, (_, text) in entries(found[title]).items():
            assert all(line.startswith("    ") for line in text.splitlines() if line), name
            assert re.match(r" +[A-Z].*[.)]$", text.rstrip(), flags=re.DOTALL), name


@models
def test_attributes_have_no_defaults(model):
    for kind, _ in entries(sections(model.estimator.__doc__)["Attributes"]).values():
        assert "default" not in kind


@models
def test_every_place_is_filled_and_every_reference_is_there(model):
    doc = model.estimator.__doc__
    assert "$" not in doc
    cited = set(re.findall(r"\[(\w+)\]_", doc))
    assert cited == set(re.findall(r"^ +\.\. \[(\w+)\] ", doc, flags=re.MULTILINE))
    assert {"centering", "average"} <= cited


@models
def test_scikit_learn_reads_the_descriptions(model):
    """For what a notebook shows of an estimator: type and description of each parameter."""
    if "param-doc-description" not in LogisticRegression()._repr_html_():
        pytest.skip("this version of scikit-learn shows no explanations")
    page = model.estimator()._repr_html_()
    shown = re.findall(r'class="param-doc-description"[^>]*>(.*?)</span>', page, flags=re.DOTALL)
    shown = [" ".join(html.unescape(re.sub("<br>", " ", text)).split()) for text in shown]
    for name, (kind, text) in parameters_of(model).items():
        assert f"{name}: {kind} {' '.join(text.split())}" in shown


# --- the decorator alone ---


class Documented:
    """An estimator.

    Parameters
    ----------
    $n_components

    $tol
        It is never reached.

    $random_state

    Costs $5.

    Attributes
    ----------
    $n_iter_
    """

    def __init__(self, n_components="many", tol=1e-4):
        """Parameters whose defaults enter the docstring, and one that has no default here."""


def test_a_line_becomes_the_description_with_the_default_of_the_class():
    class Ours(Documented):
        __doc__ = Documented.__doc__

    assert described(Ours) is Ours
    found = sections(Ours.__doc__)
    parameters = entries(found["Parameters"])
    assert parameters["n_components"][0] == 'int, default="many"'
    assert parameters["tol"][0] == "float, default=0.0001"
    assert parameters["tol"][1].endswith("best one before.\n    It is never reached.\n\n")
    assert parameters["random_state"][0] == "int, RandomState instance or None"
    assert "Costs $5." in Ours.__doc__
    assert entries(found["Attributes"])["n_iter_"][0] == "int"


def test_a_name_without_description_is_an_error():
    with pytest.raises(KeyError, match="no_such_name"):
        described(type("Ours", (), {"__doc__": "Parameters\n\n    $no_such_name\n"}))


def test_a_class_without_docstring_stays_without():
    assert described(type("Ours", (), {"__doc__": None})).__doc__ is None


def test_the_package_works_without_docstrings():
    """Python drops them with -OO."""
    code = "import skrbm; print(skrbm.BernoulliRBM.__doc__, skrbm.SoftmaxRBM(3).n_components)"
    assert run_python(code, PYTHONOPTIMIZE="2") == (0, "None 3\n")
