"""Numba functions of an update: sums over rows that make a gradient, and steps along it.

The house rules stand in ``inlined``.
"""

from .crew import divisible, per_number
from .inlined import OPTIONS, REORDERED

__all__ = [
    "BLOCK",
    "add_gradient",
    "add_step",
    "approach",
    "center",
    "moments",
    "project",
    "row_dots",
    "straighten",
    "weigh_rows",
    "weighted_sum",
]


def _rows_times(multiplications):
    """The work of a kernel that takes so long for each number of its first argument."""
    return lambda *arguments: multiplications * arguments[0].size


@divisible(_rows_times(15), **OPTIONS)
def weigh_rows(rows, weights, weighted, total, first, stop):
    """``weighted[r] = weights[r] rows[r]`` and their sum, in one pass.

    Parameters
    ----------
    rows : ndarray of shape (n, N)                                                        IN
    weights : ndarray of shape (n,)                                                       IN
    weighted : ndarray of shape (n, N)                                                    OUT
    total : ndarray of shape (N,)                                                         OUT
    first, stop : int                                                                     IN
        The columns to do.
    """
    total = total[first:stop]
    total[:] = 0
    for r in range(rows.shape[0]):
        row, out, weight = rows[r, first:stop], weighted[r, first:stop], weights[r]
        for i in range(row.shape[0]):
            out[i] = weight * row[i]
            total[i] += weight * row[i]


@divisible(_rows_times(4), **OPTIONS)
def weighted_sum(rows, weights, total, first, stop):
    """``total = sum_r weights[r] rows[r]``.

    Parameters
    ----------
    rows : ndarray of shape (n, N)                                                        IN
    weights : ndarray of shape (n,)                                                       IN
    total : ndarray of shape (N,)                                                         OUT
    first, stop : int                                                                     IN
        The columns to do.
    """
    total = total[first:stop]
    total[:] = 0
    for r in range(rows.shape[0]):
        row, weight = rows[r, first:stop], weights[r]
        for i in range(row.shape[0]):
            total[i] += weight * row[i]


@divisible(_rows_times(6), **OPTIONS)
def moments(rows, center, weights, means, squares, first, stop):
    """``means = sum_r weights[r] d_r`` and ``squares``, with ``d_r^2``, of ``d = rows - center``.

    Parameters
    ----------
    rows : ndarray of shape (n, N)                                                        IN
    center : ndarray of shape (N,)                                                        IN
    weights : ndarray of shape (n,)                                                       IN
    means, squares : ndarray of shape (N,)                                                OUT
    first, stop : int                                                                     IN
        The columns to do.
    """
    center, means, squares = center[first:stop], means[first:stop], squares[first:stop]
    means[:] = 0
    squares[:] = 0
    for r in range(rows.shape[0]):
        row, weight = rows[r, first:stop], weights[r]
        for i in range(row.shape[0]):
            d = row[i] - center[i]
            means[i] += weight * d
            squares[i] += weight * d * d


@divisible(_rows_times(4), **REORDERED)
def row_dots(a, b, out, first, stop):
    """``out[i] = sum_j a[i, j] b[i, j]``.

    Parameters
    ----------
    a, b : ndarray of shape (n, N)                                                        IN
    out : ndarray of shape (n,)                                                           OUT
    first, stop : int                                                                     IN
        The rows to do.
    """
    for i in range(first, stop):
        x, y = a[i], b[i]
        total = a.dtype.type(0)
        for j in range(x.shape[0]):
            total += x[j] * y[j]
        out[i] = total


@divisible(per_number(8), **OPTIONS)
def add_step(sums, scale, learning_rate, l2, l1, momentum, velocity, parameter, first, stop):
    """One step of gradient ascent with momentum and penalties, in one pass over memory.

    ``slope = scale * sums - l2 * parameter - l1 * sign(parameter)``, then ``velocity = momentum *
    velocity + learning_rate * slope`` and ``parameter += velocity``.

    Parameters
    ----------
    sums : ndarray of shape (size,)                                                       IN
        ``scale * sums`` is the gradient.
    scale, learning_rate, l2, l1, momentum : scalar of the arrays' dtype                  IN
    velocity, parameter : ndarray of shape (size,)                                        INOUT
    first, stop : int                                                                     IN
        The numbers to do.
    """
    sums, velocity, parameter = sums[first:stop], velocity[first:stop], parameter[first:stop]
    zero = sums.dtype.type(0)
    for i in range(parameter.shape[0]):
        p = parameter[i]
        sign = l1 if p > 0 else (-l1 if p < 0 else zero)
        slope = scale * sums[i] - l2 * p - sign
        velocity[i] = momentum * velocity[i] + learning_rate * slope
        parameter[i] = p + velocity[i]


@divisible(per_number(6), **OPTIONS)
def add_gradient(sums, scale, learning_rate, l2, l1, parameter, first, stop):
    """``add_step`` without momentum: nothing to remember, half the memory traffic.

    Parameters
    ----------
    sums : ndarray of shape (size,)                                                       IN
        ``scale * sums`` is the gradient.
    scale, learning_rate, l2, l1 : scalar of the arrays' dtype                            IN
    parameter : ndarray of shape (size,)                                                  INOUT
    first, stop : int                                                                     IN
        The numbers to do.
    """
    sums, parameter = sums[first:stop], parameter[first:stop]
    zero = sums.dtype.type(0)
    for i in range(parameter.shape[0]):
        p = parameter[i]
        sign = l1 if p > 0 else (-l1 if p < 0 else zero)
        parameter[i] = p + learning_rate * (scale * sums[i] - l2 * p - sign)


@divisible(per_number(6), **OPTIONS)
def center(center, statistic, hidden, hidden_center, sums, first, stop):
    """Two rank-one corrections: ``sums[i] -= center[i] hidden + statistic[i] hidden_center``.

    Parameters
    ----------
    center, statistic : ndarray of shape (N,)                                             IN
    hidden, hidden_center : ndarray of shape (M,)                                         IN
    sums : ndarray of shape (N, M)                                                        INOUT
    first, stop : int                                                                     IN
        The rows to do.
    """
    for i in range(first, stop):
        row = sums[i]
        for j in range(row.shape[0]):
            row[j] -= center[i] * hidden[j] + statistic[i] * hidden_center[j]


def _features(values, offsets, sums):
    return offsets.shape[0] - 1


@divisible(per_number(4), _features, **OPTIONS)
def straighten(values, offsets, sums, first, stop):
    """Sums for weights that are linear in the values of a feature's categories.

    Weights ``W_k = u + values[k] a`` follow a gradient ``g`` as ``u`` follows ``s = sum_k g_k``
    and ``a`` follows ``t = sum_k values[k] g_k``: by ``sums[k] = s + values[k] t``.

    Parameters
    ----------
    values : ndarray of shape (C,)                                                        IN
        Of the categories of all features: from -1 to 1, or 0 for a category alone.
    offsets : ndarray of shape (D + 1,)                                                   IN
        Where the categories of each feature begin and, last, C.
    sums : ndarray of shape (C, M)                                                        INOUT
    first, stop : int                                                                     IN
        The features to do.
    """
    for i in range(first, stop):
        low, high = offsets[i], offsets[i + 1] - 1
        if low == high:
            continue
        # Whatever is linear is known by its ends, which need no further memory.
        bottom, top = sums[low], sums[high]
        for j in range(sums.shape[1]):
            bottom[j] += bottom[j]
            top[j] += top[j]
        for k in range(low + 1, high):
            row, value = sums[k], values[k]
            for j in range(sums.shape[1]):
                bottom[j] += row[j] - value * row[j]
                top[j] += row[j] + value * row[j]
        for k in range(low + 1, high):
            row, share = sums[k], (values[k] + values[high]) / 2
            for j in range(sums.shape[1]):
                row[j] = bottom[j] + share * (top[j] - bottom[j])


#: Rows of a table whose projections are added up first.
BLOCK = 64


@divisible(_rows_times(4), **REORDERED)
def project(table, left, right, at_right, at_left, first, stop):
    """``at_left = left^T table``, block by block, and ``at_right = table right``, in one pass.

    Parameters
    ----------
    table : ndarray of shape (N, M)                                                       IN
    left, right : ndarray of shape (N,), (M,)                                             IN
    at_right : ndarray of shape (N,)                                                      OUT
    at_left : ndarray of shape (ceil(N / BLOCK), M)                                       OUT
        The sums over the rows of each block.
    first, stop : int                                                                     IN
        The blocks of rows to do.
    """
    for k in range(first, stop):
        sums = at_left[k]
        sums[:] = 0
        for i in range(k * BLOCK, min((k + 1) * BLOCK, table.shape[0])):
            row, factor, total = table[i], left[i], table.dtype.type(0)
            for j in range(row.shape[0]):
                total += row[j] * right[j]
                sums[j] += factor * row[j]
            at_right[i] = total


@divisible(per_number(4), **OPTIONS)
def approach(parameter, share, average, first, stop):
    """``average += share (parameter - average)``.

    Parameters
    ----------
    parameter : ndarray of shape (size,)                                                  IN
    share : scalar of the arrays' dtype                                                   IN
    average : ndarray of shape (size,)                                                    INOUT
    first, stop : int                                                                     IN
        The numbers to do.
    """
    parameter, average = parameter[first:stop], average[first:stop]
    for i in range(average.shape[0]):
        average[i] += share * (parameter[i] - average[i])
