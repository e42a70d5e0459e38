"""GaussianBernoulliRBM: real-valued visible units."""

import numpy as np

from ._estimator.base import BaseRBM
from ._estimator.descriptions import described
from ._estimator.fitted import fitted_array
from ._input.checks import check_visible, warn_badly_scaled
from ._input.numbers import NumberRows
from ._input.parameters import NOISE_VARIANCE, check_noise_variance
from ._machine.gaussian import GaussianLayer


@described
class GaussianBernoulliRBM(BaseRBM):
    """Restricted Boltzmann machine with real-valued visible and binary hidden units.

    The energy of visible units v and hidden units h is ``E(v, h) = sum_i (v_i - b_i)^2 /
    (2 s_i^2) - c h - (v / s) W^T h`` with ``W = components_``, ``b = intercept_visible_``,
    ``c = intercept_hidden_`` and ``s^2 = noise_variance_``. Given the hidden units the visible
    ones are independent and normal, with means ``b + s * (h W)`` and variances ``s^2``: the model
    is a mixture of ``2 ** n_components`` normal distributions [1]_.

    Standardise the data, for example with :class:`sklearn.preprocessing.StandardScaler`, or, where
    features are strongly correlated as the pixels of an image are, whiten them.

    A *schedule* is a number, or a sequence of one value per epoch. After its end the last value
    of a sequence stays in force. A schedule can be cloned, pickled and grid-searched like any
    other parameter.

    Parameters
    ----------
    $n_components

    noise_variance : float, array-like of shape (n_features,) or "learned", default=1.0
        Variance of a visible unit around its mean given the hidden units, in squared units of
        X. A number serves all features. "learned": the variance starts at the variance of the
        feature in the training data (with ``partial_fit``, in the first chunk), and for a
        constant feature at the square of a tenth of its value. The variance is learned on the
        logarithmic scale and stays above a thousandth of its start. The first call of
        ``partial_fit`` fixes the noise variance, or that the noise variance is learned.

    $learning_rate
        Real-valued units need a smaller rate than binary units [2]_. See Notes for the units of
        a step.

    $learning_rate_schedule

    $batch_size

    $n_iter

    $algorithm

        In [1]_ "cd" is the better choice for real-valued units.

    $n_gibbs_steps

    $n_chains

    $n_temperatures

    $centering
        Hidden biases start where they start without centring (see Notes).

    $average

    $momentum

    $weight_decay

    $l1_penalty

    $negative_visibles
        "mean" cannot go with ``noise_variance="learned"``: means lack noise, and the model would
        learn ever more noise.

    $early_stopping

    $validation_fraction

    $n_iter_no_change

    $tol

    $warm_start

    $shuffle

    $verbose
        At most 100 rows are scored, whose integrals take long.

    $random_state

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        Weights.

    $intercept_hidden_

    intercept_visible_ : ndarray of shape (n_features,)
        Biases of the visible units, in units of X. The biases start at the means of the training
        data.

    noise_variance_ : ndarray of shape (n_features,)
        Variances of the visible units given the hidden ones, in squared units of X.

    $h_samples_

    $n_iter_

    $history_

    $n_features_in_

    $feature_names_in_

    See Also
    --------
    BernoulliRBM : The model of binary data and data in [0, 1].
    SoftmaxRBM : The model of categories, of which entries may be missing.

    Notes
    -----
    ``score_samples`` is a sum of logarithms of densities. The sum can be positive, and it compares
    only models of the same data in the same units.

    Weights start uniform in +-sqrt(6 / (n_features + n_components)). Hidden biases start such
    that the normal distribution of a single active unit has a tenth of the weight of the
    distribution with no active unit, whatever the means of the features; [1]_ take a hundredth.
    Binary units start with small weights. Such weights find nothing to grow on where the features
    are uncorrelated.

    White data (uncorrelated features of variance 1) are all noise to a model with
    ``noise_variance=1.0``: choose a smaller variance, for example 0.7, or "learned".

    Data must be dense. Data must be far from the limits of their dtype, because squares are
    taken. Large means beside small deviations make learning slow: standardise.

    Steps are bounded, so that training stays finite whatever the units of X. If the gradient of
    the weights of one hidden unit is longer than sqrt(n_features), the length of a typical row of
    standardised data, the gradient is rescaled to this length [3]_. The gradient of the logarithm
    of a variance is clipped to [-1, 1]. With the default parameters the bounds changed no bit of a
    fit of standardised digits, breast cancer, wine and iris. With a learned variance the clip acts
    on nearly constant features, such as the rarely used pixels of the digits. The gradient of the
    visible biases is multiplied by ``noise_variance_``. So a feature in other units is learned
    alike if its noise variance is in these units.

    References
    ----------
    .. [1] Melchior, J., Wang, N. & Wiskott, L. (2017). Gaussian-binary restricted Boltzmann
       machines for modeling natural image statistics. PLOS ONE 12, e0171015.
    .. [2] Hinton, G. E. (2012). A practical guide to training restricted Boltzmann machines.
       Neural Networks: Tricks of the Trade, 599-619.
    .. [3] Pascanu, R., Mikolov, T. & Bengio, Y. (2013). On the difficulty of training recurrent
       neural networks. ICML.
    $references

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skrbm import GaussianBernoulliRBM
    >>> X = StandardScaler().fit_transform(load_iris().data)
    >>> rbm = GaussianBernoulliRBM(n_components=2, random_state=0).fit(X)
    >>> rbm.transform(X).shape
    (150, 2)
    >>> rbm.sample(5, random_state=0).shape
    (5, 4)
    """

    _parameter_constraints = BaseRBM._parameter_constraints | {"noise_variance": NOISE_VARIANCE}
    _first_call_decides = (*BaseRBM._first_call_decides, "noise_variance")
    _accepts_sparse = False
    _verbose_rows = 100  # an exact score costs some 50 times a binary one

    def __init__(
        self,
        n_components=256,
        *,
        noise_variance=1.0,
        learning_rate=0.03,
        learning_rate_schedule="inverse_sqrt",
        batch_size=100,
        n_iter=10,
        algorithm="cd",
        n_gibbs_steps=1,
        n_chains=None,
        n_temperatures=10,
        centering=True,
        average=True,
        momentum=0.0,
        weight_decay=0.0,
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
        self.noise_variance = noise_variance
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
        return check_visible(
            self,
            X,
            accept_sparse=False,
            reset=reset,
            allow_nan=allow_unknown,
            real_valued=True,
            counted=counted,
        )

    def _form(self, X):
        return NumberRows(X, squares=True)

    def _check_training(self, rows, chunk=False):
        noise_variance = check_noise_variance(self, rows.n_features, rows.dtype)
        if not chunk:
            warn_badly_scaled(self, rows.summary, noise_variance)

    def _initial_visible(self, summary):
        means, dtype = summary.means, summary.dtype
        noise_variance = check_noise_variance(self, len(means), dtype)
        bias = means.astype(dtype)
        if noise_variance is not None:
            return GaussianLayer(bias, noise_variance.astype(dtype))
        # A constant feature has no scale but its value, of which a tenth is little noise. (With
        # much less the statistic v / s would be so large that it drowns the other features.)
        value = np.where(means == 0, 1, means)
        variance = np.where(summary.constant, np.square(value / 10), summary.variances)
        limits = np.finfo(dtype)
        variance = np.clip(variance, limits.tiny, limits.max).astype(dtype)
        return GaussianLayer(bias, variance, np.zeros_like(bias))

    def _initial_weights(self, visible, center, random_state):
        # N(0, 0.01^2) would stay near 0 on white data, which have no correlations to begin with.
        n_visible, n_hidden = visible.n_units, self.n_components
        limit = np.sqrt(6 / (n_visible + n_hidden))
        weights = random_state.uniform(-limit, limit, (n_visible, n_hidden))
        at_center = np.einsum("i,ij->j", center, weights)  # without BLAS, and its threads
        return weights, np.log(0.1) - at_center - 0.5 * np.square(weights).sum(axis=0)

    def _visible_layer(self, dtype):
        bias, variance = (
            np.ascontiguousarray(fitted_array(self, name, 1, dtype))
            for name in ("intercept_visible_", "noise_variance_")
        )
        fixed = GaussianLayer(bias, variance)
        initial, log_ratio = map(vars(self).get, ("_initial_variance", "_log_ratio"))
        if initial is None:
            return fixed
        initial, log_ratio = (a.astype(dtype, copy=False) for a in (initial, log_ratio))
        learned = GaussianLayer(bias, initial, log_ratio)
        if np.array_equal(learned.noise_variance, variance):
            return learned
        # Somebody has set noise_variance_. (Else the logarithm would lose the last bits.)
        return GaussianLayer(bias, initial, np.log(variance / initial))

    def _visible_attributes(self, visible):
        learned = visible.log_ratio is not None
        return {
            "intercept_visible_": visible.bias,
            "noise_variance_": visible.noise_variance,
            # Where a learned variance started, and what is learned.
            "_initial_variance": visible.initial_variance if learned else None,
            "_log_ratio": visible.log_ratio,
        }
