"""``unmask report`` and ``unmask verify``: the folder of a case, and whether it is as it was written."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unmask.cli.device import DeviceOption, ModelsOption, score_settings
from unmask.cli.running import stopping_on_errors
from unmask.cli.trust import TrustListOption, checked

if TYPE_CHECKING:
    from unmask.verdicts import Verdict

EXIT_CHANGED = 1


def report(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A video or an image: the working copy.")],
    case: Annotated[
        Path | None,
        typer.Option(
            metavar="TOML",
            help="What to tell of the case, all of it optional: examiner, exhibit, request, reviewer, notes, "
            "original (the file as received, which is only hashed).",
        ),
    ] = None,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FOLDER", help="Where the case file goes.")
    ] = Path("case"),
    scanned: Annotated[
        Path | None,
        typer.Option(
            metavar="JSON", help="What scan --json printed of FILE, so that it is not scanned again."
        ),
    ] = None,
    language: Annotated[str, typer.Option(help="Of the report: en or de.")] = "en",
    trust_list: TrustListOption = None,
    model: ModelsOption = None,
    device: DeviceOption = "auto",
) -> None:
    """Write a case file: the report with details and hashes, the verdict, and a log of each step.

    FOLDER then holds report.html, report.json, verdict.json, case.json and case.jsonl. Each line
    of case.jsonl holds the hash of the line before, and unmask verify names what was changed.
    Note the last hash elsewhere.

    [bold]Examples[/bold]

    unmask report clip.mp4 --case case.toml -o case/

    unmask verify case/
    """
    from dataclasses import replace

    from unmask.cli.examining import read_scanned, scan_whole
    from unmask.cli.output import make_folder
    from unmask.config import BatchSettings, ScanSettings
    from unmask.holding import alone_in
    from unmask.report.case import CaseDetails, open_case, read_details
    from unmask.report.case_folder import begin_case, finish_case
    from unmask.report.options import ReportOptions

    with stopping_on_errors("the case file is not complete"):
        _check_folder(output, file)
        settings = ScanSettings(
            model=model[0] if model else None, beside=tuple((model or [])[1:]), score=score_settings(device)
        )
        options = ReportOptions(
            language=language,
            settings=settings,
            command=shlex.join(["unmask", *sys.argv[1:]]),
            trust_list=checked(trust_list),
        )
        details = CaseDetails() if case is None else read_details(case)
        opened = open_case(details, file, settings, folder=Path() if case is None else case.parent)
        make_folder(output)
        with alone_in(output):
            log = begin_case(opened, output)
            if scanned is None:
                verdict = scan_whole(str(file), settings, BatchSettings())
            else:
                verdict = read_scanned(scanned, str(file))
            head = finish_case(log, verdict, file, output, options=replace(options, case=opened))
    typer.echo(_told(output, verdict, head))


def _check_folder(output: Path, file: Path) -> None:
    """Refuse what is no folder, or is named like a single report, before any work.

    Raises:
        SettingsError: It is one of these.
    """
    from unmask.errors import SettingsError
    from unmask.report.options import REPORT_SUFFIXES

    if output.is_dir():
        return
    rule = f"--output must name a folder for a case file, got {output}"
    if output.suffix.lower() in REPORT_SUFFIXES:
        alone = shlex.join(["unmask", "scan", str(file), "--report", str(output)])
        raise SettingsError(f"{rule}; for a report alone: {alone}")
    if output.exists():
        raise SettingsError(f"{rule}, which is a file; name another place")


def _told(folder: Path, verdict: Verdict, head: str) -> str:
    from unmask.cli.terminal import printable

    number = "" if verdict.p_fake is None else f", p_fake {verdict.p_fake:.2f}"
    return printable(f"{folder}: {verdict.outcome}{number}; the last hash of its log, to be noted: {head}")


def verify(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="What unmask report wrote.")],
    head: Annotated[
        str | None, typer.Option(metavar="HASH", help="The last hash, as it was noted elsewhere.")
    ] = None,
) -> None:
    """Hold a case file against its log, and name every line and file that was changed, removed or reordered.

    Exit code: 0 all is as it was written, 1 something is not. Without --head it cannot be seen that somebody
    wrote the whole log anew.

    [bold]Examples[/bold]

    unmask verify case/
    """
    from unmask.cli.terminal import printable
    from unmask.report.case_folder import check_case

    with stopping_on_errors():
        found = check_case(folder, head=head)
    for problem in found.problems:
        typer.echo(printable(f"{folder}: {problem}"))
    if found.problems:
        raise typer.Exit(EXIT_CHANGED)
    told = f"{found.lines} lines and {found.files} files are as they were written; last hash {found.head}"
    typer.echo(printable(f"{folder}: {told}"))
