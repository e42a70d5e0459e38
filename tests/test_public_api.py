"""What users import, and what their pickles name, are public modules and front doors."""

import io
import pickle

import pytest

import skrbm

from .helpers.comparison import assert_same_model
from .helpers.models import variants
from .helpers.recommenders import pairs, recommender

#: Where the public names live: pickles of other versions say so.
HOMES = {
    "BernoulliRBM": "skrbm._bernoulli",
    "GaussianBernoulliRBM": "skrbm._gaussian",
    "LogPartition": "skrbm._log_partition",
    "RBMRecommender": "skrbm._recommender",
    "SoftmaxRBM": "skrbm._softmax",
    "show_versions": "skrbm._show_versions",
    "warm_up": "skrbm._warm_up",
}
#: Libraries besides those above that a pickle of a fitted estimator may name.
LIBRARIES = {"numpy"}


def test_all_names_what_is_public():
    assert skrbm.__all__ == sorted(HOMES)
    for name in skrbm.__all__:
        assert callable(getattr(skrbm, name))


@pytest.mark.parametrize(("name", "module"), HOMES.items())
def test_public_names_live_in_their_front_doors(name, module):
    assert getattr(skrbm, name).__module__ == module


class NamingUnpickler(pickle.Unpickler):
    """Writes down the modules that a pickle names."""

    def __init__(self, data):
        super().__init__(io.BytesIO(data))
        self.modules = set()

    def find_class(self, module, name):
        self.modules.add(module)
        return super().find_class(module, name)


@variants
def test_pickles_name_public_modules_alone(variant):
    rbm = variant.machine().fit(variant.rows()).partial_fit(variant.rows())
    unpickler = NamingUnpickler(pickle.dumps(rbm))
    assert_same_model(unpickler.load(), rbm)
    assert type(rbm).__module__ in unpickler.modules
    others = unpickler.modules - set(HOMES.values())
    assert {module.split(".")[0] for module in others} <= LIBRARIES


def test_pickles_of_recommenders_name_public_modules_alone():
    """Their table of ratings, a sparse array, is saved as plain arrays."""
    estimator = recommender().fit(*pairs())
    unpickler = NamingUnpickler(pickle.dumps(estimator))
    assert_same_model(unpickler.load().item_rbm_, estimator.item_rbm_)
    others = unpickler.modules - set(HOMES.values())
    assert {module.split(".")[0] for module in others} <= LIBRARIES
