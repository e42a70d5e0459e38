"""The contract of a layer: all that the rest of the package asks of units.

A layer is data and functions of them. The hidden side of every machine in this package is a
:class:`~skrbm._machine.bernoulli.BernoulliLayer`, the very layer that binary visible units are.
The functions below say "this layer" and "the other layer". Training, chains, likelihoods and
scores use these functions and no others, and never ask for the class of a layer.

Notation, for n rows::

    v        rows of this layer (n, N), as an array or in a form of the layer's own
    phi(v)   what meets the weights (n, N)
    h        rows of the other layer (n, M)
    W        weights (N, M), C order: one row per unit of this layer
    x        input of this layer (n, N): what the other layer sends to it, x = h W^T
    b        bias (N,), part of the parameters of this layer

    p(v | h) = exp(-E(v) + phi(v) x) / exp(A(x))        E(v) the energy of this layer alone
    A(x)     = log sum_v exp(-E(v) + phi(v) x)          the log-normaliser; an integral for reals

The units of a layer are independent given the other layer: A, the mean and the samples are made
of N independent parts. Arrays of parameters are updated in place and never replaced.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import fields, replace

import numpy as np

__all__ = ["Layer"]


class Layer(ABC):
    """The units of one side of a machine. ``bias`` (N,) is an attribute of every layer."""

    # --- data ---

    @property
    def n_units(self):
        """Number of units, N."""
        return len(self.bias)

    @property
    def n_features(self):
        """Number of features of a row, as a user counts them."""
        return self.n_units

    @property
    def scale(self):
        """What an input is multiplied by in the unit of the bias.

        An input ``x`` has the effect of ``scale * x`` more bias; ``E`` falls by ``phi(v)`` for
        each ``scale`` more bias, up to a function of the bias alone.
        """
        return 1

    def copy(self):
        """The same layer, a dataclass, with arrays of its own."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        arrays = {k: v.copy() for k, v in values.items() if isinstance(v, np.ndarray)}
        return replace(self, **arrays)

    def with_parameters(self, parameters):
        """The same layer, a dataclass, with other arrays to learn."""
        others = dict(zip(map(id, self.parameters), parameters, strict=True))
        values = {field.name: id(getattr(self, field.name)) for field in fields(self)}
        return replace(self, **{k: others[v] for k, v in values.items() if v in others})

    @property
    def n_states(self):
        """Number of joint states of the units, if enumeration can list them; else infinity."""
        return math.inf

    @property
    @abstractmethod
    def parameters(self):
        """The arrays to learn, a tuple that begins with the bias."""

    # --- towards the other layer ---

    @abstractmethod
    def forward(self, v, weights):
        """``phi(v) W``, the input of the other layer, shape (n, M)."""

    @abstractmethod
    def energy(self, v):
        """``E(v)`` of each row, shape (n,)."""

    # --- functions of the input ---

    @abstractmethod
    def input(self, h, weights):
        """``x = h W^T``, in the form that the functions of the input take.

        That form is an array (n, N), or anything of which the layer computes only what it needs.
        """

    @abstractmethod
    def mean(self, x):
        """``E[v | x]`` of each unit, shape (n, N). Units of categories: their probabilities."""

    @abstractmethod
    def sample(self, x, key, out=None):
        """Rows drawn from ``p(v | x)``, written to ``out``.

        Entries that the rows of ``out`` do not observe stay missing.

        Parameters
        ----------
        x : input
        key : Key
            Names the random numbers.
        out : rows, or None
            None: new rows, all entries of which are drawn.
        """

    def mean_and_sample(self, x, key, first=0):
        """``mean(x)`` and ``sample(x[first:], key)``, for a layer that computes both faster.

        ``x`` is an array (n, N), as in ``log_normaliser``.
        """
        return self.mean(x), self.sample(x[first:], key)

    @abstractmethod
    def log_normaliser(self, x, shift=0.0):
        """``A(x + shift)`` of each row, shape (n,), in float64.

        ``x`` is an array (n, N), whatever the form of ``input``; ``shift`` (N,) is for all rows.
        """

    # --- rows and features, as a user knows them ---

    @abstractmethod
    def values(self, v):
        """Complete rows as an array of the values of X, shape (n, number of features)."""

    @abstractmethod
    def feature_mean(self, x):
        """``E[value | x]`` of each feature, shape (n, number of features)."""

    @abstractmethod
    def point_estimate(self, mean):
        """The complete rows that stand for means of units (n, N).

        A number stands for its mean; the most probable category stands for probabilities.
        """

    @abstractmethod
    def clamp(self, v, given, known):
        """Put the known entries of complete rows ``given`` into complete rows ``v``, in place.

        ``known`` (n, number of features) says which entries these are.
        """

    # --- scores ---

    @abstractmethod
    def squared_error(self, v, x):
        """How far the values of rows are from their means.

        Returns
        -------
        squares : float
            Sum of ``(value - E[value | x])^2`` over entries.
        misfit : float
            The same free of the units of X, plus a little for each entry. So two misfits have a
            ratio, which is near 1 where all errors are negligible.
        n_entries : int
        """

    def variance_of(self, weights):
        """Mean variance, in units of misfit, that weights make of hidden units at random.

        0 where means are bounded, whatever the weights.
        """
        return 0.0

    @abstractmethod
    def pseudo_likelihood(self, v, t, weights):
        """``sum_i log p(v_i | all other v)`` of each row, exact, shape (n,), in float64.

        The hidden units, of total inputs ``t = c + phi(v) W`` (n, M), are binary and summed out.
        """

    # --- learning ---

    @abstractmethod
    def phases(self, rows, which, n_neg):
        """Rows of data, and room for rows of the model.

        Parameters
        ----------
        rows : Rows
            Training data, in the form of this layer.
        which : slice or ndarray of int
            The rows of a mini-batch.
        n_neg : int or None
            Number of complete rows of the model. None: as many as rows of data, and each with the
            features that the row of data has observed.

        Returns
        -------
        phases : object with ``positive``, ``negative``, ``both``, ``n_pos``, ``replace_negative``
            ``positive`` are the rows of data, and ``n_pos`` is their number. ``negative`` are the
            rows of the model: ``sample(out=)`` draws them, or ``replace_negative`` puts others in
            their place. ``both`` has the rows of data above the rows of the model.
        """

    @abstractmethod
    def mean_rows(self, x, like):
        """``E[v | x]`` as rows for ``gradient``, of the features that rows ``like`` observe."""

    @abstractmethod
    def gradient(self, phases, h, row_weights, weights):
        """``sum_r row_weights[r] d(-E(v_r, h_r))/d parameter`` over the rows of both phases.

        The layer stacks the phases if one product of both is faster than two products.

        Parameters
        ----------
        phases : what ``phases`` returned
        h : ndarray of shape (n, M)
            Rows of the other layer, each times its weight.
        row_weights : ndarray of shape (n,)
        weights : ndarray of shape (N, M)

        Returns
        -------
        gradient : tuple of ndarray
            For the weights, then for each of ``parameters``.
        """

    def centers(self, means):
        """Where the rows are that meet tables of weights: means over rows of data.

        Parameters
        ----------
        means : ndarray of shape (N,)
            Of the values of the units; of categories, the shares of all rows.

        Returns
        -------
        centers : tuple of ndarray
            One for the weights, then one for each of ``parameters`` that is a table of weights.
        """
        return (means / self.scale,)

    def precondition(self, sums, n_rows):
        """What the step follows, times ``n_rows``, for all parameters of a machine.

        A layer whose units have a scale makes the step free of the scale, and bounds the step.

        Parameters
        ----------
        sums : sequence of ndarray
            Sums over rows, in the order of the parameters of the machine; may be overwritten.
        n_rows : int
            The sums divided by this number are the gradient of the mean log-likelihood.
        """
        return sums

    def constrain(self):  # noqa: B027 - most layers have no bounds
        """Put the parameters back into their bounds after a step."""

    # --- annealing and tempering ---

    @abstractmethod
    def with_bias(self, bias):
        """This layer with another bias, and the input that undoes the change.

        Returns
        -------
        layer : Layer
            The layer of a machine with one hidden unit more than this one.
        delta : ndarray of shape (N,)
            Weights of that unit. While it is on, the layer has the distributions of this layer.
        """
