"""The machines between base rates and a model, at inverse temperatures from 0 to 1.

At ``beta`` the energy is ``E_beta(v, h) = (1 - beta) E_0(v) + beta E(v, h)``: the base rates at
0, the model at 1 (Salakhutdinov & Murray, ICML 2008). The base rates are the machine before
training: no weights, visible biases ``b_0`` from the data. Let ``delta`` be the input that turns
``b_0`` into the biases of the model. Up to a constant,

    E_beta(v, h) = E_0(v) - beta (phi(v) delta + c h + phi(v) W h).

This is the machine of base rates with one hidden unit more, which is always on and has the
weights ``delta``, and with hidden rows times ``beta``. So one product serves rows at all
temperatures.

Notation as in ``rbm``; ``t`` (n, M + 1) total inputs of the hidden units, with ``phi(v) delta``
last; ``beta`` (n, 1) the inverse temperature of each row, or one number for all.
"""

import numpy as np

from .._kernels import units
from .bernoulli import BernoulliLayer
from .crew import together
from .memory import scratch, taken


def ladder(n_temperatures):
    """Inverse temperatures from 1, the model, down to 0, the base rates."""
    return np.linspace(1, 0, n_temperatures)


def base_rate_layer(visible, bias):
    """The visible layer before training, and the input that turns it into the visible layer.

    Parameters
    ----------
    visible : Layer
    bias : ndarray of shape (N,)
        The bias before training, in any dtype.
    """
    if len(bias) != visible.n_units:
        raise ValueError(
            f"the machine has {visible.n_units} visible units, but the base rates that "
            f"chains start from were learned of {len(bias)}. Fit the machine to data of its own."
        )
    return visible.with_bias(bias.astype(visible.bias.dtype, copy=False))


class TemperedRBM:
    """A model at all temperatures.

    Parameters
    ----------
    model : RBM
    base_rate_bias : ndarray of shape (N,)
        Bias of the visible layer at ``beta = 0``.
    """

    def __init__(self, model, base_rate_bias):
        self.visible, delta = base_rate_layer(model.visible, base_rate_bias)
        n_visible, n_hidden = model.weights.shape
        self.weights = scratch((n_visible, n_hidden + 1), model.dtype)
        self.weights[:, :-1], self.weights[:, -1] = model.weights, delta
        one = np.zeros(1, model.dtype)
        self._bias = np.append(model.hidden.bias, one)
        self._without_bias = BernoulliLayer(np.zeros_like(model.hidden.bias))
        self._last_on = BernoulliLayer(np.append(self._without_bias.bias, one + np.inf))

    def hidden_input(self, v):
        """``t``, shape (n, M + 1)."""
        t = self.visible.forward(v, self.weights)
        t += self._bias
        return t

    def log_density(self, t, beta):
        """Logarithm of the unnormalised ``p_beta(v)``, plus ``E_0(v)``: (n,), in float64."""
        t = _scaled(beta, t)
        return self._without_bias.log_normaliser(t) + t[:, -1]

    def sample_hidden(self, t, beta, key):
        """Hidden rows drawn at ``beta``; the last unit is on. Shape (n, M + 1)."""
        return self._last_on.sample(_scaled(beta, t), key)

    def visible_input(self, h, beta):
        """The input of the visible layer at ``beta``."""
        return self.visible.input(_scaled(beta, h), self.weights)

    def acceptance(self, t, betas, parity):
        """Probabilities that neighbours in temperature swap (Swendsen & Wang, 1986).

        Parameters
        ----------
        t : ndarray of shape (n_temperatures * n_chains, M + 1)
            Total hidden inputs of one row per temperature and chain, all chains of a temperature
            together.
        betas : ndarray of shape (n_temperatures,)
        parity : int
            Even: the first and the second temperature may swap, the third and the fourth, and so
            on. Odd: the second and the third, and so on.

        Returns
        -------
        first : ndarray of shape (n_pairs,)
            The first temperature of each pair.
        p : ndarray of shape (n_pairs, n_chains), float64
        """
        place = np.arange(len(t)).reshape(len(betas), -1)
        first = np.arange(parity % 2, len(betas) - 1, 2)
        proposed = place.copy()
        proposed[first], proposed[first + 1] = place[first + 1], place[first]
        beta = np.repeat(betas, place.shape[1])[:, np.newaxis]
        # A row at the temperature that it would get, less the row at the temperature that it has.
        gain = self.log_density(t, beta[proposed.ravel()]) - self.log_density(t, beta)
        gain = gain.reshape(place.shape)
        return first, np.exp(np.minimum(gain[first] + gain[first + 1], 0))

    def swapped(self, t, betas, parity, key):
        """Replicas after neighbours in temperature have swapped.

        Parameters
        ----------
        t, betas, parity
            As in ``acceptance``.
        key : Key
            Names the random numbers.

        Returns
        -------
        t : ndarray of shape (n_temperatures * n_chains, M + 1)
            The same rows, each at the place of its new temperature.
        """
        first, p = self.acceptance(t, betas, parity)
        accepted = np.empty((1, p.size))
        together(units.bernoulli, p.reshape(1, -1), *key, accepted)
        accepted = accepted.reshape(p.shape) > 0
        place = np.arange(len(t)).reshape(len(betas), -1)
        lower, upper = place[first], place[first + 1]
        place[first] = np.where(accepted, upper, lower)
        place[first + 1] = np.where(accepted, lower, upper)
        return taken(t, place.ravel())


def _scaled(beta, rows):
    """``beta rows``, in the dtype of the rows."""
    return np.multiply(beta, rows, out=scratch(rows.shape, rows.dtype))
