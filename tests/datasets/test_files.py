"""Files of MovieLens archives, read in each form."""

import numpy as np
import pytest

from skrbm.datasets._files import (
    COLONS,
    COMMAS,
    RATINGS,
    TABS,
    UTF8_COLONS,
    parse_ratings,
    read_archive,
)

from ..helpers.archives import GENRES, ROWS, TITLES, archive

FORMS = {"100k": TABS, "1m": COLONS, "10m": UTF8_COLONS, "latest-small": COMMAS}


@pytest.mark.parametrize("name", FORMS)
def test_archives_are_read(name, tmp_path):
    (tmp_path / "ml.zip").write_bytes(archive(name))
    ratings, titles, genres = read_archive(tmp_path / "ml.zip", FORMS[name])
    assert ratings.dtype == RATINGS
    assert ratings.tolist() == ROWS
    assert titles == TITLES
    assert {item: set(text.split("|")) for item, text in genres.items()} == {
        item: set(text.split("|")) for item, text in GENRES.items()
    }


@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
@pytest.mark.parametrize(("header", "separator"), [("", "\t"), ("", "::"), ("a,b,c,d\n", ",")])
def test_a_single_rating_is_a_table(header, separator, end):
    line = separator.join(["1", "2", "3.5", "978300760"])
    ratings = parse_ratings((header + line + end).encode())
    assert ratings.tolist() == [(1, 2, 3.5, 978300760)]


def test_titles_may_hold_what_ends_lines_elsewhere(tmp_path, monkeypatch):
    """0x85 of latin-1 is the end of a line for Python."""
    monkeypatch.setitem(TITLES, 2, "Wait\x85 (1999)")
    (tmp_path / "ml.zip").write_bytes(archive("1m"))
    assert read_archive(tmp_path / "ml.zip", COLONS)[1][2] == "Wait\x85 (1999)"


def test_damaged_lines_are_errors():
    with pytest.raises(ValueError, match="row"):
        parse_ratings(b"1\t2\t3\t4\n1\t2\n")
    with pytest.raises(ValueError, match="convert"):
        parse_ratings(b"1\t2\tx\t4\n")


def test_ratings_are_exact():
    rows = [(user, 10**6, stars, 2**31) for user, stars in enumerate(np.arange(1, 11) / 2)]
    text = "".join("\t".join(map(str, row)) + "\n" for row in rows)
    assert parse_ratings(text.encode()).tolist() == rows
