"""The visible layer of categories: softmax units, of which a row may miss some.

Notation as in ``layer``; v_i is one of K_i categories and ``phi(v)`` one-hot, 0 where v_i is
missing; visible rows are :class:`~skrbm._machine.onehot.OneHotRows`. Salakhutdinov, Mnih & Hinton
(ICML 2007) use this layer for ratings: every row is a machine of its own over the features it
has observed, and all share their weights.
"""

from dataclasses import dataclass, replace

import numpy as np

from .._kernels import onehot, sums
from .layer import VisibleLayer
from .onehot import Categories, OneHotRows, cumulated
from .threads import in_threads, shares

#: Codes, or logarithms of probabilities, held at a time where all features are asked for.
BLOCK = 2**22


@dataclass(frozen=True)
class SoftmaxVisible(VisibleLayer):
    """Softmax units, ``E_vis(v) = -b onehot(v)``.

    In the conditional machine the hidden units see which features are observed, besides:
    ``x = c + phi(v) W + r U`` with ``r_i = 1`` if feature i is observed, else 0.

    Parameters
    ----------
    bias : ndarray of shape (C,)
        ``b``, the log-frequencies, up to a constant per feature, if hidden units are off.
    categories : Categories
        Which codes belong to which feature, and what they stand for.
    conditional : ndarray of shape (D, M) or None
        ``U``.
    """

    bias: np.ndarray
    categories: Categories
    conditional: np.ndarray | None = None

    def __post_init__(self):
        """Refuse arrays that do not fit the categories: kernels do not check bounds."""
        n_units = self.categories.offsets[-1]
        if self.bias.shape != (n_units,):
            raise ValueError(
                f"intercept_visible_ has shape {self.bias.shape}, but categories_ asks for "
                f"{(n_units,)}: one bias per category of each feature."
            )

    @property
    def parameters(self):
        """The arrays to learn."""
        return (self.bias,) if self.conditional is None else (self.bias, self.conditional)

    def energy(self, v):
        """``E_vis(v)`` of each row."""
        bias = np.zeros((v.shape[0], 1), self.bias.dtype)
        table = self.bias[:, np.newaxis]
        onehot.gather(v.indptr, v.codes, _entry_weights(v, bias.dtype), table, bias)
        return -bias[:, 0]

    def forward(self, v, weights):
        """``phi(v) W + r U``, shape (n, M)."""
        out = np.zeros((v.shape[0], weights.shape[1]), weights.dtype)
        entry_weights = _entry_weights(v, weights.dtype)

        def gather(first, stop):
            part, target = v[first:stop], out[first:stop]
            onehot.gather(part.indptr, v.codes, entry_weights, weights, target)
            if self.conditional is not None:
                mine = entry_weights[part.indptr[0] : part.indptr[-1]]
                features = self.categories.feature_of[part.entries]
                indptr = part.indptr - part.indptr[0]
                onehot.gather(indptr, features, mine, self.conditional, target)

        in_threads(gather, shares(v.indptr, weights.shape[1]))
        return out

    def mean(self, h, weights):
        """``E[v | h]``, the expectation of the categories' values, shape (n, D)."""
        offsets, values = self.categories.offsets, self.categories.values.astype(h.dtype)
        out = np.empty((h.shape[0], self.categories.n_features), h.dtype)
        n_rows = max(1, BLOCK // self.n_units)
        for first in range(0, h.shape[0], n_rows):
            part = h[first : first + n_rows]
            terms = self.unit_means(part, weights) * values
            out[first : first + n_rows] = np.add.reduceat(terms, offsets[:-1], axis=1)
        return out

    def unit_means(self, h, weights):
        """``p(v | h)`` of each category of each feature, shape (n, C)."""
        complete = self.categories.complete_rows(len(h))
        return self.expected(h, weights, complete).weights.reshape(len(h), -1)

    def cells(self, v):
        """The codes of complete rows as an array of one element per feature, a view."""
        return v.entries.reshape(-1, self.categories.n_features)

    def best_cells(self, unit_means):
        """The codes of the most probable category of each feature; of equal ones the first."""
        offsets = self.categories.offsets
        best = np.empty((len(unit_means), self.categories.n_features), np.int32)
        for i, first in enumerate(offsets[:-1]):
            best[:, i] = first + unit_means[:, first : offsets[i + 1]].argmax(axis=1)
        return best

    def log_normaliser(self, input, shift):
        """``log sum_v exp(-E_vis(v) + phi(v) (input + shift))`` of each row, all v complete."""
        out = np.empty(len(input))
        sums.logsumexp_sums(input, self.bias + shift, self.categories.offsets, out)
        return out

    def rebased(self, bias):
        """The layer with another bias, and the input that undoes the change.

        The input is one hidden unit more, which does not see which features are observed.
        """
        conditional = self.conditional
        if conditional is not None:
            conditional = np.pad(conditional, ((0, 0), (0, 1)))
        return replace(self, bias=bias, conditional=conditional), self.bias - bias

    def expected(self, h, weights, like):
        """``p(v | h)`` of all categories of the features that the rows ``like`` observe."""
        start, entry, row = like.by_feature(self.categories)
        position = self._positions(like)
        codes = np.empty(position[-1], like.codes.dtype)
        p = np.empty(position[-1], weights.dtype)

        def expect(*features):
            offsets = self.categories.offsets
            onehot.expected(
                features, start, entry, row, offsets, weights, self.bias, h, position, codes, p
            )

        in_threads(expect, shares(start, self._mean_size * weights.shape[1]))
        return OneHotRows(position[like.indptr - like.indptr[0]], codes, p)

    def sample(self, h, weights, draw, out=None):
        """A draw from ``p(v | h)`` in the place of the categories of ``out``, or complete rows."""
        out = self.categories.complete_rows(h.shape[0]) if out is None else out
        start, entry, row = out.by_feature(self.categories)
        words = np.empty(out.n_entries, np.uint32)
        onehot.random_words(out.indptr, *draw, words)

        def sample(*features):
            offsets = self.categories.offsets
            onehot.sample(
                features, start, entry, row, offsets, weights, self.bias, h, words, out.entries
            )

        in_threads(sample, shares(start, self._mean_size * weights.shape[1]))
        return out

    def gradient(self, v, h, row_weights, weights):
        """As that of the layers of numbers; ``h`` holds the hidden rows times their weights."""
        start, entry, row = v.by_feature(self.categories)
        mine = _entry_weights(v, weights.dtype)[v.indptr[0] : v.indptr[-1]]
        interaction, bias = np.empty_like(weights), np.empty_like(self.bias)

        def accumulate(*features):
            onehot.accumulate(
                features,
                start,
                entry,
                row,
                v.entries,
                mine,
                h,
                row_weights,
                self.categories.offsets,
                v.copies,
                interaction,
                bias,
            )

        in_threads(accumulate, shares(start, weights.shape[1]))
        if self.conditional is None:
            return interaction, bias
        # An observed feature is in one category, or in all with probabilities that add up to 1.
        observed = np.add.reduceat(interaction, self.categories.offsets[:-1], axis=0)
        return interaction, bias, observed

    def squared_error(self, v, h, weights):
        """Summed squared difference between ``v`` and ``E[v | h]``, and the number of terms."""
        if v.n_entries == 0:
            return 0.0, 0
        values = self.categories.values
        expected = self.expected(h, weights, v)
        position = self._positions(v)[:-1]
        mean = np.add.reduceat(expected.weights * values[expected.codes], position)
        return float(np.square(mean - values[v.entries]).sum()), v.n_entries

    def pseudo_likelihood(self, v, x, weights):
        """Exact ``sum_i log p(v_i | v without i)`` over the observed features, in float64."""
        start, entry, row = v.by_feature(self.categories)
        own = v.entries[entry]
        log_p, first = self.log_conditionals(x, weights, start, row, own)
        category = own - np.repeat(self.categories.offsets[:-1], np.diff(start))
        return np.bincount(row, log_p[first + category], minlength=v.shape[0])

    def log_conditionals(self, x, weights, start, row, own, mean_field=False):
        """Log-probabilities of the categories of one feature given a row's other entries.

        Parameters
        ----------
        x : ndarray of shape (n, M)
            Inputs of the hidden units, bias included.
        weights : ndarray of shape (C, M)
        start : ndarray of shape (D + 1,)
            The queries of feature i are ``start[i] .. start[i + 1] - 1``.
        row : ndarray of shape (n_queries,)
        own : ndarray of shape (n_queries,)
            The code of the entry asked for if the row holds it, or -1.
        mean_field : bool, default=False
            Whether hidden units are set to their means, instead of being summed out.

        Returns
        -------
        log_p : ndarray
            As many as each query's feature has categories, query by query.
        first : ndarray of shape (n_queries,)
            Where those of a query begin.
        """
        first = cumulated(np.repeat(self.categories.sizes, np.diff(start)))
        out, no_values = np.empty(first[-1], x.dtype), np.empty(0, x.dtype)
        self._condition(x, weights, start, row, own, first[start], mean_field, no_values, out)
        return out, first[:-1]

    def conditional_means(self, x, weights, start, row, own, mean_field=False):
        """Expectations of the category values of one feature given a row's other entries.

        The parameters are those of ``log_conditionals``; shape (n_queries,).
        """
        out, values = np.empty(len(row), x.dtype), self.categories.values.astype(x.dtype)
        self._condition(x, weights, start, row, own, start, mean_field, values, out)
        return out

    def _condition(self, x, weights, start, row, own, position, mean_field, values, out):
        p, q = np.empty_like(x), np.empty_like(x)
        onehot.sigmoids(x, p, q)
        # Products, from exp(-limit) to exp(limit), are within the range of the dtype. So far
        # from its end, what is lost where p or q underflows does not matter.
        limit = -1 if mean_field else 60 if x.dtype == np.float32 else 600
        no_weights = np.empty((0, x.shape[1]), x.dtype)
        conditional = no_weights if self.conditional is None else self.conditional

        def condition(*features):
            onehot.conditionals(
                features,
                start,
                row,
                own,
                position,
                self.categories.offsets,
                weights,
                self.bias,
                conditional,
                x,
                p,
                q,
                limit,
                values,
                out,
            )

        in_threads(condition, shares(start, 2 * self._mean_size * weights.shape[1]))

    def _positions(self, v):
        """Where the categories of each entry begin if those of all entries are listed."""
        return cumulated(self.categories.sizes[self.categories.feature_of[v.entries]])

    @property
    def _mean_size(self):
        """Mean number of categories of a feature."""
        return self.n_units / self.categories.n_features


def _entry_weights(v, dtype):
    """The weights of the entries of rows; without elements if all are 1."""
    return np.empty(0, dtype) if v.weights is None else v.weights
