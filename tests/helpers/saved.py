"""Models that versions of the package have fitted, and what these models said."""

import pickle
import re

import numpy as np

import skrbm

from .answers import answers, answers_about_pairs
from .project import ROOT

#: A folder for each version: NAME.pickle is a model, NAME.npz what it is asked and says.
FOLDER = ROOT / "tests" / "fixtures"
#: This version, or the one to come.
VERSION = re.match(r"\d+\.\d+\.\d+", skrbm.__version__)[0]
#: Answers of random numbers, which another version may draw otherwise.
DRAWN = ("gibbs", "sample", "sample, tempering", "impute")


def said(estimator, asked):
    """Answers that are no draws, to rows or to pairs and perhaps ratings, as plain arrays."""
    if isinstance(estimator, skrbm.RBMRecommender):
        return _flat(answers_about_pairs(estimator, asked["pairs"].tolist(), asked.get("ratings")))
    said = answers(estimator, asked["rows"])
    return _flat({name: said[name] for name in said if name not in DRAWN})


def said_later(estimator, asked):
    """What an estimator has learned after a further chunk, or predicts after further pairs."""
    if isinstance(estimator, skrbm.RBMRecommender):
        pairs = asked["pairs"].tolist()
        estimator.add(pairs[-2:], None if "ratings" not in asked else asked["ratings"][-2:])
        return {"predict": estimator.predict(pairs)}
    estimator.set_params(early_stopping=False).partial_fit(asked["more"])
    names = ("components_", "intercept_hidden_", "intercept_visible_", "noise_variance_")
    return {name: getattr(estimator, name) for name in names if hasattr(estimator, name)}


def save(name, estimator, asked):
    """Write a model and its answers into the folder of this version."""
    # NumPy 1.26.0 does not know the names that NumPy 2 gives its modules; all know the old ones.
    model = pickle.dumps(estimator, protocol=3).replace(b"cnumpy._core.", b"cnumpy.core.")
    groups = {
        "asked": asked,
        "said": said(estimator, asked),
        "later": said_later(pickle.loads(model), asked),
    }
    arrays = {f"{group}: {key}": value for group in groups for key, value in groups[group].items()}
    folder = FOLDER / VERSION
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.pickle").write_bytes(model)
    np.savez_compressed(folder / f"{name}.npz", **arrays)


def read(path):
    """A model, and its groups of arrays: asked, said, later."""
    groups = {"asked": {}, "said": {}, "later": {}}
    with np.load(path.with_suffix(".npz")) as arrays:
        for key in arrays:
            group, _, name = key.partition(": ")
            groups[group][name] = arrays[key]
    return pickle.loads(path.read_bytes()), groups


def _flat(answer, name=""):
    """Arrays by name, in place of dicts and tuples of them; ids as texts."""
    if isinstance(answer, (dict, tuple)):
        parts = answer.items() if isinstance(answer, dict) else enumerate(answer)
        return {
            key: array
            for part, value in parts
            for key, array in _flat(value, f"{name}/{part}").items()
        }
    array = np.asarray(answer)
    return {name.strip("/"): array.astype(str) if array.dtype == object else array}
