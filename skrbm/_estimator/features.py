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
        """
        rows, machine = self._fitted()._read(X)

        def reconstruction(v):
            h = machine.hidden.mean(machine.hidden_input(v))
            return machine.visible.feature_mean(machine.visible_input(h))

        return rows.map(reconstruction, per_row=machine.hidden.n_units + rows.n_features)
