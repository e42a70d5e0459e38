"""BernoulliRBM: binary visible units."""

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ._estimator.base import BaseRBM
from ._estimator.bits import BitMethods
from ._estimator.descriptions import described
from ._estimator.fitted import features_of, fitted_array, replace_fitted
from ._input.checks import (
    check_binary,
    check_visible,
    outside_unit_interval,
    warn_outside_unit_interval,
)
from ._input.numbers import NumberRows
from ._input.parameters import BINARY_CONSTRAINTS
from ._machine.bernoulli import BernoulliLayer
from ._machine.keys import draw_seed
from ._machine.rbm import RBM
from ._training.centring import Centring
from ._training.state import State


@described
class BernoulliRBM(BitMethods, BaseRBM):
    """Restricted Boltzmann machine with binary visible and binary hidden units.

    The estimator is a drop-in superset of :class:`sklearn.neural_network.BernoulliRBM`: it has
    the same parameters and attributes, and more of each, with defaults of its own. The energy of
    visible units v and hidden units h is ``E(v, h) = -b v - c h - v W^T h`` with
    ``W = components_``, ``b = intercept_visible_`` and ``c = intercept_hidden_``. A
    value between 0 and 1, such as a grey pixel, is read as the probability of a 1.

    A *schedule* is a number, or a sequence of one value per epoch. After its end the last value
    of a sequence stays in force. A schedule can be cloned, pickled and grid-searched like any
    other parameter.

    Parameters
    ----------
    $n_components

    $learning_rate
        Tune the rate, between 1 and 0.001.

    $learning_rate_schedule

    $batch_size

    $n_iter

    $algorithm

        Sources: [1]_ of "cd", [2]_ of "pcd", [4]_ of "pt".

    $n_gibbs_steps

    $n_chains

    $n_temperatures

    $centering
        Hidden biases start such that a row of means leaves hidden units undecided.

    $average

    $momentum

    $weight_decay

    $l1_penalty

    $negative_visibles
        Section 3.2 of [3]_ compares both.

    positive_visibles : {"sample", "mean"}, default="sample"
        The visible units of the positive phase where values of X lie inside (0, 1): the values
        themselves, the means of bits; or bits drawn with these probabilities, anew in each
        epoch. For bits of X both are the same.

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
    components_ : ndarray of shape (n_components, n_features)
        Weights.

    $intercept_hidden_

    intercept_visible_ : ndarray of shape (n_features,)
        Biases of the visible units. The biases start at the log-odds of the training data.

    $h_samples_

    $n_iter_

    $history_

    $n_features_in_

    $feature_names_in_

    See Also
    --------
    GaussianBernoulliRBM : The model of real-valued data.
    SoftmaxRBM : The model of categories, of which entries may be missing.
    sklearn.neural_network.BernoulliRBM : The estimator that this one extends.

    Notes
    -----
    Each phase of the gradient is averaged over its own number of rows. So mini-batches of any
    size, and any number of chains, have the same fixed point.

    References
    ----------
    .. [1] Hinton, G. E. (2002). Training products of experts by minimizing contrastive
       divergence. Neural Computation 14, 1771-1800.
    .. [2] Tieleman, T. (2008). Training restricted Boltzmann machines using approximations to
       the likelihood gradient. ICML.
    .. [3] Hinton, G. E. (2012). A practical guide to training restricted Boltzmann machines.
       Neural Networks: Tricks of the Trade, 599-619.
    .. [4] Desjardins, G., Courville, A., Bengio, Y., Vincent, P. & Delalleau, O. (2010). Tempered
       Markov chain Monte Carlo for training of restricted Boltzmann machines. AISTATS.
    $references

    Examples
    --------
    >>> import numpy as np
    >>> from skrbm import BernoulliRBM
    >>> X = np.array([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 1]])
    >>> rbm = BernoulliRBM(n_components=2, random_state=0).fit(X)
    >>> rbm.transform(X).shape
    (4, 2)
    >>> rbm.sample(5, random_state=0).shape
    (5, 3)
    """

    _parameter_constraints = BaseRBM._parameter_constraints | BINARY_CONSTRAINTS

    def __init__(
        self,
        n_components=256,
        *,
        learning_rate=0.7,
        learning_rate_schedule="inverse_sqrt",
        batch_size=50,
        n_iter=20,
        algorithm="pcd",
        n_gibbs_steps=1,
        n_chains=None,
        n_temperatures=10,
        centering=True,
        average=True,
        momentum=0.0,
        weight_decay=0.0,
        l1_penalty=0.0,
        negative_visibles="sample",
        positive_visibles="sample",
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
        self.positive_visibles = positive_visibles
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.shuffle = shuffle
        self.verbose = verbose
        self.random_state = random_state

    @classmethod
    def from_sklearn(cls, estimator):
        """An estimator that goes on with a machine that scikit-learn has fitted.

        Parameters
        ----------
        estimator : sklearn.neural_network.BernoulliRBM
            A fitted estimator; unchanged.

        Returns
        -------
        rbm : BernoulliRBM
            It has the parameters, the weights, the biases and the persistent chains of
            ``estimator``. ``n_iter_`` is 0 and ``history_`` is empty: they count epochs made here.
            scikit-learn does not keep the base rates of the training data, at which chains and
            annealing start. The biases of the visible units stand for them.

        Raises
        ------
        NotFittedError
            If ``estimator`` is not fitted.
        TypeError
            If ``estimator`` is none of scikit-learn's machines.
        ValueError
            If its fitted attributes do not fit together.

        See Also
        --------
        partial_fit : Go on learning with the result.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn import neural_network
        >>> from skrbm import BernoulliRBM
        >>> X = np.array([[0, 1, 1], [1, 0, 0], [0, 1, 0], [1, 0, 1]])
        >>> theirs = neural_network.BernoulliRBM(n_components=2, random_state=0).fit(X)
        >>> ours = BernoulliRBM.from_sklearn(theirs)
        >>> np.allclose(ours.transform(X), theirs.transform(X))
        True
        >>> ours.partial_fit(X).n_iter_
        1
        """
        from sklearn import neural_network  # slow to import, and seldom needed

        if not isinstance(estimator, neural_network.BernoulliRBM):
            raise TypeError(
                "from_sklearn takes a fitted sklearn.neural_network.BernoulliRBM. Got "
                f"{type(estimator).__name__}."
            )
        check_is_fitted(estimator, "components_")
        weights = fitted_array(estimator, "components_", 2)
        # A clone has a generator of its own. The machine decides how many units there are.
        rbm = cls(**clone(estimator).set_params(n_components=len(weights)).get_params())
        visible, hidden = (
            BernoulliLayer(fitted_array(estimator, name, 1, weights.dtype).copy())
            for name in ("intercept_visible_", "intercept_hidden_")
        )
        model = RBM(visible, np.array(weights.T, order="C"), hidden)
        # Means of the training data, too, are unknown.
        base_rates = model.visible.mean(np.zeros((1, model.visible.n_units), weights.dtype))[0]
        state = State(
            model=model,
            seed=draw_seed(check_random_state(rbm.random_state)),
            base_rate_bias=model.visible.bias.copy(),
            chains=fitted_array(estimator, "h_samples_", 2, weights.dtype).copy(),
            centring=Centring.at(model, base_rates),
        )
        replace_fitted(rbm, features_of(estimator) | rbm._attributes(state))
        return rbm

    def _table(self, X, *, reset=False, allow_unknown=False, counted=None):
        return check_visible(
            self, X, accept_sparse=True, reset=reset, allow_nan=allow_unknown, counted=counted
        )

    def _form(self, X):
        return NumberRows(X, clip=True)

    def _check_reading(self, rows):
        if outside_unit_interval(*rows.extremes, rows.given_dtype):
            warn_outside_unit_interval(self, *rows.extremes, rows.all_whole)

    def _initial_visible(self, summary):
        # Log-odds with half a row of each value added (Jeffreys' prior), so that constant
        # columns stay finite.
        ones = np.clip(summary.sums, 0, summary.n_rows)  # sums of weights are rounded
        bias = np.log((ones + 0.5) / (summary.n_rows - ones + 0.5))
        return BernoulliLayer(bias.astype(summary.dtype))

    def _visible_layer(self, dtype):
        return BernoulliLayer(
            np.ascontiguousarray(fitted_array(self, "intercept_visible_", 1, dtype))
        )

    def _visible_attributes(self, visible):
        return {"intercept_visible_": visible.bias}

    def _check_states(self, rows):
        check_binary(self, rows.X)
