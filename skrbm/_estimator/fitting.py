"""Fitting: what fit and partial_fit do with the training data."""

import math
import warnings
from copy import deepcopy
from dataclasses import replace

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from .._input.checks import check_weights, fit_context, safe_indexing
from .._input.parameters import MOST, check_parameters
from .._machine import memory
from .._machine.bernoulli import BernoulliLayer
from .._machine.keys import draw_seed
from .._machine.rbm import RBM
from .._training.averaging import SHARE
from .._training.centring import Centring
from .._training.divergence import suspicion
from .._training.epoch import train_epoch
from .._training.state import Settings, State
from .._training.stopping import EarlyStopping
from .fitted import features_of, snapshot

#: Weights of rows are scaled to this mean if theirs is larger: half a row is then below rounding.
LARGEST_MEAN = 2.0**53


class FittingMethods:
    """Mixin of the methods that learn; each changes the estimator at its end, in one step."""

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Fit the model to the rows of X: from scratch or, with ``warm_start``, going on.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data, read a mini-batch at a time and never copied as a whole, but by
            ``early_stopping``. (An X that is neither an array nor a CSR matrix is converted to
            one of the two first.)
        y : Ignored
            Present for API consistency. Callbacks receive y, or X in its place if y is None.
        sample_weight : array-like of shape (n_samples,), default=None
            How often each row counts: a row of weight 2 counts as two rows, a row of weight 0 as
            none. (Exactly so where a mini-batch holds all rows; on average over random numbers
            otherwise, and with ``early_stopping``.) Weights count relative to their mean; the step
            does not become larger with them. None: each row counts once.

        Returns
        -------
        self : estimator
            The fitted estimator. If an error is raised, the estimator is unchanged.

        Raises
        ------
        ValueError
            If training diverges. The message names the epoch and the learning rate. If a weight
            is negative or not a number, or all are 0. If ``warm_start`` cannot go on with the
            fitted machine. If ``early_stopping`` leaves no row to learn from.
        KeyboardInterrupt
            If somebody presses Ctrl-C. The estimator then holds the machine as it was at the end
            of the last finished epoch (with ``early_stopping``, of the best epoch); without a
            finished epoch the estimator is unchanged.
        """
        learner = self._learner()
        go_on = learner.warm_start and learner.__sklearn_is_fitted__()
        rows, data = learner._training_data(X, y, sample_weight, reset=not go_on)
        random_state = check_random_state(learner.random_state)
        state = learner._state(rows).copy() if go_on else None
        seed = state.seed if go_on else draw_seed(random_state)
        training, stopping = rows, None
        if learner.early_stopping:
            training, held_out = learner._split(rows, seed)
            stopping = EarlyStopping(held_out, learner.n_iter_no_change, learner.tol)
        settings = learner._settings(shuffle=learner.shuffle)
        draws_by_row = settings.algorithm == "cd" or settings.sample_positive_visibles
        if draws_by_row and training.n_rows <= settings.batch_size:
            # All rows in one mini-batch, where what is drawn for a row of weight 2 stands for what
            # is drawn for two equal rows: so it does not matter which of both X has.
            training = training.distinct()
        if go_on:
            # A fit that fails after some epochs must not leave their records behind.
            state.records = state.records[: state.n_records]
            if stopping is not None:
                stopping.start_from(state)
        else:
            state = learner._initial_state(training, settings, seed, random_state)
        n_updates = -(-training.n_rows // settings.batch_size) * learner.n_iter
        settings = replace(settings, span=(state.n_updates, n_updates))
        return self._fit(learner, data, training, settings, state, stopping)

    def _fit(self, learner, data, rows, settings, state, stopping):
        """All epochs, each a task of scikit-learn's callbacks."""

        def attributes():
            # What a callback does to its copy must not reach the fit. Records are never written.
            old_names = dict.fromkeys(features_of(self))
            found = old_names | features_of(learner) | learner._attributes(state)
            return {k: v if k == "_records" else deepcopy(v) for k, v in found.items()}

        def adopt(state):
            return self._adopt(learner, state if stopping is None else stopping.result(state))

        fit_task = self._init_callback_context(max_subtasks=learner.n_iter)
        fit_task.call_on_fit_task_begin(estimator=self, **data)
        finished = None
        try:
            for epoch in range(learner.n_iter):
                task = fit_task.subcontext(task_name="epoch")
                task.call_on_fit_task_begin(estimator=self, **data)
                if epoch:  # Ctrl-C in this epoch keeps the last one; no further copy exists then
                    finished = state.copy()
                train_epoch(state, settings, rows, None if stopping is None else stopping.judge)
                finished = state
                learner._report(state, rows)
                stop = task.call_on_fit_task_end(
                    estimator=self, **data, reconstruction_attributes=attributes
                )
                if stop or (stopping is not None and stopping.is_over):
                    break
        except KeyboardInterrupt:
            if finished is not None:
                adopt(finished)
            raise
        if stopping is not None:
            state = stopping.result(state)
        fit_task.call_on_fit_task_end(estimator=self, **data, reconstruction_attributes=attributes)
        learner._warn_of_divergence(state)
        return adopt(state)

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None, sample_weight=None):
        """Go on learning with one pass over a chunk of rows.

        The first call initialises the model from its chunk. A chunk of any size is cut into
        mini-batches in the order given. Every call counts as an epoch, for schedules,
        ``n_iter_`` and ``history_``. On the same rows and seed the first call does what
        ``fit`` does with ``n_iter=1, shuffle=False``, with two exceptions. No call knows when
        learning ends: with ``learning_rate_schedule="linear"`` the rate does not fall. And where
        a mini-batch holds all rows, ``fit`` takes equal rows for one if something is drawn for
        each row: with CD, or with ``positive_visibles="sample"``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            A chunk of training data.
        y : Ignored
            Present for API consistency.
        sample_weight : array-like of shape (n_samples,), default=None
            How often each row counts, relative to the mean of these weights, as in ``fit``. Where
            something is drawn for each row, with CD or ``positive_visibles="sample"``, this is so
            on average over random numbers.

        Returns
        -------
        self : estimator
            The estimator; unchanged if an error is raised.

        Raises
        ------
        ValueError
            If training diverges; if a parameter has changed that the first call decides; if
            ``early_stopping`` is set, for which a chunk has no rows to hold out.
        """
        learner = self._learner()
        if learner.early_stopping:
            raise ValueError(
                "early_stopping=True is for fit: a chunk of partial_fit has no rows to hold out. "
                "Set early_stopping=False, and judge by score on rows of your own."
            )
        first_call = not learner.__sklearn_is_fitted__()
        rows, _ = learner._training_data(X, None, sample_weight, reset=first_call, chunk=True)
        settings = learner._settings(shuffle=False)
        if first_call:
            random_state = check_random_state(learner.random_state)
            seed = draw_seed(random_state)
            state = learner._initial_state(rows, settings, seed, random_state)
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

    def _training_data(self, X, y, sample_weight, *, reset, chunk=False):
        """Validated rows to learn from, with their weights, and what callbacks see of them."""
        weights, counted, seen = None, None, {}
        if sample_weight is not None:
            weights, counted = check_weights(sample_weight, X)
            y = safe_indexing(y, counted) if counted is not None and np.iterable(y) else y
            seen["metadata"] = {"sample_weight": weights}
            # Smaller ones would be outweighed by what is there before training, as the half row
            # in base rates is. Beside larger ones it is nothing, and sums might overflow.
            mean = weights.mean()
            weights = weights / (mean / np.clip(mean, 1, LARGEST_MEAN))
        rows = self._rows(X, reset=reset, counted=counted)
        rows.weights = weights
        self._check_reading(rows)
        self._check_training(rows, chunk=chunk)
        # ScoringMonitor scores only tasks that have a target. The target of a generative
        # model is its own input.
        return rows, seen | {"X": rows.X, "y": rows.X if y is None else y}

    def _split(self, rows, seed):
        """Rows to train on, and rows to judge by: the same of the same rows, for a seed."""
        from sklearn.model_selection import train_test_split  # slow to import, and seldom needed

        n_held_out = math.ceil(self.validation_fraction * rows.n_rows)
        if not 0 < n_held_out < rows.n_rows:
            raise ValueError(
                f"early_stopping=True with validation_fraction={self.validation_fraction} holds "
                f"out {n_held_out} rows of n_samples={rows.n_rows}, and leaves none to train on. "
                "Give more rows, a smaller validation_fraction, or early_stopping=False."
            )
        parts = train_test_split(
            np.arange(rows.n_rows), test_size=n_held_out, random_state=int(seed) % 2**32
        )
        training, held_out = (rows.part(np.sort(which)) for which in parts)
        for part, role in ((training, "to train on"), (held_out, "to judge by")):
            if part.n_unknown == part.n_rows * part.n_features:
                raise ValueError(
                    f"early_stopping=True with validation_fraction={self.validation_fraction} "
                    f"left {part.n_rows} rows {role} that have no entry. Leave out empty rows."
                )
        return training, held_out

    def _settings(self, shuffle):
        share = SHARE if isinstance(self.average, bool) else self.average
        return Settings(
            algorithm=self.algorithm,
            batch_size=self.batch_size,
            n_chains=self.batch_size if self.n_chains is None else self.n_chains,
            learning_rate=self.learning_rate,
            n_gibbs_steps=self.n_gibbs_steps,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
            l1_penalty=self.l1_penalty,
            mean_negative_visibles=self.negative_visibles == "mean",
            shuffle=shuffle,
            sample_positive_visibles=getattr(self, "positive_visibles", "mean") == "sample",
            learning_rate_schedule=self.learning_rate_schedule,
            centering=self.centering,
            average=share if self.average else None,
        )

    def _initial_state(self, rows, settings, seed, random_state):
        """Random weights and hidden biases to start from, visible biases from the data."""
        visible = self._initial_visible(rows.summary)
        data_mean = rows.summary.means
        # Drawn in (D, M), the order of storage, and in float64 whatever the dtype. So a float32
        # machine starts where its float64 twin does.
        center = visible.centers(data_mean)[0]
        weights, hidden_bias = self._initial_weights(visible, center, random_state)
        model = RBM(
            visible=visible,
            weights=memory.copy(weights, rows.dtype),
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
        return State(
            model=model,
            seed=seed,
            base_rate_bias=visible.bias.copy(),
            chains=np.zeros(shape, rows.dtype),
            centring=Centring.at(model, data_mean.astype(rows.dtype)),
        )

    def _report(self, state, rows):
        """Print a line on the epoch just finished, in scikit-learn's form."""
        if self.verbose:
            scores = [state.fitted.pseudo_likelihood(v) for v in rows.spread(self._verbose_rows)]
            record = state.records[-1]
            judged = ""
            if self.early_stopping:
                judged = f"validation score = {record['validation_score']:.2f}, "
            print(
                f"[{type(self).__name__}] Iteration {state.n_epochs}, "
                f"pseudo-likelihood = {np.concatenate(scores).mean():.2f}, {judged}"
                f"time = {record['seconds']:.2f}s"
            )

    def _warn_of_divergence(self, state):
        sentence = suspicion(state)
        if sentence is not None:
            warnings.warn(f"{type(self).__name__}: {sentence}", ConvergenceWarning, stacklevel=2)
