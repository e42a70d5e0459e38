"""What people fit an RBM for first: features of rows, and rows from features."""

from sklearn.base import TransformerMixin


class FeatureMethods(TransformerMixin):
    """Mixin of the methods between visible rows and features; they read the estimator only."""

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

        See Also
        --------
        inverse_transform : The way back, from hidden units to expectations of visible units.
        reconstruct : There and back in one call.

        Examples
        --------
        >>> import numpy as np
        >>> from skrbm import BernoulliRBM
        >>> X = np.array([[1, 1, 0, 0], [0, 0, 1, 1]] * 50)
        >>> rbm = BernoulliRBM(n_components=2, batch_size=10, random_state=0).fit(X)
        >>> H = rbm.transform(X[:2])
        >>> H.shape
        (2, 2)
        >>> rbm.get_feature_names_out()
        array(['bernoullirbm0', 'bernoullirbm1'], dtype=object)
        """
        rows, machine = self._fitted()._read(X)

        def probabilities(v):
            return machine.hidden.mean(machine.hidden_input(v))

        return rows.map(probabilities, per_row=machine.hidden.n_units)

    def inverse_transform(self, X):
        """Expectation of the visible units given the hidden ones, ``E[v|h=X]``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_components)
            Hidden states, or their probabilities as ``transform`` gives them.

        Returns
        -------
        X_original : ndarray of shape (n_samples, n_features)
            Expectations, which for binary units are ``P(v=1|h=X)``, in the dtype of X.

        See Also
        --------
        transform : Probabilities of the hidden units of visible rows.
        reconstruct : There and back in one call.

        Examples
        --------
        >>> import numpy as np
        >>> from skrbm import BernoulliRBM
        >>> X = np.array([[1, 1, 0, 0], [0, 0, 1, 1]] * 50)
        >>> rbm = BernoulliRBM(n_components=2, batch_size=10, random_state=0).fit(X)
        >>> rbm.inverse_transform(rbm.transform(X[:2])).round()
        array([[1., 1., 0., 0.],
               [0., 0., 1., 1.]])
        """
        H, machine = self._fitted()._read_hidden(X, "X")
        return machine.visible.feature_mean(machine.visible_input(H))

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

        See Also
        --------
        transform : The first half of the pass.
        impute : Unknown entries alone, by chains that keep what is known.

        Examples
        --------
        >>> import numpy as np
        >>> from skrbm import BernoulliRBM
        >>> X = np.array([[1, 1, 0, 0], [0, 0, 1, 1]] * 50)
        >>> rbm = BernoulliRBM(n_components=2, batch_size=10, random_state=0).fit(X)
        >>> rbm.reconstruct([[1, 0, 0, 0]]).round()
        array([[1., 1., 0., 0.]])
        """
        rows, machine = self._fitted()._read(X)

        def reconstruction(v):
            h = machine.hidden.mean(machine.hidden_input(v))
            return machine.visible.feature_mean(machine.visible_input(h))

        return rows.map(reconstruction, per_row=machine.hidden.n_units + rows.n_features)
