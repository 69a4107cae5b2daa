"""The frame of a page: one HTML file in light and dark, that asks nothing from anywhere."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape, unescape

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --line: #d8dee4; --ground: #fff;
  --real: #2a78b8; --fake: #c8442d; --c0: #3b6fb6; --c1: #d1761a; --c2: #2f8f5b; --c3: #a8437f;
  --c4: #6f5bb5; --c5: #8a6d3b; --c6: #3a8c99; --c7: #7a7a7a }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ed; --soft: #9aa4b0; --line: #363d46;
  --ground: #14171b; --real: #6fb3ea; --fake: #f0846f; --c0: #7fabe8; --c1: #f0a75c; --c2: #6cc796;
  --c3: #e08bbd; --c4: #ab9cf0; --c5: #cfb27a; --c6: #76c7d3; --c7: #b0b0b0 } }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 1180px; padding: 24px 20px 60px; background: var(--ground);
  color: var(--ink); font: 15px/1.5 system-ui, sans-serif }
h1 { font-size: 24px; margin: 0 0 8px }
h2 { font-size: 18px; margin: 36px 0 8px; border-bottom: 1px solid var(--line); padding-bottom: 4px }
h3 { font-size: 15px; margin: 18px 0 4px }
h4 { font-size: 14px; margin: 8px 0; color: var(--soft) }
p { margin: 6px 0; max-width: 80ch }
small { color: var(--soft) }
.scroll { overflow-x: auto }
table { border-collapse: collapse; margin: 8px 0; font-variant-numeric: tabular-nums }
th, td { padding: 4px 10px; text-align: right; border-bottom: 1px solid var(--line); vertical-align: top }
th { font-weight: 600; color: var(--soft) }
th.text, td.text { text-align: left }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(260px, 1fr)); gap: 16px }
figure { margin: 8px 0; max-width: 420px }
figcaption { color: var(--soft); font-size: 13px; overflow-wrap: anywhere }
svg { width: 100%; height: auto; display: block }
svg text { fill: var(--soft); font-size: 11px }
.grid { stroke: var(--line); stroke-width: 1 }
.line { fill: none; stroke-width: 2 }
.guide { stroke: var(--soft); stroke-dasharray: 4 4; stroke-width: 1 }
.legend { display: flex; flex-wrap: wrap; gap: 4px 14px; font-size: 13px }
.key { display: inline-block; width: 12px; height: 12px; border-radius: 2px; margin-right: 5px;
  vertical-align: -1px }
.mistakes { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(320px, 100%), 1fr)); gap: 20px }
.mistakes figure { max-width: none }
.mistakes img { max-width: 100%; height: auto; border-radius: 4px; display: block }
.warn { color: var(--fake) }
footer { margin-top: 40px; color: var(--soft); font-size: 13px }
rect.real { fill: var(--real) }
rect.fake { fill: var(--fake) }
.key.real { background: var(--real) }
.key.fake { background: var(--fake) }
"""
_SERIES = "".join(
    f".line.s{i}{{stroke:var(--c{i})}}.mark.s{i}{{fill:var(--c{i})}}.key.s{i}{{background:var(--c{i})}}"
    for i in range(8)
)
LOOK = _STYLE + _SERIES
"""Colours, tables and charts, which everything that is shown shares."""

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


@dataclass(frozen=True, slots=True)
class Outfit:
    """What one page has of its own.

    Attributes:
        language: Of its words, as a language tag.
        style: CSS that only this page needs.
        script: JavaScript; no other can run in the page.
        script_url: Where a server has the script, instead of in the page.
        media: Where videos may come from, as in a content security policy.
    """

    language: str = "en"
    style: str = ""
    script: str = ""
    script_url: str = ""
    media: str = "data:"

    @property
    def policy(self) -> str:
        """What the browser may load and run."""
        if self.script_url:
            return f"{_POLICY}; media-src {self.media}; script-src 'self'"
        if not self.script:
            return _POLICY
        return f"{_POLICY}; media-src {self.media}; script-src {source_hash(self.script)}"

    @property
    def ending(self) -> str:
        """What stands at the end of the page."""
        if self.script_url:
            return f'<script src="{escape(self.script_url)}"></script>'
        return f"<script>{self.script}</script>" if self.script else ""


def source_hash(text: str) -> str:
    """How a page's policy names a script or a style that may work in it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def document(title: str, sections: Sequence[str], *, foot: str, style: str = "", script: str = "") -> str:
    """A whole HTML file; its policy forbids the browser any request.

    Args:
        title: Plain text.
        sections: HTML, from `section`.
        foot: Plain text of the last line.
        style: CSS that only this page needs.
        script: JavaScript; no other can run in the page.
    """
    return dressed(title, sections, foot=foot, outfit=Outfit(style=style, script=script))


def dressed(title: str, sections: Sequence[str], *, foot: str, outfit: Outfit) -> str:
    """As `document`, for a page with more of its own."""
    return (
        f'<!doctype html>\n<html lang="{outfit.language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{outfit.policy}">'
        f'<link rel="icon" href="data:,"><title>{escape(title)}</title>'
        f"<style>{LOOK}{outfit.style}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{''.join(sections)}</main><footer>{escape(foot)}</footer>"
        f"{outfit.ending}</body></html>\n"
    )


def section(title: str, content: str) -> str:
    """A part of the page under a heading; ``content`` is HTML."""
    return f"<section><h2>{escape(title)}</h2>{content}</section>"


def figure(caption: str, content: str) -> str:
    """A chart with plain text below it."""
    return f"<figure>{content}<figcaption>{escape(caption)}</figcaption></figure>"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, text: int = 1) -> str:
    """A table of HTML cells; the first ``text`` columns are flush left, the others are numbers.

    Each cell knows its column's title (``data-label``), for narrow pages that set rows as cards.
    """
    kinds = [' class="text"' if number < text else "" for number in range(len(head))]
    labels = [f' data-label="{escape(title)}"' for title in map(_plain, head)]
    top = "".join(f"<th{kind}>{cell}</th>" for kind, cell in zip(kinds, head, strict=True))
    rows_told = (
        "".join(f"<td{kind}{label}>{cell}</td>" for kind, label, cell in zip(kinds, labels, row, strict=True))
        for row in rows
    )
    body = "".join(f"<tr>{row}</tr>" for row in rows_told)
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def data_url(video: bytes) -> str:
    """An MP4 as part of a page."""
    return "data:video/mp4;base64," + base64.b64encode(video).decode()


def _plain(cell: str) -> str:
    """A cell of HTML as plain text."""
    return unescape(re.sub(r"<[^>]*>", "", cell))


def jpeg_url(data: bytes | None) -> str:
    """A picture as part of a page."""
    return "data:image/jpeg;base64," + base64.b64encode(data or b"").decode()


def percent(share: float) -> str:
    """A share as a whole percentage.

    >>> percent(0.125)
    '12 %'
    """
    return f"{share:.0%}".replace("%", " %")
