"""What workers time: epochs, methods and competitors, by section and name.

A case is a function that makes its data and returns the function to time. A worker runs it with
the package of any checkout: so nothing of the package is imported above, and ``estimator`` leaves
out parameters that an older checkout does not know.
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
from checkout_cases import BASE, estimator
from scipy import sparse

DTYPES = ("float32", "float64")
MODELS = ("BernoulliRBM", "GaussianBernoulliRBM", "SoftmaxRBM")


def rows_of(model, form, n_rows, n_features, dtype):
    """Training rows: bits, normal numbers or ratings from 1 to 5; some in sparse form."""
    rng = np.random.default_rng(0)
    if model == "GaussianBernoulliRBM":
        return rng.normal(size=(n_rows, n_features)).astype(dtype)
    if form == "sparse" and model == "BernoulliRBM":
        X = sparse.random_array((n_rows, n_features), density=0.01, rng=rng, dtype=dtype)
        return (X > 0).astype(dtype).tocsr()
    if form == "sparse":
        X = sparse.random_array((n_rows, n_features), density=0.05, rng=rng, dtype=dtype)
        X.data = np.ceil(5 * X.data)
        return X.tocsr()
    if model == "SoftmaxRBM":
        return rng.integers(1, 6, (n_rows, n_features)).astype(dtype)
    return (rng.random((n_rows, n_features)) < 0.19).astype(dtype)


def epoch_of(name, n_rows, n_features, n_components, batch_size, dtype, **more):
    """A fit of one epoch. The name is that of a model and, after a comma, what is special."""
    model, _, variant = name.partition(", ")
    options = {"n_iter": 1, "batch_size": batch_size, "random_state": 0} | more
    options |= {"algorithm": variant} if variant in ("cd", "pcd", "pt") else {}
    options |= {"noise_variance": "learned"} if variant == "learned" else {}
    if model == "SoftmaxRBM":
        form = "complete" if variant in ("pcd", "pt") else "sparse"
    else:
        form = variant
    X = rows_of(model, form, n_rows, n_features, dtype)
    return lambda: estimator(model, n_components=n_components, **options).fit(X)


def epoch_of_defaults(model, n_rows, n_features):
    """A fit of one epoch with nothing set."""
    import skrbm

    X = rows_of(model, "sparse" if model == "SoftmaxRBM" else "", n_rows, n_features, "float64")
    return lambda: getattr(skrbm, model)(n_iter=1, random_state=0).fit(X)


#: What is called with a machine and rows.
METHODS = {
    "transform": lambda rbm, X: rbm.transform(X),
    "score_samples": lambda rbm, X: rbm.score_samples(X),
    "free_energy": lambda rbm, X: rbm.free_energy(X),
    "ais": lambda rbm, X: rbm.log_partition("ais", n_chains=100, n_betas=200, random_state=0),
    "sample": lambda rbm, X: rbm.sample(100, n_gibbs_steps=50, random_state=0),
    "tempering": lambda rbm, X: rbm.sample(
        100, n_gibbs_steps=20, method="tempering", n_temperatures=10, random_state=0
    ),
    "predict_ratings": lambda rbm, X: rbm.predict_ratings(X),
    "recommend": lambda rbm, X: rbm.recommend(X),
}


def method_of(method, model, n_rows, n_features, n_components, dtype):
    """A method of a machine that has learned from a thousand of the rows."""
    X = rows_of(model, "sparse" if model == "SoftmaxRBM" else "", n_rows, n_features, dtype)
    options = {"n_components": n_components, "n_iter": 1, "random_state": 0}
    rbm = estimator(model, **options, batch_size=100).fit(X[:1000])
    return partial(METHODS[method], rbm, X)


def competitor_of(name, n_rows, batch_size, dtype):
    """An epoch of scikit-learn or of PyTorch."""
    from competitors import binary_rows, fit_epoch, torch_epoch

    X = binary_rows(n_rows, 784, dtype)
    if name == "PyTorch":
        return partial(torch_epoch, X, 256, batch_size)
    return partial(fit_epoch, name, X, 256, batch_size)


def score_of(n_features, n_components, scale, dtype, n_rows=96):
    """A function that scores rows: digits with noise, or rows that a random machine may draw."""
    from sklearn.datasets import load_digits

    rng = np.random.default_rng(0)
    digits = np.tile(load_digits().data, 13)[:, :n_features] / 6
    X = (digits + rng.normal(size=digits.shape)).astype(dtype)
    options = {"n_components": n_components, "n_iter": 0 if scale else 10, "random_state": 0}
    rbm = estimator("GaussianBernoulliRBM", **options).fit(X - X.mean(axis=0))
    if scale is None:
        return lambda: rbm.score_samples(X[:n_rows] - X.mean(axis=0))
    W = scale * rng.normal(size=(n_components, n_features))
    rbm.components_ = W.astype(dtype)
    # About as many hidden units are on as off.
    rbm.intercept_hidden_ = (-0.5 * W @ W.sum(axis=0)).astype(dtype)
    X = rng.integers(0, 2, (n_rows, n_components)) @ W + rng.normal(size=(n_rows, n_features))
    return lambda: rbm.score_samples(X.astype(dtype))


#: Model, rows, features, hidden units, batch and dtype of the epochs that are timed.
EPOCHS = [
    *(("BernoulliRBM", 20000, 784, 256, b, t) for t in DTYPES for b in (10, 100, 500)),
    ("BernoulliRBM, cd", 20000, 784, 256, 100, "float32"),
    ("BernoulliRBM, sparse", 10000, 5000, 100, 100, "float32"),
    ("BernoulliRBM, pt", 4000, 784, 256, 100, "float32"),
    ("GaussianBernoulliRBM", 20000, 784, 256, 100, "float32"),
    ("GaussianBernoulliRBM, learned", 20000, 784, 256, 100, "float64"),
    ("SoftmaxRBM", 4000, 2000, 100, 1000, "float32"),
    ("SoftmaxRBM", 4000, 2000, 100, 50, "float32"),
    ("SoftmaxRBM, pcd", 4000, 100, 100, 50, "float32"),
]
#: Of the epochs above, those that are timed with OPTIONS in the checkout AFTER as well.
WITH_OPTIONS = [
    (name, *sizes, batch_size, dtype)
    for name, *sizes, batch_size, dtype in EPOCHS
    if name in BASE and batch_size != 500 and dtype == "float32"
]
OPTIONS = {"centering": True, "average": True}

#: Features, hidden units, standard deviation of the weights (None: a fit) and dtype.
SCORES = [
    *((784, 256, scale, t) for scale in (None, 0.01, 0.03, 0.1, 0.3) for t in DTYPES),
    *((64, 256, scale, "float64") for scale in (None, 0.01, 0.1, 0.3)),
]


def short_fits():
    """Epochs of a second at most: models, algorithms, batches, dtypes, forms, defaults."""
    cases = {}
    for model in MODELS:
        for algorithm in ("pcd", "cd", "pt"):
            n_rows, n_features = (500 if algorithm == "pt" else 2000), 784
            if model == "SoftmaxRBM":
                n_features = 1000 if algorithm == "cd" else 150
            for batch_size in (100,) if algorithm == "pt" else (10, 100, 500):
                for dtype in DTYPES:
                    name = f"{model}, {algorithm}"
                    sizes = n_rows, n_features, 256, batch_size, dtype
                    cases[f"{name}, {batch_size}, {dtype}"] = partial(epoch_of, name, *sizes)
    for dtype in DTYPES:
        for batch_size in (10, 100):
            sizes = 1000, 5000, 100, batch_size, dtype
            name = "BernoulliRBM, sparse"
            cases[f"{name}, {batch_size}, {dtype}"] = partial(epoch_of, name, *sizes)
        name, sizes = "GaussianBernoulliRBM, learned", (2000, 784, 256, 100, dtype)
        cases[f"{name}, 100, {dtype}"] = partial(epoch_of, name, *sizes)
    for model in MODELS:
        cases[f"{model}, defaults"] = partial(epoch_of_defaults, model, 2000, 784)
    return cases


def short_methods():
    """Calls of a second at most of what fitted machines offer; float64 for binary units only."""
    cases = {}

    def add(method, model, dtype, n_rows, n_features=784, n_components=256):
        sizes = n_rows, n_features, n_components, dtype
        cases[f"{model}, {method}, {dtype}"] = partial(method_of, method, model, *sizes)

    for dtype in DTYPES:
        for model in MODELS if dtype == "float32" else MODELS[:1]:
            add("transform", model, dtype, 4000)
            add("score_samples", model, dtype, 1000 if model == "BernoulliRBM" else 100)
            add("free_energy", model, dtype, 4000)
            for method in ("ais", "sample", "tempering") if model != "SoftmaxRBM" else ():
                add(method, model, dtype, 1000)
        for method in ("predict_ratings", "recommend"):
            add(method, "SoftmaxRBM", dtype, 500, 1000, 100)
    return cases


def busy(n_rows, batch_sizes):
    """What ``bench_busy.py`` times beside other work: epochs, by batch and dtype, and methods."""
    cases = {
        f"BernoulliRBM, {batch_size}, {dtype}": partial(
            epoch_of, "BernoulliRBM", n_rows, 784, 256, batch_size, dtype
        )
        for dtype in DTYPES
        for batch_size in batch_sizes
    }
    for name, n_features in (("GaussianBernoulliRBM, pcd", 784), ("SoftmaxRBM, cd", 1000)):
        sizes = n_rows, n_features, 256, 100, "float32"
        cases[f"{name}, 100, float32"] = partial(epoch_of, name, *sizes)
    for method in ("transform", "score_samples", "ais", "tempering"):
        sizes = "BernoulliRBM", n_rows // 2, 784, 256, "float32"
        cases[f"{method}, float32"] = partial(method_of, method, *sizes)
    return cases


def peers(n_rows, batch_sizes):
    """Epochs of scikit-learn and of PyTorch, by batch and dtype."""
    return {
        f"{name}, {batch_size}, {dtype}": partial(competitor_of, name, n_rows, batch_size, dtype)
        for dtype in DTYPES
        for batch_size in batch_sizes
        for name in ("scikit-learn", "PyTorch")
    }


SECTIONS = {
    "epochs": {str(case): partial(epoch_of, *case) for case in EPOCHS},
    "options": {str(case): partial(epoch_of, *case, **OPTIONS) for case in WITH_OPTIONS},
    "scores": {str(case): partial(score_of, *case) for case in SCORES},
    "fits": short_fits(),
    "methods": short_methods(),
    "busy": busy(20_000, (10, 50, 100, 200, 500)),
    "busy, quick": busy(1000, (100,)),
    "peers": peers(20_000, (10, 50, 100, 200, 500)),
    "peers, quick": peers(1000, (100,)),
}


def at_once(function, n_threads):
    """Results of a call in each of so many threads."""
    with ThreadPoolExecutor(n_threads) as pool:
        return [call.result() for call in [pool.submit(function) for _ in range(n_threads)]]


def timed(function, least, clock):
    """Seconds of a call, and its result. It is repeated for ``least`` seconds: then a mean."""
    calls, begin = 0, clock()
    while calls == 0 or clock() - begin < least:
        result = function()
        calls += 1
    return (clock() - begin) / calls, result


def serve(section):
    """Answer requests, a line of JSON each, on standard input; the first of a case warms up."""
    made = {}
    for line in sys.stdin:
        request = json.loads(line)
        name = request["case"]
        try:
            if name not in made:
                made.clear()  # the data of one case at a time
                made[name] = SECTIONS[section][name]()
            function = made[name]
            if (n_threads := request.get("n_threads", 1)) > 1:
                function = partial(at_once, function, n_threads)
            clock = getattr(time, request.get("clock", "perf_counter"))
            seconds, result = timed(function, request.get("least", 0.0), clock)
            answer = {"seconds": seconds}
            if request.get("result"):
                answer["result"] = np.asarray(result).tolist()
        except Exception as error:  # an older checkout lacks what a case needs
            answer = {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
        print(json.dumps(answer), flush=True)
