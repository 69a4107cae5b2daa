"""The C2PA manifest in a file (https://c2pa.org), by the optional package ``c2pa-python``.

It says what the writer of the file wanted to say of its making, signed. It is no part of any score: it can be
stripped, and a file without one is no less genuine.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from unmask.report.seen import Credentials
from unmask.report.trusted import TrustList, read_trust_list

MAX_ACTIONS, MAX_PROBLEMS, MAX_LETTERS = 20, 10, 120
_OF_TRUST = ("signingCredential.", "timeStamp.", "claimSignature.outsideValidity")
"""Beginnings of codes that speak of who signed and when; all others speak of what was signed."""


def read_credentials(path: Path, trusted: TrustList | None = None) -> Credentials:
    """Read the manifest of a file; nothing is fetched for it.

    Args:
        path: The file.
        trusted: Whose signatures count; None takes the list that ships.
    """
    try:
        import c2pa
    except ImportError:
        return Credentials("not_installed")
    return read_with(c2pa, path, trusted or read_trust_list())


def read_with(c2pa: Any, path: Path, trusted: TrustList) -> Credentials:
    """As `read_credentials`, with the package at hand."""
    asked = {
        "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_trust": True},
        "trust": {"trust_anchors": trusted.pem},
    }
    try:
        with (
            c2pa.Settings.from_dict(asked) as settings,
            c2pa.Context(settings) as context,
            c2pa.Reader(path, context=context) as reader,
        ):
            return credentials_of(json.loads(reader.json()), trusted.name)
    except c2pa.C2paError.ManifestNotFound:
        return Credentials("absent")
    except (c2pa.C2paError, ValueError, RecursionError):
        return Credentials("unreadable")


def credentials_of(store: object, trust_list: str = "") -> Credentials:
    """What is told of a manifest store as the package gives it; whatever has a wrong shape is left out.

    Args:
        store: As JSON has it.
        trust_list: Name of the list that it was held against.
    """
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
    found = _object(_object(root.get("validation_results")).get("activeManifest"))
    good, bad = _codes(found.get("success")), _codes(found.get("failure"))
    state = _text(root.get("validation_state")) or "unknown"
    broken = "claimSignature.validated" not in good or not all(code.startswith(_OF_TRUST) for code in bad)
    return Credentials(
        state=state,
        generator=_text(active.get("claim_generator")) or _first_name(active.get("claim_generator_info")),
        issuer=_text(_object(active.get("signature_info")).get("issuer")),
        actions=tuple(filter(None, actions[:MAX_ACTIONS])),
        intact=not broken if good or bad else None,
        listed="signingCredential.trusted" in good and not any(code.startswith(_OF_TRUST) for code in bad),
        trust_list=trust_list,
        problems=tuple(bad[:MAX_PROBLEMS]),
    )


def _codes(value: object) -> list[str]:
    return [code for one in _list(value) if (code := _text(_object(one).get("code")))]


def _first_name(value: object) -> str:
    return next((_text(_object(one).get("name")) for one in _list(value)), "")


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value[:MAX_LETTERS] if isinstance(value, str) else ""
