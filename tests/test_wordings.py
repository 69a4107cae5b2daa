"""Words that no output of the program has: it estimates, and leaves to courts what is theirs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.main import get_command

import unmask
from unmask.cli import app

PACKAGE = Path(unmask.__file__).parent
NEVER = re.compile(r"\bproofs?\b|\badmissib\w*|\bbeweis\w*|\bzulässig\w*|gerichtsfest\w*", re.IGNORECASE)
TABLES = (
    "reasons.json",
    "report/messages.json",
    "web/static/messages.json",
    *(f"judge/weights/{card.name}" for card in (PACKAGE / "judge" / "weights").glob("*.json")),
)


def texts(values):
    if isinstance(values, str):
        return [values]
    inner = values.values() if isinstance(values, dict) else values if isinstance(values, list) else ()
    return [text for value in inner for text in texts(value)]


@pytest.mark.parametrize("table", TABLES)
def test_no_message_promises_more_than_an_estimate(table):
    found = texts(json.loads((PACKAGE / table).read_text(encoding="utf-8")))
    assert found and not [text for text in found if NEVER.search(text)]


def test_no_sentence_of_the_report_or_the_command_line_does():
    """Every text in the code of what writes outputs, comments and names left out."""
    import ast

    wrong = []
    for folder in ("report", "cli", "judge", "web"):
        for file in (PACKAGE / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if (
                    isinstance(node, ast.Constant)
                    and isinstance(node.value, str)
                    and NEVER.search(node.value)
                ):
                    wrong.append(f"{file.name}:{node.lineno}")
    assert not wrong


def test_no_help_does():
    def helps(command, words):
        context = command.make_context(" ".join(words), [], resilient_parsing=True)
        yield command.get_help(context)
        for name, one in getattr(command, "commands", {}).items():
            yield from helps(one, [*words, name])

    told = list(helps(get_command(app), ["unmask"]))
    assert len(told) > 20 and not [text for text in told if NEVER.search(text)]


def test_the_rule_finds_what_it_is_for():
    assert all(map(NEVER.search, ("no proof", "Admissible?", "ein Beweis", "is inadmissible or admissible")))
    assert not NEVER.search("proofread waterproof improve prove")
