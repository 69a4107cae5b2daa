"""Reports of the most suspicious files of an archive; those files are judged once more, for the pictures."""

from __future__ import annotations

import json
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from unmask.archive.judging import one_thread
from unmask.archive.records import SUMMARY_NAME
from unmask.archive.sources import Opener
from unmask.batch import scan_many
from unmask.cli.archive import REPORTS
from unmask.errors import DataError
from unmask.report import ReportOptions
from unmask.report.overview import INDEX, write_reports

if TYPE_CHECKING:
    from unmask.archive.records import RecordStore
    from unmask.cli.archive import Wanted

COPY_LIMIT_BYTES = 2 * 2**30
"""Largest object that is copied for a report; all copies are there at a time."""


def write_top_reports(store: RecordStore, wanted: Wanted) -> None:
    """Write a page for each of the most suspicious files, and an overview; nothing where they are there.

    A file that cannot be had any more gets none, nor does an object that is too large.

    Raises:
        DataError: The output cannot be written to.
    """
    if store.place.has(f"{REPORTS}/{INDEX}"):
        return
    top = json.loads(store.place.read(SUMMARY_NAME))["suspicious"][: wanted.way.report_top]
    paths = {file.inner: file.path for file in store.plan.files}
    settings = one_thread(wanted.settings)
    options = ReportOptions(
        language=wanted.language,
        settings=settings,
        command=wanted.command,
        time_limit_seconds=wanted.batch.time_limit_seconds,
    )
    with ExitStack() as copies, Opener() as opener, tempfile.TemporaryDirectory(prefix="unmask-") as made:
        found: list[tuple[str, Path]] = []
        for one in top:
            local = opener.local(paths[one["name"]], limit_bytes=COPY_LIMIT_BYTES)
            try:
                found.append((one["name"], copies.enter_context(local)))
            except DataError:
                continue
        verdicts = scan_many([path for _, path in found], settings, wanted.batch)
        pairs = [
            (replace(verdict, path=name), path) for verdict, (name, path) in zip(verdicts, found, strict=True)
        ]
        if not pairs:
            return
        write_reports(pairs, Path(made), options=options, jobs=wanted.batch.jobs)
        with store.place.errors():
            store.place.make_folder(REPORTS)
            # The overview is written last, so that it leads nowhere that is not there.
            for page in sorted(Path(made).iterdir(), key=lambda page: (page.name == INDEX, page.name)):
                store.place.write(f"{REPORTS}/{page.name}", page.read_bytes())
