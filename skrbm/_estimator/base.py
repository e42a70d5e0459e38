"""BaseRBM: the hooks that a model writes, and fitting."""

import warnings
from abc import ABCMeta, abstractmethod
from copy import deepcopy

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from .._input.checks import fit_context
from .._input.parameters import MOST, PARAMETER_CONSTRAINTS, check_parameters
from .._machine.bernoulli import BernoulliLayer
from .._machine.keys import draw_seed
from .._machine.rbm import RBM
from .._training.divergence import suspicion
from .._training.epoch import train_epoch
from .._training.state import Settings, State
from .callbacks import CallbackSupportMixin
from .features import FeatureMethods
from .fitted import FittedMachine, features_of, snapshot
from .generation import GenerationMethods
from .likelihood import LikelihoodMethods


class BaseRBM(
    FittedMachine,
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
    def _rows(self, X, *, reset=False, allow_unknown=False):
        """Validated X in the form of the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        reset : bool, default=False
            Whether to learn the features, or to check them.
        allow_unknown : bool, default=False
            Whether entries may be unknown where the model itself does not allow it.

        Returns
        -------
        rows : Rows
        """

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

    def _check_reading(self, rows):
        """Warn of rows that are not read as they are."""

    def _check_training(self, rows, chunk=False):
        """Warn of training data that suit the model badly, or refuse them.

        ``chunk``: they are a chunk for ``partial_fit``, which says little of all data.
        """

    def _initial_weights(self, visible, random_state):
        """Weights (D, M) and hidden biases (M,) before training, in float64."""
        weights = random_state.normal(0, 0.01, (visible.n_units, self.n_components))
        return weights, np.zeros(self.n_components)

    def _check_states(self, rows):
        """Refuse rows that have no probability."""

    def _check_partition(self):
        """Refuse a machine whose partition function is not one number."""

    # --- fitting ---

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Fit the model to the rows of X, from scratch.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data, read a mini-batch at a time and never copied as a whole. (An X that is
            neither an array nor a CSR matrix is converted to one of the two first.)
        y : Ignored
            Present for API consistency. Callbacks receive y, or X in its place if y is None.

        Returns
        -------
        self : estimator
            The fitted estimator. If an error is raised, the estimator is unchanged.

        Raises
        ------
        ValueError
            If training diverges. The message names the epoch and the learning rate.
        KeyboardInterrupt
            If somebody presses Ctrl-C. The estimator then holds the machine as it was at the end
            of the last finished epoch; without a finished epoch the estimator is unchanged.
        """
        learner = self._learner()
        rows = learner._rows(X, reset=True)
        learner._check_reading(rows)
        learner._check_training(rows)
        settings = learner._settings(shuffle=learner.shuffle)
        return self._fit(learner, rows, y, settings, learner._initial_state(rows, settings))

    def _fit(self, learner, rows, y, settings, state):
        """All epochs, each a task of scikit-learn's callbacks."""

        def attributes():
            # What a callback does to its copy must not reach the fit. Records are never written.
            old_names = dict.fromkeys(features_of(self))
            found = old_names | features_of(learner) | learner._attributes(state)
            return {k: v if k == "_records" else deepcopy(v) for k, v in found.items()}

        # ScoringMonitor scores only tasks that have a target. The target of a generative
        # model is its own input.
        data = {"X": rows.X, "y": rows.X if y is None else y}
        fit_task = self._init_callback_context(max_subtasks=learner.n_iter)
        fit_task.call_on_fit_task_begin(estimator=self, **data)
        finished = None
        try:
            for epoch in range(learner.n_iter):
                task = fit_task.subcontext(task_name="epoch")
                task.call_on_fit_task_begin(estimator=self, **data)
                if epoch:  # Ctrl-C in this epoch keeps the last one; no further copy exists then
                    finished = state.copy()
                train_epoch(state, settings, rows)
                finished = state
                learner._report(state, rows)
                stop = task.call_on_fit_task_end(
                    estimator=self, **data, reconstruction_attributes=attributes
                )
                if stop:
                    break
        except KeyboardInterrupt:
            if finished is not None:
                self._adopt(learner, finished)
            raise
        fit_task.call_on_fit_task_end(estimator=self, **data, reconstruction_attributes=attributes)
        learner._warn_of_divergence(state)
        return self._adopt(learner, state)

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None):
        """Go on learning with one pass over a chunk of rows.

        The first call initialises the model from its chunk. A chunk of any size is cut into
        mini-batches in the order given. Every call counts as an epoch, for schedules,
        ``n_iter_`` and ``history_``. On the same rows and seed the first call does what
        ``fit`` does with ``n_iter=1, shuffle=False``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            A chunk of training data.
        y : Ignored
            Present for API consistency.

        Returns
        -------
        self : estimator
            The estimator; unchanged if an error is raised.

        Raises
        ------
        ValueError
            If training diverges; if a parameter has changed that the first call decides.
        """
        learner = self._learner()
        first_call = not learner.__sklearn_is_fitted__()
        rows = learner._rows(X, reset=first_call)
        learner._check_reading(rows)
        learner._check_training(rows, chunk=True)
        settings = learner._settings(shuffle=False)
        if first_call:
            state = learner._initial_state(rows, settings)
        else:
            state = learner._state(rows).copy()
        train_epoch(state, settings, rows)
        learner._report(state, rows)
        learner._warn_of_divergence(state)
        return self._adopt(learner, state)

    def _learner(self):
        """A snapshot that learns of the data what the estimator itself learns only at the end.

        Its parameters are checked, even where scikit-learn does not, and its whole numbers are
        those of Python, which do not overflow.
        """
        learner = snapshot(self)
        check_parameters(learner)
        return learner

    def _settings(self, shuffle):
        return Settings(
            algorithm=self.algorithm,
            batch_size=self.batch_size,
            n_chains=self.batch_size if self.n_chains is None else self.n_chains,
            learning_rate=self.learning_rate,
            n_gibbs_steps=self.n_gibbs_steps,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
            mean_negative_visibles=self.negative_visibles == "mean",
            shuffle=shuffle,
        )

    def _initial_state(self, rows, settings):
        """Random weights and hidden biases to start from, visible biases from the data."""
        random_state = check_random_state(self.random_state)
        seed = draw_seed(random_state)
        visible = self._initial_visible(rows.summary)
        # Drawn in (D, M), the order of storage, and in float64 whatever the dtype. So a float32
        # machine starts where its float64 twin does.
        weights, hidden_bias = self._initial_weights(visible, random_state)
        model = RBM(
            visible=visible,
            weights=weights.astype(rows.dtype, copy=False),
            hidden=BernoulliLayer(hidden_bias.astype(rows.dtype, copy=False)),
        )
        # All hidden units off: the first negative rows of PCD are drawn from the base rates.
        n_chains = settings.n_chains
        if self.algorithm == "cd":
            n_chains = min(n_chains, rows.n_rows)
        elif n_chains > MOST:
            raise ValueError(
                f"batch_size={self.batch_size} asks for as many persistent chains, but there can "
                f"be {MOST} at most. Set n_chains."
            )
        shape = (n_chains, self.n_components)
        shape = (self.n_temperatures, *shape) if self.algorithm == "pt" else shape
        chains = np.zeros(shape, rows.dtype)
        return State(model=model, seed=seed, base_rate_bias=visible.bias.copy(), chains=chains)

    def _report(self, state, rows):
        """Print a line on the epoch just finished, in scikit-learn's form."""
        if self.verbose:
            scores = [state.model.pseudo_likelihood(v) for v in rows.spread(self._verbose_rows)]
            print(
                f"[{type(self).__name__}] Iteration {state.n_epochs}, "
                f"pseudo-likelihood = {np.concatenate(scores).mean():.2f}, "
                f"time = {state.records[-1]['seconds']:.2f}s"
            )

    def _warn_of_divergence(self, state):
        sentence = suspicion(state)
        if sentence is not None:
            warnings.warn(f"{type(self).__name__}: {sentence}", ConvergenceWarning, stacklevel=2)

    # --- what scikit-learn asks ---

    @property
    def _n_features_out(self):
        return self.components_.shape[0]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self._accepts_sparse
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
