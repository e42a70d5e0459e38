"""Going on: from any epoch, from a file that a callback saved, and with warm_start."""

import pickle
from importlib import import_module
from textwrap import dedent

import dask
import joblib
import numpy as np
import pytest

import skrbm.dask

from ..helpers.callbacks import Hook, needs_callbacks
from ..helpers.clusters import in_this_process
from ..helpers.comparison import assert_same_bits, assert_same_model, learned
from ..helpers.models import BERNOULLI, VARIANTS
from ..helpers.project import ROOT

#: All models, CD, PCD and PT, a rate that falls within the fit or with updates.
CHOSEN = [
    ("bits, pcd, centred", {"learning_rate_schedule": "linear"}),
    ("bits, pt, 7 chains", {"momentum": (0.5, 0.9)}),
    ("learned variance, pcd", {"learning_rate_schedule": "linear"}),
    ("categories, conditional, centred", {"learning_rate": (0.02, 0.01)}),
]


class Saver(Hook):
    """Saves each epoch to a file; a class of a module, for it is saved too."""

    def __init__(self, folder):
        super().__init__(self.save)
        self.folder = folder

    def save(self, epoch, X, y, fitted):
        (self.folder / f"{fitted.n_iter_}.pickle").write_bytes(pickle.dumps(fitted))


class LostClient(Saver):
    """Its process ends after the second epoch."""

    def save(self, epoch, X, y, fitted):
        super().save(epoch, X, y, fitted)
        if epoch == 2:
            raise OSError("the client is gone")


def parts_of(variant, n=3):
    return list(map(dask.delayed, np.array_split(variant.rows(), n)))


def fit(rbm, variant, **options):
    return skrbm.dask.fit(rbm, parts_of(variant), sync_every=2, warm_up=3, **options)


@needs_callbacks
@pytest.mark.parametrize(("name", "options"), CHOSEN)
def test_any_epoch_goes_on_to_the_bits_of_an_undisturbed_fit(client, tmp_path, name, options):
    """Each epoch as a callback has saved it."""
    variant = VARIANTS[name]
    expected = fit(variant.machine(n_iter=2, **options), variant)
    fit(variant.machine(n_iter=2, **options).set_callbacks(Saver(tmp_path)), variant)
    loaded = pickle.loads((tmp_path / "1.pickle").read_bytes())
    assert loaded.n_iter_ == 1
    fit(loaded.set_callbacks(), variant, resume=True)
    assert_same_model(loaded, expected)
    assert len(loaded.history_["seconds"]) == 2


@needs_callbacks
def test_a_saved_epoch_goes_on_on_another_cluster(client, tmp_path):
    """The recipe for lost clients and schedulers."""
    variant = VARIANTS["bits, pcd, centred"]
    expected = fit(variant.machine(), variant)
    with pytest.raises(OSError, match="the client is gone"):
        fit(variant.machine().set_callbacks(LostClient(tmp_path)), variant)
    with in_this_process(1) as other:
        loaded = pickle.loads((tmp_path / "2.pickle").read_bytes())
        assert loaded.n_iter_ == 2
        fit(loaded.set_callbacks(Saver(tmp_path)), variant, client=other, resume=True)
    assert_same_model(loaded, expected)
    assert (tmp_path / "3.pickle").exists()


@needs_callbacks
def test_the_recipe_of_the_guide(client, tmp_path, monkeypatch):
    text = (ROOT / "docs" / "guide" / "dask.rst").read_text(encoding="utf-8")
    module = text[text.index("    import os\n") : text.index("Fit with it::")]
    (tmp_path / "saving.py").write_text(dedent(module), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    save, variant = import_module("saving").Save(tmp_path / "machine"), VARIANTS["bits, pcd"]
    fit(variant.machine(n_iter=1).set_callbacks(save), variant)
    loaded = joblib.load(tmp_path / "machine").set_params(n_iter=2)
    fit(loaded, variant, resume=True)
    assert_same_model(loaded, fit(variant.machine(n_iter=2), variant))
    assert joblib.load(tmp_path / "machine").n_iter_ == 2  # it goes on to save


def test_resume_of_nothing_is_a_fit_and_of_all_epochs_does_nothing(client):
    variant = VARIANTS["bits, pcd"]
    rbm = variant.machine(n_iter=2)
    fit(rbm, variant, resume=True)
    assert_same_model(rbm, fit(variant.machine(n_iter=2), variant))
    before = learned(rbm)
    fit(rbm, variant, resume=True)
    assert_same_bits(learned(rbm), before)
    fit(rbm.set_params(n_iter=1), variant, resume=True)  # it has more than it needs
    assert_same_bits(learned(rbm), before)


def test_warm_start_makes_further_epochs(client):
    variant = VARIANTS["categories, pt"]
    rbm = variant.machine(n_iter=1, warm_start=True)
    fit(fit(rbm, variant), variant)
    assert_same_model(rbm, fit(variant.machine(n_iter=2), variant))


def test_one_computer_and_a_cluster_go_on_with_each_other(client):
    """One partition after a fit of one computer, and the other way round."""
    variant = VARIANTS["bits, pt, centred"]
    X = variant.rows()
    expected = variant.machine().fit(X)
    rbm = variant.machine(n_iter=1, warm_start=True).fit(X)
    skrbm.dask.fit(rbm, [dask.delayed(X)])
    assert_same_model(rbm.set_params(n_iter=1).fit(X), expected)
    rbm = variant.machine(n_iter=1).fit(X).set_params(n_iter=3)
    assert_same_model(skrbm.dask.fit(rbm, [dask.delayed(X)], resume=True), expected)


def test_chains_of_other_numbers_of_partitions(client):
    variant = VARIANTS["bits, pcd, 7 chains"]
    rbm = fit(variant.machine(n_iter=1), variant).set_params(n_iter=2)
    assert rbm.h_samples_.shape == (21, 3)
    before = learned(rbm)
    with pytest.raises(ValueError, match="21 chains, which 2 partitions cannot share"):
        skrbm.dask.fit(rbm, parts_of(variant, 2), resume=True)
    with pytest.raises(
        ValueError, match=r"n_chains=7 cannot go on .* 21 chains: .* Set n_chains=21 or"
    ):
        rbm.set_params(warm_start=True).fit(variant.rows())
    assert_same_bits(learned(rbm), before)
    rbm.set_params(n_chains=21).fit(variant.rows())
    assert rbm.n_iter_ == 3


def test_resume_takes_other_rows_of_the_same_features(client):
    rbm = BERNOULLI.machine(n_iter=1)
    skrbm.dask.fit(rbm, [dask.delayed(BERNOULLI.rows())])
    rbm.set_params(n_iter=2)
    with pytest.raises(ValueError, match="partition 0 of X: X has 5 features, but BernoulliRBM"):
        skrbm.dask.fit(rbm, [dask.delayed(BERNOULLI.rows()[:, :5])], resume=True)
    skrbm.dask.fit(rbm, [dask.delayed(BERNOULLI.rows(7))], resume=True)
    assert rbm.n_iter_ == 2
