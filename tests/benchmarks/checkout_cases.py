"""Fits and results whose bits ``compare_checkouts.py`` compares."""

import pickle
from itertools import product
from pathlib import Path

import numpy as np

SCHEDULES = {"learning_rate": (0.1, 0.02), "n_gibbs_steps": (1, 2), "momentum": (0.0, 0.5)}

#: What the defaults once were: they differ between checkouts, and cases must not.
BASE = {
    "BernoulliRBM": {"algorithm": "pcd", "learning_rate": 0.1, "batch_size": 10},
    "GaussianBernoulliRBM": {"algorithm": "cd", "learning_rate": 0.01, "batch_size": 100},
    "SoftmaxRBM": {
        "algorithm": "cd",
        "learning_rate": 0.02,
        "batch_size": 50,
        "momentum": 0.9,
        "weight_decay": 0.002,
    },
}
#: Options that older checkouts do not know, off.
OFF = {
    "centering": False,
    "average": False,
    "learning_rate_schedule": "constant",
    "positive_visibles": "mean",
}

#: Settings that every model is fitted with, for each algorithm.
SETTINGS = {
    "plain": {},
    "means": {"negative_visibles": "mean", "n_gibbs_steps": 2},
    "schedules": {**SCHEDULES, "weight_decay": 0.01, "shuffle": False},
    "chains": {"n_chains": 7, "batch_size": 50},
}


def numbers(model, form, dtype):
    """Training rows in a form: dense, sparse, with missing entries, or of integers."""
    from scipy import sparse

    rng = np.random.default_rng(0)
    if model == "GaussianBernoulliRBM":
        X = rng.normal(size=(103, 12)) @ rng.normal(size=(12, 12)) / 4
        return X.astype(dtype)
    if model == "BernoulliRBM":
        X = (rng.random((103, 30)) < np.linspace(0.05, 0.6, 30)).astype(dtype)
        if form == "grey":
            return X * rng.random(X.shape).astype(dtype)
        return sparse.csr_array(X) if form == "sparse" else X
    X = rng.integers(1, 5, (103, 9)).astype(dtype)
    X[:, 3] = np.minimum(X[:, 3], 2)
    if form == "complete":
        return X
    X[rng.random(X.shape) < 0.3] = np.nan
    if form == "sparse":
        row, column = np.nonzero(~np.isnan(X))
        return sparse.coo_array((X[row, column], (row, column)), shape=X.shape).tocsr()
    return X


def estimator(model, **parameters):
    """An estimator of the checkout; options that are off are left out where it knows none."""
    import skrbm

    kind = getattr(skrbm, model)
    known = kind().get_params()
    off = {name: value for name, value in OFF.items() if name in known}
    return kind(**off | BASE[model] | parameters)


def cases():
    """Yield a name, an unfitted estimator and training rows."""
    for dtype, algorithm, settings in product(
        ("float32", "float64"), ("cd", "pcd", "pt"), SETTINGS
    ):
        common = {"n_components": 5, "n_iter": 3, "random_state": 0, "algorithm": algorithm}
        common |= SETTINGS[settings]
        common |= {"n_temperatures": 4} if algorithm == "pt" else {}
        for form in ("dense", "sparse", "grey"):
            X = numbers("BernoulliRBM", form, dtype)
            name = f"Bernoulli {dtype} {algorithm} {settings} {form}"
            yield name, estimator("BernoulliRBM", **common), X
        for noise in (1.0, 0.5, "learned"):
            if noise == "learned" and settings == "means":
                continue
            X = numbers("GaussianBernoulliRBM", "dense", dtype)
            given = common | {"noise_variance": noise}
            if settings == "schedules":
                given |= {"learning_rate": (0.01, 0.002)}
            name = f"Gaussian {dtype} {algorithm} {settings} {noise}"
            yield name, estimator("GaussianBernoulliRBM", **given), X
        forms = ("missing", "sparse", "complete") if algorithm == "cd" else ("complete",)
        for form, conditional in product(forms, (False, True)):
            X = numbers("SoftmaxRBM", form, dtype)
            given = common | {"conditional": conditional, "categories": "auto"}
            name = f"Softmax {dtype} {algorithm} {settings} {form} {conditional}"
            yield name, estimator("SoftmaxRBM", **given), X


def results(rbm, X):
    """Yield the name and the result of each method that a fitted estimator has for rows."""
    from scipy import sparse

    dense = X
    if sparse.issparse(X):
        dense = np.full(X.shape, np.nan if hasattr(rbm, "categories_") else 0, X.dtype)
        coo = X.tocoo()
        dense[coo.row, coo.col] = coo.data
    H = rbm.transform(X)
    yield "transform", H
    yield "inverse_transform", rbm.inverse_transform(H)
    yield "reconstruct", rbm.reconstruct(X)
    yield "free_energy", rbm.free_energy(X)
    yield "energy", rbm.energy(X, np.round(H))
    yield "score_samples", rbm.score_samples(X)
    yield "gibbs", rbm.gibbs(X, 2, random_state=1)
    yield "sample", rbm.sample(4, n_gibbs_steps=5, random_state=1)
    yield "sample from rows", rbm.sample(4, n_gibbs_steps=5, init=X, random_state=1)
    options = {"n_gibbs_steps": 5, "method": "tempering", "n_temperatures": 3, "random_state": 1}
    yield "tempering", rbm.sample(4, **options)
    holes = dense.copy()
    holes[::2, 1::2] = np.nan
    yield "draws of unknown entries", rbm.sample(4, init=holes, n_gibbs_steps=5, random_state=1)
    yield "tempered draws of unknown entries", rbm.sample(4, init=holes, **options)
    yield "impute", rbm.impute(holes, n_gibbs_steps=6, n_chains=3, random_state=1)
    if getattr(rbm, "conditional_components_", None) is None:
        yield "exact", np.array(rbm.log_partition("exact").value)
        for method in ("ais", "reverse_ais"):
            options = {"n_betas": 20, "n_chains": 9, "random_state": 1}
            estimate = rbm.log_partition(method, **options)
            yield method, np.array([estimate.value, estimate.stderr, *estimate.interval])
        binary = np.isin(dense, (0, 1)).all()
        if (type(rbm).__name__ != "BernoulliRBM" or binary) and not np.isnan(dense).any():
            yield "log_likelihood", rbm.log_likelihood(X)
    if hasattr(rbm, "predict_ratings"):
        for method in ("exact", "mean_field"):
            yield f"predict_ratings, {method}", rbm.predict_ratings(X, method=method)
            asked = [3, 1, 3, 90], [2, 0, 2, 8]
            yield f"queries, {method}", rbm.predict_ratings(X, *asked, method=method)
            yield f"proba, {method}", rbm.conditional_proba(X, method=method)
            yield f"proba of queries, {method}", rbm.conditional_proba(X, *asked, method=method)
        yield "recommend", rbm.recommend(X, 3)[1]
        yield "top_features", rbm.top_features(1, 4)[1]


def arrays_of(value):
    """A result as a list of plain arrays."""
    if isinstance(value, (list, tuple)):
        return [a for part in value for a in arrays_of(part)]
    if hasattr(value, "tocsr"):
        return [value.data, value.indices, value.indptr]
    return [] if value is None else [np.asarray(value)]


def record_bits(path):
    """Write all fitted arrays and results of all cases to a file."""
    found = {}
    for name, rbm, X in cases():
        rbm.fit(X)
        for attribute, value in vars(rbm).items():
            if attribute.endswith("_") and attribute != "history_":
                found[f"{name}: {attribute}"] = arrays_of(value)
        for key, values in rbm.history_.items():
            if key != "seconds":
                found[f"{name}: history_, {key}"] = [np.array(values, float)]
        for method, value in results(rbm, X):
            found[f"{name}: {method}"] = arrays_of(value)
        more = rbm.partial_fit(X).partial_fit(X[:33])
        found[f"{name}: partial_fit"] = [more.components_, more.h_samples_]
    Path(path).write_bytes(pickle.dumps(found))
