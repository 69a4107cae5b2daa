"""A model hub that speaks the protocol of Hugging Face: what it says of a file at a revision.

The protocol - addresses, login, errors - is huggingface_hub's, and so are ``HF_ENDPOINT`` and ``HF_TOKEN``.
The transfer is `unmask.lab.zoo.remote`'s, since a broken one must go on where it was: version 2 of the
library throws away what came.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from unmask.errors import MissingExtraError, ModelError
from unmask.lab.zoo.entry import Hub
from unmask.lab.zoo.remote import Remote

_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def ask_hub(source: Hub, *, revision: str | None = None) -> tuple[str, list[Remote]]:
    """What the hub says of all files of an entry.

    Args:
        source: The entry's.
        revision: Another one than the entry's.

    Returns:
        The commit that the revision stands for, and the files.

    Raises:
        ModelError: The hub cannot be reached, has no such file, asks for a login, or names another commit.
        MissingExtraError: huggingface_hub is not installed.
    """
    wanted = revision or source.revision
    known = dict(source.sha256) if wanted == source.revision else {}
    commits, files = set(), []
    for name in source.files:
        found, url, headers = _ask(source.repository, name, wanted)
        tag, commit = str(found.etag or ""), str(found.commit_hash or "")
        if not _COMMIT.fullmatch(commit) or found.size is None or not tag:
            raise ModelError(f"{url}: the hub must tell commit, size and ETag of a file")
        if _COMMIT.fullmatch(wanted) and commit != wanted:
            raise ModelError(f"{url}: asked for commit {wanted}, and the hub answers with {commit}")
        commits.add(commit)
        location = found.location or url
        if urlsplit(location).netloc != urlsplit(url).netloc:
            headers = {}  # a login is for the hub alone
        told = tag if _SHA256.fullmatch(tag) else ""
        blob = tag if _COMMIT.fullmatch(tag) else ""
        files.append(Remote(location, name, found.size, tag, known.get(name, told), blob, headers))
    if len(commits) != 1:
        raise ModelError(f"{source.repository}: changed while it was asked; the same command begins anew")
    return commits.pop(), files


def _ask(repository: str, name: str, revision: str) -> tuple[Any, str, dict[str, str]]:
    """The hub's answer for one file, its address, and the headers of a login."""
    try:
        from huggingface_hub import errors, get_hf_file_metadata, get_token, hf_hub_url
    except ModuleNotFoundError as error:
        raise MissingExtraError(error.name or "huggingface_hub", extra="zoo") from error
    endpoint = os.environ.get("HF_ENDPOINT") or None
    url = hf_hub_url(repository, name, revision=revision, endpoint=endpoint)
    token = os.environ.get("HF_TOKEN") or get_token()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    page = url.partition("/resolve/")[0]
    sentences: list[tuple[type[Exception], Callable[[Exception], str]]] = [
        (errors.GatedRepoError, lambda _: f"{page}: asks for a login: accept its terms there, set HF_TOKEN"),
        (errors.RevisionNotFoundError, lambda _: f"{page}: has no revision {revision!r}"),
        (errors.EntryNotFoundError, lambda _: f"{page}: has no file {name!r} at revision {revision!r}"),
        (errors.RepositoryNotFoundError, lambda _: f"{page}: is not there, or asks for a login (HF_TOKEN)"),
        (errors.HfHubHTTPError, lambda e: f"{url}: {_http(e)}"),
        (OSError, lambda e: f"{url}: the hub cannot be asked ({_line(e)})"),
        (getattr(errors, "HTTPError", OSError), lambda e: f"{url}: the hub cannot be reached ({_line(e)})"),
        (ValueError, lambda e: f"{url}: {_line(e)}"),
    ]
    try:
        return get_hf_file_metadata(url, token=token or False, endpoint=endpoint), url, headers
    except tuple(kind for kind, _ in sentences) as error:
        told = next(sentence for kind, sentence in sentences if isinstance(error, kind))
        raise ModelError(told(error)) from error


def _http(error: Exception) -> str:
    code = getattr(getattr(error, "response", None), "status_code", None)
    if code in (401, 403):
        return f"the hub answers {code}: it asks for a login (HF_TOKEN), or this one may not read it"
    return f"the hub answers {code}"


def _line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
