"""Routes of scans: send, look, listen, report, delete."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from enum import StrEnum
from functools import partial
from pathlib import Path as File
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import FileResponse, StreamingResponse

from unmask.judge.stored import read_verdict
from unmask.verdicts import Outcome
from unmask.web.background import in_thread
from unmask.web.cases import CaseForm
from unmask.web.events import EventStream, Listener, TooManyListenersError
from unmask.web.examining import CloserLook, examine
from unmask.web.pages import SiteOf, problems
from unmask.web.refusals import RefusedError
from unmask.web.security import REPORT_HEADERS
from unmask.web.site import Site
from unmask.web.uploads import plain_name, save_body
from unmask.web.views import ReportProgress, Scan, ScanDetail, ScanList, as_news

scans = APIRouter(prefix="/api", tags=["scans"])

MAX_JSON_BYTES = 16_384
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/octet-stream": {"schema": {"type": "string", "format": "binary", "minLength": 1}},
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {"path": {"type": "string", "minLength": 1, "maxLength": 4096}},
                    "required": ["path"],
                    "additionalProperties": False,
                }
            },
        },
    }
}

_JPEG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/jpeg": {}}}}
_KEPT = {"Cache-Control": "private, max-age=86400, immutable"}
_ZIP: dict[int | str, dict[str, Any]] = {200: {"content": {"application/zip": {}}}}

Key = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="Id of a scan.")]
Language = Annotated[Literal["en", "de"], Query(description="Of its words.")]


class Format(StrEnum):
    """Of a report."""

    HTML = "html"
    JSON = "json"
    PDF = "pdf"


_KINDS = {Format.HTML: "text/html", Format.JSON: "application/json", Format.PDF: "application/pdf"}


@scans.post("/scans", status_code=201, openapi_extra=_BODY, responses=problems(404, 408, 409, 413, 415, 503))
async def send_scan(
    request: Request,
    response: Response,
    site: SiteOf,
    name: Annotated[str, Query(max_length=1024, description="What the file is called; only shown.")] = "",
) -> Scan:
    """Send a file as the body, or ``{"path": ...}`` of one that lies on the server's machine.

    Paths are only taken by a server that listens to its own machine alone. The answer comes when the file is
    there; the scan then waits for its turn.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        scan = await _send_path(request, site)
    elif kind == "application/octet-stream" or kind.startswith(("video/", "image/")):
        scan = await _send_upload(request, site, plain_name(name))
    else:
        rule = "the body must be a file (application/octet-stream, video/*, image/*) or application/json"
        raise RefusedError("wrong_type", f"{rule}, got {kind[:100]!r}")
    response.headers["Location"] = f"/api/scans/{scan.id}"
    return scan


async def _send_upload(request: Request, site: Site, name: str) -> Scan:
    length = request.headers.get("content-length", "")
    declared = int(length) if length.isdecimal() and len(length) < 20 else None
    async with site.new_scan(name) as row:
        target, limits = site.store.source_of(row), site.settings.upload
        async with site.incoming.within(row.id, limits.total_seconds):
            found = await save_body(request.stream(), target, limits, declared=declared)
            site.metrics.upload_bytes.inc(found.bytes)
            # Within the block: who deletes the scan finds it either coming in or in the queue.
            return await in_thread(partial(site.enqueue, row, size=found.bytes, sha256=found.sha256))


async def _send_path(request: Request, site: Site) -> Scan:
    seconds = site.settings.upload.idle_seconds
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_JSON_BYTES:
                    raise RefusedError("too_large", f"a JSON body must have at most {MAX_JSON_BYTES} bytes")
    except TimeoutError as error:
        raise RefusedError("too_slow", f"a JSON body must be there within {seconds:g} seconds") from error
    if not site.settings.local:
        rule = "paths are only taken by a server that nobody but its own machine reaches"
        raise RefusedError(
            "no_paths", f"{rule}, and this one listens on {site.settings.host}; upload the file"
        )
    path = _path_in(bytes(body))
    size = await in_thread(_size_of, path)
    async with site.new_scan(plain_name(path.name), path) as row:
        return await in_thread(partial(site.enqueue, row, size=size, sha256=None))


def _path_in(body: bytes) -> File:
    try:
        given = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RefusedError("bad_request", "the body must be JSON") from error
    path = given.get("path") if isinstance(given, dict) and set(given) == {"path"} else None
    if not isinstance(path, str) or not path or "\0" in path:
        raise RefusedError("bad_request", 'the body must be {"path": "a file of this machine"}')
    try:
        path.encode("utf-8")
    except UnicodeEncodeError as error:
        raise RefusedError("bad_request", "the path must be text, got half of a surrogate pair") from error
    file = File(path)
    if not file.is_absolute():
        raise RefusedError("bad_request", f"the path must begin at the root, got {path[:200]!r}")
    return file


def _size_of(path: File) -> int:
    try:
        found = os.stat(path)  # noqa: PTH116  no difference, and Path.stat hides that it follows links
    except OSError as error:
        raise RefusedError("not_found", f"the path leads to no file: {error.strerror}") from error
    if not stat.S_ISREG(found.st_mode):
        raise RefusedError(
            "bad_request", "the path must lead to a regular file, got a folder, pipe or device"
        )
    return found.st_size


@scans.get("/scans", responses=problems())
def list_scans(
    site: SiteOf,
    search: Annotated[str, Query(max_length=200, description="Part of the name, or of the SHA-256.")] = "",
    outcome: Annotated[Outcome | None, Query(description="Only those with this outcome.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> ScanList:
    """Past and present scans, newest first."""
    wanted = None if outcome is None else outcome.value
    rows = site.store.find(search=search, outcome=wanted, limit=limit + 1, offset=offset)
    return ScanList([site.view(row) for row in rows[:limit]], more=len(rows) > limit)


@scans.get("/events", response_class=StreamingResponse, responses=problems(503))
async def follow_all(site: SiteOf) -> StreamingResponse:
    """Server-sent events of all scans: each ``data`` is a scan; a deleted one has only id and state."""
    return EventStream(site.hub, _join(site))


@scans.get("/scans/{key}", responses=problems(404))
def get_scan(site: SiteOf, key: Key, language: Language = "en") -> ScanDetail:
    """One scan, with its whole verdict when it is done, and what the report says first of it."""
    row = site.row(key)
    scan = site.view(row)
    stored = site.store.verdict(key)
    verdict = None if stored is None else read_verdict(stored)
    told = None if verdict is None else site.reports.told(row, verdict, language=language)
    return ScanDetail(**_fields(scan), verdict=verdict, told=told, pictures=site.store.portraits(key))


@scans.get("/scans/{key}/events", response_class=StreamingResponse, responses=problems(404, 503))
async def follow_one(site: SiteOf, key: Key) -> StreamingResponse:
    """Server-sent events of one scan, from how it is now to its end."""
    listener = _join(site, key)  # before it is looked at, or news in between would be missed
    try:
        row = await in_thread(site.row, key)
    except BaseException:
        site.hub.leave(listener)
        raise
    return EventStream(site.hub, listener, as_news(site.view(row)))


def _join(site: Site, key: str | None = None) -> Listener:
    try:
        return site.hub.join(key)
    except TooManyListenersError as error:
        raise RefusedError("busy", str(error)) from error


@scans.get("/scans/{key}/report", response_class=FileResponse, responses=problems(404, 409, 503))
def get_report(
    site: SiteOf,
    key: Key,
    language: Language = "en",
    format: Annotated[
        Format, Query(description="A page, JSON, or a PDF, which needs Chromium.")
    ] = Format.HTML,
    embedded: Annotated[bool, Query(description="A page without the headline, for where it stands.")] = False,
) -> Response:
    """The report, one file that needs no network; made when it is first asked for, which takes a while."""
    row = site.row(key)
    file = site.reports.get(row, language=language, suffix=format.value)
    if embedded and format is Format.HTML:
        page = file.read_text(encoding="utf-8").replace("<body>", '<body class="embedded">', 1)
        return Response(page, media_type="text/html", headers=REPORT_HEADERS)
    return FileResponse(file, media_type=_KINDS[format], headers=REPORT_HEADERS)


@scans.get("/scans/{key}/report/progress", responses=problems(404))
def get_report_progress(site: SiteOf, key: Key) -> ReportProgress:
    """What is being done for a report that was asked for; a PDF is printed from the page."""
    step = site.reports.progress(site.row(key))
    return ReportProgress(None, 0.0) if step is None else ReportProgress(step.name, step.share)


@scans.get("/scans/{key}/picture", response_class=FileResponse, responses={**_JPEG, **problems(404)})
def get_picture(
    site: SiteOf,
    key: Key,
    person: Annotated[int | None, Query(ge=0, le=10**9, description="An id of the verdict.")] = None,
) -> FileResponse:
    """The face of a person in the frame in which it looks most suspicious; by default of the first of all."""
    file = site.store.portrait(site.row(key).id, person)
    if not file.is_file():
        raise RefusedError("not_found", "there is no such picture")
    return FileResponse(file, media_type="image/jpeg", headers=_KEPT)


@scans.get("/scans/{key}/comparison/{other}", response_class=FileResponse, responses=problems(404, 409, 503))
def get_comparison(site: SiteOf, key: Key, other: Key, language: Language = "en") -> FileResponse:
    """Two scanned videos in step, one HTML file: both, what differs, and both timelines."""
    file = site.reports.comparison(site.row(key), site.row(other), language=language)
    return FileResponse(file, media_type="text/html", headers=REPORT_HEADERS)


@scans.post(
    "/scans/{key}/case",
    response_class=Response,
    responses={**_ZIP, **problems(404, 409, 503)},
)
def make_case(site: SiteOf, key: Key, form: CaseForm, language: Language = "en") -> Response:
    """The case file, a zip: report with details and hashes, verdict, and a log that unmask verify checks."""
    packed = site.reports.case(site.row(key), form, language=language)
    headers = {"Content-Disposition": 'attachment; filename="case.zip"'}
    return Response(packed, media_type="application/zip", headers=headers)


@scans.post("/scans/{key}/examinations", status_code=201, responses=problems(404, 409, 503))
async def send_stretch(response: Response, site: SiteOf, key: Key, stretch: CloserLook) -> Scan:
    """Look closely at a stretch of a scanned video; it is judged as one of that video's looks."""
    scan = await examine(site, await in_thread(partial(site.row, key)), stretch)
    response.headers["Location"] = f"/api/scans/{scan.id}"
    return scan


@scans.delete("/scans/{key}", status_code=204, responses=problems(404, 503))
def delete_scan(site: SiteOf, key: Key) -> Response:
    """Stop a scan if it runs or comes in, and delete it with upload and report; a file of a path stays."""
    site.delete(key)
    return Response(status_code=204)


def _fields(scan: Scan) -> dict[str, Any]:
    return {name: getattr(scan, name) for name in Scan.__dataclass_fields__}
