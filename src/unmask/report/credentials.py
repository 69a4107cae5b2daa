"""The C2PA manifest in a file (https://c2pa.org), by the optional package ``c2pa-python``.

It says what the writer of the file wanted to say of its making, signed. It is no part of any score: it can be
stripped, and a file without one is no less genuine.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from unmask.report.seen import Credentials

MAX_ACTIONS, MAX_LETTERS = 20, 120


def read_credentials(path: Path) -> Credentials:
    """Read the manifest of a file; nothing is fetched for it."""
    try:
        import c2pa
    except ImportError:
        return Credentials("not_installed")
    return read_with(c2pa, path)


def read_with(c2pa: Any, path: Path) -> Credentials:
    """As `read_credentials`, with the package at hand."""
    quiet = {"verify": {"remote_manifest_fetch": False, "ocsp_fetch": False}}
    try:
        with (
            c2pa.Settings.from_dict(quiet) as settings,
            c2pa.Context(settings) as context,
            c2pa.Reader(path, context=context) as reader,
        ):
            return credentials_of(json.loads(reader.json()))
    except c2pa.C2paError.ManifestNotFound:
        return Credentials("absent")
    except (c2pa.C2paError, ValueError, RecursionError):
        return Credentials("unreadable")


def credentials_of(store: object) -> Credentials:
    """What is told of a manifest store as the package gives it; whatever has a wrong shape is left out."""
    root = _object(store)
    active = _object(_object(root.get("manifests")).get(str(root.get("active_manifest"))))
    if not active:
        return Credentials("unreadable")
    actions: list[str] = []
    for assertion in _list(active.get("assertions")):
        one = _object(assertion)
        if str(one.get("label", "")).startswith("c2pa.actions"):
            steps = _list(_object(one.get("data")).get("actions"))
            actions += [_text(_object(step).get("action")) for step in steps]
    return Credentials(
        state=_text(root.get("validation_state")) or "unknown",
        generator=_text(active.get("claim_generator")) or _first_name(active.get("claim_generator_info")),
        issuer=_text(_object(active.get("signature_info")).get("issuer")),
        actions=tuple(filter(None, actions[:MAX_ACTIONS])),
    )


def _first_name(value: object) -> str:
    return next((_text(_object(one).get("name")) for one in _list(value)), "")


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value[:MAX_LETTERS] if isinstance(value, str) else ""
