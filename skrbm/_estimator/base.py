"""BaseRBM: fitting, the hooks that a model writes, and the fitted attributes."""

from abc import ABCMeta, abstractmethod
from contextlib import contextmanager

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from .._input.checks import fit_context, working_dtype
from .._input.parameters import PARAMETER_CONSTRAINTS, check_schedule
from .._machine.bernoulli import BernoulliLayer
from .._machine.keys import draw_seed
from .._machine.rbm import RBM
from .._training.epoch import train_epoch
from .._training.optimizers import Momentum
from .._training.state import Settings, State
from .callbacks import CallbackSupportMixin
from .features import FeatureMethods
from .generation import GenerationMethods
from .likelihood import LikelihoodMethods


class BaseRBM(
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

    def _check_training(self, rows, chunk=False):
        """Warn of training data that suit the model badly, or refuse them.

        ``chunk``: they are a chunk for ``partial_fit``, which says little of all data.
        """

    def _initial_weights(self, visible, random_state):
        """Weights (D, M) and hidden biases (M,) before training, in float64."""
        weights = random_state.normal(0, 0.01, (visible.n_units, self.n_components))
        return weights, np.zeros(self.n_components)

    def _check_continuation(self):
        """Refuse to go on learning with parameters that the fitted machine does not have."""

    def _check_states(self, rows):
        """Refuse rows that have no probability."""

    def _check_partition(self):
        """Refuse a machine whose partition function is not one number."""

    # --- the fitted machine ---

    @property
    def _dtype(self):
        """The dtype to work in where no data say it: float32 or float64."""
        return working_dtype(self.components_.dtype)

    def _machine(self, dtype):
        """The machine of the fitted attributes: a view where their dtype is already right."""
        hidden_bias = np.ascontiguousarray(self.intercept_hidden_, dtype=dtype)
        return RBM(
            visible=self._visible_layer(dtype),
            weights=np.ascontiguousarray(self.components_.T, dtype=dtype),
            hidden=BernoulliLayer(hidden_bias),
        )

    def _read(self, X, allow_unknown=False):
        """Validated rows of X, and the fitted machine in their dtype."""
        check_is_fitted(self)
        rows = self._rows(X, allow_unknown=allow_unknown)
        return rows, self._machine(rows.dtype)

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
            The fitted estimator.

        Raises
        ------
        ValueError
            If training diverges. The message names the epoch and the learning rate.
        """
        with self._keeping_features_on_error():
            rows = self._rows(X, reset=True)
            self._check_training(rows)
            settings = self._settings(shuffle=self.shuffle)
            return self._fit(rows, y, settings, self._initial_state(rows, settings))

    def _fit(self, rows, y, settings, state):
        """All epochs, each a task of scikit-learn's callbacks."""

        def attributes():
            return self._attributes(state.copy())

        # ScoringMonitor scores only tasks that have a target. The target of a generative
        # model is its own input.
        data = {"X": rows.X, "y": rows.X if y is None else y}
        fit_task = self._init_callback_context(max_subtasks=self.n_iter)
        fit_task.call_on_fit_task_begin(estimator=self, **data)
        for _ in range(self.n_iter):
            task = fit_task.subcontext(task_name="epoch")
            task.call_on_fit_task_begin(estimator=self, **data)
            train_epoch(state, settings, rows)
            self._report(state, rows)
            stop = task.call_on_fit_task_end(
                estimator=self, **data, reconstruction_attributes=attributes
            )
            if stop:
                break
        fit_task.call_on_fit_task_end(estimator=self, **data, reconstruction_attributes=attributes)
        return self._adopt(state)

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
            If training diverges.
        """
        first_call = not hasattr(self, "components_")
        with self._keeping_features_on_error():
            rows = self._rows(X, reset=first_call)
            self._check_training(rows, chunk=True)
            settings = self._settings(shuffle=False)
            state = self._initial_state(rows, settings) if first_call else self._state().copy()
            train_epoch(state, settings, rows)
            self._report(state, rows)
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
            algorithm=self.algorithm,
            batch_size=self.batch_size,
            n_chains=self.batch_size if self.n_chains is None else self.n_chains,
            learning_rate=check_schedule(self, "learning_rate"),
            n_gibbs_steps=check_schedule(self, "n_gibbs_steps"),
            momentum=check_schedule(self, "momentum"),
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
        shape = (n_chains, self.n_components)
        shape = (self.n_temperatures, *shape) if self.algorithm == "pt" else shape
        chains = np.zeros(shape, rows.dtype)
        return State(model=model, seed=seed, base_rate_bias=visible.bias.copy(), chains=chains)

    # --- the fitted attributes ---

    def _attributes(self, state):
        """The fitted attributes that hold a training state, as views of its arrays."""
        return {
            "components_": state.model.weights.T,
            "intercept_hidden_": state.model.hidden.bias,
            **self._visible_attributes(state.model.visible),
            "h_samples_": state.chains,
            "n_iter_": state.n_epochs,
            "history_": state.history,
            "_base_rate_bias": state.base_rate_bias,
            "_seed": state.seed,
            "_n_updates": state.n_updates,
            "_velocity": state.optimizer.velocity,
        }

    def _adopt(self, state):
        """Make a training state the fitted state."""
        vars(self).update(self._attributes(state))
        return self

    def _state(self):
        """The training state that the fitted attributes hold."""
        self._check_continuation()
        model = self._machine(self._dtype)
        if (self.algorithm == "pt") != (self.h_samples_.ndim == 3):
            raise ValueError(
                f"algorithm={self.algorithm!r} cannot go on with h_samples_ of shape "
                f"{self.h_samples_.shape}: with algorithm='pt', and only then, h_samples_ has a "
                "first dimension for the temperatures. The first call of partial_fit decides. "
                "Call fit to start again."
            )
        shapes = [velocity.shape for velocity in self._velocity]
        if (
            self.h_samples_.ndim not in (2, 3)
            or self.h_samples_.size == 0
            or self.h_samples_.shape[-1] != model.weights.shape[1]
            or len(self._base_rate_bias) != model.visible.n_units
            or (shapes and shapes != [parameter.shape for parameter in model.parameters])
        ):
            raise ValueError(
                f"cannot go on learning {self.components_.shape[0]} x "
                f"{self.components_.shape[1]} components_ with h_samples_ of shape "
                f"{self.h_samples_.shape} and velocities for others: the shape of a fitted "
                "machine must stay the same. Call fit to start again."
            )
        velocity = tuple(a.astype(model.dtype, copy=False) for a in self._velocity)
        return State(
            model=model,
            seed=self._seed,
            base_rate_bias=self._base_rate_bias,
            chains=self.h_samples_.astype(model.dtype, copy=False),
            optimizer=Momentum(velocity),
            n_updates=self._n_updates,
            n_epochs=self.n_iter_,
            history=self.history_,
        )

    def _report(self, state, rows):
        """Print a line on the epoch just finished, in scikit-learn's form."""
        if self.verbose:
            scores = [state.model.pseudo_likelihood(v) for v in rows.spread(self._verbose_rows)]
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
