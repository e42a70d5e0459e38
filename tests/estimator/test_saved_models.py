"""Pickle, joblib and skops keep every bit: of what an estimator says, and of how it goes on."""

import pickle
import subprocess
import sys

import joblib
import numpy as np
import pytest
import skops.io
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skrbm import RBMRecommender

from ..helpers.answers import answers, answers_about_pairs
from ..helpers.comparison import assert_same_bits, assert_same_model
from ..helpers.models import BERNOULLI, MODELS, VARIANTS, models, variants
from ..helpers.project import ROOT
from ..helpers.recommenders import all_pairs, machines, pairs, recommender

#: What a reader of a file of skops has to trust: the estimators.
TRUSTED = {
    *(f"{model.estimator.__module__}.{model.name}" for model in MODELS.values()),
    f"{RBMRecommender.__module__}.RBMRecommender",
}
FORMATS = {
    "pickle": (
        lambda estimator, path: path.write_bytes(pickle.dumps(estimator)),
        lambda path: pickle.loads(path.read_bytes()),
    ),
    "joblib": (joblib.dump, joblib.load),
    "skops": (skops.io.dump, lambda path: skops.io.load(path, trusted=sorted(TRUSTED))),
}


@pytest.fixture
def saved(tmp_path):
    """Writes an estimator in each format, and reads it again."""

    def copies(estimator):
        for name, (dump, load) in FORMATS.items():
            dump(estimator, tmp_path / name)
            yield load(tmp_path / name)

    return copies


@variants
def test_every_method_says_the_same_and_learning_goes_on(variant, saved):
    """In float32; float64 is for other processes."""
    first, more = (variant.rows(seed).astype(np.float32) for seed in (0, 1))
    rbm = variant.machine().fit(first)
    X = rbm.sample(20, n_gibbs_steps=3)
    said, copies = answers(rbm, X), list(saved(rbm))
    for copy in copies:
        assert_same_model(copy, rbm)
        np.testing.assert_equal(copy.history_, rbm.history_)  # NaN is NaN
        assert_same_bits(answers(copy, X), said)
    rbm.partial_fit(more)
    for copy in copies:
        assert_same_model(copy.partial_fit(more), rbm)


@models
def test_what_is_not_fitted_is_saved_as_well(model, saved):
    X = model.rows()
    rbm = model.machine(learning_rate=np.array([0.1, 0.05, 0.01]), n_gibbs_steps=(1, 2))
    copies = list(saved(rbm))
    rbm.fit(X)
    for copy in copies:
        assert_same_model(copy.fit(X), rbm)


@models
def test_every_method_that_reads_is_asked(model):
    rbm = model.machine(**({"conditional": False} if "conditional" in model.parameters else {}))
    asked = answers(rbm.fit(model.rows()), rbm.sample(5, n_gibbs_steps=1))
    assert {name.partition(",")[0] for name in asked} == reading_methods(model.estimator)


def reading_methods(estimator):
    public = {name for name in dir(estimator) if name[0] != "_" and name[-1] != "_"}
    others = {"fit", "fit_transform", "partial_fit", "from_sklearn", "add"}
    others |= {"get_params", "get_metadata_routing"}
    return {name for name in public - others if not name.startswith("set_")}


# --- recommenders ---


@pytest.mark.parametrize("ids", ["numbers", "texts"])
@pytest.mark.parametrize("rated", [True, False], ids=["ratings", "pairs alone"])
def test_a_recommender_says_the_same(rated, ids, saved):
    X, y = pairs()
    asked = all_pairs()
    if ids == "texts":
        X, asked = ([(f"user {u}", f"item {i}") for u, i in some] for some in (X, asked))
    y, ratings = (y, np.resize(y, len(asked))) if rated else (None, None)
    estimator = recommender().fit(X, y)
    said = answers_about_pairs(estimator, asked, ratings)
    if rated:
        assert {name.partition(",")[0] for name in said} == reading_methods(RBMRecommender)
    new = asked[-1:], None if y is None else y[:1]
    more = answers_about_pairs(pickle.loads(pickle.dumps(estimator)).add(*new), asked, ratings)
    for copy in saved(estimator):
        assert_same_bits(answers_about_pairs(copy, asked, ratings), said)
        assert_same_bits(answers_about_pairs(copy.add(*new), asked, ratings), more)


# --- skops ---


def test_skops_asks_for_trust_in_the_estimators_alone():
    """In a pipeline, with names of features, a generator, and ids that are texts."""
    rbm = BERNOULLI.machine(random_state=np.random.RandomState(0), early_stopping=True)
    pipeline = make_pipeline(MinMaxScaler(), rbm).set_output(transform="default")
    pipeline.fit(BERNOULLI.rows())
    X = [(f"user {user}", f"item {item}") for user, item in pairs()[0]]
    asked = set()
    for estimator in (pipeline, recommender().fit(X, pairs()[1]), RBMRecommender(**machines())):
        data = skops.io.dumps(estimator)
        asked |= set(skops.io.get_untrusted_types(data=data))
        assert asked <= TRUSTED
    assert "skrbm._recommender.RBMRecommender" in asked


# --- another process ---

ELSEWHERE = """
import pickle, sys
import joblib, skops.io
from tests.helpers.answers import answers, answers_about_pairs

folder, *trusted = sys.argv[1:]
loaded = [
    pickle.load(open(f"{folder}/pickle", "rb")),
    joblib.load(f"{folder}/joblib"),
    skops.io.load(f"{folder}/skops", trusted=trusted),
]
pairs, rows = pickle.load(open(f"{folder}/asked", "rb"))
said = [
    [answers_about_pairs(recommender, pairs), *map(answers, rbms, rows)]
    for recommender, *rbms in loaded
]
pickle.dump(said, open(f"{folder}/said", "wb"))
"""


def test_a_new_process_says_the_same(tmp_path):
    chosen = [VARIANTS[name] for name in ("bits, pt", "learned variance, cd", "categories, means")]
    rbms = [variant.machine().fit(variant.rows()) for variant in chosen]
    rows = [rbm.sample(5, n_gibbs_steps=1) for rbm in rbms]
    estimators = [recommender().fit(*pairs()), *rbms]
    for name, (dump, _) in FORMATS.items():
        dump(estimators, tmp_path / name)
    (tmp_path / "asked").write_bytes(pickle.dumps((all_pairs(), rows)))
    subprocess.run([sys.executable, "-c", ELSEWHERE, tmp_path, *TRUSTED], cwd=ROOT, check=True)
    said = [answers_about_pairs(estimators[0], all_pairs()), *map(answers, rbms, rows)]
    assert_same_bits(pickle.loads((tmp_path / "said").read_bytes()), [said] * len(FORMATS))
