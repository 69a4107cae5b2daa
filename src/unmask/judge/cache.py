"""Where downloaded models lie: one folder a model, each there as a whole or not at all."""

from __future__ import annotations

import re
from pathlib import Path

from unmask.errors import ModelError
from unmask.folders import cache_folder

NAME = re.compile(r"[a-z0-9][a-z0-9-]*", re.ASCII)
"""What a downloaded model may be called; a path has a dot or a slash."""


def model_folder(name: str) -> Path:
    """Where a downloaded model lies, or would.

    Raises:
        ModelError: The name is none.
    """
    if not NAME.fullmatch(name):
        raise ModelError(f"a downloaded model is called by small letters, digits and -, got {name!r}")
    return cache_folder() / "models" / name


def cached_card(name: str) -> Path:
    """The card of a downloaded model, whether or not it is there.

    Raises:
        ModelError: The name is none.
    """
    return model_folder(name) / f"{name}.json"
