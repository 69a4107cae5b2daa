"""What is written of the JSON of a verdict: the schema that ships, and the table of reasons."""

from __future__ import annotations

import json
from pathlib import Path

import unmask
from unmask.judge.stored import verdict_schema
from unmask.reasons import gaps, wordings

SCHEMA_FILE = Path(unmask.__file__).with_name("verdict.schema.json")


def write_schema() -> None:
    """Write the schema of the types beside them."""
    SCHEMA_FILE.write_text(json.dumps(verdict_schema(), indent=1) + "\n", encoding="utf-8")


def reasons_table() -> str:
    """Code, values and English wording of every reason."""
    rows = ["| `code` | `values` | in English |", "|---|---|---|"]
    for code, texts in wordings().items():
        english = texts["en"] if isinstance(texts["en"], str) else ", ".join(texts["en"])
        told = ", ".join(f"`{name}`" for name in sorted(gaps(code)))
        rows.append(f"| `{code}` | {told} | `{english.replace('|', chr(92) + '|')}` |")
    return "\n".join(rows)
