"""Learning: the mini-batch loop of contrastive divergence, its schedules and its state.

Contrastive divergence (CD-k; Hinton, 2002) starts the negative chains at the rows of the
batch, persistent CD (PCD-k; Tieleman, 2008) where the last update's chains stopped, and so
does parallel tempering, with chains at higher temperatures besides. Positive phase: data with
hidden means. Negative phase: k Gibbs steps, then hidden means again. Each phase is averaged over
its own number of rows.
"""

from copy import deepcopy
from dataclasses import dataclass, field, replace
from time import perf_counter

import numpy as np

from ._kernels import updates
from ._machine.rbm import RBM
from ._machine.tempered import TemperedRBM, ladder

#: What ``history_`` holds of each epoch.
FIGURES = ("reconstruction_error", "learning_rate", "n_gibbs_steps", "momentum", "seconds")

#: Rows, at most, on which the reconstruction error of an epoch is measured.
ERROR_ROWS = 250


@dataclass(frozen=True)
class Settings:
    """How to learn. A schedule is a number, or one value per epoch of which the last goes on."""

    persistent: bool
    batch_size: int
    n_chains: int
    learning_rate: object  # schedule
    n_gibbs_steps: object  # schedule
    momentum: object  # schedule
    weight_decay: float
    mean_negative_visibles: bool
    shuffle: bool


@dataclass
class State:
    """All that a further epoch needs to know: going on from a copy gives the same bits."""

    model: RBM
    seed: np.uint64
    base_bias: np.ndarray  # the visible layer's bias before training
    # Hidden states: (n_chains, M) of PCD, (n_temperatures, n_chains, M) of tempered chains.
    chains: np.ndarray
    steps: tuple = ()  # the last step of each parameter, for momentum
    n_updates: int = 0
    n_epochs: int = 0
    history: dict = field(default_factory=lambda: {figure: [] for figure in FIGURES})

    def copy(self):
        """A state that shares no array or list with this one."""
        history = {figure: list(values) for figure, values in self.history.items()}
        return replace(deepcopy(replace(self, history={})), history=history)


def scheduled(value, epoch):
    """The value of a schedule in an epoch, counted from 0."""
    return value if np.ndim(value) == 0 else value[min(epoch, len(value) - 1)]


@np.errstate(over="ignore", invalid="ignore")  # an overflow ends as the error below
def train_epoch(state, settings, data):
    """One pass over the data; changes ``state`` and the arrays of its model in place.

    Parameters
    ----------
    state : State
    settings : Settings
    data : object with ``n_rows``, ``batch`` and ``monitor``
        ``batch(rows, dtype, n_chains)`` gives the rows of a slice or of an index array, and
        room for the negative phase below them: that of persistent chains, or, with None, of
        chains that start at the rows. ``monitor(max_rows, block_size)`` yields blocks of at
        most so many rows.

    Raises
    ------
    ValueError
        If a parameter is beyond all bounds at the end of the epoch.
    """
    begin = perf_counter()
    learning_rate = scheduled(settings.learning_rate, state.n_epochs)
    n_gibbs_steps = int(scheduled(settings.n_gibbs_steps, state.n_epochs))
    momentum = scheduled(settings.momentum, state.n_epochs)

    parameters = state.model.parameters
    visible, dtype = state.model.visible, state.model.weights.dtype.type
    if not state.steps and np.any(settings.momentum):
        state.steps = tuple(np.zeros_like(parameter) for parameter in parameters)
    decays = [dtype(settings.weight_decay if p.ndim == 2 else 0) for p in parameters]
    order = row_order(state, data.n_rows) if settings.shuffle else None

    for first in range(0, data.n_rows, settings.batch_size):
        rows = slice(first, min(first + settings.batch_size, data.n_rows))
        n_pos = rows.stop - rows.start
        n_chains = state.chains.shape[-2] if settings.persistent else None
        v = data.batch(rows if order is None else order[rows], dtype, n_chains)
        gradient = contrast(state, settings, v, n_pos, n_gibbs_steps)
        direction = visible.direction(*gradient)
        for k, parameter in enumerate(parameters):
            g, p = direction[k].ravel(), parameter.ravel()
            if state.steps:
                step = state.steps[k].ravel()
                updates.add_step(g, dtype(learning_rate), dtype(momentum), decays[k], step, p)
            else:
                updates.add_gradient(g, dtype(learning_rate), decays[k], p)
        visible.constrain()
        state.n_updates += 1
    state.n_epochs += 1

    limit = np.sqrt(np.finfo(dtype).max)  # beyond it energies overflow; NaN fails as well
    if not all((np.abs(parameter) < limit).all() for parameter in parameters):
        raise ValueError(
            f"training diverged in epoch {state.n_epochs} with learning_rate={learning_rate}: "
            f"a parameter is larger than {limit:.2g} or not a number. Try a smaller "
            "learning_rate, keep learning_rate * weight_decay well below 1, and check the scale "
            "of X."
        )
    error = reconstruction_error(state.model, data.monitor(ERROR_ROWS, settings.batch_size))
    record = (error, learning_rate, n_gibbs_steps, momentum, perf_counter() - begin)
    for figure, value in zip(FIGURES, record, strict=True):
        state.history[figure].append(value)


def row_order(state, n_rows):
    """This epoch's order of rows; it depends on the seed and the epoch alone."""
    rows = np.arange(n_rows, dtype=np.int32 if n_rows < 2**31 else np.int64)
    np.random.default_rng((int(state.seed), state.n_epochs)).shuffle(rows)
    return rows


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


def reconstruction_error(model, blocks):
    """Mean squared difference between an entry and its mean-field reconstruction."""
    total, n_entries = 0.0, 0
    for v in blocks:
        squares, n_terms = model.visible.squared_error(v, model.hidden_mean(v), model.weights)
        total += squares
        n_entries += n_terms
    return total / max(n_entries, 1)  # there may be rows without entries
