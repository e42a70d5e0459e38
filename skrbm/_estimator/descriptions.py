"""What parameters and attributes mean that all estimators share: written once, shown by each.

A line ``$name`` in the docstring of an estimator stands for the description of that name. Lines
of the docstring that follow it, indented, add what is so for this estimator alone.
"""

import re
from inspect import signature
from textwrap import indent

_SHARED = """
n_components : int
    Number of hidden units. The first call of ``partial_fit`` fixes the number: whatever the
    first call fixes, a later call with another value is refused.

learning_rate : float or sequence of float
    Step size of gradient ascent on the mean log-likelihood of a mini-batch; a schedule.

learning_rate_schedule : {"constant", "linear", "inverse_sqrt"}
    How the learning rate falls from update to update. The fall multiplies ``learning_rate``,
    also where that is one value per epoch; set "constant" to have just these values.

    - "constant": the learning rate does not fall.
    - "linear": from ``learning_rate`` to 0 at the end of ``fit``, whatever ``n_iter`` is.
      ``partial_fit`` does not know when learning ends: there the rate does not fall.
    - "inverse_sqrt": as ``sqrt(1000 / (1000 + t))``, where t is the number of updates that
      the machine has seen.

batch_size : int
    Number of rows per mini-batch. The last mini-batch of an epoch holds the rows that are
    left.

n_iter : int
    Number of epochs that ``fit`` makes. An epoch is one pass over the training data.

algorithm : {"cd", "pcd", "pt"}
    How the negative phase, the model's side of the gradient, is estimated.

    - "cd": contrastive divergence, by chains that start at the rows of each mini-batch.
    - "pcd": persistent contrastive divergence, also called stochastic maximum likelihood, by
      chains that go on from update to update.
    - "pt": parallel tempering, by persistent chains at ``n_temperatures`` temperatures. At the
      lowest temperature the chains follow the model, at the highest the base rates, where the
      units are independent. Chains at neighbouring temperatures swap their states, and so move
      from mode to mode. A negative phase costs ``n_temperatures`` times as much as with "pcd".

n_gibbs_steps : int or sequence of int
    Number of Gibbs steps per update, the k of CD-k; a schedule.

n_chains : int or None
    Number of persistent chains; with ``algorithm="pt"``, at each temperature. None means
    ``batch_size``. The first call of ``partial_fit`` fixes the number.

n_temperatures : int
    Number of inverse temperatures with ``algorithm="pt"``, equidistant from 1 to 0. The
    first call of ``partial_fit`` fixes the number.

centering : bool
    Whether the gradient counts units from their means: visible units from the means of the
    training data (with ``partial_fit``, of the first chunk), hidden units from a moving
    average. Weights are then learned apart from biases, and bits as well as flipped bits. The
    model is the same; only the way to it is another, and mostly shorter [centering]_.

average : bool or float
    Whether the fitted attributes are averages of the parameters over updates, which have
    less noise than the parameters after the last update [average]_. A number in (0, 1] is
    the share of all updates, up to the present one, that the average is over (in effect:
    weights grow as a power of the number of the update). True means 0.3, and 1 means all
    updates. Learning itself goes on from the parameters without average, which the estimator
    keeps besides. If you change ``components_`` or another parameter, learning goes on from
    what you set, and the average starts anew.

momentum : float or sequence of float
    Share of the velocity, the last step of a parameter, that is added to the next step, in
    [0, 1); a schedule. If the momentum is 0 throughout, no velocity is kept.

weight_decay : float
    L2 penalty on the weights; biases have none. ``weight_decay * W`` is subtracted from the
    gradient.

l1_penalty : float
    L1 penalty on the weights; biases have none. ``l1_penalty * sign(W)`` is subtracted from the
    gradient. Small weights become smaller still, and large ones stay.

negative_visibles : {"sample", "mean"}
    The visible units of the last Gibbs step as the gradient sees them: a sample, or their means
    given the hidden units, which have less noise and a bias. (The means of bits and of categories
    are probabilities.) Samples drive the chains in either case.

early_stopping : bool
    Whether ``fit`` holds out rows, judges each epoch by ``score`` of these rows, ends where
    the score no longer improves, and keeps the best machine. ``partial_fit`` refuses it.

validation_fraction : float
    Share of the rows of X, in (0, 1), that ``early_stopping`` holds out at random.

n_iter_no_change : int
    With ``early_stopping``, learning ends after more epochs than that without improvement.

tol : float
    With ``early_stopping``, an improvement is a score that is at least so many nats higher
    than the best one before.

warm_start : bool
    Whether ``fit`` of a fitted estimator goes on with its machine, for ``n_iter`` more
    epochs, instead of starting anew. With ``early_stopping`` the same rows of the same X are
    held out again, and the machine that is there may remain the best. If the fit before held
    out other rows or none, held-out rows are known to the machine.

shuffle : bool
    Whether ``fit`` takes the rows in a new order in each epoch.

verbose : int
    If not 0, ``fit`` prints a line per epoch with the exact pseudo-likelihood of some rows, which
    are spread evenly over the training data.

random_state : int, RandomState instance or None
    Determines the initial weights, the rows held out, the order of rows and all random numbers
    of ``fit`` and ``partial_fit``. An int gives the same bits at every call on one computer.
    Matrix products may differ in the last bit between BLAS builds and numbers of BLAS threads.

intercept_hidden_ : ndarray of shape (n_components,)
    Biases of the hidden units.

h_samples_ : ndarray of shape (n_chains, n_components)
    Hidden states of the persistent chains. With ``algorithm="cd"`` all are 0. With "pt" the
    shape is (n_temperatures, n_chains, n_components), and the chains of the model come first.

n_iter_ : int
    Number of epochs made. A call of ``partial_fit`` counts as one epoch.

history_ : dict of list
    Lists of one value per epoch: "reconstruction_error" (mean squared difference between an
    observed entry and its reconstruction, on at most 250 rows, by the parameters that learn,
    which are not averaged), "learning_rate" (at the beginning of the epoch),
    "n_gibbs_steps", "momentum", "seconds"; with ``early_stopping`` "validation_score"
    (``score`` of the held-out rows) and "free_energy_gap" (by how much the mean free energy of
    held-out rows is above that of about as many training rows, in nats: it grows where the machine
    learns its training rows by heart; NaN where entries are missing), else NaN.

n_features_in_ : int
    Number of features seen during fit.

feature_names_in_ : ndarray of shape (``n_features_in_``,)
    Names of the features. The attribute exists if all columns of X had names that are
    strings.
"""

_REFERENCES = """
.. [centering] Melchior, J., Fischer, A. & Wiskott, L. (2016). How to center deep Boltzmann
   machines. Journal of Machine Learning Research 17, 1-61.
.. [average] Polyak, B. T. & Juditsky, A. B. (1992). Acceleration of stochastic approximation
   by averaging. SIAM Journal on Control and Optimization 30, 838-855.
"""

_ENTRIES = {entry.split(" ", 1)[0]: entry for entry in re.split(r"\n\n(?=\w)", _SHARED.strip())}


def described(cls):
    """Class decorator: shared descriptions in the place of ``$name`` lines of the docstring."""
    defaults = {name: p.default for name, p in signature(cls).parameters.items()}

    def entry(match):
        margin, name = match.groups()
        if name == "references":
            return indent(_REFERENCES.strip(), margin)
        head, body = _ENTRIES[name].split("\n", 1)
        if name in defaults:
            default = defaults[name]
            head += (
                f', default="{default}"' if isinstance(default, str) else f", default={default}"
            )
        return indent(f"{head}\n{body}", margin)

    if cls.__doc__ is not None:  # Python drops docstrings with -OO
        cls.__doc__ = re.sub(r"^( *)\$(\w+)$", entry, cls.__doc__, flags=re.MULTILINE)
    return cls
