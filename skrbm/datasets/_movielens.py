"""MovieLens: ratings of films, as GroupLens publishes them."""

from math import inf
from numbers import Real
from pathlib import Path
from typing import NamedTuple

from sklearn.datasets import get_data_home

from .._input.parameters import check_flag, check_integer, check_option
from ._bunch import bunch_of_pairs, library
from ._download import fetch_archive
from ._files import COLONS, COMMAS, TABS, UTF8_COLONS, Form, read_archive


class Archive(NamedTuple):
    """A MovieLens archive: where it is, its checksum, its form, and what to say of it."""

    url: str
    sha256: str
    form: Form
    content: str
    conditions: str = ""


_URL = "https://files.grouplens.org/datasets/movielens/"
_CLOSED = "The data may not be redistributed without permission."
#: The checksums are those of TensorFlow Datasets (url_checksums/movielens.txt; 100k, 1m and
#: latest-small) and of OmniRec (data_loaders; 1m, 10m and latest-small). GroupLens publishes MD5
#: sums of the first three beside the archives, and sources that give both sums agree. The
#: conditions are those of the README files in the archives.
ARCHIVES = {
    "100k": Archive(
        _URL + "ml-100k.zip",
        "50d2a982c66986937beb9ffb3aa76efe955bf3d5c6b761f4e3a7cd717c6a3229",
        TABS,
        "MovieLens-100K: 100,000 ratings, 1 to 5 stars, of 1,682 films by 943 users, given from\n"
        "September 1997 to April 1998. The ratings are in random order. The canonical test fold\n"
        "u{k}.test, k from 1 to 5, holds rows 20,000 (k - 1) up to 20,000 k: the folds are those\n"
        "of KFold(5), without shuffling, of scikit-learn.",
        _CLOSED,
    ),
    "1m": Archive(
        _URL + "ml-1m.zip",
        "a6898adb50b9ca05aa231689da44c217cb524e7ebd39d264c56e2832f2c54e20",
        COLONS,
        "MovieLens-1M: 1,000,209 ratings, 1 to 5 stars, of 3,706 films by 6,040 users who joined\n"
        "MovieLens in 2000, sorted by user. There are titles of 3,883 films.",
        _CLOSED,
    ),
    "10m": Archive(
        _URL + "ml-10m.zip",
        "813c411ccb6122564edfe752e7f80c4dcc5aa25fa94c93622f6877a7ba252862",
        UTF8_COLONS,
        "MovieLens-10M: 10,000,054 ratings, 0.5 to 5 stars in half stars, of 10,677 films by\n"
        "69,878 users, sorted by user and film. There are titles of 10,681 films.",
        _CLOSED + "\nGroupLens asks for a copy of publications that use them.",
    ),
    "latest-small": Archive(
        _URL + "ml-latest-small.zip",
        "696d65a3dfceac7c45750ad32df2c259311949efec81f0f144fdfb91ebc9e436",
        COMMAS,
        "MovieLens latest-small: 100,836 ratings, 0.5 to 5 stars in half stars, of 9,724 films\n"
        "by 610 users, given from March 1996 to September 2018, sorted by user and film. There\n"
        "are titles of 9,742 films. GroupLens may replace the data by another sample: report\n"
        "results on the other ones.",
        "The data may be redistributed under the same conditions.",
    ),
}

_DESCRIPTION = """\
{content}

data       user and film of each rating, as GroupLens numbers them
target     stars
timestamp  seconds since the beginning of 1970, UTC
titles     title of each film, with the year
genres     genres of each film, separated by bars

Source: {url}

Licence, in short: the data may be used for research. Who uses them must not state or imply an
endorsement by GroupLens or the University of Minnesota, must acknowledge them in publications,
and must ask GroupLens before any commercial use.
{conditions}
The README of the archive holds the whole licence.

Reference: Harper, F. M. & Konstan, J. A. (2015). The MovieLens datasets: history and context. ACM
Transactions on Interactive Intelligent Systems 5(4), 19. https://doi.org/10.1145/2827872
"""


def fetch_movielens(
    name="100k",
    *,
    data_home=None,
    download_if_missing=True,
    return_X_y=False,
    as_frame=True,
    n_retries=3,
    delay=1.0,
):
    """Load ratings of films by users of MovieLens; download them at the first call.

    The archive is kept in ``movielens`` of scikit-learn's data folder, and its checksum is
    compared at every call. A download that breaks off is resumed, at once or by the next call.

    The data are those of GroupLens [1]_, for research. Who uses them must not imply an endorsement
    by GroupLens or the University of Minnesota, must acknowledge them in publications, and must
    ask GroupLens before any commercial use. "100k", "1m" and "10m" must not be redistributed
    without permission, "latest-small" under the same conditions only. ``DESCR`` says more, and
    the README of the archive says all.

    Parameters
    ----------
    name : {"100k", "1m", "10m", "latest-small"}, default="100k"
        Which data.

        - "100k": 100,000 ratings, 1 to 5 stars, of 1,682 films by 943 users; 5 MB. In random
          order: ``KFold(5)`` of scikit-learn, without shuffling, gives the canonical folds u1 to
          u5.
        - "1m": 1,000,209 ratings, 1 to 5 stars, of 3,706 films by 6,040 users; 6 MB.
        - "10m": 10,000,054 ratings, 0.5 to 5 stars, of 10,677 films by 69,878 users; 66 MB.
        - "latest-small": 100,836 ratings, 0.5 to 5 stars, of 9,724 films by 610 users; 1 MB.
          GroupLens replaces these data from time to time, and its checksum is another one then.
    data_home : path-like, default=None
        The data folder. None: that of :func:`sklearn.datasets.get_data_home`.
    download_if_missing : bool, default=True
        Whether to download an archive that is not there. False: it is an error.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` alone.
    as_frame : bool, default=True
        Whether pairs, ratings, titles and genres are data frames and series of pandas. False:
        arrays, and dicts of titles and genres.
    n_retries : int, default=3
        How often a download that breaks off is resumed before it is an error.
    delay : float, default=1.0
        Seconds before a download is resumed.

    Returns
    -------
    movielens : :class:`~sklearn.utils.Bunch`
        A dictionary with these attributes. Ratings are in the order of the archive.

        data : {data frame, ndarray} of shape (n_ratings, 2), int64
            The user and the film ("item") of each rating, as GroupLens numbers them: what
            :class:`skrbm.RBMRecommender` takes as X.
        target : {series, ndarray} of shape (n_ratings,), float32
            Stars.
        frame : data frame of shape (n_ratings, 4) or None
            Columns user, item, rating and timestamp. None if ``as_frame=False``.
        timestamp : {series, ndarray} of shape (n_ratings,), int64
            When each rating was given, in seconds since the beginning of 1970, UTC.
        titles, genres : {series, dict}
            Title with the year, and genres separated by bars, by number of film. Some films have
            no rating.
        feature_names, target_names : list of str
            Names of the columns.
        DESCR : str
            What the data are, their licence and their source.
    (data, target) : tuple
        If ``return_X_y=True``.

    Raises
    ------
    ImportError
        If pooch is not installed, or with ``as_frame=True`` pandas.
    OSError
        If the archive is not there and cannot be downloaded, or has another checksum. The message
        says where to put an archive that was downloaded by other means.

    See Also
    --------
    make_ratings : Ratings that a known machine has drawn; needs no file.

    References
    ----------
    .. [1] Harper, F. M. & Konstan, J. A. (2015). The MovieLens datasets: history and context. ACM
       Transactions on Interactive Intelligent Systems 5(4), 19.

    Examples
    --------
    >>> from skrbm.datasets import fetch_movielens
    >>> movielens = fetch_movielens("100k")  # doctest: +SKIP
    >>> movielens.frame.head(2)  # doctest: +SKIP
       user  item  rating  timestamp
    0   196   242     3.0  881250949
    1   186   302     3.0  891717742
    >>> movielens.titles[242]  # doctest: +SKIP
    'Kolya (1996)'
    """
    check_option("name", name, tuple(ARCHIVES))
    for flag, value in (
        ("download_if_missing", download_if_missing),
        ("return_X_y", return_X_y),
        ("as_frame", as_frame),
    ):
        check_flag(flag, value)
    n_retries = check_integer("n_retries", n_retries, 0)
    if not isinstance(delay, Real) or not 0 <= delay < inf:
        raise ValueError(f"delay must be a number of seconds, at least 0. Got {delay!r} instead.")
    pandas = library("pandas", "as_frame=True") if as_frame else None
    archive = ARCHIVES[name]
    path = fetch_archive(
        archive.url,
        archive.sha256,
        Path(get_data_home(data_home)) / "movielens",
        download_if_missing=download_if_missing,
        n_retries=n_retries,
        delay=delay,
    )
    ratings, titles, genres = read_archive(path, archive.form)
    if as_frame:
        titles, genres = (
            pandas.Series(texts, name=column).rename_axis("item")
            for texts, column in ((titles, "title"), (genres, "genres"))
        )
    bunch = bunch_of_pairs(
        *(ratings[column].copy() for column in ("user", "item", "rating")),
        as_frame,
        columns={"timestamp": ratings["timestamp"].copy()},
        titles=titles,
        genres=genres,
        DESCR=_DESCRIPTION.format(**archive._asdict()),
    )
    return (bunch.data, bunch.target) if return_X_y else bunch
