"""What a fitted machine says of rows: features, energies and scores.

These methods read: they leave the estimator as it is.
"""

from abc import abstractmethod
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.utils import check_random_state, gen_batches
from sklearn.utils.validation import check_is_fitted

from .._input.checks import check_hidden, check_visible, working_dtype
from .._input.numbers import Rows
from .._kernels import get_num_threads
from .._machine.rbm import RBM

# Rows scored at a time by one thread: at most 1,000, and 32 MB if dense in float64. The data
# alone decide, so that results do not depend on the number of threads.
_SCORE_ROWS, _SCORE_ENTRIES = 1000, 2**22


def draw_seed(random_state):
    """A 64-bit key for a stream of random numbers."""
    return np.uint64(check_random_state(random_state).randint(0, 2**64, dtype=np.uint64))


class FittedMethods(TransformerMixin):
    """Mixin of the methods that need fitted attributes and change none."""

    _accepts_sparse = True

    @abstractmethod
    def _visible_layer(self, dtype):
        """The visible layer of the fitted attributes: views where their dtype is right."""

    @property
    def _dtype(self):
        """The dtype to work in where no data say it: float32 or float64."""
        return working_dtype(self.components_.dtype)

    def _rbm(self, dtype):
        """The machine of the fitted attributes: a view where their dtype is already right."""
        return RBM(
            visible=self._visible_layer(dtype),
            weights=np.ascontiguousarray(self.components_.T, dtype=dtype),
            hidden_bias=np.ascontiguousarray(self.intercept_hidden_, dtype=dtype),
        )

    def _read(self, X):
        """Validated rows, and the machine in their dtype."""
        check_is_fitted(self)
        X = check_visible(self, X, whole=True)
        return X, self._rbm(X.dtype)

    def _as_given(self, rows, rbm, X):
        """Visible rows in the form of the data X; None: dense."""
        return rows

    def transform(self, X):
        """Probabilities of the hidden units, ``P(h=1|v=X)``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Visible rows.

        Returns
        -------
        H : ndarray of shape (n_samples, n_components)
            Probabilities, in the dtype of X.
        """
        X, rbm = self._read(X)
        return rbm.hidden_mean(X)

    def inverse_transform(self, H):
        """Expectation of the visible units given the hidden ones, ``E[v|h=H]``.

        Parameters
        ----------
        H : array-like of shape (n_samples, n_components)
            Hidden states or, as ``transform`` gives them, their probabilities.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Expectations, for binary units ``P(v=1|h=H)``, in the dtype of H.
        """
        check_is_fitted(self)
        H = check_hidden(self, H)
        return self._rbm(H.dtype).visible_mean(H)

    def reconstruct(self, X):
        """One mean-field pass, visible to hidden to visible: ``E[v | h = P(h=1|v=X)]``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Visible rows.

        Returns
        -------
        X_reconstructed : ndarray of shape (n_samples, n_features)
            Expectations of the visible units, in the dtype of X.
        """
        X, rbm = self._read(X)
        return rbm.visible_mean(rbm.hidden_mean(X))

    def free_energy(self, X):
        """Free energy ``F(v) = -log sum_h exp(-E(v, h))``: ``p(v)`` is ``exp(-F(v)) / Z``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Visible rows.

        Returns
        -------
        free_energy : ndarray of shape (n_samples,)
            In nats.
        """
        X, rbm = self._read(X)
        return rbm.free_energy(X)

    def energy(self, V, H):
        """Energy ``E(v, h)`` of pairs of rows: ``p(v, h)`` is ``exp(-E(v, h)) / Z``.

        Parameters
        ----------
        V : {array-like, sparse matrix} of shape (n_samples, n_features)
            Visible rows.
        H : array-like of shape (n_samples, n_components)
            Hidden rows.

        Returns
        -------
        energy : ndarray of shape (n_samples,)
            In nats.

        Raises
        ------
        ValueError
            If V and H differ in their number of rows.
        """
        V, rbm = self._read(V)
        H = check_hidden(self, H)
        if H.shape[0] != V.shape[0]:
            raise ValueError(
                f"V has {V.shape[0]} rows but H has {H.shape[0]}: "
                "the energy is that of pairs of rows, give one hidden row per visible row."
            )
        return rbm.energy(V, H.astype(rbm.weights.dtype, copy=False))

    def score_samples(self, X):
        """Exact log pseudo-likelihood ``sum_i log p(v_i | v without i)`` of each row.

        Deterministic. scikit-learn's ``BernoulliRBM`` estimates the same sum from a single,
        random unit of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Visible rows.

        Returns
        -------
        pseudo_likelihood : ndarray of shape (n_samples,)
            In nats, in the dtype of X.
        """
        check_is_fitted(self)
        return self._pseudo_likelihood(X)

    def _pseudo_likelihood(self, X):
        data = Rows(check_visible(self, X))
        rbm = self._rbm(data.dtype)

        def score_block(rows):
            return rbm.pseudo_likelihood(data.dense(rows))

        block_size = max(1, min(_SCORE_ROWS, _SCORE_ENTRIES // data.n_columns))
        with ThreadPoolExecutor(get_num_threads()) as pool:
            scores = list(pool.map(score_block, gen_batches(data.n_rows, block_size)))
        return np.concatenate(scores).astype(data.dtype, copy=False)

    def score(self, X, y=None):
        """Mean of ``score_samples(X)``: the larger, the better the model of the rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Visible rows.
        y : Ignored
            Present for API consistency.

        Returns
        -------
        score : float
            Mean exact log pseudo-likelihood of a row, in nats.
        """
        return float(self.score_samples(X).mean(dtype=np.float64))
