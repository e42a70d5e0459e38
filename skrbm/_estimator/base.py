"""BaseRBM: the hooks that a model writes."""

from abc import ABCMeta, abstractmethod

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin

from .._input.parameters import PARAMETER_CONSTRAINTS
from .callbacks import CallbackSupportMixin
from .features import FeatureMethods
from .fitted import FittedMachine
from .fitting import FittingMethods
from .generation import GenerationMethods
from .likelihood import LikelihoodMethods


class BaseRBM(
    FittedMachine,
    FittingMethods,
    FeatureMethods,
    GenerationMethods,
    LikelihoodMethods,
    CallbackSupportMixin,
    ClassNamePrefixFeaturesOutMixin,
    BaseEstimator,
    metaclass=ABCMeta,
):
    """Base of the estimators. A subclass writes ``__init__`` and the hooks below.

    The fitted attributes are the truth. An :class:`~skrbm._machine.rbm.RBM` is made from them
    whenever one is needed, as a view. Training works on arrays of its own; these become the
    attributes when training has succeeded.
    """

    _parameter_constraints = PARAMETER_CONSTRAINTS
    _first_call_decides = ("n_components",)  # parameters that partial_fit cannot change
    _accepts_sparse = True
    _verbose_rows = 1000  # so many rows, at most, are scored for a printed line

    # Where notebooks link to from the picture of an estimator, in place of scikit-learn's pages.
    _doc_link_module = "skrbm"
    _doc_link_template = (
        "https://skrbm.readthedocs.io/en/stable/generated/{estimator_module}.{estimator_name}.html"
    )

    # --- hooks: what a model must write ---

    @abstractmethod
    def _table(self, X, *, reset=False, allow_unknown=False, counted=None):
        """Validated X, an array or a CSR matrix.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        reset : bool, default=False
            Whether to learn the number and names of the features, or to check them.
        allow_unknown : bool, default=False
            Whether entries may be unknown where the model itself does not allow it.
        counted : ndarray of shape (n_samples,), bool, or None
            Which rows to read; None: all.
        """

    @abstractmethod
    def _form(self, X):
        """Validated X in the form of the model: Rows."""

    @abstractmethod
    def _initial_visible(self, summary):
        """The visible layer before training, from a summary of the data: the base rates."""

    @abstractmethod
    def _visible_layer(self, dtype):
        """The visible layer of the fitted attributes: views where their dtype is right."""

    @abstractmethod
    def _visible_attributes(self, visible):
        """The fitted attributes that hold a visible layer: a dict of arrays of the layer."""

    # --- hooks: what a model may write ---

    def _found(self, X):
        """What a validated X, or a part of it, says of the form of rows."""
        return

    def _learn_form(self, found, dtype):
        """Learn the form of rows from what all parts of an X of a dtype say of it together."""

    def _check_new(self, rows):
        """Warn of training data that hardly mean what they say, of features not seen before."""

    def _check_reading(self, rows):
        """Warn of rows that are not read as they are."""

    def _check_training(self, rows, chunk=False):
        """Warn of training data that suit the model badly, or refuse them.

        ``chunk``: they are a chunk for ``partial_fit``, which says little of all data.
        """

    def _initial_weights(self, visible, center, random_state):
        """Weights (D, M) and hidden biases (M,) before training, in float64.

        ``center`` is the mean of the layer's statistic in the training data.
        """
        weights = self._drawn_weights(visible, random_state)
        if self.centering:  # hidden units are at rest around the mean of the data
            return weights, -np.einsum("i,ij->j", center, weights)
        return weights, np.zeros(self.n_components)

    def _drawn_weights(self, visible, random_state):
        """Small random weights (D, M) in float64."""
        return random_state.normal(0, 0.01, (visible.n_units, self.n_components))

    def _check_states(self, rows):
        """Refuse rows that have no probability."""

    def _check_partition(self):
        """Refuse a machine whose partition function is not one number."""

    # --- rows ---

    def _rows(self, X, *, reset=False, allow_unknown=False, counted=None):
        """X as rows; ``_table`` describes the parameters."""
        X = self._table(X, reset=reset, allow_unknown=allow_unknown, counted=counted)
        if reset:
            self._learn_form(self._found(X), X.dtype)
        return self._form(X)

    # --- what scikit-learn asks ---

    @property
    def _n_features_out(self):
        return self.components_.shape[0]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self._accepts_sparse
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
