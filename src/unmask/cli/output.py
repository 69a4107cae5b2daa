"""Verdicts for people (tables) and for programs (JSON lines); tables in a file are in ``sheet.py``."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from unmask.cli.examining import LOOK
from unmask.cli.tables import print_table
from unmask.cli.terminal import plain
from unmask.config import ScanSettings
from unmask.errors import SettingsError
from unmask.judge.reasons import most_suspicious
from unmask.quantities import told_beside
from unmask.reasons import shown_number
from unmask.suffixes import SUFFIXES
from unmask.verdicts import Outcome, Verdict

if TYPE_CHECKING:
    from unmask.judge.calibration import Thresholds
    from unmask.judge.card import Card
    from unmask.report.standing import Film

_STYLES = {
    Outcome.FAKE: "bold red",
    Outcome.REAL: "green",
    Outcome.UNSURE: "yellow",
    Outcome.NO_FACE: "dim",
    Outcome.UNREADABLE: "magenta",
    Outcome.ERROR: "bold magenta",
}
MOST_SEGMENTS = 20

_OF_LOOKS = ("by_chance", "no_sign_among", "between_among", "chosen")  # reasons that count looks


def print_verdicts(console: Console, verdicts: Sequence[Verdict], settings: ScanSettings) -> None:
    """A table of files, for a single file its people, too, and its limits; then how many of each outcome."""
    if not verdicts:
        return
    from unmask.report.cards import card_at_hand

    card = card_at_hand(settings)
    print_table(console, _files(verdicts, card, settings))
    if len(verdicts) == 1:
        film = _film(verdicts[0], card, settings)
        limits = () if film is None else film.limits
        if len(verdicts[0].shots) > 1:
            print_table(console, _segments(verdicts[0], limits))
        elif verdicts[0].people:
            print_table(console, _people(verdicts[0], limits))
        if verdicts[0].outcome.has_number and film is not None:
            console.print(plain(_limits_told(film)))
    if any(reason.code in _OF_LOOKS for verdict in verdicts for reason in verdict.reasons):
        console.print(plain(LOOK))
    counts = Counter(verdict.outcome for verdict in verdicts)
    if len(verdicts) > 1:
        console.print(plain(", ".join(f"{counts[o]} {o.value}" for o in Outcome if counts[o])))


def _film(verdict: Verdict, card: Card | None, settings: ScanSettings) -> Film | None:
    """Where a probability becomes a word in this file; None where the card of its model is not at hand."""
    from unmask.report.standing import Film
    from unmask.report.words import Words

    limits = _thresholds(verdict, card, settings)
    return None if limits is None else Film(verdict, limits, card, Words("en"))


def _thresholds(verdict: Verdict, card: Card | None, settings: ScanSettings) -> Thresholds | None:
    from unmask.judge.conclude import thresholds_of

    known = card is not None and card.model_name == verdict.model
    return thresholds_of(card, settings, still=verdict.is_still) if card is not None and known else None


def _limits_told(film: Film) -> str:
    limits = film.thresholds
    told = f"fake from {limits.fake_at_least:g} on, real up to {limits.real_at_most:g}"
    if film.needed is None or not film.needs_more:
        return told
    return f"{told}; among {film.looks} looks one makes the file fake by itself from {film.needed:.3f} on"


def _segments(verdict: Verdict, limits: Sequence[float]) -> Table:
    """What is not clearly real in a video of several shots; most suspicious first."""
    judged = sum(shot.people > 0 for shot in verdict.shots)
    count = len(verdict.segments)
    told = f"{judged} of {len(verdict.shots)} shots judged, {count} stretches not clearly real"
    more = "; the others are in --json" if count > MOST_SEGMENTS else ""
    table = Table(box=SIMPLE_HEAD, caption=told + more)
    for name in ("when", "person", "shot", "p_fake", "by itself"):
        table.add_column(name, justify="left" if name in ("when", "by itself") else "right")
    for one in verdict.segments[:MOST_SEGMENTS]:
        when = f"{one.start_seconds:.1f}-{one.end_seconds:.1f} s"
        row = (
            when,
            str(shown_number(one.person)),
            str(one.shot + 1),
            _told(one.p_fake, limits),
            one.outcome.value,
        )
        table.add_row(*map(plain, row), style=_STYLES[one.outcome])
    return table


def json_line(verdict: Verdict) -> str:
    """One line of ASCII; bytes of a path that are no UTF-8 come as lone surrogates, as Python has them."""
    return json.dumps(verdict.to_dict(), allow_nan=False)


def check_csv(path: Path, *, option: str = "--csv") -> None:
    """Fail before hours of work, not after them.

    Raises:
        SettingsError: The file could not be written there.
    """
    if path.name.lower().endswith(SUFFIXES):  # --csv *.mp4 would replace a clip by a table
        raise SettingsError(f"{option} must name a table, not a video or image, got {path}")
    if path.exists() and not path.is_file():
        raise SettingsError(f"{option} must name a file, and {path} is something else")
    folder = path.resolve().parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise SettingsError(f"{option} needs a folder that can be written to, got {folder}")


def make_folder(folder: Path) -> None:
    """Make a folder for results, and fail before hours of work where it cannot be written to.

    Raises:
        SettingsError: It cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink(missing_ok=True)  # another run may look at the same time
    except OSError as error:
        raise SettingsError(
            f"--output must be a folder that can be written to, got {folder} ({error.strerror})"
        ) from error


def _files(verdicts: Sequence[Verdict], card: Card | None, settings: ScanSettings) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("file", overflow="fold")
    table.add_column("outcome", no_wrap=True)
    table.add_column("p_fake", justify="right", no_wrap=True)
    table.add_column("reason", overflow="fold", ratio=1)
    for verdict in verdicts:
        style, limits = _STYLES[verdict.outcome], _thresholds(verdict, card, settings)
        table.add_row(
            plain(verdict.path),
            plain(verdict.outcome.value, style),
            plain(
                _told(verdict.p_fake, () if limits is None else (limits.real_at_most, limits.fake_at_least)),
                style,
            ),
            plain(verdict.reason),
        )
    return table


def _people(verdict: Verdict, limits: Sequence[float]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in ("person", "p_fake", "frames", "seen", "most suspicious"):
        table.add_column(name, justify="right" if name in ("person", "p_fake", "frames") else "left")
    for person in verdict.people:
        times = [frame.time_seconds for frame in person.frames]
        note = person.why_dropped and f"dropped: {person.why_dropped}"
        if person.kept:
            first, last = most_suspicious(person.frames)
            note = f"{first:.1f} s" if f"{first:.1f}" == f"{last:.1f}" else f"{first:.1f}-{last:.1f} s"
        table.add_row(
            str(shown_number(person.id)),
            _told(person.p_fake, limits),
            str(len(times)),
            f"{times[0]:.1f}-{times[-1]:.1f} s" if times else "",
            plain(note or ""),
            style="" if person.kept else "dim",
        )
    return table


def _told(p_fake: float | None, limits: Sequence[float]) -> str:
    """With two digits; with more, and the limit, where it would else look as if it were at that limit."""
    if p_fake is None:
        return "-"
    text, short = told_beside(p_fake, limits, digits=2), f"{p_fake:.2f}"
    if text == short:
        return text
    nearest = min(limits, key=lambda limit: abs(limit - p_fake))
    return f"{text} (limit {nearest:.4g})"
