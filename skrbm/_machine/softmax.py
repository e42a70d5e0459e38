"""Units of categories: softmax units, of which a row may miss some. Notation as in ``layer``.

The value of feature i is one of K_i categories. ``phi(v)`` is one-hot, and 0 where the entry is
missing. Rows are :class:`~skrbm._machine.onehot.OneHotRows`. Salakhutdinov, Mnih & Hinton (ICML
2007) use this layer for ratings: each row is a machine of its own over the features that the row
has observed, and all rows share their weights.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from .._kernels import onehot, onehot_rows, sums, updates
from .._kernels.onehot import Phase, Queries
from .crew import together
from .layer import Layer
from .memory import empty, scratch
from .onehot import Categories, OneHotPhases, OneHotRows, cumulated
from .threads import COST_OF_SOFTPLUS, LONGEST_CALL, in_threads, shares

#: Codes, or logarithms of probabilities, held at a time where all features are asked for.
BLOCK = 2**22


class SoftmaxInput(NamedTuple):
    """The input ``h W^T`` by its factors: computed for the entries that rows observe, and no more.

    Parameters
    ----------
    h : ndarray of shape (n, M)
    weights : ndarray of shape (C, M)
    """

    h: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True)
class SoftmaxLayer(Layer):
    """Softmax units, ``E(v) = -b onehot(v)``.

    In the conditional machine the hidden units see which features are observed as well: their
    input is ``phi(v) W + r U``, with ``r_i = 1`` if feature i is observed, else 0.

    Parameters
    ----------
    bias : ndarray of shape (C,)
        ``b``, up to a constant per feature the log-frequencies at an input of 0.
    categories : Categories
        Which codes belong to which feature, and which category a code stands for.
    conditional : ndarray of shape (D, M) or None
        ``U``.
    ordinal : bool
        Whether steps keep the weights of a feature linear in the values of its categories.
    """

    bias: np.ndarray
    categories: Categories
    conditional: np.ndarray | None = None
    ordinal: bool = False

    def __post_init__(self):
        """Refuse arrays that do not fit the categories: kernels do not check bounds."""
        n_units = self.categories.offsets[-1]
        if self.bias.shape != (n_units,):
            raise ValueError(
                f"intercept_visible_ has shape {self.bias.shape}, but categories_ asks for "
                f"{(n_units,)}: one bias per category of each feature."
            )
        n_features = self.categories.n_features
        if self.conditional is not None and len(self.conditional) != n_features:
            raise ValueError(
                f"conditional_components_ is for {len(self.conditional)} features, but "
                f"categories_ lists {n_features}."
            )

    @property
    def n_features(self):
        """Each has a category for every unit that it owns."""
        return self.categories.n_features

    @property
    def parameters(self):
        """The bias and, in the conditional machine, ``U``."""
        return (self.bias,) if self.conditional is None else (self.bias, self.conditional)

    # --- towards the hidden units ---

    def forward(self, v, weights):
        """``phi(v) W + r U``."""
        v.check_codes(self.n_units)
        self._check(weights, self.conditional)
        out = scratch((v.shape[0], weights.shape[1]), weights.dtype)
        out[...] = 0
        indptr, entry_weights = v.indptr_of_entries, v.weights_of_entries(weights.dtype)
        together(onehot.gather, indptr, v.entries, entry_weights, weights, out)
        if self.conditional is not None:
            features = self.categories.feature_of[v.entries]
            together(onehot.gather, indptr, features, entry_weights, self.conditional, out)
        return out

    def energy(self, v):
        """``-b onehot(v)``."""
        v.check_codes(self.n_units)
        total = np.zeros((v.shape[0], 1), self.bias.dtype)
        table = self.bias[:, np.newaxis]
        entry_weights = v.weights_of_entries(total.dtype)
        together(onehot.gather, v.indptr_of_entries, v.entries, entry_weights, table, total)
        return -total[:, 0]

    # --- functions of the input ---

    def input(self, h, weights):
        """Both factors of ``h W^T``."""
        self._check(weights)
        if h.shape[1] != weights.shape[1]:
            raise ValueError(f"{h.shape[1]} hidden units met weights of {weights.shape[1]}")
        return SoftmaxInput(h, weights)

    def mean(self, x):
        """``p(v | x)`` of each category of each feature, (n, C)."""
        complete = self.categories.complete_rows(len(x.h))
        return self.mean_rows(x, complete).weights.reshape(len(x.h), -1)

    def sample(self, x, key, out=None):
        """New categories for the entries of ``out``, or complete rows."""
        out = self.categories.complete_rows(x.h.shape[0]) if out is None else out
        _check_rows(out, x.h)
        order = out.by_feature(self.categories)
        softmax, words = self._softmax(x.weights), scratch((out.n_entries,), np.dtype(np.uint32))
        together(onehot_rows.random_words, out.indptr, *key, words)
        no_position, no_p = np.empty(0, np.int64), np.empty(0, x.weights.dtype)
        outputs = out.entries, no_p
        together(onehot.categorical, order, softmax, x.h, words, no_position, *outputs)
        return out

    def log_normaliser(self, x, shift=0.0):
        """``sum_i log sum_k exp(x_ik + shift_ik + b_ik)``, of an array x (n, C)."""
        out = np.empty(len(x))
        sums.logsumexp_sums(x, self.bias + shift, self.categories.offsets, out)
        return out

    # --- rows and features ---

    def values(self, v):
        """What the categories stand for."""
        return self.categories.decode(v, self.bias.dtype)

    def feature_mean(self, x):
        """``sum_k value_k p(v_i = k | x)``."""
        offsets, values = self.categories.offsets, self.categories.values.astype(x.h.dtype)
        out = np.empty((x.h.shape[0], self.categories.n_features), x.h.dtype)
        n_rows = max(1, BLOCK // self.n_units)
        for first in range(0, x.h.shape[0], n_rows):
            part = x.h[first : first + n_rows]
            terms = self.mean(x._replace(h=part)) * values
            out[first : first + n_rows] = np.add.reduceat(terms, offsets[:-1], axis=1)
        return out

    def point_estimate(self, mean):
        """The most probable category of each feature; the first of equal ones."""
        rows = self.categories.complete_rows(len(mean))
        codes = self._codes(rows)
        for i, first in enumerate(self.categories.offsets[:-1]):
            codes[:, i] = first + mean[:, first : self.categories.offsets[i + 1]].argmax(axis=1)
        return rows

    def clamp(self, v, given, known):
        """Copy the codes of known entries into ``v``."""
        np.copyto(self._codes(v), self._codes(given), where=known)

    def _codes(self, v):
        """The codes of complete rows, one per feature, a view (n, D)."""
        return v.entries.reshape(-1, self.categories.n_features)

    # --- learning ---

    def phases(self, rows, which, n_neg):
        """Rows of data, and a copy of them or complete rows."""
        v = rows.read(which)
        if n_neg is not None:
            return OneHotPhases(v, self.categories.complete_rows(n_neg))
        v.by_feature(self.categories)  # one sort, which the copy shares
        return OneHotPhases(v, v.copy())

    def mean_rows(self, x, like):
        """``p(v | x)`` of all categories of the features that the rows ``like`` observe."""
        _check_rows(like, x.h)
        order = like.by_feature(self.categories)
        position = self._positions(like)
        codes = scratch((position[-1],), like.codes.dtype)
        p = scratch((position[-1],), x.weights.dtype)
        softmax, no_words = self._softmax(x.weights), np.empty(0, np.uint32)
        together(onehot.categorical, order, softmax, x.h, no_words, position, codes, p)
        return OneHotRows(position[like.indptr_of_entries], codes, p, self.n_units)

    def centers(self, means):
        """Shares of all rows: that show a category and, for ``U``, that observe a feature."""
        if self.conditional is None:
            return (means,)
        return means, np.add.reduceat(means, self.categories.offsets[:-1])

    def gradient(self, phases, h, row_weights, weights):
        """Feature by feature: first the rows of data, then the rows of the model."""
        self._check(weights)
        interaction = empty(weights.shape, weights.dtype)
        bias = scratch(self.bias.shape, self.bias.dtype)
        no_table = np.empty((0, weights.shape[1]), weights.dtype)
        observed = (
            no_table if self.conditional is None else empty(self.conditional.shape, weights.dtype)
        )
        positive, negative = slice(0, phases.n_pos), slice(phases.n_pos, None)
        parts = (
            self._phase(phases.positive, h[positive], row_weights[positive]),
            self._phase(phases.negative, h[negative], row_weights[negative]),
        )
        outputs = observed, bias, interaction
        together(onehot.accumulate, *parts, self.categories.offsets, *outputs)
        if self.conditional is None:
            return interaction, bias
        # An observed feature is in one category, or in all with probabilities that add up to 1.
        return interaction, bias, observed

    def precondition(self, sums, n_rows):
        """Of linear weights: what their levels and slopes follow."""
        if self.ordinal:
            values = self.categories.scaled.astype(self.bias.dtype)
            together(updates.straighten, values, self.categories.offsets, sums[0])
        return sums

    def _phase(self, v, h, row_weights):
        """The rows of a phase, checked, as the kernel reads them."""
        _check_rows(v, h)
        _check_rows(v, row_weights)
        order = v.by_feature(self.categories)
        return Phase(order, v.entries, v.weights_of_entries(h.dtype), h, row_weights)

    # --- scores ---

    def squared_error(self, v, x):
        """Over observed entries. A thousandth of the range of all values is negligible."""
        if v.n_entries == 0:
            return 0.0, 0.0, 0
        values = self.categories.values
        expected = self.mean_rows(x, v)
        position = self._positions(v)[:-1]
        mean = np.add.reduceat(expected.weights * values[expected.codes], position)
        errors = mean - values[v.entries]
        # The square of the range may be beyond float64 where the errors are not.
        misfit = float(np.square(errors / (np.ptp(values) or 1)).sum()) + 1e-3 * v.n_entries
        return float(np.square(errors).sum()), misfit, v.n_entries

    def pseudo_likelihood(self, v, t, weights):
        """A sum over the observed features."""
        _check_rows(v, t)
        order = v.by_feature(self.categories)
        own = v.entries[order.entry]
        queries = Queries(order.start, order.row, own)
        log_p, first = self.log_conditionals(queries, t, weights)
        category = own - np.repeat(self.categories.offsets[:-1], np.diff(order.start))
        return np.bincount(order.row, log_p[first + category], minlength=v.shape[0])

    # --- one entry given the others ---

    def log_conditionals(self, queries, t, weights, mean_field=False):
        """Log-probabilities of the categories of one feature given a row's other entries.

        Parameters
        ----------
        queries : Queries
            The entries asked for.
        t : ndarray of shape (n, M)
            Total inputs of the hidden units for the rows as they are.
        weights : ndarray of shape (C, M)
        mean_field : bool, default=False
            Whether hidden units are set to their means, instead of being summed out.

        Returns
        -------
        log_p : ndarray
            For each query, one number per category of its feature, query by query.
        first : ndarray of shape (n_queries,)
            Where the numbers of a query begin.
        """
        first = cumulated(np.repeat(self.categories.sizes, np.diff(queries.start)))
        out, no_values = np.empty(first[-1], t.dtype), np.empty(0, t.dtype)
        self._condition(queries, t, weights, mean_field, no_values, first[queries.start], out)
        return out, first[:-1]

    def conditional_means(self, queries, t, weights, mean_field=False):
        """Expectations of the value of one feature given a row's other entries, (n_queries,).

        ``log_conditionals`` describes the parameters.
        """
        out, values = np.empty(len(queries.row), t.dtype), self.categories.values.astype(t.dtype)
        self._condition(queries, t, weights, mean_field, values, queries.start, out)
        return out

    def _condition(self, queries, t, weights, mean_field, values, position, out):
        self._check(weights, self.conditional)
        if queries.row.max(initial=-1) >= len(t) or t.shape[1] != weights.shape[1]:
            raise ValueError(f"queries and weights do not fit hidden inputs of shape {t.shape}")
        p, q = np.empty_like(t), np.empty_like(t)
        onehot.sigmoids(t, p, q)
        # Products, from exp(-limit) to exp(limit), are within the range of the dtype. So far
        # from its end, what is lost where p or q underflows does not matter.
        limit = -1 if mean_field else 60 if t.dtype == np.float32 else 600
        none = np.empty((0, t.shape[1]), t.dtype)
        conditional = none if self.conditional is None else self.conditional
        softmax, inputs = self._softmax(weights), (t, p, q)

        steep = limit >= 0 and max(weights.max(), -weights.min()) > limit
        cost = weights.shape[1] * (COST_OF_SOFTPLUS if steep else 2)
        sizes = np.append(self.categories.sizes, 0)

        def condition(first, stop):
            # Also the queries of one feature may be too many for a call.
            most = max(1, int(LONGEST_CALL // (cost * sizes[first:stop].max(initial=1))))
            for begin in range(queries.start[first], queries.start[stop], most):
                start = queries.start.clip(begin, begin + most)
                at = position + sizes * (start - queries.start)
                part = queries._replace(start=start)
                onehot.conditionals(
                    (first, stop), part, softmax, conditional, inputs, limit, values, at, out
                )

        in_threads(condition, shares(queries.start, self._mean_size * cost))

    # --- annealing and tempering ---

    def with_bias(self, bias):
        """The change of the bias is the input that undoes it.

        The unit that sends it does not see which features are observed.
        """
        conditional = self.conditional
        if conditional is not None:
            conditional = np.pad(conditional, ((0, 0), (0, 1)))
        return replace(self, bias=bias, conditional=conditional), self.bias - bias

    # --- sizes ---

    def _check(self, weights, conditional=None):
        """Refuse weights of other units: kernels do not check bounds."""
        tables = (weights,) if conditional is None else (weights, conditional)
        if len(weights) != self.n_units or len({table.shape[1] for table in tables}) > 1:
            shapes = " and ".join(str(table.shape) for table in tables)
            raise ValueError(f"weights of shape {shapes} met a layer of {self.n_units} units")

    def _softmax(self, weights):
        return onehot.Softmax(self.categories.offsets, weights, self.bias, self.categories.most)

    def _positions(self, v):
        """Where the categories of each entry begin in a list of the categories of all entries."""
        return cumulated(self.categories.sizes[self.categories.feature_of[v.entries]])

    @property
    def _mean_size(self):
        """Mean number of categories of a feature."""
        return self.n_units / self.categories.n_features


def _check_rows(v, h):
    """Refuse rows of two layers that are not as many: kernels do not check bounds."""
    if v.shape[0] != len(h):
        raise ValueError(f"{v.shape[0]} visible rows met {len(h)} rows of the other layer")
