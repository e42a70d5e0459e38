"""The files of MovieLens archives: ratings, titles and genres, in three forms."""

import csv
import io
import re
from collections.abc import Callable
from typing import NamedTuple
from zipfile import ZipFile

import numpy as np

#: A line of ratings, in the order of its columns.
RATINGS = np.dtype(
    [("user", np.int64), ("item", np.int64), ("rating", np.float32), ("timestamp", np.int64)]
)


class Form(NamedTuple):
    """Where an archive holds what.

    Parameters
    ----------
    ratings, items : str
        Names of files.
    encoding : str
        Of titles. Ratings are plain ASCII.
    films : callable
        Takes the text of ``items`` and a function that reads further files; yields the number,
        the title and the genres of each film.
    """

    ratings: str
    items: str
    encoding: str
    films: Callable


def read_archive(path, form):
    """What an archive holds: ratings as they stand there, and what the films are called.

    Parameters
    ----------
    path : path-like
    form : Form

    Returns
    -------
    ratings : structured ndarray of dtype RATINGS
    titles, genres : dict
        By the number of a film. Genres are one text, separated by bars.
    """
    with ZipFile(path) as archive:
        folder = archive.namelist()[0].partition("/")[0]

        def read(name):
            return archive.read(f"{folder}/{name}")

        ratings = parse_ratings(read(form.ratings))
        text = read(form.items).decode(form.encoding)
        films = list(form.films(text, read))
    titles = {item: title for item, title, _ in films}
    return ratings, titles, {item: genres for item, _, genres in films}


def parse_ratings(text):
    """Ratings of a text of lines, separated by tabs, commas or double colons.

    Parameters
    ----------
    text : bytes
        The first line may hold names.

    Returns
    -------
    ratings : structured ndarray of dtype RATINGS
    """
    has_names = not text[:1].isdigit()
    lines = io.BytesIO(text.replace(b"::", b"\t").replace(b",", b"\t"))
    return np.loadtxt(
        lines, RATINGS, delimiter="\t", comments=None, skiprows=int(has_names), ndmin=1,
        encoding="ascii",
    )  # fmt: skip


def _lines(text):
    """Lines that are not empty, split at line feeds alone: latin-1 has other ends of lines."""
    return filter(None, re.split("\r?\n", text))


def _films_by_flags(text, read):
    """Films of MovieLens-100K: number, title, three more fields, and a flag for each genre."""
    names = [line.partition("|")[0] for line in read("u.genre").decode("ascii").split()]
    for line in _lines(text):
        number, title, *others = line.split("|")
        flags = others[-len(names) :]
        own = [name for name, flag in zip(names, flags, strict=True) if flag == "1"]
        yield int(number), title, "|".join(own)


def _films_by_colons(text, _):
    """Films of MovieLens-1M and 10M: number, title and genres."""
    for line in _lines(text):
        number, _, rest = line.partition("::")
        title, _, genres = rest.rpartition("::")
        yield int(number), title, genres


def _films_by_commas(text, _):
    """Films of later archives: a line of names, then number, title and genres."""
    for number, title, genres in list(csv.reader(io.StringIO(text)))[1:]:
        yield int(number), title, genres


TABS = Form("u.data", "u.item", "latin-1", _films_by_flags)
COLONS = Form("ratings.dat", "movies.dat", "latin-1", _films_by_colons)
UTF8_COLONS = COLONS._replace(encoding="utf-8")
COMMAS = Form("ratings.csv", "movies.csv", "utf-8", _films_by_commas)
