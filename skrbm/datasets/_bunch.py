"""Pairs and ratings in the form of scikit-learn's data sets, and libraries that are optional."""

from importlib import import_module

import numpy as np
from sklearn.utils import Bunch

PAIR, RATING = ["user", "item"], "rating"


def library(name, purpose):
    """An optional library; the error names what needs it, and how to install it."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != name:
            raise
        raise ImportError(
            f'{purpose} needs {name}, which is not installed: pip install "skrbm[datasets]".'
        ) from error


def bunch_of_pairs(users, items, ratings, as_frame, columns=None, **others):
    """A Bunch of pairs and their ratings.

    Parameters
    ----------
    users, items, ratings : ndarray of shape (n_ratings,)
    as_frame : bool
        Whether data and target are a data frame and a series of pandas.
    columns : dict or None
        Further columns, each of shape (n_ratings,).
    **others
        What else the Bunch holds.
    """
    columns = {} if columns is None else columns
    bunch = Bunch(
        data=None,
        target=ratings,
        frame=None,
        **columns,
        **others,
        feature_names=list(PAIR),
        target_names=[RATING],
    )
    if as_frame:
        pandas = library("pandas", "as_frame=True")
        pairs = dict(zip(PAIR, (users, items), strict=True))
        bunch.frame = pandas.DataFrame(pairs | {RATING: ratings} | columns)
        bunch.update({name: bunch.frame[name] for name in columns})
        bunch.data, bunch.target = bunch.frame[PAIR], bunch.frame[RATING]
    else:
        bunch.data = np.column_stack([users, items])
    return bunch
