"""What slides are put together from: a slide itself, bars, pictures, words from files."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from unmask.lab.pages.deck.views import Still

_STEERING = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}  # controls, direction marks, stray bytes, line breaks


@dataclass(frozen=True, slots=True)
class Slide:
    """One slide.

    Attributes:
        title: Plain text; says what is to be remembered.
        content: HTML.
        notes: Plain text for the speaker, one paragraph each.
    """

    title: str
    content: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of a bar chart.

    Attributes:
        name: Plain text.
        parts: Counts, each with its CSS class (``real``, ``fake``, ``s0`` to ``s7``).
        told: Plain text behind the bar.
    """

    name: str
    parts: Sequence[tuple[int, str]]
    told: str


def clause(text: str, *, letters: int = 90) -> str:
    """A sentence out of a file, cut at its end where it is too long; the rest as `word`.

    >>> clause("seen in 1 of 30 frames, at least 3 needed", letters=24)
    'seen in 1 of 30 frames,…'
    """
    safe = _harmless(text[: 8 * letters])
    return safe if len(safe) <= letters else safe[:letters].rpartition(" ")[0] + "…"


def word(text: str, *, letters: int = 60) -> str:
    r"""A name out of a file, as plain text that can neither steer a page nor burst a slide.

    >>> word("a\u202e.mp4"), word("x" * 99, letters=9)
    ('a\\u202e.mp4', 'xxxx…xxxx')
    """
    text = text if len(text) <= 8 * letters else text[: 4 * letters] + text[-4 * letters :]
    safe, half = _harmless(text), letters // 2
    return safe if len(safe) <= letters else f"{safe[:half]}…{safe[-half:]}"


def _harmless(text: str) -> str:
    return "".join(
        c.encode("unicode_escape").decode("ascii") if unicodedata.category(c) in _STEERING else c
        for c in text
    )


def bars(rows: Sequence[Bar]) -> str:
    """Bars with their numbers; widths are shares of the longest."""
    longest = max((sum(count for count, _ in row.parts) for row in rows), default=0) or 1
    lines = []
    for row in rows:
        rects, left = [], 0.0
        for count, style in row.parts:
            width = 100 * count / longest
            rects.append(f'<rect class="bar {style}" x="{left:.2f}%" width="{width:.2f}%" height="100%"/>')
            left += width
        lines.append(
            f'<li><span>{escape(row.name)}</span><svg aria-hidden="true">{"".join(rects)}</svg>'
            f"<em>{escape(row.told)}</em></li>"
        )
    return f'<ul class="bars">{"".join(lines)}</ul>'


def picture(still: Still, alt: str, caption: str = "", *, style: str = "") -> str:
    """A picture with plain text below it.

    Args:
        still: The picture.
        alt: What it shows, for those who do not see it.
        caption: Below it.
        style: CSS class of its frame, ``real`` or ``fake``.
    """
    told = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return (
        f'<figure class="still {style}"><img src="{still.url}" width="{still.width}" height="{still.height}" '
        f'alt="{escape(alt, quote=True)}">{told}</figure>'
    )


def columns(*parts: str) -> str:
    """Parts side by side; below each other where it is narrow."""
    return f'<div class="columns n{len(parts)}">{"".join(f"<div>{part}</div>" for part in parts)}</div>'


def paragraph(text: str, *, style: str = "") -> str:
    """Plain text as a paragraph."""
    return f'<p class="{style}">{escape(text)}</p>' if style else f"<p>{escape(text)}</p>"


def points(sentences: Sequence[str]) -> str:
    """Plain sentences as a list."""
    return f'<ul class="points">{"".join(f"<li>{escape(one)}</li>" for one in sentences)}</ul>'


def number(count: int) -> str:
    r"""A count with thin spaces.

    >>> number(119154)
    '119\u202f154'
    """
    return f"{count:,}".replace(",", "\u202f")


def plural(count: int, noun: str) -> str:
    """A count with its noun.

    >>> plural(1, "video"), plural(2, "video")
    ('1 video', '2 videos')
    """
    return f"{number(count)} {noun}" if count == 1 else f"{number(count)} {noun}s"


def duration(seconds: float) -> str:
    """A length of time as people say it.

    >>> duration(4.26), duration(95), duration(31000)
    ('4.3 s', '1 min 35 s', '8 h 37 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {round(seconds / 60) % 60} min"
