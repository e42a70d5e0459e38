"""Archives from the network: a server on this computer sends them, or fails to."""

import sys
import time

import pytest

from skrbm.datasets._download import fetch_archive

from ..helpers.archives import noise, served, sha256

pytest.importorskip("pooch")
CHUNK = 2**16  # bytes written at once: a connection that breaks loses fewer
CONTENT = noise(6 * CHUNK + 1000)
SUM = sha256(CONTENT)


@pytest.fixture
def site(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with served(CONTENT) as site:
        yield site


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_an_archive_is_downloaded_once(site, tmp_path):
    for _ in range(2):
        path = fetch_archive(site.url, SUM, tmp_path / "new" / "folder")
    assert path.read_bytes() == CONTENT
    assert site.ranges == [None]
    assert files(path.parent) == {"ml-100k.zip": CONTENT}


def test_a_broken_download_is_resumed_at_once(site, tmp_path):
    site.breaks_after = [4 * CHUNK, CHUNK + 9]
    path = fetch_archive(site.url, SUM, tmp_path, delay=0)
    assert site.ranges == [None, f"bytes={4 * CHUNK}-", f"bytes={5 * CHUNK}-"]
    assert files(tmp_path) == {"ml-100k.zip": CONTENT}
    assert path.parent == tmp_path


def test_a_broken_download_is_resumed_by_the_next_call(site, tmp_path):
    site.breaks_after = [3 * CHUNK]
    with pytest.raises(OSError, match=r"could not be downloaded: .* The next call goes on where"):
        fetch_archive(site.url, SUM, tmp_path, n_retries=0)
    assert files(tmp_path) == {"ml-100k.zip.part": CONTENT[: 3 * CHUNK]}
    fetch_archive(site.url, SUM, tmp_path, n_retries=0)
    assert site.ranges == [None, f"bytes={3 * CHUNK}-"]
    assert files(tmp_path) == {"ml-100k.zip": CONTENT}


def test_a_server_that_cannot_resume_starts_again(site, tmp_path):
    site.breaks_after, site.resumes = [3 * CHUNK], False
    fetch_archive(site.url, SUM, tmp_path, delay=0)
    assert site.ranges == [None, f"bytes={3 * CHUNK}-"]
    assert files(tmp_path) == {"ml-100k.zip": CONTENT}


def test_calls_at_the_same_time_keep_apart(site, tmp_path):
    """Another call begins and ends while this one has half of the archive."""
    answer, paths = site.answer, []

    def answer_in_halves(handler):
        site.answer = answer
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(CONTENT)))
        handler.end_headers()
        handler.wfile.write(CONTENT[: 3 * CHUNK])
        while sum(map(len, files(tmp_path).values())) < 3 * CHUNK:
            time.sleep(0.001)
        paths.append(fetch_archive(site.url, SUM, tmp_path, n_retries=0))
        handler.wfile.write(CONTENT[3 * CHUNK :])

    site.answer = answer_in_halves
    paths.append(fetch_archive(site.url, SUM, tmp_path, n_retries=0))
    assert paths == [tmp_path / "ml-100k.zip"] * 2
    assert files(tmp_path) == {"ml-100k.zip": CONTENT}


def test_what_has_arrived_is_kept_where_the_user_stops_the_call(site, tmp_path, monkeypatch):
    site.breaks_after = [3 * CHUNK]

    def stop(_):
        raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", stop)
    with pytest.raises(KeyboardInterrupt):
        fetch_archive(site.url, SUM, tmp_path)
    assert files(tmp_path) == {"ml-100k.zip.part": CONTENT[: 3 * CHUNK]}


def test_a_complete_part_is_taken(site, tmp_path):
    """A call was stopped between the last byte and the check."""
    (tmp_path / "ml-100k.zip.part").write_bytes(CONTENT)
    fetch_archive(site.url, SUM, tmp_path)
    assert files(tmp_path) == {"ml-100k.zip": CONTENT}


@pytest.mark.parametrize("part", [None, b"other bytes", noise(7 * CHUNK)])
def test_another_archive_is_thrown_away(site, tmp_path, part):
    """Whether the server sends it, or what was there before is no part of it."""
    if part is None:
        site.content = CONTENT[:-1] + b"!"
    else:
        (tmp_path / "ml-100k.zip.part").write_bytes(part)
    with pytest.raises(OSError, match=f"not the archive that skrbm knows: its SHA-256 is .*{SUM}"):
        fetch_archive(site.url, SUM, tmp_path)
    assert files(tmp_path) == {}
    site.content = CONTENT
    assert fetch_archive(site.url, SUM, tmp_path).read_bytes() == CONTENT


def test_a_damaged_archive_is_replaced(site, tmp_path):
    (tmp_path / "ml-100k.zip").write_bytes(CONTENT[:1000])
    with pytest.raises(OSError, match=r"is not the archive that skrbm knows .*_missing=False"):
        fetch_archive(site.url, SUM, tmp_path, download_if_missing=False)
    fetch_archive(site.url, SUM, tmp_path)
    assert files(tmp_path) == {"ml-100k.zip": CONTENT}


def test_an_archive_put_there_by_hand_needs_no_network(tmp_path):
    (tmp_path / "ml-100k.zip").write_bytes(CONTENT)
    url = "http://127.0.0.1:9/ml-100k.zip"
    assert fetch_archive(url, SUM, tmp_path).read_bytes() == CONTENT


def test_errors_without_a_network_say_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    url = "http://127.0.0.1:9/ml-100k.zip"
    with pytest.raises(OSError, match="could not be downloaded") as caught:
        fetch_archive(url, SUM, tmp_path, n_retries=1, delay=0)
    assert f"put the archive, ml-100k.zip, into {tmp_path}" in str(caught.value)
    assert url in str(caught.value)
    with pytest.raises(OSError, match=r"ml-100k\.zip is missing, and download_if_missing=False"):
        fetch_archive(url, SUM, tmp_path, download_if_missing=False)


def test_a_proxy_without_a_name_is_not_taken_for_another_archive(tmp_path, monkeypatch):
    """The error of requests is a ValueError as well as an OSError."""
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("http_proxy", "http:///")
    with pytest.raises(OSError, match=r"could not be downloaded: .*proxy"):
        fetch_archive("http://example.org/a.zip", SUM, tmp_path, n_retries=0)


def test_missing_pages_are_errors(site, tmp_path):
    site.answer = lambda handler: handler.send_error(404)
    with pytest.raises(OSError, match="could not be downloaded: 404"):
        fetch_archive(site.url, SUM, tmp_path, n_retries=0)
    assert files(tmp_path) == {}


def test_pooch_is_named_where_it_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(ImportError, match=r'needs pooch, .* pip install "skrbm\[datasets\]"'):
        fetch_archive("http://127.0.0.1:9/a.zip", SUM, tmp_path)
