"""What the API tells of a scan."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from unmask.report.told import Told
from unmask.verdicts import Verdict
from unmask.web.examining import Examined
from unmask.web.progress import Progress
from unmask.web.store import Row


@dataclass(frozen=True, slots=True)
class Partial:
    """What was found up to now; never a verdict.

    Attributes:
        faces: How many people were judged.
        p_fake: Of what was seen until then, 0 to 1; null without a face.
        end_seconds: Up to where the video was looked at.
    """

    faces: int
    p_fake: float | None
    end_seconds: float


@dataclass(frozen=True, slots=True)
class Scan:
    """One scan.

    Attributes:
        id: 32 hex digits.
        name: What the user calls the file.
        kind: ``upload``, or ``path`` for a file of the server's machine.
        bytes: Size of the file.
        sha256: Of its bytes; null until known.
        created: Seconds since 1970.
        state: uploading, queued, decoding, faces, scoring, done, failed, interrupted or deleted.
        share: How much is done, 0 to 1.
        partial: What was found up to now, while it runs.
        outcome: fake, real, unsure, no_face, unreadable or error; null until done.
        p_fake: Calibrated probability, 0 to 1; null where there is no number.
        reason: One sentence.
        examined: What stretch of which scan it is; null for a whole file.
        has_picture: Whether there is one of the most suspicious face.
    """

    id: str
    name: str
    kind: str
    bytes: int
    sha256: str | None
    created: float
    state: str
    share: float
    partial: Partial | None
    outcome: str | None
    p_fake: float | None
    reason: str
    examined: Examined | None
    has_picture: bool


@dataclass(frozen=True, slots=True)
class ScanDetail(Scan):
    """One scan with all that was found.

    Attributes:
        verdict: What ``unmask scan --json`` prints.
        told: The same in words, as the report says it first; null until done.
        pictures: People of whom there is a picture, as ``id`` in the verdict.
    """

    verdict: Verdict | None
    told: Told | None
    pictures: list[int]


@dataclass(frozen=True, slots=True)
class ScanList:
    """Scans, newest first.

    Attributes:
        scans: Those asked for.
        more: Whether there are others after them.
    """

    scans: list[Scan]
    more: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """What this server does, for whom and how much of it.

    Attributes:
        version: Of unmask.
        model: Name of the weights that judge.
        max_upload_bytes: Largest upload.
        retention_hours: After this time a scan is deleted, with upload and report.
        paths: Whether files of the server's machine may be scanned.
        needs_token: Whether a token must be given.
        languages: Of the report.
        pdf: Whether reports can be printed here, which needs Chromium.
    """

    version: str
    model: str
    max_upload_bytes: int
    retention_hours: float
    paths: bool
    needs_token: bool
    languages: list[str]
    pdf: bool


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a request was turned away: a code for programs and a sentence for people."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class ReportProgress:
    """What is being done for the report of a scan.

    Attributes:
        step: ``waiting`` for other reports, ``pictures`` while the file is read again, ``heat`` while heat
            maps are tried out, ``writing``, ``printing`` a PDF; null when nothing is.
        share: How much of the step is done, 0 to 1.
    """

    step: str | None
    share: float


def view(row: Row, progress: Progress | None, *, has_picture: bool = False) -> Scan:
    """A scan as it is remembered, with how far it is."""
    state, share, partial = row.state, float(row.state == "done"), None
    if progress is not None and row.state in ("queued", "running"):
        state, share = progress.state, round(progress.share, 4)
        partial = Partial(**progress.partial) if progress.partial else None
    elif state == "running":
        state = "decoding"
    return Scan(
        id=row.id,
        name=row.name,
        kind="upload" if row.path is None else "path",
        bytes=row.bytes,
        sha256=row.sha256,
        created=row.created,
        state=state,
        share=share,
        partial=partial,
        outcome=row.outcome,
        p_fake=row.p_fake,
        reason=row.reason,
        examined=Examined.from_json(row.examined),
        has_picture=has_picture,
    )


def as_news(scan: Scan) -> dict[str, Any]:
    """The same as plain JSON types, for events."""
    return asdict(scan)
