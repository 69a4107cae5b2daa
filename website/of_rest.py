"""The reference of the REST API, from what the server says of itself in ``/openapi.json``."""

from __future__ import annotations

from typing import Any

from of_json import fields
from prose import cell, table, words
from unmask.web.scans import scans

HEAD = """# REST

The requests that `unmask serve` answers, as its own `/openapi.json` describes them; `/api-docs` shows the
same on the page. How to begin, tokens, limits and security: [The web page and its API](../serve.md).
"""
_SHOWN_ELSEWHERE = {
    "Verdict",
    "Person",
    "PersonFrame",
    "Segment",
    "Shot",
    "Appearance",
    "ModelName",
    "Reason",
}
_SHOWN_ELSEWHERE |= {"Stability", "Strength", "Outcome"}


def page() -> str:
    """The whole page."""
    told = description()
    lines = [HEAD]
    for path, operations in told["paths"].items():
        for method, operation in operations.items():
            lines += [*_operation(method.upper(), path, operation), ""]
    lines += ["## Objects", "", "A verdict and its parts are in [JSON](json.md)."]
    for name, schema in told["components"]["schemas"].items():
        if name not in _SHOWN_ELSEWHERE:
            lines += ["", f"### object: {name}", "", *fields(schema, "object")]
    return _linked("\n".join(lines))


def description() -> dict[str, Any]:
    """What the server answers to ``/openapi.json``; nothing is started for it."""
    from fastapi import FastAPI

    from unmask.web.pages import pages

    app = FastAPI(title="unmask", version="0")
    app.include_router(scans)
    app.include_router(pages)
    return app.openapi()


def _operation(method: str, path: str, operation: dict[str, Any]) -> list[str]:
    lines = [f"## {method} {path}", "", words(operation.get("description") or operation.get("summary", ""))]
    rows = [
        [f"`{one['name']}`", one["in"], _kind(one["schema"]), cell(words(one.get("description", "")))]
        for one in operation.get("parameters", [])
    ]
    if rows:
        lines += ["", table(["parameter", "where", "type", "what it is"], rows)]
    if body := operation.get("requestBody"):
        lines += ["", "Body: " + ", ".join(f"`{kind}`" for kind in body["content"]) + "."]
    answers = [
        [code, cell(words(answer.get("description", ""))), _content(answer)]
        for code, answer in sorted(operation["responses"].items())
    ]
    return [*lines, "", table(["answer", "when", "what it holds"], answers)]


def _content(answer: dict[str, Any]) -> str:
    found = []
    for kind, held in answer.get("content", {}).items():
        schema = held.get("schema", {})
        found.append(f"`{kind}`" + (f": {_kind(schema)}" if "$ref" in schema else ""))
    return ", ".join(found)


def _kind(schema: dict[str, Any]) -> str:
    from of_json import kind_of

    return kind_of(schema, "object")


def _linked(text: str) -> str:
    """Links to what another page describes lead there."""
    for name in _SHOWN_ELSEWHERE:
        text = text.replace(f"](#object-{name.lower()})", f"](json.md#verdict-{name.lower()})")
    return text.replace("json.md#verdict-verdict", "json.md#a-verdict")
