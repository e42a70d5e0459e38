"""Small machines of categories, all their rows, and rows as X."""

import itertools
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pytest
from scipy import sparse

from skrbm import SoftmaxRBM
from skrbm._machine.onehot import Categories, OneHotRows
from skrbm._machine.softmax import SoftmaxLayer

from ..oracles.softmax import EnumeratedSoftmaxRBM, compressed, feature_of
from .calls import machine_of


def one_hot(rows):
    """A list of rows, each a sequence of codes, in the package's form."""
    indptr, codes = compressed(rows)
    return OneHotRows(indptr.astype(np.int64), codes.astype(np.int32))


def random_rows(rng, n_rows, sizes, share=0.7):
    """Rows that observe each feature with a probability; the second one observes nothing."""
    offsets = np.cumsum([0, *sizes])
    rows = [
        tuple(
            int(offsets[i] + rng.integers(size))
            for i, size in enumerate(sizes)
            if rng.random() < share
        )
        for _ in range(n_rows)
    ]
    return [() if r == 1 else row for r, row in enumerate(rows)]


def as_sparse(X):
    """The same rows: every observed entry is stored, a 0 as well."""
    row, column = np.nonzero(~np.isnan(X))
    return sparse.coo_array((X[row, column], (row, column)), shape=X.shape).tocsr()


def draw_rows(oracle, pattern, n_rows, rng):
    """Rows of a pattern, drawn from the table of the oracle."""
    rows, joint = oracle.table(pattern)
    return [rows[k] for k in rng.choice(len(rows), n_rows, p=joint.sum(axis=1))]


@dataclass(frozen=True, eq=False)
class Machine:
    """The arrays of a small machine. ``U`` is None if it is not conditional."""

    sizes: tuple
    W: np.ndarray
    b: np.ndarray
    c: np.ndarray
    U: np.ndarray | None = None

    @cached_property
    def categories(self):
        """Half stars; feature i begins at -i, so that 0 and negative ratings occur."""
        return Categories([np.arange(n) / 2 - i for i, n in enumerate(self.sizes)])

    @cached_property
    def oracle(self):
        categories = self.categories
        return EnumeratedSoftmaxRBM(
            self.W, self.b, self.c, categories.offsets, categories.values, self.U
        )

    @property
    def all_rows(self):
        """Every row there can be: complete, with missing entries, and empty."""
        offsets = self.oracle.offsets
        choices = [[(), *((k,) for k in range(*ends))] for ends in itertools.pairwise(offsets)]
        return [sum(parts, ()) for parts in itertools.product(*choices)]

    @property
    def complete_rows(self):
        return self.oracle.visible_states()

    @property
    def arrays(self):
        """W, c, b and, if conditional, U: the order of a gradient."""
        return [a for a in (self.W, self.c, self.b, self.U) if a is not None]

    def model(self, dtype=float):
        W, b, c = (np.array(a, dtype) for a in (self.W, self.b, self.c))
        U = None if self.U is None else np.array(self.U, dtype)
        return machine_of(SoftmaxLayer(b, self.categories, U), W, c)

    def estimator(self, dtype=float, **parameters):
        """A fitted estimator that holds the same machine."""
        estimator = SoftmaxRBM(
            len(self.c),
            categories=self.categories.by_feature,
            conditional=self.U is not None,
            n_iter=0,
            random_state=0,
            **parameters,
        ).fit(self.dense([self.complete_rows[0]], dtype))
        return holding(estimator, self, dtype)

    def dense(self, rows, dtype=float):
        """Rows as a dense array, NaN where an entry is missing."""
        out = np.full((len(rows), len(self.sizes)), np.nan, dtype)
        for r, row in enumerate(rows):
            for code in row:
                out[r, feature_of(code, self.oracle.offsets)] = self.oracle.values[code]
        return out

    def codes(self, X):
        """The opposite: the codes of each row of a dense array, by looking values up."""
        out = []
        for x in X:
            row = []
            for i, value in enumerate(x):
                if not np.isnan(value):
                    place = self.categories.by_feature[i].tolist().index(value)
                    row.append(self.oracle.offsets[i] + place)
            out.append(tuple(row))
        return out


def holding(estimator, machine, dtype=float):
    """A fitted estimator whose arrays have been replaced by those of a machine."""
    estimator.components_ = np.array(machine.W.T, dtype)
    estimator.intercept_visible_ = np.array(machine.b, dtype)
    estimator.intercept_hidden_ = np.array(machine.c, dtype)
    if machine.U is not None:
        estimator.conditional_components_ = np.array(machine.U.T, dtype)
    return estimator


def oracle_of(estimator):
    """The enumerated machine of what an estimator has learned."""
    offsets = np.cumsum([0, *map(len, estimator.categories_)])
    U = getattr(estimator, "conditional_components_", None)
    return EnumeratedSoftmaxRBM(
        estimator.components_.T,
        estimator.intercept_visible_,
        estimator.intercept_hidden_,
        offsets,
        np.concatenate(estimator.categories_),
        None if U is None else U.T,
    )


def random_machine(sizes, n_hidden=3, conditional=False, scale=1.0, seed=20070620):
    rng = np.random.default_rng(seed)
    W = rng.normal(0, scale, (sum(sizes), n_hidden))
    b, c = rng.normal(0, 0.5, sum(sizes)), rng.normal(0, 0.7, n_hidden)
    U = rng.normal(0, 0.8, (len(sizes), n_hidden)) if conditional else None
    return Machine(sizes, W, b, c, U)


MACHINES = {
    f"{name}{', conditional' if conditional else ''}": random_machine(
        sizes, conditional=conditional
    )
    for name, sizes in {"three categories": (3, 3, 3), "1 to 4 categories": (2, 4, 1, 3)}.items()
    for conditional in (False, True)
}


#: Runs a test on each of them, as ``machine``.
machines = pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES)
