"""Fitting: what fit and partial_fit do with the training data."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from .._input.checks import check_weights, fit_context, safe_indexing
from .._input.parameters import MOST
from .._machine import memory
from .._machine.bernoulli import BernoulliLayer
from .._machine.keys import draw_seed
from .._machine.rbm import RBM
from .._training.averaging import SHARE
from .._training.centring import Centring
from .._training.divergence import suspicion
from .._training.epoch import train_epoch
from .._training.state import Settings, State
from .data import LocalData
from .learning import learn, learner_of

#: Weights of rows are scaled to this mean if theirs is larger: half a row is then below rounding.
LARGEST_MEAN = 2.0**53
#: Chains of a part of the data, if the user leaves the choice to us: more gain little.
ENOUGH_CHAINS = 100


def scaled_weights(weights, mean):
    """Weights of rows, given their mean, scaled to a mean that sums can hold.

    Smaller ones would be outweighed by what is there before training, as the half row in base
    rates is. Beside larger ones it is nothing, and sums might overflow.
    """
    return weights / (mean / np.clip(mean, 1, LARGEST_MEAN))


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

        See Also
        --------
        partial_fit : Go on learning, a chunk of rows at a time.
        skrbm.dask.fit : Fit to rows that are on a cluster, or that do not fit in memory.

        Examples
        --------
        >>> import numpy as np
        >>> from skrbm import BernoulliRBM
        >>> X = np.array([[1, 1, 0, 0], [0, 0, 1, 1]] * 50)
        >>> rbm = BernoulliRBM(n_components=2, n_iter=5, random_state=0)
        >>> rbm.fit(X).n_iter_
        5
        >>> rbm.set_params(warm_start=True).fit(X).n_iter_  # five epochs more
        10
        """
        learner = learner_of(self)
        go_on = learner.warm_start and learner.__sklearn_is_fitted__()
        rows, seen = learner._training_data(X, y, sample_weight, reset=not go_on)
        return learn(self, learner, LocalData(rows), seen, go_on=go_on)

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

        See Also
        --------
        fit : Learn from all rows, in several passes.

        Examples
        --------
        >>> import numpy as np
        >>> from skrbm import BernoulliRBM
        >>> rng = np.random.default_rng(0)
        >>> rbm = BernoulliRBM(n_components=2, random_state=0)
        >>> for _ in range(3):
        ...     rbm = rbm.partial_fit(rng.integers(0, 2, (50, 4)))
        >>> rbm.n_iter_
        3
        """
        learner = learner_of(self)
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
        sums = train_epoch(state, settings, LocalData(rows, n_scored=learner._n_scored))
        learner._report(state, sums)
        learner._warn_of_divergence(state)
        return self._adopt(learner, state)

    def _training_data(self, X, y, sample_weight, *, reset, chunk=False):
        """Validated rows to learn from, with their weights, and what callbacks see of them."""
        weights, counted, seen = None, None, {}
        if sample_weight is not None:
            weights, counted = check_weights(sample_weight, X)
            y = safe_indexing(y, counted) if counted is not None and np.iterable(y) else y
            seen["metadata"] = {"sample_weight": weights}
            weights = scaled_weights(weights, weights.mean())
        rows = self._rows(X, reset=reset, counted=counted)
        rows.weights = weights
        if reset:
            self._check_new(rows)
        self._check_reading(rows)
        self._check_training(rows, chunk=chunk)
        # ScoringMonitor scores only tasks that have a target. The target of a generative
        # model is its own input.
        return rows, seen | {"X": rows.X, "y": rows.X if y is None else y}

    def _settings(self, shuffle, n_parts=1):
        """How to learn; ``n_parts`` machines side by side share the rows of an update.

        Each of them needs as many chains as a machine that sees all these rows, or nearly so.
        """
        n_chains = self.n_chains
        if n_chains is None:
            n_chains = max(self.batch_size, min(self.batch_size * n_parts, ENOUGH_CHAINS))
        share = SHARE if isinstance(self.average, bool) else self.average
        return Settings(
            algorithm=self.algorithm,
            batch_size=self.batch_size,
            n_chains=n_chains,
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

    @property
    def _n_scored(self):
        """Number of rows, at most, that are scored for the line that is printed on an epoch."""
        return self._verbose_rows if self.verbose else 0

    def _report(self, state, sums):
        """Print a line on the epoch just finished, in scikit-learn's form."""
        if self.verbose:
            score, n_scored = sums["pseudo_likelihood"]
            record = state.records[-1]
            judged = ""
            if self.early_stopping:
                judged = f"validation score = {record['validation_score']:.2f}, "
            print(
                f"[{type(self).__name__}] Iteration {state.n_epochs}, "
                f"pseudo-likelihood = {score / n_scored:.2f}, {judged}"
                f"time = {record['seconds']:.2f}s"
            )

    def _warn_of_divergence(self, state):
        sentence = suspicion(state)
        if sentence is not None:
            warnings.warn(f"{type(self).__name__}: {sentence}", ConvergenceWarning, stacklevel=2)
