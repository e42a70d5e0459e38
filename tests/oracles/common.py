"""What all slow oracles share: random numbers as Python integers, elementary functions, states."""

import itertools
import math

import numpy as np

# --- random numbers ---------------------------------------------------------------------------


def philox4x32(counter, key):
    """Philox4x32-10 of Salmon et al. (2011): four words of 32 bits from a counter and a key."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        high_0, low_0 = divmod(0xD2511F53 * c0, 2**32)
        high_1, low_1 = divmod(0xCD9E8D57 * c2, 2**32)
        c0, c1, c2, c3 = high_1 ^ c1 ^ k0, low_1, high_0 ^ c3 ^ k1, low_0
        k0 = (k0 + 0x9E3779B9) % 2**32
        k1 = (k1 + 0xBB67AE85) % 2**32
    return c0, c1, c2, c3


def random_words(seed, update, purpose, row, n_units):
    """The word of each unit of a row: word ``i // Q`` of counter ``i % Q``, Q = ceil(n / 4)."""
    seed = int(seed)
    key = (seed % 2**32, seed >> 32)
    n_blocks = math.ceil(n_units / 4)
    return [
        philox4x32((i % n_blocks, row, update, purpose), key)[i // n_blocks]
        for i in range(n_units)
    ]


def uniform(word, dtype):
    """The middle of the cell of (0, 1) that the leading bits of a word name."""
    n_bits = 23 if dtype == np.float32 else 31
    return ((word >> (32 - n_bits)) + 0.5) / 2**n_bits


def bernoulli(p, seed, update, purpose):
    """Draws with probabilities p, one number at a time."""
    out = np.zeros_like(p)
    for r in range(p.shape[0]):
        words = random_words(seed, update, purpose, r, p.shape[1])
        for i, word in enumerate(words):
            out[r, i] = uniform(word, p.dtype) < p[r, i]
    return out


# --- elementary functions ---------------------------------------------------------------------


def sigmoid(x):
    """The logistic function of a scalar, without overflow."""
    return 1 / (1 + math.exp(-x)) if x > 0 else math.exp(x) / (1 + math.exp(x))


def matmul(a, b):
    """A matrix product in three loops."""
    out = np.zeros((len(a), b.shape[1]))
    for i, j, k in itertools.product(range(len(a)), range(b.shape[1]), range(b.shape[0])):
        out[i, j] += float(a[i, k]) * float(b[k, j])
    return out


def states(n_units):
    """All 2^n binary states, shape (2^n, n)."""
    return np.array(list(itertools.product([0.0, 1.0], repeat=n_units)))


# --- derivatives ------------------------------------------------------------------------------


def finite_differences(function, blocks, epsilon=1e-5):
    """Central differences of a function of several arrays: yield one array per block."""
    for k, block in enumerate(blocks):
        result = np.empty_like(block)
        for index in np.ndindex(block.shape):
            plus, minus = ([a.copy() for a in blocks] for _ in range(2))
            plus[k][index] += epsilon
            minus[k][index] -= epsilon
            result[index] = (function(*plus) - function(*minus)) / (2 * epsilon)
        yield result
