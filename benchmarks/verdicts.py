"""What is written of the JSON of verdicts and records: the schemas that ship, and the table of reasons."""

from __future__ import annotations

import json
from pathlib import Path

import unmask
from unmask.archive.record import record_schema
from unmask.judge.stored import verdict_schema
from unmask.reasons import gaps, wordings

SCHEMAS = {"verdict": verdict_schema, "record": record_schema}


def write_schema() -> None:
    """Write the schemas of the types beside them."""
    for kind, make in SCHEMAS.items():
        file = Path(unmask.__file__).with_name(f"{kind}.schema.json")
        file.write_text(json.dumps(make(), indent=1) + "\n", encoding="utf-8")


def reasons_table() -> str:
    """Code, values and English wording of every reason."""
    rows = ["| `code` | `values` | in English |", "|---|---|---|"]
    for code, texts in wordings().items():
        english = texts["en"] if isinstance(texts["en"], str) else ", ".join(texts["en"])
        told = ", ".join(f"`{name}`" for name in sorted(gaps(code)))
        rows.append(f"| `{code}` | {told} | `{english.replace('|', chr(92) + '|')}` |")
    return "\n".join(rows)
