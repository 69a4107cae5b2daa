"""A folder with all of a case: report, verdict, hashes, and a log that tells what was changed.

A case is written into ``.unfinished`` in its folder, and takes the place of an earlier one when all of it is
there: a disk that runs full must not cost the one that is there.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from unmask.errors import DataError, SettingsError
from unmask.files import fingerprint, put_in_place, write_whole
from unmask.report.case import Case
from unmask.report.ledger import FIRST, LAST, Ledger, check_ledger, told, utc_now
from unmask.report.options import ReportOptions
from unmask.report.page import tell_story
from unmask.report.write import look_through, write_one
from unmask.verdicts import Verdict
from unmask.version import __version__

LOG, CASE, VERDICT = "case.jsonl", "case.json", "verdict.json"
REPORTS = ("report.html", "report.json")
DRAFTS = ".unfinished"
_FILES = "files"


def begin_case(case: Case, folder: Path, *, clock: Callable[[], str] = utc_now) -> Ledger:
    """Begin the folder of a case, before its file is scanned.

    Args:
        case: Details and hashes.
        folder: Made where it is missing; what it holds of an earlier case is replaced when this one is
            finished. One run at a time may use it.
        clock: Tells the time.

    Returns:
        The log, for `finish_case`.

    Raises:
        OSError: Something cannot be written.
    """
    drafts = folder / DRAFTS
    if drafts.exists():  # of a run that did not come to its end
        shutil.rmtree(drafts)
    drafts.mkdir(parents=True)
    log = Ledger(drafts / LOG, clock=clock)
    log.add(FIRST, tool=f"unmask {__version__}", tool_sha256=case.tool_sha256, details=asdict(case.details))
    if case.original is not None:
        log.add("received", **asdict(case.original))
    log.add("copied" if case.original is not None else "received", **asdict(case.working_copy))
    write_whole(drafts / CASE, json.dumps(asdict(case), indent=1) + "\n")
    return log


def finish_case(log: Ledger, verdict: Verdict, source: Path, folder: Path, *, options: ReportOptions) -> str:
    """Write verdict and reports into the folder of a case, and end its log.

    The file is read again in a child process, as for every report (`write_report`).

    Args:
        log: As `begin_case` gave it.
        verdict: What was found in the file.
        source: The file.
        folder: Of the case.
        options: How the report is made, with the case.

    Returns:
        The hash of the log's last line, to be noted elsewhere.

    Raises:
        DataError: The file is no longer the one that was judged.
        SettingsError: The options hold no case.
        OSError: Something cannot be written.
    """
    case = options.case
    if case is None:
        raise SettingsError("the folder of a case needs options with a case, got none")
    if verdict.sha256 is not None and verdict.sha256 != case.working_copy.sha256:
        raise DataError(f"{source} must be the file that was judged, and its SHA-256 is another by now")
    drafts = folder / DRAFTS
    write_whole(drafts / VERDICT, json.dumps(verdict.to_dict(), allow_nan=False, indent=1) + "\n")
    log.add("scanned", **_scanned(verdict, case, options), files=_hashes(drafts, VERDICT))
    ((_, seen),) = list(look_through([(verdict, source)], options))
    story = tell_story(verdict, seen, options)
    for name in REPORTS:
        write_one(story, source, drafts / name, place=folder)
    log.add("reported", language=options.language, files=_hashes(drafts, CASE, *REPORTS))
    log.add(LAST, lines=log.lines + 1)
    # Files first, then the log that names them: what lies beside a log is what it is of.
    put_in_place([(drafts / name, folder / name) for name in (CASE, VERDICT, *REPORTS, LOG)])
    drafts.rmdir()
    return log.head


def _scanned(verdict: Verdict, case: Case, options: ReportOptions) -> dict[str, object]:
    return {
        "outcome": verdict.outcome.value,
        "p_fake": verdict.p_fake,
        "reason": verdict.reason,
        "model": asdict(verdict.model),
        "settings_sha256": case.settings_sha256,
        "command": options.command,
    }


def _hashes(folder: Path, *names: str) -> dict[str, str]:
    return {name: fingerprint(folder / name) for name in names}


@dataclass(frozen=True, slots=True)
class CaseCheck:
    """What checking a folder gives.

    Attributes:
        lines: Of the log.
        files: That the log names.
        problems: A sentence for each.
        head: Hash of the log's last line.
    """

    lines: int
    files: int
    problems: tuple[str, ...]
    head: str


def check_case(folder: Path, *, head: str | None = None) -> CaseCheck:
    """Hold a case's folder against its log.

    Args:
        folder: As `write_case` left it.
        head: The last hash as it was noted elsewhere; None checks the log by itself alone.

    Raises:
        DataError: There is no log, or it cannot be read.
    """
    log = check_ledger(folder / LOG)
    problems = list(log.problems)
    files = {
        name: sha256
        for step in ("scanned", "reported")
        for values in told(log.entries, step)
        for name, sha256 in _named(values)
    }
    problems += filter(None, (_changed(folder, name, sha256) for name, sha256 in files.items()))
    if head is not None and head.strip().lower() != log.head:
        problems.append(f"the last hash must be {head.strip()[:64]}, as it was noted, got {log.head}")
    return CaseCheck(len(log.entries), len(files), tuple(problems), log.head)


def _named(values: dict[str, object]) -> list[tuple[str, str]]:
    files = values.get(_FILES)
    if not isinstance(files, dict):
        return []
    return [(name, sha256) for name, sha256 in files.items() if isinstance(sha256, str)]


def _changed(folder: Path, name: str, sha256: str) -> str | None:
    if Path(name).name != name or name in ("", ".", ".."):
        return f"the log names {name[:100]!r}, which lies outside of the folder"
    try:
        found = fingerprint(folder / name)
    except (OSError, ValueError):
        return f"{name} is missing, or cannot be read"
    return None if found == sha256 else f"{name} was changed: its SHA-256 is {found}, the log has {sha256}"
