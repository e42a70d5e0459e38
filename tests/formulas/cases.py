"""The machine of each page: arrays as the page names them, and an estimator that holds them."""

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from skrbm._machine.softmax import SoftmaxLayer

from ..helpers.gaussian_machines import VARIANCE
from ..helpers.machines import BASE, Binary, Real, some_arrays
from ..helpers.softmax_machines import one_hot, random_machine
from ..oracles.common import states


@dataclass(frozen=True, eq=False)
class BinaryCase:
    """``machine`` has the arrays that formulas are evaluated with; so has the estimator ``rbm``.

    But for the array whose name is ``wrong``, which it holds with the other sign.
    """

    machine: object
    wrong: str = ""

    @cached_property
    def rbm(self):
        return self._held.estimator()

    @cached_property
    def model(self):
        return self._held.model()

    @property
    def _held(self):
        arrays = zip("Wbc", self.machine.arrays, strict=True)
        arrays = tuple(-a if name == self.wrong else a for name, a in arrays)
        return replace(self.machine, arrays=arrays)

    W, b, c = (property(lambda self, k=k: self.machine.arrays[k]) for k in range(3))
    I, J = (property(lambda self, k=k: range(len(self.machine.arrays[k]))) for k in (1, 2))  # noqa: E741
    H = property(lambda self: states(len(self.c)))
    V = property(lambda self: states(len(self.b)))

    @property
    def grey(self):
        return np.random.default_rng(0).random((3, len(self.b)))


class RealCase(BinaryCase):
    """A learned noise variance."""

    s = property(lambda self: np.sqrt(self.machine.variance))

    @property
    def V(self):  # noqa: N802
        return np.random.default_rng(1).normal(0, 1.5, (5, len(self.b)))


class SoftmaxCase(BinaryCase):
    """W and b are lists with one array per feature."""

    @property
    def _held(self):
        others = {self.wrong: -getattr(self.machine, self.wrong)} if self.wrong else {}
        return replace(self.machine, **others)

    def by_feature(self, a):
        return [a[first:stop] for first, stop in pairwise(self.machine.oracle.offsets)]

    W = property(lambda self: self.by_feature(self.machine.W))
    b = property(lambda self: self.by_feature(self.machine.b))
    c = property(lambda self: self.machine.c)
    U = property(lambda self: self.machine.U)
    J = property(lambda self: range(len(self.c)))
    I = property(lambda self: range(len(self.machine.sizes)))  # noqa: E741
    values = property(lambda self: self.machine.categories.by_feature)
    V = property(lambda self: [self.numbered(row) for row in self.machine.all_rows])
    complete = property(lambda self: [self.numbered(row) for row in self.machine.complete_rows])

    def like(self, sizes, conditional=False):
        """A case of other features, wrong in the same way."""
        return SoftmaxCase(random_machine(sizes, conditional=conditional), self.wrong)

    @property
    def ordinal_layer(self):
        return SoftmaxLayer(self.machine.b, self.machine.categories, None, ordinal=True)

    # --- rows ---

    def numbered(self, codes):
        """The category of each feature, None where missing."""
        row = [None] * len(self.I)
        for i, (first, stop) in enumerate(pairwise(self.machine.oracle.offsets)):
            for code in codes:
                if first <= code < stop:
                    row[i] = code - first
        return row

    def dense(self, rows):
        """As X: values of categories, and NaN."""
        return np.array(
            [
                [np.nan if k is None else self.values[i][k] for i, k in enumerate(row)]
                for row in rows
            ]
        )

    def one_hot(self, rows):
        offsets = self.machine.oracle.offsets
        return one_hot([[offsets[i] + k for i, k in enumerate(v) if k is not None] for v in rows])


def cases(wrong=""):
    """By the name of the page."""
    arrays = some_arrays(1.0)
    return {
        "bernoulli": BinaryCase(Binary(arrays, BASE), wrong),
        "gaussian": RealCase(Real(arrays, BASE, VARIANCE, learned=True), wrong),
        "softmax": SoftmaxCase(random_machine((2, 4, 1, 3)), wrong),
    }
