"""Temperatures at which neighbours swap often, found by chains that run before the others.

Notation::

    beta_k    inverse temperatures, from 1 to 0
    r_k       share of swaps between beta_k and beta_{k+1} that are rejected, on average
    d(r)      = 2 erfinv(r) / sqrt(pi)      the distance of temperatures with this share
    Lambda    = sum_k d(r_k)                the barrier between the model and its base rates

Of close temperatures d(r) = r. If the logarithms of p(v) at the temperatures are distributed
normally, distances add up, and Lambda does not depend on the temperatures that measure it: the
share of swaps that succeed is then erfc of a multiple of beta_k - beta_{k+1} (Kofke, 2002; Kone &
Kofke, 2005). In the limit of many temperatures Lambda is the sum of the r_k, the barrier of Syed,
Bouchard-Cote, Deligiannidis & Doucet (2022). They show for swaps that take turns between even and
odd pairs, as ours do, that states travel between the ends, per step and temperature, most often
if all r_k are the same, and 1/2 where the barrier is large.
"""

import warnings

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.special import erf, erfinv

from .._machine.keys import draw_seed
from .._machine.tempered import TemperedRBM, ladder
from .chains import tempering

#: The share of rejected swaps that temperatures are chosen for.
REJECTED = 0.5
#: Temperatures, at most.
MOST_TEMPERATURES = 100

# How many chains measure swaps, at how many equidistant temperatures they begin, and how many
# steps they make before temperatures are placed anew. The first half of the steps is not counted.
_N_CHAINS, _FIRST, _ROUNDS = 10, 10, (40, 40, 80)

# Bounds of shares: their distances are 0.001 and 5.7.
_LEAST, _MOST = 1e-3, 1 - 1e-12


def tuned(model, base_rate_bias, start, n_rows, random_state):
    """Inverse temperatures, from 1 to 0, for chains that start in the same way.

    The chains that measure swaps are others than those that will draw rows: these then have fixed
    temperatures, and random numbers that had no part in choosing them.

    Parameters
    ----------
    model : RBM
    base_rate_bias : ndarray of shape (N,)
    start : Start
        Where the chains start that will draw rows.
    n_rows : int
        Number of these chains.
    random_state : RandomState

    Returns
    -------
    betas : ndarray of shape (n_temperatures,)
    """
    tempered, betas = TemperedRBM(model, base_rate_bias), ladder(_FIRST)
    chain = np.arange(_N_CHAINS)
    which = chain % n_rows
    if start.known is not None and n_rows > _N_CHAINS:
        # Not the first rows, of which less may be unknown than of the others.
        which = random_state.permutation(n_rows)[which]
    start = start.repeated(which)
    at_all = start.repeated(np.tile(chain, len(betas)))
    v = at_all.rows(model.visible, base_rate_bias, len(betas) * len(chain), random_state)
    for n_steps in _ROUNDS:
        known = start.repeated(np.tile(chain, len(betas))).known
        rejected = rejection(tempered, v, betas, n_steps, draw_seed(random_state), known)
        last, (betas, barrier) = betas, placed(betas, np.nan_to_num(rejected, nan=1))
        nearest = np.abs(betas[:, np.newaxis] - last).argmin(axis=1)
        v = v[(nearest[:, np.newaxis] * len(chain) + chain).ravel()]
    if np.isfinite(rejected).all():
        _warn_of_barrier(barrier)
    return betas


def rejection(tempered, v, betas, n_steps, seed, known=None):
    """The share of swaps that are rejected, for each pair of neighbours, (n_temperatures - 1,).

    The mean of probabilities, of all pairs in every step of the second half; NaN where densities
    are beyond the dtype.

    Parameters
    ----------
    tempered, v, betas, n_steps, seed, known
        As in ``tempering``.
    """
    total, first_counted = np.zeros(len(betas) - 1), n_steps // 2
    betas = betas.astype(tempered.weights.dtype)
    for step, (t, _) in enumerate(tempering(tempered, v, betas, n_steps, seed, known)):
        for parity in range(2) if step >= first_counted else ():
            first, p = tempered.acceptance(t, betas, parity)
            total[first] += p.mean(axis=1)
    return 1 - total / (n_steps - first_counted)


def placed(betas, rejected):
    """Temperatures that are as far apart as ``REJECTED`` asks for, all alike; and the barrier."""
    distances = _distance(np.clip(rejected, _LEAST, _MOST))
    barrier, most = distances.sum(), MOST_TEMPERATURES
    n_temperatures = 1 + min(most - 1, int(np.ceil(barrier / _distance(REJECTED))))
    beta_at = PchipInterpolator(np.append(0, np.cumsum(distances)), betas)  # monotone
    betas = beta_at(np.linspace(0, barrier, n_temperatures))
    betas[[0, -1]] = 1, 0  # exactly
    return betas, float(barrier)


def _distance(rejected):
    return 2 / np.sqrt(np.pi) * erfinv(rejected)


def _warn_of_barrier(barrier):
    rejected = erf(np.sqrt(np.pi) / 2 * barrier / (MOST_TEMPERATURES - 1))
    n_needed = 1 + int(np.ceil(barrier / _distance(REJECTED)))
    if n_needed > MOST_TEMPERATURES:
        warnings.warn(
            f"this machine is so far from its base rates that tempering needs about {n_needed} "
            f"temperatures, of which n_temperatures='auto' takes {MOST_TEMPERATURES} at most. Of "
            f"their swaps about {100 * (1 - rejected):.2g} % will succeed. Start at rows of data "
            f"with init, or give sample n_temperatures={n_needed} if you can wait.",
            UserWarning,
            stacklevel=2,
        )
