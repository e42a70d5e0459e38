"""The machines between base rates and a model, at inverse temperatures from 0 to 1.

At ``beta`` the energy is ``E_beta(v, h) = (1 - beta) E_base(v) + beta E(v, h)``: no weights and
the biases before training at 0, the model at 1 (Salakhutdinov & Murray, ICML 2008). With
``delta`` the input that turns the base rates into the biases of the model, up to a constant,

    E_beta(v, h) = E_base(v) - beta (phi(v) delta + c h + phi(v) W h).

This is the machine of base rates with one hidden unit more that is always on, its weights
``delta``, and hidden rows times ``beta``: one product serves rows at all temperatures.

Notation as in ``rbm``; ``x`` (n, M + 1) the hidden inputs, with ``phi(v) delta`` last;
``beta`` (n, 1) that of each row, or a number.
"""

import numpy as np

from .._kernels import sums, units


def ladder(n_temperatures):
    """Inverse temperatures from that of the model, 1, to that of the base rates, 0."""
    return np.linspace(1, 0, n_temperatures)


class TemperedRBM:
    """A model at all temperatures.

    Parameters
    ----------
    model : RBM
    base_bias : ndarray of shape (C,)
        Bias of the visible layer at ``beta = 0``.
    """

    def __init__(self, model, base_bias):
        dtype, n_hidden = model.weights.dtype, len(model.hidden_bias)
        self.visible, delta = model.visible.rebased(base_bias.astype(dtype, copy=False))
        self.weights = np.column_stack((model.weights, delta))
        self.hidden_bias = np.append(model.hidden_bias, dtype.type(0))
        self._no_bias = np.zeros(n_hidden, dtype)
        self._last_on = np.append(self._no_bias, dtype.type(np.inf))

    def hidden_input(self, v):
        """``x(v)``, shape (n, M + 1)."""
        x = self.visible.forward(v, self.weights)
        x += self.hidden_bias
        return x

    def log_density(self, x, beta):
        """Logarithm of the unnormalised ``p_beta(v)``, plus ``E_base(v)``: (n,), float64."""
        x = beta * x
        out = np.empty(len(x))
        sums.softplus_sums(x, self._no_bias, out)
        return out + x[:, -1]

    def draw_hidden(self, x, beta, draw):
        """Hidden states at ``beta``; the last unit is on. Shape (n, M + 1)."""
        x = beta * x
        h = np.empty_like(x)
        units.bernoulli_sigmoid(x, self._last_on, *draw, h)
        return h

    def sample_visible(self, h, beta, draw, out=None):
        """A draw from ``p_beta(v | h)``, into ``out`` or complete rows."""
        return self.visible.sample(beta * h, self.weights, draw, out)

    def expected_visible(self, h, like):
        """``E[v | h]`` of the model, as visible rows of the form of ``like``."""
        return self.visible.expected(h, self.weights, like)

    def exchanged(self, x, betas, parity, draw):
        """Replicas after an exchange of temperatures (Swendsen & Wang, 1986).

        Parameters
        ----------
        x : ndarray of shape (n_temperatures * n_chains, M + 1)
            Hidden inputs of one row per temperature and chain, all chains of a temperature
            together.
        betas : ndarray of shape (n_temperatures,)
        parity : int
            Whether neighbours exchange from the first temperature on or, if odd, the second.
        draw : tuple
            Names the random numbers.

        Returns
        -------
        x : ndarray of shape (n_temperatures * n_chains, M + 1)
            The same rows, each where its new temperature is.
        """
        place = np.arange(len(x)).reshape(len(betas), -1)
        first = np.arange(parity % 2, len(betas) - 1, 2)
        proposed = place.copy()
        proposed[first], proposed[first + 1] = place[first + 1], place[first]
        beta = np.repeat(betas, place.shape[1])[:, np.newaxis]
        # Row r at the temperature that it would get, less at that which it has.
        gain = self.log_density(x, beta[proposed.ravel()]) - self.log_density(x, beta)
        gain = gain.reshape(place.shape)
        p = np.exp(np.minimum(gain[first] + gain[first + 1], 0))
        accepted = np.empty((1, p.size))
        units.bernoulli(p.reshape(1, -1), *draw, accepted)
        accepted = accepted.reshape(p.shape) > 0
        for side in (first, first + 1):
            place[side] = np.where(accepted, proposed[side], place[side])
        return x[place.ravel()]
