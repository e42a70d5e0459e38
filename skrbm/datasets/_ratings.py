"""Ratings of items by users, drawn from a machine that is known."""

from numbers import Integral

import numpy as np
from scipy.sparse import csr_array
from sklearn.utils import Bunch, check_random_state

from .._input.parameters import MOST, check_flag, check_integer, check_option
from .._machine.keys import draw_seed
from ._bunch import bunch_of_pairs
from ._planted import MOST_COMPONENTS, as_estimator, draw, plant
from ._skew import SKEWS, rated_cells, with_margin


def make_ratings(
    n_users=1000,
    n_items=200,
    n_ratings=20_000,
    *,
    n_components=5,
    skew="movielens",
    sparse=False,
    as_frame=False,
    random_state=None,
):
    """Draw ratings of 1 to 5 stars from a SoftmaxRBM whose weights are known.

    A few users are busy, and a few items are hits: each user rates each item or not,
    independently, with a probability whose log-odds are a sum of the user's activity and the
    item's popularity. No taste has a part in this. The stars of a user are then drawn from the
    planted machine over the items that the user has rated: from its exact distribution, by a sum
    over all states of its hidden units, and not by a chain.

    So the truth is known. Given all other ratings of a user, no method beats the prediction of a
    rating by ``model.predict_ratings`` on average. Where more of the user's ratings are hidden,
    the prediction is nearly the best one: see Notes.

    Parameters
    ----------
    n_users : int, default=1000
        Number of users.
    n_items : int, default=200
        Number of items.
    n_ratings : int or None, default=20_000
        Number of ratings, well under half of the table. None: each user rates each item.
    n_components : int, default=5
        Number of hidden units of the planted machine, at most 10. Each is a taste that about half
        of the users have.
    skew : {"movielens", "netflix"}, default="movielens"
        How busy the busiest users are, and how popular the hits: as in MovieLens-1M, or as in
        the data of the Netflix Prize, where the hits are far more popular than other items.
    sparse : bool, default=False
        Whether ``data`` is a table of users by items, as :class:`skrbm.SoftmaxRBM` reads it, in
        the place of pairs, as :class:`skrbm.RBMRecommender` reads them.
    as_frame : bool, default=False
        Whether pairs and ratings are a data frame and a series of pandas.
    random_state : int, RandomState instance or None, default=None
        Draws cells, machine and stars. An int gives the same ratings at every call.

    Returns
    -------
    ratings : :class:`~sklearn.utils.Bunch`
        A dictionary with these attributes.

        data : {ndarray, data frame} of shape (n_ratings, 2), or csr_array
            The user and the item of each rating, as numbers from 0, sorted by user. With
            ``sparse=True`` a csr_array of shape (n_users, n_items) of the stars, float32. A user
            or an item may have no rating at all.
        target : {ndarray, series} of shape (n_ratings,), float32
            Stars. None with ``sparse=True``.
        frame : data frame of shape (n_ratings, 3) or None
            Columns user, item and rating. None unless ``as_frame=True``.
        model : SoftmaxRBM
            The planted machine as a fitted estimator: its features are the items, its weights are
            linear in the stars (``ordinal=True``).
        hidden : ndarray of shape (n_users, n_components)
            The states of the hidden units that the stars were drawn from, 0 or 1.
        feature_names, target_names : list of str
            Names of the columns.
        DESCR : str
            A description.

    Raises
    ------
    ImportError
        If ``as_frame=True`` and pandas is not installed.
    ValueError
        If so many ratings do not fit the table, or ``sparse`` and ``as_frame`` are both True.

    See Also
    --------
    fetch_movielens : Ratings that people gave.

    Notes
    -----
    A hundred million ratings of the shape of the Netflix Prize, 480,189 users and 17,770 items,
    take ``n_users * n_items`` random numbers, and with ``sparse=True`` memory for the table and
    half as much. The skews are logit-normal, fitted to the numbers of ratings of users and of
    items: median, mean and largest.

    The machine of a user is over all items that the user has rated. ``predict_ratings`` sees the
    known ratings and the item in question, and so is exact where one rating is hidden. If more
    are, that their items were rated says a little of the hidden units. With every second rating
    of 400 users and 100 items hidden, 10,000 ratings in all, the root mean squared error was
    0.866, and 0.848 by an enumeration that knew the items.

    Examples
    --------
    >>> from skrbm.datasets import make_ratings
    >>> ratings = make_ratings(n_users=50, n_items=20, n_ratings=200, random_state=0)
    >>> ratings.data.shape, ratings.target.shape
    ((200, 2), (200,))
    >>> table = make_ratings(50, 20, 200, sparse=True, random_state=0)
    >>> table.data.shape
    (50, 20)
    >>> table.model.predict_ratings(table.data, rows=[0, 1], columns=[3, 3]).shape
    (2,)
    """
    n_users = check_integer("n_users", n_users, 1, MOST)
    n_items = check_integer("n_items", n_items, 1, MOST)
    n_components = check_integer("n_components", n_components, 1, MOST_COMPONENTS)
    check_option("skew", skew, tuple(SKEWS))
    check_flag("sparse", sparse)
    check_flag("as_frame", as_frame)
    if sparse and as_frame:
        raise ValueError("sparse=True and as_frame=True exclude each other. Choose one of them.")
    rng = _generator(random_state)
    indptr, items = _cells(n_users, n_items, n_ratings, skew, rng)
    machine = plant(n_items, n_components, rng)
    categories, hidden = draw(machine, indptr, items, rng)
    stars = (1 + categories).astype(np.float32)
    truth = {"model": as_estimator(machine), "hidden": hidden, "DESCR": _DESCRIPTION}
    if sparse:
        return Bunch(data=_table(stars, items, indptr, n_items), target=None, frame=None, **truth)
    users = np.repeat(np.arange(n_users), np.diff(indptr))
    return bunch_of_pairs(users, items.astype(np.int64), stars, as_frame, **truth)


_DESCRIPTION = """\
Made-up ratings of 1 to 5 stars, drawn from a planted SoftmaxRBM (skrbm.datasets.make_ratings).

data    user and item of each rating, or a table of users by items
target  stars
model   the planted machine, a fitted SoftmaxRBM with items as features
hidden  the states of its hidden units that each user's stars were drawn from
"""


def _generator(random_state):
    """A fast generator: that of an int, or one of a seed that a RandomState draws."""
    if not isinstance(random_state, Integral):
        random_state = draw_seed(check_random_state(random_state))
    return np.random.Generator(np.random.SFC64(int(random_state)))


def _cells(n_users, n_items, n_ratings, skew, rng):
    """The rated cells in CSR form."""
    if n_ratings is None:
        dtype = np.int32 if n_users * n_items < 2**31 else np.int64
        indptr = np.arange(n_users + 1, dtype=dtype) * dtype(n_items)
        return indptr, np.tile(np.arange(n_items, dtype=np.int32), n_users)
    n_ratings = check_integer("n_ratings", n_ratings, 1)
    most = int(SKEWS[skew].most * n_users * n_items)
    if with_margin(n_ratings) >= most:
        raise ValueError(
            f"n_ratings={n_ratings} is too many for {n_users} users and {n_items} items with "
            f"skew={skew!r}: the table has {n_users * n_items} cells, and well under half of them "
            "can be rated. Set fewer ratings, or n_ratings=None for all cells."
        )
    return rated_cells(n_users, n_items, n_ratings, SKEWS[skew], rng)


def _table(stars, items, indptr, n_items):
    """Stars in CSR form, users by items."""
    return csr_array((stars, items, indptr), shape=(len(indptr) - 1, n_items))
