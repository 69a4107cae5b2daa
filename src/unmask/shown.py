"""Values as a line of text, or a table of HTML, whatever a file may be called."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape


def visible(text: str) -> str:
    r"""A text of unknown origin with everything that cannot be seen, or turns writing around, spelt out.

    >>> visible("clip" + chr(0x202E) + "4pm.exe")
    'clip\\u202e4pm.exe'
    """
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode()
        for char in text
    )


def short(text: str, *, most: int = 48) -> str:
    """As `visible`, and without its middle where it is long.

    >>> short("a" * 30 + "b" * 30, most=13)
    'aaaaa...bbbbb'
    """
    text, half = visible(text), (most - 3) // 2
    return text if len(text) <= most else f"{text[:half]}...{text[-half:]}"


def counted(count: int, one: str, many: str) -> str:
    """A number with its noun.

    >>> counted(1, "person", "people"), counted(0, "person", "people")
    ('1 person', '0 people')
    """
    return f"{count} {one if count == 1 else many}"


def html_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table that a notebook shows in its own style.

    >>> html_table(["name"], [["<b>"]])
    '<table><thead><tr><th>name</th></tr></thead><tbody><tr><td>&lt;b&gt;</td></tr></tbody></table>'
    """
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
