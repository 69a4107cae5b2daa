"""Files from elsewhere: a transfer that goes on where it broke off, and ends with the right bytes or none."""

from __future__ import annotations

import errno
import hashlib
import http.client
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from unmask.errors import ModelError
from unmask.files import size_words

CHUNK_BYTES = 1 << 20
TIMEOUT_SECONDS = 60.0
FRUITLESS_TRIES = 3
"""So often in a row a transfer may bring nothing before it is given up."""
OnBytes = Callable[[int, int], None]
"""Is told how many bytes of how many are there."""


@dataclass(frozen=True, slots=True)
class Remote:
    """One file elsewhere.

    Attributes:
        url: Where its bytes are.
        name: What it is called here.
        size_bytes: Of the file.
        tag: Changes when the file does; the ETag of its server.
        sha256: Of its bytes, or empty where nobody tells.
        blob_sha1: The same as git tells it, or empty.
        headers: Sent with each request to the host of ``url``, and to no other.
    """

    url: str
    name: str
    size_bytes: int
    tag: str
    sha256: str = ""
    blob_sha1: str = ""
    headers: dict[str, str] = field(default_factory=dict)


def ask_web(url: str, *, sha256: str = "") -> Remote:
    """What a plain server says of a file.

    Raises:
        ModelError: It cannot be reached, has no such file, or does not say how long it is.
    """
    try:
        with _open(urllib.request.Request(url, method="HEAD")) as answer:
            size, tag = answer.headers.get("Content-Length", ""), answer.headers.get("ETag", "")
    except (OSError, http.client.HTTPException) as error:
        raise ModelError(f"{url}: {_reason(error)}") from error
    if not size.isdecimal():
        raise ModelError(f"{url}: the server must say how long the file is, got {size!r}")
    return Remote(url, url.rpartition("/")[2], int(size), tag or size, sha256)


def download(remote: Remote, folder: Path, *, most_bytes: int, tell: OnBytes) -> Path:
    """Bring a file into a folder; what an earlier try left there is gone on with.

    Args:
        remote: The file.
        folder: Is there. Beside files it holds parts of files, named by what they are a part of.
        most_bytes: A longer file is refused.
        tell: Is told how far it is.

    Returns:
        The file, its bytes checked.

    Raises:
        ModelError: It is too long, the disk is full, the transfer breaks off, or its hash is another one.
    """
    size = remote.size_bytes
    if size > most_bytes:
        raise ModelError(f"{remote.url}: must be at most {most_bytes} bytes, got {size}")
    file = folder / remote.name
    part = folder / f"{remote.name}.{hashlib.sha256(remote.tag.encode()).hexdigest()[:16]}.part"
    if file.exists() and file.stat().st_size == size and not part.exists():
        file.rename(part)  # to be checked as if it had just come
    have = part.stat().st_size if part.exists() else 0
    free = shutil.disk_usage(folder).free
    if free < size - have:
        need = f"{size_words(size - have)} are needed"
        raise ModelError(f"{folder}: {need}, and {size_words(free)} are free; UNMASK_CACHE names another")
    _transfer(remote, part, tell)
    _check(remote, part)
    part.replace(file)
    return file


def _transfer(remote: Remote, part: Path, tell: OnBytes) -> None:
    tries = 0
    while (have := part.stat().st_size if part.exists() else 0) < remote.size_bytes:
        problem = "the server ended early"
        try:
            _add(remote, part, have, tell)
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                rule = f"{part.parent}: the disk is full; with more room the same command goes on"
                raise ModelError(rule) from error
            problem = _reason(error)
            if isinstance(error, urllib.error.HTTPError) and 400 <= error.code < 500:
                raise ModelError(f"{remote.url}: {problem}") from error
        now = part.stat().st_size if part.exists() else 0
        tries = 0 if now > have else tries + 1
        if tries == FRUITLESS_TRIES:
            far = f"{size_words(now)} of {size_words(remote.size_bytes)}"
            raise ModelError(f"{remote.url}: broke off at {far} ({problem}); the same command goes on there")


def _add(remote: Remote, part: Path, have: int, tell: OnBytes) -> None:
    """Ask for what is missing and write it; a server that sends the whole file is started over with."""
    headers = remote.headers | ({"Range": f"bytes={have}-"} if have else {})
    with _open(urllib.request.Request(remote.url, headers=headers)) as answer:
        begins = f"bytes {have}-"
        goes_on = have > 0 and answer.status == 206
        if goes_on and not answer.headers.get("Content-Range", "").startswith(begins):
            raise ModelError(f"{remote.url}: the server sent another part than was asked for")
        with part.open("ab" if goes_on else "wb") as out:
            done = have if goes_on else 0
            while chunk := answer.read(CHUNK_BYTES):
                done += len(chunk)
                if done > remote.size_bytes:
                    part.unlink()
                    raise ModelError(f"{remote.url}: sent more than the {remote.size_bytes} bytes it told of")
                out.write(chunk)
                tell(done, remote.size_bytes)


def _check(remote: Remote, part: Path) -> None:
    """Refuse bytes whose hash is not the one that was told, and forget them, or they would come back."""
    sha256, blob = hashlib.sha256(), hashlib.sha1(usedforsecurity=False)
    blob.update(b"blob %d\0" % remote.size_bytes)
    with part.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            sha256.update(chunk)
            blob.update(chunk)
    for wanted, found in ((remote.sha256, sha256.hexdigest()), (remote.blob_sha1, blob.hexdigest())):
        if wanted and wanted != found:
            part.unlink()
            raise ModelError(f"{remote.url}: its hash must be {wanted}, got {found}; nothing was kept")


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows to https alone (to this machine also without), and takes no headers to another host."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        """As in the base class."""
        _check_url(newurl)
        request = super().redirect_request(req, fp, code, msg, headers, newurl)
        if request is not None and urlsplit(newurl).netloc != urlsplit(req.full_url).netloc:
            request.headers.pop("Authorization", None)
        return request


def _open(request: urllib.request.Request) -> Any:
    _check_url(request.full_url)
    request.add_header("User-Agent", "unmask")
    request.add_header("Accept-Encoding", "identity")
    return urllib.request.build_opener(_Redirects).open(request, timeout=TIMEOUT_SECONDS)


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    local = parts.hostname in ("127.0.0.1", "::1", "localhost")
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        raise ModelError(f"an address must begin with https://, got {url}")


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answers {error.code} {error.reason}"
    reason = getattr(error, "reason", None) or error
    return str(reason) or type(error).__name__
