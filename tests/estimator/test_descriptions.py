"""Descriptions that estimators share are in the docstring of each, in numpydoc's form."""

import ast
import html
import re
from inspect import cleandoc, signature

import pytest
from sklearn.linear_model import LogisticRegression

from skrbm._estimator.descriptions import described

from ..helpers.models import models
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


@models
def test_every_parameter_is_described_in_the_order_of_the_signature(model):
    assert list(parameters_of(model)) == list(signature(model.estimator).parameters)


@models
def test_every_fitted_attribute_is_described(model):
    pd = pytest.importorskip("pandas")
    rbm = model.machine().fit(pd.DataFrame(model.rows(), columns=list("abcdef")))
    fitted = {name for name in vars(rbm) if name[0] != "_" and name[-1] == "_"}
    assert entries(sections(rbm.__doc__)["Attributes"]).keys() == fitted | {"history_"}


@models
def test_every_description_is_an_indented_sentence(model):
    found = sections(model.estimator.__doc__)
    for title in ("Parameters", "Attributes"):
        for name, (_, text) in entries(found[title]).items():
            assert all(line.startswith("    ") for line in text.splitlines() if line), name
            assert re.match(r" +[A-Z].*[.)]$", text.rstrip(), flags=re.DOTALL), name


@models
def test_defaults_are_those_of_the_signature(model):
    for name, (kind, _) in parameters_of(model).items():
        given = ast.literal_eval(re.fullmatch(r".+, default=(.+)", kind)[1])
        default = signature(model.estimator).parameters[name].default
        assert (type(given), given) == (type(default), default), name


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
