"""Write reports: HTML, JSON or PDF of one file, or a folder with an overview of many."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Generator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from unmask.config import BatchSettings
from unmask.errors import require
from unmask.files import write_whole
from unmask.judge.limits import limits_for
from unmask.report.advice import advice
from unmask.report.cautions import cautions
from unmask.report.looking import load_looking
from unmask.report.options import REPORT_SUFFIXES, ReportOptions
from unmask.report.page import report_page, tell_story
from unmask.report.pdf import print_text
from unmask.report.sections import Story, changed_settings
from unmask.report.seen import Seen, Step
from unmask.shown import visible
from unmask.verdicts import Verdict
from unmask.work.each import Failure, run_each

JSON_VERSION = 1


def write_report(verdict: Verdict, source: Path, target: Path, *, options: ReportOptions) -> None:
    """Write the report of one file, as a whole or not at all.

    The file is read again in a child process, so a script that calls this needs the usual
    ``if __name__ == "__main__":``, and a process that may not have children cannot call it.

    Args:
        verdict: What was found in the file.
        source: The file. When it is gone or another one by now, the report has no pictures and says why.
        target: Ends in one of `REPORT_SUFFIXES`.
        options: How the report is made.

    Raises:
        SettingsError: The target has another ending, or a PDF was asked for and no Chromium can print it.
        OSError: It cannot be written.
    """
    check_target(target)
    ((_, seen),) = list(look_through([(verdict, source)], options))
    story = tell_story(verdict, seen, options)
    write_one(story, source, target)


def render_report(
    verdict: Verdict, source: Path, *, options: ReportOptions, on_step: Callable[[Step], None] | None = None
) -> str:
    """The report of one file as the text of an HTML page, for a server; see `write_report`.

    Each step of reading the file again is told to ``on_step``.
    """
    ((_, seen),) = list(look_through([(verdict, source)], options, on_step=on_step))
    return report_page(tell_story(verdict, seen, options), source, folder=None)


def check_target(target: Path) -> None:
    """Refuse a file name that says no kind of report.

    Raises:
        SettingsError: It ends in something else.
    """
    endings = ", ".join(REPORT_SUFFIXES)
    require(target.suffix.lower() in REPORT_SUFFIXES, f"a report must end in one of {endings}", str(target))


def look_through(
    pairs: Sequence[tuple[Verdict, Path]],
    options: ReportOptions,
    *,
    jobs: int | None = None,
    on_step: Callable[[Step], None] | None = None,
) -> Generator[tuple[int, Seen]]:
    """Read files again in child processes; each as soon as it is done, with its place."""

    def hear(_: int, step: Step) -> None:
        if on_step is not None:
            on_step(step)

    tasks = [(verdict, str(source), options) for verdict, source in pairs]
    batch = BatchSettings(jobs=jobs, time_limit_seconds=options.time_limit_seconds)
    limits = limits_for(options.settings, options.limits)
    with contextlib.closing(run_each(tasks, load_looking, batch, on_part=hear, limits=limits)) as found:
        for place, answer in found:
            if isinstance(answer, Failure):
                problem = "media_failed" if answer.ours else "media_crashed"
                answer = Seen(problem=problem, detail=answer.reason)
            yield place, answer


def write_one(story: Story, source: Path, target: Path, *, place: Path | None = None) -> None:
    """Write a report whose file was read again already; ``place`` is the folder that it comes to lie in."""
    suffix = target.suffix.lower()
    if suffix == ".json":
        text = json.dumps(report_values(story), indent=1, allow_nan=False)
        write_whole(target, text + "\n")
        return
    folder = None if story.options.name_only else (place or target.parent).absolute()
    page = report_page(story, source, folder=folder)
    if suffix == ".pdf":
        print_text(page, target)
    else:
        write_whole(target, page)


def report_values(story: Story) -> dict[str, Any]:
    """The report for machines, as plain JSON types: all but the pictures."""
    seen, card = story.seen, story.card
    return {
        "report": JSON_VERSION,
        "made_at": story.options.made_at,
        "verdict": story.verdict.to_dict(),
        "file": asdict(seen.facts) if seen.facts else None,
        "c2pa": asdict(seen.credentials) if seen.credentials else None,
        "advice": advice(story),
        "cautions": cautions(story.verdict, seen, card, story.words),
        "heat": [
            {"person": one.person, "time_seconds": heat.time_seconds}
            | {name: getattr(heat, name) for name in ("p_fake", "odds_covered", "odds_elsewhere")}
            for one in seen.people
            for heat in one.heats
        ],
        "heat_trial": asdict(seen.heat_trial) if seen.heat_trial else None,
        "model": asdict(card) if card else None,
        "settings": changed_settings(story.options.settings),
        "command": visible(story.options.command),
    }
