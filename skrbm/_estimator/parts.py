"""Parts of training data, each read where it is; what a fit asks of all of them together.

A part is read in two steps. What the first step says of all parts (features, categories, dtype,
weights) is needed in the second one, which makes rows of each part.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_matrix, issparse

from .._input.checks import check_weights, working_dtype
from .._input.mistaken import shown
from .._machine.memory import received
from .data import LocalData
from .fitted import FEATURES, features_of, snapshot
from .fitting import scaled_weights


@dataclass(frozen=True)
class TableFacts:
    """What the first step says of a part.

    Parameters
    ----------
    n_rows : int
        Rows that count; a part without rows has no features and no dtype.
    features : dict
        What validation has learned of the features.
    dtype : dtype or None
    weight : float or None
        Sum of the weights of rows; None: there are none.
    """

    n_rows: int
    features: dict
    dtype: np.dtype | None
    weight: float | None


class Plan(NamedTuple):
    """What the second step needs to know.

    Parameters
    ----------
    dtype : dtype
        The dtype of the machine.
    mean_weight : float or None
        Mean of the weights of all rows.
    settings : Settings
    alone : bool
        Whether there is no other part.
    """

    dtype: np.dtype
    mean_weight: float | None
    settings: object
    alone: bool


def bare_copy(learner):
    """An estimator that reads X like the learner. It has no fitted arrays, and travels light."""
    reader = snapshot(learner)
    kept = {*learner.get_params(deep=False), *FEATURES, "categories_"}
    reader.__dict__ = {name: value for name, value in vars(reader).items() if name in kept}
    return reader


def read_table(reader, X, sample_weight, reset):
    """The first step.

    Parameters
    ----------
    reader : estimator instance
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        It may have no rows.
    sample_weight : array-like of shape (n_samples,) or None
    reset : bool
        Whether to learn the features, or to check them.

    Returns
    -------
    table : tuple of validated X and weights, or None
    found : object
        What the part says of the form of rows.
    facts : TableFacts
    """
    weights = counted = None
    try:
        n_rows = X.shape[0] if hasattr(X, "shape") else len(X)
    except (TypeError, IndexError):
        n_rows = 1  # no table at all, as validation says
    if sample_weight is not None and n_rows:
        weights, counted = check_weights(sample_weight, X, some=False)
        n_rows = len(weights)
    if n_rows == 0:
        return None, None, TableFacts(0, {}, None, None)
    table = reader._table(X, reset=reset, counted=counted)
    if issparse(table):
        table = csr_matrix(table)  # of whose size Dask knows, unlike that of an array
    found = reader._found(table) if reset else None
    weight = None if weights is None else float(weights.sum())
    return (table, weights), found, TableFacts(n_rows, features_of(reader), table.dtype, weight)


def form_data(reader, table, plan, seed):
    """The second step: training data of a part, and their description."""
    X, weights = map(received, table)
    if working_dtype(X.dtype) != plan.dtype:
        X = X.astype(plan.dtype)
    rows = reader._form(X)
    if weights is not None:
        rows.weights = scaled_weights(weights, plan.mean_weight)
    data = LocalData(rows)
    data.prepare(reader, plan.settings, seed, plan.alone)
    description = data.rows.describe()
    data.rows = data.rows.without_table()
    if data.held_out is not None:
        data.held_out = data.held_out.without_table()
    return data, description


def equal_features(one, other):
    """Whether what validation has learned of the features of two parts is the same."""
    return one.keys() == other.keys() and all(np.array_equal(one[k], other[k]) for k in one)


def described_features(features):
    """What validation has learned of features, in words."""
    names = features.get("feature_names_in_")
    named = "without names" if names is None else "named " + shown(names)
    return f"{features['n_features_in_']} features {named}"


def learn_form(learner, found, facts):
    """Let a learner learn of all parts what validation learns of a whole X.

    Parameters
    ----------
    learner : estimator instance
    found : object
        What the parts say of the form of rows together.
    facts : list of TableFacts
        Of the parts that have rows.
    """
    for name in FEATURES:
        vars(learner).pop(name, None)
    vars(learner).update(facts[0].features)
    learner._learn_form(found, np.result_type(*(part.dtype for part in facts)))


def check_description(learner, description, reset):
    """The checks of training data, of a description of all parts."""
    if reset:
        learner._check_new(description)
    learner._check_reading(description)
    learner._check_training(description)
