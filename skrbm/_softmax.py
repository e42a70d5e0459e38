"""SoftmaxRBM: categorical visible units, such as ratings, of which entries may be missing."""

import numpy as np

from ._estimator.base import BaseRBM
from ._estimator.ratings import RatingMethods
from ._input.encoding import fitted_categories, read_categories
from ._input.parameters import CATEGORICAL_CONSTRAINTS
from ._machine.softmax import SoftmaxLayer


class SoftmaxRBM(RatingMethods, BaseRBM):
    """Restricted Boltzmann machine with categorical visible and binary hidden units.

    Every feature is one of a few categories, such as a rating of 1 to 5 stars, and entries may be
    missing: NaN in a dense X, or what a sparse X does not store. (A stored 0 is an observation.)
    The energy of a row v with the observed features O(v) and hidden units h is ``E(v, h) =
    -sum_{i in O(v)} (b_{i v_i} + W_{i v_i} h) - c h``, with ``W = components_``,
    ``b = intercept_visible_`` and ``c = intercept_hidden_``. A missing entry is absent: each row
    is a machine of its own over the features that it has observed, and all of them share their
    parameters [1]_. Neither X nor its one-hot form is ever made dense.

    With films as rows and users as features (the transpose of the usual table) the default
    parameters suit tables of ratings such as MovieLens.

    A *schedule* is a number, or a sequence of one value per epoch whose last value goes on;
    it can be cloned, pickled and grid-searched like any parameter.

    Parameters
    ----------
    n_components : int, default=100
        Number of hidden units.

    categories : {"shared", "auto"}, array-like of number, or list of array-like, default="shared"
        The categories of the features, as finite numbers. Features may have different numbers.

        - "shared": the values that occur anywhere in X, for all features; a rating scale.
        - "auto": the values that occur in each column, as in
          :class:`~sklearn.preprocessing.OneHotEncoder`.
        - a flat array: these, ascending, for all features.
        - a list of one array per feature.

        The first call to ``partial_fit`` fixes them.

    handle_unknown : {"error", "ignore"}, default="error"
        What becomes of a value that is none of its feature's categories: an error that names
        it, or it counts as missing.

    conditional : bool, default=False
        Whether the hidden units also see *which* entries are observed, by a second set of
        weights: ``x_j = c_j + sum_{i in O(v)} (W_{i v_i j} + U_{ij})`` with
        ``U = conditional_components_`` (the conditional machine of [1]_). Which films somebody
        has rated says something of taste.

    learning_rate : float or sequence of float, default=0.02
        Step size of gradient ascent on the mean log-likelihood of a mini-batch; a schedule.

    batch_size : int, default=50
        Rows per mini-batch. The last batch of an epoch holds what is left.

    n_iter : int, default=40
        Number of epochs, passes over the training data, that ``fit`` makes.

    algorithm : {"cd", "pcd", "pt"}, default="cd"
        How the model's side of the gradient is estimated.

        - "cd": contrastive divergence, by chains that start at the rows of each batch.
        - "pcd": persistent contrastive divergence, by chains that go on from update to update.
          For complete rows only: a chain cannot go on in a row that has observed other
          features.
        - "pt": parallel tempering, by persistent chains at ``n_temperatures``, from that of
          the model to that of its base rates. Neighbours exchange their temperatures, which
          carries chains from mode to mode. A negative phase costs ``n_temperatures`` times that
          of "pcd". Complete rows only, as for "pcd".

    n_gibbs_steps : int or sequence of int, default=1
        Gibbs steps per update, the k of CD-k; a schedule. Salakhutdinov, Mnih & Hinton raise
        it as learning goes on, 1, 3, 5, 9.

    n_chains : int or None, default=None
        Number of persistent chains, at each temperature with ``algorithm="pt"``; None means
        ``batch_size``. The first call to ``partial_fit`` fixes it.

    n_temperatures : int, default=10
        Number of inverse temperatures, equidistant from 1 to 0, with ``algorithm="pt"``. The
        first call to ``partial_fit`` fixes it.

    momentum : float or sequence of float, default=0.9
        Share of the last step that is added to the next, in [0, 1); a schedule.

    weight_decay : float, default=0.002
        L2 penalty on the weights, ``components_`` and ``conditional_components_``, not on the
        biases: ``weight_decay * W`` is subtracted from the gradient.

    negative_visibles : {"sample", "mean"}, default="sample"
        Visible units of the last Gibbs step as the gradient sees them: drawn, or set to
        their probabilities, which has less noise and a bias. Draws drive the chains in
        either case.

    shuffle : bool, default=True
        Whether ``fit`` takes the rows in a new order each epoch.

    verbose : int, default=0
        If not 0, print a line per epoch with the exact pseudo-likelihood of at most 1,000
        rows, spread evenly over the training data.

    random_state : int, RandomState instance or None, default=None
        Determines initial weights, order of rows and all draws of ``fit`` and
        ``partial_fit``. An int gives the same bits at every call on one machine, whatever the
        number of threads.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_codes)
        Weights, one column per category of each feature, those of one feature side by side in
        the order of ``categories_``; ``n_codes`` is the number of categories of all features.

    intercept_hidden_ : ndarray of shape (n_components,)
        Biases of the hidden units.

    intercept_visible_ : ndarray of shape (n_codes,)
        Biases of the categories. They start at the log-frequencies of the training data, less
        their mean over the categories of a feature.

    conditional_components_ : ndarray of shape (n_components, n_features) or None
        Weights of the knowledge that a feature is observed, with ``conditional=True``.

    categories_ : list of ndarray
        The categories of each feature, ascending.

    h_samples_ : ndarray of shape (n_chains, n_components)
        Hidden states of the persistent chains; all 0, at rest, with ``algorithm="cd"``. With
        "pt" of shape (n_temperatures, n_chains, n_components), the model's chains first.

    n_iter_ : int
        Number of epochs made; a call of ``partial_fit`` counts as one.

    history_ : dict of list
        One entry per epoch: "reconstruction_error" (mean squared difference between an observed
        entry and its ``reconstruct``-ion, on at most 250 rows), "learning_rate",
        "n_gibbs_steps", "momentum", "seconds".

    n_features_in_ : int
        Number of features seen during fit.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, if X had names that are all strings.

    See Also
    --------
    BernoulliRBM : The same for binary data without missing entries.
    sklearn.preprocessing.OrdinalEncoder : Turns strings into numbers to be categories.

    Notes
    -----
    ``inverse_transform`` and ``reconstruct`` give the expectation of every feature over the
    values of its categories, observed or not. ``gibbs`` draws the entries that X holds, and
    missing ones stay missing; ``sample(init=X)`` and ``impute`` keep the entries of such an X and
    complete it, all features being present. But for ``impute``, a sparse X gives a sparse result.
    ``score_samples`` is a sum over observed entries, 0 for a row without any.

    A row's probability is one of its observed features only, so ``free_energy`` compares rows
    that have observed the same ones.

    To predict a missing entry, ``predict_ratings`` and ``conditional_proba`` sum over the hidden
    units exactly.

    References
    ----------
    .. [1] Salakhutdinov, R., Mnih, A. & Hinton, G. (2007). Restricted Boltzmann machines for
       collaborative filtering. ICML.

    Examples
    --------
    >>> import numpy as np
    >>> from skrbm import SoftmaxRBM
    >>> X = np.array([[5, 4, np.nan, 1], [4, 5, 1, np.nan], [1, np.nan, 5, 4], [np.nan, 1, 4, 5]])
    >>> rbm = SoftmaxRBM(n_components=2, random_state=0).fit(X)
    >>> rbm.transform(X).shape
    (4, 2)
    >>> rbm.predict_ratings(X).shape
    (4, 4)
    >>> rbm.predict_ratings(X, rows=[0, 1], columns=[2, 3]).shape
    (2,)
    >>> ids, scores = rbm.recommend(X, n_items=1)
    >>> ids.ravel()
    array([2, 3, 1, 0])
    """

    _parameter_constraints = BaseRBM._parameter_constraints | CATEGORICAL_CONSTRAINTS

    def __init__(
        self,
        n_components=100,
        *,
        categories="shared",
        handle_unknown="error",
        conditional=False,
        learning_rate=0.02,
        batch_size=50,
        n_iter=40,
        algorithm="cd",
        n_gibbs_steps=1,
        n_chains=None,
        n_temperatures=10,
        momentum=0.9,
        weight_decay=0.002,
        negative_visibles="sample",
        shuffle=True,
        verbose=0,
        random_state=None,
    ):
        self.n_components = n_components
        self.categories = categories
        self.handle_unknown = handle_unknown
        self.conditional = conditional
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.n_iter = n_iter
        self.algorithm = algorithm
        self.n_gibbs_steps = n_gibbs_steps
        self.n_chains = n_chains
        self.n_temperatures = n_temperatures
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.negative_visibles = negative_visibles
        self.shuffle = shuffle
        self.verbose = verbose
        self.random_state = random_state

    def _rows(self, X, *, reset=False, allow_unknown=False):
        return read_categories(self, X, reset=reset)

    def _check_training(self, rows, chunk=False):
        if not chunk and rows.n_unknown == rows.n_rows * rows.n_features:
            raise ValueError("X has no observed entry: there is nothing to learn from.")
        if self.algorithm != "cd" and rows.n_unknown:
            raise ValueError(
                f"algorithm={self.algorithm!r} needs complete rows, but {rows.n_unknown} entries "
                "of X are missing (NaN, or not stored if X is sparse): every row with other "
                "features observed is a machine of its own, over which chains cannot go on. Use "
                "algorithm='cd'."
            )

    def _initial_visible(self, summary):
        # Log-frequencies, with half an entry added to each category (Jeffreys' prior). The sum
        # over a feature's categories is 0: a constant there changes no probability.
        categories, dtype = summary.categories, summary.dtype
        bias = np.log(summary.counts + 0.5)
        means = np.add.reduceat(bias, categories.offsets[:-1]) / categories.sizes
        bias -= np.repeat(means, categories.sizes)
        conditional = None
        if self.conditional:
            conditional = np.zeros((categories.n_features, self.n_components), dtype)
        return SoftmaxLayer(bias.astype(dtype), categories, conditional)

    def _visible_layer(self, dtype):
        bias = np.ascontiguousarray(self.intercept_visible_, dtype)
        categories = fitted_categories(self.categories_, self.n_features_in_)
        conditional = getattr(self, "conditional_components_", None)
        if conditional is not None:
            shape = len(self.components_), categories.n_features
            if conditional.shape != shape:
                raise ValueError(
                    f"conditional_components_ has shape {conditional.shape}, but components_ and "
                    f"categories_ ask for {shape}."
                )
            conditional = np.ascontiguousarray(conditional.T, dtype)
        return SoftmaxLayer(bias, categories, conditional)

    def _visible_attributes(self, visible):
        conditional = visible.conditional
        return {
            "intercept_visible_": visible.bias,
            "categories_": visible.categories.by_feature,
            "conditional_components_": None if conditional is None else conditional.T,
        }

    def _check_continuation(self):
        if self.conditional != (self.conditional_components_ is not None):
            raise ValueError(
                f"conditional={self.conditional!r} cannot go on with a machine that is "
                f"{'not ' if self.conditional else ''}conditional: the first call of partial_fit "
                "decides. Call fit to start again."
            )

    def _check_partition(self):
        if self.conditional_components_ is not None:
            raise ValueError(
                "the hidden units of a conditional machine see which features are observed, so "
                "that it has no partition function of its own. Fit with conditional=False."
            )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = True
        # Rows of persistent chains must be complete, which a sparse matrix seldom is.
        tags.input_tags.allow_nan = tags.input_tags.sparse = self.algorithm == "cd"
        return tags
