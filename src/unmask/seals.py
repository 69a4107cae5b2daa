"""A seal: the SHA-256 that a text in JSON holds of itself, so that a changed byte is noticed.

It tells damage and thoughtless edits. It is no signature: whoever changes a file on purpose can seal it anew.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from unmask.errors import SettingsError

SEAL = "seal"
_UNKNOWN = "0" * 64


def add_seal(text: str) -> str:
    """A JSON object that is not empty, indented by two, with its seal as the last field.

    >>> add_seal('{"a": 1}').splitlines()[0]
    '{"a": 1,'
    """
    body = text.rstrip().removesuffix("}").rstrip()
    before, after = f'{body},\n  "{SEAL}": "', '"\n}\n'
    return before + _digest(before + _UNKNOWN + after) + after


def take_seal(values: Any, text: str) -> None:
    """Hold a text against its seal, where it has one, and take that out of its values.

    Args:
        values: What the text says.
        text: JSON.

    Raises:
        SettingsError: A byte was changed after it was sealed.
    """
    if not isinstance(values, dict) or SEAL not in values:
        return
    seal = values.pop(SEAL)
    whole = isinstance(seal, str) and re.fullmatch(r"[0-9a-f]{64}", seal)
    if not whole or _digest(text.replace(seal, _UNKNOWN)) != seal:
        raise SettingsError(
            f"{SEAL} must be the SHA-256 of the rest, got {seal!r:.80}: something was changed; where that "
            f"was on purpose, remove the line with the {SEAL}"
        )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
