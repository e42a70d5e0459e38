"""SoftmaxRBM: categorical visible units, such as ratings, of which entries may be missing."""

import numpy as np

from ._estimator.base import BaseRBM
from ._estimator.descriptions import described
from ._estimator.fitted import fitted_array
from ._estimator.ratings import RatingMethods
from ._input.checks import feature_names
from ._input.encoding import (
    check_range,
    check_ratings,
    find_categories,
    fitted_categories,
    found_values,
    read_categories,
)
from ._input.mistaken import warn_of_mistakes
from ._input.parameters import CATEGORICAL_CONSTRAINTS
from ._machine.softmax import SoftmaxLayer


@described
class SoftmaxRBM(RatingMethods, BaseRBM):
    """Restricted Boltzmann machine with categorical visible and binary hidden units.

    Every feature has one of a few categories, such as a rating of 1 to 5 stars. Entries may be
    missing: NaN in a dense X, or what a sparse X does not store. (A stored 0 is an observation;
    so a matrix of blocks or diagonals, BSR or DIA, must not store any.)
    The energy of a row v with the observed features O(v) and hidden units h is ``E(v, h) =
    -sum_{i in O(v)} (b_{i v_i} + W_{i v_i} h) - c h``, with ``W = components_``,
    ``b = intercept_visible_`` and ``c = intercept_hidden_``. A missing entry is absent: each row
    is a machine of its own over the features that the row has observed, and all rows share their
    parameters [1]_. Neither X nor its one-hot form is ever made dense.

    With films as rows and users as features (the transpose of the usual table) ``ordinal=True``
    and the other default parameters suit tables of ratings such as MovieLens.

    A *schedule* is a number, or a sequence of one value per epoch. After its end the last value
    of a sequence stays in force. A schedule can be cloned, pickled and grid-searched like any
    other parameter.

    Parameters
    ----------
    $n_components

    categories : {"shared", "auto"}, array-like of number, or list of array-like, default="shared"
        The categories of the features, as finite numbers. Features may have different numbers.

        - "shared": the values that occur anywhere in X, for all features; a rating scale. A
          warning tells of features that hardly share any values, and of a dense table whose zeros
          seem to stand for missing ratings.
        - "auto": the values that occur in each column, as in
          :class:`~sklearn.preprocessing.OneHotEncoder`.
        - a flat array: these, ascending, for all features.
        - a list of one array per feature.

        The first call to ``partial_fit`` fixes them. In cross-validation list the categories, as
        in ``categories=[1, 2, 3, 4, 5]``: a rare one may be in a test fold alone.

    handle_unknown : {"error", "ignore"}, default="error"
        What becomes of a value that is none of its feature's categories. "error": an error names
        the value. "ignore": the entry counts as missing.

    conditional : bool, default=False
        Whether the hidden units also see *which* entries are observed, by a second set of
        weights ``U = conditional_components_``. The total input of hidden unit j is then
        ``c_j + sum_{i in O(v)} (W_{i v_i j} + U_{ij})`` (the conditional machine of [1]_). The
        choice of films that somebody has rated says something about taste. The first call of
        ``partial_fit`` fixes it.

    ordinal : bool, default=False
        Whether the weights of a feature are linear in the values of its categories, ``W_{ikj} =
        u_{ij} + z_{ik} a_{ij}``, with z the values scaled to [-1, 1]. For ratings: a hidden unit
        that speaks for 4 stars speaks for 5 stars more, and what is learned from one category
        serves all. Predictions become clearly better, because ratings are few; ``conditional``
        adds nothing, because the levels u do the same. Steps and ``weight_decay`` are those of u
        and a. Not for categories without an order. The first call of ``partial_fit`` fixes it.

    $learning_rate

    $learning_rate_schedule

    $batch_size

    $n_iter

    $algorithm

        For "pcd" and "pt" all rows must be complete: a chain cannot go on in a row that has
        observed other features.

    $n_gibbs_steps
        Salakhutdinov, Mnih & Hinton [1]_ raise the number as learning goes on: 1, 3, 5, 9.

    $n_chains

    $n_temperatures

    $centering
        Hidden biases start such that a row of means leaves hidden units undecided.
        Where entries are missing, the mean of a category is its share of all rows, those that
        miss the entry included.

    $average

    $momentum

    $weight_decay
        Both ``components_`` and ``conditional_components_`` are weights.

    $l1_penalty

    $negative_visibles

    $early_stopping

    $validation_fraction

    $n_iter_no_change

    $tol

    $warm_start

    $shuffle

    $verbose
        At most 1,000 rows are scored.

    $random_state

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_codes)
        Weights. Each category of each feature has one column. The columns of one feature are
        side by side, in the order of ``categories_``. ``n_codes`` is the number of categories of
        all features together.

    $intercept_hidden_

    intercept_visible_ : ndarray of shape (n_codes,)
        Biases of the categories. The biases of a feature start at the log-frequencies of its
        categories in the training data, less the mean of these log-frequencies. One entry per
        category is added, shared out as the entries of the other features with the same
        categories are on average: a feature without entries starts as a typical one.

    conditional_components_ : ndarray of shape (n_components, n_features) or None
        Weights of the knowledge that a feature is observed; None unless ``conditional=True``.

    categories_ : list of ndarray
        The categories of each feature, ascending.

    $h_samples_

    $n_iter_

    $history_

    $n_features_in_

    $feature_names_in_

    See Also
    --------
    BernoulliRBM : The model of binary data without missing entries.
    RBMRecommender : Predicts and recommends from pairs of user and item.
    sklearn.preprocessing.OrdinalEncoder : Turns strings into numbers, which can be categories.

    Notes
    -----
    ``inverse_transform`` and ``reconstruct`` give the expectation of every feature over the
    values of its categories, whether or not the feature is observed. ``gibbs`` draws the entries
    that X holds; missing entries stay missing. ``sample(init=X)`` and ``impute`` keep the entries
    of an X with missing entries and complete the others, as if all features were present. A
    sparse array gives a CSR array and a sparse matrix a CSR matrix, except in ``impute``.
    ``score_samples`` is a sum over observed entries, and 0 for a row without observed entries.

    The probability of a row is the probability of its observed features only. So
    ``free_energy`` compares rows that have observed the same features.

    To predict a missing entry, ``predict_ratings`` and ``conditional_proba`` sum over the hidden
    units exactly.

    References
    ----------
    .. [1] Salakhutdinov, R., Mnih, A. & Hinton, G. (2007). Restricted Boltzmann machines for
       collaborative filtering. ICML.
    $references

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
    _first_call_decides = (*BaseRBM._first_call_decides, "categories", "conditional", "ordinal")

    def __init__(
        self,
        n_components=100,
        *,
        categories="shared",
        handle_unknown="error",
        conditional=False,
        ordinal=False,
        learning_rate=0.03,
        learning_rate_schedule="inverse_sqrt",
        batch_size=50,
        n_iter=40,
        algorithm="cd",
        n_gibbs_steps=1,
        n_chains=None,
        n_temperatures=10,
        centering=True,
        average=True,
        momentum=0.9,
        weight_decay=0.002,
        l1_penalty=0.0,
        negative_visibles="sample",
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        tol=1e-4,
        warm_start=False,
        shuffle=True,
        verbose=0,
        random_state=None,
    ):
        self.n_components = n_components
        self.categories = categories
        self.handle_unknown = handle_unknown
        self.conditional = conditional
        self.ordinal = ordinal
        self.learning_rate = learning_rate
        self.learning_rate_schedule = learning_rate_schedule
        self.batch_size = batch_size
        self.n_iter = n_iter
        self.algorithm = algorithm
        self.n_gibbs_steps = n_gibbs_steps
        self.n_chains = n_chains
        self.n_temperatures = n_temperatures
        self.centering = centering
        self.average = average
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.l1_penalty = l1_penalty
        self.negative_visibles = negative_visibles
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.shuffle = shuffle
        self.verbose = verbose
        self.random_state = random_state

    def _table(self, X, *, reset=False, allow_unknown=False, counted=None):
        return check_ratings(self, X, reset=reset, counted=counted)

    def _form(self, X):
        return read_categories(self, X)

    def _found(self, X):
        return found_values(self, X)

    def _learn_form(self, found, dtype):
        names = feature_names(self, self.n_features_in_)
        self.categories_ = find_categories(self, found, dtype, names)

    def _check_new(self, rows):
        warn_of_mistakes(self, rows, feature_names(self, rows.n_features))

    def _check_training(self, rows, chunk=False):
        if not chunk and rows.n_unknown == rows.n_rows * rows.n_features:
            raise ValueError("X has no observed entry: there is nothing to learn from.")
        if self.ordinal and self.l1_penalty:
            raise ValueError(
                f"ordinal=True and l1_penalty={self.l1_penalty} exclude each other: an L1 penalty "
                "would make weights of single categories 0, and weights linear in the values no "
                "longer. Set l1_penalty=0, and take weight_decay."
            )
        if self.algorithm != "cd" and rows.n_unknown:
            raise ValueError(
                f"algorithm={self.algorithm!r} needs complete rows, but {rows.n_unknown} entries "
                "of X are missing (NaN, or not stored if X is sparse): every row with other "
                "features observed is a machine of its own, over which chains cannot go on. Use "
                "algorithm='cd'."
            )

    def _initial_visible(self, summary):
        # Log-frequencies, with an entry per category added. These entries are shared out like
        # those of a typical feature, as a feature that hardly anybody has rated most likely is
        # one. The sum over a feature's categories is 0: a constant there changes no probability.
        categories, dtype = summary.categories, summary.dtype
        added = np.repeat(categories.sizes, categories.sizes) * summary.typical_shares
        bias = np.log(summary.counts + added)
        means = np.add.reduceat(bias, categories.offsets[:-1]) / categories.sizes
        bias -= np.repeat(means, categories.sizes)
        conditional = None
        if self.conditional:
            conditional = np.zeros((categories.n_features, self.n_components), dtype)
        return SoftmaxLayer(bias.astype(dtype), categories, conditional, bool(self.ordinal))

    def _drawn_weights(self, visible, random_state):
        if not self.ordinal:
            return super()._drawn_weights(visible, random_state)
        categories = visible.categories
        shape = 2, categories.n_features, self.n_components
        level, slope = random_state.normal(0, 0.01, shape)[:, categories.feature_of]
        return level + categories.scaled[:, np.newaxis] * slope

    def _visible_layer(self, dtype):
        bias = np.ascontiguousarray(fitted_array(self, "intercept_visible_", 1, dtype))
        categories = fitted_categories(*map(vars(self).get, ("categories_", "n_features_in_")))
        check_range(categories, dtype)
        conditional = None
        if getattr(self, "conditional_components_", None) is not None:
            conditional = fitted_array(self, "conditional_components_", 2, dtype)
            shape = len(self.components_), categories.n_features
            if conditional.shape != shape:
                raise ValueError(
                    f"conditional_components_ has shape {conditional.shape}, but components_ and "
                    f"categories_ ask for {shape}."
                )
            conditional = np.ascontiguousarray(conditional.T)
        return SoftmaxLayer(bias, categories, conditional, bool(self.ordinal))

    def _visible_attributes(self, visible):
        conditional = visible.conditional
        return {
            "intercept_visible_": visible.bias,
            "categories_": visible.categories.by_feature,
            "conditional_components_": None if conditional is None else conditional.T,
        }

    def _check_partition(self):
        if vars(self).get("conditional_components_") is not None:
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
