"""Small MovieLens archives of each form, and a server that sends them, or a part of them."""

import contextlib
import hashlib
import http.server
import io
import threading
from zipfile import ZipFile

import numpy as np

ROWS = [(7, 1193, 5.0, 978300760), (7, 661, 3.0, 978302109), (12, 661, 0.5, 978301968)]
TITLES = {661: "Cité des enfants perdus, La (1995)", 1193: "a::b, Inc. (1975)", 2: "Jumanji"}
GENRES = {661: "Sci-Fi", 1193: "Drama|Children's", 2: ""}
_GENRE_NAMES = ["unknown", "Drama", "Sci-Fi", "Children's"]


def _separated(rows, separator, end="\n"):
    """Lines of ratings; whole stars without a fraction."""
    lines = [[user, item, f"{stars:g}", time] for user, item, stars, time in rows]
    return "".join(separator.join(map(str, line)) + end for line in lines)


def _flags(item):
    own = GENRES[item].split("|")
    return "|".join(str(int(name in own)) for name in _GENRE_NAMES)


def _of_tabs(rows):
    dates = "|01-Jan-1995||http://x|"
    films = [f"{item}|{title}{dates}{_flags(item)}\n" for item, title in TITLES.items()]
    genres = "".join(f"{name}|{k}\n" for k, name in enumerate(_GENRE_NAMES)) + "\n"
    return {
        "ml-100k/u.data": _separated(rows, "\t").encode(),
        "ml-100k/u.item": "".join(films).encode("latin-1"),
        "ml-100k/u.genre": genres.encode(),
    }


def _of_colons(rows, folder, encoding):
    films = [f"{item}::{title}::{GENRES[item]}\n" for item, title in TITLES.items()]
    return {
        f"{folder}/movies.dat": "".join(films).encode(encoding),
        f"{folder}/ratings.dat": _separated(rows, "::").encode(),
    }


def _of_commas(rows):
    films = [f'{item},"{title}",{GENRES[item]}\r\n' for item, title in TITLES.items()]
    films = "".join(["movieId,title,genres\r\n", *films])
    ratings = "userId,movieId,rating,timestamp\r\n" + _separated(rows, ",", "\r\n")
    return {
        "ml-latest-small/movies.csv": films.encode(),
        "ml-latest-small/ratings.csv": ratings.encode(),
    }


def archive(name, rows=ROWS):
    """The bytes of an archive of the form of a MovieLens."""
    files = {
        "100k": lambda: _of_tabs(rows),
        "1m": lambda: _of_colons(rows, "ml-1m", "latin-1"),
        "10m": lambda: _of_colons(rows, "ml-10M100K", "utf-8"),
        "latest-small": lambda: _of_commas(rows),
    }[name]()
    packed = io.BytesIO()
    with ZipFile(packed, "w") as out:
        out.writestr(f"{next(iter(files)).partition('/')[0]}/", "")
        for path, content in files.items():
            out.writestr(path, content)
    return packed.getvalue()


def sha256(content):
    """A checksum in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def noise(n_bytes):
    """Bytes that stand for an archive."""
    return np.random.default_rng(0).bytes(n_bytes)


class Site:
    """What a server sends, and what it was asked for.

    Attributes
    ----------
    content : bytes
    breaks_after : list of int
        After so many bytes the connection of the next answers breaks off.
    resumes : bool
        Whether it answers requests of a range as such.
    ranges : list of str or None
        What was asked for so far.
    """

    def __init__(self, content):
        self.content, self.breaks_after, self.resumes, self.ranges = content, [], True, []
        self.url = None

    def answer(self, handler):
        """Send what is asked for."""
        asked = handler.headers["Range"]
        self.ranges.append(asked)
        first = int(asked[len("bytes=") : -1]) if asked and self.resumes else 0
        if first and first >= len(self.content):
            handler.send_error(416)
            return
        body = self.content[first:]
        handler.send_response(206 if first else 200)
        handler.send_header("Content-Length", str(len(body)))
        if first:
            ends = f"{first}-{len(self.content) - 1}/{len(self.content)}"
            handler.send_header("Content-Range", f"bytes {ends}")
        handler.end_headers()
        handler.wfile.write(body[: self.breaks_after.pop(0)] if self.breaks_after else body)


@contextlib.contextmanager
def served(content):
    """A site on this computer, until the block ends."""
    site = Site(content)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            site.answer(self)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        site.url = f"http://127.0.0.1:{server.server_port}/data/ml-100k.zip"
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()
