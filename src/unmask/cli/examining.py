"""``unmask scan --examine``: a closer look at a stretch of a film, judged as one of the film's many looks."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unmask.cli.inputs import Input, read_time
from unmask.errors import DataError, SettingsError, require

if TYPE_CHECKING:
    from unmask.config import BatchSettings, ScanSettings
    from unmask.verdicts import Verdict

PANEL = "Examining a stretch"
LOOK = "A look is one face, judged over up to ten seconds of one shot."
ExamineOption = Annotated[
    str | None,
    typer.Option(
        "--examine",
        metavar="START-END",
        help="Look closely at this stretch of one file, such as 48.4-53.6 or 41:30-43:00: more frames, worse "
        "versions, a larger report. It counts as one look of the whole film, which is scanned first.",
        rich_help_panel=PANEL,
    ),
]
ScannedOption = Annotated[
    Path | None,
    typer.Option(
        "--scanned",
        metavar="JSON",
        help="With --examine: what scan --json printed of the whole file, so that it is not scanned again.",
        rich_help_panel=PANEL,
    ),
]
LooksOption = Annotated[
    int | None,
    typer.Option(
        "--looks",
        metavar="N",
        help=f"With --examine: from how many looks the stretch was chosen, in place of both. {LOOK}",
        rich_help_panel=PANEL,
    ),
]


@dataclass(frozen=True, slots=True)
class Examine:
    """What was asked for, as typed.

    Attributes:
        stretch: ``START-END``, or None.
        scanned: JSON of an earlier scan, or None.
        looks: At the whole film, or None.
    """

    stretch: str | None
    scanned: Path | None
    looks: int | None

    @property
    def wanted(self) -> bool:
        """Whether anything was."""
        return (self.stretch, self.scanned, self.looks) != (None, None, None)


def settings_for(
    examine: Examine, inputs: Sequence[Input], settings: ScanSettings, batch: BatchSettings
) -> ScanSettings:
    """The settings of the closer look; the whole film is scanned where nobody says how many looks it takes.

    Raises:
        SettingsError: The options do not go together, or there is more than one file.
        DataError: The earlier scan is on another file, or on a part.
    """
    from unmask.judge.chosen import examining, looks_of

    if examine.stretch is None:
        raise SettingsError("--scanned and --looks belong to --examine START-END, which is missing")
    if settings.decode.start_seconds or settings.decode.end_seconds is not None:
        raise SettingsError("--examine says where to begin and to end, so it goes without --from and --to")
    if examine.scanned is not None and examine.looks is not None:
        raise SettingsError("--scanned or --looks says how many looks there were, not both")
    require(len(inputs) == 1, "--examine takes one file", len(inputs))
    start, end = read_stretch(examine.stretch)
    if examine.looks is not None:
        require(examine.looks >= 1, "--looks must be 1 or more", examine.looks)
        return examining(settings, start, end, among=examine.looks)
    path = inputs[0].path
    film = (
        scan_whole(path, settings, batch) if examine.scanned is None else read_scanned(examine.scanned, path)
    )
    among = 1 if film.outcome.has_failed else looks_of(film, start, end)
    return examining(settings, start, end, among=among)


def read_stretch(text: str) -> tuple[float, float]:
    """Start and end of a stretch in seconds.

    Raises:
        SettingsError: It is none.

    Example:
        >>> read_stretch("48.4-53.6"), read_stretch("41:30-43:00")
        ((48.4, 53.6), (2490.0, 2580.0))
    """
    start, dash, end = text.partition("-")
    if not dash:
        raise SettingsError(f"--examine must be START-END, such as 48.4-53.6, got {text!r}")
    found = read_time(start.strip(), option="--examine"), read_time(end.strip(), option="--examine")
    require(found[0] < found[1], "--examine must end after it begins", text)
    return found


def read_scanned(source: Path, path: str) -> Verdict:
    """The verdict on a file, out of what ``scan --json`` printed.

    Raises:
        DataError: There is none on this very file, or it cannot be read.
    """
    from unmask.files import fingerprint
    from unmask.judge.stored import read_verdict

    try:
        sha256 = fingerprint(path)
        lines = source.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"--scanned: {error}") from error
    found = [read_verdict(line) for line in lines if line.strip()]
    for verdict in found:
        if verdict.sha256 == sha256:
            return verdict
    rule = f"--scanned must hold a verdict on {path} (SHA-256 {sha256[:12]}...)"
    raise DataError(f"{rule}, got {len(found)} on other files: {source}")


def scan_whole(path: str, settings: ScanSettings, batch: BatchSettings) -> Verdict:
    """The verdict on one file, scanned in a child process, with a line on stderr that tells it."""
    from unmask.batch import scan_each
    from unmask.cli.progress import show_progress
    from unmask.cli.terminal import printable

    with show_progress(1) as step:
        verdicts = scan_each(
            [path], settings, batch, on_look=lambda index, look: step.go_on(index, path, look)
        )
        with contextlib.closing(verdicts):
            _, verdict = next(verdicts)
    number = "" if verdict.p_fake is None else f", p_fake {verdict.p_fake:.2f}"
    told = f"{path} as a whole: {verdict.outcome}{number}, looks at a face: {verdict.looks}"
    typer.echo(printable(told), err=True)
    return verdict
