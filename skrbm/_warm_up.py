"""warm_up: kernels are compiled and kept before anybody waits for them."""

import numpy as np
from scipy.sparse import csr_array

from ._bernoulli import BernoulliRBM
from ._gaussian import GaussianBernoulliRBM
from ._input.checks import InvalidParameterError
from ._kernels.crew import compile_leads
from ._softmax import SoftmaxRBM

_ALGORITHMS = ("cd", "pcd", "pt")
_N_ROWS, _N_FEATURES = 40, 12


def warm_up(dtypes=("float32", "float64")):
    """Compile the kernels that estimators need, and keep them on disk.

    A kernel is compiled at its first call, which takes long, and is read from disk in every later
    process. Call this function once, for example when the image of a container is built: then no
    user waits. The function fits and reads small machines on tables of its own, prints nothing
    and returns nothing.

    On two cores it takes about a minute for both dtypes, and five seconds where the kernels are
    on disk already. Rare calls may still compile a kernel later, for example those that fit in one
    dtype and read in the other.

    Parameters
    ----------
    dtypes : iterable of {"float32", "float64"}, default=("float32", "float64")
        The dtypes that estimators will work in: float32 where X is float32, else float64.

    Raises
    ------
    ValueError
        If a dtype is another one.

    Warns
    -----
    RuntimeWarning
        If there is no folder that can be written, so that nothing is kept.

    See Also
    --------
    show_versions : Print the versions that the kernels are compiled with.

    Notes
    -----
    The files, 12 MB in all, are in the folder ``skrbm/_kernels/__pycache__`` beside the package.
    If that folder cannot be written, they are in the user's cache, as Numba chooses it. If the
    environment variable ``NUMBA_CACHE_DIR`` names a folder, they are there. Programs must run with
    the same folder. A file serves the processor, the version of Numba and the files of the package
    that it was compiled for. On a processor with other instructions kernels are compiled anew.

    Examples
    --------
    A line of a Dockerfile, after the installation::

        RUN python -c "import skrbm; skrbm.warm_up()"

    A first fit then takes milliseconds, where it would take many seconds:

    >>> from time import perf_counter
    >>> import numpy as np
    >>> import skrbm
    >>> skrbm.warm_up(["float32"])
    >>> start = perf_counter()
    >>> rbm = skrbm.BernoulliRBM(n_components=2).fit(np.eye(20, dtype=np.float32))
    >>> perf_counter() - start < 10  # seconds, even on a busy computer
    True
    """
    for dtype in _checked(dtypes):
        _warm_up_bits(dtype)
        _warm_up_numbers(dtype)
        _warm_up_ratings(dtype)
    compile_leads()


def _checked(dtypes):
    """The names of dtypes, if they are those that estimators work in."""
    try:
        names = [np.dtype(dtype).name for dtype in dtypes]
    except TypeError:
        names = [None]
    if isinstance(dtypes, str) or not {"float32", "float64"}.issuperset(names):
        raise InvalidParameterError(
            "dtypes of warm_up must be a list of 'float32', 'float64' or both: what estimators "
            f"work in. Got {dtypes!r}."
        )
    return names


def _train(estimator, X, algorithms=_ALGORITHMS, **settings):
    """A fitted machine, after fits that have made use of all kernels of training."""
    for algorithm in algorithms:
        # Products of few rows have kernels of their own.
        for batch_size, momentum, weights in ((10, 0.5, np.ones(X.shape[0])), (20, 0.0, None)):
            machine = estimator(
                4,
                algorithm=algorithm,
                n_temperatures=3,
                momentum=momentum,
                n_iter=1,
                early_stopping=weights is None,
                batch_size=batch_size,
                random_state=0,
                **settings,
            )
            machine.fit(X, sample_weight=weights)
    return machine


def _read(machine, X):
    """Call methods that make use of all kernels of complete rows."""
    machine.inverse_transform(machine.transform(X))
    machine.score_samples(X)
    machine.gibbs(X, random_state=0)
    machine.sample(3, n_gibbs_steps=2, random_state=0)
    machine.impute(X, n_gibbs_steps=2, n_chains=2, random_state=0)
    for method in ("exact", "ais", "reverse_ais"):
        log_z = machine.log_partition(method, n_chains=4, n_betas=10, random_state=0)
    machine.log_likelihood(X, log_z)


def _read_by_columns(machine, X):
    """The columns of a data frame lie apart from one another."""
    X = np.asfortranarray(X)
    for rows in (X, X[:9]):  # all of a small one, and some of a large one
        machine.transform(rows)
        machine.score_samples(rows)
        machine.log_likelihood(rows, log_partition=0.0)


def _warm_up_bits(dtype):
    rng = np.random.default_rng(0)
    for share in (0.1, 0.9):
        X = (rng.random((_N_ROWS, _N_FEATURES)) < share).astype(dtype)
        for container in (np.asarray, csr_array):
            machine = _train(BernoulliRBM, container(X))
            _read(machine, X)
            machine.transform(container(X))
            machine.recommend(container(X), 3)
        _read_by_columns(machine, X)


def _warm_up_numbers(dtype):
    X = np.random.default_rng(0).normal(size=(_N_ROWS, _N_FEATURES)).astype(dtype)
    _train(GaussianBernoulliRBM, X)
    machine = _train(GaussianBernoulliRBM, X, noise_variance="learned")
    _read(machine, X)
    _read_by_columns(machine, X)


def _warm_up_ratings(dtype):
    rng = np.random.default_rng(0)
    X = rng.integers(1, 6, (_N_ROWS, _N_FEATURES)).astype(dtype)
    _read(_train(SoftmaxRBM, X), X)
    X[rng.random(X.shape) < 0.2] = np.nan
    machine = _train(SoftmaxRBM, X, ("cd",), conditional=True)
    machine.score_samples(X)
    machine.predict_ratings(X)
    machine.conditional_proba(X, method="mean_field")
    machine.recommend(X, 3)
    _train(SoftmaxRBM, X, ("cd",), ordinal=True)
