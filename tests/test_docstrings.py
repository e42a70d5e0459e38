"""Public docstrings: numpydoc approves of them, their examples run, and they tell the truth."""

import ast
import doctest
import functools
import importlib
import inspect
import pkgutil
import re
import sys
import tomllib

import numpy as np
import pytest
from sklearn import neural_network

import skrbm
from skrbm import BernoulliRBM, GaussianBernoulliRBM, RBMRecommender, SoftmaxRBM

from .helpers.models import BERNOULLI, variants
from .helpers.project import ROOT
from .helpers.recommenders import each_by, pairs, recommender

get_doc_object = pytest.importorskip("numpydoc.docscrape").get_doc_object
numpydoc = pytest.importorskip("numpydoc.validate")


# --- what is public ---------------------------------------------------------------------------

#: Absent where scikit-learn has no callbacks, and there only to say so.
ABSENT = {"set_callbacks"}


def public_modules():
    """The package and its public wings."""
    names = [module.name for module in pkgutil.iter_modules(skrbm.__path__)]
    wings = [importlib.import_module(f"skrbm.{name}") for name in names if name[0] != "_"]
    return [skrbm, *wings]


def own_members(cls):
    """Public methods and properties of a class that are written in this package, by name."""
    kinds = (property, classmethod, staticmethod, functools.cached_property)
    return {
        name: member
        for base in reversed(cls.__mro__)
        if base.__module__.partition(".")[0] == "skrbm"
        for name, member in vars(base).items()
        if (inspect.isfunction(member) or isinstance(member, kinds))
        and name[0] != "_"
        and name not in ABSENT
    }


def public_objects():
    """Names and objects; what classes have inherited from the same mixin comes once."""
    found = {}
    for module in public_modules():
        found[module.__name__] = module
        for name in module.__all__:
            member = getattr(module, name)
            found[f"{module.__name__}.{name}"] = member
            if inspect.isclass(member):
                methods = own_members(member)
                found |= {f"{module.__name__}.{name}.{key}": methods[key] for key in methods}
    first = {}
    for name, member in found.items():
        first.setdefault(id(member), name)
    return {name: found[name] for name in first.values()}


PUBLIC = public_objects()
DESCRIBED = {name: member for name, member in PUBLIC.items() if not inspect.ismodule(member)}

each_docstring = pytest.mark.parametrize("name", DESCRIBED)


def function_of(member):
    """The function whose docstring a method or a property shows, or the class itself."""
    if isinstance(member, property):
        return member.fget
    return getattr(member, "func", getattr(member, "__func__", member))


def test_the_parts_of_the_package_are_collected():
    assert {f"skrbm.{name}" for name in skrbm.__all__} <= PUBLIC.keys()
    assert {"skrbm", "skrbm.dask", "skrbm.dask.fit"} <= PUBLIC.keys()
    methods = {"fit", "transform", "from_sklearn", "history_", "recommend"}
    assert {f"skrbm.BernoulliRBM.{name}" for name in methods} <= PUBLIC.keys()
    assert "skrbm.SoftmaxRBM.predict_ratings" in PUBLIC
    for name in ("get_params", "set_fit_request", "set_output", "__init__", "_rows"):
        assert f"skrbm.BernoulliRBM.{name}" not in PUBLIC


# --- form -------------------------------------------------------------------------------------


class ModuleValidator(numpydoc.Validator):
    """numpydoc's own looks for the first definition in a module, which may have none."""

    source_file_def_line = None

    def __init__(self, obj_name):
        super().__init__(get_doc_object(sys.modules[obj_name]))


def checks():
    """The codes of the checks, of which pyproject.toml exempts some."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        listed = tomllib.load(file)["tool"]["numpydoc_validation"]["checks"]
    return numpydoc.get_validation_checks(set(listed))


def test_examples_are_never_exempt():
    assert {"EX01", "SA01", "GL08", "PR01", "PR09", "RT01", "RT03"} <= checks()


@pytest.mark.parametrize("name", PUBLIC)
def test_numpydoc_approves(name):
    validator = ModuleValidator if inspect.ismodule(PUBLIC[name]) else None
    errors = numpydoc.validate(name, validator)["errors"]
    assert [error for error in errors if error[0] in checks()] == []


# --- examples ---------------------------------------------------------------------------------


#: Examples that cannot run everywhere, with the reason.
SKIPPED = {"skrbm.datasets.fetch_movielens": "needs the internet"}


@functools.cache
def collected(module):
    """Names of the docstrings of a module whose examples doctest finds."""
    return {test.name for test in doctest.DocTestFinder().find(sys.modules[module])}


@each_docstring
def test_examples_are_run_and_show_a_result(name, request):
    """By pytest, which finds in the modules of the package what doctest finds there."""
    assert request.config.getoption("doctestmodules")
    assert "skrbm" in request.config.getini("testpaths")
    owner = function_of(DESCRIBED[name])
    assert f"{owner.__module__}.{owner.__qualname__}" in collected(owner.__module__)
    examples = doctest.DocTestParser().get_examples(inspect.getdoc(DESCRIBED[name]))
    assert any(example.want for example in examples)
    skipped = any(doctest.SKIP in example.options for example in examples)
    assert skipped == (name in SKIPPED)


# --- other objects ----------------------------------------------------------------------------


def exists(name):
    try:
        return pkgutil.resolve_name(name) is not None
    except (AttributeError, ImportError):
        return False


@each_docstring
def test_see_also_names_what_there_is(name):
    """In the class, in the module, in the package or in a library: there Sphinx looks for it."""
    parts = name.split(".")
    places = ["", *(".".join(parts[:n]) + "." for n in range(1, len(parts)))]
    for group, _ in get_doc_object(DESCRIBED[name])["See Also"]:
        for other, _ in group:
            assert any(exists(place + other) for place in places), other


# --- parameters -------------------------------------------------------------------------------


def entries(name, section):
    """Type and description by name, of a section of a public docstring."""
    found = {}
    for names, kind, lines in get_doc_object(DESCRIBED[name])[section]:
        found |= dict.fromkeys(names.split(", "), (kind, " ".join(lines)))
    return found


def parameters(name):
    """The signature of what is called by a public name, without self and cls."""
    member = function_of(DESCRIBED[name])
    if isinstance(DESCRIBED[name], property):
        return {}
    found = dict(inspect.signature(member).parameters)
    return {key: found[key] for key in found if key not in ("self", "cls")}


def value_of(text):
    """The value that a docstring gives, or the text where that is no literal."""
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return text


@each_docstring
def test_defaults_are_those_of_the_signature(name):
    documented = entries(name, "Parameters")
    for key, parameter in parameters(name).items():
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            continue
        assert key in documented
        kind, default = documented[key][0], parameter.default
        told = re.search(r", default=(.+)$", kind)
        if default is parameter.empty or kind == "Ignored":
            assert "default" not in kind, key
            assert default in (parameter.empty, None), key
            continue
        assert told, f"{key} : {kind}"
        value = value_of(told[1])
        assert (type(value), value) == (type(default), default) or told[1] == repr(default), key


#: How a parameter of an estimator's method is described, if it has this name.
WORDING = {
    "X": "{array-like, sparse matrix} of shape (n_samples, n_features)",
    "y": "Ignored",
    "sample_weight": "array-like of shape (n_samples,), default=None",
    "random_state": "int, RandomState instance or None, default=None",
}


@pytest.mark.parametrize("estimator", [BernoulliRBM, GaussianBernoulliRBM, SoftmaxRBM])
def test_methods_describe_arguments_in_scikit_learns_words(estimator):
    for name in own_members(estimator):
        known = next(key for key in DESCRIBED if DESCRIBED[key] is own_members(estimator)[name])
        for key, (kind, _) in entries(known, "Parameters").items():
            if name != "inverse_transform":  # its X are hidden rows
                assert kind == WORDING.get(key, kind), f"{name}: {key}"


# --- attributes -------------------------------------------------------------------------------


def assert_attributes_are_documented(estimator, named):
    """``named``: whether ``fit`` has seen names of columns."""
    documented = entries(f"skrbm.{type(estimator).__name__}", "Attributes")
    conditional = {key for key, (_, text) in documented.items() if " exists if " in text}
    assert conditional == {"feature_names_in_"}
    members = own_members(type(estimator)).items()
    found = {key for key in vars(estimator) if key[0] != "_" and key[-1] == "_"}
    found |= {key for key, member in members if isinstance(member, property)}
    assert found == documented.keys() - (set() if named else conditional)


@variants
def test_what_fit_sets_is_documented(variant):
    pd = pytest.importorskip("pandas")
    X = variant.rows()
    assert_attributes_are_documented(variant.machine().fit(X), named=False)
    assert_attributes_are_documented(variant.machine().partial_fit(X), named=False)
    frame = pd.DataFrame(X, columns=list("abcdef"))
    assert_attributes_are_documented(variant.machine().fit(frame), named=True)


def test_what_from_sklearn_sets_is_documented():
    theirs = neural_network.BernoulliRBM(3, n_iter=1, random_state=0).fit(BERNOULLI.rows())
    assert_attributes_are_documented(BernoulliRBM.from_sklearn(theirs), named=False)


@each_by
@pytest.mark.parametrize("rated", [True, False])
def test_what_the_recommender_sets_is_documented(by, rated):
    pd = pytest.importorskip("pandas")
    X, y = pairs()
    y = y if rated else None
    estimator = recommender(by).fit(X, y)
    assert isinstance(estimator, RBMRecommender)
    assert_attributes_are_documented(estimator, named=False)
    assert_attributes_are_documented(estimator.add(X[:1], y if y is None else y[:1]), named=False)
    frame = pd.DataFrame(X, columns=["user", "item"])
    assert_attributes_are_documented(estimator.fit(frame, y), named=True)


def test_what_is_none_may_be_none():
    """An attribute that ``fit`` may set to None says so in its type."""
    machines = [SoftmaxRBM(3, n_iter=1, random_state=0).fit(np.eye(4) + 1)]
    machines += [recommender("items").fit(*pairs()), recommender("users").fit(pairs()[0])]
    for estimator in machines:
        documented = entries(f"skrbm.{type(estimator).__name__}", "Attributes")
        empty = {key for key in documented if vars(estimator).get(key, 0) is None}
        assert empty
        assert all(documented[key][0].endswith(" or None") for key in empty)
