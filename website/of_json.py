"""The reference of what is written as JSON, from the schemas that ship."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import unmask
from prose import cell, items, sections, table, words

HEAD = """# JSON

What `unmask scan --json`, `Verdict.to_dict()`, the API and reports write (a verdict), and what a scan of an
archive keeps of each file (a record), field by field. Rules for reading them, and all reasons: [Verdicts in
JSON](../verdicts.md). `unmask schema` prints the JSON Schema of a verdict, `unmask schema --record` that of
a record.
"""
KINDS = {"verdict": "A verdict", "record": "A record of an archive"}


def page() -> str:
    """The whole page."""
    folder = Path(unmask.__file__).parent
    lines = [HEAD]
    for kind, title in KINDS.items():
        schema = json.loads((folder / f"{kind}.schema.json").read_text(encoding="utf-8"))
        lines += [f"## {title}", "", *fields(schema, kind)]
        for name, part in schema["$defs"].items():
            lines += [f"### {kind}: {name}", "", *fields(part, kind)]
    return "\n".join(lines)


def fields(schema: dict[str, Any], kind: str) -> list[str]:
    """What a schema of an object says: prose, then a row for each field."""
    told = sections(schema.get("description", ""))
    meant = items(told.get("Attributes", ""))
    needed = schema.get("required", [])
    rows = [
        [f"`{name}`", kind_of(part, kind), "" if name in needed else "no", cell(words(meant.get(name, "")))]
        for name, part in schema.get("properties", {}).items()
    ]
    prose = [words(told[""].strip()), ""] if told[""].strip() else []
    if "enum" in schema:
        prose += ["One of " + ", ".join(f"`{value}`" for value in schema["enum"]) + ".", ""]
    return [*prose, table(["field", "type", "always there", "what it is"], rows), ""]


def kind_of(part: dict[str, Any], kind: str) -> str:
    """The type of a field in words, with a link where it is an object of its own."""
    if "$ref" in part:
        name = part["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#{kind}-{name.lower()})"
    if "anyOf" in part:
        return " or ".join(dict.fromkeys(kind_of(one, kind) for one in part["anyOf"]))
    if "enum" in part:
        return ", ".join(f"`{value}`" for value in part["enum"])
    if part.get("type") == "array":
        least, most = part.get("minItems"), part.get("maxItems")
        count = f"{most} " if most is not None and least == most else ""
        inner = part.get("items", {})
        return f"list of {count}{kind_of(inner, kind)}" if inner else "list"
    bounds = _bounds(part)
    return str(part.get("type", "any")) + bounds


def _bounds(part: dict[str, Any]) -> str:
    low, high = part.get("minimum"), part.get("maximum")
    if low is not None and high is not None:
        return f" {low:g} to {high:g}"
    return "" if low is None else f" from {low:g}"
