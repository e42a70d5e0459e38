"""After warm_up no call that is common compiles a kernel."""

import numpy as np
import pytest

import skrbm

from ..helpers.processes import run_python

#: Prints what Numba looks for in the cache: what it would compile if it was not there.
RECORD = """
import numpy as np
from scipy.sparse import csr_array
import skrbm
from skrbm._kernels.cache import KernelCache

load = KernelCache.load_overload

def record(cache, signature, context):
    print("KERNEL", cache._function.__module__, cache._function.__qualname__, signature)
    return load(cache, signature, context)

KernelCache.load_overload = record
"""

#: What users do first, with tables of ordinary sizes; a crew shares even the least work.
USE = """
from skrbm._machine import crew
crew.WORTH_A_CREW, crew.get_num_threads = 0, lambda: 2
rng, few = np.random.default_rng(0), {"n_iter": 1, "random_state": 0}
bits = (rng.random((300, 200)) < 0.2).astype(DTYPE)
tables = {
    skrbm.BernoulliRBM: [bits, 1 - bits, csr_array(bits), np.asfortranarray(bits)],
    skrbm.GaussianBernoulliRBM: [rng.normal(size=(300, 200)).astype(DTYPE)],
    skrbm.SoftmaxRBM: [rng.integers(1, 6, (300, 40)).astype(DTYPE)],
}
for estimator, tables in tables.items():
    for X in tables:
        machines = estimator(**few), estimator(16, batch_size=10, momentum=0.5, **few)
        for machine in machines:
            machine.fit(X).transform(X)
            machine.score_samples(X)
            machine.reconstruct(X)
        machine.partial_fit(X, sample_weight=rng.random(300) + 1)
        machine.sample(10, n_gibbs_steps=5, random_state=0)
        machine.log_likelihood(X, machine.log_partition("ais", n_betas=20, random_state=0))
X[rng.random(X.shape) < 0.5] = np.nan
rated, (rows, columns) = ~np.isnan(X), np.nonzero(~np.isnan(X))
stored = csr_array((X[rated], (rows, columns)), X.shape)
for conditional in (False, True):
    machine = skrbm.SoftmaxRBM(categories=[1, 2, 3, 4, 5], conditional=conditional, **few)
    for table in (X, stored):
        machine.fit(table).transform(table)
        machine.score_samples(table)
        machine.predict_ratings(table, rows, columns)
        machine.conditional_proba(table, rows, columns, method="mean_field")
        machine.recommend(table, 5)
if DTYPE == "float32":
    pairs = np.column_stack([rows, columns])
    recommender = skrbm.RBMRecommender(random_state=0).fit(pairs, X[rated])
    recommender.predict([(0, 1), (1, 500), (500, 1)])
    recommender.recommend([0, 500])
    recommender.similar_items([0])
"""


def kernels(code):
    """The lines that name kernels, of a process of its own."""
    code, output = run_python(RECORD + code)
    assert code == 0, output
    lines = output.splitlines()
    return {line for line in lines if line.startswith("KERNEL")}


@pytest.mark.parametrize("dtype", ["float32", pytest.param("float64", marks=pytest.mark.long)])
def test_common_calls_find_their_kernels_compiled(dtype):
    # First: whoever compiles a kernel also looks for the kernels that it calls.
    warm = kernels(f"skrbm.warm_up([{dtype!r}])")
    needed = kernels(USE.replace("DTYPE", repr(dtype)))
    assert any("accumulate.lead" in line for line in needed)
    assert not needed - warm


def test_it_prints_and_returns_nothing(capfd):
    assert skrbm.warm_up(dtypes=[]) is None
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "dtypes", ["float32", ["float16"], [int], ["float32", "x"], 7, [object()]]
)
def test_other_dtypes_are_refused(dtypes):
    with pytest.raises(ValueError, match="dtypes of warm_up must be a list of 'float32'"):
        skrbm.warm_up(dtypes)


def test_dtypes_by_any_name(monkeypatch):
    seen = []
    for name in ("bits", "numbers", "ratings"):
        monkeypatch.setattr(f"skrbm._warm_up._warm_up_{name}", seen.append)
    skrbm.warm_up((np.float32, np.dtype("f8")))
    assert seen == 3 * ["float32"] + 3 * ["float64"]
