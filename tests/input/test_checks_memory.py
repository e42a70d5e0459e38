"""Fits never copy the data as a whole, and nothing makes sparse data dense."""

import tracemalloc

import numba
import numpy as np
import pytest
from scipy import sparse

from skrbm import BernoulliRBM

from ..helpers.containers import as_memmap


def peak_of(function, *arguments):
    """The most bytes allocated at a time, beyond those at the start."""
    tracemalloc.start()
    try:
        function(*arguments)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


LARGE_DENSE = {
    "float32": lambda X, path: X.astype(np.float32),
    "float64": lambda X, path: X.astype(np.float64),
    "Fortran float32": lambda X, path: np.asfortranarray(X, np.float32),
    "uint8": lambda X, path: X,
    "bool": lambda X, path: X.astype(bool),
    "memmap": as_memmap,
    "frame": lambda X, path: pytest.importorskip("pandas").DataFrame(X.astype(np.float32)),
}


@pytest.mark.parametrize("container", LARGE_DENSE.values(), ids=LARGE_DENSE.keys())
def test_fit_never_copies_dense_data(container, tmp_path):
    X = np.random.default_rng(0).integers(0, 2, (20_000, 200), dtype=np.uint8)
    data = container(X, tmp_path)
    rbm = BernoulliRBM(n_components=2, n_iter=1, batch_size=50, verbose=0)
    rbm.fit(data[:100])  # compile first
    # Tightest for bytes, 4 MB in all: as floats they would be 32 MB.
    assert peak_of(rbm.fit, data) < X.nbytes / 4
    assert peak_of(rbm.partial_fit, data) < X.nbytes / 4


@pytest.fixture
def sparse_rows():
    """4,000 rows x 1,000 columns with 1 % ones: 0.5 MB, where 32 MB would be dense."""
    rng = np.random.default_rng(0)
    where = [rng.integers(0, n, 40_000) for n in (4000, 1000)]
    X = sparse.csr_array((np.ones(40_000), where), shape=(4000, 1000))
    X.data[:] = 1
    return X


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "bsr"])
def test_fit_never_makes_sparse_data_dense(sparse_rows, form):
    X = sparse_rows.asformat(form)
    rbm = BernoulliRBM(n_components=2, n_iter=1, batch_size=20).fit(sparse_rows[:100])
    assert peak_of(rbm.fit, X) < 32e6 / 4
    assert peak_of(rbm.partial_fit, X) < 32e6 / 4


def test_methods_that_read_never_make_sparse_data_dense(sparse_rows):
    rbm = BernoulliRBM(n_components=2, n_iter=0).fit(sparse_rows)
    assert peak_of(rbm.transform, sparse_rows) < 32e6 / 8
    assert peak_of(rbm.free_energy, sparse_rows) < 32e6 / 8
    # Scores need a dense block of 1,000 rows, 8 MB here, for each thread; allow two of one.
    numba_threads = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        assert peak_of(rbm.score_samples, sparse_rows) < 32e6 / 2
    finally:
        numba.set_num_threads(numba_threads)
