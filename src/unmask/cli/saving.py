"""What a scan leaves in files besides what it prints: a table, a report."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from unmask.errors import SettingsError, require, system_words

if TYPE_CHECKING:
    from unmask.config import BatchSettings, ScanSettings
    from unmask.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Saving:
    """Where the verdicts go.

    Attributes:
        csv: A table, or None.
        report: The report of one file, or a folder for those of several, or None.
        language: Of the report.
        command: What repeats the scan.
        trust_list: Of reports, as `unmask.report.ReportOptions` has it.
        csv_rows: What a row of the table is, one of `unmask.cli.sheet.ROWS`.
    """

    csv: Path | None
    report: Path | None
    language: str
    command: str
    csv_rows: str = "file"
    trust_list: str = ""

    def check(self, inputs: int) -> None:
        """Fail before hours of work, not after them.

        Raises:
            SettingsError: Something could not be written there.
        """
        if self.csv is not None:
            from unmask.cli.output import check_csv

            check_csv(self.csv)
        if self.csv_rows != "file":
            from unmask.cli.sheet import check_rows

            check_rows(self.csv_rows, self.csv)
        if self.report is not None:
            self._check_report(self.report, inputs)

    def _check_report(self, report: Path, inputs: int) -> None:
        from unmask.reasons import LANGUAGES
        from unmask.report.options import REPORT_SUFFIXES

        require(
            self.language in LANGUAGES, f"--language must be one of {', '.join(LANGUAGES)}", self.language
        )
        suffix = report.suffix.lower()
        if suffix in REPORT_SUFFIXES and not report.is_dir():
            if inputs > 1:
                raise SettingsError(f"--report must name a folder for {inputs} files, got {report}")
            folder = report.resolve().parent
            if not folder.is_dir() or not os.access(folder, os.W_OK):
                raise SettingsError(f"--report needs a folder that can be written to, got {folder}")
            if suffix == ".pdf":
                from unmask.report.pdf import find_browser

                find_browser()
        elif suffix and not report.is_dir():
            endings = ", ".join(REPORT_SUFFIXES)
            raise SettingsError(f"--report must end in one of {endings}, or name a folder, got {report}")
        elif report.exists() and not report.is_dir():
            raise SettingsError(f"--report must name a folder or end in .html, and {report} is a file")

    def save_table(self, verdicts: Sequence[Verdict]) -> None:
        """Write the table, if one was asked for and there is something to write.

        Raises:
            SettingsError: It cannot be written.
        """
        if self.csv is None or not verdicts:
            return
        from unmask.cli.sheet import write_csv

        with _writing(self.csv):
            write_csv(self.csv, verdicts, rows=self.csv_rows)

    def save_report(self, verdicts: Sequence[Verdict], settings: ScanSettings, batch: BatchSettings) -> None:
        """Write the report, if one was asked for and there is something to write.

        Raises:
            SettingsError: It cannot be written; a PDF cannot be printed.
        """
        if self.report is None or not verdicts:
            return
        with _writing(self.report):
            self._write_report(self.report, verdicts, settings, batch)

    def _write_report(
        self, report: Path, verdicts: Sequence[Verdict], settings: ScanSettings, batch: BatchSettings
    ) -> None:
        from unmask.report import REPORT_SUFFIXES, ReportOptions, write_report, write_reports

        options = ReportOptions(
            language=self.language,
            settings=settings,
            command=self.command,
            time_limit_seconds=batch.time_limit_seconds,
            limits=batch.limits,
            trust_list=self.trust_list,
        )
        if report.suffix.lower() in REPORT_SUFFIXES and not report.is_dir():
            write_report(verdicts[0], Path(verdicts[0].path), report, options=options)
        else:
            pairs = [(verdict, Path(verdict.path)) for verdict in verdicts]
            write_reports(pairs, report, options=options, jobs=batch.jobs)


@contextmanager
def _writing(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SettingsError(f"{target} could not be written: {system_words(error)}") from error
