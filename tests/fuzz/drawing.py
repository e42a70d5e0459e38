"""Random choices that the number of a case decides."""

import numpy as np


class Draw:
    """Choices in a fixed order: one number gives the same choices at every time."""

    def __init__(self, number):
        self.rng = np.random.default_rng(number)

    def chance(self, probability):
        return self.rng.random() < probability

    def pick(self, *options):
        return options[self.rng.integers(len(options))]

    def count(self, least, most):
        """A whole number, both ends included, of Python."""
        return int(self.rng.integers(least, most + 1))

    def whole(self, value):
        """The number as one of the kinds of integers; 8 bits hold what is asked for here."""
        return self.pick(int, int, int, np.int8, np.uint8, np.int32, np.int64)(value)

    def real(self, value):
        return self.pick(float, float, float, np.float16, np.float32, np.float64)(value)

    def sequence(self, values):
        return self.pick(list, tuple, np.array)(values)


def shown(value):
    """One line that tells a value from others."""
    return " ".join(repr(value).split())[:80]
