"""The deck as one HTML file: keys, overview, notes, a page a slide on paper, no request to anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from unmask.lab.pages.deck.parts import Slide
from unmask.lab.pages.side_by_side import SCRIPT as PLAYER_SCRIPT
from unmask.lab.pages.side_by_side import STYLE as PLAYER_STYLE
from unmask.report.document import LOOK, source_hash

_STYLE = LOOK + PLAYER_STYLE + Path(__file__).with_name("deck.css").read_text(encoding="utf-8")
_SCRIPT = PLAYER_SCRIPT + Path(__file__).with_name("deck.js").read_text(encoding="utf-8")
_KEYS = (
    '<nav class="bar-of-keys" aria-label="Slides">'
    '<button type="button" id="back" aria-label="Previous slide" aria-keyshortcuts="ArrowLeft">'
    "&larr;</button>"
    '<button type="button" id="on" aria-label="Next slide" aria-keyshortcuts="ArrowRight">&rarr;</button>'
    '<button type="button" id="all" aria-pressed="false" aria-keyshortcuts="o">Overview</button>'
    '<button type="button" id="notes" aria-pressed="false" aria-keyshortcuts="n">Notes</button>'
    '<output id="place" aria-hidden="true"></output></nav>'
    '<div id="said" class="said" role="status"></div>'
)


def deck_page(title: str, slides: Sequence[Slide]) -> str:
    """The whole file; the first slide is the title's.

    Its policy lets only this very style and script work, by their hashes, and forbids any request.

    Args:
        title: Plain text.
        slides: In order, one or more.
    """
    policy = (
        f"default-src 'none'; style-src {source_hash(_STYLE)}; script-src {source_hash(_SCRIPT)}; "
        "img-src data:; media-src data:; base-uri 'none'; form-action 'none'"
    )
    sections = "".join(_section(slide, n, len(slides)) for n, slide in enumerate(slides, start=1))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<link rel="icon" href="data:,"><title>{escape(title)}</title><style>{_STYLE}</style></head>'
        f"<body><main>{sections}</main>{_KEYS}<script>{_SCRIPT}</script></body></html>\n"
    )


def _section(slide: Slide, place: int, count: int) -> str:
    kind = "slide title" if place == 1 else "slide"
    notes = "".join(f"<p>{escape(text)}</p>" for text in slide.notes)
    return (
        f'<section class="{kind}" id="slide-{place}" aria-labelledby="title-{place}" '
        f'data-place="{place} / {count}"><div class="content">'
        f'<h2 id="title-{place}" tabindex="-1">{escape(slide.title)}</h2>{slide.content}</div>'
        f'<aside class="notes" aria-label="Notes"><h3>Notes</h3>{notes}</aside>'
        f'<button type="button" class="open" aria-label="Slide {place}: {escape(slide.title, quote=True)}">'
        "</button></section>"
    )
