"""What only a machine of binary units can be asked: each unit given the others of its row."""

import numpy as np
from scipy.special import expit

from .._machine.bernoulli import BernoulliLayer
from .queries import by_rows, check_queries
from .recommendations import RecommendationMethods

_NUMBERS = 2**22  # of rows and inputs, and of queries, that are held at a time


class BitMethods(RecommendationMethods):
    """Mixin of the methods that ask for one unit of a row given the others."""

    def conditional_proba(self, X, rows=None, columns=None):
        """Probability that an entry is 1, given the other entries of its row.

        The hidden units are summed out exactly. The probability does not depend on the value of
        the entry itself. ``score_samples`` is the sum of the logarithms of such probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Visible rows. Values between 0 and 1 count as given.
        rows, columns : array-like of int of shape (n_queries,), default=None
            Query q asks for entry (rows[q], columns[q]). If both are None: all entries.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_features), or (n_queries,)
            ``p(v_i = 1 | v without i)``, in the float dtype of X.

        Raises
        ------
        ValueError
            If only one of rows and columns is given; if rows and columns differ in length, or
            point outside X.

        See Also
        --------
        recommend : The entries with the highest of these probabilities.
        impute : Several unknown entries at once.

        Examples
        --------
        >>> import numpy as np
        >>> from skrbm import BernoulliRBM
        >>> X = np.array([[1, 1, 0, 0], [0, 0, 1, 1]] * 50)
        >>> rbm = BernoulliRBM(n_components=2, batch_size=10, random_state=0).fit(X)
        >>> rbm.conditional_proba([[1, 1, 0, 0]]).round()
        array([[1., 1., 0., 0.]])
        >>> rbm.conditional_proba([[1, 0, 0, 0]], rows=[0], columns=[1]).round()
        array([1.])
        """
        fitted = self._fitted()
        data, machine = fitted._read(X)
        if rows is None and columns is None:
            out = np.empty((data.n_rows, data.n_features), data.dtype)
            features = np.arange(data.n_features)
            for block, _, proba in fitted._entry_scores(data, machine, features):
                out[block] = proba
            return out
        rows, columns = check_queries(rows, columns, data)
        out = np.empty(len(rows), data.dtype)
        most_rows = max(1, _NUMBERS // (data.n_features + machine.hidden.n_units))
        for asked in by_rows(rows, most_rows, _NUMBERS):
            needed, local = np.unique(rows[asked], return_inverse=True)
            v, units = data.read(needed), columns[asked]
            t = machine.hidden_input(v) + machine.hidden.bias
            own = v[local, units]
            out[asked] = expit(machine.visible.log_odds_of(local, units, own, t, machine.weights))
        return out

    def _entry_scores(self, rows, machine, features):
        # The layer of these units alone: all others are known by what the hidden units receive.
        layer, weights = BernoulliLayer(machine.visible.bias[features]), machine.weights[features]
        for block in rows.blocks(per_row=machine.hidden.n_units + 2 * len(features)):
            v = rows.read(block)
            t = machine.hidden_input(v) + machine.hidden.bias
            own = np.ascontiguousarray(v[:, features])
            yield block, own > 0, expit(layer.log_odds(own, t, weights))
