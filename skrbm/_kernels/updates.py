"""Numba functions of an update: sums over rows that make a gradient, and steps along it.

The house rules stand in ``inlined``.
"""

from .cache import kernel
from .inlined import OPTIONS, REORDERED

__all__ = [
    "add_gradient",
    "add_step",
    "approach",
    "center",
    "moments",
    "project",
    "row_dots",
    "weigh_rows",
]


@kernel(**OPTIONS)
def weigh_rows(rows, weights, weighted, total):
    """``weighted[r] = weights[r] rows[r]`` and their sum, in one pass.

    Parameters
    ----------
    rows : ndarray of shape (n, N)                                                        IN
    weights : ndarray of shape (n,)                                                       IN
    weighted : ndarray of shape (n, N)                                                    OUT
    total : ndarray of shape (N,)                                                         OUT
    """
    total[:] = 0
    for r in range(rows.shape[0]):
        for i in range(rows.shape[1]):
            weighted[r, i] = weights[r] * rows[r, i]
            total[i] += weights[r] * rows[r, i]


@kernel(**OPTIONS)
def moments(rows, center, weights, first, second):
    """``first = sum_r weights[r] d_r`` and ``second``, with ``d_r^2``, of ``d = rows - center``.

    Parameters
    ----------
    rows : ndarray of shape (n, N)                                                        IN
    center : ndarray of shape (N,)                                                        IN
    weights : ndarray of shape (n,)                                                       IN
    first, second : ndarray of shape (N,)                                                 OUT
    """
    first[:] = 0
    second[:] = 0
    for r in range(rows.shape[0]):
        for i in range(rows.shape[1]):
            d = rows[r, i] - center[i]
            first[i] += weights[r] * d
            second[i] += weights[r] * d * d


@kernel(**REORDERED)
def row_dots(a, b, out):
    """``out[i] = sum_j a[i, j] b[i, j]``.

    Parameters
    ----------
    a, b : ndarray of shape (n, N)                                                        IN
    out : ndarray of shape (n,)                                                           OUT
    """
    for i in range(a.shape[0]):
        x, y = a[i], b[i]
        total = a.dtype.type(0)
        for j in range(x.shape[0]):
            total += x[j] * y[j]
        out[i] = total


@kernel(**OPTIONS)
def add_step(sums, scale, learning_rate, l2, l1, momentum, velocity, parameter):
    """One step of gradient ascent with momentum and penalties, in one pass over memory.

    ``slope = scale * sums - l2 * parameter - l1 * sign(parameter)``, then ``velocity = momentum *
    velocity + learning_rate * slope`` and ``parameter += velocity``.

    Parameters
    ----------
    sums : ndarray of shape (size,)                                                       IN
        ``scale * sums`` is the gradient.
    scale, learning_rate, l2, l1, momentum : scalar of the arrays' dtype                  IN
    velocity, parameter : ndarray of shape (size,)                                        INOUT
    """
    zero = sums.dtype.type(0)
    for i in range(parameter.shape[0]):
        p = parameter[i]
        sign = l1 if p > 0 else (-l1 if p < 0 else zero)
        slope = scale * sums[i] - l2 * p - sign
        velocity[i] = momentum * velocity[i] + learning_rate * slope
        parameter[i] = p + velocity[i]


@kernel(**OPTIONS)
def add_gradient(sums, scale, learning_rate, l2, l1, parameter):
    """``add_step`` without momentum: nothing to remember, half the memory traffic.

    Parameters
    ----------
    sums : ndarray of shape (size,)                                                       IN
        ``scale * sums`` is the gradient.
    scale, learning_rate, l2, l1 : scalar of the arrays' dtype                            IN
    parameter : ndarray of shape (size,)                                                  INOUT
    """
    zero = sums.dtype.type(0)
    for i in range(parameter.shape[0]):
        p = parameter[i]
        sign = l1 if p > 0 else (-l1 if p < 0 else zero)
        parameter[i] = p + learning_rate * (scale * sums[i] - l2 * p - sign)


@kernel(**OPTIONS)
def center(sums, center, hidden, statistic, hidden_center):
    """Two rank-one corrections: ``sums[i] -= center[i] hidden + statistic[i] hidden_center``.

    Parameters
    ----------
    sums : ndarray of shape (N, M)                                                        INOUT
    center, statistic : ndarray of shape (N,)                                             IN
    hidden, hidden_center : ndarray of shape (M,)                                         IN
    """
    for i in range(sums.shape[0]):
        for j in range(sums.shape[1]):
            sums[i, j] -= center[i] * hidden[j] + statistic[i] * hidden_center[j]


@kernel(**REORDERED)
def project(table, left, right, at_left, at_right):
    """``at_left = left^T table`` and ``at_right = table right``, in one pass over memory.

    Parameters
    ----------
    table : ndarray of shape (N, M)                                                       IN
    left, right : ndarray of shape (N,), (M,)                                             IN
    at_left, at_right : ndarray of shape (M,), (N,)                                       OUT
    """
    at_left[:] = 0
    for i in range(table.shape[0]):
        row, factor, total = table[i], left[i], table.dtype.type(0)
        for j in range(row.shape[0]):
            total += row[j] * right[j]
            at_left[j] += factor * row[j]
        at_right[i] = total


@kernel(**OPTIONS)
def approach(parameter, share, average):
    """``average += share (parameter - average)``.

    Parameters
    ----------
    parameter : ndarray of shape (size,)                                                  IN
    share : scalar of the arrays' dtype                                                   IN
    average : ndarray of shape (size,)                                                    INOUT
    """
    for i in range(average.shape[0]):
        average[i] += share * (parameter[i] - average[i])
