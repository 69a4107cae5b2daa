"""A closer look at a stretch of a film that was scanned: judged as one of that film's looks."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from unmask.config import ScanSettings
from unmask.errors import DataError, SettingsError
from unmask.judge.chosen import examining, looks_of
from unmask.judge.stored import read_verdict
from unmask.web.background import in_thread
from unmask.web.refusals import RefusedError

if TYPE_CHECKING:
    from unmask.web.site import Site
    from unmask.web.store import Row
    from unmask.web.views import Scan

MAX_SECONDS = 1e6
Time = Annotated[float, Field(ge=0, le=MAX_SECONDS, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True)
class CloserLook:
    """What is to be examined, in seconds from the first frame.

    Attributes:
        start_seconds: Where it begins.
        end_seconds: Where it ends, after it begins.
    """

    start_seconds: Time
    end_seconds: Time


@dataclass(frozen=True, slots=True)
class Examined:
    """What is examined of which scan.

    Attributes:
        of: Id of the scan of the whole film; it may have been deleted since.
        start_seconds: Where the stretch begins, from the first frame.
        end_seconds: Where it ends.
        looks: From how many looks at a face it was chosen.
    """

    of: str
    start_seconds: float
    end_seconds: float
    looks: int

    def settings(self, usual: ScanSettings) -> ScanSettings:
        """With what it is scanned."""
        return examining(usual, self.start_seconds, self.end_seconds, among=self.looks)

    def to_json(self) -> str:
        """As `from_json` reads it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str | None) -> Examined | None:
        """What was stored; None for a scan of a whole file."""
        return None if text is None else cls(**json.loads(text))


def settings_of(row: Row, usual: ScanSettings) -> ScanSettings:
    """With what a scan was or will be made."""
    examined = Examined.from_json(row.examined)
    return usual if examined is None else examined.settings(usual)


async def examine(site: Site, row: Row, stretch: CloserLook) -> Scan:
    """Let a stretch of a scanned film wait for its turn, as a scan of its own with a file of its own.

    Raises:
        RefusedError: The film has no verdict with a number, the stretch lies outside it, or too many wait.
    """
    examined = await in_thread(lambda: _examined(site, row, stretch))
    name = f"{row.name} ({stretch.start_seconds:g}-{stretch.end_seconds:g} s)"
    path = None if row.path is None else Path(row.path)
    async with site.new_scan(name, path, examined=examined.to_json()) as new:
        return await in_thread(lambda: _enqueue(site, row, new))


def _examined(site: Site, row: Row, stretch: CloserLook) -> Examined:
    found = site.store.verdict(row.id)
    verdict = None if found is None else read_verdict(found)
    if verdict is None or verdict.p_fake is None or verdict.is_still:
        rule = "only a video in which somebody was judged can be examined"
        raise RefusedError("not_ready", f"{rule}, and this scan is {row.outcome or row.state}")
    start, end = stretch.start_seconds, stretch.end_seconds
    earlier = Examined.from_json(row.examined)
    if earlier is None and start >= verdict.end_seconds - verdict.start_seconds:
        rule = "a stretch must begin within the video"
        raise RefusedError("bad_request", f"{rule}, got {start:g} s")
    try:
        looks = looks_of(verdict, start, end)
    except SettingsError as error:
        raise RefusedError("bad_request", str(error)) from error
    except DataError as error:
        raise RefusedError("not_ready", str(error)) from error
    return Examined(earlier.of if earlier else row.id, start, end, looks)


def _enqueue(site: Site, row: Row, new: Row) -> Scan:
    source = site.store.source_of(row)
    if not source.is_file():
        raise RefusedError("not_found", "the file of this scan is no longer there")
    if new.path is None:
        _link(source, site.store.source_of(new))
    return site.enqueue(new, size=row.bytes, sha256=row.sha256)


def _link(source: Path, target: Path) -> None:
    """The same file under a second name, so that either scan can be deleted."""
    try:
        os.link(source, target)
    except OSError:  # a file system without such links
        shutil.copyfile(source, target)
