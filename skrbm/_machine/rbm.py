"""The restricted Boltzmann machine itself, for any visible layer: energies and their gradient.

Notation::

    v  visible rows (n, D)          W  weights (D, M)        phi(v)  the visible layer's statistic
    h  hidden rows (n, M)           c  hidden bias (M,)      x = phi(v) W  input of hidden units

    E(v, h)      = E_vis(v) + E_hid(h) - phi(v) W h                   E_hid(h) = -c h
    p(h | v)     = exp(-E_hid(h) + x h) / exp(A_hid(x))               sigmoid(c + x) if h = 1
    F(v)         = -log sum_h exp(-E(v, h)) = E_vis(v) - A_hid(x)     A_hid the log-normaliser

Each layer is asked for what only its own units determine; see ``layer``.
"""

from dataclasses import dataclass

import numpy as np

from .._kernels import updates
from .crew import together
from .layer import Layer
from .memory import copy, empty


@dataclass(frozen=True)
class RBM:
    """A machine: a view of arrays that somebody else owns.

    Parameters
    ----------
    visible : Layer
    weights : ndarray of shape (D, M), C order
        ``W``; a row holds the weights of one visible unit.
    hidden : Layer
        Binary units: a layer with ``phi(h) = h`` and a bias as its only parameter. A machine that
        ``mirrored`` returns may have others, and serves for sums over states alone.
    """

    visible: Layer
    weights: np.ndarray
    hidden: Layer

    def __post_init__(self):
        """Refuse arrays that do not fit together: kernels do not check bounds."""
        for name, layer in (("visible", self.visible), ("hidden", self.hidden)):
            if layer.bias.ndim != 1:
                raise ValueError(f"intercept_{name}_ must be flat, but is {layer.bias.ndim}-D.")
        n_visible, n_hidden = self.weights.shape
        if (n_visible, n_hidden) != (self.visible.n_units, self.hidden.n_units):
            raise ValueError(
                f"components_ of shape {(n_hidden, n_visible)} connects {n_hidden} hidden to "
                f"{n_visible} visible units, but there are biases for {self.hidden.n_units} "
                f"hidden and {self.visible.n_units} visible units."
            )

    @property
    def parameters(self):
        """The arrays to learn: weights, then the hidden layer's, then the visible layer's."""
        return (self.weights, *self.hidden.parameters, *self.visible.parameters)

    @property
    def dtype(self):
        """The dtype of the weights."""
        return self.weights.dtype

    def check_finite(self):
        """Refuse parameters for which sums over states make no sense."""
        if not all(np.isfinite(parameter).all() for parameter in self.parameters):
            raise ValueError(
                "annealing, tempering and enumeration need finite parameters, but some of "
                "components_, intercept_visible_ and intercept_hidden_ are infinite or NaN."
            )

    def copy(self):
        """The same machine with arrays of its own."""
        return RBM(self.visible.copy(), copy(self.weights), self.hidden.copy())

    def with_parameters(self, parameters):
        """The same machine with other arrays to learn, in the order of ``parameters``."""
        weights, hidden_bias, *visible = parameters
        layers = self.visible.with_parameters(visible), self.hidden.with_parameters([hidden_bias])
        return RBM(layers[0], weights, layers[1])

    def mirrored(self):
        """The same machine with its layers in each other's place, for sums over states."""
        return RBM(self.hidden, np.ascontiguousarray(self.weights.T), self.visible)

    # --- inputs ---

    def hidden_input(self, v):
        """``phi(v) W``, shape (n, M)."""
        return self.visible.forward(v, self.weights)

    def visible_input(self, h):
        """``h W^T``, in the form of the visible layer."""
        return self.visible.input(h, self.weights)

    # --- energies ---

    def energy(self, v, h):
        """``E(v, h)`` of each pair of rows, shape (n,)."""
        # Left out where h is 0: an input may be infinite.
        x = np.multiply(self.hidden_input(v), h, out=np.zeros_like(h), where=h != 0)
        return self.visible.energy(v) + self.hidden.energy(h) - x.sum(axis=1)

    def free_energy(self, v):
        """``F(v)`` of each row, shape (n,)."""
        return self.visible.energy(v) - self.hidden.log_normaliser(self.hidden_input(v))

    def pseudo_likelihood(self, v):
        """``log PL(v) = sum_i log p(v_i | v without i)`` of each row, in float64."""
        t = self.hidden_input(v) + self.hidden.bias
        return self.visible.pseudo_likelihood(v, t, self.weights)

    # --- learning ---

    def gradient_sums(self, phases, h, weights=None, paired=False):
        """``sum_pos d(-E)/d parameter - r sum_neg d(-E)/d parameter``, one array per parameter.

        With ``r = n_pos / n_neg`` both phases count alike: divided by ``n_pos``, the sums estimate
        the gradient of the mean log-likelihood. Sums and numbers of rows of several parts add up;
        each part then weighs as much as its rows of data, whatever its number of chains.

        Parameters
        ----------
        phases : phases of the visible layer
        h : ndarray of shape (n_pos + n_neg, M)
            Hidden states or, with less noise, their means given the visible rows of both phases.
        weights : ndarray of shape (n_pos,) or None
            Weights of the rows of data; None: 1 each. ``r`` is their sum, divided by ``n_neg``.
        paired : bool, default=False
            Whether each row of the model began at a row of data, and has its weight.
        """
        n_pos, n_neg = phases.n_pos, len(h) - phases.n_pos
        if weights is None:
            row_weights = np.repeat(np.array([1, -n_pos / n_neg], self.dtype), [n_pos, n_neg])
        else:
            negative = -weights if paired else np.full(n_neg, -weights.sum() / n_neg)
            row_weights = np.concatenate((weights, negative)).astype(self.dtype, copy=False)
        weighted, hidden_bias = empty(h.shape, h.dtype), np.empty_like(self.hidden.bias)
        together(updates.weigh_rows, h, row_weights, weighted, hidden_bias)
        weights, *visible = self.visible.gradient(phases, weighted, row_weights, self.weights)
        return (weights, hidden_bias, *visible)
