"""Reports of many files: a folder with a page for each and an ``index.html``, most suspicious first."""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import Sequence
from html import escape
from pathlib import Path

from unmask.files import write_whole
from unmask.report.cautions import deciding
from unmask.report.document import Outfit, dressed, table
from unmask.report.options import ReportOptions
from unmask.report.page import STYLE, report_page, tell_story
from unmask.report.sections import MARKS, made_on
from unmask.report.words import Words
from unmask.report.write import look_through
from unmask.shown import visible
from unmask.verdicts import Outcome, Verdict

INDEX = "index.html"


def write_reports(
    pairs: Sequence[tuple[Verdict, Path]], folder: Path, *, options: ReportOptions, jobs: int | None = None
) -> None:
    """Write a page for each file and an overview; see `write_report`.

    The overview is written last, so that it leads nowhere that is not there.

    Args:
        pairs: Verdicts and their files, one or more.
        folder: Made if it is not there; files in it with the same names are replaced.
        options: How the reports are made.
        jobs: Files that are read again at a time; None takes the cores.

    Raises:
        OSError: The folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    words = Words(options.language)
    back = f'<p><a href="{INDEX}">← {escape(words("overview_back"))}</a></p>'
    with contextlib.closing(look_through(pairs, options, jobs=jobs)) as found:
        for place, seen in found:
            verdict, source = pairs[place]
            page = report_page(tell_story(verdict, seen, options), source, folder=folder, back=back)
            write_whole(folder / page_name(place, source), page)
    write_whole(folder / INDEX, overview_page(pairs, options))


def page_name(place: int, source: Path) -> str:
    """A file name that is safe everywhere, and says as much of the source's name as it can.

    >>> page_name(0, Path("my clip.mp4")), page_name(1, Path("<script>.mov"))
    ('001-my-clip-mp4.html', '002-script-mov.html')
    """
    plain = re.sub(r"[^A-Za-z0-9]+", "-", source.name).strip("-")[:40].strip("-")
    return f"{place + 1:03d}-{plain or 'file'}.html"


def by_suspicion(pairs: Sequence[tuple[Verdict, Path]]) -> list[int]:
    """Places of the verdicts: fake, unsure, real, each by falling probability, then what was not judged."""
    order = list(Outcome)
    ranks = {Outcome.FAKE: 0, Outcome.UNSURE: 1, Outcome.REAL: 2}

    def key(place: int) -> tuple[int, float, float, int]:
        verdict = pairs[place][0]
        rank = ranks.get(verdict.outcome, len(ranks) + order.index(verdict.outcome))
        return rank, -(verdict.p_fake or 0.0), -(verdict.log_odds or 0.0), place

    return sorted(range(len(pairs)), key=key)


def overview_page(pairs: Sequence[tuple[Verdict, Path]], options: ReportOptions) -> str:
    """The overview as HTML, with links to the pages beside it."""
    words = Words(options.language)
    counts = Counter(verdict.outcome for verdict, _ in pairs)
    told = " · ".join(f"{MARKS[o]} {words(f'word_{o}')}: {counts[o]}" for o in Outcome if counts[o])
    head = [words(f"column_{name}") for name in ("verdict", "file", "score", "when")]
    rows = [_row(place, *pairs[place], words) for place in by_suspicion(pairs)]
    content = f"<p>{escape(told)}</p><p>{escape(words('overview_note'))}</p>{table(head, rows, text=2)}"
    version = visible(pairs[0][0].unmask) if pairs else ""
    return dressed(
        words("overview_title", count=len(pairs)),
        [content],
        foot=words("foot", version=version, made=made_on(options)),
        outfit=Outfit(language=options.language, style=STYLE),
    )


def _row(place: int, verdict: Verdict, source: Path, words: Words) -> list[str]:
    outcome = verdict.outcome
    person = deciding(verdict)
    when = ""
    if person is not None and person.frames:
        when = words.span(person.frames[0].time_seconds, person.frames[-1].time_seconds)
    if verdict.segments:
        when = words.span(verdict.segments[0].start_seconds, verdict.segments[0].end_seconds)
    return [
        f'<span class="outcome {outcome}">{MARKS[outcome]} {escape(words(f"word_{outcome}"))}</span>',
        f'<a href="{page_name(place, source)}"><bdi>{escape(visible(verdict.path))}</bdi></a>',
        "" if verdict.p_fake is None else words.percent(verdict.p_fake),
        when,
    ]
