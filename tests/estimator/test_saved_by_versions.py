"""Models that a version has saved are read by this one, say the same and go on learning."""

import numpy as np
import pytest

from skrbm import RBMRecommender

from ..helpers.saved import FOLDER, VERSION, read, said, said_later

MODELS = {f"{path.parent.name}, {path.stem}": path for path in sorted(FOLDER.glob("*/*.pickle"))}
#: Rounding: products differ in the last bits between processors. In float64 it is far smaller.
TOLERANCE = {"rtol": 1e-4, "atol": 1e-5}


@pytest.fixture(name="model", params=MODELS.values(), ids=MODELS)
def saved_model(request):
    return (request.param.parent.name, *read(request.param))


def assert_close(actual, desired):
    """Numbers nearly so, texts in full."""
    assert actual.keys() >= desired.keys()  # a later version may have further methods
    for name, expected in desired.items():
        if expected.dtype.kind in "fc":
            np.testing.assert_allclose(actual[name], expected, **TOLERANCE, err_msg=name)
            assert actual[name].dtype == expected.dtype
        else:
            np.testing.assert_array_equal(actual[name], expected, err_msg=name)


def test_this_version_has_models():
    """Of each estimator; ``python -m tests.fixtures.make_models`` makes them."""
    kinds = {
        type(read(path)[0]).__name__ for path in MODELS.values() if path.parent.name == VERSION
    }
    assert kinds == {"BernoulliRBM", "GaussianBernoulliRBM", "SoftmaxRBM", "RBMRecommender"}
    assert sum(path.stat().st_size for path in FOLDER.glob(f"{VERSION}/*")) < 300_000


def test_it_says_what_it_said(model):
    _, estimator, groups = model
    assert_close(said(estimator, groups["asked"]), groups["said"])


def test_it_goes_on(model):
    """As it did if this version saved it, apart from rounding.

    A draw differs where a random number lies within rounding of a probability, which of the some
    thousand draws in float32 happens once in a thousand processors. Another version may draw
    otherwise.
    """
    version, estimator, groups = model
    before = vars(estimator).get("components_")
    later = said_later(estimator, groups["asked"])
    if version == VERSION:
        assert_close(later, groups["later"])
    assert all(np.isfinite(value).all() for value in later.values())
    if not isinstance(estimator, RBMRecommender):
        assert (later["components_"] != before).any()
