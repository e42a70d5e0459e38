"""What every estimator of the package does; a model adds its visible layer and its checks."""

from abc import ABCMeta, abstractmethod
from contextlib import contextmanager

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_random_state

from .._input.checks import check_visible, fit_context
from .._input.numbers import Rows
from .._input.parameters import PARAMETER_CONSTRAINTS, check_schedule
from .._machine.rbm import RBM
from .._training.epoch import train_epoch
from .._training.state import Settings, State
from .features import draw_seed
from .generation import GenerativeMethods


class BaseRBM(
    GenerativeMethods,
    CallbackSupportMixin,
    ClassNamePrefixFeaturesOutMixin,
    BaseEstimator,
    metaclass=ABCMeta,
):
    """Base of the estimators. A subclass writes ``__init__`` and the abstract methods.

    The fitted attributes are the truth; an :class:`~skrbm._machine.rbm.RBM` is made from them
    whenever one is needed, as a view. Training works on arrays of its own, which become the
    attributes when it has succeeded.
    """

    _parameter_constraints = PARAMETER_CONSTRAINTS
    _verbose_rows = 1000  # whose score is printed

    # --- what a model adds ---

    def _check_data(self, data, chunk=False):
        """Warn of training data (:class:`Rows`), or a chunk, that suit the model badly."""

    def _read_training(self, X, reset):
        """Validated X, and it as training data."""
        X = check_visible(self, X, reset=reset)
        return X, Rows(X)

    @abstractmethod
    def _initial_visible(self, data):
        """The visible layer before training: a model of independent features."""

    @abstractmethod
    def _visible_attributes(self, visible):
        """The fitted attributes of a visible layer: a dict of its own arrays."""

    def _initial_weights(self, visible, random_state):
        """Weights (D, M) and hidden biases (M,) before training, in float64."""
        weights = random_state.normal(0, 0.01, (visible.n_units, self.n_components))
        return weights, np.zeros(self.n_components)

    # --- fitting ---

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Fit the model to the rows of X, from scratch.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data, read a mini-batch at a time and never copied as a whole. (What is
            neither an array nor CSR is converted to the one or the other first.)
        y : Ignored
            Present for API consistency. Callbacks receive it, or X in its place if None.

        Returns
        -------
        self : estimator
            The fitted estimator.

        Raises
        ------
        ValueError
            If training diverges; the message names the epoch and the learning rate.
        """
        with self._keeping_features_on_error():
            return self._fit(*self._read_training(X, reset=True), y)

    def _fit(self, X, data, y):
        self._check_data(data)
        settings = self._settings(shuffle=self.shuffle)
        state = self._initial_state(data, settings)
        # ScoringMonitor scores only tasks that have a target; the target of a generative
        # model is its own input.
        target = X if y is None else y

        fit_task = self._init_callback_context(max_subtasks=self.n_iter)
        fit_task.call_on_fit_task_begin(estimator=self, X=X, y=target)
        for _ in range(self.n_iter):
            task = fit_task.subcontext(task_name="epoch")
            task.call_on_fit_task_begin(estimator=self, X=X, y=target)
            train_epoch(state, settings, data)
            self._report(state, data)
            stop = task.call_on_fit_task_end(
                estimator=self,
                X=X,
                y=target,
                reconstruction_attributes=lambda: self._attributes(state.copy()),
            )
            if stop:
                break
        fit_task.call_on_fit_task_end(
            estimator=self,
            X=X,
            y=target,
            reconstruction_attributes=lambda: self._attributes(state.copy()),
        )
        return self._adopt(state)

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None):
        """Go on learning with one pass over a chunk of rows.

        The first call initialises the model from its chunk. A chunk of any size is cut into
        mini-batches in the order given; every call counts as an epoch, for schedules,
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
            If training diverges.
        """
        first_call = not hasattr(self, "components_")
        with self._keeping_features_on_error():
            _, data = self._read_training(X, reset=first_call)
            self._check_data(data, chunk=True)
            settings = self._settings(shuffle=False)
            state = self._initial_state(data, settings) if first_call else self._state().copy()
            train_epoch(state, settings, data)
            self._report(state, data)
            return self._adopt(state)

    @contextmanager
    def _keeping_features_on_error(self):
        """Undo what validation has learned about the features if an error follows."""
        names = ("n_features_in_", "feature_names_in_")
        before = {name: vars(self)[name] for name in names if name in vars(self)}
        try:
            yield
        except BaseException:
            for name in names:
                if name in before:
                    setattr(self, name, before[name])
                else:
                    vars(self).pop(name, None)
            raise

    def _settings(self, shuffle):
        return Settings(
            persistent=self.algorithm != "cd",
            batch_size=self.batch_size,
            n_chains=self.batch_size if self.n_chains is None else self.n_chains,
            learning_rate=check_schedule(self, "learning_rate"),
            n_gibbs_steps=check_schedule(self, "n_gibbs_steps"),
            momentum=check_schedule(self, "momentum"),
            weight_decay=self.weight_decay,
            mean_negative_visibles=self.negative_visibles == "mean",
            shuffle=shuffle,
        )

    def _initial_state(self, data, settings):
        """Random weights and hidden biases to start from, visible biases from the data."""
        random_state = check_random_state(self.random_state)
        seed = draw_seed(random_state)
        visible = self._initial_visible(data)
        # Drawn in (D, M), the order of storage; values in float64 whatever the dtype, so that
        # a float32 machine starts where its float64 twin does.
        weights, hidden_bias = self._initial_weights(visible, random_state)
        model = RBM(
            visible=visible,
            weights=weights.astype(data.dtype, copy=False),
            hidden_bias=hidden_bias.astype(data.dtype, copy=False),
        )
        base_bias = visible.bias.copy()
        # All hidden units off: the first negative rows of PCD are drawn from the base rates.
        n_chains = settings.n_chains
        if not settings.persistent:
            n_chains = min(n_chains, data.n_rows)
        shape = (n_chains, self.n_components)
        shape = (self.n_temperatures, *shape) if self.algorithm == "pt" else shape
        chains = np.zeros(shape, data.dtype)
        return State(model=model, seed=seed, base_bias=base_bias, chains=chains)

    def _attributes(self, state):
        """The fitted attributes that hold a training state, as views of its arrays."""
        return {
            "components_": state.model.weights.T,
            "intercept_hidden_": state.model.hidden_bias,
            **self._visible_attributes(state.model.visible),
            "h_samples_": state.chains,
            "n_iter_": state.n_epochs,
            "history_": state.history,
            "_base_bias": state.base_bias,
            "_seed": state.seed,
            "_n_updates": state.n_updates,
            "_steps": state.steps,
        }

    def _adopt(self, state):
        """Make a training state the fitted state."""
        vars(self).update(self._attributes(state))
        return self

    def _state(self):
        """The training state that the fitted attributes hold."""
        model = self._rbm(self._dtype)
        shapes = [step.shape for step in self._steps]
        if (self.algorithm == "pt") != (self.h_samples_.ndim == 3):
            raise ValueError(
                f"algorithm={self.algorithm!r} cannot go on with h_samples_ of shape "
                f"{self.h_samples_.shape}: chains have a dimension more, that of temperatures, "
                "with algorithm='pt' alone. The first call of partial_fit decides. Call fit to "
                "start again."
            )
        if (
            self.h_samples_.ndim not in (2, 3)
            or self.h_samples_.size == 0
            or self.h_samples_.shape[-1] != model.weights.shape[1]
            or len(self._base_bias) != model.visible.n_units
            or (shapes and shapes != [parameter.shape for parameter in model.parameters])
        ):
            raise ValueError(
                f"cannot go on learning {self.components_.shape[0]} x "
                f"{self.components_.shape[1]} components_ with h_samples_ of shape "
                f"{self.h_samples_.shape} and steps for others: the shape of a fitted machine "
                "must stay the same. Call fit to start again."
            )
        return State(
            model=model,
            seed=self._seed,
            base_bias=self._base_bias,
            chains=self.h_samples_.astype(model.weights.dtype, copy=False),
            steps=tuple(step.astype(model.weights.dtype, copy=False) for step in self._steps),
            n_updates=self._n_updates,
            n_epochs=self.n_iter_,
            history=self.history_,
        )

    def _report(self, state, data):
        """Print a line on the epoch just finished, in scikit-learn's form."""
        if self.verbose:
            scores = [state.model.pseudo_likelihood(v) for v in data.monitor(self._verbose_rows)]
            print(
                f"[{type(self).__name__}] Iteration {state.n_epochs}, "
                f"pseudo-likelihood = {np.concatenate(scores).mean():.2f}, "
                f"time = {state.history['seconds'][-1]:.2f}s"
            )

    # --- what scikit-learn asks ---

    @property
    def _n_features_out(self):
        return self.components_.shape[0]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self._accepts_sparse
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
