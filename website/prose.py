"""Docstrings as Markdown: what code says of itself, for the pages of reference."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

_SECTION = re.compile(r"(Args|Attributes|Returns|Raises|Yields|Example|Examples|Source):")
_ITEM = re.compile(r"(?:    )?([*\w., ]+?)(?: \([^)]*\))?: (.*)")


def cell(text: object) -> str:
    """Text for a cell of a table: on one line, and with its bars kept from parting it."""
    return " ".join(str(text).split()).replace("|", "\\|")


def words(text: str) -> str:
    """Prose of a docstring: its double backticks become single ones, and nothing else is markup."""
    parts = text.replace("``", "`").split("`")
    safe = [re.sub(r"([*_<\[\]])", r"\\\1", part) for part in parts[::2]]
    return "".join(
        part if number % 2 == 0 else f"`{part}`" for number, part in enumerate(_woven(safe, parts[1::2]))
    )


def table(head: list[str], rows: list[list[str]]) -> str:
    """A table, or nothing where there are no rows."""
    if not rows:
        return ""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def sections(docstring: str) -> dict[str, str]:
    """Parts of a docstring by title; what comes before the first is under ``""``."""
    found: dict[str, list[str]] = {"": []}
    title = ""
    for line in inspect.cleandoc(docstring).splitlines():
        head = _SECTION.fullmatch(line.strip()) if not line.startswith(" ") else None
        if head:
            title = head[1]
            found[title] = []
        elif title and line and not line.startswith(" "):  # prose that goes on behind a part
            title = ""
            found[title] += ["", line]
        else:
            found[title].append(line)
    return {name: "\n".join(lines).strip("\n") for name, lines in found.items()}


def items(text: str) -> dict[str, str]:
    """``name: what it is`` of a part such as ``Args``, by name; what goes on in further lines is joined."""
    found: dict[str, str] = {}
    name = ""
    for line in inspect.cleandoc(text).splitlines():
        head = None if line.startswith(" ") else _ITEM.fullmatch(line)
        if head:
            name = head[1]
            found[name] = head[2]
        elif name:
            found[name] += f" {line.strip()}"
    return found


def markdown(docstring: str) -> str:
    """A whole docstring: prose, examples as code, and a table for each list of names."""
    told = sections(docstring)
    lines = list(_prose(told.pop("")))
    for title, text in told.items():
        named = items(text)
        if title in {"Args", "Attributes", "Raises"} and named:
            head = {"Args": "argument", "Attributes": "field", "Raises": "error"}[title]
            rows = [[f"`{name}`", cell(words(what))] for name, what in named.items()]
            lines += ["", table([head, "what it is" if head != "error" else "when"], rows)]
        else:
            lines += ["", f"**{title}.** {cell(words(inspect.cleandoc(text)))}"]
    return "\n".join(lines).strip()


def _prose(text: str) -> Iterator[str]:
    example = False
    for line in text.splitlines():
        starts = line.startswith(">>>")
        if starts and not example:
            yield from ("", "```pycon")
        if example and not line.strip():
            yield "```"
        example = starts or (example and bool(line.strip()))
        yield line if example else words(line)
    if example:
        yield "```"


def _woven(outer: list[str], inner: list[str]) -> Iterator[str]:
    for number, part in enumerate(outer):
        yield part
        if number < len(inner):
            yield inner[number]
