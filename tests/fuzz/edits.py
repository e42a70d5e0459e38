"""What a user may do to fitted attributes by hand."""

import numpy as np

from .parameters import strange
from .tables import cast, sprinkled

#: Numbers that a machine seldom has.
HUGE = (1e3, -1e3, 1e5, 1e8, -1e9, 1e11, 1e15, 1e30, -1e300, np.inf, -np.inf, np.nan)

ARRAYS = (
    lambda draw, a: a[:-1],
    lambda draw, a: a[..., :-1],
    lambda draw, a: a[:0],
    lambda draw, a: np.concatenate((a, a[-1:])),
    lambda draw, a: np.concatenate((a, a[..., -1:]), axis=-1),
    lambda draw, a: a.T.copy(),
    lambda draw, a: a.ravel(),
    lambda draw, a: a[np.newaxis],
    lambda draw, a: np.array(1.0),
    lambda draw, a: a[::-1],
    lambda draw, a: np.asfortranarray(a),
    lambda draw, a: np.repeat(a, 2, axis=0)[::2],
    lambda draw, a: cast(a, draw.pick("f2", "f4", "f8", "g", ">f8", ">f4", "i1", "i8", "u8", "?")),
    lambda draw, a: cast(a, draw.pick("O", "U", "c16", "M8[s]")),
    lambda draw, a: a.tolist(),
    lambda draw, a: np.ma.masked_array(a, draw.rng.random(a.shape) < 0.2),
    lambda draw, a: np.matrix(a) if a.ndim < 3 else a,
    lambda draw, a: sprinkled(draw, a, *HUGE),
    lambda draw, a: sprinkled(draw, a, *HUGE),
    lambda draw, a: a * draw.pick(0, 10, 100, -1),
    lambda draw, a: np.full_like(a, draw.pick(*HUGE)),
    lambda draw, a: None,
    lambda draw, a: "no",
)

LISTS = (
    lambda draw, c: c[:-1],
    lambda draw, c: [*c, c[-1]],
    lambda draw, c: [],
    lambda draw, c: tuple(c),
    lambda draw, c: np.array(c, dtype=object),
    lambda draw, c: [values.tolist() for values in c],
    lambda draw, c: [values[::-1] for values in c],
    lambda draw, c: [values[:-1] for values in c],
    lambda draw, c: [np.append(values, 9) for values in c],
    lambda draw, c: [
        cast(values, draw.pick("O", "U", "i1", "f2", "g", "c8", ">f8")) for values in c
    ],
    lambda draw, c: [values + 0.5 for values in c],
    lambda draw, c: [sprinkled(draw, values.astype(float), *HUGE) for values in c],
    lambda draw, c: [values[np.newaxis] for values in c],
    lambda draw, c: [None, *c[1:]],
    lambda draw, c: dict(enumerate(c)),
    lambda draw, c: c[0],
)


def edited(draw, name, value):
    """Another value of a fitted attribute."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.ndim:
        with np.errstate(all="ignore"):
            return draw.pick(*ARRAYS)(draw, value)
    if isinstance(value, list) and value and all(isinstance(part, np.ndarray) for part in value):
        with np.errstate(all="ignore"):
            return draw.pick(*LISTS)(draw, value)
    return draw.pick(value + 1 if type(value) is int else None, strange(draw, name))
