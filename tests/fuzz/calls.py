"""Calls of the methods that read an estimator: arguments, and what the result must look like."""

from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from skrbm import LogPartition, SoftmaxRBM

from .parameters import random_state, strange
from .promises import BrokenPromiseError, assert_result
from .tables import Table

#: Methods whose random numbers may go another way after a rounding.
DRAWING = ("gibbs", "sample", "impute", "log_partition", "log_likelihood")
#: Results that are finite wherever the rows suit the model.
FINITE = ("transform", "inverse_transform", "reconstruct", "free_energy", "energy")
FINITE += ("score_samples", "log_likelihood", "predict_ratings", "conditional_proba")


@dataclass
class Call:
    """A method and its arguments; tables among these become what they hold."""

    method: str
    arguments: dict = field(default_factory=dict)

    @property
    def table(self):
        return next((a for a in self.arguments.values() if isinstance(a, Table)), None)


def numbers_of(draw, n):
    numbers = [draw.count(0, max(n - 1, 0)) for _ in range(draw.count(0, 5))]
    if draw.chance(0.15):
        numbers.append(draw.pick(-1, n, 1.5, None, "a", 2**62, 2**70, True))
    return draw.pick(list, np.array, tuple)(numbers)


def weights_of(draw, n):
    """Weights of rows, most of them valid; some rows have the weight 0, and a few all rows."""
    # Powers of 2, by which quarters have exact sums: dense rows and CSR add up in another order.
    far = (0, 2.0**-10, 2.0**10)
    numbers = draw.pick((0, 1, 2), (1, 2, 3), (0, 1), (0.25, 0.5, 3), far, (2,))
    weights = [draw.pick(*numbers) for _ in range(n)]
    if draw.chance(0.15):
        weights[-1:] = draw.pick(
            [], [1, 1], [-1], [np.nan], [np.inf], [1e300], ["a"], [None], [[1]]
        )
    if draw.chance(0.05):
        return strange(draw, "sample_weight")
    kinds = (
        list,
        tuple,
        np.array,
        np.array,
        lambda w: np.array(w, dtype=draw.pick("f4", "i1", "O")),
    )
    try:
        return draw.pick(*kinds)(weights)
    except (OverflowError, TypeError, ValueError):  # there is no such array
        return weights


def call_of(draw, method, model, rows, hidden):
    """A call with arguments that are mostly valid.

    ``rows`` and ``hidden`` are functions that draw a table.
    """
    arguments = {"X": rows()}
    table = arguments["X"]
    n = table.shape[0] if len(table.shape) else 1
    n_features = table.shape[1] if len(table.shape) > 1 else 1
    if method in ("predict_ratings", "conditional_proba"):
        if draw.chance(0.6):
            arguments["rows"], arguments["columns"] = (
                numbers_of(draw, size) for size in (n, n_features)
            )
            if draw.chance(0.7):
                size = min(map(len, (arguments["rows"], arguments["columns"])))
                arguments["rows"] = arguments["rows"][:size]
                arguments["columns"] = arguments["columns"][:size]
        if model is SoftmaxRBM:
            arguments["method"] = draw.pick("exact", "mean_field")
    elif method == "recommend":
        arguments |= {"n_items": draw.whole(draw.count(1, 20))}
        arguments |= {"exclude_observed": draw.pick(True, False, np.True_)}
        arguments["as_names"] = draw.chance(0.2)
        if draw.chance(0.4):
            arguments["columns"] = numbers_of(draw, n_features)
    elif method == "top_features":
        arguments = {"component": draw.whole(draw.count(0, 4)), "n": draw.whole(draw.count(1, 9))}
        arguments["category"] = draw.pick(None, None, 1, 2.0, np.float32(3), 7, np.int8(4))
    elif method == "inverse_transform":
        arguments = {"X": hidden()}
    elif method == "energy":
        arguments = {"v": table, "h": hidden(n)}
    elif method == "gibbs":
        arguments = {"v": table, "n_steps": draw.whole(draw.count(1, 3))}
        arguments["random_state"] = random_state(draw)
    elif method == "sample":
        init = draw.pick(None, table)
        arguments = {"n_samples": draw.whole(draw.count(1, 9)), "init": init}
        arguments |= {"n_gibbs_steps": draw.whole(draw.count(1, 3))}
        arguments |= {"method": draw.pick("gibbs", "tempering")}
        auto = draw.chance(0.1)  # whose chains make 160 steps before
        arguments |= {"n_temperatures": "auto" if auto else draw.whole(draw.count(2, 4))}
        arguments |= {"output": draw.pick("sample", "mean")}
        arguments["random_state"] = random_state(draw)
    elif method == "impute":
        arguments |= {"n_gibbs_steps": draw.whole(draw.count(1, 3))}
        arguments |= {"n_chains": draw.whole(draw.count(1, 4)), "random_state": random_state(draw)}
    elif method == "log_partition":
        method_ = draw.pick("auto", "exact", "ais", "reverse_ais")
        chains = {
            "n_chains": draw.whole(draw.count(2, 5)),
            "n_betas": draw.whole(draw.count(2, 9)),
        }
        arguments = {"method": method_, "random_state": random_state(draw)}
        if method_ == "reverse_ais" and draw.chance(0.05):  # a thousand steps
            arguments |= {"init": draw.pick(None, table)}
        elif method_ == "reverse_ais":
            arguments |= {"method": "ais"}
        arguments |= chains
    elif method == "log_likelihood":
        log_z = draw.pick(1.0, np.float32(2), 3, LogPartition(1.0, 0.0, (1.0, 1.0), "ais", 3.0))
        arguments |= {"log_partition": log_z}
    elif method == "score":
        if draw.chance(0.3):
            arguments["y"] = [1, 2]
        if draw.chance(0.5):
            arguments["sample_weight"] = weights_of(draw, n)
    elif method == "get_feature_names_out":
        arguments = {"input_features": draw.pick(None, ["a"])}
    if draw.chance(0.1) and method != "get_feature_names_out":
        name = draw.pick(*arguments)
        if not isinstance(arguments[name], Table):
            arguments[name] = strange(draw, name)
    return Call(method, arguments)


def assert_expected(call, result, estimator, finite):
    """The shape and the dtype that the documentation promises."""
    M, D = estimator.components_.shape[0], estimator.n_features_in_
    table, arguments, method = call.table, call.arguments, call.method
    dtype = table.X.dtype if table and isinstance(table.X, np.ndarray) else None
    dtype = dtype if dtype in (np.float32, np.float64) and dtype.isnative else None
    n = table.shape[0] if table and len(table.shape) else 1
    finite = finite and table is not None and table.suits and method in FINITE
    rows = (n, D)
    if method == "get_feature_names_out":
        return assert_result(result, [(M,)])
    if method == "top_features":
        most = min(arguments["n"], D)
        if len(result[0]) != len(result[1]) or len(result[0]) > most:
            raise BrokenPromiseError(f"gave {len(result[0])} features of at most {most}")
        return None
    if method == "score":
        if type(result) is not float:
            raise BrokenPromiseError(f"gave {type(result).__name__}")
        return None
    if method == "log_partition":
        if not isinstance(result, LogPartition) or not np.isfinite(float(result)):
            raise BrokenPromiseError(f"gave {result!r}")
        return None
    queries = arguments.get("rows")
    if method in ("predict_ratings", "conditional_proba"):
        rows = rows if queries is None else (len(queries),)
        if method == "conditional_proba" and isinstance(estimator, SoftmaxRBM):
            rows = (*rows, max(map(len, estimator.categories_)))
        shapes = [rows]
    elif method == "recommend":
        columns = arguments.get("columns")
        n_answers, n_choices = (n, D) if columns is None else (len(columns), n)
        shapes = [(n_answers, min(int(arguments["n_items"]), n_choices))] * 2
    elif method in ("transform", "fit_transform"):
        shapes = [(n, M)]
    elif method == "sample":
        shapes = [(int(arguments["n_samples"]), D)]
        dtype = dtype if isinstance(arguments["init"], Table) else None
    elif method in ("free_energy", "energy", "score_samples", "log_likelihood"):
        shapes = [(n,)]
    else:
        shapes = [rows]
    return assert_result(plain(result), shapes, dtype, finite)


def plain(result):
    """Sparse rows of categories as an array, NaN where nothing is stored."""
    if not sparse.issparse(result):
        return result
    out, coo = np.full(result.shape, np.nan, result.dtype), result.tocoo()
    out[coo.row, coo.col] = coo.data
    return out
