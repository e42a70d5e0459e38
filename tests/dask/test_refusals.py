"""The estimators load no Dask collection into memory unasked: every public method refuses it."""

import inspect

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest

from skrbm import RBMRecommender

from ..helpers.models import MODELS
from ..helpers.recommenders import pairs, recommender

#: Parameters that hold arrays, by method where a name means something else elsewhere.
ARRAYS = {
    "X",
    "v",
    "V",
    "h",
    "H",
    "init",
    "rows",
    "columns",
    "sample_weight",
    "users",
    "items",
    "y",
}
#: Here y is ignored: callbacks get it as it is.
IGNORED = {("fit", "y"), ("partial_fit", "y"), ("fit_transform", "y"), ("score", "y")}
#: This method is scikit-learn's own.
OF_REGRESSORS = {("score", "y"), ("score", "sample_weight")}
#: They take parameters, or names, and no data.
OF_SCIKIT_LEARN = {
    "get_feature_names_out", "get_metadata_routing", "get_params", "set_callbacks", "set_output",
    "set_params",
}  # fmt: skip


@pytest.fixture
def computed():
    """What has been computed."""
    return []


def collections(values, computed):
    """Dask collections of the values, by their kind; they write down that they are computed."""

    def load():
        computed.append(values)
        return values

    loaded = dask.delayed(load)()
    array = da.from_delayed(loaded, values.shape, values.dtype)
    frame = dd.from_delayed(
        [dask.delayed(pd.DataFrame)(loaded)], meta=pd.DataFrame(values[:0]), verify_meta=False
    )
    kinds = {"array": array, "frame": frame, "Delayed": loaded, "list of Delayed": [loaded]}
    return kinds | ({"Series": frame[0]} if values.ndim == 1 else {})


def methods(kind):
    """Names of the public methods of an estimator that take data."""
    return [
        name
        for name, method in inspect.getmembers(kind, callable)
        if not name.startswith(("_", "set_")) and not inspect.ismethod(method)  # no class methods
        if name not in OF_SCIKIT_LEARN
    ]


def array_parameters(kind, name, but):
    found = inspect.signature(getattr(kind, name)).parameters
    return [p for p in found if p in ARRAYS and (name, p) not in but]


CASES = [
    pytest.param(model, name, parameter, id=f"{label}-{name}-{parameter}")
    for label, model in MODELS.items()
    for name in methods(model.estimator)
    for parameter in array_parameters(model.estimator, name, IGNORED)
]
RECOMMENDER_CASES = [
    (name, parameter)
    for name in methods(RBMRecommender)
    for parameter in array_parameters(RBMRecommender, name, OF_REGRESSORS)
]


@pytest.fixture(scope="module")
def fitted():
    return {
        model: model.machine(algorithm="cd", conditional=False).fit(model.complete())
        if "conditional" in model.parameters
        else model.machine(algorithm="cd").fit(model.complete())
        for model in MODELS.values()
    }


def test_many_methods_are_found():
    assert len(CASES) > 50
    names = {case.values[1] for case in CASES}
    assert {"fit", "partial_fit", "sample", "impute", "energy", "inverse_transform"} <= names
    assert {"predict", "fit", "add", "recommend", "similar_items"} <= dict(
        RECOMMENDER_CASES
    ).keys()


@pytest.mark.parametrize(("model", "name", "parameter"), CASES)
def test_estimators_refuse_collections(fitted, computed, model, name, parameter):
    rbm, X = fitted[model], model.complete()
    ones = np.ones(len(X), np.int64)
    values = {"rows": ones, "columns": ones, "sample_weight": ones.astype(float)}
    values |= dict.fromkeys(("h", "H"), rbm.transform(X))
    if name == "inverse_transform":
        values["X"] = values["H"]
    method = getattr(rbm, name)
    required = [
        p.name
        for p in inspect.signature(method).parameters.values()
        if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD
    ]
    arguments = {p: values.get(p, X) for p in required}
    if parameter in ("rows", "columns") and name != "recommend":
        arguments |= {"rows": ones, "columns": ones}
    if name == "log_partition":
        arguments["method"] = "reverse_ais"
    given = collections(values.get(parameter, X), computed)
    before = dict(vars(rbm))
    for collection in given.values():
        with pytest.raises(TypeError, match=r"skrbm\.dask.*compute"):
            method(**arguments | {parameter: collection})
    assert computed == []
    assert vars(rbm) == before


@pytest.fixture(scope="module")
def fitted_recommender():
    return recommender().fit(*pairs())


@pytest.mark.parametrize(("name", "parameter"), RECOMMENDER_CASES)
def test_recommenders_refuse_collections(fitted_recommender, computed, name, parameter):
    X, y = pairs()
    values = {"X": X, "y": y, "users": X[:, 0], "items": X[:, 1]}
    method = getattr(fitted_recommender, name)
    found = inspect.signature(method).parameters
    arguments = {p: values[p] for p in found if p in values}
    given = collections(values[parameter], computed)
    for collection in given.values():
        with pytest.raises(TypeError, match=r"skrbm\.dask.*compute"):
            method(**arguments | {parameter: collection})
    assert computed == []


def test_the_collections_tell_that_they_are_computed(computed):
    """Else the tests above would say nothing."""
    given = collections(np.ones((3, 1)), computed)
    for collection in given.values():
        dask.compute(collection)
    assert len(computed) == len(given)


class InMemory:
    """As an xarray is that holds no lazy data: it bears the mark, and has no graph."""

    def __init__(self, X):
        self.X = X

    def __array__(self, dtype=None, copy=None):
        return self.X.astype(dtype or self.X.dtype)

    def __len__(self):
        return len(self.X)

    @property
    def shape(self):
        return self.X.shape

    def __dask_graph__(self):
        return None


def test_what_is_in_memory_is_read(fitted):
    for model, rbm in fitted.items():
        X = model.complete()
        np.testing.assert_array_equal(rbm.transform(InMemory(X)), rbm.transform(X))
