"""Writes the pages of reference again: commands, Python, REST, JSON and the cards of models.

    python website/references.py            after a change of what they tell of
    python website/references.py --check    write nothing; exit code 1 where a page would change

Needs the extras ``data``, ``web`` and ``zoo``.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import of_cards
import of_commands
import of_json
import of_python
import of_rest

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGES = {
    "reference/commands.md": of_commands.page,
    "reference/python.md": of_python.page,
    "reference/rest.md": of_rest.page,
    "reference/json.md": of_json.page,
    "cards.md": of_cards.page,
}


def make_pages() -> dict[str, str]:
    """The text of every page, by its name."""
    return {name: _tidy(make()) for name, make in PAGES.items()}


def older(docs: Path, made: dict[str, str]) -> list[str]:
    """Names of the pages in a folder that are not what was made."""
    files = {name: docs / name for name in made}
    return [
        name
        for name, file in files.items()
        if not file.is_file() or file.read_text(encoding="utf-8") != made[name]
    ]


def _tidy(text: str) -> str:
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip() + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the pages of reference again.")
    parser.add_argument("--check", action="store_true", help="write nothing, and say what would change")
    given, made = parser.parse_args(), make_pages()
    changed = older(DOCS, made)
    if given.check and changed:
        sys.exit(f"older than the code: {', '.join(changed)}; run python website/references.py")
    for name in changed:
        (DOCS / name).parent.mkdir(exist_ok=True)
        (DOCS / name).write_text(made[name], encoding="utf-8")
        print(name)


if __name__ == "__main__":
    main()
