"""Where downloaded models lie: one folder a model, each there as a whole or not at all."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from unmask.errors import ModelError

NAME = re.compile(r"[a-z0-9][a-z0-9-]*", re.ASCII)
"""What a downloaded model may be called; a path has a dot or a slash."""


def cache_folder() -> Path:
    """``UNMASK_CACHE``, or ``unmask`` in the folder where this system keeps what can be downloaded again."""
    if given := os.environ.get("UNMASK_CACHE"):
        return Path(given)
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "unmask"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "unmask"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "unmask"


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
