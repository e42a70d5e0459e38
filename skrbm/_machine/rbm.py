"""The restricted Boltzmann machine itself: energies and conditionals, for any visible layer.

Notation::

    v  visible rows (n, D)          W  weights (D, M)        phi(v)  the layer's statistic
    h  hidden rows (n, M)           c  hidden bias (M,)      x(v) = c + phi(v) W

    E(v, h)      = E_vis(v) - c h - phi(v) W h
    p(h_j=1 | v) = sigmoid(x_j(v))
    F(v)         = -log sum_h exp(-E(v, h)) = E_vis(v) - sum_j log(1 + exp(x_j(v)))

Visible rows may be scipy sparse matrices wherever a method does not say otherwise.
"""

from dataclasses import dataclass

import numpy as np

from .._kernels import units, updates


@dataclass(frozen=True)
class RBM:
    """A machine: a view of arrays that somebody else owns.

    Parameters
    ----------
    visible : visible layer
        Any object with the methods of :class:`skrbm._machine.bernoulli.BernoulliVisible`.
    weights : ndarray of shape (D, M), C order
        ``W``; a row holds the weights of one visible unit.
    hidden_bias : ndarray of shape (M,)
        ``c``.
    """

    visible: object
    weights: np.ndarray
    hidden_bias: np.ndarray

    def __post_init__(self):
        """Refuse arrays that do not fit together: kernels do not check bounds."""
        n_visible, n_hidden = self.weights.shape
        biases = (self.visible.n_units, len(self.hidden_bias))
        if (n_visible, n_hidden) != biases or self.hidden_bias.ndim != 1:
            raise ValueError(
                f"components_ of shape {(n_hidden, n_visible)} connects {n_hidden} hidden to "
                f"{n_visible} visible units, but there are biases for {biases[1]} hidden and "
                f"{biases[0]} visible units."
            )

    @property
    def parameters(self):
        """The arrays to learn: weights, hidden bias, then the visible layer's."""
        return (self.weights, self.hidden_bias, *self.visible.parameters)

    # --- energies ---

    def hidden_input(self, v):
        """``x(v)``, shape (n, M)."""
        return self.visible.forward(v, self.weights) + self.hidden_bias

    def energy(self, v, h):
        """``E(v, h)`` of each pair of rows, shape (n,)."""
        # Left out where h is 0: an input may be infinite.
        x = np.multiply(self.hidden_input(v), h, out=np.zeros_like(h), where=h != 0)
        return self.visible.energy(v) - x.sum(axis=1)

    def free_energy(self, v):
        """``F(v)`` of each row, shape (n,)."""
        return self.visible.energy(v) - np.logaddexp(0, self.hidden_input(v)).sum(axis=1)

    def pseudo_likelihood(self, v):
        """``log PL(v) = sum_i log p(v_i | v without i)`` of each row of dense ``v``, float64."""
        return self.visible.pseudo_likelihood(v, self.hidden_input(v), self.weights)

    # --- conditionals ---

    def hidden_mean(self, v):
        """``p(h = 1 | v)``, shape (n, M)."""
        x = self.visible.forward(v, self.weights)
        out = np.empty_like(x)
        units.sigmoid(x, self.hidden_bias, out)
        return out

    def draw_hidden(self, mean, draw):
        """Hidden states drawn with probabilities ``mean``; ``draw`` names the random numbers."""
        out = np.empty_like(mean)
        units.bernoulli(mean, *draw, out)
        return out

    def sample_hidden(self, v, draw):
        """A draw from ``p(h | v)``, shape (n, M)."""
        return self.draw_hidden(self.hidden_mean(v), draw)

    def visible_mean(self, h):
        """``E[v | h]``, shape (n, number of features)."""
        return self.visible.mean(self._checked(h), self.weights)

    def expected_visible(self, h, like):
        """``E[v | h]`` as visible rows of the form of ``like``."""
        return self.visible.expected(self._checked(h), self.weights, like)

    def sample_visible(self, h, draw, out=None):
        """A draw from ``p(v | h)``, into ``out`` or new rows. What ``out`` misses stays so."""
        return self.visible.sample(self._checked(h), self.weights, draw, out)

    def _checked(self, h):
        """``h``, if it fits: kernels do not check bounds."""
        if h.shape[1] != self.weights.shape[1]:
            n_hidden = self.weights.shape[1]
            raise ValueError(f"{h.shape[1]} hidden units given to a machine of {n_hidden}")
        return h

    # --- learning ---

    def gradient(self, v, h, row_weights):
        """``sum_r row_weights[r] * d(-E(v_r, h_r))/d parameter``, one array per parameter.

        With weights ``1/n_pos`` for rows of data and ``-1/n_neg`` for rows of the model this
        is the (estimated) gradient of the mean log-likelihood, both phases in one matrix
        product. Being a sum over rows, it adds up over parts of a batch.

        Parameters
        ----------
        v : ndarray of shape (n, D), or rows of the layer's own form
        h : ndarray of shape (n, M)
            Hidden states or, with less noise, their means given ``v``.
        row_weights : ndarray of shape (n,)
        """
        weighted, hidden_bias = np.empty_like(h), np.empty_like(self.hidden_bias)
        updates.weigh_rows(h, row_weights, weighted, hidden_bias)
        weights, *visible = self.visible.gradient(v, weighted, row_weights, self.weights)
        return (weights, hidden_bias, *visible)
