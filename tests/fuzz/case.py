"""One case: an estimator, some tables and a few calls, all of which a number decides."""

import copy
import pickle
import re
import warnings
from dataclasses import dataclass, field, replace
from unittest import mock

import numpy as np
from numpy.testing import assert_allclose
from sklearn.base import clone

from skrbm import BernoulliRBM, SoftmaxRBM
from skrbm._machine import crew, threads

from ..helpers.comparison import assert_same_bits, learned
from .calls import DRAWING, Call, assert_expected, call_of, plain, weights_of
from .drawing import Draw, shown
from .edits import edited
from .parameters import MODELS, changed_parameters, estimator_of, strange
from .promises import BrokenPromiseError, fingerprint, observed
from .tables import Table, table_of

READERS = ("transform", "inverse_transform", "reconstruct", "gibbs", "sample", "impute")
READERS += ("free_energy", "energy", "score_samples", "score", "log_partition", "log_likelihood")
READERS += ("get_feature_names_out",)
OF_ENTRIES = {BernoulliRBM: ("conditional_proba", "recommend")}
OF_ENTRIES[SoftmaxRBM] = ("predict_ratings", "top_features", *OF_ENTRIES[BernoulliRBM])
WHOLE = {
    "pickle": lambda estimator: pickle.loads(pickle.dumps(estimator)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "clone": clone,
    "repr": repr,
}
LEARNING = ("fit", "partial_fit", "fit_transform")

#: How a second run differs from the first, of which nothing may depend.
THREADS, LAYOUT, SPARSE = "in 5 threads", "in Fortran order", "as CSR"


@dataclass
class Case:
    """A run of a case; ``change`` is how it differs from the first, or None."""

    number: int
    change: str | None = None
    outcomes: list = field(default_factory=list)

    def __post_init__(self):
        self.draw = Draw(self.number)
        self.model = self.draw.pick(*MODELS)
        self.n_features = self.draw.pick(1, 2, 3, 4, 6, 12)
        self.estimator, self.sane = estimator_of(self.draw, self.model, self.n_features)
        self.edited, self.repeatable, self.exact = False, True, True
        self.tables = []
        parameters = self.estimator.get_params(deep=False).items()
        given = {k: v for k, v in parameters if v is not getattr(self.model(), k)}
        given = ", ".join(f"{k}={shown(v)}" for k, v in given.items())
        self.log = [f"{self.model.__name__}({given})"]

    def run(self):
        """All calls; ``BrokenPromiseError`` names the case if a promise is broken."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of making strange tables; calls are watched
                if self.draw.chance(0.97):
                    self._learn(first=True)
                for _ in range(self.draw.count(1, 4)):
                    self._go_on()
        except Exception as error:
            lines = [f"case {self.number}{f' {self.change}' if self.change else ''}: {error}"]
            lines += [*self.log, f"reproduce: python -m tests.fuzz {self.number}"]
            raise BrokenPromiseError("\n  ".join(lines)) from error
        return self

    def _go_on(self):
        action = self.draw.rng.random()
        if action < 0.6:
            readers = READERS + 3 * OF_ENTRIES.get(self.model, ())
            self._read(self.draw.pick(*readers))
        elif action < 0.75:
            self._learn()
        elif action < 0.82:
            changes = changed_parameters(self.draw, self.model, self.n_features)
            if self.draw.chance(0.1):
                name = self.draw.pick(*changes)
                changes[name] = strange(self.draw, name)
            self.estimator.set_params(**changes)
            self.sane = False
            self.log.append(f"set_params({shown(changes)})")
        elif action < 0.93:
            self._edit()
        else:
            self._whole()

    # --- tables ---

    def _rows(self, n_rows=None):
        draw = self.draw
        if self.tables and draw.chance(0.4):
            return draw.pick(*self.tables)
        suits = draw.chance(0.5)
        n_features = self.n_features if draw.chance(0.95) else draw.count(0, 12)
        return table_of(draw, self.model, n_features, suits and n_features > 0, n_rows)

    def _hidden(self, n_rows=None):
        """Rows of hidden units, as those of binary visible units are."""
        components = np.shape(getattr(self.estimator, "components_", [0, 0]))
        width = components[0] if components and self.draw.chance(0.95) else self.draw.count(0, 5)
        n_rows = n_rows if self.draw.chance(0.95) else self.draw.count(0, 5)
        table = table_of(self.draw, MODELS[0], width, self.draw.chance(0.7), n_rows)
        return replace(table, array=None)

    def _held(self, argument):
        """What a table holds in this run."""
        if not isinstance(argument, Table):
            return argument
        if self.change == LAYOUT:
            return argument.as_fortran()
        return argument.as_sparse(self.model) if self.change == SPARSE else argument.X

    # --- calls ---

    def _observe(self, call, target=None):
        target = target or getattr(self.estimator, call.method)
        arguments = {name: self._held(value) for name, value in call.arguments.items()}
        texts = (
            f"{k}={v.text if isinstance(v, Table) else shown(v)}"
            for k, v in call.arguments.items()
        )
        self.log.append(f"{call.method}({', '.join(texts)})")
        reads = call.method not in LEARNING
        inputs, wild = list(arguments.values()), self.edited and _wild(self.estimator)
        result, error = observed(lambda: target(**arguments), inputs, self.estimator, reads, wild)
        self.repeatable &= arguments.get("random_state", 0) is not None
        self.log[-1] += f" -> {type(error).__name__}" if error else ""
        if error is None and not reads:
            result = None
        if isinstance(result, str):
            result = None
        self.outcomes.append((call.method, result, error))
        return result, error

    def _learn(self, first=False):
        method = self.draw.pick("fit", "fit", "partial_fit", "partial_fit", "fit_transform")
        table = self._rows()
        if first and self.draw.chance(0.7):
            table = table_of(self.draw, self.model, self.n_features, suits=True, n_rows=20)
        self.repeatable &= self.estimator.random_state is not None
        # A learned variance starts at sums of squares, which round.
        self.exact &= not isinstance(getattr(self.estimator, "noise_variance", None), str)
        arguments = {"X": table}
        # fit_transform is two calls, of which the second reads rows of weight 0 as well.
        if method != "fit_transform" and self.draw.chance(0.4):
            n_rows = table.shape[0] if len(table.shape) else 1
            arguments["sample_weight"] = weights_of(self.draw, n_rows)
        goes_on = method == "partial_fit" or self.estimator.warm_start
        _, error = self._observe(Call(method, arguments))
        self.tables.append(table)
        if error is None:
            self.sane &= table.suits
            self.edited &= bool(goes_on)
        self.outcomes.append(("learned", learned(self.estimator), None))

    def _read(self, method):
        if self.edited and method == "get_feature_names_out":
            return  # scikit-learn's own, which trusts n_features_in_
        call = call_of(self.draw, method, self.model, self._rows, self._hidden)
        result, error = self._observe(call)
        if error is None and not self.edited:
            assert_expected(call, result, self.estimator, self.sane)

    def _edit(self):
        names = [n for n in vars(self.estimator) if n[0] != "_" and n[-1] == "_"]
        if not names:
            return
        name = self.draw.pick(*names)
        self.sane, self.edited = False, True
        if self.draw.chance(0.05):
            delattr(self.estimator, name)
            self.log.append(f"del {name}")
            return
        value = edited(self.draw, name, getattr(self.estimator, name))
        setattr(self.estimator, name, value)
        self.log.append(f"{name} = {shown(value)}")

    def _whole(self):
        what = self.draw.pick(*WHOLE)
        state = fingerprint(vars(self.estimator))
        other, error = self._observe(Call(what), lambda: WHOLE[what](self.estimator))
        self.outcomes.pop()
        if error is None and what in ("pickle", "copy", "deepcopy"):
            if fingerprint(vars(other)) != state:
                raise BrokenPromiseError(f"{what} gave another estimator")
            self.estimator = other


def _wild(estimator):
    """Whether an attribute holds numbers of which sums overflow, or none."""
    arrays = [a for a in vars(estimator).values() if isinstance(a, np.ndarray)]
    return any(a.dtype.kind == "f" and not (np.abs(a) < 1e15).all() for a in arrays)


# Small work is shared as large work is.
@mock.patch.object(crew, "PARTS", (2**8, 2**11))
@mock.patch.object(crew, "WORTH_A_CREW", 0)
def check(number):
    """Run a case and, of some cases, a second run that must come to the same."""
    case = Case(number).run()
    if number % 3 or not case.repeatable:
        return
    change = Draw((number, 1)).pick(THREADS, THREADS, LAYOUT, SPARSE)
    if change != THREADS:
        if case.exact:
            _assert_same(case, Case(number, change).run())
        return
    threads._pool.cache_clear()
    with (
        mock.patch.object(threads, "WORTH_A_THREAD", 1),
        mock.patch.object(threads, "get_num_threads", return_value=5),
        mock.patch.object(crew, "get_num_threads", return_value=5),
    ):
        other = Case(number, change).run()
    threads._pool.cache_clear()
    _assert_same(case, other)


def _assert_same(case, other):
    try:
        for (name, result, error), (_, result_, error_) in zip(
            case.outcomes, other.outcomes, strict=True
        ):
            if type(error) is not type(error_):
                raise BrokenPromiseError(f"{name}: {error!r}, and {other.change} {error_!r}")
            if other.change == THREADS:
                assert re.sub("0x[0-9a-f]+", "", str(error)) == re.sub(
                    "0x[0-9a-f]+", "", str(error_)
                )
                assert_same_bits(plain(result_), plain(result), name)
            elif result is None:
                continue
            elif name == "learned":
                _assert_same_learned(result, result_)
            elif case.model is SoftmaxRBM or name == "get_feature_names_out":
                assert_same_bits(plain(result_), plain(result), name)
            elif name not in DRAWING and not case.edited:
                assert_allclose(result_, result, rtol=1e-9, atol=1e-9, err_msg=name)
    except Exception as error:
        lines = [f"case {case.number}: other results {other.change}: {error}"]
        lines += [*other.log, f"reproduce: python -m tests.fuzz {case.number}"]
        raise BrokenPromiseError("\n  ".join(lines)) from error


def _assert_same_learned(one, other):
    """But for figures on rows that go into matrix products as they lie in memory."""
    without = [{k: v for k, v in state.items() if k != "history_"} for state in (one, other)]
    assert_same_bits(without[1], without[0], "learned")
