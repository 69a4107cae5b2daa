"""Reports of finished scans, made when somebody first wants one, and kept beside the upload."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from unmask.config import ScanSettings
from unmask.errors import UnmaskError
from unmask.files import write_whole
from unmask.judge.stored import read_verdict
from unmask.report import ReportOptions, render_report, write_report
from unmask.report.comparison import Side, render_comparison
from unmask.report.page import tell_story
from unmask.report.pdf import print_page
from unmask.report.seen import Seen, Step
from unmask.report.told import Told, tell
from unmask.verdicts import Verdict
from unmask.web.cases import CaseForm, zip_case
from unmask.web.examining import settings_of
from unmask.web.refusals import RefusedError
from unmask.web.settings import WorkSettings
from unmask.web.store import Row, Store

MAX_WAITING = 8
PREVIEW_MB = 24.0


class Reports:
    """Makes one report at a time; it reads the file again, which takes about as long as a scan.

    Args:
        store: Where verdicts and files lie.
        settings: Of the scans.
        work: Its limits of time and memory hold for a report too.
        trust_list: As `ReportOptions` has it.
    """

    def __init__(
        self, store: Store, settings: ScanSettings, work: WorkSettings, *, trust_list: str = ""
    ) -> None:
        self._store, self._settings, self._work = store, settings, work
        self._trust_list = trust_list
        self._turn = threading.Lock()
        self._steps: dict[str, Step] = {}
        self._places = threading.BoundedSemaphore(MAX_WAITING)

    def get(self, row: Row, *, language: str, suffix: str) -> Path:
        """The file of a report; blocks until it is there.

        Args:
            row: A scan that is done.
            language: Of the report.
            suffix: ``html``, ``json``, or ``pdf``, which is printed from the page.

        Raises:
            RefusedError: There is no verdict, too many wait, or the scan was deleted meanwhile.
        """
        target = self._store.folder_of(row.id) / f"report.{language}.{suffix}"
        if target.is_file():
            return target
        page = self.get(row, language=language, suffix="html") if suffix == "pdf" else None
        with self._in_turn(row):
            if not target.is_file():  # nobody made it while we waited
                if page is not None:
                    self._steps[row.id] = Step("printing", 0.0)
                    print_page(page, target)
                else:
                    self._make(row, target, language)
        return target

    def told(self, row: Row, verdict: Verdict, *, language: str) -> Told:
        """What the report says first, without reading the file again."""
        seen = Seen(brightness=self._store.brightness(row.id))
        return tell(tell_story(replace(verdict, path=row.name), seen, self._options(row, language)))

    def progress(self, row: Row) -> Step | None:
        """What is being done for a report of a scan just now, or None."""
        return self._steps.get(row.id)

    def case(self, row: Row, form: CaseForm, *, language: str) -> bytes:
        """The case file of a scan, a zip; made anew each time.

        Raises:
            RefusedError: As of `get`.
        """
        with self._in_turn(row):
            return zip_case(
                form, self._verdict(row), self._store.source_of(row), self._options(row, language)
            )

    def comparison(self, one: Row, two: Row, *, language: str) -> Path:
        """The page of two scans in step; the longer one counts as the original.

        Raises:
            RefusedError: As of `get`.
        """
        target = self._store.folder_of(one.id) / f"comparison.{two.id}.{language}.html"
        if target.is_file():
            return target
        with self._in_turn(one):
            sides = [Side(self._verdict(row), self._store.source_of(row)) for row in (one, two)]
            by_length = sorted(sides, key=lambda side: side.verdict.end_seconds - side.verdict.start_seconds)
            page = render_comparison(by_length[1], by_length[0], self._options(one, language))
            write_whole(target, page)
        return target

    @contextmanager
    def _in_turn(self, row: Row) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise RefusedError("busy", f"at most {MAX_WAITING} reports are made at a time; try again later")
        self._steps.setdefault(row.id, Step("waiting", 0.0))
        try:
            with self._turn:
                self._note(row.id, Step("pictures", 0.0))  # as far as the child process tells no more
                yield
        except (UnmaskError, OSError) as error:
            if isinstance(error, RefusedError):
                raise
            if self._store.get(row.id) is None:
                raise RefusedError("not_found", "there is no such scan any more") from error
            raise RefusedError("not_ready", f"no report can be made: {error}") from error
        finally:
            self._steps.pop(row.id, None)
            self._places.release()

    def _verdict(self, row: Row) -> Verdict:
        found = self._store.verdict(row.id)
        if found is None:
            raise RefusedError("not_ready", f"a report needs a verdict, and the scan is {row.state}")
        return replace(read_verdict(found), path=row.name)

    def _options(self, row: Row, language: str) -> ReportOptions:
        return ReportOptions(
            language=language,
            settings=settings_of(row, self._settings),
            preview_mb=PREVIEW_MB,
            time_limit_seconds=self._work.time_limit_seconds,
            limits=self._work.limits,
            name_only=True,
            trust_list=self._trust_list,
        )

    def _note(self, key: str, step: Step) -> None:
        self._steps[key] = step

    def _make(self, row: Row, target: Path, language: str) -> None:
        verdict, source, options = (
            self._verdict(row),
            self._store.source_of(row),
            self._options(row, language),
        )
        if target.suffix == ".html":  # rendered for a server: it names no path of this machine
            page = render_report(verdict, source, options=options, on_step=partial(self._note, row.id))
            self._note(row.id, Step("writing", 0.0))
            write_whole(target, page)
        else:
            write_report(verdict, source, target, options=options)
