"""The page of one file: all parts in their order, with style and script."""

from __future__ import annotations

from pathlib import Path

from unmask.judge.conclude import thresholds_of
from unmask.report.banner import banner
from unmask.report.cards import card_of
from unmask.report.case_section import case_section
from unmask.report.document import Outfit, dressed
from unmask.report.evidence import evidence
from unmask.report.examining import closer, examined
from unmask.report.film import stretches
from unmask.report.options import ReportOptions
from unmask.report.people import people, recording, video_address
from unmask.report.sections import (
    Story,
    caution_list,
    file_facts,
    left_out,
    limits,
    made_on,
    method,
)
from unmask.report.seen import Seen
from unmask.report.standing import Film
from unmask.report.words import Words
from unmask.shown import visible
from unmask.verdicts import Verdict

STYLE = Path(__file__).with_name("report.css").read_text(encoding="utf-8")
SCRIPT = Path(__file__).with_name("report.js").read_text(encoding="utf-8")
"""What makes timelines and frames move the video; a server may have it at `ReportOptions.script_url`."""

MAX_NAME_LETTERS = 80
_MARGIN = "font:9px system-ui,sans-serif;color:#57606a;white-space:nowrap"
_MEDIA = "data: file: 'self'"


def tell_story(verdict: Verdict, seen: Seen, options: ReportOptions) -> Story:
    """Everything that is needed to put a report into words."""
    card = card_of(verdict, options.settings)
    thresholds = thresholds_of(card, options.settings, still=verdict.is_still) if card else None
    words = Words(options.language)
    film = None if thresholds is None else Film(verdict, thresholds, card, words)
    return Story(verdict, seen, options, card, thresholds, words, film)


def report_page(story: Story, source: Path, *, folder: Path | None, back: str = "") -> str:
    """A whole HTML file.

    Args:
        story: Verdict and what reading the file again gave.
        source: The file.
        folder: Where the page will lie, for a link to the video; None where a server has it.
        back: HTML of a link to the overview, if there is one.
    """
    words = story.words
    address, _ = ("", "") if story.seen.problem else video_address(story, source, folder)
    parts = [
        back,
        banner(story),
        recording(story, source, folder),
        examined(story),
        evidence(story),
        caution_list(story),
        case_section(story),
        stretches(story, playable=bool(address)),
        closer(story),
        people(story, playable=bool(address)),
        left_out(story),
        file_facts(story),
        method(story),
        limits(story),
    ]
    title = words("title", name=shown_name(Path(story.verdict.path)))
    outfit = Outfit(
        language=story.options.language,
        style=STYLE + printed_margins(title, made_on(story.options), words),
        script=SCRIPT if address else "",
        script_url=story.options.script_url if address else "",
        media=_MEDIA,
    )
    foot = words("foot", version=visible(story.verdict.unmask), made=made_on(story.options))
    return dressed(title, parts, foot=foot, outfit=outfit)


def printed_margins(title: str, made: str, words: Words) -> str:
    """CSS that puts title, date and page number below each printed page."""
    left = "".join(_css_letter(letter) for letter in f"{title} · {words('made', made=made)}")
    return (
        f'@media print{{@page{{@bottom-left{{content:"{left}";{_MARGIN}}}'
        f'@bottom-right{{content:counter(page) " / " counter(pages);{_MARGIN}}}}}}}\n'
    )


def _css_letter(letter: str) -> str:
    """A character of a CSS string within a page; what could end the string, or the style, is escaped."""
    return letter if letter.isalnum() or letter in " .·,:-_" else f"\\{ord(letter):06x}"


def shown_name(source: Path) -> str:
    """A file's name as it can safely be read, shortened in the middle.

    >>> len(shown_name(Path("a" * 250 + ".mp4"))), shown_name(Path("/tmp/clip.mp4"))
    (81, 'clip.mp4')
    """
    name = visible(source.name)
    half = MAX_NAME_LETTERS // 2
    return name if len(name) <= MAX_NAME_LETTERS else f"{name[:half]}…{name[-half:]}"
