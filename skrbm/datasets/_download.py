"""Archives from the network: checked, kept in a folder, and resumed where a download broke off."""

import os
import time
from contextlib import suppress
from pathlib import Path

from ._bunch import library

_TIMEOUT = 30  # seconds without a byte
_CHUNK = 2**16  # bytes


def fetch_archive(url, sha256, folder, *, download_if_missing=True, n_retries=3, delay=1.0):
    """The path of an archive in a folder; it is downloaded if it is not there.

    Parameters
    ----------
    url : str
        Its last part is the name of the file.
    sha256 : str
        Checksum of the archive, in hexadecimal digits.
    folder : path-like
        Made if there is none. Beside the archive it holds what has arrived of a download that
        broke off, under the name of the archive and ``.part``.
    download_if_missing : bool, default=True
    n_retries : int, default=3
        How often a download that breaks off is resumed, at once.
    delay : float, default=1.0
        Seconds before it is resumed.

    Returns
    -------
    path : Path

    Raises
    ------
    ImportError
        If pooch is not installed.
    OSError
        If the archive is missing and must not or cannot be downloaded, or is another one.
    """
    pooch = library("pooch", "a data set from the network")
    path = Path(folder) / url.rpartition("/")[2]
    found = path.exists()
    if found and pooch.file_hash(str(path)) == sha256:
        return path
    if not download_if_missing:
        state = "is not the archive that skrbm knows (other checksum)" if found else "is missing"
        raise OSError(
            f"{path} {state}, and download_if_missing=False. Set it to True, or get the archive "
            f"from {url} by other means and put it there."
        )
    downloader = _Resuming(path.with_name(f"{path.name}.part"), n_retries, delay)
    try:
        pooch.retrieve(url, f"sha256:{sha256}", path.name, path.parent, downloader=downloader)
    except OSError as error:  # of requests, where some are ValueErrors as well, or of the files
        raise OSError(
            f"{url} could not be downloaded: {error}. The next call goes on where this one "
            f"stopped. Without a connection put the archive, {path.name}, into {path.parent}."
        ) from error
    except ValueError as error:  # of pooch: the checksum
        raise OSError(
            f"what {url} sent is not the archive that skrbm knows: its SHA-256 is not {sha256}. "
            "It was thrown away. Call again, as the download may have been damaged; if the error "
            "stays, the archive was replaced by another one."
        ) from error
    return path


class _Resuming:
    """A downloader for pooch that goes on with what has arrived before.

    Parameters
    ----------
    part : Path
        The file of what has arrived.
    n_retries : int
    delay : float
        Seconds.
    """

    def __init__(self, part, n_retries, delay):
        self.part, self.n_retries, self.delay = part, n_retries, delay

    def __call__(self, url, output_file, pooch):
        """Download to a path; ``pooch`` is none."""
        # A file of this call alone: other processes may download the same archive. Only a process
        # that is killed leaves it behind.
        own = self.part.with_name(f"{self.part.name}.{Path(output_file).name}")
        with suppress(FileNotFoundError):
            os.replace(self.part, own)
        try:
            for attempt in range(self.n_retries + 1):
                try:
                    _append(url, own)
                    break
                except OSError:
                    if attempt == self.n_retries:
                        raise
                    time.sleep(self.delay)
            os.replace(own, output_file)
        finally:
            with suppress(FileNotFoundError):  # the download broke off, and some has arrived
                os.replace(own, self.part)


def _append(url, path):
    """Ask for what a file lacks."""
    requests = library("requests", "a data set from the network")
    n_done = path.stat().st_size if path.exists() else 0
    headers = {"Accept-Encoding": "identity"}  # bytes are counted as they are in the file
    if n_done:
        headers["Range"] = f"bytes={n_done}-"
    with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT) as response:
        if response.status_code == requests.codes.requested_range_not_satisfiable:
            return  # nothing is missing; the checksum tells what it is
        response.raise_for_status()
        goes_on = response.status_code == requests.codes.partial_content
        with path.open("ab" if goes_on else "wb") as file:
            for chunk in response.iter_content(_CHUNK):
                file.write(chunk)
