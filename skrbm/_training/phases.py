"""The two phases of an update: data, and the model as chains know it.

Contrastive divergence (CD-k; Hinton, 2002) starts the negative chains at the rows of the
batch, persistent CD (PCD-k; Tieleman, 2008) where the last update's chains stopped, and so
does parallel tempering, with chains at higher temperatures besides. Positive phase: data with
hidden means. Negative phase: k Gibbs steps, then hidden means again. Each phase is averaged over
its own number of rows.
"""

import numpy as np

from .._machine.tempered import TemperedRBM, ladder


def contrast(state, settings, v, n_pos, n_gibbs_steps):
    """The CD or PCD estimate of the gradient of the mean log-likelihood; moves the chains.

    Parameters
    ----------
    v : ndarray of shape (n_pos + n_neg, D), or rows of the layer's own form
        The rows of the batch; room for those of the negative phase, which are written here.

    Returns
    -------
    gradient : tuple of ndarray
        One array per parameter of the model.
    """
    model = state.model
    v_pos, v_neg = v[:n_pos], v[n_pos:]

    def draw(purpose):
        return state.seed, state.n_updates, purpose

    if state.chains.ndim == 3:  # several temperatures
        v[n_pos:] = tempered_negatives(state, settings, n_gibbs_steps)
        return _difference(model, v, model.hidden_mean(v), n_pos)

    # Where the chains start: the whole difference between CD and PCD.
    if settings.persistent:
        h_neg = state.chains
    else:
        h_pos = model.hidden_mean(v_pos)
        h_neg = model.draw_hidden(h_pos, draw(0))

    for k in range(n_gibbs_steps):
        if k > 0:
            h_neg = model.sample_hidden(v_neg, draw(2 * k))
        model.sample_visible(h_neg, draw(2 * k + 1), out=v_neg)

    if settings.mean_negative_visibles:
        # Means enter the gradient; samples drive the chains all the same.
        if settings.persistent:
            state.chains = model.sample_hidden(v_neg, draw(2 * n_gibbs_steps))
        v[n_pos:] = model.expected_visible(h_neg, v_neg)
        v_neg = v[n_pos:]
    if settings.persistent:
        h = model.hidden_mean(v)  # both phases in one matrix product
        if not settings.mean_negative_visibles:
            state.chains = model.draw_hidden(h[n_pos:], draw(2 * n_gibbs_steps))
    else:
        h = np.concatenate((h_pos, model.hidden_mean(v_neg)))
    return _difference(model, v, h, n_pos)


def _difference(model, v, h, n_pos):
    """The gradient of the mean over the first rows, less the mean over the others."""
    n_neg, dtype = v.shape[0] - n_pos, model.weights.dtype
    row_weights = np.repeat(np.array([1 / n_pos, -1 / n_neg], dtype), [n_pos, n_neg])
    return model.gradient(v, h, row_weights)


def tempered_negatives(state, settings, n_gibbs_steps):
    """Rows of the model from chains at all temperatures, which move on.

    Parallel tempering: chains between the base rates, where they mix at once, and the model
    exchange their temperatures (Desjardins et al., 2010; Cho, Raiko & Ilin, 2010).
    """
    tempered = TemperedRBM(state.model, state.base_bias)
    n_temperatures, n_chains, n_hidden = state.chains.shape
    betas = ladder(n_temperatures).astype(state.chains.dtype)
    beta = np.repeat(betas, n_chains)[:, np.newaxis]
    h = np.pad(state.chains.reshape(-1, n_hidden), ((0, 0), (0, 1)), constant_values=1)
    v = None
    for k in range(n_gibbs_steps):
        draws = [(state.seed, state.n_updates, 3 * k + purpose) for purpose in range(3)]
        v_neg = v = tempered.sample_visible(h, beta, draws[0], out=v)
        if k == n_gibbs_steps - 1 and settings.mean_negative_visibles:
            v_neg = tempered.expected_visible(h[:n_chains], v[:n_chains])
        x = tempered.hidden_input(v)
        parity = state.n_updates * n_gibbs_steps + k
        x = tempered.exchanged(x, betas, parity, draws[1])
        h = tempered.draw_hidden(x, beta, draws[2])
    state.chains = h[:, :-1].reshape(state.chains.shape)
    return v_neg[:n_chains]
