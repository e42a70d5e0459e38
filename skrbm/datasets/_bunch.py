"""Pairs and ratings in the form of scikit-learn's data sets."""

import numpy as np
from sklearn.utils import Bunch

from .._input.optional import optional

PAIR, RATING = ["user", "item"], "rating"


def library(name, purpose):
    """A library that only data sets need."""
    return optional(name, purpose, "datasets")


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
