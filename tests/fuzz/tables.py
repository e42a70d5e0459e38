"""Rows of data: values of the models and strange ones, of all dtypes, in all containers."""

import tempfile
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from skrbm import BernoulliRBM, GaussianBernoulliRBM

FLOATS = ("f8", "f8", "f8", "f4", "f4", "f2", "g", ">f8", ">f4")
OTHERS = ("?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", ">i4", "O", "U", "S", "c8", "M8[s]")
OTHERS += ("m8[s]", "V8")
SPARSE = ("csr", "csr", "csr", "csc", "coo", "lil", "dok", "dia", "bsr")


@dataclass(frozen=True)
class Table:
    """X as handed in.

    ``suits``: the model can read it and every result must be finite. ``array``: the values as a
    plain float64 array, of tables that may come in another container; else None. These values
    are quarters, of which all sums are exact.
    """

    X: Any
    text: str
    suits: bool = False
    array: np.ndarray | None = None

    @property
    def shape(self):
        if sparse.issparse(self.X):
            return self.X.shape
        try:
            return np.shape(self.X)
        except ValueError:  # ragged
            return ()

    def as_fortran(self):
        return self.X if self.array is None else np.asfortranarray(self.array)

    def as_sparse(self, model):
        """CSR of what a sparse matrix stores for the model."""
        if self.array is None or model is GaussianBernoulliRBM:
            return self.X
        if model is BernoulliRBM:
            return sparse.csr_array(self.array)
        where = np.nonzero(~np.isnan(self.array))
        return sparse.csr_array((self.array[where], where), shape=self.array.shape)


# --- values -----------------------------------------------------------------------------------


def suitable(draw, model, shape):
    """Values of the model, and what they are."""
    rng = draw.rng
    if model is BernoulliRBM:
        if draw.chance(0.6):
            return rng.integers(0, 2, shape).astype(float), "bits"
        return rng.integers(0, 5, shape) / 4 if draw.chance(0.5) else rng.random(shape), "grey"
    if model is GaussianBernoulliRBM:
        values = rng.normal(size=shape)
        return (np.rint(4 * values) / 4, "quarters") if draw.chance(0.5) else (values, "normal")
    values = rng.integers(1, 6, shape).astype(float)
    if draw.chance(0.6):
        values[rng.random(shape) < draw.pick(0.1, 0.5, 0.9)] = np.nan
    return values, "ratings"


def sprinkled(draw, values, *wrong):
    """With a few entries replaced."""
    values = values.copy()
    for _ in range(draw.count(1, 3)):
        if values.size:
            values.flat[draw.count(0, values.size - 1)] = draw.pick(*wrong)
    return values


STRANGE = {
    "constant": lambda draw, v: np.full_like(v, draw.pick(0, 1, 3, 0.1, -7)),
    "constant columns": lambda draw, v: v[:1].repeat(len(v), axis=0),
    "repeated rows": lambda draw, v: v[np.arange(len(v)) // 2],
    "1e30": lambda draw, v: v * 1e30,
    "1e300": lambda draw, v: v * 1e300,
    "1e-300": lambda draw, v: v * 1e-300,
    "negative": lambda draw, v: -v,
    "shifted": lambda draw, v: v + draw.pick(1, 1e3, 1e9),
    "whole": lambda draw, v: np.rint(10 * v),
    "large integers": lambda draw, v: np.rint(v * 2.0**60),
    "NaN": lambda draw, v: sprinkled(draw, v, np.nan),
    "all NaN": lambda draw, v: np.full_like(v, np.nan),
    "a NaN column": lambda draw, v: np.where(np.arange(v.shape[1]) == 0, np.nan, v),
    "infinity": lambda draw, v: sprinkled(draw, v, np.inf, -np.inf),
    "outliers": lambda draw, v: sprinkled(draw, v, 1e6, 1e30, 1e154, 1e300, -1e300, 2.0, 6.0, -1),
    "-0.0": lambda draw, v: np.where(v == 0, -0.0, v),
}


def cast(values, dtype):
    if dtype[0] in "Mm":
        values = np.nan_to_num(values, posinf=0, neginf=0).clip(-1e9, 1e9).astype("i8")
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return values.astype(dtype)


# --- dense containers -------------------------------------------------------------------------


def strided(draw, a):
    larger = np.zeros((2 * a.shape[0], 3 * a.shape[1]), a.dtype)
    larger[::2, ::3] = a
    return larger[::2, ::3]


def read_only(draw, a):
    a = a.copy()
    a.flags.writeable = False
    return a


def memmap(draw, a):
    with tempfile.TemporaryFile() as file:
        out = np.memmap(file, a.dtype, "w+", shape=a.shape)
        out[...] = a
        return out


def masked(draw, a):
    mask = draw.pick(np.ma.nomask, np.zeros(a.shape, bool), draw.rng.random(a.shape) < 0.2)
    return np.ma.masked_array(a, mask)


def frame(draw, a):
    names = draw.pick(
        [f"f{i}" for i in range(a.shape[1])], list(range(a.shape[1])), ["same"] * a.shape[1]
    )
    return pd.DataFrame(a, columns=names, index=draw.pick(None, np.arange(len(a))[::-1]))


def nullable(draw, a):
    dtype = draw.pick("Float64", "Float32", "Int64", "boolean", "UInt8")
    columns = {f"f{i}": pd.array(c, dtype=object) for i, c in enumerate(a.T)}
    return pd.DataFrame(columns).replace({np.nan: pd.NA}).astype(dtype)


def of_mixed_columns(draw, a):
    kinds = "f8", "f4", "i8", "bool", "Float64", "category", "object", "str", "Sparse[float]"
    columns = {f"f{i}": pd.Series(c) for i, c in enumerate(a.T)}
    return pd.DataFrame(
        {n: c.astype(draw.pick(*kinds[: draw.count(1, 9)])) for n, c in columns.items()}
    )


DENSE = {
    "Fortran": lambda draw, a: np.asfortranarray(a),
    "strided": strided,
    "reversed": lambda draw, a: a[::-1, ::-1].copy()[::-1, ::-1],
    "read-only": read_only,
    "memmap": memmap,
    "broadcast": lambda draw, a: np.broadcast_to(a[:1], a.shape),
    "list": lambda draw, a: a.tolist(),
    "tuples": lambda draw, a: tuple(map(tuple, a.tolist())),
    "list of arrays": lambda draw, a: list(a),
    "ragged list": lambda draw, a: [*a.tolist(), [1.0]],
    "list with None": lambda draw, a: np.where(np.isnan(a), None, a.astype(object)).tolist(),
    "masked": masked,
    "matrix": lambda draw, a: np.matrix(a),
    "object": lambda draw, a: sprinkled(draw, a.astype(object), None, pd.NA, "a", 1, 10**400, []),
    "records": lambda draw, a: np.zeros(len(a), [("a", "f8"), ("b", "i4")]),
    "frame": frame,
    "categorical": lambda draw, a: frame(draw, a).astype("category"),
    "sparse frame": lambda draw, a: frame(draw, a).astype(
        pd.SparseDtype(float, draw.pick(0.0, np.nan, 1.0))
    ),
    "nullable": nullable,
    "mixed frame": of_mixed_columns,
    "series": lambda draw, a: pd.Series(list(a)),
    "flat": lambda draw, a: a.ravel(),
    "3-D": lambda draw, a: a[np.newaxis],
    "0-D": lambda draw, a: np.array(1.0),
    "scalar": lambda draw, a: 3.0,
    "text": lambda draw, a: "X",
    "None": lambda draw, a: None,
    "dict": lambda draw, a: {"a": a},
    "empty list": lambda draw, a: [],
    "list of empty lists": lambda draw, a: [[], []],
}


# --- sparse containers ------------------------------------------------------------------------


def stored(draw, a):
    """CSR of all that is not NaN, zeros as well, or of what is not 0."""
    kept = ~np.isnan(a) if a.dtype.kind == "f" and draw.chance(0.5) else a != 0
    rows, columns = np.nonzero(kept)
    kind = draw.pick(sparse.csr_array, sparse.csr_matrix)
    return kind((a[rows, columns], (rows, columns)), shape=a.shape)


def in_a_format(draw, a):
    csr = stored(draw, a)
    form = draw.pick(*SPARSE)
    if form == "dok" and draw.chance(0.5):
        return csr.tocoo().todok()
    return csr.asformat(form)


def with_duplicates(draw, a):
    csr = stored(draw, a)
    order = draw.rng.permutation(2 * csr.nnz)
    coo = csr.tocoo()
    parts = (np.tile(part, 2)[order] for part in (coo.data, coo.row, coo.col))
    data, rows, columns = parts
    coo = sparse.coo_array((data, (rows, columns)), shape=a.shape)
    if draw.chance(0.5):
        return coo
    by_row = np.argsort(rows, kind="stable")
    indptr = np.concatenate(([0], np.bincount(rows, minlength=len(a)).cumsum()))
    return type(csr)((data[by_row], columns[by_row], indptr), shape=a.shape)


def with_long_indices(draw, a):
    csr = stored(draw, a)
    csr.indices, csr.indptr = csr.indices.astype(np.int64), csr.indptr.astype(np.int64)
    return csr


def unsorted(draw, a):
    csr = stored(draw, a)
    for first, stop in zip(csr.indptr[:-1], csr.indptr[1:], strict=True):
        csr.indices[first:stop] = csr.indices[first:stop][::-1].copy()
        csr.data[first:stop] = csr.data[first:stop][::-1].copy()
    return type(csr)((csr.data, csr.indices, csr.indptr), shape=a.shape)


def broken(draw, a):
    """Arrays that do not fit together; SciPy does not look."""
    X = stored(draw, a).asformat(draw.pick("csr", "csr", "csr", "csc", "coo", "bsr", "dia"))
    name = draw.pick(*(n for n in ("data", "indices", "indptr", "offsets") if hasattr(X, n)))
    if X.format == "coo":
        coords = [c.copy() for c in X.coords]
        coords[draw.count(0, 1)][:1] = draw.pick(-1, 1000)
        X.coords = tuple(coords)
        return X
    old = getattr(X, name)
    changes = (
        lambda: old[:-1],
        lambda: np.append(old, old[-1:]),
        lambda: old.astype(draw.pick("f8", "i1", "u8", "O", ">i4", "c8", "U")),
        lambda: old[::-1].copy(),
        lambda: sprinkled(draw, old, -1, 1000, 2**31 - 1),
        lambda: old.reshape(1, *old.shape),
        lambda: old.tolist(),
        lambda: None,
        lambda: np.ma.masked_array(old),
        lambda: old[::2],
    )
    setattr(X, name, draw.pick(*changes)())
    return X


def read_only_csr(draw, a):
    csr = stored(draw, a)
    for part in (csr.data, csr.indices, csr.indptr):
        part.flags.writeable = False
    return csr


SPARSE_CONTAINERS = {
    "sparse": in_a_format,
    "sparse ": in_a_format,
    "sparse  ": in_a_format,
    "sparse of duplicates": with_duplicates,
    "unsorted CSR": unsorted,
    "long CSR": with_long_indices,
    "read-only CSR": read_only_csr,
    "broken sparse": broken,
    "1-D sparse": lambda draw, a: sparse.coo_array(a[0]),
}


# --- tables -----------------------------------------------------------------------------------


def table_of(draw, model, n_features, suits=False, n_rows=None):
    """Rows of a number of features; ``suits``: plain ones of the model."""
    if n_rows is None:
        n_rows = draw.pick(0, 1, 2, *(draw.count(3, 60) for _ in range(9)))
    values, text = suitable(draw, model, (n_rows, n_features))
    if suits or draw.chance(0.35):
        return _plain(draw, values, text)
    if draw.chance(0.4):
        name = draw.pick(*STRANGE)
        with np.errstate(all="ignore"):
            values, text = STRANGE[name](draw, values), f"{text} {name}"
    dtype = draw.pick(*FLOATS) if draw.chance(0.6) else draw.pick(*OTHERS)
    array = cast(values, dtype)
    containers = DENSE if draw.chance(0.6) else SPARSE_CONTAINERS
    container = draw.pick(None, *containers)
    X = array
    if container is not None:
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                X = containers[container](draw, array)
        except (
            ArithmeticError,
            LookupError,
            NotImplementedError,
            TypeError,
            ValueError,
        ):  # there is no such thing
            container = None
    return Table(X, f"{container} of {dtype} {text} {array.shape}")


def _plain(draw, values, text):
    """In one of the float dtypes that models keep."""
    dtype = draw.pick("f8", "f8", "f4")
    suits = values.size > 0 and len(values) > 0
    exact = dtype == "f8" and not (4 * values % 1 > 0).any()
    array = values if exact else None
    return Table(values.astype(dtype), f"{dtype} {text} {values.shape}", suits, array)
