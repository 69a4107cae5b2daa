"""What scripts write into a document: blocks between a comment that says begin and one that says end."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

Marks = tuple[str, str]
WIDTH = 118


def marks(name: str) -> Marks:
    """The two lines around a block."""
    return f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->\n"


MARKS = marks("measured")
OPENING = marks("opening")


def put_into(document: Path, text: str, marks: Marks = MARKS) -> None:
    """Replace what stands between the marks of a document."""
    begin, end = marks
    page = document.read_text(encoding="utf-8")
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if not pattern.search(page):
        raise SystemExit(f"{document}: must hold the lines {begin.strip()} and {end.strip()}")
    document.write_text(pattern.sub(lambda _: f"{begin}\n{text}\n{end}", page), encoding="utf-8")


def between(document: Path, marks: Marks = MARKS) -> str:
    """What stands between the marks of a document."""
    begin, end = marks
    return document.read_text(encoding="utf-8").split(begin)[1].split(end)[0].strip()


def paragraph(*sentences: str) -> str:
    """Sentences as a paragraph whose lines are as long as those that people write."""
    words = " ".join(sentences).split()
    lines = textwrap.wrap(" ".join(words), WIDTH, break_on_hyphens=False, break_long_words=False)
    return "\n".join(lines) + "\n"
