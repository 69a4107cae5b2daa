"""Text from outside on its way to a terminal."""

from __future__ import annotations

import unicodedata

from rich.text import Text

_UNSAFE = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}  # controls, direction marks, stray bytes, line breaks


def printable(text: str) -> str:
    r"""Write out what could steer a terminal or hide part of a name.

    >>> printable("a\x1b[31m.mp4")
    'a\\x1b[31m.mp4'
    """
    return "".join(
        c.encode("unicode_escape").decode("ascii") if unicodedata.category(c) in _UNSAFE else c for c in text
    )


def plain(text: str, style: str = "") -> Text:
    """The same for rich: no markup, no emoji codes."""
    return Text(printable(text), style=style)
